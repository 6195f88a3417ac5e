//! Runs a job for a person at a shell: with progress, Ctrl-C and a pool of
//! threads.

use std::sync::Arc;

use super::args::Verbosity;
use super::progress::Progress;
use super::text::to_stderr;
use crate::handlers::machine::on_threads;
use crate::handlers::{Job, Resources};
use crate::{Error, Result};

/// Runs `work` on as many threads as `resources` allow, shows its progress as
/// `verbosity` wants it, and cancels it on Ctrl-C. Only one job per process.
pub fn run<T: Send>(
    verbosity: Verbosity,
    resources: &Resources,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> Result<T> {
    let progress = Arc::new(Progress::new(verbosity));
    let job = {
        let progress = Arc::clone(&progress);
        Arc::new(Job::new(move |event| progress.observe(event)))
    };
    stop_on_ctrl_c(&job, &progress)?;

    let result = on_threads(resources, || work(&job));
    progress.finish(result.is_ok());
    result
}

fn stop_on_ctrl_c(job: &Arc<Job>, progress: &Arc<Progress>) -> Result<()> {
    let (job, progress) = (Arc::clone(job), Arc::clone(progress));
    ctrlc::set_handler(move || {
        if job.is_cancelled() {
            to_stderr("parfocal: stopped at once");
            std::process::exit(130);
        }
        job.cancel();
        progress.say("stopping; press Ctrl-C again to stop at once");
    })
    .map_err(|error| {
        Error::job(
            format!("Ctrl-C could not be prepared for: {error}"),
            "check the limits that the system sets for this process",
        )
    })
}
