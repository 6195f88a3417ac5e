//! Brings a frame into the reference's geometry, in one resampling.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::ops::Range;

use super::keep_going::check;
use super::plane::Plane;
use super::resample::{Source, Tile, is_flat};
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

impl Exposure {
    /// A picture of `width`×`height` pixels of red, green and blue whose values are
    /// changed so, of samples of which `full` is the full scale.
    pub(super) fn of<T: Copy + Into<f32>>(
        self,
        size: [usize; 2],
        samples: &[T],
        full: f64,
    ) -> Source<'_, T> {
        let gain = self.gain.map(|gain| (gain / full) as f32);
        Source::new(size, samples, gain, self.offset.map(|offset| offset as f32))
    }
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

impl Area {
    /// These rows and columns of it.
    pub(super) fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        Self {
            x: self.x + columns.start,
            y: self.y + rows.start,
            width: columns.len(),
            height: rows.len(),
        }
    }
}

/// Rows that one task warps: what they read of a frame overlaps with what their
/// neighbours read.
const ROWS: usize = 32;

/// How the values of a result are found; kernels know it by its number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// They are copied: nothing moves, and all of them are there.
    Copy = 0,
    /// Each is sampled by itself.
    Each = 1,
    /// The frame is mixed along the lines on which the rows lie.
    Lines = 2,
}

impl Way {
    /// For `area`, which `pose` takes from a picture of `width`×`height` pixels.
    pub(crate) fn of([width, height]: [usize; 2], pose: &Transform, area: Area) -> Self {
        let is_inside = area.x + area.width <= width && area.y + area.height <= height;
        if pose.is_identity() && is_inside {
            Self::Copy
        } else if is_flat(pose, area) {
            Self::Lines
        } else {
            Self::Each
        }
    }
}

/// Samples `photo` where `pose` (reference to frame pixels) puts each pixel of
/// `area`, and applies `exposure`. A pose that is the identity copies.
///
/// Outside the frame the nearest pixel is repeated, and the mask says so.
pub fn warp(photo: &Photo, pose: &Transform, area: Area, exposure: &Exposure) -> Warped {
    let mut warped = Warped::empty();
    // Nothing says no.
    let _ = warped.renew(photo, pose, area, exposure, ALWAYS);
    warped
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
    let mut warped = Warped::empty();
    warped.renew(photo, pose, area, exposure, keep_going)?;
    Ok(warped)
}

/// A frame, and how it is brought into the geometry of the result.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The frame.
    pub photo: &'a Photo,
    /// From pixels of the reference to those of the frame.
    pub pose: &'a Transform,
    /// What the result shows.
    pub area: Area,
    /// What is done to its values.
    pub exposure: &'a Exposure,
}

impl Placed<'_> {
    /// Whether all of the result is shown, so that there is no mask.
    pub fn is_whole(&self) -> bool {
        is_whole(self.photo, self.pose, self.area)
    }

    /// All of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn warp(&self, keep_going: KeepGoing) -> Result<Warped> {
        warp_unless_stopped(self.photo, self.pose, self.area, self.exposure, keep_going)
    }

    /// Finds `columns` of `rows` of the result, which `channels` have room for.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn rows(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        channels: [&mut [f32]; 3],
        keep_going: KeepGoing,
    ) -> Result<()> {
        let Self {
            photo,
            pose,
            area,
            exposure,
        } = *self;
        let size = [photo.width, photo.height];
        let way = Way::of(size, pose, area);
        let area = area.part(rows, columns);
        match &photo.samples {
            Samples::Eight(samples) => {
                let source = exposure.of(size, samples, 255.0);
                warp_samples(&source, pose, area, way, channels, keep_going);
            }
            Samples::Sixteen(samples) => {
                let source = exposure.of(size, samples, 65535.0);
                warp_samples(&source, pose, area, way, channels, keep_going);
            }
        }
        check(keep_going)
    }
}

impl Warped {
    /// Nothing yet; for [`Self::renew`].
    pub fn empty() -> Self {
        Self {
            channels: std::array::from_fn(|_| Plane::default()),
            mask: None,
        }
    }

    /// Becomes what [`warp`] makes of the same, in the memory that is there.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no;
    /// what is here then is of no use.
    pub fn renew(
        &mut self,
        photo: &Photo,
        pose: &Transform,
        area: Area,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        for channel in &mut self.channels {
            channel.reshape(area.width, area.height);
        }
        let placed = Placed {
            photo,
            pose,
            area,
            exposure,
        };
        let channels = self.channels.each_mut().map(|plane| &mut plane.data[..]);
        placed.rows(0..area.height, 0..area.width, channels, keep_going)?;
        self.mask = mask(photo, pose, area);
        check(keep_going)
    }
}

