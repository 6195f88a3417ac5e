//! A part of a frame, and what lies between its pixels.

use std::ops::Range;

use super::curve::curves;
use super::{BEFORE, PHASES, TAPS, weights};

/// A part of a frame in floating point; kept from one to the next for its memory.
#[derive(Default)]
pub(crate) struct Tile {
    /// The first column and row of the frame, which may lie before its border.
    pub left: isize,
    pub top: isize,
    /// Pixels across and down.
    pub width: usize,
    pub height: usize,
    /// Red, green and blue, row after row.
    pub planes: [Vec<f32>; 3],
    /// Where the pixels of a row of the result lie across.
    across: Steps,
    /// Where the columns lie down that they need, on the line of the row.
    down: Steps,
    /// The rows of the frame about that line, mixed.
    mixed: [Vec<f32>; 3],
}

/// Places of pixels in one direction.
#[derive(Default)]
struct Steps {
    /// In steps of a phase, from the first place that has all its taps.
    at: Vec<u32>,
    /// The weights of each tap.
    weights: [Vec<f32>; TAPS],
}

/// Steps from a pixel to the next.
const PIXEL: u32 = PHASES as u32;

/// Columns to each step of a phase for which a line is level.
const LEVEL: usize = 64;
/// Pixels that are looked at together.
const RUN: usize = 16;

/// Added to a position, leaves no bits for fractions.
const WHOLE: f64 = (3u64 << 51) as f64;

/// The steepest line along which a row is sampled.
const STEEP: f64 = 0.1;

impl Tile {
    /// Samples a row of the result, of whose pixels `place` tells where they lie,
    /// in pixels from the first place that has all its taps: `value * gain +
    /// offset`, per channel.
    ///
    /// A row lies on a line in the frame. First the columns are sampled where
    /// they meet it, then the row along it (Catmull and Smith, 1980).
    #[inline(always)]
    pub fn sample(
        &mut self,
        place: impl Fn(f64) -> [f64; 2],
        gain: [f32; 3],
        offset: [f32; 3],
        out: [&mut [f32]; 3],
    ) {
        let count = out[0].len();
        let most = |size: usize| (size - TAPS) as f64;
        let (right, bottom) = (most(self.width), most(self.height));
        let ends = [0.0, (count - 1) as f64].map(&place);
        let [along, across] = [0, 1].map(|k| ends[1][k] - ends[0][k]);
        // A row of one pixel has no slope; one that is no number is too steep. And
        // beyond the frame columns do not lie where the line has them.
        let slope = if count > 1 { across / along } else { 0.0 };
        let is_inside = ends.iter().all(|[u, _]| (0.0..=right).contains(u));
        if slope.is_nan() || slope.abs() > STEEP || (slope != 0.0 && !is_inside) {
            return self.sample_each(place, gain, offset, out);
        }
        self.across.at.resize(count, 0);
        for (k, at) in (0i32..).zip(&mut self.across.at) {
            *at = steps(place(f64::from(k))[0], right);
        }
        self.across.weigh();
        let (least, greatest) = self
            .across
            .at
            .iter()
            .fold((u32::MAX, 0), |(least, most), &at| {
                (least.min(at), most.max(at))
            });
        let columns = (least / PIXEL) as usize..(greatest / PIXEL) as usize + TAPS;
        // The first tap of a pixel is some columns before it.
        let first = columns.start as f64 - BEFORE as f64 - ends[0][0];
        self.down.at.resize(columns.len(), 0);
        for (k, at) in (0i32..).zip(&mut self.down.at) {
            *at = steps(ends[0][1] + slope * (f64::from(k) + first), bottom);
        }
        self.mix_columns(columns.start);
        self.sample_along(columns.start, gain, offset, out);
    }

