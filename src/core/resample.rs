//! Samples a frame between its pixels, tile by tile.
//!
//! A row of the result lies on a straight line in the frame. So what a tile needs
//! of the frame is first mixed down its columns, each at the height at which the
//! line crosses it, and then along the line (Catmull and Smith, 1980). In between
//! nothing is lost as long as the line is not steep.

use super::Transform;
use super::taps::{BEFORE, LANES, STRIDE, TAPS, mix, runs, weights};
use super::warp::Area;
use crate::vector::{touch, vectorised};

/// Columns that are warped at a time: what they need of the frame stays in the
/// cache.
const COLUMNS: usize = 256;
/// The most rows down that a line goes on one column.
const STEEP: f64 = 0.25;
/// How far, in pixels, a homography may be from going straight on.
const BENT: f64 = 1e-4;
/// The farthest that a pixel's neighbour may be.
const FAR: f64 = 2.0;

/// Whether the rows of `area` lie on lines in a frame that are not steep, where
/// pixels are about as far from each other as in the result.
pub(crate) fn is_flat(pose: &Transform, area: Area) -> bool {
    [area.y, area.y + area.height].into_iter().all(|y| {
        let ([u, v], [u1, v1]) = ends(pose, area, y);
        let is_near = [u, v, u1, v1].iter().all(|at| at.abs() < 1e8);
        // Along a row the distance grows, or shrinks, from one end to the other.
        let is_apart = [area.x, area.x + area.width - 1].into_iter().all(|x| {
            let at = |x: usize| pose.apply(x as f64, y as f64)[0];
            (1.0 / FAR..FAR).contains(&(at(x + 1) - at(x)))
        });
        is_near && is_apart && (v1 - v).abs() < STEEP * (u1 - u)
    })
}

/// Where row `y` of `area` begins in a frame, and where it ends.
fn ends(pose: &Transform, area: Area, y: usize) -> ([f64; 2], [f64; 2]) {
    let at = |x: usize| pose.apply(x as f64, y as f64);
    (at(area.x), at(area.x + area.width))
}

/// A picture of `N` channels, and how its values become those of the result.
pub(crate) struct Source<'a, T, const N: usize = 3> {
    width: usize,
    height: usize,
    /// Pixels from one row to the next.
    pitch: usize,
    /// Samples from one channel to the next, where they do not lie beside each other.
    plane: Option<usize>,
    samples: &'a [T],
    gain: [f32; N],
    offset: [f32; N],
}

/// A part of a frame, in the values of the result; kept from one to the next for
/// its memory.
#[derive(Default)]
pub(crate) struct Tile {
    left: isize,
    top: isize,
    width: usize,
    height: usize,
    /// Rows of all channels.
    rows: Vec<f32>,
    /// Such a row, mixed of others,
    mixed: Vec<f32>,
    /// and then sampled.
    sampled: Vec<f32>,
}

/// What columns need of a frame has room in a row, also where it is turned.
const _: () = assert!(COLUMNS * 2 + 64 + LANES <= STRIDE);

impl<'a, T: Copy + Into<f32>, const N: usize> Source<'a, T, N> {
    /// Of `width`×`height` pixels with these interleaved samples, of which each value
    /// of a channel counts `gain` times, and `offset` more.
    pub(crate) fn new(
        [width, height]: [usize; 2],
        samples: &'a [T],
        gain: [f32; N],
        offset: [f32; N],
    ) -> Self {
        Self {
            width,
            height,
            pitch: width,
            plane: None,
            samples,
            gain,
            offset,
        }
    }

    /// The same where a row begins so many pixels after the one above it.
    pub(crate) fn pitched(self, pitch: usize) -> Self {
        Self { pitch, ..self }
    }

    /// The same where each channel has a plane of its own, all of them as large.
    pub(crate) fn in_planes(self) -> Self {
        let plane = Some(self.samples.len() / N);
        Self { plane, ..self }
    }

    /// Copies `area` of the frame.
    pub(crate) fn copy(&self, area: Area, out: [&mut [f32]; N]) {
        let mut rows = out.map(|plane| plane.chunks_exact_mut(area.width));
        for y in area.y..area.y + area.height {
            let next = rows.each_mut().map(|rows| rows.next().unwrap_or_default());
            self.spread(area.x, y, next);
        }
    }

