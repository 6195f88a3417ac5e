//! The picture of all frames, put together where it is looked at.
//!
//! Most of a picture is its finest level of detail, which is kept in 16 bits. In
//! floating point all three channels would take twice the memory that the result
//! does, to be written once and read once: so they are made row by row.
//!
//! Where frames have their colour at half the size, red, green and blue share that
//! detail, and it is their grey that is held within its range.

use rayon::prelude::*;

use super::number::{Number, Root};
use super::range::{BLOCK, Limits, Range};
use super::ranges::Ranges;
use crate::core::plane::Plane;
use crate::core::rows::Rows;
use crate::core::subsampled::grey_of;
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
    /// That of red, green and blue, or one that they share; none where `base` is all.
    finest: Vec<Vec<Root>>,
    /// What the picture is held within: red, green and blue, or grey.
    range: Vec<Range>,
    /// The grey of `base`, where it is held.
    grey: Option<Plane>,
}

impl From<[Plane; 3]> for Picture {
    /// Of channels of one size.
    fn from(base: [Plane; 3]) -> Self {
        let [Plane { width, height, .. }, ..] = base;
        Self::of((width, height), base, Vec::new())
    }
}

/// Memory for a row.
#[derive(Debug, Default)]
struct Scratch {
    values: Vec<f32>,
    sums: Vec<f32>,
    limits: Limits,
}

/// Memory for what red, green and blue share of a row.
#[derive(Debug, Default)]
struct Shared {
    detail: Vec<f32>,
    below: Scratch,
}

impl Picture {
    /// Of `width`×`height` pixels: this detail, added to what is below it at half the
    /// size.
    pub(super) fn with_finest<const N: usize>(
        size: (usize, usize),
        base: [Plane; 3],
        finest: [Vec<Root>; N],
    ) -> Self {
        Self::of(size, base, finest.into())
    }

