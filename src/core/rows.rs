//! The steps of a pyramid, row by row; see [`plane`](super::plane).

use rayon::prelude::*;

use crate::vector::vectorised;

/// A plane whose rows can be asked for, where they are there.
pub trait Rows: Sync {
    /// Pixels in a row.
    fn width(&self) -> usize;

    /// Rows of the whole plane.
    fn height(&self) -> usize;

    /// One row.
    fn row(&self, y: usize) -> &[f32];

    /// The row nearest to `y` when rows are mirrored at the border.
    fn mirrored(&self, y: isize) -> &[f32] {
        self.row(mirror(y, self.height()))
    }

    /// The row `y` and the two on either side of it.
    fn around(&self, y: usize) -> [&[f32]; 5] {
        [-2, -1, 0, 1, 2].map(|k| self.mirrored(y as isize + k))
    }

    /// Row `y` weighted by the binomial 1 4 6 4 1 each way; `padded` is scratch of
    /// any length.
    fn window_row(&self, y: usize, out: &mut [f32], padded: &mut Vec<f32>) {
        soften(self.around(y), padded, out);
    }

    /// Row `y` of this plane expanded to a level of `out.len()` columns, whose
    /// reduction has this plane's size. `sums` is scratch of any length.
    fn expanded_row(&self, y: usize, out: &mut [f32], sums: &mut Vec<f32>) {
        // A mirrored fine row falls on a mirrored coarse one.
        let at = (y / 2) as isize;
        let (above, own) = (self.mirrored(at - 1), self.row(y / 2));
        let below = self.row((y / 2 + 1).min(self.height() - 1));
        vectorised(
            #[inline(always)]
            || {
                sums.resize(own.len() + 2, 0.0);
                let inner = &mut sums[1..=own.len()];
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

    /// Row `y` of the next level of the Gaussian pyramid; `padded` is scratch of any
    /// length.
    fn reduced_row(&self, y: usize, out: &mut [f32], padded: &mut Vec<f32>) {
        let near = self.around(2 * y);
        vectorised(
            #[inline(always)]
            || {
                soften_down(near, padded);
                soften_across_by_two(padded, out);
            },
        );
    }

    /// Fills bands of rows of the next level of the Gaussian pyramid.
    fn reduce_to<'a>(&self, bands: impl ParallelIterator<Item = Band<'a>>) {
        let width = self.width().div_ceil(2);
        bands.for_each_init(Vec::new, |padded, (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                self.reduced_row(y, out, padded);
            }
        });
    }

    /// Fills bands of rows of this plane in a soft window.
    fn window_to<'a>(&self, bands: impl ParallelIterator<Item = Band<'a>>) {
        let width = self.width();
        bands.for_each_init(Vec::new, |padded, (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                self.window_row(y, out, padded);
            }
        });
    }

    /// Fills bands of rows of this plane expanded to a level `width` pixels wide.
    fn expand_to<'a>(&self, width: usize, bands: impl ParallelIterator<Item = Band<'a>>) {
        bands.for_each_init(Vec::new, |sums, (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                self.expanded_row(y, out, sums);
            }
        });
    }
}

/// Some rows, and the number of the first.
pub type Band<'a> = (usize, &'a mut [f32]);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_comes_back_from_any_distance() {
        let seen: Vec<usize> = (-4..8).map(|at| mirror(at, 4)).collect();
        assert_eq!(seen, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirror(-3, 1), 0);
    }
}
