//! The parts of a picture that threads look at, each by itself.

use std::ops::Range;

use super::ends::AHEAD;
use crate::core::plane::Plane;
use crate::core::rows::Rows;

/// Columns of a tile, about: few enough that what is looked at stays in the cache,
/// and many beside the margins.
const COLUMNS: usize = 1024;
/// Small pictures have so many tiles beside each other where these are so wide.
const FEW: usize = 3;
const NARROW: usize = 640;
/// Tiles for each thread, so that none waits long for the last, as long as they have
/// so many rows. Fewer are enough, but not fewer than the least, where all threads
/// have as many.
const EACH: usize = 3;
const LEAST: usize = 2;
const ROWS: usize = 384;
/// Columns and rows are cut at multiples of this, which coarser levels stand for.
const ALIGNED: usize = 64;
/// Columns on either side of a tile that are looked at for its sake: no window
/// reaches farther. What is left of it stands for whole pixels of coarser levels.
const BESIDE: usize = AHEAD;
/// Rows above and below, likewise: a multiple of a step.
const ABOVE: usize = 2 * STEP;
/// Rows of a tile that are looked at together.
pub const STEP: usize = 32;

/// A picture cut into tiles.
#[derive(Debug)]
pub struct Tiles {
    columns: Vec<Range<usize>>,
    rows: Vec<Range<usize>>,
    size: [usize; 2],
}

/// A part of a picture, and what is around it.
#[derive(Debug, Clone, Default)]
pub struct Tile {
    /// What is made use of.
    pub columns: Range<usize>,
    /// The same down.
    pub rows: Range<usize>,
    /// What is looked at.
    pub across: Range<usize>,
    /// The same down.
    pub down: Range<usize>,
}

impl Tiles {
    /// Of a picture of this size, for all threads. Where columns are cut does not
    /// depend on their number: it changes how frames are rounded.
    pub fn of(width: usize, height: usize) -> Self {
        let columns = (width / COLUMNS).max((width / NARROW).min(FEW));
        let columns = cut(width, columns.max(1));
        let threads = rayon::current_num_threads();
        let rows = |each: usize| (each * threads).div_ceil(columns.len());
        let is_even = |rows: &usize| (rows * columns.len()).is_multiple_of(threads);
        let wished = (rows(LEAST)..rows(EACH)).find(is_even);
        let wished = wished.unwrap_or(rows(EACH));
        let rows = cut(height, wished.min(height / ROWS).max(1));
        Self {
            columns,
            rows,
            size: [width, height],
        }
    }

    /// A picture in one piece.
    #[cfg(test)]
    pub fn one(width: usize, height: usize) -> Self {
        Self {
            columns: cut(width, 1),
            rows: cut(height, 1),
            size: [width, height],
        }
    }

    /// All of them, row after row.
    pub fn list(&self) -> Vec<Tile> {
        let rows = self.rows.iter();
        let each = rows.flat_map(|rows| self.columns.iter().map(move |columns| (rows, columns)));
        let [width, height] = self.size;
        let around = |part: &Range<usize>, margin: usize, size: usize| {
            part.start.saturating_sub(margin)..(part.end + margin).min(size)
        };
        each.map(|(rows, columns)| Tile {
            across: around(columns, BESIDE, width),
            down: around(rows, ABOVE, height),
            rows: rows.clone(),
            columns: columns.clone(),
        })
        .collect()
    }

    /// Width and height of the picture.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Cuts a plane that is the picture halved as often as is said, row after row,
    /// into one pane for each of them.
    pub fn panes<'a, T>(&self, mut data: &'a mut [T], level: u32) -> Vec<Pane<'a, T>> {
        let halved = |at: usize| at.div_ceil(1 << level);
        let mut panes = Vec::with_capacity(self.rows.len() * self.columns.len());
        for rows in &self.rows {
            let (first, count) = (halved(rows.start), halved(rows.end) - halved(rows.start));
            let start = panes.len();
            panes.extend(self.columns.iter().map(|_| Pane {
                first,
                rows: Vec::with_capacity(count),
            }));
            for _ in 0..count {
                for (pane, columns) in panes[start..].iter_mut().zip(&self.columns) {
                    let length = halved(columns.end) - halved(columns.start);
                    let row;
                    (row, data) = data.split_at_mut(length);
                    pane.rows.push(row);
                }
            }
        }
        panes
    }

    /// The same of several planes.
    pub fn panes_of<'a, T, const N: usize>(
        &self,
        planes: [&'a mut [T]; N],
        level: u32,
    ) -> Vec<[Pane<'a, T>; N]> {
        each(planes.map(|plane| self.panes(plane, level)))
    }
}

