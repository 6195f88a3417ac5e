//! A plane that is made from the top down, of which the last rows are kept.

use rayon::prelude::*;
use std::ops::Range;

use super::plane::Plane;
use super::rows::{Band, Rows};

/// Rows that one task makes: those of a tile are made by one.
const BAND: usize = 64;

/// The last rows of a plane: each takes the place of the one that is as many above
/// it as are kept.
#[derive(Debug, Default)]
pub struct Rolling {
    width: usize,
    height: usize,
    /// Rows that are kept.
    kept: usize,
    /// Rows that were made.
    end: usize,
    data: Vec<f32>,
}

impl Rolling {
    /// Begins a level of a pyramid, halved as often as is said from one of
    /// `width`×`height` pixels; what the last `kept` rows of that make stays.
    pub fn begin(&mut self, level: u32, [width, height]: [usize; 2], kept: usize) {
        let halved = |size: usize| size.div_ceil(1 << level);
        (self.width, self.height) = (halved(width), halved(height));
        (self.kept, self.end) = (halved(kept).min(self.height), 0);
        self.data.resize(self.width * self.kept, 0.0);
    }

    /// Bands of the rows up to `end` that are not there yet, which are to be
    /// written; each comes with the number of its first row.
    pub fn grow(&mut self, end: usize) -> impl ParallelIterator<Item = Band<'_>> {
        let rows = self.next(end);
        self.bands_mut(rows)
    }

    /// The same rows, in the two parts that lie in one piece.
    pub fn grown(&mut self, end: usize) -> [Band<'_>; 2] {
        let rows = self.next(end);
        self.parts_mut(rows)
    }

    fn next(&mut self, end: usize) -> Range<usize> {
        let start = self.end;
        self.end = end.max(start);
        start..self.end
    }

    /// How many rows were made.
    pub fn made(&self) -> usize {
        self.end
    }

    /// One row that is there.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let start = self.place(y) * self.width;
        &mut self.data[start..start + self.width]
    }

    /// Bands of these rows.
    pub fn bands_mut(&mut self, rows: Range<usize>) -> impl ParallelIterator<Item = Band<'_>> {
        let length = (self.width * BAND).max(1);
        let [upper, lower] = self.parts_mut(rows);
        let bands = [upper, lower].map(|(first, rows)| {
            let bands = rows.par_chunks_mut(length).enumerate();
            bands.map(move |(band, rows)| (first + band * BAND, rows))
        });
        let [upper, lower] = bands;
        upper.chain(lower)
    }

    /// These rows, in the two parts that lie in one piece; the second may be empty.
    fn parts_mut(&mut self, rows: Range<usize>) -> [Band<'_>; 2] {
        let (place, count) = (self.place(rows.start), rows.len());
        let upper = count.min(self.kept - place);
        let (head, tail) = self.data.split_at_mut(place * self.width);
        [
            (rows.start, &mut tail[..upper * self.width]),
            (
                rows.start + upper,
                &mut head[..(count - upper) * self.width],
            ),
        ]
    }

    /// The plane, where all of it is kept.
    pub fn into_plane(self) -> Plane {
        Plane {
            width: self.width,
            height: self.height,
            data: self.data,
        }
    }

    fn place(&self, y: usize) -> usize {
        y % self.kept.max(1)
    }
}

impl Rows for Rolling {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn row(&self, y: usize) -> &[f32] {
        debug_assert!(
            y < self.end && y + self.kept >= self.end,
            "row {y} is not there"
        );
        let start = self.place(y) * self.width;
        &self.data[start..start + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rows_are_there_whatever_they_took_the_place_of() {
        let (width, height) = (3, 50);
        let mut rolling = Rolling::default();
        rolling.begin(0, [width, height], 24);
        let mut end = 0;
        while end < height {
            end = (end + 11).min(height);
            rolling.grow(end).for_each(|(first, rows)| {
                for (y, row) in (first..).zip(rows.chunks_exact_mut(width)) {
                    row.fill(y as f32);
                }
            });
            for y in end.saturating_sub(24)..end {
                assert_eq!(rolling.row(y), [y as f32; 3], "{y} of {end}");
            }
        }
        rolling
            .bands_mut(40..50)
            .for_each(|(_, rows)| rows.fill(7.0));
        assert_eq!(
            (rolling.row(39), rolling.row(49)),
            (&[39.0; 3][..], &[7.0; 3][..])
        );
    }
}
