//! One channel of a picture in floating point, and its pyramid steps.
//!
//! The steps are those of Burt and Adelson, "The Laplacian Pyramid as a
//! Compact Image Code" (1983), with the binomial kernel 1 4 6 4 1. A level of
//! `w`×`h` pixels is followed by one of `⌈w/2⌉`×`⌈h/2⌉`; borders are mirrored
//! about the outermost pixel.

use rayon::prelude::*;

use super::rows::Rows;
use crate::vector::vectorised;

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
        let mut data = vec![0.0; width * height];
        // Zeroes are there already; to write to new memory takes long.
        if value != 0.0 {
            data.par_iter_mut().for_each(|v| *v = value);
        }
        Self {
            width,
            height,
            data,
        }
    }

    /// Takes another size. What its values are then is not said: they are to be
    /// written.
    pub fn reshape(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        match self.data.is_empty() {
            // Who writes it first gets it from the system, and these may be many.
            true => self.data = vec![0.0; width * height],
            false => self.data.resize(width * height, 0.0),
        }
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[f32] {
        Rows::row(self, y)
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
        self.reduce_to(small.bands_mut());
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
        self.expand_to(width, fine.bands_mut());
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

    /// Makes each value what `change` makes of it.
    pub fn change(&mut self, change: impl Fn(f32) -> f32 + Sync) {
        self.bands_mut().for_each(|(_, rows)| {
            vectorised(
                #[inline(always)]
                || rows.iter_mut().for_each(|value| *value = change(*value)),
            );
        });
    }

    /// Makes each value what `change` makes of it and of that of `other`, a plane of
    /// the same size.
    pub fn change_by(&mut self, other: &Self, change: impl Fn(f32, f32) -> f32 + Sync) {
        let width = self.width;
        self.bands_mut().for_each(|(first, rows)| {
            let others = &other.data[first * width..][..rows.len()];
            vectorised(
                #[inline(always)]
                || {
                    let both = rows.iter_mut().zip(others);
                    both.for_each(|(value, other)| *value = change(*value, *other));
                },
            );
        });
    }

    /// Replaces a share of each value by that of `other`; both are planes of the same
    /// size.
    pub fn mix(&mut self, other: &Self, share: &Self) {
        let width = self.width;
        self.bands_mut().for_each(|(first, rows)| {
            let places = first * width..first * width + rows.len();
            let (others, shares) = (&other.data[places.clone()], &share.data[places]);
            vectorised(
                #[inline(always)]
                || {
                    let values = rows.iter_mut().zip(others).zip(shares);
                    values.for_each(|((value, other), share)| *value += share * (other - *value));
                },
            );
        });
    }

    /// Divides each value by that of `other`, a plane of the same size whose
    /// values are not negative.
    pub fn divide(&mut self, other: &Self) {
        self.change_by(
            other,
            #[inline(always)]
            |value, other| value / other.max(f32::MIN_POSITIVE),
        );
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
        self.window_to(soft.bands_mut());
    }
}

impl Rows for Plane {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..(y + 1) * self.width]
    }
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
    fn levels_reach_about_sixteen_pixels() {
        assert_eq!(levels(6000, 4000, 16), 9);
        assert_eq!(levels(2, 2, 16), 1);
    }
}
