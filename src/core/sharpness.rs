//! How sharp a frame is, as a whole and in each cell of a grid.
//!
//! Three classic focus measures are taken in one pass over the luminance: the
//! variance of the Laplacian (Pech-Pacheco et al., 2000), Tenengrad (Tenenbaum,
//! 1970; Krotkov, 1987) and the modified Laplacian (Nayar and Nakagawa, 1994);
//! a score is the geometric mean of the three, each as an amplitude. Frames
//! are first reduced to a working size, so that scores of the same scene
//! compare between cameras, and noise of single pixels counts little.

use std::ops::Range;

use rayon::prelude::*;

use super::grey::{self, Grey, LUMA};
use super::plane::BAND;
use crate::photo::{self, Photo, Samples};
use crate::vector::vectorised;

/// Cells each way, unless somebody asks for another grid.
pub const GRID: usize = 16;
/// Frames are halved until the longer side is no longer than this. Who reads a
/// frame for its sharpness alone needs no more pixels.
pub const WORKING_SIDE: usize = 2048;

/// Less of the squares than this is left of them by rounding alone.
const ROUNDING: f64 = 1e-6;

/// The focus measures of one cell, all as shares of full scale.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measures {
    /// Variance of the four-neighbour Laplacian.
    pub laplacian_variance: f64,
    /// Mean squared gradient by Sobel's operator, per pixel of distance.
    pub tenengrad: f64,
    /// Mean of the sum of absolute second differences across and down.
    pub modified_laplacian: f64,
}

impl Measures {
    /// From the sums over so many pixels of the Laplacian, of its square, of the
    /// squared gradient and of the modified Laplacian.
    pub(in crate::core) fn of_sums(sums: [f64; 4], pixels: usize) -> Self {
        if pixels == 0 {
            return Self::default();
        }
        let [sum, squares, gradient, modified] = sums.map(|sum| sum / pixels as f64);
        let variance = squares - sum * sum;
        Self {
            laplacian_variance: if variance > ROUNDING * squares {
                variance
            } else {
                0.0
            },
            tenengrad: gradient,
            modified_laplacian: modified,
        }
    }

    /// The three in one number, in thousandths of full scale; 0 where nothing
    /// is to be seen. It is proportional to contrast.
    pub fn score(&self) -> f64 {
        let product =
            self.laplacian_variance.sqrt() * self.tenengrad.sqrt() * self.modified_laplacian;
        1000.0 * product.cbrt()
    }
}

/// How sharp a frame is, cell by cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Sharpness {
    /// Cells across and down.
    pub grid: usize,
    /// `grid * grid` cells, row by row.
    pub cells: Vec<Measures>,
}

impl Sharpness {
    /// Measures a frame in `grid` × `grid` cells of about equal size. Cells of
    /// frames smaller than the grid may be empty, with measures of 0.
    pub fn of(photo: &Photo, grid: usize) -> Self {
        let factor = factor(photo.width, photo.height);
        // The sum of a block of eight bits may be more than 16 hold.
        let working = match &photo.samples {
            Samples::Eight(samples) if factor <= 16 => reduced::<_, u16>(photo, samples, factor),
            Samples::Eight(samples) => reduced::<_, u32>(photo, samples, factor),
            Samples::Sixteen(samples) => reduced::<_, u32>(photo, samples, factor),
        };
        let found = Self::of_working(&working, grid);
        grey::keep(vec![working]);
        found
    }

    /// Measures luminance that has the working size already.
    fn of_working(working: &Grey, grid: usize) -> Self {
        let grid = grid.max(1);
        let cells = (0..grid * grid)
            .into_par_iter()
            .map(|cell| {
                let columns = span(cell % grid, working.width, grid);
                let rows = span(cell / grid, working.height, grid);
                measure(working, columns, rows)
            })
            .collect();
        Self { grid, cells }
    }

    /// The score of each cell.
    pub fn scores(&self) -> Vec<f64> {
        self.cells.iter().map(Measures::score).collect()
    }

    /// The score of the whole frame: the quadratic mean of its cells, so that
    /// a small part in focus counts.
    pub fn score(&self) -> f64 {
        let squares: f64 = self.cells.iter().map(|cell| cell.score().powi(2)).sum();
        (squares / self.cells.len().max(1) as f64).sqrt()
    }
}

