//! Progress through work that may turn out to be more than it was.

use super::{Job, Phase};

/// Reports a number of steps that was promised, whatever really is to be done:
/// it never goes back and never beyond. When work has to be done again, what is
/// left of the steps is spread over it.
pub struct Steps<'a> {
    job: &'a Job,
    total: usize,
    told: usize,
    /// What was told when the plan was made, and how much was to be done.
    from: usize,
    ahead: usize,
    /// How much of that is done.
    done: usize,
}

impl<'a> Steps<'a> {
    /// Begins a phase of `total` steps, as many as there is to do.
    pub fn begin(job: &'a Job, phase: Phase, total: usize) -> Self {
        job.begin(phase, total);
        Self {
            job,
            total,
            told: 0,
            from: 0,
            ahead: total,
            done: 0,
        }
    }

    /// From here there is `ahead` to do.
    pub fn plan(&mut self, ahead: usize) {
        (self.from, self.ahead, self.done) = (self.told, ahead, 0);
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done = (self.done + 1).min(self.ahead);
        let share = (self.total - self.from) * self.done / self.ahead.max(1);
        while self.told < self.from + share {
            self.told += 1;
            self.job.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::Event;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn as_many_steps_are_told_as_were_promised_however_often_work_is_done_again() {
        let told = Arc::new(AtomicUsize::new(0));
        let job = {
            let told = Arc::clone(&told);
            Job::new(move |event| {
                let step = usize::from(event == Event::Stepped);
                told.fetch_add(step, Ordering::Relaxed);
            })
        };
        let told = || told.load(Ordering::Relaxed);
        let mut steps = Steps::begin(&job, Phase::Fusing, 10);
        (0..4).for_each(|_| steps.step());
        assert_eq!(told(), 4);
        steps.plan(10);
        (0..5).for_each(|_| steps.step());
        assert_eq!(told(), 7);
        steps.plan(3);
        (0..3).for_each(|_| steps.step());
        assert_eq!(told(), 10);
        // Nothing is left to be told of more work.
        steps.plan(5);
        (0..9).for_each(|_| steps.step());
        assert_eq!(told(), 10);
    }
}
