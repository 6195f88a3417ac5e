//! What a blend of levels looks at in a frame.
//!
//! Nearly all of a picture's values are at the finest level, and what they tell
//! is local. So that level is looked at in strips of rows, one after another, and
//! only what is at most half the size is kept of the whole frame. A strip has
//! rows more than are made use of, as far as the largest windows reach.

use std::ops::Range;

use super::contrast::{Sharpest, Spread, crisp_into, settle_into, squares};
use super::depth::Clues;
use super::fill::fill;
use super::levels::Detail;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::veil::Sheet;
use crate::core::warp::{Placed, Warped};

/// Rows of a strip that are made use of, for each two threads, who have enough
/// to do with them; a multiple of those that any coarser row stands for.
const ROWS: usize = 256;
/// Rows beside them that the windows reach.
const REACH: usize = 40;

/// What is needed while a frame is added, kept for the next for its memory.
#[derive(Debug, Default)]
pub struct Work {
    /// Some rows of the finest level.
    strip: Strip,
    /// The frame at half the size, a quarter, and so on.
    pub below: Vec<[Plane; 3]>,
    /// The energy of each level of detail but the finest.
    energies: Vec<Plane>,
    /// The same in a soft window.
    pub soft: Vec<Plane>,
    /// The contrast in windows of all sizes, at half the size.
    pub focus: Plane,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    settled: Plane,
}

/// Rows of the finest level of a frame, and what they show.
#[derive(Debug, Default)]
pub struct Strip {
    /// The rows of the picture that are made use of.
    pub rows: Range<usize>,
    /// The row of the picture that is the first of the planes here.
    pub first: usize,
    /// The frame.
    pub channels: [Plane; 3],
    /// At half the size, and at a quarter.
    pub below: [[Plane; 3]; 2],
    /// The energy of the finest level of detail, and of the next.
    pub energies: [Plane; 2],
    soft: Plane,
    /// The contrast in windows of several sizes; all of them are joined in the
    /// smallest.
    pub spread: Spread,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    pub settled: Plane,
    /// Memory for more at half the size.
    pub half: Plane,
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
}

