//! Frames that are taken as they lie need be read but once: how sharp and how bright
//! each is shows when it is read to be fused.

use std::borrow::Cow;

use rayon::prelude::*;

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
/// Only the first one and the reference are read before: they tell the noise, and how
/// their exposure differs.
///
/// # Errors
///
/// If fewer than two of several frames are left, if the reference asked for cannot be
/// read, and if the job is cancelled.
pub fn begin(aligned: &mut Aligned, options: &StackOptions, job: &Job) -> Result<()> {
    job.begin(Phase::Scoring, 1);
    let looks = loop {
        frames::enough(&aligned.stack)?;
        aligned.reference = frames::reference(&aligned.stack, options.align.reference)?;
        let looks = first_looks(aligned, &options.fuse, job);
        if looks.iter().all(|(_, look)| look.is_ok()) {
            break looks;
        }
        for (frame, look) in looks {
            let fault = look.err();
            fault.map_or(Ok(()), |fault| {
                frames::fail(&mut aligned.stack, frame, &fault, job)
            })?;
        }
    };
    let noise = looks.iter().flat_map(|(_, look)| look.as_ref().ok()?.noise);
    aligned.noise = noise.reduce(f32::min);
    let mut looks = looks
        .into_iter()
        .filter_map(|(frame, look)| Some((frame, look.ok()?)));
    if let Some((frame, Look { read, seen, .. })) = looks.next() {
        let light = seen.light;
        let reference = looks.next().and_then(|(_, look)| look.seen.light);
        if let Some((own, reference)) = light.map(|own| (own.clone(), reference.unwrap_or(own))) {
            let mut chain = Chain::new(reference);
            aligned.exposures[frame] = chain.next(own);
            aligned.chain = Some(chain);
        }
        aligned.sharpness[frame] = Some(seen.score);
        aligned.glances[frame] = seen.glance;
        // It is fused next.
        aligned.shelf.put_first(frame, read);
    }
    job.step();
    Ok(())
}

/// A frame that was read before those that are fused.
struct Look {
    read: Decoded,
    seen: Seen,
    noise: Option<f32>,
}

/// Reads the first frame, and the reference if that is another one.
fn first_looks(aligned: &Aligned, options: &FuseOptions, job: &Job) -> Vec<(usize, Result<Look>)> {
    let first = aligned.stack.used().next();
    let mut frames: Vec<usize> = first.into_iter().chain([aligned.reference]).collect();
    frames.dedup();
    let wanted = Wanted::of(aligned, true, options);
    let look = |frame: usize| {
        let path = &aligned.stack.frames[frame].path;
        let read = || {
            let frames = &aligned.frames;
            wanted
                .scale
                .read_whole(frames, path, aligned.subsampled, job)
        };
        let (read, reduced) = job.stages().time("look: read", read)?;
        let noise = noise(&read.photo());
        let seen = wanted.look(frame, &read, reduced, job);
        Ok(Look { read, seen, noise })
    };
    let looks = frames.into_par_iter().map(|frame| (frame, look(frame)));
    looks.collect()
}
