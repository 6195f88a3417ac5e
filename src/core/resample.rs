//! Samples a frame between its pixels, tile by tile.
//!
//! What a tile of the result needs of the frame is first spread out as floating
//! point, four values a pixel: then two taps of all channels are one vector, and
//! nothing is converted more than once.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::Transform;
use super::linear::Normal;
use super::vector::vectorised;
use super::warp::{Area, Exposure};
use crate::photo::Photo;

/// Taps of the interpolation, each way.
pub(crate) const TAPS: usize = 6;
/// Positions between two pixels that have weights of their own: a sample is off by
/// a thousandth of a pixel, and neighbours in a frame that is turned a little still
/// share theirs.
pub(crate) const PHASES: usize = 256;

/// The weights that err least, for each phase, on pictures with the spectrum
/// of a sharp photograph: power falls with the square of the frequency and is
/// bent down further by lens and sensor. They solve the normal equations of
/// linear prediction (Wiener, 1949), and add up to one. `PHASES + 1` rows.
pub(crate) fn weights() -> &'static [[f32; TAPS]] {
    static TABLE: OnceLock<Vec<[f32; TAPS]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        const STEPS: usize = 512;
        let correlation = |distance: f64| -> f64 {
            (0..STEPS)
                .map(|step| {
                    let w = (step as f64 + 0.5) / STEPS as f64 * PI;
                    (-(0.9 * w).powi(2)).exp() / (w * w + 0.01) * (w * distance).cos()
                })
                .sum()
        };
        let grid: [f64; TAPS] = std::array::from_fn(|k| correlation(k as f64));
        let mut normal = Normal::new(TAPS, TAPS);
        for i in 0..TAPS {
            for j in 0..=i {
                // A trace of noise on the diagonal keeps the weights small.
                let noise = if i == j { 1e-7 * grid[0] } else { 0.0 };
                normal.add(i, j, grid[i - j] + noise);
            }
        }
        let inverse = normal.inverse().unwrap_or_default();
        (0..=PHASES)
            .map(|phase| {
                let t = phase as f64 / PHASES as f64;
                let right: [f64; TAPS] = std::array::from_fn(|k| correlation(k as f64 - 2.0 - t));
                let row: Vec<f64> = inverse
                    .iter()
                    .map(|row| row.iter().zip(right).map(|(a, b)| a * b).sum())
                    .collect();
                let sum: f64 = row.iter().sum();
                std::array::from_fn(|k| (row[k] / sum) as f32)
            })
            .collect()
    })
}

/// The weights of [`weights`] across, each for the four values of a pixel.
fn wide_weights() -> &'static [[f32; 4 * TAPS]] {
    static TABLE: OnceLock<Vec<[f32; 4 * TAPS]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows = weights().iter();
        rows.map(|row| std::array::from_fn(|k| row[k / 4]))
            .collect()
    })
}

/// Columns that are warped at a time: what they need of the frame stays in the
/// cache.
const COLUMNS: usize = 256;
/// The most pixels of a frame that are spread out at a time.
const MOST: usize = 1 << 17;
/// Pixels before the one that a position lies on that an interpolation needs.
const BEFORE: isize = 2;

/// A frame, and how its values become those of the result.
pub(crate) struct Source<'a, T> {
    width: usize,
    height: usize,
    samples: &'a [T],
    gain: [f32; 3],
    offset: [f32; 3],
}

/// A part of a frame, spread out; kept from one to the next for its memory.
#[derive(Default)]
pub(crate) struct Tile {
    left: isize,
    top: isize,
    width: usize,
    height: usize,
    /// Red, green, blue and one more.
    pixels: Vec<f32>,
    /// Where each pixel of a row of the result lies.
    places: Vec<Place>,
    /// Rows of the frame, mixed.
    mixed: Vec<f32>,
    row: Vec<Pair>,
}

/// Where a pixel of the result lies: its taps begin at these values of a part of
/// a frame, the first across and down, at these phases.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Place {
    x: u32,
    across: u32,
    row: u32,
    down: u32,
}

/// Half of a pixel's value and the other half, which are four values each: one
/// vector until the very end.
type Pair = [f32; 8];

