//! What a blend of levels looks at in a frame.
//!
//! Nearly all of a picture's values are at the finest level, and what they tell
//! is local. So that level is cut into tiles, and each is looked at in strips of rows,
//! one after another, while they are in the cache: of each plane only the last rows
//! are kept, and only what is at most half the size is kept of the whole frame.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::contrast::{Spread, Winners, crisp_row, settle_into, square_row, squares, squares_into};
use super::depth::Clues;
use super::ends::{AHEAD, Ends};
use super::fill::fill;
use super::levels::{Detail, split_row};
use super::tiles::{Pane, STEP, Tile, Tiles, halved};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::rolling::Rolling;
use crate::core::rows::{Band, Rows};
use crate::core::veil::Sheet;
use crate::core::warp::{Placed, Warped};

/// Rows above a strip that windows look at.
const ABOVE: usize = 8;
/// Rows that are brought into place together, which is quicker; a divisor of those
/// of a strip.
const TOGETHER: usize = 32;
/// Rows that are kept of a tile.
pub const KEPT: usize = (STEP + AHEAD + TOGETHER + ABOVE).next_multiple_of(STEP);

/// What is needed while a frame is added, kept for the next for its memory.
#[derive(Debug, Default)]
pub struct Work {
    /// Some rows of the finest level, for each tile that is looked at.
    strips: Spare<Strip>,
    /// The frame at a quarter of the size, an eighth, and so on.
    pub below: Vec<[Plane; 3]>,
    /// The energy of each level of detail but the two finest.
    energies: Vec<Plane>,
    /// The same in a soft window.
    pub soft: Vec<Plane>,
    /// The contrast in windows of all sizes, at half the size.
    pub focus: Plane,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    settled: Plane,
}

/// The last rows of the finest level of a tile of a frame, and what they show. All
/// planes begin where what is looked at for the tile begins.
#[derive(Debug, Default)]
pub struct Strip {
    /// The tile.
    pub tile: Tile,
    /// The rows of the picture that are made use of.
    pub rows: Range<usize>,
    /// The frame; the finest detail in the rows whose energy is found, unless there is
    /// none.
    pub channels: [Rolling; 3],
    /// At half the size, and at a quarter.
    pub below: [[Rolling; 3]; 2],
    /// The energy of the finest level of detail, and of the next.
    pub energies: [Rolling; 2],
    /// The latter in a soft window.
    pub soft: Rolling,
    /// The contrast in windows of several sizes; all of them are joined in the
    /// smallest.
    pub spread: Spread,
    /// How far surroundings are settled, at half the size; see [`settle_into`].
    pub settled: Rolling,
    /// What the frame counts, for those who find it.
    pub standing: Rolling,
}

/// What is kept of a tile.
struct Looked<'a> {
    /// The frame at a quarter of the size.
    quarter: [Pane<'a>; 3],
    settled: Pane<'a>,
    focus: Pane<'a>,
}

/// A frame, and what is known for looking at it.
pub struct Given<'a> {
    /// What it is cut into.
    pub tiles: &'a Tiles,
    /// What is hidden of it is [`filled`](Source::filled).
    pub frame: &'a Source<'a>,
    /// What is lifted off it first.
    pub veil: Option<&'a Sheet>,
    /// Levels of detail.
    pub count: usize,
    /// What its contrast is multiplied by.
    pub factor: f32,
    /// How strong the noise of frames is.
    pub noise: f32,
}

/// Memory that is in use for one tile at a time.
#[derive(Debug, Default)]
pub struct Spare<T>(Mutex<Vec<T>>);

