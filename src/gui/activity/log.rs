//! The log: what happened since the window was opened.

use std::time::{Duration, Instant};

use iced::widget::scrollable::{AbsoluteOffset, Viewport};
use iced::widget::{checkbox, column, container, row, scrollable, space, text, text_input};
use iced::{Center, Element, Fill};

use crate::gui::icon::Icon;
use crate::gui::notice::Level;
use crate::gui::theme::{self, size, space as gap};
use crate::gui::widget;

/// Lines that the log keeps.
const LINES: usize = 2000;
/// The most of them that are drawn, the last ones.
const DRAWN: usize = 400;
/// The lines, to be scrolled.
const LOG: &str = "log";
/// How high the open log is.
pub const HEIGHT: f32 = 180.0;

/// The lines, and which of them are to be seen.
pub struct State {
    lines: Vec<Line>,
    /// Whether the log is to be seen.
    pub is_open: bool,
    filter: Option<Level>,
    /// Only lines with these words are to be seen.
    search: String,
    /// Whether the last line stays in sight.
    follows: bool,
    /// Where the lines are scrolled to.
    viewport: Option<Viewport>,
    /// When the window was opened.
    opened: Instant,
}

impl Default for State {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            is_open: false,
            filter: None,
            search: String::new(),
            follows: true,
            viewport: None,
            opened: Instant::now(),
        }
    }
}

#[derive(Debug)]
struct Line {
    /// Since the window was opened.
    after: Duration,
    level: Level,
    words: String,
}

/// What happens in the log.
#[derive(Debug, Clone)]
pub enum Message {
    /// Only lines of this level and above are to be seen.
    Filtered(Option<Level>),
    /// Only lines with these words are to be seen.
    Searched(String),
    /// The last line is to stay in sight, or not.
    FollowToggled(bool),
    /// The lines were scrolled.
    Scrolled(Viewport),
    /// What is seen is to go onto the clipboard.
    Copied,
}

/// What the log wants of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Scroll what bears this name.
    Scroll(&'static str, AbsoluteOffset),
    /// Put a text on the clipboard.
    Copy(String),
}

impl State {
    /// Writes a line.
    pub fn note(&mut self, level: Level, words: impl Into<String>) {
        if self.lines.len() >= LINES {
            self.lines.drain(..LINES / 10);
        }
        self.lines.push(Line {
            after: self.opened.elapsed(),
            level,
            words: words.into(),
        });
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Filtered(filter) => self.filter = filter,
            Message::Searched(search) => self.search = search,
            Message::FollowToggled(follows) => return self.follow(follows),
            Message::Scrolled(viewport) => return self.scrolled(&viewport),
            Message::Copied => {
                let lines: Vec<String> = self.lines().map(Line::whole).collect();
                return Action::Copy(lines.join("\n"));
            }
        }
        Action::None
    }

    fn follow(&mut self, follows: bool) -> Action {
        self.follows = follows;
        // Counted from the end while the last line stays in sight.
        let to = match self.viewport.take().filter(|_| !follows) {
            Some(viewport) => viewport.absolute_offset_reversed(),
            None => AbsoluteOffset::default(),
        };
        Action::Scroll(LOG, to)
    }

    /// Whoever scrolls up wants to read there.
    fn scrolled(&mut self, viewport: &Viewport) -> Action {
        self.viewport = Some(*viewport);
        if !self.follows || viewport.absolute_offset().y < 1.0 {
            return Action::None;
        }
        self.follows = false;
        Action::Scroll(LOG, viewport.absolute_offset_reversed())
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> {
        let least = self.filter.unwrap_or(Level::Info);
        let search = self.search.to_lowercase();
        let is_found = move |line: &&Line| {
            line.level >= least && line.words.to_lowercase().contains(search.as_str())
        };
        self.lines.iter().filter(is_found)
    }

    /// The lines, with what chooses among them.
    pub fn view(&self) -> Element<'_, Message> {
        let levels = [
            (None, "All"),
            (Some(Level::Warning), "Warnings"),
            (Some(Level::Error), "Errors"),
        ];
        let head = row![
            widget::choices(levels, self.filter, Message::Filtered),
            text_input("Filter", &self.search)
                .size(size::SMALL)
                .width(180)
                .style(theme::input)
                .on_input(Message::Searched),
            space::horizontal(),
            checkbox(self.follows)
                .label("Follow")
                .size(16)
                .text_size(size::SMALL)
                .style(theme::tick)
                .on_toggle(Message::FollowToggled),
            widget::icon_button(Icon::Copy, "Copy the log", Some(Message::Copied)),
        ]
        .spacing(gap::MEDIUM)
        .align_y(Center);
        let mut seen: Vec<&Line> = self.lines().rev().take(DRAWN).collect();
        seen.reverse();
        let lines = seen.into_iter().map(Line::view);
        let lines = scrollable(column(lines).spacing(2).width(Fill))
            .id(LOG)
            .on_scroll(Message::Scrolled)
            .style(theme::scroll)
            .width(Fill)
            .height(Fill);
        let lines = if self.follows {
            lines.anchor_bottom()
        } else {
            lines
        };
        container(column![head, lines].spacing(gap::TINY))
            .padding([gap::TINY, gap::MEDIUM])
            .height(HEIGHT)
            .into()
    }
}

impl Line {
    /// The moment, counted from when the window was opened.
    fn moment(&self) -> String {
        let seconds = self.after.as_secs();
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    /// The line as it is copied.
    fn whole(&self) -> String {
        let level = match self.level {
            Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        format!("{} {level}{}", self.moment(), self.words)
    }

    fn view(&self) -> Element<'_, Message> {
        let words = text(&self.words).size(size::SMALL);
        let words = match self.level {
            Level::Info => words,
            Level::Warning => words.style(theme::warning),
            Level::Error => words.style(theme::danger),
        };
        let moment = text(self.moment()).size(size::SMALL).style(theme::muted);
        row![moment.width(44), words.width(Fill)].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_lines() -> State {
        let mut state = State::default();
        state.note(Level::Info, "Stacking begins");
        state.note(Level::Warning, "a.tif: has another colour profile");
        state.note(Level::Error, "b.tif: cannot be read");
        state
    }

    fn words(state: &State) -> Vec<&str> {
        state.lines().map(|line| line.words.as_str()).collect()
    }

    #[test]
    fn the_log_is_filtered_by_level_and_by_words() {
        let mut state = with_lines();
        let _ = state.update(Message::Filtered(Some(Level::Warning)));
        assert_eq!(words(&state).len(), 2);
        let _ = state.update(Message::Searched("A.TIF".into()));
        assert_eq!(words(&state), ["a.tif: has another colour profile"]);
        let _ = state.update(Message::Filtered(Some(Level::Error)));
        assert!(words(&state).is_empty());
    }

    #[test]
    fn what_is_seen_of_the_log_is_copied_with_its_level() {
        let mut state = with_lines();
        let _ = state.update(Message::Filtered(Some(Level::Warning)));
        let copied = state.update(Message::Copied);
        let text = "0:00 warning: a.tif: has another colour profile\n\
                    0:00 error: b.tif: cannot be read";
        assert_eq!(copied, Action::Copy(text.into()));
    }

    #[test]
    fn the_log_keeps_its_last_lines() {
        let mut state = State::default();
        for line in 0..3 * LINES {
            state.note(Level::Info, line.to_string());
        }
        let kept = words(&state);
        assert!(kept.len() <= LINES && kept.len() > LINES / 2);
        assert_eq!(
            kept.last().copied(),
            Some((3 * LINES - 1).to_string().as_str())
        );
    }
}
