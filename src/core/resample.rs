//! Samples a frame between its pixels, tile by tile.
//!
//! What a tile of the result needs of the frame is first loaded as floating
//! point, a plane for each channel: then neighbours are one vector, and nothing
//! is converted more than once.

mod curve;
mod tile;

use std::f64::consts::PI;
use std::sync::OnceLock;

pub(crate) use self::tile::Tile;
use super::Transform;
use super::linear::Normal;
use super::vector::vectorised;
use super::warp::{Area, Exposure};
use crate::photo::Photo;

/// Taps of the interpolation, each way.
pub(crate) const TAPS: usize = 6;
/// Positions between two pixels that have weights of their own.
pub(crate) const PHASES: usize = 1024;

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

/// Columns that are warped at a time: what they need of the frame stays in the
/// cache.
const COLUMNS: usize = 256;
/// The most pixels of a frame that are loaded at a time.
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
            self.warp_part(pose, part, tile, &mut |y, tile| {
                let start = (y - area.y) * width + x;
                let range = start..start + part.width;
                let out = [
                    &mut red[range.clone()],
                    &mut green[range.clone()],
                    &mut blue[range],
                ];
                vectorised(
                    #[inline(always)]
                    || self.sample(pose, [part.x, y], tile, out),
                );
            });
        }
    }

    /// Loads what a part of the result needs of the frame, and calls `each` with
    /// each row; the part is halved until that is little.
    fn warp_part(
        &self,
        pose: &Transform,
        area: Area,
        tile: &mut Tile,
        each: &mut dyn FnMut(usize, &mut Tile),
    ) {
        self.look_at(pose, area, tile);
        if tile.width * tile.height > MOST && area.height > 1 {
            let upper = area.height / 2;
            let first = Area {
                height: upper,
                ..area
            };
            self.warp_part(pose, first, tile, each);
            let second = Area {
                y: area.y + upper,
                height: area.height - upper,
                ..area
            };
            return self.warp_part(pose, second, tile, each);
        }
        self.load(tile);
        for y in area.y..area.y + area.height {
            each(y, tile);
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

    /// Loads the part of the frame that `tile` is.
    fn load(&self, tile: &mut Tile) {
        let size = tile.width * tile.height;
        let last = self.width as isize - 1;
        let inside = |at: isize| at.clamp(0, last) as usize;
        let (first, end) = (
            inside(tile.left),
            inside(tile.left + tile.width as isize - 1),
        );
        let before = (first as isize - tile.left).clamp(0, tile.width as isize - 1) as usize;
        let count = (end + 1 - first).min(tile.width - before);
        for plane in &mut tile.planes {
            plane.resize(size, 0.0);
        }
        for y in 0..tile.height {
            let v = (tile.top + y as isize).clamp(0, self.height as isize - 1) as usize;
            let row = &self.samples[v * self.width * 3..(v + 1) * self.width * 3];
            let range = y * tile.width..(y + 1) * tile.width;
            let mut out = tile.planes.each_mut();
            let [red, green, blue] = out.each_mut().map(|plane| &mut plane[range.clone()]);
            let middle = before..before + count;
            vectorised(
                #[inline(always)]
                || {
                    let out = [&mut *red, &mut *green, &mut *blue];
                    let out = out.map(|row| &mut row[middle.clone()]);
                    spread_out(&row[3 * first..], out);
                },
            );
            for (c, out) in [red, green, blue].into_iter().enumerate() {
                out[..before].fill(row[c].into());
                out[before + count..].fill(row[row.len() - 3 + c].into());
            }
        }
    }

    /// Samples pixels of row `y` of the result, from column `x` on, in this part
    /// of the frame.
    #[inline(always)]
    fn sample(&self, pose: &Transform, [x, y]: [usize; 2], tile: &mut Tile, out: [&mut [f32]; 3]) {
        let (gain, offset) = (self.gain, self.offset);
        let [left, top] = [tile.left, tile.top].map(|first| (first + BEFORE) as f64);
        if pose.is_affine() {
            let [u, v] = pose.apply(x as f64, y as f64);
            let (across, down) = (pose.0[0][0], pose.0[1][0]);
            let (u, v) = (u - left, v - top);
            let place = |k: f64| [u + k * across, v + k * down];
            tile.sample(place, gain, offset, out);
        } else {
            let place = |k: f64| {
                let [u, v] = pose.apply(x as f64 + k, y as f64);
                [u - left, v - top]
            };
            tile.sample(place, gain, offset, out);
        }
    }
}

/// Three samples a pixel to three planes.
#[inline(always)]
fn spread_out<T: Copy + Into<f32>>(row: &[T], [red, green, blue]: [&mut [f32]; 3]) {
    let pixels = row.chunks_exact(3).zip(red).zip(green).zip(blue);
    for (((rgb, red), green), blue) in pixels {
        (*red, *green, *blue) = (rgb[0].into(), rgb[1].into(), rgb[2].into());
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
            assert!((table[300][k] - table[PHASES - 300][TAPS - 1 - k]).abs() < 1e-5);
        }
    }
}
