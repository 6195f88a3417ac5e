//! A coarse picture of light and of how much of each place it covers.

use rayon::prelude::*;

use crate::core::rows::mirror;
use crate::vector::vectorised;

/// Rows that one task works on,
const BAND: usize = 8;
/// and where it is quicker the more they are.
const TALL: usize = 32;
/// Blur beyond this deviation, in cells, is done at half the size.
const WIDE: f32 = 1.5;
/// The variance that halving and doubling add, in cells of the larger size.
const SPREAD: f32 = 0.9;
/// Deviations after which a bell ends.
const ENDS: f32 = 3.0;

/// Red, green and blue light times the share of each cell that it covers, and
/// that share.
pub type Cell = [f32; 4];

/// Cells, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` cells.
    pub data: Vec<Cell>,
}

impl Cells {
    /// Each cell by its place in the order of rows.
    pub fn from_fn(
        width: usize,
        height: usize,
        cell: impl Fn(usize) -> Cell + Send + Sync,
    ) -> Self {
        let mut cells = Self::blank(width, height);
        bands(&mut cells.data, width, |y, out| {
            let first = y * width;
            vectorised(
                #[inline(always)]
                || {
                    let places = out.iter_mut().enumerate();
                    places.for_each(|(x, out)| *out = cell(first + x));
                },
            );
        });
        cells
    }

    /// Nothing in any of them.
    pub fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![[0.0; 4]; width * height],
        }
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[Cell] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// The mean of the `2 radius + 1` cells each way about each one; borders are
    /// mirrored.
    pub fn mean(&self, radius: usize) -> Self {
        let (width, height, count) = (self.width, self.height, 2 * radius + 1);
        let mut across = Self::blank(width, height);
        bands(&mut across.data, width, |y, out| {
            sum_runs(self.padded_row(y, radius), count, out);
        });
        let mut down = Self::blank(width, height);
        let length = (TALL * width).max(1);
        let share = 1.0 / (count * count) as f32;
        let bands = down.data.par_chunks_mut(length).enumerate();
        let sums = || vec![[0.0; 4]; width];
        bands.for_each_init(sums, |sums, (band, rows)| {
            let near = |y: usize| across.row(mirror(y as isize - radius as isize, height));
            // What is added and taken away again leaves a little: it starts anew in each
            // band.
            let first = band * TALL;
            sums.fill([0.0; 4]);
            (first..first + count - 1).for_each(|y| add(1.0, near(y), sums));
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                add(1.0, near(y + count - 1), sums);
                add(share, sums, out);
                add(-1.0, near(y), sums);
            }
        });
        down
    }

    /// Blurred by a bell of this standard deviation, in cells: for wide ones see
    /// [`Self::softened`].
    pub fn blurred(&self, deviation: f32) -> Self {
        if deviation < 0.2 {
            return self.clone();
        }
        let reach = (ENDS * deviation).ceil() as isize;
        let bell = (-reach..=reach).map(|x| (-0.5 * (x as f32 / deviation).powi(2)).exp());
        let bell: Vec<f32> = bell.collect();
        let total: f32 = bell.iter().sum();
        self.weighed(&bell.iter().map(|v| v / total).collect::<Vec<_>>())
    }

    /// Blurred by a bell of any width.
    pub fn softened(&self, deviation: f32) -> Self {
        match halved_deviation(deviation) {
            Some(rest) if self.width.min(self.height) > 2 => {
                let small = self.halved().softened(rest);
                small.doubled(self.width, self.height)
            }
            _ => self.blurred(deviation),
        }
    }

    /// Each cell as the sum of those around it, weighted both ways by an odd
    /// number of `weights`; borders are mirrored.
    fn weighed(&self, weights: &[f32]) -> Self {
        let reach = weights.len() / 2;
        let (width, height) = (self.width, self.height);
        let mut across = Self::blank(width, height);
        bands(&mut across.data, width, |y, out| {
            let padded = self.padded_row(y, reach);
            for (k, &weight) in weights.iter().enumerate() {
                add(weight, &padded[k..k + width], out);
            }
        });
        let mut down = Self::blank(width, height);
        bands(&mut down.data, width, |y, out| {
            for (k, &weight) in weights.iter().enumerate() {
                let near = mirror((y + k) as isize - reach as isize, height);
                add(weight, across.row(near), out);
            }
        });
        down
    }

    /// One row, with so many cells more on either side.
    fn padded_row(&self, y: usize, reach: usize) -> Vec<Cell> {
        let (row, width) = (self.row(y), self.width);
        let at = |x: isize| row[mirror(x, width)];
        let (reach, end) = (reach as isize, width as isize);
        let before = (-reach..0).map(at);
        let after = (end..end + reach).map(at);
        before.chain(row.iter().copied()).chain(after).collect()
    }

    /// At half the size: each cell is the mean of a block of four.
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        Self::from_fn(width, height, |i| {
            let (x, y) = (i % width * 2, i / width * 2);
            let (next, below) = ((x + 1).min(self.width - 1), (y + 1).min(self.height - 1));
            let four = [
                self.row(y)[x],
                self.row(y)[next],
                self.row(below)[x],
                self.row(below)[next],
            ];
            std::array::from_fn(|c| 0.25 * four.iter().map(|cell| cell[c]).sum::<f32>())
        })
    }

    /// Back to the size that was halved, evenly from one cell to the next.
    pub fn doubled(&self, width: usize, height: usize) -> Self {
        // The middle of a cell lies between those that it stands for.
        let near = |at: usize, size: usize| {
            let own = (at / 2).min(size - 1);
            let next = match at % 2 {
                0 => own.saturating_sub(1),
                _ => (own + 1).min(size - 1),
            };
            (own, next)
        };
        Self::from_fn(width, height, |i| {
            let (x, next) = near(i % width, self.width);
            let (y, below) = near(i / width, self.height);
            let (own, other) = (self.row(y), self.row(below));
            std::array::from_fn(|c| {
                let upper = 0.75 * own[x][c] + 0.25 * own[next][c];
                let lower = 0.75 * other[x][c] + 0.25 * other[next][c];
                0.75 * upper + 0.25 * lower
            })
        })
    }
}

