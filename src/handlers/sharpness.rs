//! Scores how sharp photographs are.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

use super::choice;
use super::machine::Budget;
use super::{Device, Job, Phase, Resources};
use crate::Result;
use crate::core::fuse::Meter;
use crate::core::pipeline;
use crate::core::sharpness::{Sharpness, WORKING_SIDE};
use crate::photo::{self, Photo};

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

/// What becomes of a photograph where it is read.
enum Read {
    Scored(Sharpness),
    /// A device scores it.
    Photo(Arc<Photo>),
}

/// The device that scores, where one is asked for. Automatic takes the
/// processor: it reads each sample once, and so does the way to a device.
fn meter(device: Device, job: &Job) -> Result<Option<Meter>> {
    match device {
        Device::Auto | Device::Cpu => Ok(None),
        Device::OpenCl(_) => {
            let device = choice::choose(device, job)?;
            device.map(|device| Meter::new(&device)).transpose()
        }
    }
}

/// What a device says of a photograph. When it fails it is given up: the rest
/// is done `here`.
fn by(
    meter: &mut Option<Meter>,
    photo: &Arc<Photo>,
    grid: usize,
    job: &Job,
    here: &dyn Fn(&Photo) -> Sharpness,
) -> Sharpness {
    let Some(device) = meter else {
        return here(photo);
    };
    match device.measure(photo, grid) {
        Ok(sharpness) => sharpness,
        Err(fault) => {
            job.warn(format!("{}; the processor does the work", fault.problem()));
            *meter = None;
            here(photo)
        }
    }
}

/// Scores each photograph of `inputs` (files or folders), in stack order. They
/// may be of any sizes. One that cannot be read has no score, and a warning.
///
/// # Errors
///
/// If the device that is asked for is missing or does not work, if an input is
/// missing, if there are no photographs or none can be read, and if the job is
/// cancelled.
pub fn score(
    inputs: &[PathBuf],
    options: &SharpnessOptions,
    job: &Job,
) -> Result<Vec<FrameSharpness>> {
    let mut meter = meter(options.resources.device, job)?;
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
    let by_device = meter.is_some();
    let here = |photo: &Photo| Sharpness::of(photo, options.grid);
    pipeline::ordered(
        &paths,
        lanes,
        |path| {
            job.check()?;
            let photo = photo::read_reduced(path, limits, WORKING_SIDE)?;
            Ok(match by_device {
                true => Read::Photo(Arc::new(photo)),
                false => Read::Scored(here(&photo)),
            })
        },
        |path, result: Result<Read>| {
            job.check()?;
            let path = path.clone();
            let result = result.map(|read| match read {
                Read::Scored(sharpness) => sharpness,
                Read::Photo(photo) => by(&mut meter, &photo, options.grid, job, &here),
            });
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