impl<'a, T: Copy + Into<f32>> Source<'a, T> {
    /// Of a photograph with these samples, whose full scale is given.
    pub(crate) fn new(
        photo: &Photo,
        samples: &'a [T],
        full_scale: f64,
        exposure: &Exposure,
    ) -> Self {
        Self {
            width: photo.width,
            height: photo.height,
            samples,
            gain: exposure.gain.map(|gain| (gain / full_scale) as f32),
            offset: exposure.offset.map(|offset| offset as f32),
        }
    }

    /// Copies `area` of the frame.
    pub(crate) fn copy(&self, area: Area, out: [&mut [f32]; 3]) {
        let [red, green, blue] = out.map(|plane| plane.chunks_exact_mut(area.width));
        for (y, ((red, green), blue)) in (area.y..).zip(red.zip(green).zip(blue)) {
            let start = (y * self.width + area.x) * 3;
            let row = &self.samples[start..start + area.width * 3];
            vectorised(
                #[inline(always)]
                || {
                    let pixels = row.chunks_exact(3).zip(red).zip(green).zip(blue);
                    for (((rgb, red), green), blue) in pixels {
                        *red = rgb[0].into() * self.gain[0] + self.offset[0];
                        *green = rgb[1].into() * self.gain[1] + self.offset[1];
                        *blue = rgb[2].into() * self.gain[2] + self.offset[2];
                    }
                },
            );
        }
    }

    /// Samples the frame where `pose` puts each pixel of `area`; beyond its
    /// border the nearest pixel counts.
    pub(crate) fn warp(&self, pose: &Transform, area: Area, out: [&mut [f32]; 3], tile: &mut Tile) {
        let width = area.width;
        let [red, green, blue] = out;
        for x in (0..width).step_by(COLUMNS) {
            let part = Area {
                x: area.x + x,
                width: COLUMNS.min(width - x),
                ..area
            };
            self.warp_part(pose, part, tile, &mut |y, row| {
                let start = (y - area.y) * width + x;
                let range = start..start + row.len();
                let out = [
                    &mut red[range.clone()],
                    &mut green[range.clone()],
                    &mut blue[range],
                ];
                self.spread(row, out);
            });
        }
    }

    /// Warps a part of the result, halved until what it needs of the frame is
    /// little.
    fn warp_part(
        &self,
        pose: &Transform,
        area: Area,
        tile: &mut Tile,
        done: &mut dyn FnMut(usize, &[Pair]),
    ) {
        self.look_at(pose, area, tile);
        if tile.width * tile.height > MOST && area.height > 1 {
            let upper = area.height / 2;
            let first = Area {
                height: upper,
                ..area
            };
            self.warp_part(pose, first, tile, done);
            let second = Area {
                y: area.y + upper,
                height: area.height - upper,
                ..area
            };
            return self.warp_part(pose, second, tile, done);
        }
        self.load(tile);
        for y in area.y..area.y + area.height {
            vectorised(
                #[inline(always)]
                || tile.sample(pose, self, area.x, y, area.width),
            );
            done(y, &tile.row);
        }
    }

    /// Finds the part of the frame that `area` of the result needs.
    fn look_at(&self, pose: &Transform, area: Area, tile: &mut Tile) {
        let (x1, y1) = (area.x + area.width - 1, area.y + area.height - 1);
        let corners = [(area.x, area.y), (x1, area.y), (area.x, y1), (x1, y1)];
        let corners = corners.map(|(x, y)| self.held(pose.apply(x as f64, y as f64)));
        let span = |k: usize| {
            let least = corners.iter().map(|c| c[k]).fold(f64::INFINITY, f64::min);
            let most = corners
                .iter()
                .map(|c| c[k])
                .fold(f64::NEG_INFINITY, f64::max);
            // One more on each side, for rounding.
            let first = least.floor() as isize - BEFORE - 1;
            (
                first,
                (most.floor() as isize - first) as usize + TAPS + 1 - BEFORE as usize,
            )
        };
        ((tile.left, tile.width), (tile.top, tile.height)) = (span(0), span(1));
    }

    /// A position no further from the frame than counts.
    #[inline(always)]
    fn held(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let far = TAPS as f64;
        [
            u.max(-far).min(self.width as f64 + far),
            v.max(-far).min(self.height as f64 + far),
        ]
    }