/// Rows of a strip: the fewer, the less memory.
fn rows() -> usize {
    ROWS * (rayon::current_num_threads() / 2).max(1)
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
        let mut mask = None;
        let (step, placed) = match source {
            Source::Placed(placed) => (rows(), Some(placed)),
            Source::Warped(warped) => {
                // What is hidden is filled from all around.
                self.strip.channels = warped.channels;
                if let Some(mask) = &warped.mask {
                    for channel in &mut self.strip.channels {
                        check(keep_going)?;
                        fill(channel, mask);
                    }
                }
                if let Some(veil) = veil {
                    let channels = self.strip.channels.each_mut();
                    veil.lift(0, width, channels.map(|channel| &mut channel.data[..]));
                }
                mask = warped.mask;
                (height, None)
            }
        };
        let mut strip = std::mem::take(&mut self.strip);
        strip.spread.is_root = veil.is_some();
        for start in (0..height).step_by(step) {
            let rows = start..(start + step).min(height);
            match placed {
                Some(placed) => strip.fetch(rows, (width, height), placed, veil, keep_going)?,
                None => (strip.rows, strip.first) = (rows, 0),
            }
            strip.look(factor, noise, keep_going)?;
            self.keep(&mut strip);
            check(keep_going)?;
            each(&mut strip, mask.as_ref());
        }
        self.strip = strip;
        for level in 1..self.below.len() {
            check(keep_going)?;
            let (above, below) = self.below.split_at_mut(level);
            let fine = &above[level - 1];
            for (fine, small) in fine.iter().zip(&mut below[0]) {
                fine.reduce_into(small);
            }
            let energy = &mut self.energies[level];
            squares(Detail::new(fine, Some(&below[0])), energy);
            energy.window_into(&mut self.soft[level]);
        }
        Ok(mask)
    }

    /// Makes room for a frame.
    fn begin(&mut self, width: usize, height: usize, count: usize) {
        // Depth needs three levels of detail, whatever the fusion has.
        let count = count.max(3);
        self.below.resize_with(count, Default::default);
        self.energies.resize_with(count, Plane::default);
        self.soft.resize_with(count, Plane::default);
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let others = [&mut self.focus, &mut self.settled];
        for plane in self.below[0].iter_mut().chain(others) {
            plane.reshape(width, height);
        }
    }

    /// Keeps what the coarser levels need of a strip.
    fn keep(&mut self, strip: &mut Strip) {
        for (below, own) in self.below[0].iter_mut().zip(&strip.below[0]) {
            strip.copy_half(own, below);
        }
        strip.copy_half(&strip.settled, &mut self.settled);
        strip.spread.near.reduce_into(&mut strip.half);
        strip.copy_half(&strip.half, &mut self.focus);
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

impl Strip {
    /// Becomes the next strip of a picture of `width`×`height` pixels: `rows` of
    /// a frame are brought into place. Those that are here already stay.
    fn fetch(
        &mut self,
        rows: Range<usize>,
        (width, height): (usize, usize),
        placed: &Placed,
        veil: Option<&Sheet>,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let first = rows.start.saturating_sub(REACH);
        let end = (rows.end + REACH).min(height);
        let known = match first {
            0 => 0,
            _ => self.first + self.channels[0].height - first,
        };
        for channel in &mut self.channels {
            let last = channel.data.len() - known * width;
            channel.data.copy_within(last.., 0);
            channel.reshape(width, end - first);
        }
        (self.rows, self.first) = (rows, first);
        let mut new = self.channels.each_mut();
        let mut new = new
            .each_mut()
            .map(|channel| &mut channel.data[known * width..]);
        let place = new.each_mut().map(|rows| &mut **rows);
        placed.rows(first + known..end, place, keep_going)?;
        if let Some(veil) = veil {
            veil.lift(first + known, width, new);
        }
        Ok(())
    }

    fn look(&mut self, factor: f32, noise: f32, keep_going: KeepGoing) -> Result<()> {
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
        for (fine, small) in channels.iter().zip(half.iter_mut()) {
            fine.reduce_into(small);
        }
        for (fine, small) in half.iter().zip(quarter.iter_mut()) {
            fine.reduce_into(small);
        }
        check(keep_going)?;
        squares(Detail::new(channels, Some(half)), finest);
        squares(Detail::new(half, Some(quarter)), coarser);
        coarser.window_into(soft);
        check(keep_going)?;
        spread.look(finest, soft);
        spread.join(factor);
        settle_into(&spread.far, noise, spread.is_root, settled);
        Ok(())
    }

    /// The part of a plane of the strip's size that is made use of.
    pub fn inner<'a>(&self, plane: &'a Plane) -> &'a [f32] {
        let [start, end] = [self.rows.start, self.rows.end].map(|y| y - self.first);
        &plane.data[start * plane.width..end * plane.width]
    }

    /// The first row of the picture at half the size that is made use of, and that
    /// part of a plane of half the strip's size.
    pub fn inner_half<'a>(&self, plane: &'a Plane) -> (usize, &'a [f32]) {
        let [start, end] = [self.rows.start / 2, self.rows.end.div_ceil(2)];
        let first = self.first / 2;
        let part = (start - first) * plane.width..(end - first) * plane.width;
        (start, &plane.data[part])
    }

    /// Copies that part to its place in a plane of half the picture's size.
    pub fn copy_half(&self, own: &Plane, whole: &mut Plane) {
        let (start, own) = self.inner_half(own);
        let start = start * whole.width;
        whole.data[start..start + own.len()].copy_from_slice(own);
    }

    /// Lets `sharpest` take in the contrast of the frame `index` in these rows.
    pub fn tell(&mut self, sharpest: &mut Sharpest, index: u16, mask: Option<&Plane>) {
        let near = self.inner(&self.spread.near);
        sharpest.add_rows(index, self.rows.start, near, mask);
        let [finest, coarser] = &self.energies;
        crisp_into(finest, coarser, &mut self.half);
        let (start, crisp) = self.inner_half(&self.half);
        sharpest.add_crisp(start, crisp);
    }
}
