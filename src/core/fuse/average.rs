//! Fusion by weighted average.
//!
//! Each pixel is the mean of all frames, weighted steeply by the contrast that
//! each has about it. Contrast is looked for at the two finest scales only,
//! where focus shows: blur spread from elsewhere has none, so it brings no
//! halo. Where no frame has contrast all of them count alike, and noise goes.

use super::contrast::{FLOOR, Sharpest, contrast};
use super::depth::Clues;
use super::prefer::Bias;
use super::softness::raised;
use super::weighted::Weighted;
use super::{Accumulator, Fused};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::warp::Warped;

/// What a frame counts where it shows nothing; elsewhere it is 1 or more.
pub const HIDDEN: f32 = 1e-6;

/// What a frame counts is this power of its squared contrast: a frame with half
/// the contrast of another counts next to nothing.
pub const POWER: i32 = 4;

/// The power of contrast for a result that is as many times softer; see
/// [`softness`](super::softness::softness).
pub fn power(softness: f32) -> f32 {
    (POWER as f32 / softness).min(8.0)
}

/// Accumulates frames weighted by their local contrast.
#[derive(Debug, Clone)]
pub struct Average {
    sum: Weighted,
    sharpest: Sharpest,
    bias: Bias,
    power: f32,
}

impl Average {
    /// Nothing added yet.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            sum: Weighted::new(width, height),
            sharpest: Sharpest::new(width, height, FLOOR),
            bias: Bias::default(),
            power: POWER as f32,
        }
    }

    /// The same, as many times softer; see [`power`].
    pub fn softer(self, softness: f32) -> Self {
        let power = power(softness);
        Self { power, ..self }
    }

    /// The same with a preference.
    pub fn tuned(self, bias: Bias) -> Self {
        Self { bias, ..self }
    }
}

impl Accumulator for Average {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()> {
        let (mut contrast, crisp) = contrast(&frame.channels, keep_going)?;
        check(keep_going)?;
        self.bias.apply(index, &mut contrast.data);
        let clues = Clues {
            crisp: Some(&crisp),
            settled: None,
            coarse: None,
        };
        self.sharpest
            .add(index, &contrast, &clues, frame.mask.as_ref());
        check(keep_going)?;
        self.sum.add(&frame.channels, |i| {
            let is_shown = frame.mask.as_ref().is_none_or(|mask| mask.data[i] > 0.0);
            // What the frame does not show counts only where no frame shows
            // anything.
            if is_shown {
                raised(contrast.data[i] / FLOOR + 1.0, self.power, POWER)
            } else {
                HIDDEN
            }
        });
        Ok(())
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        let picture = self.sum.mean().into();
        check(keep_going)?;
        self.sharpest.fused(picture, keep_going)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::fuse::samples::checks;
    use crate::core::plane::Plane;

    fn frame(value: impl Fn(usize, usize) -> f32) -> Warped {
        let plane = Plane {
            width: 64,
            height: 48,
            data: (0..64 * 48).map(|i| value(i % 64, i / 64)).collect(),
        };
        Warped {
            channels: [plane.clone(), plane.clone(), plane],
            mask: None,
        }
    }

    #[test]
    fn the_frame_with_contrast_outweighs_the_one_without() {
        let mut fusion = Average::new(64, 48);
        fusion.add(0, frame(|_, _| 0.5), ALWAYS).unwrap();
        fusion.add(1, frame(checks), ALWAYS).unwrap();
        let fused = fusion.finish(ALWAYS).unwrap();
        let green = fused.picture.channel(1);
        for y in 0..48 {
            for x in 0..64 {
                assert!((green.row(y)[x] - checks(x, y)).abs() < 0.01);
            }
        }
        assert!(fused.index.iter().all(|&index| index == 1));
    }

    #[test]
    fn flat_frames_are_averaged() {
        let mut fusion = Average::new(64, 48);
        fusion.add(0, frame(|_, _| 0.4), ALWAYS).unwrap();
        fusion.add(1, frame(|_, _| 0.6), ALWAYS).unwrap();
        let fused = fusion.finish(ALWAYS).unwrap();
        assert!(
            fused
                .picture
                .channel(0)
                .data
                .iter()
                .all(|v| (v - 0.5).abs() < 1e-4)
        );
    }
}