impl<T: Default> Spare<T> {
    /// Does `work` with some.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let all = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = all().pop().unwrap_or_default();
        let done = work(&mut own);
        all().push(own);
        done
    }
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
    pub fn filled(mut self, keep_going: KeepGoing) -> Result<Self> {
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

    /// Finds `columns` of these rows, which `place` has room for.
    fn rows(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        mut place: [&mut [f32]; 3],
        keep_going: KeepGoing,
    ) -> Result<()> {
        match self {
            Self::Placed(placed) => placed.rows(rows, columns, place, keep_going),
            Self::Warped(warped) => {
                for (to, channel) in place.iter_mut().zip(&warped.channels) {
                    let rows = rows.clone().zip(to.chunks_exact_mut(columns.len()));
                    rows.for_each(|(y, to)| to.copy_from_slice(&channel.row(y)[columns.clone()]));
                }
                Ok(())
            }
        }
    }
}

impl Clone for Work {
    /// There is nothing in it between two frames.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Work {
    /// Looks at all levels of a frame, and calls `each` with each strip of the finest
    /// and with the one of `outs` for its tile; with none where the strip is above the
    /// tile. Before that it calls `brought` with the same and with those of the tile's
    /// rows of which the channels show the frame itself now, whole blocks of
    /// [`TOGETHER`] but for the last.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn look<O: Send>(
        &mut self,
        given: &Given,
        keep_going: KeepGoing,
        outs: Vec<O>,
        brought: impl Fn(&Strip, Range<usize>, &mut O) + Sync,
        each: impl Fn(&mut Strip, Option<&mut O>) + Sync,
    ) -> Result<()> {
        let &Given {
            tiles,
            frame,
            veil,
            count,
            ..
        } = given;
        let [width, height] = tiles.size();
        self.begin(width, height, count);
        let strips = std::mem::take(&mut self.strips);
        let looked = self.looked(tiles);
        let all = tiles.list().into_par_iter().zip(looked).zip(outs);
        all.try_for_each(|((tile, mut looked), mut out)| {
            strips.with(|strip| {
                strip.begin(tile);
                strip.spread.is_root = veil.is_some();
                for rows in strip.tile.steps() {
                    strip.rows = rows;
                    let down = &strip.tile.down;
                    let ends = Ends::of(strip.rows.end - down.start, down.len());
                    let known = strip.channels[0].made();
                    fetch(
                        &mut strip.channels,
                        &strip.tile,
                        (frame, veil),
                        ends.channels,
                        keep_going,
                    )?;
                    let new = strip.brought_since(known);
                    brought(strip, new, &mut out);
                    strip.look(&ends, given, keep_going)?;
                    let is_own = strip.tile.owns(&strip.rows);
                    if is_own {
                        strip.keep(&mut looked);
                    }
                    check(keep_going)?;
                    each(strip, is_own.then_some(&mut out));
                }
                Ok(())
            })
        })?;
        self.strips = strips;
        for level in 1..self.below.len() {
            check(keep_going)?;
            let (above, below) = self.below.split_at_mut(level);
            let fine = &above[level - 1];
            for (fine, small) in fine.iter().zip(&mut below[0]) {
                fine.reduce_into(small);
            }
            let energy = &mut self.energies[level - 1];
            squares(&Detail::new(fine, Some(&below[0])), energy);
            energy.window_into(&mut self.soft[level - 1]);
        }
        Ok(())
    }

    /// Makes room for a frame.
    fn begin(&mut self, width: usize, height: usize, count: usize) {
        // Depth needs three levels of detail, whatever the fusion has.
        let count = count.max(3);
        self.below.resize_with(count - 1, Default::default);
        self.energies.resize_with(count - 2, Plane::default);
        self.soft.resize_with(count - 2, Plane::default);
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        for plane in [&mut self.focus, &mut self.settled] {
            plane.reshape(width, height);
        }
        for plane in &mut self.below[0] {
            plane.reshape(width.div_ceil(2), height.div_ceil(2));
        }
    }

    /// Where tiles keep what is needed of them.
    fn looked(&mut self, tiles: &Tiles) -> Vec<Looked<'_>> {
        let Self {
            below,
            focus,
            settled,
            ..
        } = self;
        let quarters = below[0].each_mut().map(|plane| &mut plane.data[..]);
        let quarters = tiles.panes_of_three(quarters, 2).into_iter();
        let settled = tiles.panes(&mut settled.data, 1);
        let halves = settled.into_iter().zip(tiles.panes(&mut focus.data, 1));
        let tile = quarters
            .zip(halves)
            .map(|(quarter, (settled, focus))| Looked {
                quarter,
                settled,
                focus,
            });
        tile.collect()
    }

    /// What tells the depth in the frame that was looked at; what is crisp each
    /// strip tells.
    pub fn clues(&self) -> Clues<'_> {
        Clues {
            crisp: None,
            settled: Some(&self.settled),
            coarse: Some(&self.energies[0]),
        }
    }
}