thread_local! {
    /// Kept from one band to the next for its memory.
    static TILE: RefCell<Tile> = RefCell::default();
}

/// Warps the rows of `into`; a band is left as it is once `keep_going` says no.
pub(super) fn warp_samples<T: Copy + Into<f32> + Sync, const N: usize>(
    source: &Source<T, N>,
    pose: &Transform,
    area: Area,
    way: Way,
    into: [&mut [f32]; N],
    keep_going: KeepGoing,
) {
    let length = (area.width * ROWS).max(1);
    let mut parts = into.map(|plane| plane.chunks_mut(length));
    let bands = (0..area.height.div_ceil(ROWS)).map(|_| {
        let each = parts.each_mut();
        each.map(|parts| parts.next().unwrap_or_default())
    });
    let bands: Vec<[&mut [f32]; N]> = bands.collect();
    bands
        .into_par_iter()
        .enumerate()
        .filter(|_| keep_going())
        .for_each(|(band, out)| {
            let band_area = Area {
                y: area.y + band * ROWS,
                height: ROWS.min(area.height - band * ROWS),
                ..area
            };
            match way {
                Way::Copy => source.copy(band_area, out),
                Way::Each => source.turn(pose, band_area, out),
                Way::Lines => TILE.with_borrow_mut(|tile| source.warp(pose, band_area, out, tile)),
            }
        });
}

/// True where `pose` puts a pixel of the result on a `width`×`height` frame:
/// within its rectangle and half a pixel around it.
fn covers([width, height]: [usize; 2], pose: &Transform, x: usize, y: usize) -> bool {
    let [u, v] = pose.apply(x as f64, y as f64);
    u >= -0.5 && v >= -0.5 && u <= width as f64 - 0.5 && v <= height as f64 - 0.5
}

/// True where `photo` shows the scene at every pixel of `area`: its mask is
/// then `None`.
pub(crate) fn is_whole(photo: &Photo, pose: &Transform, area: Area) -> bool {
    photo.alpha.is_none() && is_covered([photo.width, photo.height], pose, area)
}

/// True where a picture of this size shows the scene at every pixel of `area`.
pub(super) fn is_covered(size: [usize; 2], pose: &Transform, area: Area) -> bool {
    let (x1, y1) = (area.x + area.width - 1, area.y + area.height - 1);
    let corners = [(area.x, area.y), (x1, area.y), (area.x, y1), (x1, y1)];
    corners.iter().all(|&(x, y)| covers(size, pose, x, y))
}

/// Where a frame shows the scene: its rectangle, less where its own alpha says
/// it is empty.
fn mask(photo: &Photo, pose: &Transform, area: Area) -> Option<Plane> {
    if is_whole(photo, pose, area) {
        return None;
    }
    let mut mask = rectangle([photo.width, photo.height], pose, area);
    if let Some(alpha) = &photo.alpha {
        mask.bands_mut().for_each(|(first, rows)| {
            for (y, row) in (first..).zip(rows.chunks_exact_mut(area.width)) {
                for (x, shown) in row.iter_mut().enumerate() {
                    let [u, v] = pose.apply((area.x + x) as f64, (area.y + y) as f64);
                    if *shown > 0.0 && !opaque(photo, alpha, u, v) {
                        *shown = 0.0;
                    }
                }
            }
        });
    }
    Some(mask)
}

/// 1 where a picture of this size shows the scene, and 0 elsewhere.
pub(super) fn rectangle(size: [usize; 2], pose: &Transform, area: Area) -> Plane {
    let mut mask = Plane::new(area.width, area.height);
    mask.bands_mut().for_each(|(first, rows)| {
        for (y, row) in (first..).zip(rows.chunks_exact_mut(area.width)) {
            for (x, shown) in row.iter_mut().enumerate() {
                if covers(size, pose, area.x + x, area.y + y) {
                    *shown = 1.0;
                }
            }
        }
    });
    mask
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
        let photo = picture(120, 80, waves);
        for angle in [0.02, -0.2, 1.2] {
            let pose = Transform::similarity(1.01, angle, [60.0, 40.0], [3.3, -1.7]);
            let warped = warp(&photo, &pose, whole(&photo), &Exposure::default());
            for y in 15..65 {
                for x in 15..105 {
                    let [u, v] = pose.apply(x as f64, y as f64);
                    let is_inside = (3.0..116.0).contains(&u) && (3.0..76.0).contains(&v);
                    let error = f64::from(warped.channels[0].row(y)[x]) - waves(u, v);
                    assert!(
                        !is_inside || error.abs() < 2e-3,
                        "{angle} ({x}, {y}): {error}"
                    );
                }
            }
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
