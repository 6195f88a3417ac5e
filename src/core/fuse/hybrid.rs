//! Fusion by a pyramid, and a close mean in it, weighted by the finest contrast.
//!
//! What a frame counts is decided where focus shows: by its contrast at the two
//! finest scales. Blur that spreads from edges and highlights has energy at
//! coarse scales alone, so it wins hardly anywhere and leaves no halo. Where no
//! frame has contrast beyond noise all count alike, and noise averages out
//! instead of building up with the number of frames.
//!
//! Frames are blended level by level (Burt and Adelson, 1983), so that no seam
//! shows where they differ in brightness. But levels carry what a frame shows
//! at an edge far into its surroundings. Where there is texture seams hide, so
//! all below the finest detail is also blended in one level, at half the size,
//! and takes the place of the others as far as contrast is beyond noise.

use std::ops;
use std::sync::Arc;

use rayon::prelude::*;

use super::brought::{Coloured, Source, Subsampled};
use super::contrast::{Sharpest, Spread, Winners};
use super::depth::telling;
use super::levels::{self, Detail, DetailRow};
use super::number::Root;
use super::prefer::Bias;
use super::ranges::{AllSeen, Ranges};
use super::softness::raised;
use super::tiles::{Pane, Tiles};
use super::weighted::{Sums, Weighted};
use super::work::{Given, Strip, Work};
use super::{Accumulator, Fused, OfPlanes, Picture};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::noise::believable;
use crate::core::plane::Plane;
use crate::core::rows::Rows;
use crate::core::subsampled::Planes;
use crate::core::veil::Veil;
use crate::core::warp::{Placed, Warped};
use crate::vector::vectorised;

/// What a frame counts is this power of its contrast, and twice the power where
/// contrast is far beyond noise: then the sharpest frame alone is best, while a
/// choice among noise is better left to many,
pub const POWER: i32 = 4;
/// times this one of the energy of the level itself: between close edges of
/// another depth it is all that tells where coarse detail is.
const OWN_POWER: i32 = 2;
/// The range of the first power, for those who want it softer or harder: beyond
/// it what counts least would be nothing in floating point.
const LEAST_POWER: f32 = 1.0;
const MOST_POWER: f32 = 5.0;
/// Contrast that counts as none, for noise of 1: next to nothing, since texture
/// as faint as the noise would be lost. Where there is noise alone, frames have
/// much the same contrast, and count alike by that.
const FLOOR: f32 = 0.05;
/// The least share of that floor that any strength of noise makes.
const LEAST_STRENGTH: f32 = 0.1;
/// Energy of a level that counts as none, for noise of 1.
pub const OWN_FLOOR: f32 = 16.0;
/// Contrast in which seams half hide, for noise of 1.
pub const HIDING: f32 = 30.0;
/// Contrast far beyond noise, for noise of 1.
pub const CLEAR: f32 = 100.0;
/// What a frame counts, before the power, where it shows nothing: only where no
/// frame shows anything it counts at all.
pub const HIDDEN: f32 = 0.001;
/// Keeps the weights, from those of what is hidden to those of the clearest
/// texture, in the range of floating point: before the power.
pub const SCALE: f32 = 3e-5;

/// Contrast that counts as none, for noise of 1 that is taken to be as many times
/// stronger than it is: with more, more frames are averaged where detail is as
/// faint as noise.
pub fn floor(strength: f32) -> f32 {
    FLOOR * strength.powi(4).max(LEAST_STRENGTH)
}

/// The power of contrast for a result that is as many times softer; see
/// [`softness`](super::softness::softness).
pub fn power(softness: f32) -> f32 {
    (POWER as f32 / softness).clamp(LEAST_POWER, MOST_POWER)
}

/// Accumulates frames, level by level, weighted by their finest contrast: of red, green
/// and blue, or of grey at the finest level and of all three below it.
#[derive(Debug, Clone)]
pub struct Hybrid<const N: usize = 3> {
    /// The finest detail, which holds most of the memory.
    finest: Option<Weighted<Root, N>>,
    /// Levels of detail below it, largest first.
    details: Vec<Weighted>,
    /// What is below all of them.
    rest: Weighted,
    /// Width and height in pixels.
    size: (usize, usize),
    /// All below the finest level in one.
    close: Weighted,
    range: Ranges<N>,
    sharpest: Sharpest,
    noise: f32,
    /// What is lifted off the frames first.
    veil: Option<Arc<Veil>>,
    bias: Bias,
    clamp: bool,
    power: f32,
    floor: f32,
    /// What is looked at in a frame, kept for the next for its memory.
    work: Work<N>,
    /// The standing at each level but the finest; kept for its memory.
    standings: Vec<Plane>,
}

