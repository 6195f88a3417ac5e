//! What can go wrong, worded for the person who has to mend it.

use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault, with what happened, to which file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The user stopped the job.
    #[error("stopped before it was done")]
    Cancelled,
    /// One file is at fault.
    #[error("{}: {problem}; {advice}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without a full stop.
        problem: String,
        /// What the user can do, without a full stop.
        advice: String,
    },
    /// The job as a whole cannot go on.
    #[error("{problem}; {advice}")]
    Job {
        /// What is wrong, without a full stop.
        problem: String,
        /// What the user can do, without a full stop.
        advice: String,
    },
    /// An option or its value makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// A fault of one file.
    pub fn file(
        path: impl AsRef<Path>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            problem: problem.into(),
            advice: advice.into(),
        }
    }

    /// A fault of the whole job.
    pub fn job(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Job {
            problem: problem.into(),
            advice: advice.into(),
        }
    }

    /// What happened, without the file's name and the advice.
    pub fn problem(&self) -> String {
        match self {
            Self::File { problem, .. } | Self::Job { problem, .. } => problem.clone(),
            other => other.to_string(),
        }
    }
}
