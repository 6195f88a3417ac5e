//! Fusion by a pyramid whose weights come from the finest scales.
//!
//! Frames are blended level by level (Burt and Adelson, 1983), so that no seam
//! shows, but what a frame counts is decided where focus shows: by its contrast
//! at the two finest scales. Blur that spreads from edges and highlights has
//! energy at coarse scales alone, so it wins nowhere and leaves no halo. Where
//! no frame has contrast beyond noise all count alike, and noise averages out
//! instead of building up with the number of frames.
//!
//! Weights are reduced from level to level before they are raised to their
//! power, so that a strong edge does not shout down what lies beside it.

use rayon::prelude::*;

use super::contrast::{Sharpest, contrast};
use super::fill::fill;
use super::prefer::Bias;
use super::range::Range;
use super::weighted::Weighted;
use super::{Accumulator, Fused, levels};
use crate::core::warp::Warped;

/// What a frame counts is this power of its squared contrast.
const POWER: i32 = 5;
/// Contrast that counts as none: a quarter of a level of eight bits, squared.
/// Faint detail counts too: levels blend what noise would tear apart.
const FLOOR: f32 = (0.25 / 255.0) * (0.25 / 255.0);
/// What a frame counts, before the power, where it shows nothing: only where no
/// frame shows anything it counts at all.
const HIDDEN: f32 = 1e-2;

/// Accumulates frames, level by level, weighted by their finest contrast.
#[derive(Debug, Clone)]
pub struct Hybrid {
    /// Full size first; the last one is no detail but the rest.
    levels: Vec<Weighted>,
    range: [Range; 3],
    sharpest: Sharpest,
    bias: Bias,
    clamp: bool,
}

impl Hybrid {
    /// Nothing added yet. `count` levels of detail, or as many as leave about
    /// 16 pixels on the shorter side.
    pub fn new(width: usize, height: usize, count: Option<usize>) -> Self {
        let (mut w, mut h) = (width, height);
        let levels = (0..=levels::count(width, height, count))
            .map(|_| {
                let level = Weighted::new(w, h);
                (w, h) = (w.div_ceil(2), h.div_ceil(2));
                level
            })
            .collect();
        Self {
            levels,
            range: std::array::from_fn(|_| Range::new(width, height)),
            sharpest: Sharpest::new(width, height),
            bias: Bias::default(),
            clamp: true,
        }
    }

    /// The same with a preference, held within the range of its sources or not.
    pub fn tuned(self, bias: Bias, clamp: bool) -> Self {
        Self {
            bias,
            clamp,
            ..self
        }
    }
}

impl Accumulator for Hybrid {
    fn add(&mut self, index: u16, frame: Warped) {
        let Warped { mut channels, mask } = frame;
        if self.clamp {
            for (range, channel) in self.range.iter_mut().zip(&channels) {
                range.add(channel, mask.as_ref());
            }
        }
        if let Some(mask) = &mask {
            channels.iter_mut().for_each(|channel| fill(channel, mask));
        }
        let mut weight = contrast(&channels);
        self.bias.apply(index, &mut weight.data);
        self.sharpest.add(index, &weight, mask.as_ref());
        match &mask {
            None => weight
                .data
                .par_iter_mut()
                .for_each(|v| *v = *v / FLOOR + 1.0),
            Some(mask) => weight
                .data
                .par_iter_mut()
                .zip(&mask.windowed().data)
                .for_each(|(v, &mask)| *v = (*v / FLOOR + 1.0) * mask + HIDDEN * (1.0 - mask)),
        }
        let Some((rest, details)) = self.levels.split_last_mut() else {
            return;
        };
        for level in details {
            let coarse = levels::split(&mut channels);
            level.add(&channels, |i| weight.data[i].powi(POWER));
            weight = weight.reduced();
            channels = coarse;
        }
        rest.add(&channels, |i| weight.data[i].powi(POWER));
    }

    fn finish(self) -> Fused {
        let mut means = self.levels.into_iter().rev().map(Weighted::mean);
        let mut channels = levels::collapse(means.next().unwrap_or_default(), means);
        if self.clamp {
            for (channel, range) in channels.iter_mut().zip(&self.range) {
                range.clamp(channel);
            }
        }
        self.sharpest.fused(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fuse::samples::{self, checks};

    const SIZE: (usize, usize) = (128, 96);

    fn frame(value: impl Fn(usize, usize) -> f32) -> Warped {
        samples::frame(SIZE.0, SIZE.1, value)
    }

    fn fuse(frames: impl IntoIterator<Item = Warped>) -> Fused {
        let mut fusion = Hybrid::new(SIZE.0, SIZE.1, None);
        for (index, frame) in (0..).zip(frames) {
            fusion.add(index, frame);
        }
        fusion.finish()
    }

    #[test]
    fn identical_frames_come_out_as_they_went_in() {
        let one = frame(checks);
        let fused = fuse([one.clone(), one.clone(), one.clone()]);
        for (fused, one) in fused.channels.iter().zip(&one.channels) {
            for (a, b) in fused.data.iter().zip(&one.data) {
                assert!((a - b).abs() < 1.0 / 65535.0);
            }
        }
    }

    #[test]
    fn each_half_comes_from_the_frame_that_is_sharp_there() {
        let left = frame(|x, y| if x < 64 { checks(x, y) } else { 0.5 });
        let right = frame(|x, y| if x < 64 { 0.5 } else { checks(x, y) });
        let fused = fuse([left, right]);
        for y in 0..96 {
            for x in (0..52).chain(76..128) {
                let value = fused.channels[0].row(y)[x];
                assert!((value - checks(x, y)).abs() < 0.02, "({x}, {y}): {value}");
                assert_eq!(fused.index[y * 128 + x], u16::from(x >= 64));
            }
        }
    }

    #[test]
    fn noise_of_flat_frames_averages_out() {
        // A fixed sequence of noise, one level of eight bits strong.
        let noisy = |seed: usize| {
            frame(move |x, y| {
                let bits = (x * 7919 + y * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761);
                0.5 + ((bits >> 7) % 1024) as f32 / 1024.0 / 255.0
            })
        };
        let spread = |fused: &Fused| {
            let data = &fused.channels[0].data;
            let mean = data.iter().sum::<f32>() / data.len() as f32;
            (data.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / data.len() as f32).sqrt()
        };
        let one = spread(&fuse([noisy(0)]));
        let many = spread(&fuse((0..16).map(noisy)));
        assert!(many < 0.4 * one, "{many} of {one}");
    }

    #[test]
    fn what_a_mask_hides_never_shows() {
        let calm = frame(|_, _| 0.5);
        let mut loud = frame(|x, y| if x < 64 { 0.5 } else { checks(x, y) });
        let (width, height) = SIZE;
        let data = (0..width * height)
            .map(|i| if i % width < 64 { 1.0 } else { 0.0 })
            .collect();
        loud.mask = Some(crate::core::plane::Plane {
            width,
            height,
            data,
        });
        let fused = fuse([calm, loud]);
        assert_eq!(fused.alpha, None);
        for value in &fused.channels[0].data {
            assert!((value - 0.5).abs() < 1e-3, "{value}");
        }
    }
}