/// The score under which a frame is blurred against the others: the first
/// quartile less `factor` times the range between the quartiles (Tukey, 1977,
/// takes 1.5). `None` for fewer than four scores, which tell too little.
pub fn blurred_below(scores: &[f64], factor: f64) -> Option<f64> {
    if scores.len() < 4 {
        return None;
    }
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quartile = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let (low, rest) = (place.floor() as usize, place.fract());
        let high = sorted[(low + 1).min(sorted.len() - 1)];
        sorted[low] + rest * (high - sorted[low])
    };
    let (first, third) = (quartile(0.25), quartile(0.75));
    Some(first - factor * (third - first))
}

/// By how much frames are reduced so that the longer side fits the working size.
pub(in crate::core) fn factor(width: usize, height: usize) -> usize {
    let times = width.max(height).div_ceil(WORKING_SIDE);
    times.next_power_of_two()
}

/// The part of a side of `size` pixels that belongs to a cell of `grid`: its
/// outermost belong to none.
fn span(at: usize, size: usize, grid: usize) -> Range<usize> {
    let edge = |k: usize| (k * size / grid).clamp(1, size.max(2) - 1);
    edge(at)..edge(at + 1)
}

/// The pixels of each cell of a picture of the working size, row by row; of one
/// that is too small for any measure none.
pub(in crate::core) fn cell_sizes(
    width: usize,
    height: usize,
    grid: usize,
) -> impl Iterator<Item = usize> {
    let is_enough = width >= 3 && height >= 3;
    (0..grid * grid).map(move |cell| match is_enough {
        true => span(cell % grid, width, grid).len() * span(cell / grid, height, grid).len(),
        false => 0,
    })
}

/// Pixels whose sums are made beside each other,
const LANES: usize = 16;
/// and rows after which those are added up.
const ROWS: usize = 8;

/// The sums of [`add_run`], lane by lane.
type Lanes = [[f32; LANES]; 4];

fn measure(grey: &Grey, columns: Range<usize>, rows: Range<usize>) -> Measures {
    let pixels = columns.len() * rows.len();
    if pixels == 0 || grey.width < 3 || grey.height < 3 {
        return Measures::default();
    }
    let mut sums = [0.0f64; 4];
    let near = columns.start - 1..columns.end + 1;
    for first in rows.clone().step_by(ROWS) {
        let mut lanes = Lanes::default();
        for y in first..(first + ROWS).min(rows.end) {
            let row = |y: usize| &grey.row(y)[near.clone()];
            let rows = [row(y - 1), row(y), row(y + 1)];
            vectorised(
                #[inline(always)]
                || measure_row(rows, &mut lanes),
            );
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes) {
            *sum += lanes.into_iter().map(f64::from).sum::<f64>();
        }
    }
    const WHOLE: f64 = u16::MAX as f64;
    let [sum, squares, gradient, modified] = sums;
    let [sum, modified] = [sum, modified].map(|sum| sum / WHOLE);
    let [squares, gradient] = [squares, gradient].map(|sum| sum / (WHOLE * WHOLE));
    Measures::of_sums([sum, squares, gradient, modified], pixels)
}

/// Adds the middle one of three rows, less its ends.
#[inline(always)]
fn measure_row([above, here, below]: [&[u16]; 3], sums: &mut Lanes) {
    let count = here.len() - 2;
    let rest = count % LANES;
    for start in (0..count - rest).step_by(LANES) {
        if let (Some(above), Some(here), Some(below)) = (
            above[start..].first_chunk(),
            here[start..].first_chunk(),
            below[start..].first_chunk(),
        ) {
            add_run([above, here, below], sums);
        }
    }
    if rest > 0 {
        // As if the row went on: of that nothing counts.
        let ends = [above, here, below].map(|row| {
            let mut end = [0; LANES + 2];
            end[..rest + 2].copy_from_slice(&row[count - rest..]);
            end
        });
        let mut last = Lanes::default();
        add_run(ends.each_ref(), &mut last);
        for (sums, last) in sums.iter_mut().zip(last) {
            for (lane, (sum, value)) in sums.iter_mut().zip(last).enumerate() {
                *sum += if lane < rest { value } else { 0.0 };
            }
        }
    }
}

