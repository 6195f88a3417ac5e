//! The bar at the bottom: what is being done, how far it is, and a log.

mod log;

use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::widget::{button, column, container, progress_bar, row, space, text};
use iced::{Center, Element, Fill};

pub use self::log::Action;
use super::icon::{self, Icon};
use super::notice::Level;
use super::theme::{self, size, space as gap};
use crate::handlers::{Event, Job, Phase};
use crate::text as words;

/// The bar and the log.
#[derive(Default)]
pub struct State {
    running: Option<Running>,
    last: Option<String>,
    log: log::State,
    jobs: u64,
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

/// What happens in the bar.
#[derive(Debug, Clone)]
pub enum Message {
    /// The job is to stop.
    CancelPressed,
    /// The log is to open or close.
    LogToggled,
    /// In the log.
    Log(log::Message),
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
        self.log.note(level, words);
    }

    /// Opens or closes the log.
    pub fn toggle_log(&mut self) {
        self.log.is_open = !self.log.is_open;
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::CancelPressed => self.cancel(),
            Message::LogToggled => self.toggle_log(),
            Message::Log(message) => return self.log.update(message),
        }
        Action::None
    }

    /// How much of the window the log takes.
    pub fn drawer_height(&self) -> f32 {
        if self.log.is_open { log::HEIGHT } else { 0.0 }
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
                    if self.log.is_open {
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
        if self.log.is_open {
            column![self.log.view().map(Message::Log), bar].into()
        } else {
            bar.into()
        }
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
