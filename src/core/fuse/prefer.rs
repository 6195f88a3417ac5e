//! Which depth wins where two are sharp.

use serde::{Deserialize, Serialize};

/// How much more the energy of the preferred end counts than that of the other:
/// enough to decide between depths that are about equally sharp. More would
/// take frames out of focus for the preferred depth: with 16, a tilted plane
/// loses 6 dB.
const RATIO: f32 = 2.0;

/// Which of two depths wins where both are sharp, as where a hair crosses a
/// textured background.
///
/// Front is where the stack begins: cameras that bracket focus by themselves
/// go from near to far. For a stack that was taken from back to front choose
/// the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Prefer {
    /// The sharper of the two.
    #[default]
    Auto,
    /// The one nearer to the first frame.
    Front,
    /// The one nearer to the last frame.
    Back,
}

/// What the focus measure of each frame is multiplied by.
///
/// A smooth slope along the stack: where two depths compete it decides, on one
/// surface, whose focus measure has one peak, it moves the winner by a fraction
/// of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bias {
    /// Logarithm from a frame to the next.
    slope: f32,
    middle: f32,
}

impl Bias {
    /// For a stack of `count` frames.
    pub fn new(prefer: Prefer, count: usize) -> Self {
        let steps = count.saturating_sub(1).max(1) as f32;
        let slope = RATIO.ln() / steps;
        Self {
            slope: match prefer {
                Prefer::Auto => 0.0,
                Prefer::Front => -slope,
                Prefer::Back => slope,
            },
            middle: steps / 2.0,
        }
    }

    /// What the squared contrast of the frame `index` is multiplied by: 1 in the
    /// middle of the stack.
    pub fn factor(&self, index: u16) -> f32 {
        (self.slope * (f32::from(index) - self.middle)).exp()
    }

    /// Multiplies the squared contrast of the frame `index`.
    pub fn apply(&self, index: u16, energy: &mut [f32]) {
        if self.slope != 0.0 {
            let factor = self.factor(index);
            energy.iter_mut().for_each(|energy| *energy *= factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_end_counts_more() {
        for count in [1, 2, 12, 300] {
            let last = count as u16 - 1;
            for (prefer, ratio) in [
                (Prefer::Auto, 1.0),
                (Prefer::Front, RATIO),
                (Prefer::Back, RATIO.recip()),
            ] {
                let bias = Bias::new(prefer, count);
                let found = bias.factor(0) / bias.factor(last);
                let expected = if count == 1 { 1.0 } else { ratio };
                assert!(
                    (found / expected - 1.0).abs() < 1e-4,
                    "{count} {prefer:?}: {found}"
                );
            }
        }
        assert_eq!(Bias::default().factor(7), 1.0);
    }
}
