//! The picture of all frames, put together where it is looked at.
//!
//! Most of a picture is its finest level of detail, which is kept in 16 bits. In
//! floating point all three channels would take twice the memory that the result
//! does, to be written once and read once: so they are made row by row.

use rayon::prelude::*;

use super::number::{Number, Root};
use super::range::{BLOCK, Limits, Range};
use crate::core::plane::Plane;
use crate::core::rows::Rows;
use crate::vector::vectorised;

/// Three channels, whose full scale is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    content: Content,
}

/// What there is of a picture.
#[derive(Debug, Clone, PartialEq)]
enum Content {
    /// What it is made of.
    Levels(Box<Levels>),
    /// Red, green and blue of each pixel in 16 bits: a device has put it together.
    Sixteen(Vec<u16>),
}

/// What a picture is made of.
#[derive(Debug, Clone, PartialEq)]
struct Levels {
    /// All, or what is below the finest level of detail, at half the size.
    base: [Plane; 3],
    finest: Option<[Vec<Root>; 3]>,
    /// What the picture is held within.
    range: Option<[Range; 3]>,
}

impl From<[Plane; 3]> for Picture {
    /// Of channels of one size.
    fn from(base: [Plane; 3]) -> Self {
        let [Plane { width, height, .. }, ..] = base;
        Self::of((width, height), base, None)
    }
}

/// Memory for a row.
#[derive(Debug, Default)]
struct Scratch {
    values: Vec<f32>,
    sums: Vec<f32>,
    limits: Limits,
}

impl Picture {
    /// Of `width`×`height` pixels: this detail, added to what is below it at half the
    /// size.
    pub(super) fn with_finest(
        size: (usize, usize),
        base: [Plane; 3],
        finest: [Vec<Root>; 3],
    ) -> Self {
        Self::of(size, base, Some(finest))
    }

    fn of(
        (width, height): (usize, usize),
        base: [Plane; 3],
        finest: Option<[Vec<Root>; 3]>,
    ) -> Self {
        let range = None;
        Self {
            width,
            height,
            content: Content::Levels(Box::new(Levels {
                base,
                finest,
                range,
            })),
        }
    }

    /// Of `width`×`height` pixels, of which red, green and blue are given one after
    /// another.
    pub(super) fn of_samples((width, height): (usize, usize), samples: Vec<u16>) -> Self {
        let content = Content::Sixteen(samples);
        Self {
            width,
            height,
            content,
        }
    }

    /// The same held within these ranges; what a device has put together is so
    /// already.
    pub(super) fn within(mut self, range: [Range; 3]) -> Self {
        if let Content::Levels(levels) = &mut self.content {
            levels.range = Some(range);
        }
        self
    }

    /// Columns and rows.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// One channel of it: red, green or blue.
    pub fn channel(&self, number: usize) -> Plane {
        let mut plane = Plane::default();
        self.channel_into(number, &mut plane);
        plane
    }

    /// The same in the memory of a plane.
    pub fn channel_into(&self, number: usize, plane: &mut Plane) {
        let width = self.width;
        plane.reshape(width, self.height);
        let levels = match &self.content {
            Content::Levels(levels) => levels,
            Content::Sixteen(samples) => {
                let pixels = samples.as_chunks::<3>().0.par_iter();
                let values = plane.data.par_iter_mut().zip(pixels);
                return values.for_each(|(value, pixel)| *value = f32::from(pixel[number]) / FULL);
            }
        };
        let bands = plane.data.par_chunks_mut((width * BLOCK).max(1));
        bands
            .enumerate()
            .for_each_init(Scratch::default, |scratch, (band, rows)| {
                let rows = rows.chunks_exact_mut(width).enumerate();
                for (k, row) in rows {
                    row.copy_from_slice(levels.row(number, band * BLOCK + k, width, scratch));
                }
            });
    }

    /// Red, green and blue.
    pub fn channels(&self) -> [Plane; 3] {
        [0, 1, 2].map(|number| self.channel(number))
    }

    /// Red, green and blue of each pixel in 16 bits, row after row.
    pub fn into_samples(self) -> Vec<u16> {
        let (width, height) = (self.width, self.height);
        let levels = match self.content {
            Content::Levels(levels) => levels,
            Content::Sixteen(samples) => return samples,
        };
        let mut samples = vec![0u16; 3 * width * height];
        let bands = samples.par_chunks_mut((3 * width * BLOCK).max(1));
        let scratch = || [(); 3].map(|()| Scratch::default());
        bands
            .enumerate()
            .for_each_init(scratch, |scratch, (band, rows)| {
                for (k, row) in rows.chunks_exact_mut(3 * width).enumerate() {
                    for (number, scratch) in scratch.iter_mut().enumerate() {
                        levels.row(number, band * BLOCK + k, width, scratch);
                    }
                    interleave(scratch.each_ref().map(|scratch| &scratch.values[..]), row);
                }
            });
        samples
    }
}

