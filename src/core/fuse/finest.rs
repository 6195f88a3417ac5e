//! The finest level of a tile of a pyramid, looked at in strips of rows while they
//! are in the cache; see [`work`](super::work).

use std::ops::Range;

use super::brought::{Brought, Source};
use super::ends::{expanded, reduced, windowed};
use super::pyramid::calmed;
use super::tiles::Tile;
use super::work::KEPT;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::rolling::Rolling;
use crate::core::rows::Rows;
use crate::vector::vectorised;

/// The last rows of the finest level of a tile; kept from one frame to the next
/// for its memory.
#[derive(Debug, Default)]
pub struct Finest<const N: usize = 3> {
    /// The tile; all planes begin where what is looked at for it begins.
    pub tile: Tile,
    /// The rows that are made use of.
    pub rows: Range<usize>,
    /// The frame; its finest detail in the rows that are made use of.
    pub brought: Brought<N>,
    /// At half the size.
    pub below: [Rolling; 3],
    /// The energy of its detail in no window, in one, and so on.
    energies: Vec<Rolling>,
    /// The last of these, at half the size, and in one more window; not made where
    /// nothing is calmed.
    around: [Rolling; 2],
    /// The energy around at which that of a place counts half, or 0; see [`calmed`].
    calm: f32,
}

/// Who makes use of the strips of a tile.
pub trait Taker<const N: usize> {
    /// Sees those of the tile's rows of which the channels show the frame itself now,
    /// whole blocks of [`TOGETHER`](super::brought::TOGETHER) but for the last.
    fn see(&mut self, strip: &Finest<N>, rows: Range<usize>);

    /// Takes in a strip that is the tile's.
    fn take(&mut self, strip: &Finest<N>);
}

/// How many rows of each plane are needed; see [`ends`](super::ends).
struct Ends {
    channels: usize,
    below: usize,
    energies: Vec<usize>,
    around: [usize; 2],
}

impl Ends {
    /// For the rows above `end` in a picture of `height` rows.
    fn of(end: usize, height: usize, windows: usize) -> Self {
        let half = height.div_ceil(2);
        let around = expanded(end, half);
        let small = windowed(around, half);
        let last = reduced(small, height).max(end);
        let outer = std::iter::successors(Some(last), |&end| Some(windowed(end, height)));
        let mut energies: Vec<usize> = outer.take(windows + 1).collect();
        energies.reverse();
        let below = expanded(energies[0], half).max(end.div_ceil(2));
        Self {
            channels: reduced(below, height).max(energies[0]),
            below,
            energies,
            around: [small, around],
        }
    }
}

impl<const N: usize> Finest<N> {
    /// Looks at a tile of a frame, strip by strip, in so many windows one in another,
    /// calmed unless that is 0, for `taker`.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn look(
        &mut self,
        tile: Tile,
        source: &impl Source<N>,
        (windows, calm): (usize, f32),
        keep_going: KeepGoing,
        taker: &mut impl Taker<N>,
    ) -> Result<()> {
        self.begin(tile, windows);
        self.calm = calm;
        for rows in self.tile.steps() {
            self.rows = rows;
            let down = &self.tile.down;
            let ends = Ends::of(self.rows.end - down.start, down.len(), windows);
            let known = self.brought.made();
            let Self {
                tile, brought: own, ..
            } = &mut *self;
            own.fetch(tile, (source, None), ends.channels, keep_going)?;
            let new = self.brought.since(known, &self.tile);
            taker.see(self, new);
            self.grow(source, &ends, keep_going)?;
            check(keep_going)?;
            if self.tile.owns(&self.rows) {
                taker.take(self);
            }
        }
        Ok(())
    }

    fn begin(&mut self, tile: Tile, windows: usize) {
        self.tile = tile;
        let size = self.tile.size();
        self.energies.resize_with(windows + 1, Rolling::default);
        self.brought.begin(size, KEPT);
        let energies = self.energies.iter_mut();
        energies.for_each(|plane| plane.begin(0, size, KEPT));
        let halves = self.below.iter_mut().chain(&mut self.around);
        halves.for_each(|plane| plane.begin(1, size, KEPT));
    }

    fn grow(&mut self, source: &impl Source<N>, ends: &Ends, keep_going: KeepGoing) -> Result<()> {
        let Self {
            tile,
            brought,
            below,
            energies,
            around: [small, around],
            calm,
            ..
        } = self;
        brought.halve(tile, source, below, ends.below, keep_going)?;
        check(keep_going)?;
        let width = energies[0].width();
        brought.split(below, energies[0].grown(ends.energies[0]), width);
        for number in 1..energies.len() {
            check(keep_going)?;
            let (before, after) = energies.split_at_mut(number);
            before[number - 1].window_to(after[0].grow(ends.energies[number]));
        }
        check(keep_going)?;
        if let Some(energy) = energies.last().filter(|_| *calm > 0.0) {
            energy.reduce_to(small.grow(ends.around[0]));
            small.window_to(around.grow(ends.around[1]));
        }
        Ok(())
    }

    /// Row `y` of what is looked at for the tile of the energy in all windows, calmed
    /// by its surroundings. `scratch` is memory of any length.
    pub fn energy(&self, y: usize, row: &mut [f32], scratch: &mut [Vec<f32>; 2]) {
        let Some(energy) = self.energies.last() else {
            return;
        };
        let (energy, half) = (energy.row(y), self.calm);
        if half <= 0.0 {
            row.copy_from_slice(energy);
            return;
        }
        let [around, sums] = scratch;
        around.resize(row.len(), 0.0);
        self.around[1].expanded_row(y, around, sums);
        vectorised(
            #[inline(always)]
            || {
                let places = row.iter_mut().zip(energy).zip(around.iter());
                places.for_each(|((out, &own), &around)| *out = calmed(own, around, half));
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::AHEAD;
    use super::*;

    #[test]
    fn a_frame_is_needed_a_little_beyond_the_end() {
        for windows in 0..5 {
            for height in [1usize, 2, 3, 50, 501, 4000] {
                for end in (0..=height).step_by(4) {
                    let ends = Ends::of(end, height, windows);
                    assert!(ends.channels <= (end + AHEAD).min(height));
                    assert!(ends.energies[windows] >= end);
                    assert!(ends.below <= height.div_ceil(2));
                }
                assert_eq!(Ends::of(height, height, windows).channels, height);
            }
        }
    }
}
