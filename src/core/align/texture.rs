//! Where a frame has structure whose place can be told.

use rayon::prelude::*;

use crate::core::grey::Grey;

/// Pixels across and down a block.
pub const BLOCK: usize = 8;

/// How much structure each block of a level has: the smaller eigenvalue of the
/// sum of its gradients' products, which is large at corners and small along
/// straight edges (Shi and Tomasi, 1994).
#[derive(Debug, Clone)]
pub struct Texture {
    /// Blocks in a row.
    pub columns: usize,
    /// Rows of blocks.
    pub rows: usize,
    strengths: Vec<f32>,
}

impl Texture {
    /// That of a level; a rest at the right and the bottom is left out.
    pub fn of(grey: &Grey) -> Self {
        let inner = |size: usize| size.saturating_sub(1) / BLOCK;
        let (columns, rows) = (inner(grey.width), inner(grey.height));
        let mut strengths = vec![0.0f32; columns * rows];
        strengths
            .par_chunks_mut(columns.max(1))
            .enumerate()
            .for_each(|(row, out)| {
                let mut sums = vec![[0.0f32; 3]; columns];
                for y in row * BLOCK..(row + 1) * BLOCK {
                    let (here, below) = (grey.row(y), grey.row(y + 1));
                    for (column, sum) in sums.iter_mut().enumerate() {
                        let span = column * BLOCK..(column + 1) * BLOCK;
                        gather(&here[span.start..=span.end], &below[span], sum);
                    }
                }
                for (out, sum) in out.iter_mut().zip(&sums) {
                    *out = smaller_eigenvalue(sum);
                }
            });
        Self {
            columns,
            rows,
            strengths,
        }
    }

    /// That of one block.
    pub fn block(&self, column: usize, row: usize) -> f32 {
        self.strengths[row * self.columns + column]
    }

    /// That of the block about a pixel; 0 beyond the border.
    pub fn at(&self, x: f64, y: f64) -> f32 {
        let place = |v: f64| (v + 0.5) / BLOCK as f64;
        let (x, y) = (place(x), place(y));
        if x < 0.0 || y < 0.0 || x >= self.columns as f64 || y >= self.rows as f64 {
            return 0.0;
        }
        self.block(x as usize, y as usize)
    }
}

/// Adds the products of the differences across and down.
fn gather(here: &[u16], below: &[u16], sum: &mut [f32; 3]) {
    for x in 0..BLOCK {
        let centre = i32::from(here[x]);
        let across = (i32::from(here[x + 1]) - centre) as f32;
        let down = (i32::from(below[x]) - centre) as f32;
        sum[0] += across * across;
        sum[1] += down * down;
        sum[2] += across * down;
    }
}

fn smaller_eigenvalue(&[across, down, both]: &[f32; 3]) -> f32 {
    let (mean, half) = ((across + down) / 2.0, (across - down) / 2.0);
    (mean - half.hypot(both)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(value: impl Fn(usize, usize) -> bool) -> Grey {
        let (width, height) = (41, 33);
        let data = (0..width * height)
            .map(|i| {
                if value(i % width, i / width) {
                    40000
                } else {
                    0
                }
            })
            .collect();
        Grey {
            width,
            height,
            data,
        }
    }

    #[test]
    fn corners_have_structure_and_edges_have_none() {
        let corner = Texture::of(&grey(|x, y| x > 19 && y > 19));
        assert!(corner.at(19.0, 19.0) > 1e8);
        assert_eq!(corner.at(3.0, 3.0), 0.0);
        assert_eq!((corner.columns, corner.rows), (5, 4));
        assert_eq!(corner.at(19.0, 40.0), 0.0);
        // Neither straight nor slanted edges say where along them they are.
        assert_eq!(Texture::of(&grey(|x, _| x > 19)).at(19.0, 9.0), 0.0);
        let slanted = Texture::of(&grey(|x, y| x + y > 36)).at(19.0, 17.0);
        assert!(slanted < 1.0, "{slanted}");
    }
}