    /// Copies pixels of a row from column `x` on.
    fn spread(&self, x: usize, y: usize, mut out: [&mut [f32]; N]) {
        let (start, count) = (y * self.pitch + x, out.first().map_or(0, |out| out.len()));
        let Self { gain, offset, .. } = self;
        let plane = match (self.plane, &mut out[..]) {
            (None, [red, green, blue]) => {
                let row = &self.samples[3 * start..3 * (start + count)];
                return vectorised(
                    #[inline(always)]
                    || {
                        let pixels = row.as_chunks::<3>().0.iter();
                        let pixels = pixels.zip(&mut **red).zip(&mut **green).zip(&mut **blue);
                        for (((rgb, red), green), blue) in pixels {
                            *red = rgb[0].into() * gain[0] + offset[0];
                            *green = rgb[1].into() * gain[1] + offset[1];
                            *blue = rgb[2].into() * gain[2] + offset[2];
                        }
                    },
                );
            }
            (plane, _) => plane.unwrap_or_default(),
        };
        for (c, out) in out.into_iter().enumerate() {
            let row = &self.samples[c * plane + start..][..count];
            let (gain, offset) = (gain[c], offset[c]);
            vectorised(
                #[inline(always)]
                || {
                    let values = out.iter_mut().zip(row);
                    values.for_each(|(out, value)| *out = (*value).into() * gain + offset);
                },
            );
        }
    }

    /// Samples the frame where `pose` puts each pixel of `area`, which [`is_flat`];
    /// beyond its border the nearest pixel counts.
    pub(crate) fn warp(
        &self,
        pose: &Transform,
        area: Area,
        mut out: [&mut [f32]; N],
        tile: &mut Tile,
    ) {
        for x in (0..area.width).step_by(COLUMNS) {
            let part = Area {
                x: area.x + x,
                width: COLUMNS.min(area.width - x),
                ..area
            };
            self.load(pose, part, tile);
            for (row, y) in (area.y..area.y + area.height).enumerate() {
                let start = row * area.width + x;
                let range = start..start + part.width;
                let out = out.each_mut().map(|out| &mut out[range.clone()]);
                tile.mix::<N>(ends(pose, area, y));
                tile.sample(pose, part.x, y, out);
            }
        }
    }

    /// Loads what `area` needs of the frame.
    fn load(&self, pose: &Transform, area: Area, tile: &mut Tile) {
        let (y0, y1) = (area.y, area.y + area.height - 1);
        let ((a, b), (c, d)) = (ends(pose, area, y0), ends(pose, area, y1));
        let span = |k: usize, more: isize| {
            let all = [a, b, c, d].map(|at| at[k]);
            let least = all.into_iter().fold(f64::INFINITY, f64::min);
            let most = all.into_iter().fold(f64::NEG_INFINITY, f64::max);
            (
                least.floor() as isize - BEFORE - more,
                most.floor() as isize + TAPS as isize - BEFORE + more,
            )
        };
        // One more on each side for rounding, and what a line goes down on the
        // taps beyond it.
        let ((left, right), (top, bottom)) = (span(0, 1), span(1, 2));
        (tile.left, tile.top) = (left, top);
        (tile.width, tile.height) = ((right - left) as usize, (bottom - top) as usize);
        let width = tile.width;
        let length = N * STRIDE;
        tile.rows.resize(length * tile.height, 0.0);
        for row in [&mut tile.mixed, &mut tile.sampled] {
            row.resize(length, 0.0);
        }
        let inside = |at: isize| at.clamp(0, self.width as isize) as usize;
        let (first, end) = (inside(left), inside(right));
        let before = (first as isize - left).clamp(0, width as isize) as usize;
        let shown = before..before + (end - first);
        let line = |row: usize| (top + row as isize).clamp(0, self.height as isize - 1) as usize;
        if !shown.is_empty() {
            for y in (0..tile.height).map(line) {
                let start = y * self.pitch;
                match self.plane {
                    None => touch(&self.samples[(start + first) * N..(start + end) * N]),
                    Some(plane) => (0..N).for_each(|c| {
                        touch(&self.samples[c * plane + start + first..][..end - first]);
                    }),
                }
            }
        }
        for row in 0..tile.height {
            let y = line(row);
            let row = &mut tile.rows[row * length..(row + 1) * length];
            let mut parts = row.chunks_exact_mut(STRIDE);
            let mut channels: [&mut [f32]; N] =
                std::array::from_fn(|_| &mut parts.next().unwrap_or_default()[..width]);
            if shown.is_empty() {
                let nearest = self.pixel(first.min(self.width - 1), y);
                let both = channels.into_iter().zip(nearest);
                both.for_each(|(channel, value)| channel.fill(value));
                continue;
            }
            let places = channels
                .each_mut()
                .map(|channel| &mut channel[shown.clone()]);
            self.spread(first, y, places);
            for channel in channels {
                let (left, right) = (channel[shown.start], channel[shown.end - 1]);
                channel[..shown.start].fill(left);
                channel[shown.end..].fill(right);
            }
        }
    }

