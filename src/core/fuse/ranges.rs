//! The ranges of values of all channels that frames have.

use std::ops;

use super::range::{Range, Seen};
use super::tiles::{Tile, Tiles, each, halved};
use crate::core::plane::Plane;
use crate::core::rolling::Rolling;

/// What a picture is held within: the ranges of red, green and blue, or that of grey
/// where frames have their colour at half the size.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges<const N: usize = 3> {
    /// At the full size.
    pub full: [Range; N],
    /// Of red, green and blue at half the size, where there is none above.
    pub half: Option<Box<[Range; 3]>>,
}

impl<const N: usize> Ranges<N> {
    /// Nothing seen yet of pictures of this size.
    pub fn new(width: usize, height: usize) -> Self {
        let half = || Range::new(width.div_ceil(2), height.div_ceil(2));
        Self {
            full: std::array::from_fn(|_| Range::new(width, height)),
            half: (N == 1).then(|| Box::new(std::array::from_fn(|_| half()))),
        }
    }

    /// The parts that are in these tiles, for a frame whose grey may be so far from
    /// what it is.
    pub fn tiled(&mut self, tiles: &Tiles, slack: f32) -> Vec<AllSeen<'_, N>> {
        let full = self.full.each_mut();
        let full = each(full.map(|range| range.tiled(tiles, 0, slack)));
        let half = self.half.as_mut().map(|half| {
            let half = half.each_mut();
            each(half.map(|range| range.tiled(tiles, 1, 0.0)))
        });
        let mut half = half.map(Vec::into_iter);
        let mut next = || half.as_mut().and_then(Iterator::next);
        let all = full.into_iter().map(|full| AllSeen { full, half: next() });
        all.collect()
    }
}

impl From<[Range; 3]> for Ranges {
    fn from(full: [Range; 3]) -> Self {
        Self { full, half: None }
    }
}

/// The ranges of a tile.
#[derive(Debug)]
pub struct AllSeen<'a, const N: usize> {
    full: [Seen<'a>; N],
    half: Option<[Seen<'a>; 3]>,
}

impl<const N: usize> AllSeen<'_, N> {
    /// Takes in `rows` of a frame, which begin with a block, where `mask` (if any) is
    /// not zero.
    pub fn add_rows(
        &mut self,
        tile: &Tile,
        channels: &[Rolling; N],
        rows: &ops::Range<usize>,
        mask: Option<&Plane>,
    ) {
        for (range, channel) in self.full.iter_mut().zip(channels) {
            let row = |y| tile.row(channel, 0, y);
            range.add_rows(rows.clone(), row, mask.map(|mask| |y| tile.part(mask, y)));
        }
    }

    /// The same at half the size, of which these are `rows` of the picture; `mask` is
    /// of half the size.
    pub fn add_half_rows(
        &mut self,
        tile: &Tile,
        half: &[Rolling; 3],
        rows: &ops::Range<usize>,
        mask: Option<&Plane>,
    ) {
        for (range, channel) in self.half.iter_mut().flatten().zip(half) {
            let row = |y| tile.row(channel, 1, y);
            let mask = mask.map(|mask| |y| tile.half_part(mask, y));
            range.add_rows(halved(rows, 1), row, mask);
        }
    }
}