    /// Samples columns where they meet the line of a row, from column `first` on.
    #[inline(always)]
    fn mix_columns(&mut self, first: usize) {
        let Self {
            planes,
            down,
            mixed,
            ..
        } = self;
        let (stride, count) = (self.width, down.at.len());
        for mixed in mixed.iter_mut() {
            mixed.resize(count, 0.0);
        }
        // Where the line is level many columns have the same weights.
        let is_level = down.at[0].abs_diff(down.at[count - 1]) as usize * LEVEL < count;
        if !is_level {
            down.weigh();
        }
        let mut start = 0;
        while start < count {
            let own = down.at[start];
            let rest = &down.at[start..];
            let length = if is_level {
                alike(rest, |_, at| at)
            } else {
                alike(rest, |_, at| at / PIXEL)
            };
            let range = start..start + length;
            let from = (own / PIXEL) as usize * stride + first + start;
            for (plane, out) in planes.iter().zip(mixed.iter_mut()) {
                let rows = six(&plane[from..], stride, length);
                let out = &mut out[range.clone()];
                if is_level {
                    mix(&weights()[(own % PIXEL) as usize], rows, out);
                } else {
                    weighed(rows, down.of(range.clone()), (1.0, 0.0), out);
                }
            }
            start += length;
        }
    }

    /// Samples a row from its mixed columns, of which the first is `first`.
    #[inline(always)]
    fn sample_along(&self, first: usize, gain: [f32; 3], offset: [f32; 3], out: [&mut [f32]; 3]) {
        let at = &self.across.at;
        let mut start = 0;
        while start < at.len() {
            // Those beside each other that lie beside each other in the frame.
            let length = alike(&at[start..], |k, at| (at / PIXEL).wrapping_sub(k));
            let range = start..start + length;
            let from = (at[start] / PIXEL) as usize - first;
            for (c, mixed) in self.mixed.iter().enumerate() {
                let taps = six(&mixed[from..], 1, length);
                let weights = self.across.of(range.clone());
                let out = &mut out[c][range.clone()];
                weighed(taps, weights, (gain[c], offset[c]), out);
            }
            start += length;
        }
    }

    /// The same as [`Self::sample`], pixel by pixel.
    fn sample_each(
        &self,
        place: impl Fn(f64) -> [f64; 2],
        gain: [f32; 3],
        offset: [f32; 3],
        out: [&mut [f32]; 3],
    ) {
        let sizes = [self.width, self.height];
        for (c, out) in out.into_iter().enumerate() {
            for (k, out) in (0i32..).zip(out) {
                let place = place(f64::from(k));
                let [u, v] = [0, 1].map(|k| steps(place[k], (sizes[k] - TAPS) as f64));
                let [across, down] = [u, v].map(|at| &weights()[(at % PIXEL) as usize]);
                let from = (v / PIXEL) as usize * self.width + (u / PIXEL) as usize;
                let row = |r: usize| &self.planes[c][from + r * self.width..][..TAPS];
                let sum = |r: usize| -> f32 { row(r).iter().zip(across).map(|(a, b)| a * b).sum() };
                let value: f32 = (0..TAPS).map(|r| down[r] * sum(r)).sum();
                *out = value * gain[c] + offset[c];
            }
        }
    }
}

/// How many places have the same key as the first, which `key` finds given their
/// number.
#[inline(always)]
fn alike(at: &[u32], key: impl Fn(u32, u32) -> u32) -> usize {
    let first = key(0, at[0]);
    let mut count = 0;
    for run in at.chunks(RUN) {
        let keys = (count as u32..).zip(run);
        let others = keys.fold(0, |any, (k, at)| any | (key(k, *at) ^ first));
        if others != 0 {
            break;
        }
        count += run.len();
    }
    let rest = (count as u32..).zip(&at[count..]);
    count + rest.take_while(|(k, at)| key(*k, **at) == first).count()
}

/// The first `count` values at six places, `stride` apart.
#[inline(always)]
fn six(values: &[f32], stride: usize, count: usize) -> [&[f32]; TAPS] {
    [0, 1, 2, 3, 4, 5].map(
        #[inline(always)]
        |k| &values[k * stride..][..count],
    )
}

/// A place in steps of a phase, held between 0 and `most` pixels.
#[inline(always)]
fn steps(at: f64, most: f64) -> u32 {
    // Where a float has no bits for fractions, it ends in the nearest integer.
    (at.max(0.0).min(most) * f64::from(PIXEL) + WHOLE).to_bits() as u32
}

impl Steps {
    /// Finds the weights of the places.
    #[inline(always)]
    fn weigh(&mut self) {
        let count = self.at.len();
        for weights in &mut self.weights {
            weights.resize(count, 0.0);
        }
        let [a, b, c, d, e, f] = &mut self.weights;
        let pairs = [(a, f), (b, e), (c, d)];
        for ((left, right), curve) in pairs.into_iter().zip(curves()) {
            let values = self.at.iter().zip(left).zip(right);
            for ((at, left), right) in values {
                let part = (at % PIXEL) as i32 as f32 * (1.0 / PHASES as f32) - 0.5;
                (*left, *right) = curve.weights(part);
            }
        }
    }

