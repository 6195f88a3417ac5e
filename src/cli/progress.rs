//! How a job's progress is shown on standard error: a bar on a terminal, now
//! and then a line elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::args::Verbosity;
use super::text::{duration, to_stderr};
use crate::handlers::{Event, Phase};

/// What the user sees of a running job. Shared between its threads.
pub struct Progress {
    verbosity: Verbosity,
    view: Mutex<View>,
}

enum View {
    Silent,
    Bar(Option<ProgressBar>),
    Lines(Option<Lines>),
}

impl Progress {
    /// A bar where standard error is a terminal, lines where it is not, and
    /// nothing where `verbosity` is quiet.
    pub fn new(verbosity: Verbosity) -> Self {
        let view = if verbosity == Verbosity::Quiet {
            View::Silent
        } else if std::io::stderr().is_terminal() {
            View::Bar(None)
        } else {
            View::Lines(None)
        };
        Self {
            verbosity,
            view: Mutex::new(view),
        }
    }

    /// Shows what happened.
    pub fn observe(&self, event: Event) {
        match event {
            Event::Warned(message) => self.say(&format!("warning: {message}")),
            Event::Noted(message) if self.verbosity == Verbosity::Verbose => self.say(&message),
            Event::Noted(_) => {}
            Event::Began { phase, total } => self.lock().begin(phase, total),
            Event::Stepped => self.lock().step(),
        }
    }

    /// Prints a line without tearing the bar, unless quiet.
    pub fn say(&self, line: &str) {
        match &*self.lock() {
            View::Silent => {}
            View::Bar(Some(bar)) => bar.suspend(|| to_stderr(line)),
            View::Bar(None) | View::Lines(_) => to_stderr(line),
        }
    }

    /// Ends the last phase: the bar goes, and a phase that was `completed` is
    /// said to be done.
    pub fn finish(&self, completed: bool) {
        self.lock().end(completed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, View> {
        // A thread that panicked while it printed leaves nothing inconsistent.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    fn begin(&mut self, phase: Phase, total: usize) {
        self.end(true);
        match self {
            Self::Silent => {}
            Self::Bar(bar) => *bar = Some(new_bar(phase, total)),
            Self::Lines(lines) => {
                let begun = Lines::new(phase, total, Instant::now());
                to_stderr(&begun.first());
                *lines = Some(begun);
            }
        }
    }

    fn step(&mut self) {
        match self {
            Self::Bar(Some(bar)) => bar.inc(1),
            Self::Lines(Some(lines)) => {
                if let Some(line) = lines.step(Instant::now()) {
                    to_stderr(&line);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, completed: bool) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
            Self::Lines(lines) => {
                if let Some(lines) = lines.take().filter(|_| completed) {
                    to_stderr(&lines.last(Instant::now()));
                }
            }
        }
    }
}

fn new_bar(phase: Phase, total: usize) -> ProgressBar {
    let (length, template) = match total {
        0 => (None, "{prefix:<9} {spinner} {pos}  {per_sec}"),
        _ => (
            Some(total as u64),
            "{prefix:<9} {wide_bar} {pos}/{len}  {rate}  {eta} left",
        ),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr())
        .with_prefix(phase.label());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(
            style.with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
                // Only a string is written to, which cannot fail.
                let _ = text.write_str(&rate(state.per_sec()));
            }),
        );
    }
    // The time left goes on counting while a slow frame is worked on.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Steps per second, or seconds per step where those are more telling.
fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 1.0 => format!("{r:.1}/s"),
        r if r > 0.0 => format!("{:.1} s each", 1.0 / r),
        _ => String::new(),
    }
}

/// A phase as lines of text: one when it begins, one when it is done, and in
/// between at most one every two seconds and every tenth of the way.
struct Lines {
    phase: Phase,
    total: usize,
    done: usize,
    began: Instant,
    said_at: Instant,
    said_done: usize,
}

impl Lines {
    const PAUSE: Duration = Duration::from_secs(2);

    fn new(phase: Phase, total: usize, now: Instant) -> Self {
        Self {
            phase,
            total,
            done: 0,
            began: now,
            said_at: now,
            said_done: 0,
        }
    }

    fn first(&self) -> String {
        match self.total {
            0 => self.phase.label().into(),
            total => format!("{}: 0 of {total}", self.phase.label()),
        }
    }

    fn step(&mut self, now: Instant) -> Option<String> {
        self.done += 1;
        let early = now.duration_since(self.said_at) < Self::PAUSE;
        let near = (self.done - self.said_done) * 10 < self.total;
        if early || near || self.done == self.total {
            return None;
        }
        (self.said_at, self.said_done) = (now, self.done);
        let label = self.phase.label();
        Some(match self.total {
            0 => format!("{label}: {}", self.done),
            total => format!("{label}: {} of {total}", self.done),
        })
    }

    fn last(&self, now: Instant) -> String {
        let time = duration(now.duration_since(self.began));
        format!("{}: done in {time}", self.phase.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a phase of `total` steps, each of which takes `pace`.
    fn lines(total: usize, pace: Duration) -> Vec<String> {
        let start = Instant::now();
        let mut lines = Lines::new(Phase::Aligning, total, start);
        let mut said = vec![lines.first()];
        let mut now = start;
        for _ in 0..total {
            now += pace;
            said.extend(lines.step(now));
        }
        said.push(lines.last(now));
        said
    }

    #[test]
    fn a_quick_phase_has_two_lines() {
        assert_eq!(
            lines(50, Duration::from_millis(10)),
            ["Aligning: 0 of 50", "Aligning: done in 0.5 s"]
        );
    }

    #[test]
    fn a_slow_phase_speaks_every_tenth() {
        let said = lines(100, Duration::from_secs(1));
        assert_eq!(said.len(), 11);
        assert_eq!(said[1], "Aligning: 10 of 100");
        assert_eq!(said[9], "Aligning: 90 of 100");
        assert_eq!(said[10], "Aligning: done in 1 min 40 s");
    }

    #[test]
    fn a_middling_phase_speaks_every_two_seconds() {
        let said = lines(10, Duration::from_secs(1));
        assert_eq!(
            said[1..5],
            [
                "Aligning: 2 of 10",
                "Aligning: 4 of 10",
                "Aligning: 6 of 10",
                "Aligning: 8 of 10"
            ]
        );
        assert_eq!(said.len(), 6);
    }

    #[test]
    fn a_phase_of_unknown_length_counts_up() {
        let start = Instant::now();
        let mut lines = Lines::new(Phase::Writing, 0, start);
        assert_eq!(lines.first(), "Writing");
        assert_eq!(
            lines.step(start + Duration::from_secs(3)).as_deref(),
            Some("Writing: 1")
        );
    }

    #[test]
    fn slow_steps_are_told_in_seconds() {
        assert_eq!(rate(12.34), "12.3/s");
        assert_eq!(rate(0.25), "4.0 s each");
        assert_eq!(rate(0.0), "");
    }

    #[test]
    fn steps_before_any_phase_are_no_fault() {
        let progress = Progress::new(Verbosity::Quiet);
        progress.observe(Event::Stepped);
        progress.observe(Event::Began {
            phase: Phase::Fusing,
            total: 0,
        });
        progress.observe(Event::Stepped);
        progress.finish(true);
        progress.finish(false);
        assert!(matches!(*progress.lock(), View::Silent));
    }
}
