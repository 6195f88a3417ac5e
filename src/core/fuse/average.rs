//! Fusion by weighted average.
//!
//! Each pixel is the mean of all frames, weighted by the contrast that each
//! has in a window about it: soft at worst, and never noisier than a frame.

use rayon::prelude::*;

use super::{Accumulator, Fused};
use crate::core::grey::LUMA;
use crate::core::plane::{BAND, Plane};
use crate::core::warp::Warped;

/// Contrast that counts as none: a quarter of a level of eight bits, squared.
const FLOOR: f32 = (0.25 / 255.0) * (0.25 / 255.0);

/// Accumulates frames weighted by their local contrast.
#[derive(Debug, Clone)]
pub struct Average {
    sum: [Plane; 3],
    weight: Plane,
    best: Plane,
    index: Vec<u16>,
    shown: Plane,
}

impl Average {
    /// Nothing added yet.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            sum: std::array::from_fn(|_| Plane::new(width, height)),
            weight: Plane::new(width, height),
            best: Plane::filled(width, height, -1.0),
            index: vec![0; width * height],
            shown: Plane::new(width, height),
        }
    }
}

impl Accumulator for Average {
    fn add(&mut self, index: u16, frame: Warped) {
        let contrast = contrast(&frame.channels);
        let width = contrast.width;
        let length = (width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
            .data
            .par_chunks_mut(length)
            .zip(self.best.data.par_chunks_mut(length))
            .zip(self.index.par_chunks_mut(length))
            .zip(self.shown.data.par_chunks_mut(length))
            .zip(red.data.par_chunks_mut(length))
            .zip(green.data.par_chunks_mut(length))
            .zip(blue.data.par_chunks_mut(length))
            .enumerate()
            .for_each(
                |(band, ((((((weight, best), winner), shown), red), green), blue))| {
                    let start = band * length;
                    for i in 0..weight.len() {
                        let at = start + i;
                        let mask = frame.mask.as_ref().map_or(1.0, |mask| mask.data[at]);
                        let contrast = contrast.data[at];
                        // Squared once more: a frame with half the contrast of
                        // another counts a sixteenth of it. What the frame does
                        // not show counts only where no frame shows anything.
                        let own = (contrast + FLOOR).powi(2) * if mask > 0.0 { 1.0 } else { 1e-9 };
                        weight[i] += own;
                        red[i] += own * frame.channels[0].data[at];
                        green[i] += own * frame.channels[1].data[at];
                        blue[i] += own * frame.channels[2].data[at];
                        shown[i] = shown[i].max(mask);
                        let rank = contrast * mask;
                        if rank > best[i] || (rank == best[i] && index < winner[i]) {
                            best[i] = rank;
                            winner[i] = index;
                        }
                    }
                },
            );
    }

    fn finish(self) -> Fused {
        let Self {
            mut sum,
            weight,
            best,
            index,
            shown,
        } = self;
        for channel in &mut sum {
            channel
                .data
                .par_iter_mut()
                .zip(&weight.data)
                .for_each(|(value, weight)| {
                    *value /= weight.max(f32::MIN_POSITIVE);
                });
        }
        let confidence = best
            .data
            .par_iter()
            .map(|best| {
                let ratio = (best.max(0.0) / (16.0 * FLOOR)).sqrt();
                (255.0 * ratio / (1.0 + ratio)) as u8
            })
            .collect();
        let is_whole = shown.data.iter().all(|&shown| shown > 0.0);
        let alpha = || {
            shown
                .data
                .iter()
                .map(|&s| if s > 0.0 { 255 } else { 0 })
                .collect()
        };
        Fused {
            channels: sum,
            index,
            confidence,
            alpha: (!is_whole).then(alpha),
        }
    }
}

/// Contrast of luminance at the finest scale, in a soft window of about nine
/// pixels.
fn contrast(channels: &[Plane; 3]) -> Plane {
    let (width, height) = (channels[0].width, channels[0].height);
    let mut luma = Plane::new(width, height);
    let length = (width * BAND).max(1);
    luma.data
        .par_chunks_mut(length)
        .enumerate()
        .for_each(|(band, out)| {
            let start = band * length;
            for (i, out) in out.iter_mut().enumerate() {
                *out = (0..3).map(|c| LUMA[c] * channels[c].data[start + i]).sum();
            }
        });
    let coarse = luma.reduced();
    luma.add_expanded(&coarse, -1.0);
    luma.data.par_iter_mut().for_each(|v| *v *= *v);
    luma.windowed().windowed()
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
        if (x / 2 + y / 2) % 2 == 0 { 0.8 } else { 0.2 }
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
