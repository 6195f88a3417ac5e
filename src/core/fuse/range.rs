//! The range of values that the frames show about each pixel.
//!
//! Contrast taken from different frames at different scales can add up to
//! values that no frame shows: glow beside edges, clipped highlights. Holding
//! the picture within the local range of its sources ends that.

use std::ops;

use rayon::iter::repeat_n;
use rayon::prelude::*;

use super::tiles::{Pane, Tiles};
use crate::core::plane::Plane;
use crate::vector::vectorised;

/// Pixels across and down that share one range.
pub const BLOCK: usize = 4;

/// The least and greatest value of each block over all frames, one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    columns: usize,
    low: Vec<f32>,
    high: Vec<f32>,
}

impl Range {
    /// Nothing seen yet of pictures of this size.
    pub fn new(width: usize, height: usize) -> Self {
        let columns = width.div_ceil(BLOCK);
        let blocks = columns * height.div_ceil(BLOCK);
        Self {
            columns,
            low: repeat_n(f32::INFINITY, blocks).collect(),
            high: repeat_n(f32::NEG_INFINITY, blocks).collect(),
        }
    }

    /// Takes in a frame, where `mask` (if any) is not zero.
    pub fn add(&mut self, plane: &Plane, mask: Option<&Plane>) {
        let tiles = Tiles::of(plane.width, plane.height);
        let all = self.tiled(&tiles, 0, 0.0).into_par_iter().zip(tiles.list());
        all.for_each(|(mut seen, tile)| {
            let row = |y| tile.part(plane, y);
            seen.add_rows(
                tile.rows.clone(),
                row,
                mask.map(|mask| |y| tile.part(mask, y)),
            );
        });
    }

    /// The parts that are in these tiles, of a picture halved as often as is said, for
    /// a frame whose values may be so far from what they are.
    pub fn tiled(&mut self, tiles: &Tiles, halvings: u32, slack: f32) -> Vec<Seen<'_>> {
        let level = BLOCK.ilog2() + halvings;
        let low = tiles.panes(&mut self.low, level);
        let both = low.into_iter().zip(tiles.panes(&mut self.high, level));
        let seen = |(low, high)| Seen {
            low,
            high,
            slack,
            columns: Default::default(),
        };
        both.map(seen).collect()
    }

    /// Holds `plane` within the range of each pixel's block and the blocks
    /// around it.
    pub fn clamp(&self, plane: &mut Plane) {
        let width = plane.width.max(1);
        let bands = plane.data.par_chunks_mut(width * BLOCK).enumerate();
        bands.for_each_init(Limits::default, |limits, (row, band)| {
            self.limits(row, limits);
            let rows = band.chunks_exact_mut(width);
            rows.for_each(|row| limits.hold(row));
        });
    }

    /// Finds what a row of blocks is held within: the range of each block and of the
    /// blocks around it.
    pub fn limits(&self, row: usize, limits: &mut Limits) {
        let columns = self.columns;
        let last = (self.low.len() / columns.max(1)).saturating_sub(1);
        let rows = [row.saturating_sub(1), row, (row + 1).min(last)];
        let Limits { down, around } = limits;
        for plane in around.iter_mut() {
            plane.resize(columns, 0.0);
        }
        down.resize(columns + 2, 0.0);
        let [low, high] = around;
        vectorised(
            #[inline(always)]
            || {
                join(near(&self.low, rows, columns), down, low, lesser);
                join(near(&self.high, rows, columns), down, high, greater);
                // Where no frame was seen there is nothing to hold to.
                for (low, high) in low.iter_mut().zip(high) {
                    let is_seen = *low <= *high;
                    *low = if is_seen { *low } else { f32::NEG_INFINITY };
                    *high = if is_seen { *high } else { f32::INFINITY };
                }
            },
        );
    }
}

/// Three rows of these.
fn near(all: &[f32], rows: [usize; 3], columns: usize) -> [&[f32]; 3] {
    rows.map(|row| &all[row * columns..][..columns])
}

/// Joins each value of three rows with those beside it, above and below; `down` is
/// scratch for two more than a row has.
#[inline(always)]
fn join(
    [above, own, below]: [&[f32]; 3],
    down: &mut [f32],
    out: &mut [f32],
    choose: impl Fn(f32, f32) -> f32,
) {
    let count = own.len();
    let values = down[1..].iter_mut().zip(above).zip(own).zip(below);
    for (((down, above), own), below) in values {
        *down = choose(choose(*above, *own), *below);
    }
    (down[0], down[count + 1]) = (down[1], down[count]);
    for (out, near) in out.iter_mut().zip(down.windows(3)) {
        *out = choose(choose(near[0], near[1]), near[2]);
    }
}

/// The least and the greatest value that each block of a row of them may have.
#[derive(Debug, Default)]
pub struct Limits {
    around: [Vec<f32>; 2],
    /// Memory for those of three blocks above each other.
    down: Vec<f32>,
}

impl Limits {
    /// Holds a row of pixels within them.
    pub fn hold(&self, row: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let [low, high] = &self.around;
                let (blocks, last) = row.as_chunks_mut::<BLOCK>();
                let limits = low.iter().zip(high);
                for (block, (&low, &high)) in blocks.iter_mut().zip(limits) {
                    block.iter_mut().for_each(|v| *v = v.max(low).min(high));
                }
                if let (Some(&low), Some(&high)) = (low.last(), high.last()) {
                    last.iter_mut().for_each(|v| *v = v.max(low).min(high));
                }
            },
        );
    }
}

/// The least and greatest value of each block of a tile.
#[derive(Debug)]
pub struct Seen<'a> {
    low: Pane<'a>,
    high: Pane<'a>,
    /// How far values may be from what they are.
    slack: f32,
    /// Memory for the least and greatest value of each column of a row of blocks.
    columns: [Vec<f32>; 2],
}