impl<const N: usize> Hybrid<N> {
    /// Nothing added yet. `count` levels of detail, or as many as leave about
    /// 16 pixels on the shorter side; for `noise` see
    /// [`noise`](crate::core::noise::noise).
    pub fn new(width: usize, height: usize, count: Option<usize>, noise: f32) -> Self {
        let count = levels::count(width, height, count);
        let sizes = levels::sizes(width, height, count);
        let coarser = sizes.iter().take(count).skip(1);
        let (w, h) = sizes[count];
        Self {
            finest: (count > 0).then(|| Weighted::new(width, height)),
            details: coarser.map(|&(w, h)| Weighted::new(w, h)).collect(),
            rest: Weighted::new(w, h),
            size: (width, height),
            close: Weighted::new(width.div_ceil(2), height.div_ceil(2)),
            range: Ranges::new(width, height),
            sharpest: Sharpest::new(width, height, telling(noise)),
            noise: believable(noise),
            veil: None,
            bias: Bias::default(),
            clamp: true,
            power: POWER as f32,
            floor: FLOOR,
            work: Work::default(),
            standings: Vec::new(),
        }
    }

    /// The same, for noise of this strength; see [`floor`].
    pub fn quieter(self, strength: f32) -> Self {
        let floor = floor(strength);
        Self { floor, ..self }
    }

    /// The same, as many times softer; see [`power`].
    pub fn softer(self, softness: f32) -> Self {
        let power = power(softness);
        Self { power, ..self }
    }

    /// The same of frames that what is in front lays this veil over.
    pub fn unveiled(self, veil: Arc<Veil>) -> Self {
        let veil = Some(veil);
        Self { veil, ..self }
    }

    /// The same with a preference, held within the range of its sources or not.
    pub fn tuned(self, bias: Bias, clamp: bool) -> Self {
        Self {
            bias,
            clamp,
            ..self
        }
    }

    /// Adds a frame in the geometry of the result, with what is hidden of it filled.
    fn blend(&mut self, index: u16, frame: &impl Source<N>, keep_going: KeepGoing) -> Result<()> {
        let scale = Scale {
            floor: self.floor,
            power: self.power,
            own: 1.0 / (OWN_FLOOR * self.noise),
        };
        let count = usize::from(self.finest.is_some()) + self.details.len();
        let (width, height) = self.size;
        let factor = self.bias.factor(index);
        let noise = self.noise;
        let lift = 1.0 / (self.floor * self.noise);
        let mut standings = std::mem::take(&mut self.standings);
        standings.resize_with(count.max(1), Plane::default);
        standings[0].reshape(width.div_ceil(2), height.div_ceil(2));
        let mut work = std::mem::take(&mut self.work);
        let veil = self.veil.as_ref().map(|veil| veil.over(index));
        check(keep_going)?;
        let mask = frame.mask();
        let shown = mask.map(Plane::windowed);
        // Of other frames there is no range at half the size.
        let half_mask = mask.filter(|_| N == 1).map(Plane::reduced);
        let slack = frame.colours().map_or(0.0, |planes| planes.tones.slack);
        let tiles = Tiles::of(width, height);
        let given = Given {
            tiles: &tiles,
            frame,
            veil: veil.as_ref(),
            count,
            factor,
            noise,
        };
        work.look(
            &given,
            keep_going,
            self.parts(&tiles, &mut standings[0], slack),
            |strip, rows, part| part.see(strip, rows, mask),
            |strip, part| {
                strip.stand(lift, shown.as_ref());
                if let Some(part) = part {
                    part.take(index, strip, [mask, half_mask.as_ref()], scale);
                }
            },
        )?;
        check(keep_going)?;
        self.sharpest
            .add_depth(index, &work.focus, &work.clues(), mask);
        // The finest of them was added tile by tile.
        let mut details = self.details.iter_mut().skip(1);
        for number in 2..=count {
            check(keep_going)?;
            if let (above, [below, ..]) = standings.split_at_mut(number - 1)
                && let Some(above) = above.last()
            {
                above.reduce_into(below);
            }
            let standing = &standings[number - 1];
            let fine = &work.below[number - 2];
            match details.next() {
                Some(level) => {
                    let detail = Detail::new(fine, Some(&work.below[number - 1]));
                    level.add_detail(&detail, |y, out| {
                        scale.weigh(standing.row(y), out);
                        scale.weigh_own(work.soft[number - 2].row(y), out);
                    });
                }
                None => {
                    let all = Detail::new(fine, None);
                    self.rest
                        .add_detail(&all, |y, out| scale.weigh(standing.row(y), out));
                }
            }
        }
        (self.work, self.standings) = (work, standings);
        Ok(())
    }
}

