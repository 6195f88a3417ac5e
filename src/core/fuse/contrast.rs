//! Where a frame has contrast, and which frame has most.

use rayon::prelude::*;

use super::depth::{Clues, DepthSearch};
use super::{Fused, levels};
use crate::core::grey::LUMA;
use crate::core::plane::{BAND, Plane};

/// Contrast that counts as none: two levels of eight bits, squared. Noise of
/// most cameras stays below it, and choosing by noise would show as mottle.
pub const FLOOR: f32 = (2.0 / 255.0) * (2.0 / 255.0);
/// What detail of two pixels counts beside that of one.
pub const COARSER: f32 = 0.25;
/// What the windows of about 7, 13 and 60 pixels count. Small ones follow hairs
/// and edges, large ones carry a decision across smooth places.
pub const WINDOWS: [f32; 3] = [1.0, 0.3, 0.1];

/// Contrast of the wider surroundings that half settles a place, for noise of
/// 1: chance hardly moves the mean of so many pixels, so it tells faint texture
/// from noise where no pixel can.
const SETTLED: f32 = 1.0;
/// Less than this, for noise of 1, no surroundings have.
const LEAST_FAR: f32 = 0.25;

/// Weights of red, green and blue in the energy of detail.
pub const COLOURS: [f32; 3] = [0.25, 0.5, 0.25];
/// What difference in colour counts beside that in grey: it shows edges between
/// colours of one brightness, and most of the noise, which is another in each
/// channel.
pub const CHROMA: f32 = 0.5;

/// The mean squared contrast of luminance at the finest scales, in soft windows
/// about each pixel, and in no window, at half the size.
pub fn contrast(channels: &[Plane; 3]) -> (Plane, Plane) {
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
    let crisp = crisp(&detail, &coarser);
    (spread(detail, &coarser).0, crisp)
}

/// The energy of the two finest levels of detail in no window, at half the size;
/// for both levels see [`squares`].
pub fn crisp(finest: &Plane, coarser: &Plane) -> Plane {
    let mut crisp = finest.reduced();
    let each = crisp.data.par_iter_mut().zip(&coarser.data);
    each.for_each(|(value, coarser)| *value += COARSER * coarser);
    crisp
}

/// The energy of the two finest levels of detail, in soft windows about each
/// pixel, and in the widest of them alone, at half the size; for both levels see
/// [`squares`].
pub fn spread(mut finest: Plane, coarser: &Plane) -> (Plane, Plane) {
    finest.add_expanded(&coarser.windowed(), COARSER);
    let mut contrast = finest.windowed();
    let wide = contrast.windowed().windowed();
    // Far windows need no full resolution.
    let small = wide.reduced().reduced().windowed().windowed();
    let mut far = Plane::new(contrast.width.div_ceil(2), contrast.height.div_ceil(2));
    far.add_expanded(&small, 1.0);
    contrast
        .data
        .par_iter_mut()
        .zip(&wide.data)
        .for_each(|(sum, wide)| {
            *sum = WINDOWS[0] * *sum + WINDOWS[1] * wide;
        });
    contrast.add_expanded(&far, WINDOWS[2]);
    (contrast, far)
}

/// How far the surroundings of each place are beyond `noise`, up to 1, from
/// their contrast; see [`spread`].
pub fn settled(mut far: Plane, noise: f32) -> Plane {
    let (least, half) = (LEAST_FAR * noise, SETTLED * noise);
    far.data.par_iter_mut().for_each(|v| {
        let far = v.max(least);
        *v = (far / (far + half)).powi(2);
    });
    far
}