    /// Spreads out the part of the frame that `tile` is.
    fn load(&self, tile: &mut Tile) {
        tile.pixels.resize(4 * tile.width * tile.height, 0.0);
        for (y, out) in tile.pixels.chunks_exact_mut(4 * tile.width).enumerate() {
            let v = (tile.top + y as isize).clamp(0, self.height as isize - 1) as usize;
            let row = &self.samples[v * self.width * 3..(v + 1) * self.width * 3];
            let last = self.width as isize - 1;
            let inside = |at: isize| at.clamp(0, last) as usize;
            let (first, end) = (
                inside(tile.left),
                inside(tile.left + tile.width as isize - 1),
            );
            let before = (first as isize - tile.left).clamp(0, tile.width as isize - 1) as usize;
            let count = end + 1 - first;
            let (head, rest) = out.split_at_mut(4 * before);
            let (middle, tail) = rest.split_at_mut(4 * count.min(tile.width - before));
            vectorised(
                #[inline(always)]
                || spread_out(&row[3 * first..], middle),
            );
            for end in [(head, &row[..3]), (tail, &row[row.len() - 3..])] {
                let (out, rgb) = end;
                for pixel in out.chunks_exact_mut(4) {
                    (0..3).for_each(|c| pixel[c] = rgb[c].into());
                }
            }
        }
    }

    /// From a row of pixels to three planes, in the values of the result.
    fn spread(&self, row: &[Pair], out: [&mut [f32]; 3]) {
        let [red, green, blue] = out;
        let (gain, offset) = (self.gain, self.offset);
        vectorised(
            #[inline(always)]
            || {
                let pixels = row.iter().zip(red).zip(green).zip(blue);
                for (((pixel, red), green), blue) in pixels {
                    *red = (pixel[0] + pixel[4]) * gain[0] + offset[0];
                    *green = (pixel[1] + pixel[5]) * gain[1] + offset[1];
                    *blue = (pixel[2] + pixel[6]) * gain[2] + offset[2];
                }
            },
        );
    }
}

/// Three samples a pixel to four values a pixel; the last is of no use.
#[inline(always)]
fn spread_out<T: Copy + Into<f32>>(row: &[T], out: &mut [f32]) {
    let count = out.len() / 4;
    // Four at a time are one vector: the fourth is the next pixel's.
    let whole = count.min((row.len() - 1) / 3);
    for (pixel, samples) in out
        .chunks_exact_mut(4)
        .zip(row.windows(4).step_by(3))
        .take(whole)
    {
        (0..4).for_each(|k| pixel[k] = samples[k].into());
    }
    for k in whole..count {
        (0..3).for_each(|c| out[4 * k + c] = row[3 * k + c].into());
    }
}

impl Tile {
    /// Samples `count` pixels of row `y` of the result from column `x` on.
    #[inline(always)]
    fn sample<T: Copy + Into<f32>>(
        &mut self,
        pose: &Transform,
        source: &Source<T>,
        x: usize,
        y: usize,
        count: usize,
    ) {
        self.find(pose, source, x, y, count);
        self.row.resize(count, [0.0; 8]);
        let Self {
            places, mixed, row, ..
        } = self;
        let (pixels, stride) = (&self.pixels[..], 4 * self.width);
        // Neighbours mostly lie between the same rows: these are mixed once.
        let runs = places.chunk_by(|a, b| (a.row, a.down) == (b.row, b.down));
        let mut rest = &mut row[..];
        for run in runs {
            let (out, others) = rest.split_at_mut(run.len());
            rest = others;
            let down = &weights()[run[0].down as usize];
            let from = &pixels[run[0].row as usize..];
            if run.len() < WORTH {
                for (out, place) in out.iter_mut().zip(run) {
                    let mut mixed = [0.0; 4 * TAPS];
                    let at = place.x as usize;
                    mix(down, |k| &from[at + k * stride..][..4 * TAPS], &mut mixed);
                    *out = across(&mixed, place.across as usize);
                }
                continue;
            }
            let (first, last) = (run[0].x as usize, run[run.len() - 1].x as usize);
            let (left, right) = (first.min(last), first.max(last) + 4 * TAPS);
            mixed.resize(right - left, 0.0);
            mix(down, |k| &from[k * stride..][left..right], mixed);
            for (out, place) in out.iter_mut().zip(run) {
                let at = place.x as usize - left;
                *out = across(&mixed[at..at + 4 * TAPS], place.across as usize);
            }
        }
    }

