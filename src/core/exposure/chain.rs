//! Exposure matched frame by frame, for frames that are fused as they are read.

use std::collections::VecDeque;

use super::change::Change;
use super::light::Light;
use super::{exposure, is_gain};
use crate::core::Transform;
use crate::core::warp::Exposure;

/// Frames that the next one is compared with.
const NEIGHBOURS: usize = 2;

/// Matches frames that lie on each other as they are, each when its turn comes: with
/// those before it, as [`exposures`](super::exposures) does with all at once. The first
/// one is compared with the reference, wherever in the stack that is.
#[derive(Debug)]
pub struct Chain {
    reference: Light,
    /// The latest frames.
    recent: VecDeque<(Light, Tones)>,
    /// Whether there was anything yet that is worth matching.
    is_needed: bool,
}

/// How the tones of a frame differ from the reference's: see [`Change`].
#[derive(Debug, Clone, Copy, Default)]
struct Tones {
    log: [f64; 3],
    offset: [f64; 3],
}

impl Tones {
    /// Those of a frame that differs from this one so.
    fn changed(&self, change: &Change) -> Self {
        let offset = |c: usize| change.log[c].exp() * self.offset[c] + change.offset[c];
        Self {
            log: std::array::from_fn(|c| self.log[c] + change.log[c]),
            offset: std::array::from_fn(offset),
        }
    }

    /// The mean of several.
    fn mean(all: &[Self]) -> Option<Self> {
        let count = (!all.is_empty()).then_some(all.len() as f64)?;
        let mean = |value: &dyn Fn(&Self) -> f64| all.iter().map(value).sum::<f64>() / count;
        Some(Self {
            log: std::array::from_fn(|c| mean(&|tones| tones.log[c])),
            offset: std::array::from_fn(|c| mean(&|tones| tones.offset[c])),
        })
    }

    fn is_significant(&self) -> bool {
        self.log.iter().any(is_gain) || self.offset != [0.0; 3]
    }
}

impl Chain {
    /// Frames are matched with the one of this light.
    pub fn new(reference: Light) -> Self {
        Self {
            reference,
            recent: VecDeque::new(),
            is_needed: false,
        }
    }

    /// What the values of the next frame must be multiplied by, and what added. As long
    /// as frames differ insignificantly they keep their values; limits are those of
    /// [`exposures`](super::exposures).
    pub fn next(&mut self, light: Light) -> Exposure {
        let between = |from: &Light| Change::between(from, &light, &Transform::IDENTITY);
        let seen = |(from, tones): &(Light, Tones)| Some(tones.changed(&between(from)?));
        let links: Vec<Tones> = self.recent.iter().filter_map(seen).collect();
        let tones = Tones::mean(&links).or_else(|| {
            let change = Change::by_gains(&self.reference, &light, &Transform::IDENTITY)?;
            Some(Tones::default().changed(&change))
        });
        let tones = tones.unwrap_or_default();
        self.is_needed |= tones.is_significant();
        self.recent.truncate(NEIGHBOURS - 1);
        self.recent.push_front((light, tones));
        match self.is_needed {
            true => exposure(tones.log, tones.offset),
            false => Exposure::default(),
        }
    }
}