/// The deviation that is left to do at half the size, for a bell that is wide
/// enough for that.
pub fn halved_deviation(deviation: f32) -> Option<f32> {
    (deviation > WIDE).then(|| (deviation * deviation - SPREAD).sqrt() / 2.0)
}

/// Cells in half the memory, each value in 16 bits of its range from 0 to 1.
#[derive(Debug)]
pub struct Packed {
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    data: Vec<[u16; 4]>,
}

impl From<&Cells> for Packed {
    fn from(cells: &Cells) -> Self {
        let pack = |v: f32| (v.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16;
        let mut data = vec![[0; 4]; cells.data.len()];
        let bands = data.par_chunks_mut(BAND * cells.width.max(1));
        let bands = bands.zip(cells.data.par_chunks(BAND * cells.width.max(1)));
        bands.for_each(|(out, cells)| {
            vectorised(
                #[inline(always)]
                || {
                    let values = out.as_flattened_mut().iter_mut();
                    let values = values.zip(cells.as_flattened());
                    values.for_each(|(out, value)| *out = pack(*value));
                },
            );
        });
        Self {
            width: cells.width,
            height: cells.height,
            data,
        }
    }
}

impl Packed {
    /// As they were.
    pub fn unpacked(&self) -> Cells {
        let unpack = |i: usize| self.data[i].map(|v| f32::from(v) / 65535.0);
        Cells::from_fn(self.width, self.height, unpack)
    }

