//! Frames of a stack, read one after another, all in the colours of one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::Stack;
use super::{FrameStatus, Job, Reference, Resources};
use crate::photo::{self, Decoded, Limits, Metadata, Photo};
use crate::{Error, Result};

/// Reads the frames of a stack in the colours of its reference.
#[derive(Debug)]
pub struct Frames {
    limits: Limits,
    /// What the reference says about itself, for the result to carry on.
    pub metadata: Metadata,
    told: AtomicBool,
}

impl Frames {
    /// For the frames of `stack`; `reference` is the one whose colours count.
    ///
    /// # Errors
    ///
    /// If the reference's metadata cannot be read.
    pub fn new(stack: &Stack, reference: usize, resources: &Resources) -> Result<Self> {
        Ok(Self {
            limits: resources.limits,
            metadata: photo::read_metadata(&stack.frames[reference].path)?,
            told: AtomicBool::new(false),
        })
    }

    /// Reads a frame, and converts it where its profile differs.
    ///
    /// # Errors
    ///
    /// As [`photo::read`]; [`Error::Cancelled`] once the job is.
    pub fn read(&self, path: &Path, job: &Job) -> Result<Photo> {
        self.read_reduced(path, usize::MAX, job)
    }

    /// The same of fewer pixels where that is quicker, but of no fewer than `side`
    /// on the longer side; see [`photo::read_reduced`].
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_reduced(&self, path: &Path, side: usize, job: &Job) -> Result<Photo> {
        job.check()?;
        let photo = photo::read_reduced(path, &self.limits, side)?;
        self.converted(photo, path, job)
    }

    /// A frame with its colour at half the size, if it is stored so and in the colours
    /// of the reference.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_subsampled(&self, path: &Path, job: &Job) -> Result<Decoded> {
        job.check()?;
        match photo::read_subsampled(path, &self.limits)? {
            Some(planes) if planes.icc == self.metadata.icc => Ok(Decoded::Subsampled(planes)),
            Some(planes) => Ok(Decoded::Photo(self.converted(
                planes.to_photo(),
                path,
                job,
            )?)),
            None => Ok(Decoded::Photo(self.read(path, job)?)),
        }
    }

    /// The same, and beside it what [`Self::read_both`] gives.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_both_subsampled(
        &self,
        path: &Path,
        side: usize,
        job: &Job,
    ) -> Result<(Decoded, Option<Photo>)> {
        job.check()?;
        if let Some((planes, reduced)) = photo::read_subsampled_both(path, &self.limits, side)?
            && planes.icc == self.metadata.icc
        {
            return Ok((Decoded::Subsampled(planes), reduced));
        }
        let (photo, reduced) = self.read_both(path, side, job)?;
        Ok((Decoded::Photo(photo), reduced))
    }

    /// A frame in all its pixels, and in fewer as [`Self::read_reduced`] gives them,
    /// unless those would be the same; see [`photo::read_both`].
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_both(&self, path: &Path, side: usize, job: &Job) -> Result<(Photo, Option<Photo>)> {
        job.check()?;
        let (whole, reduced) = photo::read_both(path, &self.limits, side)?;
        let converted = |photo| self.converted(photo, path, job);
        Ok((converted(whole)?, reduced.map(converted).transpose()?))
    }

    /// The same in the colours of the reference.
    fn converted(&self, mut photo: Photo, path: &Path, job: &Job) -> Result<Photo> {
        let changed =
            photo::convert(&mut photo, self.metadata.icc.as_deref()).map_err(|fault| {
                Error::file(
                    path,
                    format!("its colours cannot be converted ({})", fault.problem()),
                    "give all frames one colour profile",
                )
            })?;
        if changed && !self.told.swap(true, Ordering::Relaxed) {
            job.warn(format!(
                "{}: has another colour profile than the reference; converted to its colours",
                path.display()
            ));
        }
        job.check()?;
        Ok(photo)
    }
}

/// Whether all frames in use have their colour at half the size.
pub fn are_subsampled(stack: &Stack) -> bool {
    let mut used = stack.used();
    used.all(|i| {
        let probe = stack.frames[i].probe.as_ref();
        probe.is_some_and(|probe| probe.subsampled)
    })
}

/// Bytes that a decoded frame of the stack takes.
pub fn bytes(stack: &Stack) -> u64 {
    let deep = stack
        .frames
        .iter()
        .filter_map(|frame| frame.probe.as_ref())
        .any(|p| p.bits > 8);
    let samples = if deep { 6 } else { 3 };
    (stack.width * stack.height) as u64 * (samples + 1)
}

/// The frame whose geometry and colours count: the one asked for, or the
/// middle of those in use.
///
/// # Errors
///
/// If the one asked for does not exist or takes no part.
pub fn reference(stack: &Stack, wish: Reference) -> Result<usize> {
    let used: Vec<usize> = stack.used().collect();
    match wish {
        Reference::Auto => Ok(used[used.len() / 2]),
        Reference::Frame(number) => match stack.frames.get(number) {
            None => Err(Error::Usage(format!(
                "there is no frame {number} to be the reference: the stack has frames 0 to {}",
                stack.frames.len() - 1
            ))),
            Some(frame) if frame.status != FrameStatus::Used => Err(Error::file(
                &frame.path,
                "the reference frame takes no part",
                "choose another one with --reference",
            )),
            Some(_) => Ok(number),
        },
    }
}

/// Marks a frame as failed, and warns. Cancelling is no fault of the frame.
///
/// # Errors
///
/// [`Error::Cancelled`] if that is what `fault` is.
pub fn fail(stack: &mut Stack, frame: usize, fault: &Error, job: &Job) -> Result<()> {
    if *fault == Error::Cancelled {
        return Err(Error::Cancelled);
    }
    let entry = &mut stack.frames[frame];
    entry.status = FrameStatus::Failed;
    entry.reason = Some(fault.problem());
    job.warn(format!("{fault}; the frame is left out"));
    Ok(())
}

/// Makes sure that enough frames are left of those that took part at first.
///
/// # Errors
///
/// If fewer than two of several are, naming why the first one is not.
pub fn enough(stack: &Stack) -> Result<()> {
    let (used, total) = (stack.used().count(), stack.frames.len());
    if used >= 2 || (used == 1 && total == 1) {
        return Ok(());
    }
    let lost = stack
        .frames
        .iter()
        .find(|frame| frame.status == FrameStatus::Failed);
    let why = lost.map_or_else(
        || "give more photographs".to_owned(),
        |frame| {
            let reason = frame.reason.as_deref().unwrap_or("it could not be used");
            format!("{}: {reason}", frame.path.display())
        },
    );
    Err(Error::job(
        format!("fewer than two frames are left of {total}"),
        why,
    ))
}
