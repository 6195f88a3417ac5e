//! What a blend of levels looks at in a frame.
//!
//! Nearly all of a picture's values are at the finest level, and what they tell
//! is local. So that level is cut into tiles, and each is looked at in strips of rows,
//! one after another, while they are in the cache: of each plane only the last rows
//! are kept, and only what is at most half the size is kept of the whole frame.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::brought::{Brought, Source, TOGETHER};
use super::contrast::{Spread, Winners, crisp_row, settle_into, squares, squares_into};
use super::depth::Clues;
use super::ends::{AHEAD, Ends};
use super::levels::Detail;
use super::tiles::{Pane, STEP, Tile, Tiles, halved};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::rolling::Rolling;
use crate::core::rows::Rows;
use crate::core::veil::Sheet;

/// Rows above a strip that windows look at.
const ABOVE: usize = 8;
/// Rows that are kept of a tile.
pub const KEPT: usize = (STEP + AHEAD + TOGETHER + ABOVE).next_multiple_of(STEP);

/// What is needed while a frame is added, kept for the next for its memory.
#[derive(Debug, Default)]
pub struct Work<const N: usize = 3> {
    /// Some rows of the finest level, for each tile that is looked at.
    strips: Spare<Strip<N>>,
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
pub struct Strip<const N: usize = 3> {
    /// The tile.
    pub tile: Tile,
    /// The rows of the picture that are made use of.
    pub rows: Range<usize>,
    /// The frame; the finest detail in the rows whose energy is found, unless there is
    /// none.
    pub brought: Brought<N>,
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
pub struct Given<'a, S> {
    /// What it is cut into.
    pub tiles: &'a Tiles,
    /// What is hidden of it is filled.
    pub frame: &'a S,
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

impl<const N: usize> Clone for Work<N> {
    /// There is nothing in it between two frames.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<const N: usize> Work<N> {
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
        given: &Given<impl Source<N>>,
        keep_going: KeepGoing,
        outs: Vec<O>,
        brought: impl Fn(&Strip<N>, Range<usize>, &mut O) + Sync,
        each: impl Fn(&mut Strip<N>, Option<&mut O>) + Sync,
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
                    let known = strip.brought.made();
                    let Strip {
                        tile, brought: own, ..
                    } = &mut *strip;
                    own.fetch(tile, (frame, veil), ends.channels, keep_going)?;
                    let new = strip.brought.since(known, &strip.tile);
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
        let quarters = tiles.panes_of(quarters, 2).into_iter();
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

impl<const N: usize> Strip<N> {
    /// Begins a tile.
    fn begin(&mut self, tile: Tile) {
        self.tile = tile;
        let size = self.tile.size();
        let Self {
            brought,
            below: [half, quarter],
            energies: [finest, coarser],
            soft,
            spread,
            settled,
            standing,
            ..
        } = self;
        brought.begin(size, KEPT);
        let whole = [finest, standing].into_iter();
        whole.for_each(|plane| plane.begin(0, size, KEPT));
        let halves = half.iter_mut().chain([coarser, soft, settled]);
        halves.for_each(|plane| plane.begin(1, size, KEPT));
        let quarters = quarter.iter_mut();
        quarters.for_each(|plane| plane.begin(2, size, KEPT));
        spread.begin(size, KEPT);
    }

    fn look(
        &mut self,
        ends: &Ends,
        given: &Given<impl Source<N>>,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let &Given {
            frame,
            count,
            factor,
            noise,
            ..
        } = given;
        let Self {
            tile,
            brought,
            below: [half, quarter],
            energies: [finest, coarser],
            soft,
            spread,
            settled,
            ..
        } = self;
        brought.halve(tile, frame, half, ends.half, keep_going)?;
        for (fine, small) in half.iter().zip(&mut *quarter) {
            fine.reduce_to(small.grow(ends.quarter));
        }
        check(keep_going)?;
        match count {
            0 => {
                let detail = Detail::new(&brought.channels, brought.coarser(half));
                squares_into(&detail, finest.grow(ends.finest));
            }
            _ => {
                let width = finest.width();
                brought.split(half, finest.grown(ends.finest), width);
            }
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
    use super::super::brought::Coloured;
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::warp::Warped;

    /// What is found of a frame in these tiles: the contrast, and what is kept.
    fn found(tiles: &Tiles, frame: &Coloured) -> (Vec<f32>, Work) {
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
        let frame = Coloured::Warped(Warped {
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