    /// Finds where the pixels of a row lie in this part of the frame.
    #[inline(always)]
    fn find<T: Copy + Into<f32>>(
        &mut self,
        pose: &Transform,
        source: &Source<T>,
        x: usize,
        y: usize,
        count: usize,
    ) {
        let frame = Held::new(self);
        self.places.resize(count, Place::default());
        if pose.is_affine() {
            let [u, v] = pose.apply(x as f64, y as f64);
            let (across, down) = (pose.0[0][0], pose.0[1][0]);
            let (u, v) = (fixed(u - frame.left), fixed(v - frame.top));
            let (across, down) = (fixed(across), fixed(down));
            for (k, out) in (0i64..).zip(&mut self.places) {
                *out = frame.place(u + k * across, v + k * down);
            }
        } else {
            for (k, out) in self.places.iter_mut().enumerate() {
                let [u, v] = source.held(pose.apply((x + k) as f64, y as f64));
                *out = frame.place(fixed(u - frame.left), fixed(v - frame.top));
            }
        }
    }
}

/// Makes `mixed` the weighted sum of six rows.
#[inline(always)]
fn mix<'a>(weights: &[f32; TAPS], row: impl Fn(usize) -> &'a [f32], mixed: &mut [f32]) {
    let [a, b, c, d, e, f] = std::array::from_fn(row);
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

/// The weighted sum of six pixels beside each other, in two parts.
#[inline(always)]
fn across(pixels: &[f32], phase: usize) -> Pair {
    let mut pairs = [0.0; 8];
    let pixels = pixels.chunks_exact(8);
    let weights = wide_weights()[phase].chunks_exact(8);
    for (pixels, weights) in pixels.zip(weights) {
        for ((sum, pixel), weight) in pairs.iter_mut().zip(pixels).zip(weights) {
            *sum += pixel * weight;
        }
    }
    pairs
}

/// Pixels between the same rows for which mixing the rows is worth it.
const WORTH: usize = 3;

/// Bits behind the point of a position.
const POINT: u32 = 32;
/// Of these, bits behind that of a phase.
const BEHIND: u32 = POINT - PHASES.trailing_zeros();

/// A position or step in fixed point.
#[inline(always)]
fn fixed(at: f64) -> i64 {
    (at * (1i64 << POINT) as f64) as i64
}

/// Where positions in a part of a frame begin, in pixels, the farthest from there
/// that have all their taps, in fixed point, and values from one row to the next.
#[derive(Clone, Copy)]
struct Held {
    left: f64,
    top: f64,
    right: i64,
    bottom: i64,
    stride: u32,
}

impl Held {
    fn new(tile: &Tile) -> Self {
        let most = |size: usize| ((size - TAPS) as i64) << POINT;
        Self {
            left: (tile.left + BEFORE) as f64,
            top: (tile.top + BEFORE) as f64,
            right: most(tile.width),
            bottom: most(tile.height),
            stride: 4 * tile.width as u32,
        }
    }

    /// Where the taps of a position begin, and its phases.
    #[inline(always)]
    fn place(self, u: i64, v: i64) -> Place {
        let split = |at: i64, most: i64| {
            let at = at.max(0).min(most);
            let part = at & ((1 << POINT) - 1);
            let phase = (part + (1 << (BEHIND - 1))) >> BEHIND;
            ((at >> POINT) as u32, phase as u32)
        };
        let (x, across) = split(u, self.right);
        let (y, down) = split(v, self.bottom);
        Place {
            x: 4 * x,
            across,
            row: y.wrapping_mul(self.stride),
            down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_leave_pixels_alone_and_mirror() {
        let table = weights();
        assert!((table[0][2] - 1.0).abs() < 1e-3, "{:?}", table[0]);
        for k in 0..TAPS {
            assert!((table[75][k] - table[PHASES - 75][TAPS - 1 - k]).abs() < 1e-5);
        }
    }
}