impl Levels {
    /// Row `y` of a channel, of so many pixels. A block of rows is asked for from the
    /// top down.
    fn row<'a>(
        &self,
        number: usize,
        y: usize,
        width: usize,
        scratch: &'a mut Scratch,
    ) -> &'a [f32] {
        let Scratch {
            values,
            sums,
            limits,
        } = scratch;
        let base = &self.base[number];
        values.resize(width, 0.0);
        match &self.finest {
            Some(finest) => {
                base.expanded_row(y, values, sums);
                add(&finest[number][y * width..][..width], values);
            }
            None => values.copy_from_slice(base.row(y)),
        }
        if let Some(range) = &self.range {
            if y.is_multiple_of(BLOCK) {
                range[number].limits(y / BLOCK, limits);
            }
            limits.hold(values);
        }
        values
    }
}

/// Full scale of 16 bits.
const FULL: f32 = 65535.0;

/// Adds detail.
fn add(detail: &[Root], values: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let both = values.iter_mut().zip(detail);
            both.for_each(|(value, detail)| *value += detail.value());
        },
    );
}

/// Puts a row of three channels together, in 16 bits.
fn interleave([red, green, blue]: [&[f32]; 3], row: &mut [u16]) {
    vectorised(
        #[inline(always)]
        || {
            let pixels = row.as_chunks_mut::<3>().0.iter_mut();
            for (((pixel, red), green), blue) in pixels.zip(red).zip(green).zip(blue) {
                *pixel = [sample(*red), sample(*green), sample(*blue)];
            }
        },
    );
}

/// A share of full scale in 16 bits.
#[inline(always)]
fn sample(value: f32) -> u16 {
    (value * FULL + 0.5).clamp(0.0, FULL) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(width: usize, height: usize, seed: u64) -> Plane {
        let mut random = fastrand::Rng::with_seed(seed);
        Plane {
            width,
            height,
            data: (0..width * height).map(|_| random.f32()).collect(),
        }
    }

    #[test]
    fn it_is_what_its_levels_put_together_are() {
        for (width, height) in [(1usize, 1usize), (5, 3), (38, 21), (64, 50)] {
            let base = [1, 2, 3].map(|seed| random(width.div_ceil(2), height.div_ceil(2), seed));
            let roots = [4, 5, 6].map(|seed| {
                let values = random(width, height, seed).data.into_iter();
                values.map(|v| Root::of(v - 0.5)).collect::<Vec<_>>()
            });
            let ranges = [7, 8, 9].map(|seed| {
                let mut range = Range::new(width, height);
                range.add(&random(width, height, seed), None);
                range
            });
            let picture = Picture::with_finest((width, height), base.clone(), roots.clone());
            let picture = picture.within(ranges.clone());
            assert_eq!(picture.size(), [width, height]);
            let channels = picture.channels();
            let samples = picture.into_samples();
            assert_eq!(samples.len(), 3 * width * height);
            for (c, channel) in channels.into_iter().enumerate() {
                let mut whole = base[c].expanded(width, height);
                let details = whole.data.iter_mut().zip(&roots[c]);
                details.for_each(|(value, root)| *value += root.value());
                ranges[c].clamp(&mut whole);
                assert_eq!(channel, whole);
                let own = samples.iter().skip(c).step_by(3);
                for (own, value) in own.zip(&whole.data) {
                    assert!((f32::from(*own) - 65535.0 * value).abs() < 0.51);
                }
            }
        }
    }

    #[test]
    fn channels_come_back_as_they_are_and_samples_end_at_full_scale() {
        let channels = [0.5f32, -0.25, 1.5].map(|value| Plane::filled(7, 6, value));
        let picture = Picture::from(channels.clone());
        assert_eq!(picture.channels(), channels);
        let samples = picture.into_samples();
        assert!(samples.chunks_exact(3).all(|p| p == [32768, 0, 65535]));
        let whole = Picture::of_samples((7, 6), samples.clone());
        let values = [32768.0 / 65535.0, 0.0, 1.0];
        assert_eq!(
            whole.channels(),
            values.map(|value| Plane::filled(7, 6, value))
        );
        assert_eq!(whole.into_samples(), samples);
    }
}
