//! Brings a frame into the reference's geometry, in one resampling.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::sync::OnceLock;

use super::keep_going::check;
use super::linear::Normal;
use super::plane::{BAND, Plane};
use super::{ALWAYS, KeepGoing, Transform};
use crate::Result;
use crate::photo::{Photo, Samples};

/// A frame in the geometry of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Warped {
    /// Red, green, blue; full scale is 1, and values a little beyond 0 and 1
    /// are kept.
    pub channels: [Plane; 3],
    /// 1 where the frame shows the scene, 0 where it does not; `None` where
    /// it does everywhere.
    pub mask: Option<Plane>,
}

/// What is done to a frame's values: `value * gain + offset`, per channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Factors for red, green, blue.
    pub gain: [f64; 3],
    /// Added afterwards, as a share of full scale.
    pub offset: [f64; 3],
}

impl Default for Exposure {
    fn default() -> Self {
        Self {
            gain: [1.0; 3],
            offset: [0.0; 3],
        }
    }
}

/// The part of the reference frame that the result shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge in pixels of the reference.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
}

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

/// True where warping is copying: nothing moves, and `area` lies within
/// `photo`.
pub(crate) fn is_copy(photo: &Photo, pose: &Transform, area: Area) -> bool {
    pose.is_identity() && area.x + area.width <= photo.width && area.y + area.height <= photo.height
}

/// Samples `photo` where `pose` (reference to frame pixels) puts each pixel of
/// `area`, and applies `exposure`. A pose that is the identity copies.
///
/// Outside the frame the nearest pixel is repeated, and the mask says so.
pub fn warp(photo: &Photo, pose: &Transform, area: Area, exposure: &Exposure) -> Warped {
    warped(photo, pose, area, exposure, ALWAYS)
}

/// As [`warp`], unless `keep_going` says no on the way.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) then.
pub fn warp_unless_stopped(
    photo: &Photo,
    pose: &Transform,
    area: Area,
    exposure: &Exposure,
    keep_going: KeepGoing,
) -> Result<Warped> {
    let warped = warped(photo, pose, area, exposure, keep_going);
    check(keep_going)?;
    Ok(warped)
}

/// A warp of which bands are left black once `keep_going` says no.
fn warped(
    photo: &Photo,
    pose: &Transform,
    area: Area,
    exposure: &Exposure,
    keep_going: KeepGoing,
) -> Warped {
    match &photo.samples {
        Samples::Eight(samples) => {
            warp_samples(photo, samples, 255.0, pose, area, exposure, keep_going)
        }
        Samples::Sixteen(samples) => {
            warp_samples(photo, samples, 65535.0, pose, area, exposure, keep_going)
        }
    }
}

fn warp_samples<T: Copy + Into<f32> + Sync>(
    photo: &Photo,
    samples: &[T],
    full_scale: f64,
    pose: &Transform,
    area: Area,
    exposure: &Exposure,
    keep_going: KeepGoing,
) -> Warped {
    let source = Source {
        width: photo.width,
        height: photo.height,
        samples,
        gain: exposure.gain.map(|gain| (gain / full_scale) as f32),
        offset: exposure.offset.map(|offset| offset as f32),
    };
    let blank = || Plane::new(area.width, area.height);
    let copies = is_copy(photo, pose, area);
    let mut channels = [blank(), blank(), blank()];
    {
        let [red, green, blue] = &mut channels;
        red.bands_mut()
            .zip(green.bands_mut())
            .zip(blue.bands_mut())
            .filter(|_| keep_going())
            .for_each(|(((first, red), (_, green)), (_, blue))| {
                let rows = red
                    .chunks_exact_mut(area.width)
                    .zip(green.chunks_exact_mut(area.width))
                    .zip(blue.chunks_exact_mut(area.width));
                for (y, ((red, green), blue)) in (first..).zip(rows) {
                    let out = [red, green, blue];
                    if copies {
                        source.copy_row(area.x, area.y + y, out);
                    } else {
                        source.warp_row(pose, area, y, out);
                    }
                }
            });
    }
    let mask = mask(photo, pose, area);
    Warped { channels, mask }
}

