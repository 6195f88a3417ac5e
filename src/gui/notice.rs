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
    /// A file to show in its folder.
    file: Option<PathBuf>,
    since: Instant,
}

/// What happens to notices.
#[derive(Debug, Clone)]
pub enum Message {
    /// One was read.
    Dismissed(u64),
    /// Its file is to be shown in its folder.
    Shown(PathBuf),
}

/// What notices want of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Show a file in its folder.
    Show(PathBuf),
}

impl State {
    /// Puts up a notice.
    pub fn push(&mut self, level: Level, words: impl Into<String>, file: Option<PathBuf>) {
        let words = words.into();
        self.notices.retain(|notice| notice.words != words);
        self.notices.push(Notice {
            id: self.next,
            level,
            words,
            file,
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
            Message::Shown(file) => Action::Show(file),
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
        if let Some(file) = &self.file {
            words = words.push(
                button(text("Show in folder").size(size::SMALL))
                    .padding([gap::TINY, gap::SMALL])
                    .style(theme::secondary)
                    .on_press(Message::Shown(file.clone())),
            );
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
