//! Fusion by weighted average.
//!
//! Each pixel is the mean of all frames, weighted steeply by the contrast that
//! each has about it. Contrast is looked for at the two finest scales only,
//! where focus shows: blur spread from elsewhere has none, so it brings no
//! halo. Where no frame has contrast all of them count alike, and noise goes.

use rayon::prelude::*;

use super::{Accumulator, Fused};
use crate::core::grey::LUMA;
use crate::core::plane::{BAND, Plane};
use crate::core::warp::Warped;

/// Contrast that counts as none: two levels of eight bits, squared. Noise of
/// most cameras stays below it, and choosing by noise would show as mottle.
pub const FLOOR: f32 = (2.0 / 255.0) * (2.0 / 255.0);
/// What detail of two pixels counts beside that of one.
pub const COARSER: f32 = 0.25;
/// What the windows of about 7, 13 and 60 pixels count. Small ones follow hairs
/// and edges, large ones carry a decision across smooth places.
pub const WINDOWS: [f32; 3] = [1.0, 0.3, 0.1];

/// Accumulates frames weighted by their local contrast.
#[derive(Debug)]
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
                        // The eighth power of contrast: a frame with half
                        // that of another counts next to nothing. What the
                        // frame does not show counts only where no frame shows
                        // anything.
                        let shown_here = if mask > 0.0 { 1.0 } else { 1e-9 };
                        let own = (contrast / FLOOR + 1.0).powi(4) * shown_here;
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
                let ratio = (best.max(0.0) / FLOOR).sqrt();
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

/// The mean squared contrast of luminance at the finest scales, in soft windows
/// about each pixel.
fn contrast(channels: &[Plane; 3]) -> Plane {
    let (width, height) = (channels[0].width, channels[0].height);
    let mut detail = Plane::new(width, height);
    let length = (width * BAND).max(1);
    detail
        .data
        .par_chunks_mut(length)
        .enumerate()
        .for_each(|(band, out)| {
            let start = band * length;
            for (i, out) in out.iter_mut().enumerate() {
                *out = (0..3).map(|c| LUMA[c] * channels[c].data[start + i]).sum();
            }
        });
    let mut coarser = detail.reduced();
    detail.add_expanded(&coarser, -1.0);
    let coarsest = coarser.reduced();
    coarser.add_expanded(&coarsest, -1.0);
    square(&mut detail);
    square(&mut coarser);
    detail.add_expanded(&coarser.windowed(), COARSER);

    let mut contrast = detail.windowed();
    let wide = contrast.windowed().windowed();
    // Far windows need no full resolution.
    let mut far = wide.reduced().reduced().windowed().windowed();
    far.data.par_iter_mut().for_each(|v| *v *= WINDOWS[2]);
    let mut near = Plane::new(width.div_ceil(2), height.div_ceil(2));
    near.add_expanded(&far, 1.0);
    contrast
        .data
        .par_iter_mut()
        .zip(&wide.data)
        .for_each(|(sum, wide)| {
            *sum = WINDOWS[0] * *sum + WINDOWS[1] * wide;
        });
    contrast.add_expanded(&near, 1.0);
    contrast
}

fn square(plane: &mut Plane) {
    plane.data.par_iter_mut().for_each(|v| *v *= *v);
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
