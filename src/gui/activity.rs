//! The bar at the bottom: what is being done, how far it is, and a log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::widget::scrollable::{AbsoluteOffset, Viewport};
use iced::widget::{
    button, checkbox, column, container, progress_bar, row, scrollable, space, text, text_input,
};
use iced::{Center, Element, Fill};

use super::icon::{self, Icon};
use super::notice::Level;
use super::theme::{self, size, space as gap};
use super::widget;
use crate::handlers::{Event, Job, Phase};
use crate::text as words;

/// Lines that the log keeps.
const LINES: usize = 2000;
/// The most of them that are drawn, the last ones.
const DRAWN: usize = 400;
/// The lines, to be scrolled.
const LOG: &str = "log";
/// How high the open log is.
const DRAWER: f32 = 180.0;

/// The bar and the log.
pub struct State {
    running: Option<Running>,
    last: Option<String>,
    log: Vec<Line>,
    is_open: bool,
    filter: Option<Level>,
    /// Only lines with these words are to be seen.
    search: String,
    /// Whether the last line stays in sight.
    follows: bool,
    /// Where the lines are scrolled to.
    viewport: Option<Viewport>,
    /// When the window was opened.
    opened: Instant,
    jobs: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            running: None,
            last: None,
            log: Vec::new(),
            is_open: false,
            filter: None,
            search: String::new(),
            follows: true,
            viewport: None,
            opened: Instant::now(),
            jobs: 0,
        }
    }
}

struct Running {
    number: u64,
    job: Arc<Job>,
    name: &'static str,
    phase: Option<Phase>,
    done: usize,
    total: usize,
    since: Instant,
    began: Instant,
    memory: Option<u64>,
}

#[derive(Debug)]
struct Line {
    /// Since the window was opened.
    after: Duration,
    level: Level,
    words: String,
}

/// What happens in the bar.
#[derive(Debug, Clone)]
pub enum Message {
    /// The job is to stop.
    CancelPressed,
    /// The log is to open or close.
    LogToggled,
    /// Only lines of this level and above are to be seen.
    Filtered(Option<Level>),
    /// Only lines with these words are to be seen.
    Searched(String),
    /// The last line is to stay in sight, or not.
    FollowToggled(bool),
    /// The lines were scrolled.
    Scrolled(Viewport),
    /// The log is to go onto the clipboard.
    Copied,
}

