//! Scores how sharp photographs are.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::machine::Budget;
use super::{Job, Phase, Resources};
use crate::Result;
use crate::core::pipeline;
use crate::core::sharpness::Sharpness;
use crate::photo;

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
    /// Its global score, or `None` where it could not be read; see
    /// [`crate::core::sharpness`].
    pub score: Option<f64>,
    /// The scores of the cells, row by row.
    pub cells: Vec<f64>,
    /// Why there is no score.
    pub reason: Option<String>,
}

/// Scores each photograph of `inputs` (files or folders), in stack order. They
/// may be of any sizes. One that cannot be read has no score, and a warning.
///
/// # Errors
///
/// If an input is missing, if there are no photographs or none can be read,
/// and if the job is cancelled.
pub fn score(
    inputs: &[PathBuf],
    options: &SharpnessOptions,
    job: &Job,
) -> Result<Vec<FrameSharpness>> {
    let paths = photo::list(inputs)?.photos;
    let limits = &options.resources.limits;
    job.begin(Phase::Listing, paths.len());
    let largest = paths
        .iter()
        .filter_map(|path| {
            job.step();
            photo::probe(path, limits).ok()
        })
        .map(|probe| (probe.width * probe.height) as u64 * if probe.bits > 8 { 9 } else { 6 })
        .max()
        .unwrap_or(0);
    let budget = Budget::of(&options.resources);
    let lanes = pipeline::lanes(budget.for_frames(0, largest, job)?, largest);

    job.begin(Phase::Scoring, paths.len());
    let mut scores = Vec::with_capacity(paths.len());
    let mut first_fault = None;
    pipeline::ordered(
        &paths,
        lanes,
        |path| {
            job.check()?;
            let photo = photo::read(path, limits)?;
            Ok(Sharpness::of(&photo, options.grid))
        },
        |path, result: Result<Sharpness>| {
            job.check()?;
            let path = path.clone();
            scores.push(match result {
                Ok(sharpness) => FrameSharpness {
                    path,
                    score: Some(sharpness.score()),
                    cells: sharpness.scores(),
                    reason: None,
                },
                Err(fault) => {
                    job.warn(fault.to_string());
                    let reason = Some(fault.problem());
                    first_fault.get_or_insert(fault);
                    FrameSharpness {
                        path,
                        score: None,
                        cells: Vec::new(),
                        reason,
                    }
                }
            });
            job.step();
            Ok(())
        },
    )?;
    match first_fault {
        Some(fault) if scores.iter().all(|frame| frame.score.is_none()) => Err(fault),
        _ => Ok(scores),
    }
}