/// Adds to each lane what a pixel shows: its Laplacian, the square of that, its squared
/// gradient and its modified Laplacian, full scale being that of 16 bits.
#[inline(always)]
fn add_run(rows: [&[u16; LANES + 2]; 3], sums: &mut Lanes) {
    let [above, here, below] = rows;
    let [sum, squares, gradient, modified] = sums;
    for x in 0..LANES {
        // Each is read where it is used: to be kept takes longer.
        let (nw, n, ne) = (
            f32::from(above[x]),
            f32::from(above[x + 1]),
            f32::from(above[x + 2]),
        );
        let (w, own, e) = (
            f32::from(here[x]),
            f32::from(here[x + 1]),
            f32::from(here[x + 2]),
        );
        let (sw, s, se) = (
            f32::from(below[x]),
            f32::from(below[x + 1]),
            f32::from(below[x + 2]),
        );
        let (across, down) = (w + e - 2.0 * own, n + s - 2.0 * own);
        let laplacian = across + down;
        let gx = (ne - nw + 2.0 * (e - w) + se - sw) / 8.0;
        let gy = (sw - nw + 2.0 * (s - n) + se - ne) / 8.0;
        sum[x] += laplacian;
        squares[x] += laplacian * laplacian;
        gradient[x] += gx * gx + gy * gy;
        modified[x] += across.abs() + down.abs();
    }
}

/// Sums of samples, of a whole block at most.
trait Sum: Copy + Default {
    /// The sum of two, which is known to fit.
    fn plus(self, other: Self) -> Self;

    /// The same in floating point.
    fn value(self) -> f32;
}

impl Sum for u16 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        self as f32
    }
}

impl Sum for u32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        self as f32
    }
}

/// The luminance of the means of blocks of `factor` columns and rows.
fn reduced<T: Copy + Sync + Into<S> + Into<f32>, S: Sum>(
    photo: &Photo,
    samples: &[T],
    factor: usize,
) -> Grey {
    let (width, height) = (photo.width / factor, photo.height / factor);
    let mut data: Vec<u16> = photo::values(width * height);
    let bands = data.par_chunks_mut((width * BAND).max(1)).enumerate();
    let stride = 3 * photo.width;
    let full = if photo.samples.bits() == 8 {
        257.0
    } else {
        1.0
    };
    let weights = LUMA.map(|weight| weight * full / (factor * factor) as f32);
    let scratch = || (Vec::<S>::new(), Vec::<S>::new());
    bands.for_each_init(scratch, |(sums, across), (band, rows)| {
        for (y, out) in (band * BAND..).zip(rows.chunks_exact_mut(width)) {
            let block = &samples[y * factor * stride..(y + 1) * factor * stride];
            vectorised(
                #[inline(always)]
                || {
                    if factor == 1 {
                        return weigh_pixels(block, weights, out);
                    }
                    sum_down(block, stride, sums);
                    sum_across(sums, factor, across);
                    weigh(across, factor, weights, out);
                },
            );
        }
    });
    Grey {
        width,
        height,
        data,
    }
}

/// The luminance of every pixel of a row.
#[inline(always)]
fn weigh_pixels<T: Copy + Into<f32>>(row: &[T], weights: [f32; 3], out: &mut [u16]) {
    // So far from zero a number ends with its whole part, rounded.
    const FAR: f32 = (1 << 23) as f32;
    for (out, [red, green, blue]) in out.iter_mut().zip(row.as_chunks::<3>().0) {
        let (red, green, blue): (f32, f32, f32) = ((*red).into(), (*green).into(), (*blue).into());
        let value = weights[0] * red + weights[1] * green + weights[2] * blue;
        *out = (value + FAR).to_bits() as u16;
    }
}

/// The sums of the columns of a block of rows of `stride` samples.
#[inline(always)]
fn sum_down<T: Copy + Into<S>, S: Sum>(block: &[T], stride: usize, sums: &mut Vec<S>) {
    sums.resize(stride, S::default());
    for (k, row) in block.chunks_exact(stride).enumerate() {
        for (sum, value) in sums.iter_mut().zip(row) {
            let before = if k == 0 { S::default() } else { *sum };
            *sum = before.plus((*value).into());
        }
    }
}

/// The sums of `factor` pixels from each one on, from those of three samples a
/// pixel.
#[inline(always)]
fn sum_across<S: Sum>(sums: &[S], factor: usize, across: &mut Vec<S>) {
    let count = sums.len() - 3 * (factor - 1);
    across.resize(count, S::default());
    across.copy_from_slice(&sums[..count]);
    for k in 1..factor {
        for (sum, value) in across.iter_mut().zip(&sums[3 * k..]) {
            *sum = sum.plus(*value);
        }
    }
}

/// The luminance of every block, of which `across` has the sums of the channels.
#[inline(always)]
fn weigh<S: Sum>(across: &[S], factor: usize, weights: [f32; 3], out: &mut [u16]) {
    // Loops of vectors want to know how far it is from one to the next.
    match factor {
        2 => weigh_each(across.chunks(6), weights, out),
        _ => weigh_each(across.chunks(3 * factor), weights, out),
    }
}

