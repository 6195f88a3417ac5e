//! The veil over one frame, and how it is taken off.

use rayon::prelude::*;
use std::ops::Range;

use super::cells::Cells;
use crate::core::plane::Plane;
use crate::vector::vectorised;

/// Where a veil covers more than this, nothing is lifted; it begins to count
/// less so much before.
pub const THICK: f32 = 0.9;
const FADES: f32 = 0.3;
/// A veil that covers less changes nothing that could be seen.
pub const THIN: f32 = 1.0 / 1024.0;
/// Rows that one task lifts.
const BAND: usize = 16;

/// The values of a place: the veil's light in three colours, how much it covers,
/// how far it is to be lifted, and the range of values there may be then, low
/// and high; one is there for the sake of their number.
pub type Place = [f32; VALUES];
/// How many values a place has.
pub const VALUES: usize = 12;
const COVERS: usize = 3;
const COUNTS: usize = 4;
const LOW: usize = 5;
const HIGH: usize = 8;

/// A veil over a frame, in cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Cells in a row.
    pub width: usize,
    /// Pixels of the picture for a cell, each way.
    pub step: usize,
    /// Row after row.
    pub places: Vec<Place>,
}

/// How far a veil is lifted that covers this share.
pub fn fade(covers: f32) -> f32 {
    ((THICK - covers) / FADES).clamp(0.0, 1.0)
}

/// The light behind a veil of this light that covers this share.
#[inline(always)]
pub fn lifted(light: f32, veil: f32, covers: f32) -> f32 {
    ((light - veil) / (1.0 - covers.min(THICK))).clamp(0.0, 1.0)
}

impl Sheet {
    /// Of a veil that is not lifted where something in front of it is, which
    /// `covers` it, and never beyond the `range` (low and high of each colour).
    pub fn new(veil: &Cells, cover: &Plane, range: &[[Plane; 2]; 3], step: usize) -> Self {
        let place = |i: usize| {
            let [red, green, blue, covers] = veil.data[i];
            let counts = fade(covers) * (1.0 - cover.data[i]);
            let [low, high] = [0, 1].map(|k| range.each_ref().map(|bounds| bounds[k].data[i]));
            let rest = [low, high].concat();
            let mut place = [0.0; VALUES];
            place[..LOW].copy_from_slice(&[red, green, blue, covers, counts]);
            place[LOW..LOW + 6].copy_from_slice(&rest);
            place
        };
        Self {
            width: veil.width,
            step,
            places: (0..veil.data.len()).into_par_iter().map(place).collect(),
        }
    }

    /// Lifts the veil off `columns` of some rows of the frame, from row `first` on.
    pub fn lift(&self, first: usize, columns: Range<usize>, channels: [&mut [f32]; 3]) {
        let (left, width) = (columns.start, columns.len());
        // One more, to go on to.
        let cells = left / self.step..(columns.end.div_ceil(self.step) + 1).min(self.width);
        let length = (width * BAND).max(1);
        let [red, green, blue] = channels;
        red.par_chunks_mut(length)
            .zip(green.par_chunks_mut(length))
            .zip(blue.par_chunks_mut(length))
            .enumerate()
            .for_each_init(Vec::new, |row, (band, ((red, green), blue))| {
                let red = red.chunks_exact_mut(width);
                let rows = red.zip(green.chunks_exact_mut(width));
                let rows = rows.zip(blue.chunks_exact_mut(width));
                for (y, ((red, green), blue)) in (first + band * BAND..).zip(rows) {
                    self.row(y, cells.clone(), row);
                    vectorised(
                        #[inline(always)]
                        || self.lift_row(row, left, [red, green, blue]),
                    );
                }
            });
    }

    /// These cells on the row `y` of the frame.
    fn row(&self, y: usize, cells: Range<usize>, row: &mut Vec<Place>) {
        let last = self.places.len() / self.width - 1;
        let (own, next) = ((y / self.step).min(last), (y / self.step + 1).min(last));
        let share = (y % self.step) as f32 / self.step as f32;
        let line = |y: usize| &self.places[y * self.width..][cells.clone()];
        row.clear();
        let places = line(own).iter().zip(line(next));
        row.extend(places.map(|(own, next)| between(own, next, share)));
    }

