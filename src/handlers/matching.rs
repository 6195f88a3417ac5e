//! Frames that are taken as they lie need be read but once: how sharp and how bright
//! each is shows when it is read to be fused.

use std::borrow::Cow;

use super::alignment::Aligned;
use super::scale::Scale;
use super::unveiling::{self, Glance};
use super::{FuseOptions, Job, Phase, StackOptions, frames};
use crate::Result;
use crate::core::exposure::{Chain, Light};
use crate::core::noise::noise;
use crate::core::sharpness::{GRID, Sharpness};
use crate::photo::{self, Decoded, Photo};

/// What a frame shows that is read to be fused.
pub struct Seen {
    /// Its global sharpness.
    pub score: f64,
    /// What it needs to be matched with others, if that is wanted,
    pub light: Option<Light>,
    /// and to be asked for veils.
    pub glance: Option<Glance>,
}

/// What is looked for in frames beside their sharpness.
#[derive(Debug, Clone)]
pub struct Wanted {
    scale: Scale,
    size: (usize, usize),
    is_matched: bool,
    /// Frames that are asked for veils.
    asked: Vec<usize>,
}

impl Wanted {
    /// Of the frames in use, none of which was looked at before; `is_matched` tells
    /// whether their exposure is to be.
    pub fn of(aligned: &Aligned, is_matched: bool, options: &FuseOptions) -> Self {
        let used: Vec<usize> = aligned.stack.used().collect();
        Self {
            scale: Scale::of(&aligned.stack),
            size: (aligned.stack.width, aligned.stack.height),
            is_matched,
            asked: match is_matched {
                true => unveiling::to_ask(&used, options),
                false => Vec::new(),
            },
        }
    }

    /// Looks at a frame that was read in all its pixels, and in fewer where it was.
    pub fn look(&self, frame: usize, read: &Decoded, reduced: Option<Photo>, job: &Job) -> Seen {
        let stages = job.stages();
        let photo = reduced.map_or_else(|| read.photo(), Cow::Owned);
        let score = || Sharpness::of(&photo, GRID).score();
        let light = || stages.time("look: light", || self.scale.light(&photo));
        let glance = || stages.time("look: glance", || Glance::of(&photo, self.size));
        let seen = Seen {
            score: stages.time("look: sharpness", score),
            light: self.is_matched.then(light),
            glance: self.asked.contains(&frame).then(glance),
        };
        if let Cow::Owned(photo) = photo {
            photo::keep(photo);
        }
        seen
    }
}

/// Prepares frames that are taken as they lie for being matched while they are fused.
/// Only the reference is read before, which is fused first: it tells the noise.
///
/// # Errors
///
/// If fewer than two of several frames are left, if the reference asked for cannot be
/// read, and if the job is cancelled.
pub fn begin(aligned: &mut Aligned, options: &StackOptions, job: &Job) -> Result<()> {
    job.begin(Phase::Scoring, 1);
    loop {
        frames::enough(&aligned.stack)?;
        let reference = frames::reference(&aligned.stack, options.align.reference)?;
        aligned.reference = reference;
        match look_at(aligned, reference, &options.fuse, job) {
            Ok((read, seen, noise)) => {
                let mut chain = Chain::default();
                if let Some(light) = seen.light {
                    aligned.exposures[reference] = chain.next(light, false);
                }
                aligned.chain = Some(chain);
                aligned.noise = noise;
                aligned.sharpness[reference] = Some(seen.score);
                aligned.glances[reference] = seen.glance;
                aligned.shelf.put_first(reference, read);
                job.step();
                return Ok(());
            }
            Err(fault) => frames::fail(&mut aligned.stack, reference, &fault, job)?,
        }
    }
}

/// Reads a frame, looks at it, and measures its noise.
fn look_at(
    aligned: &Aligned,
    frame: usize,
    options: &FuseOptions,
    job: &Job,
) -> Result<(Decoded, Seen, Option<f32>)> {
    let wanted = Wanted::of(aligned, true, options);
    let (frames, path) = (&aligned.frames, &aligned.stack.frames[frame].path);
    let read = || {
        wanted
            .scale
            .read_whole(frames, path, aligned.subsampled, job)
    };
    let (read, reduced) = job.stages().time("look: read", read)?;
    let noise = noise(&read.photo());
    let seen = wanted.look(frame, &read, reduced, job);
    Ok((read, seen, noise))
}
