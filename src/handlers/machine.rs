//! What a job may use of the machine, and what it has used.

use super::{Job, Resources};
use crate::{Error, Result};

/// Share of the free memory that a job takes unless told otherwise.
const SHARE: f64 = 0.8;

/// The memory that a job may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    bytes: u64,
    is_wish: bool,
}

impl Budget {
    /// What the user allows, or most of what is free.
    pub fn of(resources: &Resources) -> Self {
        match resources.memory {
            Some(bytes) => Self {
                bytes,
                is_wish: true,
            },
            None => Self {
                // Without a word from the system there is no reason to hold back.
                bytes: available().map_or(u64::MAX / 2, |free| (free as f64 * SHARE) as u64),
                is_wish: false,
            },
        }
    }

    /// How much it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is left when the work itself takes `fixed` bytes, for the frames
    /// in flight, of which at least two of `frame` bytes live.
    ///
    /// # Errors
    ///
    /// Where the user allows less than the least. Where the machine has less,
    /// the job is warned and goes on: systems can swap and estimates err.
    pub fn for_frames(&self, fixed: u64, frame: u64, job: &Job) -> Result<u64> {
        let least = fixed + 2 * frame;
        if self.bytes >= least {
            return Ok(self.bytes - fixed);
        }
        let (needed, given) = (megabytes(least), megabytes(self.bytes));
        if self.is_wish {
            return Err(Error::job(
                format!("frames of this size need {needed} MB of memory, {given} MB are allowed"),
                "allow more with --memory, or stack smaller frames",
            ));
        }
        job.warn(format!(
            "frames of this size need {needed} MB of memory, {given} MB are free; \
             close other programs if this becomes slow"
        ));
        Ok(0)
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// Bytes of memory that new work can have, within the limits of a container;
/// `None` where the system does not tell.
fn available() -> Option<u64> {
    let memory = sysinfo::MemoryRefreshKind::nothing().with_ram();
    let refresh = sysinfo::RefreshKind::nothing().with_memory(memory);
    let system = sysinfo::System::new_with_specifics(refresh).ok()?;
    let free = system.available_memory();
    Some(match system.cgroup_limits() {
        Some(limits) => free.min(limits.free_memory),
        None => free,
    })
}

/// Runs `work` on as many threads as `resources` allow.
///
/// # Errors
///
/// If the threads cannot be started, and as `work`.
pub fn on_threads<T: Send>(
    resources: &Resources,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    // Frames are spread over these threads; OpenCV's own would only get in
    // their way.
    opencv::core::set_num_threads(1).map_err(|fault| {
        Error::job(
            format!("OpenCV could not be set up ({fault})"),
            "check how OpenCV is installed",
        )
    })?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(resources.threads.unwrap_or(0));
    let pool = pool.build().map_err(|fault| {
        Error::job(
            format!("the worker threads could not be started ({fault})"),
            "ask for fewer threads",
        )
    })?;
    pool.install(work)
}

/// The most memory this process has used, in bytes; `None` where the system
/// does not tell.
pub fn peak_memory() -> Option<u64> {
    memory("VmHWM:")
}

/// The memory this process uses now, in bytes; `None` where the system does
/// not tell.
pub fn used_memory() -> Option<u64> {
    memory("VmRSS:")
}

fn memory(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(bytes: u64) -> Budget {
        Budget::of(&Resources {
            memory: Some(bytes),
            ..Resources::default()
        })
    }

    #[test]
    fn what_the_work_takes_is_not_left_for_frames() {
        let left = allowed(1000).for_frames(600, 100, &Job::silent());
        assert_eq!(left, Ok(400));
    }

    #[test]
    fn too_small_a_wish_is_refused_with_figures() {
        let fault = allowed(5_000_000)
            .for_frames(9_000_000, 500_000, &Job::silent())
            .unwrap_err();
        let text = fault.to_string();
        assert!(
            text.contains("need 10 MB") && text.contains("5 MB are allowed"),
            "{text}"
        );
        assert!(text.contains("--memory"));
    }

    #[test]
    fn something_is_free_and_something_was_used() {
        assert!(available() != Some(0));
        if cfg!(target_os = "linux") {
            assert!(peak_memory().is_some_and(|peak| peak > 1_000_000));
        }
    }
}