struct Source<'a, T> {
    width: usize,
    height: usize,
    samples: &'a [T],
    gain: [f32; 3],
    offset: [f32; 3],
}

impl<T: Copy + Into<f32>> Source<'_, T> {
    fn copy_row(&self, x: usize, y: usize, out: [&mut [f32]; 3]) {
        let start = (y * self.width + x) * 3;
        for (c, out) in out.into_iter().enumerate() {
            let row = &self.samples[start + c..];
            for (out, sample) in out.iter_mut().zip(row.iter().step_by(3)) {
                *out = (*sample).into() * self.gain[c] + self.offset[c];
            }
        }
    }

    fn warp_row(&self, pose: &Transform, area: Area, y: usize, out: [&mut [f32]; 3]) {
        let table = weights();
        let [red, green, blue] = out;
        let line = Line::new(pose, area, y);
        for x in 0..area.width {
            let [u, v] = line.at(x);
            let (u0, v0) = (u.floor(), v.floor());
            let wx = &table[((u - u0) * PHASES as f64 + 0.5) as usize];
            let wy = &table[((v - v0) * PHASES as f64 + 0.5) as usize];
            let (u0, v0) = (u0 as isize - 2, v0 as isize - 2);
            let inside = u0 >= 0
                && v0 >= 0
                && u0 as usize + TAPS <= self.width
                && v0 as usize + TAPS <= self.height;
            let sum = if inside {
                self.inner(u0 as usize, v0 as usize, wx, wy)
            } else {
                self.outer(u0, v0, wx, wy)
            };
            red[x] = sum[0] * self.gain[0] + self.offset[0];
            green[x] = sum[1] * self.gain[1] + self.offset[1];
            blue[x] = sum[2] * self.gain[2] + self.offset[2];
        }
    }

    #[inline]
    fn inner(&self, u0: usize, v0: usize, wx: &[f32; TAPS], wy: &[f32; TAPS]) -> [f32; 3] {
        // Columns first: eighteen sums side by side are what a vector unit likes.
        let mut columns = [0.0f32; TAPS * 3];
        for (k, &w) in wy.iter().enumerate() {
            let start = ((v0 + k) * self.width + u0) * 3;
            let row = &self.samples[start..start + TAPS * 3];
            for (sum, &sample) in columns.iter_mut().zip(row) {
                *sum += w * sample.into();
            }
        }
        let mut sum = [0.0f32; 3];
        for (k, &w) in wx.iter().enumerate() {
            for c in 0..3 {
                sum[c] += w * columns[3 * k + c];
            }
        }
        sum
    }

    fn outer(&self, u0: isize, v0: isize, wx: &[f32; TAPS], wy: &[f32; TAPS]) -> [f32; 3] {
        let clamp = |at: isize, size: usize| at.clamp(0, size as isize - 1) as usize;
        let mut sum = [0.0f32; 3];
        for (j, &wy) in wy.iter().enumerate() {
            let row = clamp(v0 + j as isize, self.height) * self.width;
            for (i, &wx) in wx.iter().enumerate() {
                let at = (row + clamp(u0 + i as isize, self.width)) * 3;
                for (sum, &sample) in sum.iter_mut().zip(&self.samples[at..at + 3]) {
                    *sum += wx * wy * sample.into();
                }
            }
        }
        sum
    }
}

/// Where the pixels of one row of the result lie in a frame.
struct Line {
    pose: Transform,
    affine: bool,
    start: [f64; 2],
    left: f64,
    y: f64,
}

impl Line {
    fn new(pose: &Transform, area: Area, y: usize) -> Self {
        let (left, y) = (area.x as f64, (area.y + y) as f64);
        Self {
            pose: *pose,
            affine: pose.is_affine(),
            start: pose.apply(left, y),
            left,
            y,
        }
    }

