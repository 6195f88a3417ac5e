//! Exposure matched frame by frame, for frames that are fused as they are read.

use std::collections::VecDeque;

use super::change::Change;
use super::light::Light;
use super::{exposure, is_gain};
use crate::core::Transform;
use crate::core::warp::Exposure;

/// Frames that the next one is compared with.
const NEIGHBOURS: usize = 2;

/// Matches frames that lie on each other as they are, each when its turn comes: first
/// the reference, then those after it, then those before it, back to the first. Each is
/// compared with its neighbours on the way there, as
/// [`exposures`](super::exposures) does with all at once.
#[derive(Debug, Default)]
pub struct Chain {
    /// The latest frames, the last one first.
    recent: VecDeque<Seen>,
    /// The reference and the frame after it, where the way back begins.
    turn: Vec<Seen>,
    is_back: bool,
    /// Whether there was anything yet that is worth matching.
    is_needed: bool,
}

/// A frame that was matched.
#[derive(Debug, Clone)]
struct Seen {
    light: Light,
    tones: Tones,
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

    /// The mean of several; of none, that nothing differs.
    fn mean(all: &[Self]) -> Self {
        let count = all.len().max(1) as f64;
        let mean = |value: &dyn Fn(&Self) -> f64| all.iter().map(value).sum::<f64>() / count;
        Self {
            log: std::array::from_fn(|c| mean(&|tones| tones.log[c])),
            offset: std::array::from_fn(|c| mean(&|tones| tones.offset[c])),
        }
    }

    fn is_significant(&self) -> bool {
        self.log.iter().any(is_gain) || self.offset != [0.0; 3]
    }
}

impl Chain {
    /// The order in which frames are given, of which one is the `reference`: it comes
    /// first, and those before it last.
    pub fn order<T>(mut frames: Vec<T>, reference: impl Fn(&T) -> bool) -> Vec<T> {
        let from = frames.iter().position(reference).unwrap_or(0);
        let mut order = frames.split_off(from);
        order.extend(frames.into_iter().rev());
        order
    }

    /// What the values of the next frame must be multiplied by, and what added; of the
    /// first, the reference, nothing. `is_before` tells that it lies before that. As
    /// long as frames differ insignificantly they keep their values; limits are those
    /// of [`exposures`](super::exposures).
    pub fn next(&mut self, light: Light, is_before: bool) -> Exposure {
        if is_before && !self.is_back {
            self.is_back = true;
            self.recent = self.turn.drain(..).collect();
        }
        let seen = |from: &Seen| {
            let change = Change::between(&from.light, &light, &Transform::IDENTITY)?;
            Some(from.tones.changed(&change))
        };
        let links: Vec<Tones> = self.recent.iter().filter_map(seen).collect();
        let tones = Tones::mean(&links);
        let seen = Seen { light, tones };
        if !self.is_back && self.turn.len() < NEIGHBOURS {
            self.turn.push(seen.clone());
        }
        self.recent.truncate(NEIGHBOURS - 1);
        self.recent.push_front(seen);
        self.is_needed |= tones.is_significant();
        match self.is_needed {
            true => exposure(tones.log, tones.offset),
            false => Exposure::default(),
        }
    }
}
