//! The light of a frame in coarse cells.

use rayon::prelude::*;
use std::sync::OnceLock;

use crate::core::Transform;
use crate::core::grey::decode;
use crate::photo::{Photo, Samples};

/// Cells along the longer side.
const CELLS: usize = 160;
/// Pixels across and down a cell that tell its light.
const ENOUGH: usize = 10;
/// Cells about a clipped one that its light may spread to.
const HALO: usize = 2;
/// Encoded value beyond which a sample may be clipped.
const CLIPPED: f32 = 0.985;

/// The light of a frame in coarse cells.
#[derive(Debug, Clone)]
pub struct Light {
    /// Pixels of the frame across and down one cell.
    pub(super) side: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Linear red, green, blue of each cell; negative where it is clipped or
    /// the frame shows nothing.
    pub(super) cells: Vec<[f32; 3]>,
}

impl Light {
    /// The light of a photograph, taken as sRGB (IEC 61966-2-1).
    pub fn of(photo: &Photo) -> Self {
        let side = photo.width.max(photo.height).div_ceil(CELLS).max(1);
        let (columns, rows) = (photo.width / side, photo.height / side);
        let cell = |i: usize| {
            let (left, top) = (i % columns * side, i / columns * side);
            match &photo.samples {
                Samples::Eight(samples) => cell(photo, samples, table8(), left, top, side),
                Samples::Sixteen(samples) => cell(photo, samples, table16(), left, top, side),
            }
        };
        let cells = (0..columns * rows).into_par_iter().map(cell).collect();
        let mut light = Self {
            side,
            columns,
            rows,
            cells,
        };
        light.leave_out_halos();
        light
    }

    /// The same for a frame that was halved so often before it was looked at.
    pub fn of_halved(photo: &Photo, halvings: u32) -> Self {
        let light = Self::of(photo);
        Self {
            side: light.side << halvings,
            ..light
        }
    }

    /// Leaves out what lies about clipped cells as well: out of focus their
    /// light spreads there, and more of it than they showed. Where next to
    /// nothing would be left, it counts all the same.
    fn leave_out_halos(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let is_near = |i: usize| {
            let near = |at: usize, size: usize| at.saturating_sub(HALO)..(at + HALO + 1).min(size);
            near(i / columns, rows)
                .any(|y| near(i % columns, columns).any(|x| self.cells[y * columns + x][0] < 0.0))
        };
        let halos: Vec<usize> = (0..self.cells.len()).filter(|&i| is_near(i)).collect();
        if 4 * halos.len() < 3 * self.cells.len() {
            halos.into_iter().for_each(|i| self.cells[i] = [-1.0; 3]);
        }
    }

    /// The light where `pose`, in cells, puts a cell; `None` near the border
    /// and beside clipped cells.
    pub(super) fn at(&self, pose: &Transform, column: usize, row: usize) -> Option<[f32; 3]> {
        let [x, y] = pose.apply(column as f64, row as f64);
        let is_inner = |v: f64, count: usize| v >= 0.0 && v < count.saturating_sub(1) as f64;
        if !is_inner(x, self.columns) || !is_inner(y, self.rows) {
            return None;
        }
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = ((x - x0 as f64) as f32, (y - y0 as f64) as f32);
        let at = y0 * self.columns + x0;
        let corners = [
            (self.cells[at], (1.0 - fx) * (1.0 - fy)),
            (self.cells[at + 1], fx * (1.0 - fy)),
            (self.cells[at + self.columns], (1.0 - fx) * fy),
            (self.cells[at + self.columns + 1], fx * fy),
        ];
        let mut light = [0.0; 3];
        for (cell, weight) in corners {
            if cell[0] < 0.0 {
                return None;
            }
            (0..3).for_each(|c| light[c] += weight * cell[c]);
        }
        Some(light)
    }
}

/// Mean linear light of a block of pixels, of some in each row and column of large
/// blocks.
fn cell<T: Copy + Into<usize>>(
    photo: &Photo,
    samples: &[T],
    table: &[f32],
    left: usize,
    top: usize,
    side: usize,
) -> [f32; 3] {
    let step = side.div_ceil(ENOUGH).max(1);
    let clipped = (CLIPPED * (table.len() - 1) as f32) as usize;
    let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
    for y in (top..top + side).step_by(step) {
        for x in (left..left + side).step_by(step) {
            let at = y * photo.width + x;
            if photo.alpha.as_ref().is_some_and(|alpha| alpha[at] < 255) {
                return [-1.0; 3];
            }
            for (c, sum) in sum.iter_mut().enumerate() {
                let sample: usize = samples[3 * at + c].into();
                if sample > clipped {
                    return [-1.0; 3];
                }
                *sum += table[sample];
            }
            count += 1.0;
        }
    }
    sum.map(|sum| sum / count)
}

fn table8() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| (0..256).map(|v| decode(v as f32 / 255.0)).collect())
}

fn table16() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| (0..65536).map(|v| decode(v as f32 / 65535.0)).collect())
}