    #[inline(always)]
    fn lift_row(&self, row: &[Place], left: usize, channels: [&mut [f32]; 3]) {
        let columns = left..left + channels[0].len();
        let [red, green, blue] = channels;
        let counts = |place: &Place| place[COUNTS] * place[COVERS] > THIN;
        let first = left / self.step;
        for (k, own) in row.iter().enumerate() {
            let next = row.get(k + 1).unwrap_or(own);
            if !counts(own) && !counts(next) {
                continue;
            }
            let start = (first + k) * self.step;
            let end = (start + self.step).min(columns.end);
            for x in start.max(left)..end {
                let place = between(own, next, (x - start) as f32 / self.step as f32);
                for (c, channel) in [&mut *red, &mut *green, &mut *blue].into_iter().enumerate() {
                    channel[x - left] = without(channel[x - left], c, &place);
                }
            }
        }
    }
}

/// The value of a pixel without the veil.
#[inline(always)]
fn without(value: f32, c: usize, place: &Place) -> f32 {
    let bare = lifted(value * value.max(0.0), place[c], place[COVERS]).sqrt();
    let bare = bare.max(place[LOW + c]).min(place[HIGH + c]);
    value + place[COUNTS] * (bare - value)
}

/// As far as `share` from one place to the next.
#[inline(always)]
fn between(own: &Place, next: &Place, share: f32) -> Place {
    std::array::from_fn(|k| own[k] + share * (next[k] - own[k]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_veil_added_is_taken_off_again() {
        let (width, height, step) = (9, 7, 4);
        let cells = |x: usize| 0.1 * x as f32;
        let veil = Cells::from_fn(3, 2, |i| {
            let covers = cells(i % 3);
            [0.9 * covers, 0.3 * covers, 0.0, covers]
        });
        let cover = Plane::new(3, 2);
        let range = || [Plane::new(3, 2), Plane::filled(3, 2, 1.0)];
        let range = [range(), range(), range()];
        let sheet = Sheet::new(&veil, &cover, &range, step);
        let bare = |x: usize| 0.3 + 0.05 * x as f32;
        let colours = [0.9, 0.3, 0.0];
        let mut frame = colours.map(|colour| {
            let veiled = |i: usize| {
                let x = i % width;
                let covers = 0.1 * (x as f32 / step as f32).min(2.0);
                ((1.0 - covers) * bare(x) * bare(x) + covers * colour).sqrt()
            };
            (0..width * height).map(veiled).collect::<Vec<f32>>()
        });
        sheet.lift(
            0,
            0..width,
            frame.each_mut().map(|channel| &mut channel[..]),
        );
        for channel in &frame {
            for (i, value) in channel.iter().enumerate() {
                let truth = bare(i % width);
                assert!((value - truth).abs() < 1e-5, "{i}: {value} {truth}");
            }
        }
    }

    #[test]
    fn nothing_changes_where_the_thing_itself_is_or_beyond_the_range() {
        let veil = Cells::from_fn(2, 2, |_| [0.0, 0.0, 0.0, 0.5]);
        let bounds = || [Plane::filled(2, 2, 0.2), Plane::filled(2, 2, 0.45)];
        let range = [bounds(), bounds(), bounds()];
        let lift = |cover: f32| {
            let sheet = Sheet::new(&veil, &Plane::filled(2, 2, cover), &range, 2);
            let mut frame = [[0.4f32; 9]; 3];
            sheet.lift(0, 0..3, frame.each_mut().map(|channel| &mut channel[..]));
            frame
        };
        assert_eq!(lift(1.0), [[0.4; 9]; 3]);
        // Bare it would be 0.57.
        assert!(lift(0.0).iter().flatten().all(|v| (v - 0.45).abs() < 1e-6));
    }
}
