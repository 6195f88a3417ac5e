//! The range of values that the frames show about each pixel.
//!
//! Contrast taken from different frames at different scales can add up to
//! values that no frame shows: glow beside edges, clipped highlights. Holding
//! the picture within the local range of its sources ends that.

use rayon::prelude::*;

use super::tiles::{Pane, Tiles};
use crate::core::plane::Plane;
use crate::core::vector::vectorised;

/// Pixels across and down that share one range.
pub const BLOCK: usize = 4;

/// The least and greatest value of each block over all frames, one channel.
#[derive(Debug, Clone)]
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
            low: vec![f32::INFINITY; blocks],
            high: vec![f32::NEG_INFINITY; blocks],
        }
    }

    /// Takes in a frame, where `mask` (if any) is not zero.
    pub fn add(&mut self, plane: &Plane, mask: Option<&Plane>) {
        let tiles = Tiles::of(plane.width, plane.height);
        let all = self.tiled(&tiles).into_par_iter().zip(tiles.list());
        all.for_each(|(mut seen, tile)| {
            for y in tile.rows.clone() {
                let mask = mask.map(|mask| tile.part(mask, y));
                seen.add_row(y, tile.part(plane, y), mask);
            }
        });
    }

    /// The parts that are in these tiles.
    pub fn tiled(&mut self, tiles: &Tiles) -> Vec<Seen<'_>> {
        let level = BLOCK.ilog2();
        let low = tiles.panes(&mut self.low, level);
        let both = low.into_iter().zip(tiles.panes(&mut self.high, level));
        both.map(|(low, high)| Seen { low, high }).collect()
    }

    /// Holds `plane` within the range of each pixel's block and the blocks
    /// around it.
    pub fn clamp(&self, plane: &mut Plane) {
        let (columns, rows) = (self.columns, self.low.len() / self.columns.max(1));
        let width = plane.width;
        plane
            .data
            .par_chunks_mut(width * BLOCK)
            .enumerate()
            .for_each(|(row, band)| {
                let near = |at: usize, count: usize| at.saturating_sub(1)..(at + 2).min(count);
                for column in 0..columns {
                    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
                    for r in near(row, rows) {
                        for c in near(column, columns) {
                            low = low.min(self.low[r * columns + c]);
                            high = high.max(self.high[r * columns + c]);
                        }
                    }
                    if low > high {
                        continue;
                    }
                    let end = ((column + 1) * BLOCK).min(width);
                    for line in band.chunks_exact_mut(width) {
                        for value in &mut line[column * BLOCK..end] {
                            *value = value.clamp(low, high);
                        }
                    }
                }
            });
    }
}

/// The least and greatest value of each block of a tile.
#[derive(Debug)]
pub struct Seen<'a> {
    low: Pane<'a>,
    high: Pane<'a>,
}

impl Seen<'_> {
    /// Takes in row `y` of a frame, where `mask` (if any) is not zero.
    pub fn add_row(&mut self, y: usize, row: &[f32], mask: Option<&[f32]>) {
        let (low, high) = (self.low.row(y / BLOCK), self.high.row(y / BLOCK));
        let Some(mask) = mask else {
            return vectorised(
                #[inline(always)]
                || widen(row, low, high),
            );
        };
        let shown = row.iter().zip(mask).enumerate();
        for (x, (&value, _)) in shown.filter(|(_, (_, mask))| **mask > 0.0) {
            low[x / BLOCK] = low[x / BLOCK].min(value);
            high[x / BLOCK] = high[x / BLOCK].max(value);
        }
    }
}

/// Widens the ranges of a row of blocks by what `row` shows.
#[inline(always)]
fn widen(row: &[f32], low: &mut [f32], high: &mut [f32]) {
    let (values, rest) = row.as_chunks::<BLOCK>();
    let each = low.iter_mut().zip(high.iter_mut()).zip(values);
    for ((low, high), v) in each {
        *low = low.min(v[0].min(v[1]).min(v[2].min(v[3])));
        *high = high.max(v[0].max(v[1]).max(v[2].max(v[3])));
    }
    for v in rest {
        low[values.len()] = low[values.len()].min(*v);
        high[values.len()] = high[values.len()].max(*v);
    }
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
    fn what_the_mask_hides_does_not_count() {
        let mut range = Range::new(8, 8);
        range.add(&Plane::filled(8, 8, 0.5), None);
        range.add(&Plane::filled(8, 8, 9.0), Some(&Plane::new(8, 8)));
        let mut bright = Plane::filled(8, 8, 9.0);
        range.clamp(&mut bright);
        assert!(bright.data.iter().all(|&v| v == 0.5));
    }
}
