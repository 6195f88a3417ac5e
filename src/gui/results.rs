//! The strip of results: every picture of this session.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use iced::widget::image::Handle;
use iced::widget::{
    button, column, container, image, mouse_area, row, scrollable, space, text_input,
};
use iced::widget::{text, tooltip};
use iced::{Center, ContentFit, Element, Fill};

use super::icon::{self, Icon};
use super::store::Stored;
use super::theme::{self, size, space as gap};
use super::work::Made;
use super::{widget, worker};
use crate::core::finish::Finish;
use crate::core::thumbnail::Rgba;
use crate::handlers::Report;
use crate::text as words;

/// How high the strip is.
pub const HEIGHT: f32 = 94.0;
/// How wide the words about a result are at least, so that the strip is not
/// uneven by the length of a number.
const WORDS: f32 = 220.0;
/// The line in which a name is typed.
const NAME: &str = "name of a result";

/// One result.
#[derive(Debug)]
pub struct Item {
    /// Its number in this session, from 1.
    pub number: u64,
    /// What the user calls it.
    pub name: String,
    /// The method in a word.
    pub method: String,
    /// The folder of its frames.
    pub folder: PathBuf,
    /// How long it took.
    pub took: Duration,
    /// The pixels.
    pub stored: Stored,
    /// What is done to its picture.
    pub finish: Finish,
    /// What was done.
    pub report: Arc<Report>,
    /// Where it was exported to last.
    pub exported: Option<PathBuf>,
    thumbnail: Handle,
}

/// The results, the newest last.
#[derive(Debug, Default)]
pub struct State {
    items: Vec<Item>,
    next: u64,
    selected: Option<u64>,
    renaming: Option<(u64, String)>,
    /// The one that was discarded last, and its place.
    discarded: Option<(usize, Item)>,
}

/// What happens in the strip.
#[derive(Debug, Clone)]
pub enum Message {
    /// A result was clicked.
    Pressed(u64),
    /// It is to be compared with what is shown.
    Compared(u64),
    /// It is to be exported.
    ExportPressed(u64),
    /// It is to be opened in the system's viewer.
    Opened(u64),
    /// It is to be shown in its folder.
    Located(u64),
    /// It is to be forgotten.
    Discarded(u64),
    /// Its name is to be changed.
    Renaming(u64),
    /// The new name so far.
    Named(String),
    /// The new name is complete.
    Renamed,
}

/// What the strip wants of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Show this result.
    Show(u64),
    /// Compare it with what is shown.
    Compare(u64),
    /// Open the dialog that exports it.
    Export(u64),
    /// Open a file or folder with the system's program.
    Open(PathBuf),
    /// It is gone: show something else.
    Gone(u64),
    /// It has another name.
    Renamed(u64),
    /// Let the line of this name take the keys.
    Focus(&'static str),
}

impl State {
    /// Adds a result and selects it; answers its number.
    pub fn push(&mut self, method: String, folder: PathBuf, took: Duration, made: Made) -> u64 {
        self.next += 1;
        self.items.push(Item {
            number: self.next,
            name: made.shown.name().to_owned(),
            method,
            folder,
            took,
            thumbnail: handle(made.small),
            stored: Stored::Memory(made.full),
            finish: made.report.options.finish,
            report: made.report,
            exported: None,
        });
        self.selected = Some(self.next);
        self.next
    }

    /// The selected result is finished otherwise; answers whether that is new.
    pub fn finish(&mut self, finish: Finish) -> bool {
        let selected = self.selected;
        let item = self.items.iter_mut();
        let item = item.filter(|item| Some(item.number) == selected);
        let mut is_new = false;
        for item in item.filter(|item| item.finish != finish) {
            item.finish = finish;
            // What was exported is another picture.
            item.exported = None;
            is_new = true;
        }
        is_new
    }

    /// Shows a result by this small picture, unless it is finished otherwise by
    /// now.
    pub fn depict(&mut self, number: u64, finish: Finish, small: Rgba) {
        let mut items = self.items.iter_mut();
        if let Some(item) = items.find(|item| item.number == number && item.finish == finish) {
            item.thumbnail = handle(small);
        }
    }

    /// The number that the next result will have.
    pub fn upcoming(&self) -> u64 {
        self.next + 1
    }

    /// All results.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The result of this number.
    pub fn get(&self, number: u64) -> Option<&Item> {
        self.items.iter().find(|item| item.number == number)
    }

    /// The result that was clicked or made last.
    pub fn selected(&self) -> Option<&Item> {
        self.get(self.selected?)
    }

    /// A result was written to a file.
    pub fn exported(&mut self, number: u64, path: PathBuf) {
        if let Some(item) = self.items.iter_mut().find(|item| item.number == number) {
            item.exported = Some(path);
        }
    }

    /// The oldest result that is to leave memory now, because all together
    /// take more than `limit` bytes. The newest stays.
    pub fn to_spill(&self, limit: u64) -> Option<&Item> {
        let total: u64 = self.items.iter().map(|item| item.stored.bytes()).sum();
        let (_, older) = self.items.split_last()?;
        let in_memory = |item: &&Item| matches!(item.stored, Stored::Memory(_));
        older.iter().find(in_memory).filter(|_| total > limit)
    }

    /// The pixels of a result are elsewhere now.
    pub fn moved(&mut self, number: u64, stored: Stored) {
        if let Some(item) = self.items.iter_mut().find(|item| item.number == number) {
            worker::let_go(std::mem::replace(&mut item.stored, stored));
        }
    }