    /// The values of a pixel.
    fn pixel(&self, x: usize, y: usize) -> [f32; N] {
        let at = y * self.pitch + x;
        std::array::from_fn(|c| {
            let place = self.plane.map_or(at * N + c, |plane| c * plane + at);
            self.samples[place].into() * self.gain[c] + self.offset[c]
        })
    }

    /// The same of any area, pixel by pixel, which takes long.
    pub(crate) fn turn(&self, pose: &Transform, area: Area, mut out: [&mut [f32]; N]) {
        let near = |at: f64, size: usize| at.max(-(TAPS as f64)).min((size + TAPS) as f64);
        let tap = |first: f64, k: usize, size: usize| {
            let at = first as isize - BEFORE + k as isize;
            at.clamp(0, size as isize - 1) as usize
        };
        for at in 0..area.width * area.height {
            let (x, y) = (area.x + at % area.width, area.y + at / area.width);
            let [u, v] = pose.apply(x as f64, y as f64);
            let (u, v) = (near(u, self.width), near(v, self.height));
            let (column, row) = (u.floor(), v.floor());
            let (across, down) = (weights((u - column) as f32), weights((v - row) as f32));
            let mut sum = [0.0; N];
            for (i, across) in across.iter().enumerate() {
                for (j, down) in down.iter().enumerate() {
                    let (x, y) = (tap(column, i, self.width), tap(row, j, self.height));
                    let values = sum.iter_mut().zip(self.pixel(x, y));
                    values.for_each(|(sum, value)| *sum += across * down * value);
                }
            }
            let values = out.iter_mut().zip(sum);
            values.for_each(|(out, sum)| out[at] = sum);
        }
    }
}

impl Tile {
    /// Mixes the rows that the line through two points lies between.
    fn mix<const N: usize>(&mut self, ([u, v], [u1, v1]): ([f64; 2], [f64; 2])) {
        let slope = (v1 - v) / (u1 - u);
        let (top, last) = (self.top + BEFORE, self.height - TAPS);
        let start = v + (self.left as f64 - u) * slope;
        runs(start, slope, self.width, |range, row, part| {
            let row = ((row - top).max(0) as usize).min(last);
            let from = &self.rows[row * N * STRIDE + range.start..];
            let out = &mut self.mixed[range.start..];
            mix::<true, N>((part, slope as f32), range.len(), from, out);
        });
    }