/// What is accumulated in a tile.
struct Part<'a, const N: usize> {
    range: Option<AllSeen<'a, N>>,
    winners: Winners<'a>,
    /// The finest detail,
    finest: Option<Sums<'a, Root, N>>,
    /// and the next, at half the size.
    next: Option<Sums<'a>>,
    /// All there is at half the size.
    close: Option<Sums<'a>>,
    /// What is below all detail, where there is at most one level of it.
    rest: Option<Sums<'a>>,
    /// The standing at half the size.
    standing: Pane<'a>,
}

impl<const N: usize> Hybrid<N> {
    /// What is accumulated in each of these tiles, beside the standing at half the
    /// size, of a frame with this [`slack`](Ranges::tiled).
    fn parts<'a>(
        &'a mut self,
        tiles: &Tiles,
        standing: &'a mut Plane,
        slack: f32,
    ) -> Vec<Part<'a, N>> {
        fn some<T>(all: Option<Vec<T>>) -> impl FnMut() -> Option<T> {
            let mut all = all.map(Vec::into_iter);
            move || all.as_mut().and_then(Iterator::next)
        }
        let has_detail = self.finest.is_some();
        let ranges = self.range.tiled(tiles, slack);
        let winners = self.sharpest.tiled(tiles);
        let standings = tiles.panes(&mut standing.data, 1);
        let rest = self.details.is_empty();
        let rest = rest.then(|| self.rest.tiled(tiles, u32::from(has_detail)));
        let mut rest = some(rest);
        let mut finest = some(self.finest.as_mut().map(|sum| sum.tiled(tiles, 0)));
        let mut next = some(self.details.first_mut().map(|sum| sum.tiled(tiles, 1)));
        let mut close = some(has_detail.then(|| self.close.tiled(tiles, 1)));
        let all = ranges.into_iter().zip(winners).zip(standings);
        let each = all.map(|((range, winners), standing)| Part {
            range: self.clamp.then_some(range),
            winners,
            finest: finest(),
            next: next(),
            close: close(),
            rest: rest(),
            standing,
        });
        each.collect()
    }
}

