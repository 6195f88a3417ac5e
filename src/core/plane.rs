//! One channel of a picture in floating point, and its pyramid steps.
//!
//! The steps are those of Burt and Adelson, "The Laplacian Pyramid as a
//! Compact Image Code" (1983), with the binomial kernel 1 4 6 4 1. A level of
//! `w`×`h` pixels is followed by one of `⌈w/2⌉`×`⌈h/2⌉`; borders are mirrored
//! about the outermost pixel.

use rayon::prelude::*;

use super::vector::vectorised;

/// A plane of values, row after row; full scale is 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plane {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` values.
    pub data: Vec<f32>,
}

/// Rows that one task works on: enough to be worth a task, few enough for the
/// cache.
pub const BAND: usize = 16;

impl Plane {
    /// A plane of zeros.
    pub fn new(width: usize, height: usize) -> Self {
        Self::filled(width, height, 0.0)
    }

    /// A plane of one value.
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            height,
            data: vec![value; width * height],
        }
    }

    /// Takes another size. What its values are then is not said: they are to be
    /// written.
    pub fn reshape(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.data.resize(width * height, 0.0);
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// The row nearest to `y` when rows are mirrored at the border.
    fn mirrored(&self, y: isize) -> &[f32] {
        self.row(mirror(y, self.height))
    }

    /// Bands of [`BAND`] rows, each with the number of its first row.
    pub fn bands_mut(&mut self) -> impl IndexedParallelIterator<Item = (usize, &mut [f32])> {
        let length = (self.width * BAND).max(1);
        self.data
            .par_chunks_mut(length)
            .enumerate()
            .map(|(band, rows)| (band * BAND, rows))
    }

    /// The next level of the Gaussian pyramid: `⌈w/2⌉`×`⌈h/2⌉`.
    pub fn reduced(&self) -> Self {
        let mut small = Self::default();
        self.reduce_into(&mut small);
        small
    }

    /// Makes `small` the next level of the Gaussian pyramid.
    pub fn reduce_into(&self, small: &mut Self) {
        small.reshape(self.width.div_ceil(2), self.height.div_ceil(2));
        let width = small.width;
        small
            .bands_mut()
            .for_each_init(Vec::new, |padded, (first, rows)| {
                for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                    let near = self.around(2 * y);
                    vectorised(
                        #[inline(always)]
                        || {
                            soften_down(near, padded);
                            soften_across_by_two(padded, out);
                        },
                    );
                }
            });
    }

    /// Row `y` of this plane expanded to a level of `out.len()` columns and
    /// `height` rows, whose reduction has this plane's size. `sums` is scratch
    /// of any length.
    pub fn expanded_row(&self, y: usize, out: &mut [f32], sums: &mut Vec<f32>) {
        // A mirrored fine row falls on a mirrored coarse one.
        let at = (y / 2) as isize;
        let (above, own) = (self.mirrored(at - 1), self.row(y / 2));
        let below = self.row((y / 2 + 1).min(self.height - 1));
        vectorised(
            #[inline(always)]
            || {
                sums.resize(self.width + 2, 0.0);
                let inner = &mut sums[1..=self.width];
                let rows = inner.iter_mut().zip(above).zip(own).zip(below);
                if y.is_multiple_of(2) {
                    rows.for_each(|(((sum, a), b), c)| *sum = (a + c + 6.0 * b) / 8.0);
                } else {
                    rows.for_each(|(((sum, _), b), c)| *sum = (b + c) / 2.0);
                }
                expand_across(sums, out);
            },
        );
    }

    /// This plane expanded to a level of `width`×`height` pixels, whose reduction
    /// has this plane's size.
    pub fn expanded(&self, width: usize, height: usize) -> Self {
        let mut fine = Self::default();
        self.expand_into(width, height, &mut fine);
        fine
    }

    /// Makes `fine` what [`Self::expanded`] is.
    pub fn expand_into(&self, width: usize, height: usize, fine: &mut Self) {
        fine.reshape(width, height);
        let bands = fine.bands_mut();
        bands.for_each_init(Vec::new, |sums, (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                self.expanded_row(y, out, sums);
            }
        });
    }

    /// Adds `sign` times `coarse`, expanded to this size.
    pub fn add_expanded(&mut self, coarse: &Self, sign: f32) {
        let width = self.width;
        self.bands_mut().for_each_init(
            || (vec![0.0f32; width], Vec::new()),
            |(expanded, sums), (first, rows)| {
                for (y, row) in (first..).zip(rows.chunks_exact_mut(width)) {
                    coarse.expanded_row(y, expanded, sums);
                    vectorised(
                        #[inline(always)]
                        || {
                            for (value, expanded) in row.iter_mut().zip(expanded.iter()) {
                                *value += sign * expanded;
                            }
                        },
                    );
                }
            },
        );
    }

    /// Divides each value by that of `other`, a plane of the same size whose
    /// values are not negative.
    pub fn divide(&mut self, other: &Self) {
        self.data
            .par_iter_mut()
            .zip(&other.data)
            .for_each(|(value, other)| *value /= other.max(f32::MIN_POSITIVE));
    }

    /// Weighted by the binomial 1 4 6 4 1 each way: the mean of a soft 5×5
    /// window.
    pub fn windowed(&self) -> Self {
        let mut soft = Self::default();
        self.window_into(&mut soft);
        soft
    }

    /// Makes `soft` what [`Self::windowed`] is.
    pub fn window_into(&self, soft: &mut Self) {
        soft.reshape(self.width, self.height);
        let width = self.width;
        soft.bands_mut()
            .for_each_init(Vec::new, |padded, (first, rows)| {
                for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                    self.window_row(y, out, padded);
                }
            });
    }

    /// Row `y` of what [`Self::windowed`] is; `padded` is scratch of any length.
    pub fn window_row(&self, y: usize, out: &mut [f32], padded: &mut Vec<f32>) {
        soften(self.around(y), padded, out);
    }

    /// The row `y` and the two on either side of it.
    fn around(&self, y: usize) -> [&[f32]; 5] {
        [-2, -1, 0, 1, 2].map(|k| self.mirrored(y as isize + k))
    }
}

