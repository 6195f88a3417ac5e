//! A piece of a picture with its surroundings, small enough for the cache.

use rayon::prelude::*;

use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::rows::mirror;

/// Pixels of a piece without its surroundings, across and down.
const INNER: [usize; 2] = [512, 256];

/// An interleaved picture of 16 bits that pieces are cut from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub samples: &'a [u16],
    pub alpha: Option<&'a [u8]>,
    pub width: usize,
}

/// A piece: where it begins in the picture and its size, without surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl<'a> Source<'a> {
    pub fn height(&self) -> usize {
        self.samples.len() / (3 * self.width)
    }

    /// All pieces, row by row.
    pub fn pieces(&self) -> Vec<Piece> {
        let (width, height) = (self.width, self.height());
        let rows = (0..height).step_by(INNER[1]);
        rows.flat_map(|y| {
            (0..width).step_by(INNER[0]).map(move |x| Piece {
                x,
                y,
                width: INNER[0].min(width - x),
                height: INNER[1].min(height - y),
            })
        })
        .collect()
    }

    /// The pixels of a piece and of `margin` more on every side, mirrored at
    /// the picture's border, each turned into `N` values by `convert`.
    pub fn cut<const N: usize>(
        &self,
        piece: &Piece,
        margin: usize,
        convert: impl Fn([u16; 3]) -> [f32; N],
    ) -> [Tile; N] {
        let (width, height) = (piece.width + 2 * margin, piece.height + 2 * margin);
        let mut tiles: [Tile; N] = std::array::from_fn(|_| Tile::new(width, height));
        let at =
            |start: usize, k: usize, size| mirror((start + k) as isize - margin as isize, size);
        for j in 0..height {
            let row = at(piece.y, j, self.height()) * self.width;
            for i in 0..width {
                let start = 3 * (row + at(piece.x, i, self.width));
                let rgb = [0, 1, 2].map(|c| self.samples[start + c]);
                for (tile, value) in tiles.iter_mut().zip(convert(rgb)) {
                    tile.data[j * width + i] = value;
                }
            }
        }
        tiles
    }

    /// A new picture, of which `work` makes one piece after another, several at
    /// a time: it gets the piece and writes each pixel by the function it is
    /// given, from the pixel's place in the piece. Pixels that show nothing stay.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] once `keep_going` says no.
    pub fn mapped(
        &self,
        keep_going: KeepGoing,
        work: impl Fn(&Piece, &mut dyn FnMut(usize, usize, [u16; 3])) + Sync,
    ) -> Result<Vec<u16>> {
        let width = self.width;
        let mut out = self.samples.to_vec();
        out.par_chunks_mut(3 * width * INNER[1])
            .enumerate()
            .try_for_each(|(band, rows)| {
                for x in (0..width).step_by(INNER[0]) {
                    check(keep_going)?;
                    let piece = Piece {
                        x,
                        y: band * INNER[1],
                        width: INNER[0].min(width - x),
                        height: rows.len() / (3 * width),
                    };
                    work(&piece, &mut |i, j, rgb| {
                        let at = j * width + x + i;
                        let place = piece.y * width + at;
                        if self.alpha.is_none_or(|alpha| alpha[place] > 0) {
                            rows[3 * at..3 * at + 3].copy_from_slice(&rgb);
                        }
                    });
                }
                Ok(())
            })?;
        Ok(out)
    }
}

/// One value for each pixel of a piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    pub width: usize,
    pub height: usize,
    pub data: Vec<f32>,
}

impl Tile {
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![0.0; width * height],
        }
    }

    /// Weighted by the binomial 1 4 6 4 1 each way, with `step` pixels from tap
    /// to tap ("à trous", Holschneider et al., 1989). Within `2 * step` pixels
    /// of its border a tile repeats its outermost pixels.
    pub fn smooth(&self, step: usize, scratch: &mut Tile, out: &mut Tile) {
        let (width, height) = (self.width, self.height);
        let near = |at: usize, size: usize| {
            [
                at.saturating_sub(2 * step),
                at.saturating_sub(step),
                at,
                (at + step).min(size - 1),
                (at + 2 * step).min(size - 1),
            ]
        };
        for y in 0..height {
            let [a, b, c, d, e] = near(y, height).map(|y| &self.data[y * width..][..width]);
            let row = &mut scratch.data[y * width..][..width];
            for (x, sum) in row.iter_mut().enumerate() {
                *sum = (a[x] + e[x] + 4.0 * (b[x] + d[x]) + 6.0 * c[x]) / 16.0;
            }
        }
        for y in 0..height {
            let row = &scratch.data[y * width..][..width];
            let line = &mut out.data[y * width..][..width];
            let edge = (2 * step).min(width);
            let inner_end = width.saturating_sub(edge).max(edge);
            let slow = |x: usize| {
                let [a, b, c, d, e] = near(x, width).map(|x| row[x]);
                (a + e + 4.0 * (b + d) + 6.0 * c) / 16.0
            };
            (0..edge).for_each(|x| line[x] = slow(x));
            (inner_end..width).for_each(|x| line[x] = slow(x));
            if inner_end > edge {
                let count = inner_end - edge;
                let [a, b, c, d, e] =
                    [0, step, 2 * step, 3 * step, 4 * step].map(|at| &row[at..at + count]);
                for (x, out) in line[edge..inner_end].iter_mut().enumerate() {
                    *out = (a[x] + e[x] + 4.0 * (b[x] + d[x]) + 6.0 * c[x]) / 16.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_the_mean_and_shifts_nothing() {
        for step in [1, 4] {
            let mut tile = Tile::new(41, 37);
            tile.data[18 * 41 + 20] = 256.0;
            let (mut scratch, mut out) = (tile.clone(), tile.clone());
            tile.smooth(step, &mut scratch, &mut out);
            let sum: f32 = out.data.iter().sum();
            assert!((sum - 256.0).abs() < 1e-3);
            assert_eq!(out.data[18 * 41 + 20], 36.0);
            assert_eq!(out.data[18 * 41 + 20 + step], 24.0);
            assert_eq!(out.data[(18 - 2 * step) * 41 + 20], 6.0);
        }
    }

    #[test]
    fn pieces_cover_the_picture_once() {
        let samples = vec![7; 3 * 1030 * 260];
        let source = Source {
            samples: &samples,
            alpha: None,
            width: 1030,
        };
        let pieces = source.pieces();
        let covered: usize = pieces.iter().map(|piece| piece.width * piece.height).sum();
        assert_eq!(covered, 1030 * 260);
        let doubled = source.mapped(&|| true, |piece, write| {
            for j in 0..piece.height {
                (0..piece.width).for_each(|i| write(i, j, [14; 3]));
            }
        });
        assert_eq!(doubled, Ok(vec![14; samples.len()]));
    }
}
