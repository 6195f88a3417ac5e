//! Writes results.

use rayon::prelude::*;
use std::path::{Path, PathBuf};

use super::alignment::Aligned;
use super::machine::peak_memory;
use super::{FrameReport, FrameStatus, Job, Report, StackOptions};
use crate::core::plane::Plane;
use crate::core::warp::Area;
use crate::photo::{self, Encoding, Photo, Samples};
use crate::{Error, Result};

/// The 16-bit picture of three channels whose full scale is 1.
pub fn picture(channels: &[Plane; 3], alpha: Option<Vec<u8>>) -> Photo {
    let (width, height) = (channels[0].width, channels[0].height);
    let mut samples = vec![0u16; width * height * 3];
    samples
        .par_chunks_mut(width.max(1) * 3)
        .enumerate()
        .for_each(|(y, row)| {
            let [red, green, blue] = [0, 1, 2].map(|c| channels[c].row(y));
            for (x, rgb) in row.chunks_exact_mut(3).enumerate() {
                for (sample, value) in rgb.iter_mut().zip([red[x], green[x], blue[x]]) {
                    *sample = (value * 65535.0 + 0.5).clamp(0.0, 65535.0) as u16;
                }
            }
        });
    Photo {
        width,
        height,
        samples: Samples::Sixteen(samples),
        alpha,
        ..Photo::default()
    }
}

/// A share of full scale in 8 bits.
pub fn byte(share: f32) -> u8 {
    (share * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

/// Writes a picture unless the job is cancelled first.
///
/// # Errors
///
/// As [`photo::write`].
pub fn write(
    path: &Path,
    picture: &Photo,
    encoding: &Encoding,
    overwrite: bool,
    job: &Job,
) -> Result<()> {
    photo::write(path, picture, encoding, overwrite, &|| !job.is_cancelled())
}

/// Writes which of `count` frames each pixel came from: black is the first
/// frame, white the last.
///
/// # Errors
///
/// As [`photo::write_grey16`].
pub fn write_depth_map(
    path: &Path,
    index: &[u16],
    area: Area,
    count: usize,
    overwrite: bool,
    job: &Job,
) -> Result<()> {
    let last = (count.max(2) - 1) as u32;
    let samples: Vec<u16> = index
        .par_iter()
        .map(|&index| ((u32::from(index) * 65535 + last / 2) / last).min(65535) as u16)
        .collect();
    let keep_going = || !job.is_cancelled();
    photo::write_grey16(
        path,
        area.width,
        area.height,
        &samples,
        overwrite,
        &keep_going,
    )
}

/// What a job did, as far as it is known now.
pub fn report(
    aligned: &Aligned,
    options: &StackOptions,
    area: Area,
    output: Option<PathBuf>,
    device: &str,
    job: &Job,
) -> Report {
    let frames = aligned
        .stack
        .frames
        .iter()
        .enumerate()
        .map(|(i, frame)| {
            let pose = aligned.poses[i]
                .as_ref()
                .filter(|_| frame.status == FrameStatus::Used);
            let bridged = pose.is_some_and(|pose| pose.bridged);
            let bridge = || bridged.then(|| "aligned over its neighbour's neighbour".to_owned());
            FrameReport {
                path: frame.path.clone(),
                bytes: std::fs::metadata(&frame.path).ok().map(|file| file.len()),
                status: frame.status,
                reason: frame.reason.clone().or_else(bridge),
                sharpness: aligned.sharpness[i],
                transform: pose.map(|pose| pose.transform),
                alignment_score: pose.map(|pose| pose.score),
                gain: aligned.exposures[i].gain,
                offset: aligned.exposures[i].offset,
            }
        })
        .collect();
    Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        options: options.clone(),
        device: device.to_owned(),
        reference: aligned.reference,
        output,
        size: [area.width, area.height],
        crop: area,
        timings: job.timings(),
        peak_memory: peak_memory(),
        alignment: aligned.found.clone(),
        frames,
        warnings: job.warnings(),
    }
}

/// Writes a report as JSON.
///
/// # Errors
///
/// As [`photo::write_text`].
pub fn write_report(path: &Path, report: &Report, overwrite: bool) -> Result<()> {
    let text = serde_json::to_string_pretty(report).map_err(|fault| {
        Error::file(
            path,
            format!("the report cannot be put into words ({fault})"),
            "report this",
        )
    })?;
    photo::write_text(path, &(text + "\n"), overwrite)
}

/// Makes a folder for results, and those above it, unless it is there.
///
/// # Errors
///
/// If that is not allowed, or a file has its name.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|fault| {
        Error::file(
            path,
            format!("the folder cannot be made ({fault})"),
            "choose another one, or change its permissions",
        )
    })
}