    /// How far a cell is covered.
    pub fn share(&self, at: usize) -> f32 {
        f32::from(self.data[at][3]) / 65535.0
    }
}

/// Lays what is in front over what lies `behind`.
pub fn lay_behind(front: &mut Cells, behind: &Cells) {
    let cells = front.data.par_iter_mut().zip(&behind.data);
    cells.for_each(|(front, behind)| {
        let seen = 1.0 - front[3];
        for (front, behind) in front.iter_mut().zip(behind) {
            *front += seen * behind;
        }
    });
}

/// Adds `weight` times each of `cells`.
fn add(weight: f32, cells: &[Cell], sums: &mut [Cell]) {
    vectorised(
        #[inline(always)]
        || {
            let sums = sums.as_flattened_mut().iter_mut();
            let each = sums.zip(cells.as_flattened());
            each.for_each(|(sum, value)| *sum += weight * value);
        },
    );
}

/// Adds to each of `sums` so many cells from the same place on: runs of two of them,
/// of four and so on are added up, each from the shorter ones.
fn sum_runs(mut runs: Vec<Cell>, count: usize, sums: &mut [Cell]) {
    let (mut length, mut at, mut rest) = (1, 0, count);
    loop {
        if rest % 2 == 1 {
            add(1.0, &runs[at..at + sums.len()], sums);
            at += length;
        }
        rest /= 2;
        if rest == 0 {
            return;
        }
        let next = runs[length..].to_vec();
        runs.truncate(next.len());
        add(1.0, &next, &mut runs);
        length *= 2;
    }
}

/// Makes each row by its number, some at a time.
fn bands(data: &mut [Cell], width: usize, row: impl Fn(usize, &mut [Cell]) + Sync) {
    let length = (BAND * width).max(1);
    data.par_chunks_mut(length)
        .enumerate()
        .for_each(|(band, rows)| {
            for (y, out) in (band * BAND..).zip(rows.chunks_exact_mut(width)) {
                row(y, out);
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 60;

    /// One cell that is covered, in the middle.
    fn point() -> Cells {
        let middle = SIZE / 2 * SIZE + SIZE / 2;
        Cells::from_fn(SIZE, SIZE, |i| [f32::from(i == middle); 4])
    }

    #[test]
    fn blur_keeps_light_and_has_the_deviation_that_was_asked_for() {
        for deviation in [0.0, 0.7, 1.9, 3.0, 6.5] {
            let blurred = point().softened(deviation);
            let middle = (SIZE / 2) as f32;
            let (mut sum, mut squares) = (0.0, 0.0);
            for (i, cell) in blurred.data.iter().enumerate() {
                let off = (i % SIZE) as f32 - middle;
                sum += cell[2];
                squares += cell[2] * off * off;
            }
            assert!((sum - 1.0).abs() < 0.01, "{deviation}: {sum}");
            let found = (squares / sum).sqrt();
            let most = 0.05 * deviation + 0.02;
            assert!((found - deviation).abs() < most, "{deviation}: {found}");
        }
    }

    #[test]
    fn a_mean_is_that_of_all_cells_around() {
        let (width, height) = (23, 2 * TALL + 5);
        let mut random = fastrand::Rng::with_seed(3);
        let mut cells = Cells::blank(width, height);
        let values = cells.data.as_flattened_mut().iter_mut();
        values.for_each(|value| *value = random.f32());
        for radius in [0usize, 1, 2, 4, 7] {
            let reach = radius as isize;
            let around = |at: usize| at as isize - reach..=at as isize + reach;
            let mean = cells.mean(radius);
            for (i, found) in mean.data.iter().enumerate() {
                let rows = around(i / width).map(|y| cells.row(mirror(y, height)));
                let all = rows.flat_map(|row| around(i % width).map(|x| row[mirror(x, width)]));
                let all: Vec<Cell> = all.collect();
                for (c, found) in found.iter().enumerate() {
                    let right = all.iter().map(|cell| cell[c]).sum::<f32>() / all.len() as f32;
                    assert!(
                        (found - right).abs() < 1e-6,
                        "{radius} {i} {c}: {found} {right}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_lies_behind_shows_as_far_as_nothing_covers_it() {
        let all = |cell: Cell| Cells::from_fn(3, 2, |_| cell);
        let mut front = all([0.2, 0.1, 0.0, 0.25]);
        lay_behind(&mut front, &all([1.0, 0.0, 0.4, 0.8]));
        let expected = [0.95, 0.1, 0.3, 0.85];
        for (found, expected) in front.data[0].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6);
        }
    }
}