    /// The weights of some pixels.
    #[inline(always)]
    fn of(&self, range: Range<usize>) -> [&[f32]; TAPS] {
        self.weights.each_ref().map(|row| &row[range.clone()])
    }
}

/// Makes `mixed` the weighted sum of six rows.
#[inline(always)]
fn mix(weights: &[f32; TAPS], [a, b, c, d, e, f]: [&[f32]; TAPS], mixed: &mut [f32]) {
    let rows = mixed.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e).zip(f);
    for ((((((mixed, a), b), c), d), e), f) in rows {
        *mixed = weights[0] * a
            + weights[1] * b
            + weights[2] * c
            + weights[3] * d
            + weights[4] * e
            + weights[5] * f;
    }
}

/// Makes `out` the sum of six taps, for each value with weights of its own.
#[inline(always)]
fn weighed(taps: [&[f32]; TAPS], weights: [&[f32]; TAPS], level: (f32, f32), out: &mut [f32]) {
    let count = out.len();
    let [taps, weights] = [taps, weights].map(|rows| rows.map(|row| &row[..count]));
    for i in 0..count {
        let value = weights[0][i] * taps[0][i]
            + weights[1][i] * taps[1][i]
            + weights[2][i] * taps[2][i]
            + weights[3][i] * taps[3][i]
            + weights[4][i] * taps[4][i]
            + weights[5][i] * taps[5][i];
        out[i] = value * level.0 + level.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of a smooth picture.
    fn tile() -> Tile {
        let (width, height) = (160, 60);
        let value = |c: usize, i: usize| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            0.5 + 0.3 * (0.7 * x + 0.2 * c as f32).sin() * (0.5 * y).cos()
        };
        let plane = |c: usize| (0..width * height).map(|i| value(c, i)).collect();
        Tile {
            width,
            height,
            planes: [0, 1, 2].map(plane),
            ..Tile::default()
        }
    }

    /// The largest difference between a row sampled along its line and pixel by
    /// pixel.
    fn off(place: impl Fn(f64) -> [f64; 2], count: usize) -> f32 {
        let mut tile = tile();
        let (gain, offset) = ([1.0, 0.5, 2.0], [0.0, 0.25, -0.5]);
        let mut rows = [(); 2].map(|()| [(); 3].map(|()| vec![0.0; count]));
        let [along, each] = &mut rows;
        tile.sample(
            &place,
            gain,
            offset,
            along.each_mut().map(|row| &mut row[..]),
        );
        tile.sample_each(
            &place,
            gain,
            offset,
            each.each_mut().map(|row| &mut row[..]),
        );
        let pairs = along.iter().flatten().zip(each.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_row_along_its_line_is_what_it_is_pixel_by_pixel() {
        for scale in [0.93, 1.0, 1.004] {
            for (slope, most) in [(0.0, 2e-6), (1e-5, 4e-4), (3e-4, 4e-4), (0.01, 2e-3)] {
                let line = |k: f64| [2.3 + k * scale, 20.6 + k * slope];
                let off = off(line, 140);
                assert!(off < most, "{scale}, {slope}: {off}");
            }
        }
    }

    #[test]
    fn rows_that_bend_leave_turn_or_are_short_have_values() {
        let bent = |k: f64| {
            [
                2.0 + k / (1.0 + 1e-4 * k),
                20.0 + 0.004 * k / (1.0 + 1e-4 * k),
            ]
        };
        assert!(off(bent, 140) < 1e-3);
        assert!(off(|k| [k - 40.3, 20.5 + 0.01 * k], 140) < 1e-6);
        assert!(off(|k| [k + 100.7, 50.0 + 0.2 * k], 140) < 1e-6);
        assert!(off(|k| [150.2 - k, 20.5], 140) < 2e-6);
        assert!(off(|k| [30.0, 1.5 + k], 40) < 1e-6);
        assert!(off(|_| [30.4, 20.5], 1) < 2e-6);
        assert!(off(|_| [f64::NAN, f64::INFINITY], 9) < 1e-6);
    }
}