    #[inline]
    fn at(&self, x: usize) -> [f64; 2] {
        let m = &self.pose.0;
        if self.affine {
            let x = x as f64;
            [self.start[0] + m[0][0] * x, self.start[1] + m[1][0] * x]
        } else {
            self.pose.apply(self.left + x as f64, self.y)
        }
    }
}

/// True where `pose` puts a pixel of the result on a `width`×`height` frame:
/// within its rectangle and half a pixel around it.
fn covers(width: usize, height: usize, pose: &Transform, x: usize, y: usize) -> bool {
    let [u, v] = pose.apply(x as f64, y as f64);
    u >= -0.5 && v >= -0.5 && u <= width as f64 - 0.5 && v <= height as f64 - 0.5
}

/// True where `photo` shows the scene at every pixel of `area`: its mask is
/// then `None`.
pub(crate) fn is_whole(photo: &Photo, pose: &Transform, area: Area) -> bool {
    let (x1, y1) = (area.x + area.width - 1, area.y + area.height - 1);
    let corners = [(area.x, area.y), (x1, area.y), (area.x, y1), (x1, y1)];
    photo.alpha.is_none()
        && corners
            .iter()
            .all(|&(x, y)| covers(photo.width, photo.height, pose, x, y))
}

/// Where a frame shows the scene: its rectangle, less where its own alpha says
/// it is empty.
fn mask(photo: &Photo, pose: &Transform, area: Area) -> Option<Plane> {
    if is_whole(photo, pose, area) {
        return None;
    }
    let covers = |x, y| covers(photo.width, photo.height, pose, x, y);
    let mut mask = Plane::new(area.width, area.height);
    mask.data
        .par_chunks_mut(area.width * BAND)
        .enumerate()
        .for_each(|(band, rows)| {
            for (row, out) in rows.chunks_exact_mut(area.width).enumerate() {
                let y = band * BAND + row;
                for (x, out) in out.iter_mut().enumerate() {
                    if !covers(area.x + x, area.y + y) {
                        continue;
                    }
                    *out = match &photo.alpha {
                        None => 1.0,
                        Some(alpha) => {
                            let [u, v] = pose.apply((area.x + x) as f64, (area.y + y) as f64);
                            f32::from(u8::from(opaque(photo, alpha, u, v)))
                        }
                    };
                }
            }
        });
    Some(mask)
}

