//! Edges of masks brought to where the picture has them.
//!
//! The guided filter with a colour guide: K. He, J. Sun and X. Tang, "Guided
//! Image Filtering" (2010).

use rayon::prelude::*;

use super::cells::{Cell, Cells};
use crate::core::plane::Plane;

/// Variance of the guide that counts as none; full scale is 1.
const CALM: f32 = 1e-3;

/// What masks are guided by.
pub struct Guide<'a> {
    picture: &'a [Plane; 3],
    radius: usize,
    mean: Cells,
    /// The inverse of the covariance of red, green and blue in each window: rr,
    /// rg, rb, gg, gb, bb.
    inverse: Vec<[f32; 6]>,
}

impl<'a> Guide<'a> {
    /// By a picture whose full scale is 1, in windows of `2 radius + 1` pixels.
    pub fn new(picture: &'a [Plane; 3], radius: usize) -> Self {
        let (width, height) = (picture[0].width, picture[0].height);
        let colour = |i: usize| picture.each_ref().map(|plane| plane.data[i]);
        let mean = Cells::from_fn(width, height, |i| with(colour(i), 0.0)).mean(radius);
        let squares = Cells::from_fn(width, height, |i| with(colour(i).map(|v| v * v), 0.0));
        let mixed = Cells::from_fn(width, height, |i| {
            let [red, green, blue] = colour(i);
            [red * green, red * blue, green * blue, 0.0]
        });
        let (squares, mixed) = (squares.mean(radius), mixed.mean(radius));
        let cells = mean.data.par_iter().zip(&squares.data).zip(&mixed.data);
        let inverse = cells.map(|((mean, squares), mixed)| {
            let [r, g, b, _] = *mean;
            let [rr, gg, bb] = [0, 1, 2].map(|c| squares[c] - mean[c] * mean[c] + CALM);
            let [rg, rb, gb] = [mixed[0] - r * g, mixed[1] - r * b, mixed[2] - g * b];
            invert([rr, rg, rb, gg, gb, bb])
        });
        Self {
            inverse: inverse.collect(),
            picture,
            radius,
            mean,
        }
    }

    /// The mask with its edges where the picture has them, from 0 to 1.
    pub fn refined(&self, mask: &Plane) -> Plane {
        let (width, height) = (mask.width, mask.height);
        let colour = |i: usize| self.picture.each_ref().map(|plane| plane.data[i]);
        let products = Cells::from_fn(width, height, |i| {
            let share = mask.data[i];
            with(colour(i).map(|v| v * share), share)
        });
        let products = products.mean(self.radius);
        let lines = Cells::from_fn(width, height, |i| {
            let (product, mean) = (products.data[i], self.mean.data[i]);
            let share = product[3];
            let [r, g, b] = [0, 1, 2].map(|c| product[c] - mean[c] * share);
            let [rr, rg, rb, gg, gb, bb] = self.inverse[i];
            let slope = [
                rr * r + rg * g + rb * b,
                rg * r + gg * g + gb * b,
                rb * r + gb * g + bb * b,
            ];
            let rest: f32 = slope.iter().zip(mean).map(|(a, m)| a * m).sum();
            with(slope, share - rest)
        });
        let lines = lines.mean(self.radius);
        let value = |i: usize| {
            let [r, g, b, rest] = lines.data[i];
            let [red, green, blue] = colour(i);
            (r * red + g * green + b * blue + rest).clamp(0.0, 1.0)
        };
        Plane {
            width,
            height,
            data: (0..width * height).into_par_iter().map(value).collect(),
        }
    }
}

fn with([red, green, blue]: [f32; 3], rest: f32) -> Cell {
    [red, green, blue, rest]
}

/// The inverse of a symmetric matrix that has one, both as their upper halves.
fn invert(upper: [f32; 6]) -> [f32; 6] {
    let [a, b, c, d, e, f] = upper.map(f64::from);
    let first = [d * f - e * e, c * e - b * f, b * e - c * d];
    let determinant = a * first[0] + b * first[1] + c * first[2];
    let rest = [a * f - c * c, b * c - a * e, a * d - b * b];
    [first[0], first[1], first[2], rest[0], rest[1], rest[2]].map(|v| (v / determinant) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_of_a_mask_moves_to_that_of_the_picture() {
        let (width, height) = (40, 30);
        let plane = |value: &dyn Fn(usize) -> f32| Plane {
            width,
            height,
            data: (0..width * height).map(|i| value(i % width)).collect(),
        };
        // The picture has its edge at 20, the mask three pixels before it.
        let picture = [0.8, 0.3, 0.5].map(|high| plane(&|x| if x < 20 { 0.1 } else { high }));
        let refined = Guide::new(&picture, 5).refined(&plane(&|x| f32::from(u8::from(x < 17))));
        let row = refined.row(15);
        assert!(row[8] > 0.95 && row[30] < 0.05, "{row:?}");
        assert!(row[17] > 0.5 && row[19] > 0.3, "{row:?}");
        assert!(row[20] < 0.05 && row[22] < 0.05, "{row:?}");
    }

    #[test]
    fn the_inverse_of_a_matrix_undoes_it() {
        let matrix = [2.0, 0.5, -0.3, 1.5, 0.2, 1.1];
        let inverse = invert(matrix);
        let full = |[a, b, c, d, e, f]: [f32; 6]| [[a, b, c], [b, d, e], [c, e, f]];
        let (matrix, inverse) = (full(matrix), full(inverse));
        for (i, row) in matrix.iter().enumerate() {
            // The inverse is symmetric as well.
            for (j, column) in inverse.iter().enumerate() {
                let product: f32 = row.iter().zip(column).map(|(a, b)| a * b).sum();
                let one = f32::from(u8::from(i == j));
                assert!((product - one).abs() < 1e-5, "{i} {j}: {product}");
            }
        }
    }
}
