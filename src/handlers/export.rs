//! Writes results.

use rayon::prelude::*;
use std::path::{Path, PathBuf};

use super::alignment::Aligned;
use super::machine::peak_memory;
use super::stacking::Stacked;
use super::{FrameReport, FrameStatus, Job, MovedReport, Report, StackOptions};
use crate::core::fuse::Picture;
use crate::core::warp::Area;
use crate::core::{palette, surface};
use crate::photo::{self, Encoding, Format, Photo, Samples};
use crate::{Error, Result};

/// A picture in 16 bits.
pub fn picture(picture: Picture, alpha: Option<Vec<u8>>) -> Photo {
    let [width, height] = picture.size();
    Photo {
        width,
        height,
        samples: Samples::Sixteen(picture.into_samples()),
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

/// Writes at which depth of a stack of `count` frames each pixel lies. TIFF and
/// PNG are data, grey with 16 bits: 0 is the first frame, 65535 the last. A JPEG
/// is for looking at: dark violet is the first, yellow the last.
///
/// # Errors
///
/// As [`photo::write`].
pub fn write_depth_map(
    path: &Path,
    stacked: &Stacked,
    count: usize,
    overwrite: bool,
    job: &Job,
) -> Result<()> {
    let last = (count.max(2) - 1) as f32;
    let Area { width, height, .. } = stacked.area;
    if Format::from_path(path)? == Format::Jpeg {
        let colours = stacked.depth.par_iter();
        let colours = colours.flat_map_iter(|depth| palette::colour(depth / last));
        let picture = Photo {
            width,
            height,
            samples: Samples::Eight(colours.collect()),
            ..Photo::default()
        };
        let encoding = Encoding {
            format: Format::Jpeg,
            ..Encoding::default()
        };
        return write(path, &picture, &encoding, overwrite, job);
    }
    let scale = 65535.0 / last;
    let samples: Vec<u16> = stacked
        .depth
        .par_iter()
        .map(|depth| (depth * scale + 0.5) as u16)
        .collect();
    write_grey(path, stacked.area, &samples, overwrite, job)
}

/// Writes how sure it is which frame each pixel came from: black is not at all,
/// white is quite.
///
/// # Errors
///
/// As [`photo::write_grey16`].
pub fn write_confidence(path: &Path, stacked: &Stacked, overwrite: bool, job: &Job) -> Result<()> {
    let samples: Vec<u16> = stacked
        .confidence
        .par_iter()
        .map(|&sure| u16::from(sure) * 257)
        .collect();
    write_grey(path, stacked.area, &samples, overwrite, job)
}

fn write_grey(path: &Path, area: Area, samples: &[u16], overwrite: bool, job: &Job) -> Result<()> {
    let keep_going = || !job.is_cancelled();
    photo::write_grey16(
        path,
        area.width,
        area.height,
        samples,
        overwrite,
        &keep_going,
    )
}

/// What share of the picture's longer side lies between the first and the last
/// frame of a surface, unless the user says otherwise.
const SURFACE_DEPTH: f64 = 0.2;

/// Writes the surface of the subject with the colours of `picture`; the last of
/// `count` frames lies `depth` pixels behind the first.
///
/// # Errors
///
/// As [`photo::write_surface`].
pub fn write_surface(
    path: &Path,
    stacked: &Stacked,
    count: usize,
    depth: Option<f64>,
    overwrite: bool,
    job: &Job,
) -> Result<()> {
    let keep_going = || !job.is_cancelled();
    let longer = stacked.area.width.max(stacked.area.height) as f64;
    let found = surface::Depth {
        frames: &stacked.depth,
        confidence: &stacked.confidence,
        count,
    };
    let reach = depth.unwrap_or(SURFACE_DEPTH * longer);
    let surface = surface::surface(&stacked.picture, &found, reach, &keep_going)?;
    photo::write_surface(path, &surface, &stacked.picture, overwrite, &keep_going)
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
            let pose = aligned.poses[i].as_ref();
            let bridged = pose.is_some_and(|pose| pose.bridged);
            let bridge = || bridged.then(|| "aligned over its neighbour's neighbour".to_owned());
            FrameReport {
                path: frame.path.clone(),
                bytes: std::fs::metadata(&frame.path).ok().map(|file| file.len()),
                status: frame.status,
                reason: frame.reason.clone().or_else(bridge),
                sharpness: aligned.sharpness[i],
                transform: pose.map(|pose| pose.transform),
                moved: aligned.moved[i]
                    .as_ref()
                    .filter(|_| options.fuse.ghost_check && frame.status == FrameStatus::Used)
                    .map(|moved| MovedReport {
                        percent: 100.0 * moved.share,
                        region: moved.region,
                    }),
                alignment_score: pose.map(|pose| pose.score),
                bridged,
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
        stages: job.stages().list(),
        peak_memory: peak_memory(),
        alignment: aligned.found.clone(),
        noise: aligned.noise,
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