/// What there is of all channels for each tile.
pub fn each<T, const N: usize>(channels: [Vec<T>; N]) -> Vec<[T; N]> {
    let mut channels = channels.map(Vec::into_iter);
    let next = || {
        let all: Option<Vec<T>> = channels.iter_mut().map(Iterator::next).collect();
        all?.try_into().ok()
    };
    std::iter::from_fn(next).collect()
}

/// Cuts so many pixels into so many parts, about alike.
fn cut(size: usize, count: usize) -> Vec<Range<usize>> {
    let at = |k: usize| match k {
        _ if k == count => size,
        _ => size * k / count / ALIGNED * ALIGNED,
    };
    (0..count).map(|k| at(k)..at(k + 1)).collect()
}

impl Tile {
    /// Width and height of what is looked at.
    pub fn size(&self) -> [usize; 2] {
        [self.across.len(), self.down.len()]
    }

    /// Rows that are looked at together, from the top down: those above the tile as
    /// well, and its own.
    pub fn steps(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = self.rows.end;
        let starts = (self.down.start..end).step_by(STEP);
        starts.map(move |start| start..(start + STEP).min(end))
    }

    /// Whether such rows are the tile's own.
    pub fn owns(&self, rows: &Range<usize>) -> bool {
        rows.start >= self.rows.start
    }

    /// Which of the columns that are looked at are made use of, in a plane halved as
    /// often as is said.
    pub fn own(&self, level: u32) -> Range<usize> {
        let left = self.across.start;
        let halved = |at: usize| (at - left).div_ceil(1 << level);
        halved(self.columns.start)..halved(self.columns.end)
    }

    /// How many rows of such a plane are above what is looked at.
    pub fn above(&self, level: u32) -> usize {
        self.down.start >> level
    }

    /// The tile's part of row `y` of a plane of the whole picture.
    pub fn part<'a>(&self, plane: &'a Plane, y: usize) -> &'a [f32] {
        &plane.row(y)[self.columns.clone()]
    }

    /// The same of a plane at half the size.
    pub fn half_part<'a>(&self, plane: &'a Plane, y: usize) -> &'a [f32] {
        &plane.row(y)[halved(&self.columns, 1)]
    }

    /// The tile's part of row `y` of the picture, halved as often as is said, where
    /// `looked` begins where what is looked at for the tile begins.
    pub fn row<'a>(&self, looked: &'a impl Rows, level: u32, y: usize) -> &'a [f32] {
        &looked.row(y - self.above(level))[self.own(level)]
    }

    /// Copies what such a plane shows of these `rows` of the picture to its place.
    pub fn copy(&self, looked: &impl Rows, level: u32, rows: &Range<usize>, to: &mut Pane) {
        for y in halved(rows, level) {
            to.row(y).copy_from_slice(self.row(looked, level, y));
        }
    }
}

/// These rows of a picture that is halved as often as is said; they begin where
/// coarser levels are whole.
pub fn halved(rows: &Range<usize>, level: u32) -> Range<usize> {
    rows.start >> level..rows.end.div_ceil(1 << level)
}

/// A rectangle of a plane.
#[derive(Debug)]
pub struct Pane<'a, T = f32> {
    /// The number of the first row.
    first: usize,
    rows: Vec<&'a mut [T]>,
}

impl<T> Pane<'_, T> {
    /// Row `y` of the plane, as far as it lies in here.
    pub fn row(&mut self, y: usize) -> &mut [T] {
        &mut *self.rows[y - self.first]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_their_panes_make_up_the_picture() {
        for (width, height) in [(1, 1), (5, 3), (1023, 40), (2500, 1111), (6001, 4003)] {
            let tiles = Tiles::of(width, height);
            for level in 0..3 {
                let halved = |at: usize| at.div_ceil(1 << level);
                let mut data = vec![0u8; halved(width) * halved(height)];
                let panes = tiles.panes(&mut data, level);
                let list = tiles.list();
                assert_eq!(panes.len(), list.len());
                for (mut pane, tile) in panes.into_iter().zip(list) {
                    for y in halved(tile.rows.start)..halved(tile.rows.end) {
                        let row = pane.row(y);
                        assert_eq!(row.len(), tile.own(level).len());
                        row.iter_mut().for_each(|value| *value += 1);
                    }
                }
                assert!(data.iter().all(|&value| value == 1));
            }
        }
    }

    #[test]
    fn a_picture_is_cut_where_coarse_levels_are_whole() {
        for tile in Tiles::of(6001, 4003).list() {
            let starts = [tile.columns.start, tile.rows.start];
            let around = [tile.across.start, tile.down.start];
            assert!(starts.iter().chain(&around).all(|at| at % 16 == 0));
            assert!(tile.columns.len() > NARROW);
        }
    }
}
