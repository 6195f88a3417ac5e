//! A piece of work that reports how far it is and can be stopped.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Timing;
use crate::core::stages::Stages;
use crate::{Error, Result};

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Listing the inputs and reading their headers.
    Listing,
    /// Decoding frames and scoring their sharpness.
    Scoring,
    /// Finding how each frame lies on the reference.
    Aligning,
    /// Warping the frames and fusing them.
    Fusing,
    /// Fusing them again without the blur of near things.
    Unveiling,
    /// Denoising, sharpening and the like.
    Finishing,
    /// Encoding and writing files.
    Writing,
    /// Rendering the frames of a demo stack.
    Rendering,
    /// Finding out how fast devices are.
    Measuring,
}

impl Phase {
    /// The word for it in a progress line.
    pub fn label(self) -> &'static str {
        match self {
            Self::Listing => "Listing",
            Self::Scoring => "Scoring",
            Self::Aligning => "Aligning",
            Self::Fusing => "Fusing",
            Self::Unveiling => "Clearing edges",
            Self::Finishing => "Finishing",
            Self::Writing => "Writing",
            Self::Rendering => "Rendering",
            Self::Measuring => "Measuring",
        }
    }
}

/// Something an onlooker wants to know of a running job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A phase of `total` steps (usually frames) begins.
    Began {
        /// Which one.
        phase: Phase,
        /// How many steps it has; 0 where that is unknown.
        total: usize,
    },
    /// One more step of the phase is done.
    Stepped,
    /// Something the user should know, and perhaps mend; the job goes on.
    Warned(String),
    /// Something of interest to those who ask for detail.
    Noted(String),
}

/// A running job, as its worker sees it: it tells an observer what happens and
/// knows whether it was cancelled. Shared by reference between threads.
pub struct Job {
    observer: Box<dyn Fn(Event) + Send + Sync>,
    cancelled: AtomicBool,
    record: Mutex<Record>,
    stages: Stages,
}

/// What the report tells of a job afterwards.
#[derive(Debug, Default)]
struct Record {
    phases: Vec<(Phase, Instant)>,
    warnings: Vec<String>,
}

impl Job {
    /// A job that tells `observer` what happens, from whichever thread it
    /// happens on.
    pub fn new(observer: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self {
            observer: Box::new(observer),
            cancelled: AtomicBool::new(false),
            record: Mutex::default(),
            stages: Stages::default(),
        }
    }

    /// The clock of what its phases consist of.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// A job that nobody watches.
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    /// Asks the job to stop as soon as it can.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked it to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Fails with [`Error::Cancelled`] once someone asked it to stop. Workers
    /// call it at least a few times a second.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Begins a phase of `total` steps.
    pub fn begin(&self, phase: Phase, total: usize) {
        self.record().phases.push((phase, Instant::now()));
        (self.observer)(Event::Began { phase, total });
    }

    /// One more step of the phase is done.
    pub fn step(&self) {
        (self.observer)(Event::Stepped);
    }

    /// Tells the user something that matters.
    pub fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!("{message}");
        self.record().warnings.push(message.clone());
        (self.observer)(Event::Warned(message));
    }

    /// What the user was warned of so far.
    pub fn warnings(&self) -> Vec<String> {
        self.record().warnings.clone()
    }

    /// The phases so far and how long each took, in the order they began; a
    /// phase ends where the next begins, the last one now.
    pub fn timings(&self) -> Vec<Timing> {
        let record = self.record();
        let ends = record.phases.iter().skip(1).map(|&(_, start)| start);
        record
            .phases
            .iter()
            .zip(ends.chain([Instant::now()]))
            .map(|(&(phase, start), end)| Timing {
                phase: phase.label().to_lowercase(),
                seconds: end.duration_since(start).as_secs_f64(),
            })
            .collect()
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        // A panic elsewhere leaves a list that is still a list.
        self.record
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells whoever asked for detail.
    pub fn note(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::info!("{message}");
        (self.observer)(Event::Noted(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn an_observer_sees_events_in_order() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let job = {
            let seen = Arc::clone(&seen);
            Job::new(move |event| seen.lock().unwrap().push(event))
        };
        job.begin(Phase::Fusing, 2);
        job.step();
        job.warn("careful");
        assert_eq!(
            *seen.lock().unwrap(),
            [
                Event::Began {
                    phase: Phase::Fusing,
                    total: 2
                },
                Event::Stepped,
                Event::Warned("careful".into())
            ]
        );
    }

    #[test]
    fn warnings_and_phases_are_kept_for_the_report() {
        let job = Job::silent();
        job.begin(Phase::Listing, 1);
        job.begin(Phase::Fusing, 1);
        job.warn("careful");
        let phases: Vec<String> = job.timings().into_iter().map(|t| t.phase).collect();
        assert_eq!(phases, ["listing", "fusing"]);
        assert_eq!(job.warnings(), ["careful"]);
    }

    #[test]
    fn a_cancelled_job_says_so_from_then_on() {
        let job = Job::silent();
        assert_eq!(job.check(), Ok(()));
        job.cancel();
        assert_eq!(job.check(), Err(Error::Cancelled));
    }
}
