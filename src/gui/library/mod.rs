//! The photographs of the stack: thumbnails, sharpness, who takes part.

mod focus;
mod frame;
mod listing;
mod menu;
mod plot;
mod selection;
mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;

use iced::Size;
use iced::keyboard::Modifiers;
use iced::widget::canvas;

use crate::handlers::import::Entry;

pub use focus::{Asked, Jump};
pub use frame::{Chosen, Fault, Frame};
pub use menu::Choice;
pub use selection::Step;

/// What the photographs are ordered by on the screen. The stack itself is
/// always in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The order of the stack.
    #[default]
    Name,
    /// When they were taken.
    Time,
    /// The sharpest first.
    Sharpness,
}

/// The library.
#[derive(Default)]
pub struct State {
    /// In stack order.
    frames: Vec<Frame>,
    /// Places in `frames`, in the order of the screen.
    order: Vec<usize>,
    sort: Sort,
    selected: BTreeSet<u64>,
    /// Where a range of selected frames begins.
    anchor: Option<u64>,
    cursor: Option<u64>,
    reference: Option<u64>,
    menu: Option<u64>,
    modifiers: Modifiers,
    scroll: f32,
    size: Option<Size>,
    next: u64,
    plot: canvas::Cache,
    focus: focus::Focus,
    /// Files that took no part when they were here last.
    away: BTreeSet<PathBuf>,
}

/// What happens in the library.
#[derive(Debug, Clone)]
pub enum Message {
    /// A photograph was clicked.
    Pressed(u64),
    /// A photograph was clicked with the other button.
    MenuOpened(u64),
    /// The menu is no longer wanted.
    MenuClosed,
    /// Something was chosen from the menu.
    Menu(Choice),
    /// Another order is wanted.
    Sorted(Sort),
    /// The list was scrolled to this place.
    Scrolled(f32),
    /// The list has this size now.
    Resized(Size),
    /// The frame at this place in the stack was clicked in the plot.
    PlotPressed(usize),
    /// The next gap in the focus range is to be seen.
    JumpPressed,
    /// The dialog that excludes blurred frames is wanted.
    BlurredAsked,
}

/// What the library wants of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Show this photograph.
    Show(u64),
    /// Other photographs are visible now.
    LookAt,
    /// Take these photographs out.
    Remove(Vec<u64>),
    /// Move the files of these photographs to the trash.
    Trash(Vec<u64>),
    /// Look at a file outside.
    View(PathBuf),
    /// Change a file outside.
    Edit(PathBuf),
    /// Show a file in its folder.
    ShowInFolder(PathBuf),
    /// Put a text on the clipboard.
    Copy(String),
    /// Open the dialog that excludes blurred frames.
    AskBlurred,
}

