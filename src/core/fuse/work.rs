//! What a blend of levels looks at in a frame.
//!
//! Nearly all of a picture's values are at the finest level, and what they tell
//! is local. So that level is looked at in strips of rows, one after another, while
//! they are in the cache: of each plane only the last rows are kept, and only what
//! is at most half the size is kept of the whole frame.

use std::ops::Range;

use rayon::prelude::*;

use super::contrast::{Sharpest, Spread, crisp_into, settle_into, squares, squares_into};
use super::depth::Clues;
use super::ends::{AHEAD, Ends};
use super::fill::fill;
use super::levels::Detail;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::{BAND, Plane};
use crate::core::rolling::Rolling;
use crate::core::rows::{Band, Rows};
use crate::core::veil::Sheet;
use crate::core::warp::{Placed, Warped};

/// Rows of a strip for each thread, who have enough to do with them; a multiple of
/// those that any coarser row stands for.
const ROWS: usize = 64;
/// Rows above a strip that windows look at.
const ABOVE: usize = 8;
/// Rows that are brought into place together, which is quicker; a divisor of those
/// of a strip.
const TOGETHER: usize = 32;

/// What is needed while a frame is added, kept for the next for its memory.
#[derive(Debug, Default)]
pub struct Work {
    /// Some rows of the finest level.
    strip: Strip,
    /// The frame at half the size, a quarter, and so on.
    pub below: Vec<[Plane; 3]>,
    /// The energy of each level of detail but the two finest.
    energies: Vec<Plane>,
    /// The energy of each level of detail but the finest in a soft window.
    pub soft: Vec<Plane>,
    /// The contrast in windows of all sizes, at half the size.
    pub focus: Plane,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    settled: Plane,
}

/// The last rows of the finest level of a frame, and what they show.
#[derive(Debug, Default)]
pub struct Strip {
    /// The rows of the picture that are made use of.
    pub rows: Range<usize>,
    /// The frame.
    pub channels: [Rolling; 3],
    /// At half the size, and at a quarter.
    pub below: [[Rolling; 3]; 2],
    /// The energy of the finest level of detail, and of the next.
    pub energies: [Rolling; 2],
    /// The latter in a soft window.
    soft: Rolling,
    /// The contrast in windows of several sizes; all of them are joined in the
    /// smallest.
    pub spread: Spread,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    pub settled: Rolling,
    /// What the frame counts, for those who find it.
    pub standing: Rolling,
    /// Memory for rows of half the size.
    half: Vec<f32>,
}

/// Where the rows of a frame come from.
pub enum Source<'a> {
    /// They are brought into place as they are needed; all of them show the
    /// scene.
    Placed(&'a Placed<'a>),
    /// They are there.
    Warped(Warped),
}

impl<'a> Source<'a> {
    /// Of a frame in its place.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn of(placed: &'a Placed<'a>, keep_going: KeepGoing) -> Result<Self> {
        if placed.is_whole() {
            return Ok(Self::Placed(placed));
        }
        Ok(Self::Warped(placed.warp(keep_going)?))
    }

    /// With what is hidden filled from all around.
    fn filled(mut self, keep_going: KeepGoing) -> Result<Self> {
        if let Self::Warped(Warped {
            channels,
            mask: Some(mask),
        }) = &mut self
        {
            for channel in channels {
                check(keep_going)?;
                fill(channel, mask);
            }
        }
        Ok(self)
    }

    /// Where the frame shows the scene, if that is not everywhere.
    pub fn mask(&self) -> Option<&Plane> {
        match self {
            Self::Placed(_) => None,
            Self::Warped(warped) => warped.mask.as_ref(),
        }
    }

    /// The same, to be kept.
    pub fn into_mask(self) -> Option<Plane> {
        match self {
            Self::Placed(_) => None,
            Self::Warped(warped) => warped.mask,
        }
    }

    /// Finds these rows, which `place` has room for.
    fn rows(
        &self,
        rows: Range<usize>,
        mut place: [&mut [f32]; 3],
        keep_going: KeepGoing,
    ) -> Result<()> {
        match self {
            Self::Placed(placed) => placed.rows(rows, place, keep_going),
            Self::Warped(warped) => {
                for (to, channel) in place.iter_mut().zip(&warped.channels) {
                    let width = channel.width;
                    to.copy_from_slice(&channel.data[rows.start * width..rows.end * width]);
                }
                Ok(())
            }
        }
    }
}

