//! Fusion by weighted average.
//!
//! Each pixel is the mean of all frames, weighted steeply by the contrast that
//! each has about it. Contrast is looked for at the two finest scales only,
//! where focus shows: blur spread from elsewhere has none, so it brings no
//! halo. Where no frame has contrast all of them count alike, and noise goes.

use rayon::prelude::*;

use super::contrast::{FLOOR, Sharpest, contrast};
use super::{Accumulator, Fused};
use crate::core::plane::{BAND, Plane};
use crate::core::warp::Warped;

/// What a frame counts where it shows nothing; elsewhere it is 1 or more.
pub const HIDDEN: f32 = 1e-6;

/// Accumulates frames weighted by their local contrast.
#[derive(Debug, Clone)]
pub struct Average {
    sum: [Plane; 3],
    weight: Plane,
    sharpest: Sharpest,
}

impl Average {
    /// Nothing added yet.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            sum: std::array::from_fn(|_| Plane::new(width, height)),
            weight: Plane::new(width, height),
            sharpest: Sharpest::new(width, height),
        }
    }
}

impl Accumulator for Average {
    fn add(&mut self, index: u16, frame: Warped) {
        let contrast = contrast(&frame.channels);
        self.sharpest.add(index, &contrast, frame.mask.as_ref());
        let length = (contrast.width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
            .data
            .par_chunks_mut(length)
            .zip(red.data.par_chunks_mut(length))
            .zip(green.data.par_chunks_mut(length))
            .zip(blue.data.par_chunks_mut(length))
            .enumerate()
            .for_each(|(band, (((weight, red), green), blue))| {
                let start = band * length;
                for i in 0..weight.len() {
                    let at = start + i;
                    let mask = frame.mask.as_ref().map_or(1.0, |mask| mask.data[at]);
                    // The eighth power of contrast: a frame with half that of
                    // another counts next to nothing. What the frame does not
                    // show counts only where no frame shows anything.
                    let own = if mask > 0.0 {
                        (contrast.data[at] / FLOOR + 1.0).powi(4)
                    } else {
                        HIDDEN
                    };
                    weight[i] += own;
                    red[i] += own * frame.channels[0].data[at];
                    green[i] += own * frame.channels[1].data[at];
                    blue[i] += own * frame.channels[2].data[at];
                }
            });
    }

    fn finish(self) -> Fused {
        let Self {
            mut sum,
            weight,
            sharpest,
        } = self;
        for channel in &mut sum {
            channel.divide(&weight);
        }
        sharpest.fused(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn checks(x: usize, y: usize) -> f32 {
        if (x / 2 + y / 2).is_multiple_of(2) {
            0.8
        } else {
            0.2
        }
    }

    #[test]
    fn the_frame_with_contrast_outweighs_the_one_without() {
        let mut fusion = Average::new(64, 48);
        fusion.add(0, frame(|_, _| 0.5));
        fusion.add(1, frame(checks));
        let fused = fusion.finish();
        for y in 0..48 {
            for x in 0..64 {
                assert!((fused.channels[1].row(y)[x] - checks(x, y)).abs() < 0.01);
            }
        }
        assert!(fused.index.iter().all(|&index| index == 1));
    }

    #[test]
    fn flat_frames_are_averaged() {
        let mut fusion = Average::new(64, 48);
        fusion.add(0, frame(|_, _| 0.4));
        fusion.add(1, frame(|_, _| 0.6));
        let fused = fusion.finish();
        assert!(
            fused.channels[0]
                .data
                .iter()
                .all(|v| (v - 0.5).abs() < 1e-4)
        );
    }
}
