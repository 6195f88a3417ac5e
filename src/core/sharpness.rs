//! How sharp a frame is, as a whole and in each cell of a grid.
//!
//! Three classic focus measures are taken in one pass over the luminance: the
//! variance of the Laplacian (Pech-Pacheco et al., 2000), Tenengrad (Tenenbaum,
//! 1970; Krotkov, 1987) and the modified Laplacian (Nayar and Nakagawa, 1994);
//! a score is the geometric mean of the three, each as an amplitude. Frames
//! are first reduced to a working size, so that scores of the same scene
//! compare between cameras, and noise of single pixels counts little.

use rayon::prelude::*;

use super::grey::Grey;

/// Cells each way, unless somebody asks for another grid.
pub const GRID: usize = 16;
/// Frames are reduced by whole factors until the longer side is no longer
/// than this.
const WORKING_SIDE: usize = 2048;

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
        Self {
            laplacian_variance: (squares - sum * sum).max(0.0),
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
    pub fn of(grey: &Grey, grid: usize) -> Self {
        let working = reduced(grey);
        let grid = grid.max(1);
        let cells = (0..grid * grid)
            .into_par_iter()
            .map(|cell| {
                let columns = span(cell % grid, working.width, grid);
                let rows = span(cell / grid, working.height, grid);
                measure(&working, columns, rows)
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
    width.max(height).div_ceil(WORKING_SIDE).max(1)
}

/// The part of a side of `size` pixels that belongs to a cell of `grid`: its
/// outermost belong to none.
fn span(at: usize, size: usize, grid: usize) -> std::ops::Range<usize> {
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

fn measure(grey: &Grey, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Measures {
    let pixels = columns.len() * rows.len();
    if pixels == 0 || grey.width < 3 || grey.height < 3 {
        return Measures::default();
    }
    let (mut sum, mut squares, mut gradient, mut modified) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for y in rows {
        let [above, here, below] = [grey.row(y - 1), grey.row(y), grey.row(y + 1)];
        for x in columns.clone() {
            let [a, b, c] = [above, here, below]
                .map(|row| [row[x - 1], row[x], row[x + 1]].map(|v| f32::from(v) / 65535.0));
            let across = b[0] + b[2] - 2.0 * b[1];
            let down = a[1] + c[1] - 2.0 * b[1];
            let laplacian = f64::from(across + down);
            sum += laplacian;
            squares += laplacian * laplacian;
            modified += f64::from(across.abs() + down.abs());
            let gx = (a[2] - a[0] + 2.0 * (b[2] - b[0]) + c[2] - c[0]) / 8.0;
            let gy = (c[0] - a[0] + 2.0 * (c[1] - a[1]) + c[2] - a[2]) / 8.0;
            gradient += f64::from(gx * gx + gy * gy);
        }
    }
    Measures::of_sums([sum, squares, gradient, modified], pixels)
}

/// The means of square blocks, so that the longer side fits the working size.
fn reduced(grey: &Grey) -> std::borrow::Cow<'_, Grey> {
    let factor = factor(grey.width, grey.height);
    if factor < 2 {
        return std::borrow::Cow::Borrowed(grey);
    }
    let (width, height) = (grey.width / factor, grey.height / factor);
    let mut data = vec![0u16; width * height];
    let area = (factor * factor) as u32;
    data.par_chunks_mut(width.max(1)).enumerate().for_each_init(
        || vec![0u32; width],
        |sums, (y, out)| {
            sums.fill(0);
            for row in y * factor..(y + 1) * factor {
                let row = &grey.row(row)[..width * factor];
                for (sum, block) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                    *sum += block.iter().map(|&v| u32::from(v)).sum::<u32>();
                }
            }
            for (out, sum) in out.iter_mut().zip(sums.iter()) {
                *out = ((sum + area / 2) / area) as u16;
            }
        },
    );
    std::borrow::Cow::Owned(Grey {
        width,
        height,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn grey(width: usize, height: usize, value: impl Fn(f64, f64) -> f64) -> Grey {
        let sample = |i: usize| value((i % width) as f64, (i / width) as f64);
        Grey {
            width,
            height,
            data: (0..width * height)
                .map(|i| (sample(i) * 65535.0).round() as u16)
                .collect(),
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
}
