//! Where the time of a job goes: what several threads spend, stage by stage.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How long a stage took, all threads and times together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What was done.
    pub stage: String,
    /// Seconds, the sum of all threads that did it.
    pub seconds: f64,
    /// How often.
    pub times: usize,
}

/// A clock that those who hold it share.
#[derive(Debug, Clone, Default)]
pub struct Stages(Arc<Mutex<Vec<Spent>>>);

#[derive(Debug)]
struct Spent {
    stage: &'static str,
    time: Duration,
    times: usize,
}

impl Stages {
    /// Does `work`, and notes how long it takes.
    pub fn time<T>(&self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.note(stage, begun.elapsed());
        done
    }

    /// Notes that a stage took so long once more.
    pub fn note(&self, stage: &'static str, time: Duration) {
        let mut all = self.lock();
        match all.iter_mut().find(|spent| spent.stage == stage) {
            Some(spent) => {
                spent.time += time;
                spent.times += 1;
            }
            None => all.push(Spent {
                stage,
                time,
                times: 1,
            }),
        }
    }

    /// The stages so far, in the order in which each ended first.
    pub fn list(&self) -> Vec<Stage> {
        let all = self.lock();
        let stages = all.iter().map(|spent| Stage {
            stage: spent.stage.to_owned(),
            seconds: spent.time.as_secs_f64(),
            times: spent.times,
        });
        stages.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Spent>> {
        // A panic elsewhere leaves a list that is still a list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_spend_adds_up() {
        let stages = Stages::default();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let stages = stages.clone();
                scope.spawn(move || stages.note("carry", Duration::from_millis(500)));
            }
        });
        assert_eq!(stages.time("look", || 7), 7);
        let list = stages.list();
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].stage.as_str(), list[0].times), ("carry", 3));
        assert!((list[0].seconds - 1.5).abs() < 1e-9);
        assert_eq!((list[1].stage.as_str(), list[1].times), ("look", 1));
    }
}