impl State {
    /// The photographs in stack order.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The photograph of this number.
    pub fn frame(&self, id: u64) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.id == id)
    }

    fn frame_mut(&mut self, id: u64) -> Option<&mut Frame> {
        self.frames.iter_mut().find(|frame| frame.id == id)
    }

    /// The files that take part, in stack order.
    pub fn included(&self) -> Vec<Entry> {
        self.taking_part()
            .map(|frame| frame.entry.clone())
            .collect()
    }

    /// Closes the menu of a photograph; answers whether it was open.
    pub fn close_menu(&mut self) -> bool {
        self.menu.take().is_some()
    }

    /// Draws everything anew, in other colours.
    pub fn repaint(&mut self) {
        self.plot.clear();
    }

    fn taking_part(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(|frame| frame.takes_part())
    }

    /// Others take part now.
    fn chose(&mut self) {
        self.plot.clear();
        self.focus.forget();
    }

    /// What the user chose about the photographs.
    pub fn chosen(&self) -> Chosen {
        let path = |frame: &Frame| frame.entry.path.clone();
        let excluded = self.frames.iter().filter(|frame| !frame.is_included);
        Chosen {
            excluded: excluded.map(path).chain(self.away.clone()).collect(),
            reference: self.reference.and_then(|id| self.frame(id)).map(path),
        }
    }

    /// Brings back what the user chose earlier.
    pub fn choose_again(&mut self, chosen: &Chosen) {
        for frame in &mut self.frames {
            frame.is_included = !chosen.excluded.contains(&frame.entry.path);
        }
        let is_here = |path: &&PathBuf| self.frames.iter().any(|f| f.entry.path == **path);
        let away = chosen.excluded.iter().filter(|path| !is_here(path));
        self.away = away.cloned().collect();
        let reference = chosen.reference.as_ref();
        let frame = reference.and_then(|path| self.frames.iter().find(|f| f.entry.path == *path));
        self.reference = frame.map(|frame| frame.id);
        self.chose();
    }

    /// The place of the reference among those that take part, if one was
    /// chosen and takes part.
    pub fn reference(&self) -> Option<usize> {
        let id = self.reference?;
        self.taking_part().position(|frame| frame.id == id)
    }

    /// The photograph that was clicked last.
    pub fn cursor(&self) -> Option<u64> {
        self.cursor
    }

    /// Whether there are no photographs.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Excludes the frames whose score is under `threshold`.
    pub fn exclude_below(&mut self, threshold: f64) {
        for frame in &mut self.frames {
            if frame.score.is_some_and(|score| score < threshold) {
                frame.is_included = false;
            }
        }
        self.chose();
    }

    /// Includes what is selected, or excludes it if all of it is included.
    pub fn toggle(&mut self) {
        let selected = &self.selected;
        let mut frames: Vec<&mut Frame> = self
            .frames
            .iter_mut()
            .filter(|frame| selected.contains(&frame.id))
            .collect();
        let all = frames.iter().all(|frame| frame.is_included);
        for frame in &mut frames {
            frame.is_included = !all;
        }
        self.chose();
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Pressed(id) => {
                self.menu = None;
                self.press(id);
                Action::Show(id)
            }
            Message::MenuOpened(id) => {
                if !self.selected.contains(&id) {
                    self.select(id);
                }
                self.cursor = Some(id);
                self.menu = Some(id);
                Action::Show(id)
            }
            Message::MenuClosed => {
                self.menu = None;
                Action::None
            }
            Message::Menu(entry) => self.choose(entry),
            Message::Sorted(sort) => {
                self.sort = sort;
                self.arrange();
                Action::LookAt
            }
            Message::Scrolled(scroll) => {
                self.scroll = scroll;
                self.menu = None;
                Action::LookAt
            }
            Message::Resized(size) => {
                self.size = Some(size);
                Action::LookAt
            }
            Message::PlotPressed(place) => self.show(self.frames.get(place).map(|f| f.id)),
            Message::JumpPressed => self.show(self.next_jump()),
            Message::BlurredAsked => Action::AskBlurred,
        }
    }

    fn show(&mut self, id: Option<u64>) -> Action {
        id.map_or(Action::None, |id| {
            self.select(id);
            Action::Show(id)
        })
    }

    fn choose(&mut self, entry: Choice) -> Action {
        let Some(id) = self.menu.take() else {
            return Action::None;
        };
        let Some(path) = self.frame(id).map(|frame| frame.entry.path.clone()) else {
            return Action::None;
        };
        match entry {
            Choice::Reference => {
                self.reference = (self.reference != Some(id)).then_some(id);
                Action::None
            }
            Choice::Toggle => {
                self.toggle();
                Action::None
            }
            Choice::Only => {
                for frame in &mut self.frames {
                    frame.is_included = self.selected.contains(&frame.id);
                }
                self.chose();
                Action::None
            }
            Choice::View => Action::View(path),
            Choice::Edit => Action::Edit(path),
            Choice::ShowInFolder => Action::ShowInFolder(path),
            Choice::CopyPath => Action::Copy(path.display().to_string()),
            Choice::Remove => Action::Remove(self.selected()),
            Choice::Trash => Action::Trash(self.selected()),
        }
    }

    fn arrange(&mut self) {
        let frames = &self.frames;
        self.order = (0..frames.len()).collect();
        match self.sort {
            Sort::Name => {}
            Sort::Time => self.order.sort_by_key(|&place| {
                let taken = frames[place].facts.as_ref().and_then(|f| f.taken.clone());
                // What has no time comes last.
                (taken.is_none(), taken)
            }),
            Sort::Sharpness => self.order.sort_by(|&a, &b| {
                let score = |place: usize| frames[place].score.unwrap_or(-1.0);
                score(b).total_cmp(&score(a))
            }),
        }
        self.plot.clear();
    }
}