    /// How many were not exported.
    pub fn unsaved(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.exported.is_none())
            .count()
    }

    /// The one that was discarded last, as long as it can come back.
    pub fn discarded(&self) -> Option<&Item> {
        self.discarded.as_ref().map(|(_, item)| item)
    }

    /// Brings the result back that was discarded last.
    pub fn restore(&mut self) -> Action {
        let Some((place, item)) = self.discarded.take() else {
            return Action::None;
        };
        let number = item.number;
        self.items.insert(place.min(self.items.len()), item);
        self.selected = Some(number);
        Action::Show(number)
    }

    /// Lets go of the result that was discarded last.
    pub fn forget_discarded(&mut self) {
        if let Some(gone) = self.discarded.take() {
            worker::let_go(gone);
        }
    }

    /// Leaves a name as it was; answers whether one was being typed.
    pub fn stop_renaming(&mut self) -> bool {
        self.renaming.take().is_some()
    }

    /// Whether a name is being typed.
    pub fn is_renaming(&self) -> bool {
        self.renaming.is_some()
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Pressed(number) => {
                self.selected = Some(number);
                Action::Show(number)
            }
            Message::Compared(number) => Action::Compare(number),
            Message::ExportPressed(number) => {
                self.selected = Some(number);
                Action::Export(number)
            }
            Message::Opened(number) => self
                .exported_file(number)
                .map_or(Action::None, Action::Open),
            Message::Located(number) => self
                .exported_file(number)
                .and_then(|path| Some(path.parent()?.to_owned()))
                .map_or(Action::None, Action::Open),
            Message::Discarded(number) => {
                self.forget_discarded();
                let place = self.items.iter().position(|item| item.number == number);
                self.discarded = place.map(|place| (place, self.items.remove(place)));
                if self.selected == Some(number) {
                    self.selected = self.items.last().map(|item| item.number);
                }
                Action::Gone(number)
            }
            Message::Renaming(number) => {
                let name = self.get(number).map(|item| item.name.clone());
                self.renaming = name.map(|name| (number, name));
                Action::Focus(NAME)
            }
            Message::Named(name) => {
                if let Some((_, old)) = &mut self.renaming {
                    *old = name;
                }
                Action::None
            }
            Message::Renamed => {
                if let Some((number, name)) = self.renaming.take()
                    && let Some(item) = self.items.iter_mut().find(|item| item.number == number)
                    && !name.trim().is_empty()
                {
                    item.name = name.trim().to_owned();
                    return Action::Renamed(number);
                }
                Action::None
            }
        }
    }

    fn exported_file(&self, number: u64) -> Option<PathBuf> {
        self.get(number)?.exported.clone()
    }

    /// The strip.
    pub fn view(&self) -> Element<'_, Message> {
        let items = self.items.iter().map(|item| self.item(item));
        scrollable(
            iced::widget::row(items)
                .spacing(gap::SMALL)
                .padding([gap::SMALL, gap::MEDIUM]),
        )
        .horizontal()
        .style(theme::scroll)
        .width(Fill)
        .height(HEIGHT)
        .into()
    }

    fn item<'a>(&'a self, item: &'a Item) -> Element<'a, Message> {
        let number = item.number;
        let is_selected = self.selected == Some(number);
        let picture = mouse_area(
            image(item.thumbnail.clone())
                .content_fit(ContentFit::Contain)
                .width(96)
                .height(68),
        )
        .on_press(Message::Pressed(number));
        let name: Element<'_, Message> = match &self.renaming {
            Some((renamed, name)) if *renamed == number => text_input("Name", name)
                .id(NAME)
                .size(size::SMALL)
                .padding(2)
                .width(150)
                .style(theme::input)
                .on_input(Message::Named)
                .on_submit(Message::Renamed)
                .into(),
            _ => button(
                text(&item.name)
                    .size(size::BODY)
                    .wrapping(text::Wrapping::None),
            )
            .padding(0)
            .style(theme::quiet)
            .on_press(Message::Pressed(number))
            .into(),
        };
        let facts = format!("{} · {}", item.method, words::duration(item.took));
        let saved = match &item.exported {
            Some(path) => text(super::work::name(path))
                .size(size::SMALL)
                .style(theme::good),
            None => text("Not exported").size(size::SMALL).style(theme::muted),
        };
        let mut tools = row![
            tool(Icon::Download, "Export…", Message::ExportPressed(number)),
            tool(
                Icon::Columns2,
                "Compare with what is shown",
                Message::Compared(number)
            ),
            tool(Icon::Pencil, "Rename", Message::Renaming(number)),
        ];
        if item.exported.is_some() {
            tools = tools
                .push(tool(
                    Icon::ExternalLink,
                    "Open the file",
                    Message::Opened(number),
                ))
                .push(tool(
                    Icon::FolderOpen,
                    "Show the file in its folder",
                    Message::Located(number),
                ));
        }
        let tools = tools.push(tool(
            Icon::Trash2,
            "Discard this result",
            Message::Discarded(number),
        ));
        let facts = column![
            name,
            row![
                text(facts).size(size::SMALL).style(theme::muted),
                space().width(gap::SMALL),
                saved
            ],
            tools,
            space().width(WORDS)
        ]
        .spacing(2);
        container(row![picture, facts].spacing(gap::SMALL).align_y(Center))
            .padding(iced::padding::all(4).right(gap::MEDIUM))
            .style(move |theme| theme::cell(theme, is_selected, false))
            .into()
    }
}

fn handle(small: Rgba) -> Handle {
    Handle::from_rgba(small.width as u32, small.height as u32, small.data)
}

fn tool<'a>(icon: Icon, words: &'a str, message: Message) -> Element<'a, Message> {
    let button = button(icon::sized(icon, 14.0))
        .padding(gap::TINY)
        .style(theme::quiet)
        .on_press(message);
    widget::tip(button, words, tooltip::Position::Top)
}