    /// Samples the mixed row where `pose` puts row `y` of the result from column
    /// `x` on.
    fn sample<const N: usize>(
        &mut self,
        pose: &Transform,
        x: usize,
        y: usize,
        mut out: [&mut [f32]; N],
    ) {
        let Self { mixed, sampled, .. } = self;
        let (left, last) = (self.left + BEFORE, self.width - TAPS);
        let count = out[0].len();
        let place = |column: usize| pose.apply((x + column) as f64, y as f64)[0];
        let middle = place(count / 2) - place(0);
        let end = (place(count) - place(0)) * (count / 2) as f64 / count as f64;
        // An arc bends by the square of its length.
        let arcs = ((middle - end).abs() / BENT).sqrt().ceil().max(1.0);
        let straight = count.div_ceil(arcs as usize);
        for first in (0..count).step_by(straight) {
            let more = straight.min(count - first);
            let at = place(first);
            let step = (place(first + more) - at) / more as f64 - 1.0;
            runs(at, step, more, |range, column, part| {
                let most = (last + 1).saturating_sub(range.len());
                let from = column - left + range.start as isize;
                let from = (from.max(0) as usize).min(most);
                let out = &mut sampled[first + range.start..];
                mix::<false, N>((part, step as f32), range.len(), &mixed[from..], out);
            });
        }
        for (out, sampled) in out.iter_mut().zip(sampled.chunks_exact(STRIDE)) {
            out.copy_from_slice(&sampled[..count]);
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::warp::Exposure;
    use crate::photo::{Photo, Samples};

    const SIZE: (usize, usize) = (400, 90);

    fn photo() -> Photo {
        let (width, height) = SIZE;
        let wave = |x: f64, y: f64| (0.3 * x + 0.2 * y).sin() + (0.35 * y - 0.1 * x).cos();
        let value = |i: usize| {
            let (x, y) = (i / 3 % width, i / 3 / width);
            let wave = wave((x + 5 * (i % 3)) as f64, y as f64);
            (32768.0 + 13000.0 * wave) as u16
        };
        Photo {
            width,
            height,
            samples: Samples::Sixteen((0..width * height * 3).map(value).collect()),
            ..Photo::default()
        }
    }

    fn planes(count: usize) -> [Vec<f32>; 3] {
        std::array::from_fn(|_| vec![f32::NAN; count])
    }

    #[test]
    fn what_is_mixed_along_lines_is_what_each_pixel_shows() {
        let photo = photo();
        let Samples::Sixteen(samples) = &photo.samples else {
            unreachable!()
        };
        let exposure = Exposure {
            gain: [1.1, 1.0, 0.9],
            offset: [0.01, 0.0, -0.02],
        };
        let source = exposure.of([photo.width, photo.height], samples, 65535.0);
        let area = Area {
            x: 3,
            y: 2,
            width: 390,
            height: 80,
        };
        let turned = |angle| Transform::similarity(1.003, angle, [200.0, 45.0], [1.3, -0.7]);
        let mut bent = turned(0.01);
        bent.0[2] = [3e-5, -2e-5, 1.0];
        let away = Transform::translation(-7.4, 30.6);
        let scaled = |scale| Transform::similarity(scale, 0.1, [200.0, 45.0], [0.0, 0.0]);
        let nowhere = Transform::translation(900.0, -300.5);
        for pose in [0.0, 0.0007, 0.02, -0.2].map(turned).into_iter().chain([
            bent,
            away,
            scaled(0.7),
            scaled(1.95),
            nowhere,
        ]) {
            assert!(is_flat(&pose, area));
            let count = area.width * area.height;
            let (mut lines, mut each) = (planes(count), planes(count));
            let rows = lines.each_mut().map(|plane| &mut plane[..]);
            source.warp(&pose, area, rows, &mut Tile::default());
            source.turn(&pose, area, each.each_mut().map(|plane| &mut plane[..]));
            let both = lines.iter().flatten().zip(each.iter().flatten());
            let most = both.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(most < 1e-3, "{pose:?}: {most}");
        }
    }

    #[test]
    fn steep_lines_and_far_pixels_are_not_flat() {
        let area = Area {
            x: 0,
            y: 0,
            width: 400,
            height: 90,
        };
        let similarity =
            |scale, angle| Transform::similarity(scale, angle, [200.0, 45.0], [0.0; 2]);
        for pose in [
            similarity(1.0, 0.3),
            similarity(1.0, 3.1),
            similarity(2.5, 0.0),
            similarity(0.4, 0.0),
        ] {
            assert!(!is_flat(&pose, area), "{pose:?}");
        }
        // On the whole pixels are near each other, but not on the right.
        let bent = Transform([[1.2, 0.0, 0.0], [0.0, 1.0, 0.0], [-6e-4, 0.0, 1.0]]);
        assert!(!is_flat(&bent, area));
    }
}