/// What the bar wants of the application.
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
    /// Whether a job runs.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// What a running job does is shown from now on; answers its number.
    pub fn begin(&mut self, name: &'static str, job: Arc<Job>) -> u64 {
        let now = Instant::now();
        self.jobs += 1;
        self.running = Some(Running {
            number: self.jobs,
            job,
            name,
            phase: None,
            done: 0,
            total: 0,
            since: now,
            began: now,
            memory: None,
        });
        self.last = None;
        self.note(Level::Info, format!("{name} begins"));
        self.jobs
    }

    /// Takes in what the job of this number tells, and the bytes of memory in
    /// use.
    pub fn observe(&mut self, number: u64, event: Event, memory: Option<u64>) {
        match event {
            Event::Warned(words) => return self.note(Level::Warning, words),
            Event::Noted(words) => return self.note(Level::Info, words),
            Event::Began { .. } | Event::Stepped => {}
        }
        let Some(running) = self.running.as_mut().filter(|job| job.number == number) else {
            return;
        };
        running.memory = memory.or(running.memory);
        match event {
            Event::Began { phase, total } => {
                running.phase = Some(phase);
                running.total = total;
                running.done = 0;
                running.since = Instant::now();
            }
            _ => running.done += 1,
        }
    }

    /// The phase of the running job, and how many of its steps are done.
    pub fn progress(&self) -> Option<(Phase, usize)> {
        let running = self.running.as_ref()?;
        Some((running.phase?, running.done))
    }

    /// How long the running job has taken so far.
    pub fn elapsed(&self) -> Duration {
        let running = self.running.as_ref();
        running.map_or(Duration::ZERO, |running| running.began.elapsed())
    }

    /// The job has really ended, with these words.
    pub fn end(&mut self, level: Level, words: impl Into<String>) {
        self.running = None;
        let words = words.into();
        self.note(level, words.clone());
        self.last = Some(words);
    }

    /// Asks the running job to stop.
    pub fn cancel(&self) {
        if let Some(running) = &self.running {
            running.job.cancel();
        }
    }

    /// Writes a line into the log.
    pub fn note(&mut self, level: Level, words: impl Into<String>) {
        if self.log.len() >= LINES {
            self.log.drain(..LINES / 10);
        }
        self.log.push(Line {
            after: self.opened.elapsed(),
            level,
            words: words.into(),
        });
    }

    /// Opens or closes the log.
    pub fn toggle_log(&mut self) {
        self.is_open = !self.is_open;
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::CancelPressed => self.cancel(),
            Message::LogToggled => self.toggle_log(),
            Message::Filtered(filter) => self.filter = filter,
            Message::Searched(search) => self.search = search,
            Message::FollowToggled(follows) => {
                self.follows = follows;
                // Counted from the end while the last line stays in sight.
                let to = match self.viewport.take().filter(|_| !follows) {
                    Some(viewport) => viewport.absolute_offset_reversed(),
                    None => AbsoluteOffset::default(),
                };
                return Action::Scroll(LOG, to);
            }
            Message::Scrolled(viewport) => return self.scrolled(&viewport),
            Message::Copied => {
                let lines: Vec<String> = self.lines().map(Line::whole).collect();
                return Action::Copy(lines.join("\n"));
            }
        }
        Action::None
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
        self.log.iter().filter(is_found)
    }

    /// How much of the window the log takes.
    pub fn drawer_height(&self) -> f32 {
        if self.is_open { DRAWER } else { 0.0 }
    }

    /// The bar, and above it the log if that is open.
    pub fn view(&self, device: &str, scored: Option<(usize, usize)>) -> Element<'_, Message> {
        let mut line = row![].spacing(gap::MEDIUM).align_y(Center);
        match &self.running {
            Some(running) => {
                for piece in running.view() {
                    line = line.push(piece);
                }
            }
            None => {
                let words = match (scored, &self.last) {
                    (Some((known, total)), _) => {
                        format!("Looking at sharpness: {known} of {total}")
                    }
                    (None, Some(last)) => last.clone(),
                    (None, None) => "Ready".to_owned(),
                };
                line = line
                    .push(text(words).size(size::SMALL).style(theme::muted))
                    .push(space::horizontal());
            }
        }
        let device = text(format!("Device: {device}"))
            .size(size::SMALL)
            .style(theme::muted);
        let log = button(
            row![
                text("Log").size(size::SMALL),
                icon::sized(
                    if self.is_open {
                        Icon::ChevronDown
                    } else {
                        Icon::ChevronUp
                    },
                    14.0
                )
            ]
            .spacing(gap::TINY)
            .align_y(Center),
        )
        .padding([gap::TINY, gap::SMALL])
        .style(theme::quiet)
        .on_press(Message::LogToggled);
        let bar = container(line.push(device).push(log))
            .padding([gap::TINY, gap::MEDIUM])
            .width(Fill);
        if self.is_open {
            column![self.drawer(), bar].into()
        } else {
            bar.into()
        }
    }

    fn drawer(&self) -> Element<'_, Message> {
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
            .height(DRAWER)
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

impl Running {
    fn view(&self) -> Vec<Element<'_, Message>> {
        let phase = self.phase.map_or(self.name, Phase::label);
        let line = if self.job.is_cancelled() {
            "Stopping…".to_owned()
        } else if self.total > 1 {
            format!("{phase}: {} of {}", self.done, self.total)
        } else {
            format!("{phase}…")
        };
        let share = self.done as f32 / self.total.max(1) as f32;
        let mut facts = Vec::new();
        let elapsed = self.since.elapsed();
        if self.done > 0 && self.total > 1 {
            let seconds = elapsed.as_secs_f64().max(1e-3);
            facts.push(format!("{:.1} per second", self.done as f64 / seconds));
            let left = self.total.saturating_sub(self.done) as f64 / self.done as f64;
            if elapsed > Duration::from_secs(1) && left > 0.0 {
                let left = words::duration(elapsed.mul_f64(left));
                facts.push(format!("{left} left"));
            }
        }
        facts.extend(self.memory.map(words::bytes));
        vec![
            text(line).size(size::SMALL).width(150).into(),
            container(
                progress_bar(0.0..=1.0, share)
                    .girth(6)
                    .style(theme::progress),
            )
            .width(Fill)
            .into(),
            text(facts.join(" · "))
                .size(size::SMALL)
                .style(theme::muted)
                .into(),
            button(text("Cancel").size(size::SMALL))
                .padding([gap::TINY, gap::SMALL])
                .style(theme::secondary)
                .on_press_maybe((!self.job.is_cancelled()).then_some(Message::CancelPressed))
                .into(),
        ]
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