impl Seen<'_> {
    /// Takes in `rows` of a frame, which begin with a block, where `mask` (if any) is
    /// not zero.
    pub fn add_rows<'r>(
        &mut self,
        rows: ops::Range<usize>,
        row: impl Fn(usize) -> &'r [f32],
        mask: Option<impl Fn(usize) -> &'r [f32]>,
    ) {
        if let Some(mask) = mask {
            return rows.for_each(|y| self.add_row(y, row(y), Some(mask(y))));
        }
        let whole = rows.len() / BLOCK;
        for y in (rows.start..).step_by(BLOCK).take(whole) {
            self.add_blocks(y / BLOCK, std::array::from_fn(|k| row(y + k)));
        }
        for y in rows.start + whole * BLOCK..rows.end {
            self.add_row(y, row(y), None);
        }
    }

    /// Takes in a whole row of blocks.
    fn add_blocks(&mut self, number: usize, rows: [&[f32]; BLOCK]) {
        let (low, high) = (self.low.row(number), self.high.row(number));
        let ([least, greatest], slack) = (&mut self.columns, self.slack);
        vectorised(
            #[inline(always)]
            || {
                let [a, b, c, d] = rows;
                for column in [&mut *least, &mut *greatest] {
                    column.resize(a.len(), 0.0);
                }
                let columns = least.iter_mut().zip(greatest.iter_mut());
                let values = a.iter().zip(b).zip(c).zip(d);
                for ((least, greatest), (((a, b), c), d)) in columns.zip(values) {
                    *least = lesser(lesser(*a, *b), lesser(*c, *d)) - slack;
                    *greatest = greater(greater(*a, *b), greater(*c, *d)) + slack;
                }
                widen(least, greatest, low, high);
            },
        );
    }

    /// Takes in row `y` of a frame, where `mask` (if any) is not zero.
    fn add_row(&mut self, y: usize, row: &[f32], mask: Option<&[f32]>) {
        let (low, high) = (self.low.row(y / BLOCK), self.high.row(y / BLOCK));
        let is_shown = |x: usize| mask.is_none_or(|mask| mask[x] > 0.0);
        for (x, value) in row.iter().enumerate().filter(|(x, _)| is_shown(*x)) {
            low[x / BLOCK] = low[x / BLOCK].min(value - self.slack);
            high[x / BLOCK] = high[x / BLOCK].max(value + self.slack);
        }
    }
}

/// Widens the ranges of a row of blocks by the least and the greatest value of each
/// column.
#[inline(always)]
fn widen(least: &[f32], greatest: &[f32], low: &mut [f32], high: &mut [f32]) {
    let (leasts, last_least) = least.as_chunks::<BLOCK>();
    let (greatests, last_greatest) = greatest.as_chunks::<BLOCK>();
    for (low, v) in low.iter_mut().zip(leasts) {
        *low = lesser(*low, lesser(lesser(v[0], v[1]), lesser(v[2], v[3])));
    }
    for (high, v) in high.iter_mut().zip(greatests) {
        *high = greater(*high, greater(greater(v[0], v[1]), greater(v[2], v[3])));
    }
    for v in last_least {
        low[leasts.len()] = lesser(low[leasts.len()], *v);
    }
    for v in last_greatest {
        high[leasts.len()] = greater(high[leasts.len()], *v);
    }
}

/// The lesser of two numbers, as vector units find it.
#[inline(always)]
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The greater of two numbers, likewise.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_within_what_was_seen_nearby() {
        let mut range = Range::new(33, 17);
        range.add(&Plane::filled(33, 17, 0.25), None);
        range.add(&Plane::filled(33, 17, 0.5), None);
        let mut wild = Plane::new(33, 17);
        wild.data
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = (i % 3) as f32 - 1.0);
        range.clamp(&mut wild);
        assert!(wild.data.iter().all(|v| (0.25..=0.5).contains(v)));
    }

    #[test]
    fn a_block_is_held_within_the_range_of_those_around_it() {
        let mut random = fastrand::Rng::with_seed(5);
        for (width, height) in [(3usize, 2usize), (9, 4), (4, 30), (50, 37)] {
            let mut seen = Plane::new(width, height);
            seen.data.iter_mut().for_each(|v| *v = random.f32());
            let mut range = Range::new(width, height);
            range.add(&seen, None);
            let around = |at: usize, size: usize| {
                let block = at / BLOCK;
                let end = (block + 2) * BLOCK;
                (block.saturating_sub(1) * BLOCK..end.min(size)).collect::<Vec<_>>()
            };
            for (wild, choose) in [(-1.0, f32::min as fn(f32, f32) -> f32), (2.0, f32::max)] {
                let mut held = Plane::filled(width, height, wild);
                range.clamp(&mut held);
                for (i, held) in held.data.iter().enumerate() {
                    let (columns, rows) = (around(i % width, width), around(i / width, height));
                    let near = rows.iter().map(|&y| columns.iter().map(move |&x| (x, y)));
                    let near = near.flatten().map(|(x, y)| seen.row(y)[x]);
                    assert_eq!(Some(*held), near.reduce(choose), "{i} of {width}×{height}");
                }
            }
        }
    }

    #[test]
    fn what_the_mask_hides_does_not_count() {
        let mut range = Range::new(8, 8);
        range.add(&Plane::filled(8, 8, 0.5), None);
        range.add(&Plane::filled(8, 8, 9.0), Some(&Plane::new(8, 8)));
        let mut bright = Plane::filled(8, 8, 9.0);
        range.clamp(&mut bright);
        assert!(bright.data.iter().all(|&v| v == 0.5));
    }
}
