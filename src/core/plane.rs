//! One channel of a picture in floating point, and its pyramid steps.
//!
//! The steps are those of Burt and Adelson, "The Laplacian Pyramid as a
//! Compact Image Code" (1983), with the binomial kernel 1 4 6 4 1. A level of
//! `w`×`h` pixels is followed by one of `⌈w/2⌉`×`⌈h/2⌉`; borders are mirrored
//! about the outermost pixel.

use rayon::prelude::*;

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
        let mut small = Self::new(self.width.div_ceil(2), self.height.div_ceil(2));
        let width = small.width;
        small.bands_mut().for_each_init(
            || vec![0.0f32; self.width + 4],
            |padded, (first, rows)| {
                for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                    let y = 2 * y as isize;
                    let [a, b, c, d, e] = [-2, -1, 0, 1, 2].map(|k| self.mirrored(y + k));
                    let inner = &mut padded[2..2 + self.width];
                    for (x, sum) in inner.iter_mut().enumerate() {
                        *sum = a[x] + e[x] + 4.0 * (b[x] + d[x]) + 6.0 * c[x];
                    }
                    mirror_ends(padded, self.width);
                    for (x, out) in out.iter_mut().enumerate() {
                        let p = &padded[2 * x..2 * x + 5];
                        *out = (p[0] + p[4] + 4.0 * (p[1] + p[3]) + 6.0 * p[2]) / 256.0;
                    }
                }
            },
        );
        small
    }

    /// Row `y` of this plane expanded to a level of `out.len()` columns and
    /// `height` rows, whose reduction has this plane's size. `sums` is scratch
    /// of any length.
    pub fn expanded_row(&self, y: usize, out: &mut [f32], sums: &mut Vec<f32>) {
        sums.clear();
        let at = (y / 2) as isize;
        // A mirrored fine row falls on a mirrored coarse one.
        if y.is_multiple_of(2) {
            let (a, b, c) = (
                self.mirrored(at - 1),
                self.row(y / 2),
                self.row((y / 2 + 1).min(self.height - 1)),
            );
            sums.extend((0..self.width).map(|x| (a[x] + c[x] + 6.0 * b[x]) / 8.0));
        } else {
            let (a, b) = (self.row(y / 2), self.row((y / 2 + 1).min(self.height - 1)));
            sums.extend((0..self.width).map(|x| (a[x] + b[x]) / 2.0));
        }
        let last = self.width - 1;
        let s = &sums[..];
        let mut pairs = out.chunks_exact_mut(2);
        for (x, pair) in pairs.by_ref().enumerate() {
            let left = s[if x == 0 { 1.min(last) } else { x - 1 }];
            let right = s[(x + 1).min(last)];
            pair[0] = (left + right + 6.0 * s[x]) / 8.0;
            pair[1] = (s[x] + right) / 2.0;
        }
        if let [end] = pairs.into_remainder() {
            let left = s[last.saturating_sub(1)];
            *end = (2.0 * left + 6.0 * s[last]) / 8.0;
        }
    }

    /// Adds `sign` times `coarse`, expanded to this size.
    pub fn add_expanded(&mut self, coarse: &Self, sign: f32) {
        let width = self.width;
        self.bands_mut().for_each_init(
            || (vec![0.0f32; width], Vec::new()),
            |(expanded, sums), (first, rows)| {
                for (y, row) in (first..).zip(rows.chunks_exact_mut(width)) {
                    coarse.expanded_row(y, expanded, sums);
                    for (value, expanded) in row.iter_mut().zip(expanded.iter()) {
                        *value += sign * expanded;
                    }
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
        let mut soft = Self::new(self.width, self.height);
        let width = self.width;
        soft.bands_mut().for_each_init(
            || vec![0.0f32; width + 4],
            |padded, (first, rows)| {
                for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                    let y = y as isize;
                    let [a, b, c, d, e] = [-2, -1, 0, 1, 2].map(|k| self.mirrored(y + k));
                    let inner = &mut padded[2..2 + width];
                    for (x, sum) in inner.iter_mut().enumerate() {
                        *sum = a[x] + e[x] + 4.0 * (b[x] + d[x]) + 6.0 * c[x];
                    }
                    mirror_ends(padded, width);
                    for (x, out) in out.iter_mut().enumerate() {
                        let p = &padded[x..x + 5];
                        *out = (p[0] + p[4] + 4.0 * (p[1] + p[3]) + 6.0 * p[2]) / 256.0;
                    }
                }
            },
        );
        soft
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
        let mut back = Plane::new(13, 9);
        back.add_expanded(&small, 1.0);
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
        let mut back = Plane::new(41, 41);
        back.add_expanded(&line.reduced(), 1.0);
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