impl<const N: usize> Part<'_, N> {
    /// Takes in the range of the values in these rows.
    fn see(&mut self, strip: &Strip<N>, rows: ops::Range<usize>, mask: Option<&Plane>) {
        if let Some(range) = &mut self.range {
            range.add_rows(&strip.tile, &strip.brought.channels, &rows, mask);
        }
    }

    /// Takes in the rows of a strip of the frame `index`, which masks of the full size
    /// and of half of it may hide.
    fn take(
        &mut self,
        index: u16,
        strip: &Strip<N>,
        [mask, half_mask]: [Option<&Plane>; 2],
        scale: Scale,
    ) {
        if let Some(range) = &mut self.range {
            range.add_half_rows(&strip.tile, &strip.below[0], &strip.rows, half_mask);
        }
        strip.tell(&mut self.winners, index, mask);
        self.take_whole(strip, scale);
        self.take_half(strip, scale);
    }

    /// Sums up the rows of a strip in its full size.
    fn take_whole(&mut self, strip: &Strip<N>, scale: Scale) {
        let tile = &strip.tile;
        let (own, above, width) = (tile.own(0), tile.above(0), tile.across.len());
        let (mut weights, mut energies) = (vec![0.0; own.len()], vec![0.0; width]);
        let mut sums = Vec::new();
        for y in strip.rows.clone() {
            scale.weigh(tile.row(&strip.standing, 0, y), &mut weights);
            let channels = strip.brought.channels.each_ref();
            let values = channels.map(|plane| tile.row(plane, 0, y));
            if let Some(finest) = &mut self.finest {
                strip.energies[0].window_row(y - above, &mut energies, &mut sums);
                scale.weigh_own(&energies[own.clone()], &mut weights);
                finest.add_row(y, &weights, values);
            } else if let (Some(rest), Some(values)) = (&mut self.rest, values.first_chunk()) {
                rest.add_row(y, &weights, *values);
            }
        }
    }

    /// Sums up the rows of a strip at half the size.
    fn take_half(&mut self, strip: &Strip<N>, scale: Scale) {
        let tile = &strip.tile;
        let (own, above) = (tile.own(1), tile.above(1));
        let [half, quarter] = &strip.below;
        let detail = Detail::new(half, Some(quarter));
        let mut row = DetailRow::new(half[0].width());
        let (mut weights, mut sums) = (vec![0.0; own.len()], Vec::new());
        strip.reduced(&strip.standing, |y, standing| {
            self.standing.row(y).copy_from_slice(standing);
            let Some(close) = &mut self.close else { return };
            scale.weigh(standing, &mut weights);
            let values = half.each_ref().map(|channel| tile.row(channel, 1, y));
            close.add_row(y, &weights, values);
            if let Some(next) = &mut self.next {
                scale.weigh_own(tile.row(&strip.soft, 1, y), &mut weights);
                detail.row(y - above, &mut row, &mut sums);
                next.add_row(
                    y,
                    &weights,
                    row.channels().map(|channel| &channel[own.clone()]),
                );
            } else if let Some(rest) = &mut self.rest {
                rest.add_row(y, &weights, values);
            }
        });
    }
}

impl<const N: usize> Strip<N> {
    /// Finds the standing in the rows that were joined last: contrast beyond the
    /// floor, from 1, as far as the surroundings are settled, and less where the
    /// frame is not `shown`. Contrast counts `lift` times.
    fn stand(&mut self, lift: f32, shown: Option<&Plane>) {
        let Spread { near, joined, .. } = &self.spread;
        let (width, settled) = (near.width(), &self.settled);
        let (across, top) = (&self.tile.across, self.tile.down.start);
        let scratch = || (vec![0.0; width], Vec::new());
        let bands = self.standing.grow(joined.end);
        bands.for_each_init(scratch, |(beyond, sums), (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                settled.expanded_row(y, beyond, sums);
                vectorised(
                    #[inline(always)]
                    || {
                        let values = out.iter_mut().zip(near.row(y)).zip(beyond.iter());
                        values.for_each(|((v, contrast), beyond)| {
                            *v = (contrast * lift + 1.0) * beyond;
                        });
                    },
                );
                if let Some(shown) = shown {
                    let shown = &shown.row(top + y)[across.clone()];
                    let values = out.iter_mut().zip(shown);
                    values.for_each(|(v, shown)| *v = *v * shown + HIDDEN * (1.0 - shown));
                }
            }
        });
    }
}

/// What a frame counts, from its standing, before the power.
#[inline(always)]
fn steep(standing: f32, floor: f32) -> f32 {
    SCALE * standing * (standing * (floor / CLEAR) + 1.0)
}

/// What frames count, from their standing.
#[derive(Debug, Clone, Copy)]
struct Scale {
    floor: f32,
    power: f32,
    /// What the energy of a level is multiplied by.
    own: f32,
}

impl Scale {
    /// What the pixels of a row count.
    fn weigh(self, standing: &[f32], out: &mut [f32]) {
        let Self { floor, power, .. } = self;
        vectorised(
            #[inline(always)]
            || {
                let values = out.iter_mut().zip(standing);
                values.for_each(|(out, &standing)| {
                    *out = raised(steep(standing, floor), power, POWER);
                });
            },
        );
    }

    /// Multiplies what the pixels of a row count by the energy of the level.
    fn weigh_own(self, energy: &[f32], out: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let values = out.iter_mut().zip(energy);
                values.for_each(|(out, energy)| *out *= (energy * self.own + 1.0).powi(OWN_POWER));
            },
        );
    }
}