/// Rows of a strip: the fewer, the less memory.
pub fn strip_rows() -> usize {
    ROWS * rayon::current_num_threads().next_multiple_of(2)
}

/// Rows that are kept of a frame that is looked at in strips of so many.
pub fn kept_rows(step: usize) -> usize {
    (step + AHEAD + TOGETHER + ABOVE).next_multiple_of(step)
}

impl Clone for Work {
    /// There is nothing in it between two frames.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Work {
    /// Looks at all levels of a frame of `width`×`height` pixels, of which `count`
    /// are detail, and calls `each` with each strip of the finest. What `veil` (if
    /// any) lies over it is lifted first. Contrast is multiplied by `factor`; frames
    /// have this `noise`.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn look(
        &mut self,
        (width, height): (usize, usize),
        (source, veil): (Source, Option<&Sheet>),
        count: usize,
        (factor, noise): (f32, f32),
        keep_going: KeepGoing,
        mut each: impl FnMut(&mut Strip, Option<&Plane>),
    ) -> Result<Option<Plane>> {
        self.begin(width, height, count);
        let source = source.filled(keep_going)?;
        let mut strip = std::mem::take(&mut self.strip);
        let step = strip_rows();
        strip.begin([width, height], step);
        strip.spread.is_root = veil.is_some();
        for start in (0..height).step_by(step) {
            strip.rows = start..(start + step).min(height);
            let ends = Ends::of(strip.rows.end, height);
            fetch(
                &mut strip.channels,
                &source,
                veil,
                ends.channels,
                keep_going,
            )?;
            strip.look(&ends, factor, noise, keep_going)?;
            self.keep(&mut strip);
            check(keep_going)?;
            each(&mut strip, source.mask());
        }
        self.strip = strip;
        for level in 2..self.below.len() {
            check(keep_going)?;
            let (above, below) = self.below.split_at_mut(level);
            let fine = &above[level - 1];
            for (fine, small) in fine.iter().zip(&mut below[0]) {
                fine.reduce_into(small);
            }
            let energy = &mut self.energies[level];
            squares(&Detail::new(fine, Some(&below[0])), energy);
            energy.window_into(&mut self.soft[level]);
        }
        Ok(source.into_mask())
    }

    /// Makes room for a frame.
    fn begin(&mut self, width: usize, height: usize, count: usize) {
        // Depth needs three levels of detail, whatever the fusion has.
        let count = count.max(3);
        self.below.resize_with(count, Default::default);
        self.energies.resize_with(count, Plane::default);
        self.soft.resize_with(count, Plane::default);
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let others = [&mut self.focus, &mut self.settled, &mut self.soft[1]];
        for plane in self.below[0].iter_mut().chain(others) {
            plane.reshape(width, height);
        }
        for plane in &mut self.below[1] {
            plane.reshape(width.div_ceil(2), height.div_ceil(2));
        }
    }

    /// Keeps what the coarser levels need of a strip.
    fn keep(&mut self, strip: &mut Strip) {
        let half = strip.half_rows();
        let quarter = half.start / 2..half.end.div_ceil(2);
        let [own_half, own_quarter] = &strip.below;
        let (wholes, quarters) = self.below.split_at_mut(1);
        let halves = wholes[0].par_iter_mut().zip(own_half);
        let others = [
            (&mut self.settled, &strip.settled),
            (&mut self.soft[1], &strip.soft),
        ];
        let quarters = quarters[0].par_iter_mut().zip(own_quarter);
        let halves = halves.chain(others).map(|pair| (pair, &half));
        let quarters = quarters.map(|pair| (pair, &quarter));
        halves
            .chain(quarters)
            .for_each(|((whole, own), rows)| copy(own, rows.clone(), whole));
        strip.spread.near.reduce_to(bands_of(&mut self.focus, half));
    }

    /// What tells the depth in the frame that was looked at; what is crisp each
    /// strip tells.
    pub fn clues(&self) -> Clues<'_> {
        Clues {
            crisp: None,
            settled: Some(&self.settled),
            coarse: Some(&self.energies[2]),
        }
    }
}