#[inline(always)]
fn weigh_each<'a, S: Sum + 'a>(
    blocks: impl Iterator<Item = &'a [S]>,
    weights: [f32; 3],
    out: &mut [u16],
) {
    for (out, sums) in out.iter_mut().zip(blocks) {
        let mut value = 0.5;
        for c in 0..3 {
            value += weights[c] * sums[c].value();
        }
        *out = value as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn grey(width: usize, height: usize, value: impl Fn(f64, f64) -> f64) -> Photo {
        let sample = |i: usize| value((i / 3 % width) as f64, (i / 3 / width) as f64);
        let samples = (0..width * height * 3).map(|i| (sample(i) * 65535.0).round() as u16);
        Photo {
            width,
            height,
            samples: Samples::Sixteen(samples.collect()),
            ..Photo::default()
        }
    }

    fn waves(period: f64, contrast: f64) -> impl Fn(f64, f64) -> f64 {
        move |x, y| 0.5 + contrast * (x * TAU / period).sin() * (y * TAU / period).cos()
    }

    #[test]
    fn fine_waves_are_sharper_than_coarse_ones_and_flat_is_nothing() {
        let score = |period| Sharpness::of(&grey(200, 150, waves(period, 0.3)), 4).score();
        assert!(score(5.0) > 2.0 * score(12.0));
        assert_eq!(Sharpness::of(&grey(200, 150, |_, _| 0.4), 4).score(), 0.0);
    }

    #[test]
    fn a_score_is_proportional_to_contrast() {
        let score = |contrast| Sharpness::of(&grey(200, 150, waves(8.0, contrast)), 4).score();
        assert!((score(0.4) / score(0.1) - 4.0).abs() < 0.01);
    }

    #[test]
    fn scores_compare_between_sizes() {
        let score = |scale: usize| {
            let waves = waves(16.0 * scale as f64, 0.3);
            Sharpness::of(&grey(1500 * scale, 300 * scale, waves), 4).score()
        };
        // 3000 pixels are reduced to 1500.
        assert!(
            (score(2) / score(1) - 1.0).abs() < 0.05,
            "{} {}",
            score(2),
            score(1)
        );
    }

    #[test]
    fn the_sharp_cell_is_found() {
        let half = grey(
            160,
            120,
            |x, y| if x < 80.0 { waves(5.0, 0.3)(x, y) } else { 0.5 },
        );
        let scores = Sharpness::of(&half, 2).scores();
        assert!(scores[0] > 10.0 * scores[1] && scores[2] > 10.0 * scores[3]);
    }

    #[test]
    fn one_frame_far_under_the_others_is_blurred() {
        let mut scores: Vec<f64> = (0..20).map(|i| 10.0 + f64::from(i) / 10.0).collect();
        scores.push(2.0);
        let below = blurred_below(&scores, 1.5).unwrap();
        assert_eq!(scores.iter().filter(|&&score| score < below).count(), 1);
        assert_eq!(blurred_below(&[1.0, 2.0, 3.0], 1.5), None);
    }

    #[test]
    fn tiny_frames_have_no_sharpness_and_do_no_harm() {
        for (width, height) in [(1, 1), (2, 2), (2, 9), (3, 3)] {
            let score = Sharpness::of(&grey(width, height, |x, _| x / 10.0), 16).score();
            assert!(score.is_finite());
        }
    }

    #[test]
    fn a_photograph_of_either_depth_measures_what_its_blocks_do() {
        // Reduced by two, with odd sizes.
        let (width, height) = (2051, 47);
        let value = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 24;
        let photo = |samples| Photo {
            width,
            height,
            samples,
            ..Photo::default()
        };
        let values = 0..width * height * 3;
        let eight = photo(Samples::Eight(
            values.clone().map(|i| value(i) as u8).collect(),
        ));
        let sixteen = photo(Samples::Sixteen(
            values.map(|i| value(i) as u16 * 257).collect(),
        ));
        let luminance = Grey::of(&eight);
        let mean = |x: f64, y: f64| {
            let (x, y) = (2 * x as usize, 2 * y as usize);
            let block = [y, y + 1].map(|y| &luminance.row(y)[x..x + 2]);
            let sum: u32 = block.into_iter().flatten().map(|&v| u32::from(v)).sum();
            f64::from(sum) / 4.0 / 65535.0
        };
        let expected = Sharpness::of(&grey(1025, 23, mean), 5);
        for photo in [eight, sixteen] {
            let own = Sharpness::of(&photo, 5);
            for (own, expected) in own.scores().iter().zip(expected.scores()) {
                assert!(expected > 10.0);
                assert!((own / expected - 1.0).abs() < 1e-4, "{own} {expected}");
            }
        }
    }
}