impl Accumulator for Hybrid {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()> {
        let frame = Coloured::Warped(frame).filled(keep_going)?;
        self.blend(index, &frame, keep_going)
    }

    fn place(&mut self, index: u16, frame: &Placed, keep_going: KeepGoing) -> Result<()> {
        let frame = Coloured::of(frame, keep_going)?.filled(keep_going)?;
        self.blend(index, &frame, keep_going)
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        self.fused(keep_going)
    }
}

impl OfPlanes for Hybrid<1> {
    fn place_planes(&mut self, index: u16, frame: &Planes, keep_going: KeepGoing) -> Result<()> {
        let frame = Subsampled::of(frame, keep_going)?.filled(keep_going)?;
        self.blend(index, &frame, keep_going)
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        self.fused(keep_going)
    }
}

impl<const N: usize> Hybrid<N> {
    fn fused(mut self, keep_going: KeepGoing) -> Result<Fused> {
        (self.work, self.standings) = Default::default();
        self.sharpest.close();
        let means = self.details.into_iter().rev().map(Weighted::mean);
        let mut channels = levels::collapse(self.rest.mean(), means, keep_going)?;
        let mut picture = match self.finest {
            Some(finest) => {
                check(keep_going)?;
                let share = self.sharpest.beyond(HIDING * self.noise);
                for (value, close) in channels.iter_mut().zip(&self.close.mean()) {
                    value.mix(close, &share);
                }
                Picture::with_finest(self.size, channels, finest.into_kept())
            }
            None => channels.into(),
        };
        if self.clamp {
            picture = picture.within(self.range);
        }
        check(keep_going)?;
        self.sharpest.fused(picture, keep_going)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fuse::samples::{self, checks};
    use crate::core::warp::{Area, Exposure};
    use crate::core::{ALWAYS, Transform};
    use crate::photo::{Photo, Samples};

    const SIZE: (usize, usize) = (128, 96);

    fn frame(value: impl Fn(usize, usize) -> f32) -> Warped {
        samples::frame(SIZE.0, SIZE.1, value)
    }

    fn fuse(frames: impl IntoIterator<Item = Warped>) -> Fused {
        let mut fusion = Hybrid::new(SIZE.0, SIZE.1, None, 0.0);
        for (index, frame) in (0..).zip(frames) {
            fusion.add(index, frame, ALWAYS).unwrap();
        }
        fusion.finish(ALWAYS).unwrap()
    }

    #[test]
    fn identical_frames_come_out_as_they_went_in() {
        let one = frame(checks);
        let fused = fuse([one.clone(), one.clone(), one.clone()]);
        for (fused, one) in fused.picture.channels().iter().zip(&one.channels) {
            for (a, b) in fused.data.iter().zip(&one.data) {
                let off = (a - b).abs() * 65535.0;
                assert!(off < 1.0, "{off}");
            }
        }
    }

    #[test]
    fn lone_pixels_come_out_within_a_level_of_16_bits() {
        let lone = |x: usize, y: usize| match (x % 7, y % 5) {
            (3, 2) => 1.0,
            (0, 4) => 40_000.0 / 65535.0,
            _ => (x % 3 * 257) as f32 / 65535.0,
        };
        let fused = fuse((0..40).map(|_| frame(lone)));
        for y in 0..SIZE.1 {
            for (x, value) in fused.picture.channel(0).row(y).iter().enumerate() {
                let off = (value * 65535.0).round() - (lone(x, y) * 65535.0).round();
                assert!(off.abs() <= 1.0, "({x}, {y}): {off}");
            }
        }
    }

    #[test]
    fn each_half_comes_from_the_frame_that_is_sharp_there() {
        let left = frame(|x, y| if x < 64 { checks(x, y) } else { 0.5 });
        let right = frame(|x, y| if x < 64 { 0.5 } else { checks(x, y) });
        let fused = fuse([left, right]);
        let red = fused.picture.channel(0);
        for y in 0..96 {
            for x in (0..52).chain(76..128) {
                let value = red.row(y)[x];
                assert!((value - checks(x, y)).abs() < 0.02, "({x}, {y}): {value}");
                assert_eq!(fused.index[y * 128 + x], u16::from(x >= 64));
            }
        }
    }

    #[test]
    fn noise_of_flat_frames_averages_out() {
        // A fixed sequence of noise, one level of eight bits strong.
        let noisy = |seed: usize| {
            frame(move |x, y| {
                let bits = (x * 7919 + y * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761);
                0.5 + ((bits >> 7) % 1024) as f32 / 1024.0 / 255.0
            })
        };
        let spread = |fused: &Fused| {
            let data = fused.picture.channel(0).data;
            let mean = data.iter().sum::<f32>() / data.len() as f32;
            (data.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / data.len() as f32).sqrt()
        };
        let one = spread(&fuse([noisy(0)]));
        let many = spread(&fuse((0..16).map(noisy)));
        assert!(many < 0.4 * one, "{many} of {one}");
    }

    #[test]
    fn flat_frames_come_out_as_they_went_in_however_hard_or_soft() {
        let mut flat = frame(|_, _| 0.5);
        // Half of it is never shown.
        let mask = |i: usize| if i % SIZE.0 < 64 { 1.0 } else { 0.0 };
        flat.mask = Some(Plane {
            width: SIZE.0,
            height: SIZE.1,
            data: (0..SIZE.0 * SIZE.1).map(mask).collect(),
        });
        for softness in [0.25, 0.5, 1.0, 2.0, 4.0] {
            for noise in [0.0, 1.0] {
                let fusion = Hybrid::new(SIZE.0, SIZE.1, None, noise);
                let mut fusion = fusion.softer(softness).quieter(4.0);
                fusion.add(0, flat.clone(), ALWAYS).unwrap();
                for value in fusion.finish(ALWAYS).unwrap().picture.channel(0).data {
                    assert!((value - 0.5).abs() < 1e-4, "{softness} {noise}: {value}");
                }
            }
        }
    }

    #[test]
    fn what_a_mask_hides_never_shows() {
        let calm = frame(|_, _| 0.5);
        let mut loud = frame(|x, y| if x < 64 { 0.5 } else { checks(x, y) });
        let (width, height) = SIZE;
        let data = (0..width * height)
            .map(|i| if i % width < 64 { 1.0 } else { 0.0 })
            .collect();
        loud.mask = Some(crate::core::plane::Plane {
            width,
            height,
            data,
        });
        let fused = fuse([calm, loud]);
        assert_eq!(fused.alpha, None);
        for value in fused.picture.channel(0).data {
            assert!((value - 0.5).abs() < 1e-3, "{value}");
        }
    }

    #[test]
    fn strips_of_rows_make_the_picture_of_the_whole() {
        // Strips of two threads, the last one with an odd number of rows.
        let two = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        let two = two.unwrap();
        let (width, height) = (90, 2 * 256 + 101);
        let photo = |seed: usize| {
            let value = |i: usize| {
                let noise = ((i + seed) as u32).wrapping_mul(2_654_435_761) >> 27;
                let (x, y) = (i / 3 % width, i / 3 / width);
                let check = (x / 5 + y / 7) % 2 * usize::from((y / 200 + seed).is_multiple_of(3));
                (90 + 80 * check) as u8 + noise as u8
            };
            Photo {
                width,
                height,
                samples: Samples::Eight((0..width * height * 3).map(value).collect()),
                ..Photo::default()
            }
        };
        let area = Area {
            x: 6,
            y: 6,
            width: width - 12,
            height: height - 12,
        };
        let pose = Transform::similarity(1.001, 0.002, [45.0, 300.0], [0.3, -0.6]);
        let exposure = Exposure::default();
        let new = || Hybrid::new(area.width, area.height, None, 1e-4);
        let (mut strips, mut whole) = (new(), new());
        for index in 0..3u16 {
            let photo = photo(index.into());
            let placed = Placed {
                photo: &photo,
                pose: &pose,
                area,
                exposure: &exposure,
            };
            assert!(placed.is_whole());
            let warped = placed.warp(ALWAYS).unwrap();
            two.install(|| strips.place(index, &placed, ALWAYS))
                .unwrap();
            whole.add(index, warped, ALWAYS).unwrap();
        }
        let [strips, whole] = [strips, whole].map(|hybrid| hybrid.finish(ALWAYS).unwrap());
        assert!(whole.index.contains(&0) && whole.index.contains(&2));
        assert!(strips == whole);
    }
}