/// Brings the rows of a tile of a frame up to `end`, and some more, that are not in
/// `channels` yet into place, and lifts what `veil` (if any) lies over them.
pub fn fetch(
    channels: &mut [Rolling; 3],
    tile: &Tile,
    (source, veil): (&Source, Option<&Sheet>),
    end: usize,
    keep_going: KeepGoing,
) -> Result<()> {
    let end = end.next_multiple_of(TOGETHER).min(tile.down.len());
    let [red, green, blue] = channels.each_mut().map(|channel| channel.grown(end));
    let parts = red.into_iter().zip(green).zip(blue);
    for (((first, red), (_, green)), (_, blue)) in parts {
        let first = tile.down.start + first;
        let rows = first..first + red.len() / tile.across.len().max(1);
        if rows.is_empty() {
            continue;
        }
        let (mut place, columns) = ([red, green, blue], tile.across.clone());
        let parts = place.each_mut().map(|rows| &mut **rows);
        source.rows(rows, columns.clone(), parts, keep_going)?;
        if let Some(veil) = veil {
            veil.lift(first, columns, place);
        }
    }
    Ok(())
}

/// Finds the energy of the finest detail, which takes the place of what the frame shows:
/// of these rows nothing else is made any more.
fn split(channels: &mut [Rolling; 3], half: &[Rolling; 3], energy: [Band; 2]) {
    let (mut expanded, mut sums) = (Vec::new(), Vec::new());
    let width = channels[0].width();
    for (first, rows) in energy {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            for (fine, coarse) in channels.iter_mut().zip(half) {
                split_row(fine, coarse, y, &mut expanded, &mut sums);
            }
            square_row(channels.each_ref().map(|channel| channel.row(y)), out);
        }
    }
}

impl Strip {
    /// Begins a tile.
    fn begin(&mut self, tile: Tile) {
        self.tile = tile;
        let size = self.tile.size();
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
        whole.for_each(|plane| plane.begin(0, size, KEPT));
        let halves = half.iter_mut().chain([coarser, soft, settled]);
        halves.for_each(|plane| plane.begin(1, size, KEPT));
        let quarters = quarter.iter_mut();
        quarters.for_each(|plane| plane.begin(2, size, KEPT));
        spread.begin(size, KEPT);
    }

    /// The tile's rows among those that were brought into place after the first so
    /// many.
    fn brought_since(&self, known: usize) -> Range<usize> {
        let Tile { rows, down, .. } = &self.tile;
        let place = |row: usize| (down.start + row).clamp(rows.start, rows.end);
        place(known)..place(self.channels[0].made())
    }

    fn look(&mut self, ends: &Ends, given: &Given, keep_going: KeepGoing) -> Result<()> {
        let &Given {
            count,
            factor,
            noise,
            ..
        } = given;
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
        for (fine, small) in channels.iter().zip(&mut *half) {
            fine.reduce_to(small.grow(ends.half));
        }
        for (fine, small) in half.iter().zip(&mut *quarter) {
            fine.reduce_to(small.grow(ends.quarter));
        }
        check(keep_going)?;
        match count {
            0 => squares_into(&Detail::new(channels, Some(half)), finest.grow(ends.finest)),
            _ => split(channels, half, finest.grown(ends.finest)),
        }
        let detail = Detail::new(half, Some(quarter));
        squares_into(&detail, coarser.grow(ends.coarser));
        coarser.window_to(soft.grow(ends.soft));
        check(keep_going)?;
        spread.look(finest, soft, ends);
        spread.join(factor, ends.joined);
        settle_into(&spread.far, noise, spread.is_root, settled.grow(ends.far));
        Ok(())
    }