    fn of((width, height): (usize, usize), base: [Plane; 3], finest: Vec<Vec<Root>>) -> Self {
        Self {
            width,
            height,
            content: Content::Levels(Box::new(Levels {
                base,
                finest,
                range: Vec::new(),
                grey: None,
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
    pub(super) fn within<const N: usize>(mut self, ranges: Ranges<N>) -> Self {
        if let Content::Levels(levels) = &mut self.content {
            if let Some(half) = &ranges.half {
                let planes = half.iter().zip(&mut levels.base);
                planes.for_each(|(range, plane)| range.clamp(plane));
                levels.grey = Some(grey(&levels.base));
            }
            levels.range = ranges.full.into();
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
        let scratch = <(Shared, Scratch)>::default;
        bands
            .enumerate()
            .for_each_init(scratch, |(shared, scratch), (band, rows)| {
                for (k, row) in rows.chunks_exact_mut(width).enumerate() {
                    let y = band * BLOCK + k;
                    levels.share(y, width, shared);
                    levels.row(number, y, &shared.detail, scratch);
                    row.copy_from_slice(&scratch.values);
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
        let scratch = <(Shared, [Scratch; 3])>::default;
        bands
            .enumerate()
            .for_each_init(scratch, |(shared, scratch), (band, rows)| {
                for (k, row) in rows.chunks_exact_mut(3 * width).enumerate() {
                    let y = band * BLOCK + k;
                    levels.share(y, width, shared);
                    for (number, scratch) in scratch.iter_mut().enumerate() {
                        levels.row(number, y, &shared.detail, scratch);
                    }
                    interleave(scratch.each_ref().map(|scratch| &scratch.values[..]), row);
                }
            });
        samples
    }
}

impl Levels {
    /// Finds what red, green and blue share of row `y`, of `width` pixels, in the
    /// detail of `shared`: nothing where each has its own. A block of rows is asked for
    /// from the top down.
    fn share(&self, y: usize, width: usize, shared: &mut Shared) {
        let Shared { detail, below } = shared;
        let [finest] = &self.finest[..] else {
            detail.resize(width, 0.0);
            return;
        };
        let finest = &finest[y * width..][..width];
        detail.clear();
        match &self.grey {
            None => detail.extend(finest.iter().map(|detail| detail.value())),
            Some(grey) => {
                let Scratch {
                    values,
                    sums,
                    limits,
                } = below;
                values.resize(width, 0.0);
                grey.expanded_row(y, values, sums);
                detail.extend_from_slice(values);
                add(finest, detail);
                self.hold(0, y, detail, limits);
                subtract(values, detail);
            }
        }
    }

    /// Finds row `y` of a channel, with this detail beside its own. A block of rows is
    /// asked for from the top down.
    fn row(&self, number: usize, y: usize, detail: &[f32], scratch: &mut Scratch) {
        let Scratch {
            values,
            sums,
            limits,
        } = scratch;
        let (base, width) = (&self.base[number], detail.len());
        values.resize(width, 0.0);
        match &self.finest[..] {
            [] => values.copy_from_slice(base.row(y)),
            [_] => {
                base.expanded_row(y, values, sums);
                let both = values.iter_mut().zip(detail);
                both.for_each(|(value, detail)| *value += detail);
                return;
            }
            all => {
                base.expanded_row(y, values, sums);
                add(&all[number][y * width..][..width], values);
            }
        }
        self.hold(number, y, values, limits);
    }

    /// Holds row `y` within the range of this number, if it is held.
    fn hold(&self, number: usize, y: usize, row: &mut [f32], limits: &mut Limits) {
        if let Some(range) = self.range.get(number) {
            if y.is_multiple_of(BLOCK) {
                range.limits(y / BLOCK, limits);
            }
            limits.hold(row);
        }
    }
}

/// The grey of a picture.
fn grey([red, green, blue]: &[Plane; 3]) -> Plane {
    let mut grey = red.clone();
    let values = grey.data.par_iter_mut().zip(&green.data).zip(&blue.data);
    values.for_each(|((grey, green), blue)| *grey = grey_of(*grey, *green, *blue));
    grey
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

/// Takes away what is below detail.
fn subtract(below: &[f32], values: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let both = values.iter_mut().zip(below);
            both.for_each(|(value, below)| *value -= below);
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
            let picture = picture.within(Ranges::from(ranges.clone()));
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
    fn detail_that_channels_share_keeps_grey_within_its_range_and_colours_as_they_are() {
        for (width, height) in [(1usize, 1usize), (5, 3), (38, 21), (64, 50)] {
            let size = (width.div_ceil(2), height.div_ceil(2));
            let base = [1, 2, 3].map(|seed| random(size.0, size.1, seed));
            let values = random(width, height, 4).data.into_iter();
            let detail: Vec<Root> = values.map(|v| Root::of(v - 0.5)).collect();
            let mut ranges = Ranges::<1>::new(width, height);
            ranges.full[0].add(&random(width, height, 5), None);
            for (range, seed) in ranges.half.iter_mut().flat_map(|half| &mut **half).zip(6..) {
                range.add(&random(size.0, size.1, seed), None);
            }
            let free = Picture::with_finest((width, height), base.clone(), [detail]);
            let held = free.clone().within(ranges.clone());
            // What is below the detail is held first.
            let mut below = base;
            let half = ranges.half.as_deref().unwrap();
            let planes = half.iter().zip(&mut below);
            planes.for_each(|(range, plane)| range.clamp(plane));
            let below = below.map(|plane| plane.expanded(width, height));
            let free = free.channels();
            let [red, green, blue] = held.channels();
            let grey = |i: usize| grey_of(red.data[i], green.data[i], blue.data[i]);
            let mut clamped = red.clone();
            (0..clamped.data.len()).for_each(|i| clamped.data[i] = grey(i));
            ranges.full[0].clamp(&mut clamped);
            for i in 0..width * height {
                assert!((clamped.data[i] - grey(i)).abs() < 1e-5, "{i}");
                let own = [red.data[i] - green.data[i], red.data[i] - blue.data[i]];
                let right = [1, 2].map(|c| below[0].data[i] - below[c].data[i]);
                let off = (own[0] - right[0]).abs().max((own[1] - right[1]).abs());
                assert!(off < 1e-5, "{i}: {off}");
            }
            let wild = free[0].data.iter().zip(&red.data).filter(|(a, b)| a != b);
            assert!(wild.count() > width * height / 4);
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
