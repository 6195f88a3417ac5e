//! Notices: what went well, what to know, what went wrong. They block nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use iced::widget::{button, column, container, row, text};
use iced::{Element, Fill, Top};

use super::icon::{self, Icon};
use super::theme::{self, size, space as gap};

/// How long good news stay.
const STAY: Duration = Duration::from_secs(10);
/// The most that are shown at a time.
const MOST: usize = 4;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// To be known.
    Warning,
    /// Something did not work.
    Error,
}

/// What a notice offers to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    None,
    /// To open this file, or to show it in its folder.
    File(PathBuf),
    /// To open this folder.
    Folder(PathBuf),
    /// To bring a result back that was discarded.
    Restore,
}

/// The notices in sight.
#[derive(Debug, Default)]
pub struct State {
    notices: Vec<Notice>,
    next: u64,
}

#[derive(Debug)]
struct Notice {
    id: u64,
    level: Level,
    words: String,
    offer: Offer,
    since: Instant,
}

/// What happens to notices.
#[derive(Debug, Clone)]
pub enum Message {
    /// One was read.
    Dismissed(u64),
    /// Its file or folder is to be opened.
    Opened(PathBuf),
    /// Its file is to be shown in its folder.
    Shown(PathBuf),
    /// What was discarded is to come back; the notice has done its work.
    Restored(u64),
}

/// What notices want of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Open a file or folder.
    Open(PathBuf),
    /// Show a file in its folder.
    Show(PathBuf),
    /// Bring the result back that was discarded last.
    Restore,
}

impl State {
    /// Puts up a notice, perhaps about a file.
    pub fn push(&mut self, level: Level, words: impl Into<String>, file: Option<PathBuf>) {
        self.offer(level, words, file.map_or(Offer::None, Offer::File));
    }

    /// Puts up a notice that offers something to do.
    pub fn offer(&mut self, level: Level, words: impl Into<String>, offer: Offer) {
        let words = words.into();
        self.notices.retain(|notice| {
            // Only the last one that was discarded can come back.
            notice.words != words && (offer != Offer::Restore || notice.offer != offer)
        });
        self.notices.push(Notice {
            id: self.next,
            level,
            words,
            offer,
            since: Instant::now(),
        });
        self.next += 1;
        if self.notices.len() > MOST {
            self.notices.remove(0);
        }
    }

    /// Takes down good news that stood for long; errors stay until dismissed.
    pub fn tidy(&mut self, now: Instant) {
        self.notices.retain(|notice| {
            notice.level == Level::Error || now.duration_since(notice.since) < STAY
        });
    }

    /// Takes down good news that offer nothing: something new begins.
    pub fn forget_news(&mut self) {
        self.notices
            .retain(|notice| notice.level != Level::Info || notice.offer != Offer::None);
    }

    /// Whether a notice offers to bring a result back.
    pub fn offers_to_restore(&self) -> bool {
        self.notices
            .iter()
            .any(|notice| notice.offer == Offer::Restore)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.notices.is_empty()
    }

    /// The words of all notices, the newest last.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.notices.iter().map(|notice| notice.words.as_str())
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Dismissed(id) => {
                self.notices.retain(|notice| notice.id != id);
                Action::None
            }
            Message::Opened(path) => Action::Open(path),
            Message::Shown(file) => Action::Show(file),
            Message::Restored(id) => {
                self.notices.retain(|notice| notice.id != id);
                Action::Restore
            }
        }
    }

    /// The notices, one above the other.
    pub fn view(&self) -> Element<'_, Message> {
        column(self.notices.iter().map(Notice::view))
            .spacing(gap::SMALL)
            .width(420)
            .into()
    }
}

impl Notice {
    fn view(&self) -> Element<'_, Message> {
        let mark = match self.level {
            Level::Info => icon::icon(Icon::CircleCheck).style(theme::good),
            Level::Warning => icon::icon(Icon::TriangleAlert).style(theme::warning),
            Level::Error => icon::icon(Icon::CircleAlert).style(theme::danger),
        };
        let mut words = column![text(&self.words).size(size::BODY)].spacing(gap::SMALL);
        let offers = match &self.offer {
            Offer::None => vec![],
            Offer::File(file) => vec![
                ("Open", Message::Opened(file.clone())),
                ("Show in folder", Message::Shown(file.clone())),
            ],
            Offer::Folder(folder) => vec![("Open folder", Message::Opened(folder.clone()))],
            Offer::Restore => vec![("Bring it back", Message::Restored(self.id))],
        };
        if !offers.is_empty() {
            let offers = offers.into_iter().map(|(words, message)| {
                button(text(words).size(size::SMALL))
                    .padding([gap::TINY, gap::SMALL])
                    .style(theme::secondary)
                    .on_press(message)
                    .into()
            });
            words = words.push(iced::widget::row(offers).spacing(gap::SMALL));
        }
        let close = button(icon::sized(Icon::X, 14.0))
            .padding(gap::TINY)
            .style(theme::quiet)
            .on_press(Message::Dismissed(self.id));
        container(
            row![
                container(mark).padding([2.0, 0.0]),
                words.width(Fill),
                close
            ]
            .spacing(gap::SMALL)
            .align_y(Top),
        )
        .padding(gap::MEDIUM)
        .style(theme::card)
        .into()
    }
}