    /// Hands the rows that are made use of to `each`, with their number, as `plane`
    /// shows them at half the size.
    pub fn reduced(&self, plane: &Rolling, mut each: impl FnMut(usize, &[f32])) {
        let (own, above) = (self.tile.own(1), self.tile.above(1));
        let (mut row, mut padded) = (vec![0.0; plane.width().div_ceil(2)], Vec::new());
        for y in halved(&self.rows, 1) {
            plane.reduced_row(y - above, &mut row, &mut padded);
            each(y, &row[own.clone()]);
        }
    }

    /// Keeps what is needed when all tiles are looked at.
    fn keep(&self, looked: &mut Looked) {
        let Looked {
            quarter,
            settled,
            focus,
        } = looked;
        let [_, own] = &self.below;
        for (whole, own) in quarter.iter_mut().zip(own) {
            self.tile.copy(own, 2, &self.rows, whole);
        }
        self.tile.copy(&self.settled, 1, &self.rows, settled);
        self.reduced(&self.spread.near, |y, row| {
            focus.row(y).copy_from_slice(row);
        });
    }

    /// Lets `sharpest` take in the contrast of the frame `index` in these rows.
    pub fn tell(&self, sharpest: &mut Winners, index: u16, mask: Option<&Plane>) {
        let tile = &self.tile;
        for y in self.rows.clone() {
            let mask = mask.map(|mask| tile.part(mask, y));
            sharpest.add_row(index, y, tile.row(&self.spread.near, 0, y), mask);
        }
        let [finest, coarser] = &self.energies;
        let (own, above) = (tile.own(1), tile.above(1));
        let (mut row, mut padded) = (vec![0.0; coarser.width()], Vec::new());
        for y in halved(&self.rows, 1) {
            crisp_row(finest, coarser, y - above, &mut row, &mut padded);
            sharpest.add_crisp_row(y, &row[own.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;

    /// What is found of a frame in these tiles: the contrast, and what is kept.
    fn found(tiles: &Tiles, frame: &Source) -> (Vec<f32>, Work) {
        let [width, height] = tiles.size();
        let (mut work, mut contrast) = (Work::default(), vec![0.0; width * height]);
        let given = Given {
            tiles,
            frame,
            veil: None,
            count: 4,
            factor: 1.0,
            noise: 1e-4,
        };
        let panes = tiles.panes(&mut contrast, 0);
        let each = |strip: &mut Strip, pane: Option<&mut Pane>| {
            let Some(pane) = pane else { return };
            for y in strip.rows.clone() {
                let near = strip.tile.row(&strip.spread.near, 0, y);
                pane.row(y).copy_from_slice(near);
            }
        };
        let brought = |_: &Strip, _, _: &mut Pane| ();
        work.look(&given, ALWAYS, panes, brought, each).unwrap();
        (contrast, work)
    }

    #[test]
    fn tiles_show_what_the_whole_shows_to_the_last_bit() {
        let (width, height) = (2333, 1531);
        let mut random = fastrand::Rng::with_seed(11);
        let mut plane = || Plane {
            width,
            height,
            data: (0..width * height).map(|_| random.f32()).collect(),
        };
        let channels = [plane(), plane(), plane()];
        let frame = Source::Warped(Warped {
            channels,
            mask: None,
        });
        let many = rayon::ThreadPoolBuilder::new().num_threads(8).build();
        let many = many.unwrap();
        let tiles = many.install(|| Tiles::of(width, height));
        assert_eq!(tiles.list().len(), 9);
        let (contrast, work) = many.install(|| found(&tiles, &frame));
        let (whole_contrast, whole) = found(&Tiles::one(width, height), &frame);
        assert!(contrast == whole_contrast);
        assert!(work.below == whole.below && work.soft == whole.soft);
        assert!(work.focus == whole.focus && work.settled == whole.settled);
    }
}