/// Brings the rows of a frame up to `end`, and some more, that are not in `channels`
/// yet into place, and lifts what `veil` (if any) lies over them.
pub fn fetch(
    channels: &mut [Rolling; 3],
    source: &Source,
    veil: Option<&Sheet>,
    end: usize,
    keep_going: KeepGoing,
) -> Result<()> {
    let (width, height) = (channels[0].width(), channels[0].height());
    let end = end.next_multiple_of(TOGETHER).min(height);
    let [red, green, blue] = channels.each_mut().map(|channel| channel.grown(end));
    let parts = red.into_iter().zip(green).zip(blue);
    for (((first, red), (_, green)), (_, blue)) in parts {
        let rows = first..first + red.len() / width.max(1);
        if rows.is_empty() {
            continue;
        }
        let mut place = [red, green, blue];
        source.rows(rows, place.each_mut().map(|rows| &mut **rows), keep_going)?;
        if let Some(veil) = veil {
            veil.lift(first, width, place);
        }
    }
    Ok(())
}

/// Copies these rows to their place in the whole.
pub fn copy(own: &Rolling, rows: Range<usize>, whole: &mut Plane) {
    let place = rows.start * whole.width..rows.end * whole.width;
    whole.data[place].copy_from_slice(own.rows(rows));
}

/// Bands of these rows of a plane.
pub fn bands_of(plane: &mut Plane, rows: Range<usize>) -> impl ParallelIterator<Item = Band<'_>> {
    let width = plane.width;
    let place = rows.start * width..rows.end * width;
    let bands = plane.data[place].par_chunks_mut((width * BAND).max(1));
    let bands = bands.enumerate();
    bands.map(move |(band, out)| (rows.start + band * BAND, out))
}

impl Strip {
    /// Begins a frame of this size, to be looked at in steps of so many rows.
    fn begin(&mut self, size: [usize; 2], step: usize) {
        let kept = kept_rows(step);
        let Self {
            channels,
            below: [half, quarter],
            energies: [finest, coarser],
            soft,
            spread,
            settled,
            standing,
            ..
        } = self;
        let whole = channels.iter_mut().chain([finest, standing]);
        whole.for_each(|plane| plane.begin(0, size, kept));
        let halves = half.iter_mut().chain([coarser, soft, settled]);
        halves.for_each(|plane| plane.begin(1, size, kept));
        quarter
            .iter_mut()
            .for_each(|plane| plane.begin(2, size, kept));
        spread.begin(size, kept);
    }

    fn look(&mut self, ends: &Ends, factor: f32, noise: f32, keep_going: KeepGoing) -> Result<()> {
        let Self {
            channels,
            below: [half, quarter],
            energies: [finest, coarser],
            soft,
            spread,
            settled,
            ..
        } = self;
        check(keep_going)?;
        let pairs = channels.par_iter().zip(half.par_iter_mut());
        pairs.for_each(|(fine, small)| fine.reduce_to(small.grow(ends.half)));
        let pairs = half.par_iter().zip(quarter.par_iter_mut());
        pairs.for_each(|(fine, small)| fine.reduce_to(small.grow(ends.quarter)));
        check(keep_going)?;
        let (fine, coarse) = (
            Detail::new(channels, Some(half)),
            Detail::new(half, Some(quarter)),
        );
        rayon::join(
            || squares_into(&fine, finest.grow(ends.finest)),
            || {
                squares_into(&coarse, coarser.grow(ends.coarser));
                coarser.window_to(soft.grow(ends.soft));
            },
        );
        check(keep_going)?;
        spread.look(finest, soft, ends);
        spread.join(factor, ends.joined);
        settle_into(&spread.far, noise, spread.is_root, settled.grow(ends.far));
        Ok(())
    }

    /// The rows of half the size that are made use of.
    pub fn half_rows(&self) -> Range<usize> {
        self.rows.start / 2..self.rows.end.div_ceil(2)
    }

    /// Lets `sharpest` take in the contrast of the frame `index` in these rows.
    pub fn tell(&mut self, sharpest: &mut Sharpest, index: u16, mask: Option<&Plane>) {
        let near = self.spread.near.rows(self.rows.clone());
        sharpest.add_rows(index, self.rows.start, near, mask);
        let rows = self.half_rows();
        let [finest, coarser] = &self.energies;
        let width = coarser.width();
        self.half.resize(rows.len() * width, 0.0);
        let bands = self.half.par_chunks_mut((width * BAND).max(1)).enumerate();
        let bands = bands.map(|(band, out)| (rows.start + band * BAND, out));
        crisp_into(finest, coarser, bands);
        sharpest.add_crisp(rows.start, &self.half);
    }
}
