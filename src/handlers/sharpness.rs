//! Scores how sharp photographs are.
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::{Job, Resources};
use crate::Result;

/// What to score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharpnessOptions {
    /// Cells across and down.
    pub grid: usize,
    /// What may be used of the machine.
    pub resources: Resources,
}

/// How sharp one photograph is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameSharpness {
    /// The file.
    pub path: PathBuf,
    /// Its global score, or `None` where it could not be read.
    pub score: Option<f64>,
    /// The scores of the cells, row by row.
    pub cells: Vec<f64>,
    /// Why there is no score.
    pub reason: Option<String>,
}

/// Scores each photograph of `inputs`, in stack order.
pub fn score(
    _inputs: &[PathBuf],
    _options: &SharpnessOptions,
    _job: &Job,
) -> Result<Vec<FrameSharpness>> {
    todo!()
}