/// The middle of five rows in a soft window; `padded` is scratch of any length.
pub fn soften(rows: [&[f32]; 5], padded: &mut Vec<f32>, out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            soften_down(rows, padded);
            for (out, p) in out.iter_mut().zip(padded.windows(5)) {
                *out = (p[0] + p[4] + 4.0 * (p[1] + p[3]) + 6.0 * p[2]) / 256.0;
            }
        },
    );
}

/// Five rows weighted by the binomial, and two values more at either end.
#[inline(always)]
fn soften_down([a, b, c, d, e]: [&[f32]; 5], padded: &mut Vec<f32>) {
    let width = a.len();
    padded.resize(width + 4, 0.0);
    let inner = &mut padded[2..2 + width];
    let rows = inner.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e);
    for (((((sum, a), b), c), d), e) in rows {
        *sum = a + e + 4.0 * (b + d) + 6.0 * c;
    }
    mirror_ends(padded, width);
}

/// Every second value in a soft window, divided by the weights of both ways.
#[inline(always)]
fn soften_across_by_two(padded: &[f32], out: &mut [f32]) {
    let (pairs, _) = padded.as_chunks::<2>();
    let threes = pairs.iter().zip(&pairs[1..]).zip(&pairs[2..]);
    let whole = pairs.len() - 2;
    for (out, ((a, b), c)) in out.iter_mut().zip(threes) {
        *out = (a[0] + c[0] + 4.0 * (a[1] + b[1]) + 6.0 * b[0]) / 256.0;
    }
    // Of an odd row the last window ends in half a pair.
    for (x, out) in out.iter_mut().enumerate().skip(whole) {
        let p = &padded[2 * x..2 * x + 5];
        *out = (p[0] + p[4] + 4.0 * (p[1] + p[3]) + 6.0 * p[2]) / 256.0;
    }
}

