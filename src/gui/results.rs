//! The strip of results: every picture of this session.

use std::path::PathBuf;
use std::time::Duration;

use iced::widget::image::Handle;
use iced::widget::{
    button, column, container, image, mouse_area, row, scrollable, space, text_input,
};
use iced::widget::{text, tooltip};
use iced::{Center, ContentFit, Element, Fill};

use super::icon::{self, Icon};
use super::theme::{self, size, space as gap};
use super::widget;
use super::work::Made;
use crate::text as words;

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
    /// The pictures and the report.
    pub made: Made,
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
            thumbnail: thumbnail(&made),
            made,
            exported: None,
        });
        self.selected = Some(self.next);
        self.next
    }

    /// A result was finished anew.
    pub fn replace(&mut self, number: u64, made: Made) {
        if let Some(item) = self.items.iter_mut().find(|item| item.number == number) {
            item.thumbnail = thumbnail(&made);
            item.made = made;
            // What was exported is another picture.
            item.exported = None;
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

    /// How many were not exported.
    pub fn unsaved(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.exported.is_none())
            .count()
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
                self.items.retain(|item| item.number != number);
                if self.selected == Some(number) {
                    self.selected = self.items.last().map(|item| item.number);
                }
                Action::Gone(number)
            }
            Message::Renaming(number) => {
                let name = self.get(number).map(|item| item.name.clone());
                self.renaming = name.map(|name| (number, name));
                Action::None
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
            tools
        ]
        .spacing(2);
        container(row![picture, facts].spacing(gap::SMALL).align_y(Center))
            .padding(iced::padding::all(4).right(gap::MEDIUM))
            .style(move |theme| theme::cell(theme, is_selected, false))
            .into()
    }
}

fn thumbnail(made: &Made) -> Handle {
    let small = &made.small;
    Handle::from_rgba(small.width as u32, small.height as u32, small.data.clone())
}

fn tool<'a>(icon: Icon, words: &'a str, message: Message) -> Element<'a, Message> {
    let button = button(icon::sized(icon, 14.0))
        .padding(gap::TINY)
        .style(theme::quiet)
        .on_press(message);
    widget::tip(button, words, tooltip::Position::Top)
}
