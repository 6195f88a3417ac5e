//! Takes the alignment of a stack from the report of an earlier run.

use std::path::Path;

use super::alignment::Aligned;
use super::file::{Stack, StackFrame};
use super::frames;
use super::{FrameReport, FrameStatus, Job, Reference, Report, StackOptions};
use crate::core::Transform;
use crate::core::align::Pose;
use crate::core::warp::Exposure;
use crate::photo;
use crate::{Error, Result};

/// The stack with the poses, exposures and sharpness that `report` tells of
/// it. No frame is read. Another reference, and leaving exposure alone, are
/// worked out from what is there.
///
/// # Errors
///
/// If the report cannot be read or is none, if it is not of these very
/// photographs, and if fewer than two of several frames are left.
pub fn aligned(stack: Stack, report: &Path, options: &StackOptions, job: &Job) -> Result<Aligned> {
    let (earlier, mut stack) = (read(report)?, stack);
    let order = matched(&stack, &earlier, report)?;
    // The stack takes the order of the report, which may have been sorted.
    stack.frames = order
        .iter()
        .map(|&place| stack.frames[place].clone())
        .collect();
    fits(&stack, &earlier, report)?;
    for (i, entry) in earlier.frames.iter().enumerate() {
        if entry.status == FrameStatus::Used || stack.frames[i].status != FrameStatus::Used {
            continue;
        }
        let why = entry.reason.as_deref().unwrap_or("for no reason given");
        let fault = Error::file(
            &stack.frames[i].path,
            format!("was left out when the stack was aligned: {why}"),
            "align the stack again",
        );
        frames::fail(&mut stack, i, &fault, job)?;
        stack.frames[i].status = entry.status;
        stack.frames[i].reason.clone_from(&entry.reason);
    }
    frames::enough(&stack)?;
    let reference = match options.align.reference {
        Reference::Auto => earlier.reference,
        wish => frames::reference(&stack, wish)?,
    };
    let mut with_reference = options.clone();
    with_reference.align.reference = Reference::Frame(reference);
    let mut aligned = Aligned::unaligned(stack, &with_reference)?;
    let about = &earlier.frames[reference];
    for (i, entry) in earlier.frames.iter().enumerate() {
        aligned.sharpness[i] = entry.sharpness;
        if aligned.stack.frames[i].status != FrameStatus::Used {
            continue;
        }
        let transform = relative(entry, about).ok_or_else(|| no_pose(report, entry))?;
        aligned.poses[i] = Some(Pose {
            transform,
            score: entry.alignment_score.unwrap_or(1.0),
            bridged: entry.bridged,
        });
        if options.align.match_exposure {
            aligned.exposures[i] = exposure(entry, about);
        }
    }
    job.note(format!(
        "the alignment is that of {}; nothing is measured again",
        report.display()
    ));
    aligned.noise = earlier.noise;
    aligned.found = earlier.alignment;
    Ok(aligned)
}

/// The pose of a frame when another than the report's is the reference.
fn relative(entry: &FrameReport, reference: &FrameReport) -> Option<Transform> {
    let (own, about) = (entry.transform?, reference.transform?);
    if about.is_identity() {
        return Some(own);
    }
    if own == about {
        return Some(Transform::IDENTITY);
    }
    Some(about.inverse()?.then(&own))
}

/// The exposure of a frame when another than the report's is the reference.
fn exposure(entry: &FrameReport, reference: &FrameReport) -> Exposure {
    let about = |c: usize| (reference.gain[c], reference.offset[c]);
    Exposure {
        gain: std::array::from_fn(|c| entry.gain[c] / about(c).0),
        offset: std::array::from_fn(|c| (entry.offset[c] - about(c).1) / about(c).0),
    }
}

fn read(path: &Path) -> Result<Report> {
    let text = std::fs::read_to_string(path).map_err(|fault| {
        Error::file(
            path,
            format!("the report cannot be read ({fault})"),
            "check its name; `parfocal align` and `parfocal stack --report` write one",
        )
    })?;
    serde_json::from_str(&text).map_err(|fault| {
        Error::file(
            path,
            format!("is no report of Parfocal ({fault})"),
            "give one that `parfocal align` or `parfocal stack --report` wrote",
        )
    })
}

/// For each frame of the report its place in the stack.
fn matched(stack: &Stack, earlier: &Report, report: &Path) -> Result<Vec<usize>> {
    let mut free: Vec<usize> = (0..stack.frames.len()).collect();
    let mut order = Vec::with_capacity(earlier.frames.len());
    for entry in &earlier.frames {
        let place = free
            .iter()
            .position(|&i| photo::same_file(&stack.frames[i].path, &entry.path))
            .or_else(|| {
                let has_name = |&i: &usize| is_named(&stack.frames[i], entry);
                free.iter().position(has_name)
            });
        let Some(place) = place else {
            return Err(Error::file(
                report,
                format!(
                    "tells of {}, which is not among the photographs given",
                    entry.path.display()
                ),
                "give the same photographs, or align again without it",
            ));
        };
        order.push(free.remove(place));
    }
    match free.first() {
        None => Ok(order),
        Some(&extra) => Err(Error::file(
            &stack.frames[extra].path,
            format!("is not in the report {}", report.display()),
            "leave it out, or align again without the report",
        )),
    }
}

/// Whether a photograph has the name of one that lay elsewhere.
fn is_named(frame: &StackFrame, entry: &FrameReport) -> bool {
    frame.path.file_name().is_some() && frame.path.file_name() == entry.path.file_name()
}

/// Makes sure that the files are still those that the report was made of.
fn fits(stack: &Stack, earlier: &Report, report: &Path) -> Result<()> {
    let changed = stack
        .frames
        .iter()
        .zip(&earlier.frames)
        .find(|(frame, entry)| {
            let now = std::fs::metadata(&frame.path).ok().map(|found| found.len());
            entry.bytes.is_some() && now.is_some() && entry.bytes != now
        });
    if let Some((frame, _)) = changed {
        return Err(Error::file(
            &frame.path,
            format!("has changed since {} was written", report.display()),
            "align again without the report",
        ));
    }
    let crop = earlier.crop;
    if crop.x + crop.width > stack.width || crop.y + crop.height > stack.height {
        return Err(Error::file(
            report,
            format!("is of larger frames than {}×{}", stack.width, stack.height),
            "align again without it",
        ));
    }
    if earlier.frames.get(earlier.reference).is_none() {
        return Err(Error::file(
            report,
            "names a reference that is not there",
            "align again without it",
        ));
    }
    Ok(())
}

fn no_pose(report: &Path, entry: &FrameReport) -> Error {
    Error::file(
        report,
        format!("says nothing of where {} lies", entry.path.display()),
        "align again without it",
    )
}