/// Expands the values from the second to the last but one of `sums`, whose ends
/// are filled here.
#[inline(always)]
fn expand_across(sums: &mut [f32], out: &mut [f32]) {
    let width = sums.len() - 2;
    sums[0] = sums[1 + 1.min(width - 1)];
    sums[1 + width] = sums[width];
    let (pairs, end) = out.as_chunks_mut::<2>();
    for (pair, s) in pairs.iter_mut().zip(sums.windows(3)) {
        *pair = [(s[0] + s[2] + 6.0 * s[1]) / 8.0, (s[1] + s[2]) / 2.0];
    }
    if let [end] = end {
        let left = sums[if width > 1 { width - 1 } else { width }];
        *end = (2.0 * left + 6.0 * sums[width]) / 8.0;
    }
}

/// Fills the two values before and after `width` values that start at 2.
fn mirror_ends(padded: &mut [f32], width: usize) {
    for k in 1..=2isize {
        padded[(2 - k) as usize] = padded[2 + mirror(-k, width)];
        let beyond = width as isize - 1 + k;
        padded[(2 + beyond) as usize] = padded[2 + mirror(beyond, width)];
    }
}

/// The place in `0..size` that `at` falls on when mirrored at both ends.
pub fn mirror(at: isize, size: usize) -> usize {
    let last = size as isize - 1;
    if last <= 0 {
        return 0;
    }
    let wrapped = at.rem_euclid(2 * last);
    wrapped.min(2 * last - wrapped) as usize
}

/// How many levels a pyramid of a `width`×`height` picture has, the coarsest
/// of which is about `smallest` pixels on its shorter side; at least 1.
pub fn levels(width: usize, height: usize, smallest: usize) -> usize {
    let mut side = width.min(height);
    let mut count = 1;
    while side.div_ceil(2) >= smallest.max(2) {
        side = side.div_ceil(2);
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(width: usize, height: usize) -> Plane {
        Plane {
            width,
            height,
            data: (0..width * height)
                .map(|i| ((i % width) as f32 * 0.01 + (i / width) as f32 * 0.02).sin())
                .collect(),
        }
    }

    #[test]
    fn a_laplacian_pyramid_is_undone_exactly_at_any_size() {
        for (width, height) in [(2, 2), (3, 2), (1, 5), (17, 23), (64, 48), (101, 50)] {
            let original = slope(width, height);
            let coarse = original.reduced();
            let mut detail = original.clone();
            detail.add_expanded(&coarse, -1.0);
            detail.add_expanded(&coarse, 1.0);
            for (a, b) in detail.data.iter().zip(&original.data) {
                assert!((a - b).abs() < 1e-6, "{width}×{height}");
            }
        }
    }

    #[test]
    fn one_value_stays_that_value() {
        let flat = Plane::filled(13, 9, 0.25);
        let small = flat.reduced();
        assert!(small.data.iter().all(|v| (v - 0.25).abs() < 1e-6));
        let back = small.expanded(13, 9);
        assert!(back.data.iter().all(|v| (v - 0.25).abs() < 1e-6));
        assert!(flat.windowed().data.iter().all(|v| (v - 0.25).abs() < 1e-6));
    }

    #[test]
    fn reducing_and_expanding_shifts_nothing() {
        let line = Plane {
            width: 41,
            height: 41,
            data: (0..41 * 41).map(|i| (i % 41) as f32).collect(),
        };
        let back = line.reduced().expanded(41, 41);
        assert!((back.row(20)[20] - 20.0).abs() < 1e-4);
        assert!((back.row(21)[21] - 21.0).abs() < 1e-4);
    }

    #[test]
    fn mirroring_comes_back_from_any_distance() {
        let seen: Vec<usize> = (-4..8).map(|at| mirror(at, 4)).collect();
        assert_eq!(seen, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirror(-3, 1), 0);
    }

    #[test]
    fn levels_reach_about_sixteen_pixels() {
        assert_eq!(levels(6000, 4000, 16), 9);
        assert_eq!(levels(2, 2, 16), 1);
    }
}