/// True where every pixel that an interpolation at (`u`, `v`) leans on is
/// opaque.
fn opaque(photo: &Photo, alpha: &[u8], u: f64, v: f64) -> bool {
    let clamp = |at: f64, size: usize| (at.max(0.0) as usize).min(size - 1);
    [0.0, 1.0].iter().all(|dy| {
        [0.0, 1.0].iter().all(|dx| {
            let (x, y) = (
                clamp(u.floor() + dx, photo.width),
                clamp(v.floor() + dy, photo.height),
            );
            alpha[y * photo.width + x] >= 128
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, value: impl Fn(f64, f64) -> f64) -> Photo {
        let samples = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x as f64, y as f64)))
            .flat_map(|(x, y)| [(value(x, y) * 65535.0).round() as u16; 3])
            .collect();
        Photo {
            width,
            height,
            samples: Samples::Sixteen(samples),
            ..Photo::default()
        }
    }

    fn waves(x: f64, y: f64) -> f64 {
        0.5 + 0.2 * (0.3 * x + 0.2 * y).sin() + 0.2 * (0.35 * y - 0.1 * x).cos()
    }

    fn whole(photo: &Photo) -> Area {
        Area {
            x: 0,
            y: 0,
            width: photo.width,
            height: photo.height,
        }
    }

    #[test]
    fn identity_copies_to_the_last_bit() {
        let photo = picture(30, 20, waves);
        let warped = warp(
            &photo,
            &Transform::IDENTITY,
            whole(&photo),
            &Exposure::default(),
        );
        let Samples::Sixteen(samples) = &photo.samples else {
            unreachable!()
        };
        for (value, sample) in warped.channels[1]
            .data
            .iter()
            .zip(samples.iter().skip(1).step_by(3))
        {
            assert_eq!((value * 65535.0).round(), f32::from(*sample));
        }
        assert_eq!(warped.mask, None);
    }

    #[test]
    fn what_lies_beyond_the_photograph_is_its_border() {
        let photo = picture(30, 20, waves);
        let area = Area {
            width: 40,
            ..whole(&photo)
        };
        let warped = warp(&photo, &Transform::IDENTITY, area, &Exposure::default());
        let row = warped.channels[0].row(5);
        assert_eq!(row[38], row[39]);
        assert!((f64::from(row[39]) - waves(29.0, 5.0)).abs() < 1e-3);
        let mask = warped.mask.unwrap();
        assert_eq!((mask.row(5)[29], mask.row(5)[30]), (1.0, 0.0));
    }

    #[test]
    fn a_warp_samples_where_the_pose_points() {
        let pose = Transform::similarity(1.01, 0.02, [60.0, 40.0], [3.3, -1.7]);
        let photo = picture(120, 80, waves);
        let warped = warp(&photo, &pose, whole(&photo), &Exposure::default());
        for y in 15..65 {
            for x in 15..105 {
                let [u, v] = pose.apply(x as f64, y as f64);
                let error = f64::from(warped.channels[0].row(y)[x]) - waves(u, v);
                assert!(error.abs() < 2e-3, "({x}, {y}): {error}");
            }
        }
    }

    #[test]
    fn weights_leave_pixels_alone_and_mirror() {
        let table = weights();
        assert!((table[0][2] - 1.0).abs() < 1e-3, "{:?}", table[0]);
        for k in 0..TAPS {
            assert!((table[300][k] - table[PHASES - 300][TAPS - 1 - k]).abs() < 1e-5);
        }
    }

    #[test]
    fn a_crop_is_the_part_of_the_whole() {
        let pose = Transform::similarity(1.005, -0.01, [60.0, 40.0], [1.0, 2.0]);
        let photo = picture(120, 80, waves);
        let all = warp(&photo, &pose, whole(&photo), &Exposure::default());
        let area = Area {
            x: 30,
            y: 20,
            width: 50,
            height: 40,
        };
        let part = warp(&photo, &pose, area, &Exposure::default());
        for y in 0..40 {
            for x in 0..50 {
                let difference = part.channels[2].row(y)[x] - all.channels[2].row(y + 20)[x + 30];
                assert!(difference.abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_mask_ends_where_the_frame_does() {
        let photo = picture(40, 30, waves);
        let pose = Transform::translation(10.0, 0.0);
        let mask = warp(&photo, &pose, whole(&photo), &Exposure::default())
            .mask
            .unwrap();
        assert_eq!((mask.row(5)[29], mask.row(5)[30]), (1.0, 0.0));
    }

    #[test]
    fn alpha_counts_as_outside() {
        let mut photo = picture(40, 30, waves);
        let mut alpha = vec![255; 1200];
        alpha[15 * 40 + 20] = 0;
        photo.alpha = Some(alpha);
        let area = whole(&photo);
        let mask = warp(&photo, &Transform::IDENTITY, area, &Exposure::default())
            .mask
            .unwrap();
        assert_eq!((mask.row(15)[20], mask.row(10)[10]), (0.0, 1.0));
    }

    #[test]
    fn there_and_back_costs_little() {
        let pose = Transform::similarity(1.01, 0.01, [60.0, 40.0], [0.4, 0.6]);
        let photo = picture(120, 80, waves);
        let there = warp(&photo, &pose, whole(&photo), &Exposure::default());
        let middle = picture(120, 80, |x, y| {
            f64::from(there.channels[0].row(y as usize)[x as usize])
        });
        let back = pose.inverse().unwrap();
        let again = warp(&middle, &back, whole(&photo), &Exposure::default());
        for y in 15..65 {
            for x in 15..105 {
                let error = f64::from(again.channels[0].row(y)[x]) - waves(x as f64, y as f64);
                assert!(error.abs() < 3e-3);
            }
        }
    }

    /// A texture with all that a sharp photograph has, up to half of what its
    /// pixels can hold.
    fn texture(x: f64, y: f64) -> f64 {
        let waves = [
            (0.3, 0.2, 0.1),
            (0.7, -0.4, 0.08),
            (-0.5, 1.1, 0.06),
            (1.3, 0.6, 0.05),
        ];
        let wave = |(u, v, height): (f64, f64, f64)| height * (u * x + v * y + 9.0 * height).sin();
        0.5 + waves.into_iter().map(wave).sum::<f64>()
    }

    /// Samples by Catmull-Rom's cubic, the yardstick.
    fn cubic(values: &[f64], width: usize, height: usize, pose: &Transform) -> Vec<f64> {
        let weights = |t: f64| {
            [
                ((2.0 - t) * t - 1.0) * t / 2.0,
                ((3.0 * t - 5.0) * t * t + 2.0) / 2.0,
                ((4.0 - 3.0 * t) * t + 1.0) * t / 2.0,
                (t - 1.0) * t * t / 2.0,
            ]
        };
        let clamp = |v: f64, size: usize| v.clamp(0.0, size as f64 - 1.0) as usize;
        (0..width * height)
            .map(|i| {
                let [u, v] = pose.apply((i % width) as f64, (i / width) as f64);
                let (wx, wy) = (weights(u - u.floor()), weights(v - v.floor()));
                (0..16)
                    .map(|k| {
                        let (x, y) = (
                            u.floor() + (k % 4) as f64 - 1.0,
                            v.floor() + (k / 4) as f64 - 1.0,
                        );
                        wx[k % 4] * wy[k / 4] * values[clamp(y, height) * width + clamp(x, width)]
                    })
                    .sum()
            })
            .collect()
    }

    #[test]
    fn there_and_back_costs_less_than_a_cubic() {
        let (width, height) = (120, 80);
        let pose = Transform::similarity(1.01, 0.01, [60.0, 40.0], [0.4, 0.6]);
        let back = pose.inverse().unwrap();
        let inner = |i: &usize| (15..105).contains(&(i % width)) && (15..65).contains(&(i / width));
        let rms = |found: &dyn Fn(usize) -> f64| {
            let squares: Vec<f64> = (0..width * height)
                .filter(inner)
                .map(|i| (found(i) - texture((i % width) as f64, (i / width) as f64)).powi(2))
                .collect();
            (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
        };
        let start: Vec<f64> = (0..width * height)
            .map(|i| texture((i % width) as f64, (i / width) as f64))
            .collect();
        let there = cubic(&start, width, height, &pose);
        let again = cubic(&there, width, height, &back);
        let yardstick = rms(&|i| again[i]);

        let deep = picture(width, height, texture);
        let Samples::Sixteen(samples) = &deep.samples else {
            panic!("pictures here have 16 bits");
        };
        let shallow = Photo {
            samples: Samples::Eight(
                samples
                    .iter()
                    .map(|&v| ((u32::from(v) + 128) / 257) as u8)
                    .collect(),
            ),
            ..deep.clone()
        };
        // Eight bits cost half a level at most, on top.
        for (photo, rounding) in [(&deep, 0.0), (&shallow, 0.5 / 255.0)] {
            let there = warp(photo, &pose, whole(photo), &Exposure::default());
            let middle = picture(width, height, |x, y| {
                f64::from(there.channels[1].row(y as usize)[x as usize]).clamp(0.0, 1.0)
            });
            let again = warp(&middle, &back, whole(&middle), &Exposure::default());
            let error = rms(&|i| f64::from(again.channels[1].data[i]));
            assert!(error < yardstick + rounding, "{error} of {yardstick}");
        }
    }
}