/// The energy of a level of detail: the square of its grey, and a share of those
/// of its channels.
pub fn squares(detail: &[Plane; 3]) -> Plane {
    let mut energy = Plane::new(detail[0].width, detail[0].height);
    let length = (energy.width * BAND).max(1);
    energy
        .data
        .par_chunks_mut(length)
        .enumerate()
        .for_each(|(band, out)| {
            let range = band * length..band * length + out.len();
            let [red, green, blue] = [0, 1, 2].map(|c| &detail[c].data[range.clone()]);
            for (i, out) in out.iter_mut().enumerate() {
                let [red, green, blue] = [red[i], green[i], blue[i]];
                let grey = COLOURS[0] * red + COLOURS[1] * green + COLOURS[2] * blue;
                let each =
                    COLOURS[0] * red * red + COLOURS[1] * green * green + COLOURS[2] * blue * blue;
                *out = CHROMA * each + (1.0 - CHROMA) * grey * grey;
            }
        });
    energy
}

/// The energy of the three finest levels of detail of a picture, each for itself.
pub fn finest(channels: &[Plane; 3]) -> [Plane; 3] {
    let mut finest = channels.clone();
    let mut coarser = levels::split(&mut finest);
    let mut coarse = levels::split(&mut coarser);
    levels::split(&mut coarse);
    [squares(&finest), squares(&coarser), squares(&coarse)]
}

/// The energy of the two finest levels of detail of a picture, in no window.
pub fn energy(channels: &[Plane; 3]) -> Plane {
    let [mut finest, coarser, _] = finest(channels);
    finest.add_expanded(&coarser.windowed(), COARSER);
    finest
}

fn square(plane: &mut Plane) {
    plane.data.par_iter_mut().for_each(|v| *v *= *v);
}

/// Which of the frames so far has the most contrast at each pixel.
#[derive(Debug, Clone)]
pub struct Sharpest {
    best: Plane,
    index: Vec<u16>,
    shown: Plane,
    depth: DepthSearch,
    floor: f32,
}

impl Sharpest {
    /// No frame yet. `floor` is the contrast that counts as none.
    pub fn new(width: usize, height: usize, floor: f32) -> Self {
        Self {
            best: Plane::filled(width, height, -1.0),
            index: vec![0; width * height],
            shown: Plane::new(width, height),
            depth: DepthSearch::new(width, height, floor),
            floor,
        }
    }

    /// Takes in the frame `index`. A tie goes to the earlier frame. `clues` are
    /// for its depth.
    pub fn add(&mut self, index: u16, contrast: &Plane, clues: &Clues, mask: Option<&Plane>) {
        self.depth.add(index, contrast, clues, mask);
        let length = (contrast.width * BAND).max(1);
        self.best
            .data
            .par_chunks_mut(length)
            .zip(self.index.par_chunks_mut(length))
            .zip(self.shown.data.par_chunks_mut(length))
            .enumerate()
            .for_each(|(band, ((best, winner), shown))| {
                let start = band * length;
                for i in 0..best.len() {
                    let mask = mask.map_or(1.0, |mask| mask.data[start + i]);
                    let rank = contrast.data[start + i] * mask;
                    shown[i] = shown[i].max(mask);
                    if rank > best[i] || (rank == best[i] && index < winner[i]) {
                        best[i] = rank;
                        winner[i] = index;
                    }
                }
            });
    }

    /// How far the most contrast is beyond `level`, half at it and up to 1, in
    /// soft windows at half the size.
    pub fn beyond(&self, level: f32) -> Plane {
        let mut share = self.best.reduced();
        share.data.par_iter_mut().for_each(|v| {
            let best = v.max(0.0);
            *v = best / (best + level);
        });
        share.windowed().windowed()
    }

    /// The picture of all frames, given its channels.
    pub fn fused(self, channels: [Plane; 3]) -> Fused {
        let confidence = self
            .best
            .data
            .par_iter()
            .map(|best| {
                let ratio = (best.max(0.0) / self.floor).sqrt();
                (255.0 * ratio / (1.0 + ratio)) as u8
            })
            .collect();
        let shown = &self.shown.data;
        let is_whole = shown.iter().all(|&shown| shown > 0.0);
        let alpha = || {
            shown
                .iter()
                .map(|&s| if s > 0.0 { 255 } else { 0 })
                .collect()
        };
        Fused {
            channels,
            index: self.index,
            depth: self.depth.finish(),
            confidence,
            alpha: (!is_whole).then(alpha),
        }
    }
}
