//! Plane projective transforms between the pixel grids of two frames.

use serde::{Deserialize, Serialize};

/// A 3×3 homography that maps pixel coordinates of one frame to those of another.
///
/// Pixel centres are at integers, x points right, y down. Everywhere in Parfocal
/// a frame's transform maps *reference* coordinates to *frame* coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transform(pub [[f64; 3]; 3]);

impl Default for Transform {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Transform {
    /// Maps every point to itself.
    pub const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// A shift by (`dx`, `dy`) pixels.
    pub const fn translation(dx: f64, dy: f64) -> Self {
        Self([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])
    }

    /// Scales by `scale` and turns by `angle` (radians) about `centre`, then
    /// shifts by (`dx`, `dy`).
    pub fn similarity(scale: f64, angle: f64, centre: [f64; 2], shift: [f64; 2]) -> Self {
        let (a, b) = (scale * angle.cos(), scale * angle.sin());
        let [cx, cy] = centre;
        Self([
            [a, -b, cx + shift[0] - a * cx + b * cy],
            [b, a, cy + shift[1] - b * cx - a * cy],
            [0.0, 0.0, 1.0],
        ])
    }

    /// Where the point (`x`, `y`) goes.
    #[inline]
    pub fn apply(&self, x: f64, y: f64) -> [f64; 2] {
        let m = &self.0;
        let w = m[2][0] * x + m[2][1] * y + m[2][2];
        [
            (m[0][0] * x + m[0][1] * y + m[0][2]) / w,
            (m[1][0] * x + m[1][1] * y + m[1][2]) / w,
        ]
    }

    /// The transform that applies `self` first and `next` after it.
    pub fn then(&self, next: &Self) -> Self {
        let (a, b) = (&next.0, &self.0);
        let mut m = [[0.0; 3]; 3];
        for (i, row) in m.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = (0..3).map(|k| a[i][k] * b[k][j]).sum();
            }
        }
        Self(m).normalised()
    }

    /// The transform that undoes this one, or `None` where it has none.
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.0;
        let cofactor = |r: usize, c: usize| {
            let (r1, r2) = ((r + 1) % 3, (r + 2) % 3);
            let (c1, c2) = ((c + 1) % 3, (c + 2) % 3);
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        };
        let determinant: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
        if !determinant.is_finite() || determinant.abs() < 1e-12 {
            return None;
        }
        let mut inverse = [[0.0; 3]; 3];
        for (i, row) in inverse.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = cofactor(j, i) / determinant;
            }
        }
        Some(Self(inverse).normalised())
    }

    /// The same transform between the grids of both frames reduced by `factor`
    /// (2 for half size), where a reduced pixel is the mean of a block.
    pub fn reduced(&self, factor: f64) -> Self {
        let offset = (factor - 1.0) / 2.0;
        let up = Self([
            [factor, 0.0, offset],
            [0.0, factor, offset],
            [0.0, 0.0, 1.0],
        ]);
        let down = Self([
            [1.0 / factor, 0.0, -offset / factor],
            [0.0, 1.0 / factor, -offset / factor],
            [0.0, 0.0, 1.0],
        ]);
        up.then(self).then(&down)
    }

    /// True where nothing moves, to the last bit.
    pub fn is_identity(&self) -> bool {
        *self == Self::IDENTITY
    }

    /// True where the bottom row is (0, 0, 1).
    pub fn is_affine(&self) -> bool {
        self.0[2] == [0.0, 0.0, 1.0]
    }

    /// The mean scale: how many frame pixels one reference pixel spans.
    pub fn scale(&self) -> f64 {
        let m = &self.0;
        (m[0][0] * m[1][1] - m[0][1] * m[1][0]).abs().sqrt()
    }

    /// The turn in radians, clockwise on screen.
    pub fn rotation(&self) -> f64 {
        let m = &self.0;
        (m[1][0] - m[0][1]).atan2(m[0][0] + m[1][1])
    }

    /// The root mean square distance, in pixels, between where `self` and
    /// `other` send the corners and the centre of a `width`×`height` frame.
    pub fn distance(&self, other: &Self, width: usize, height: usize) -> f64 {
        let (x, y) = ((width.max(1) - 1) as f64, (height.max(1) - 1) as f64);
        let points = [[0.0, 0.0], [x, 0.0], [0.0, y], [x, y], [x / 2.0, y / 2.0]];
        let sum: f64 = points
            .iter()
            .map(|&[x, y]| {
                let (a, b) = (self.apply(x, y), other.apply(x, y));
                (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
            })
            .sum();
        (sum / points.len() as f64).sqrt()
    }

    fn normalised(mut self) -> Self {
        let w = self.0[2][2];
        if w != 0.0 && w != 1.0 {
            for value in self.0.iter_mut().flatten() {
                *value /= w;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Transform {
        let mut t = Transform::similarity(1.02, 0.01, [300.0, 200.0], [4.0, -3.0]);
        t.0[2] = [1e-6, -2e-6, 1.0];
        t
    }

    #[test]
    fn a_transform_and_its_inverse_leave_points_alone() {
        let there_and_back = sample().then(&sample().inverse().unwrap());
        assert!(there_and_back.distance(&Transform::IDENTITY, 600, 400) < 1e-9);
    }

    #[test]
    fn then_applies_the_left_one_first() {
        let scale = Transform::similarity(2.0, 0.0, [0.0, 0.0], [0.0, 0.0]);
        let both = scale.then(&Transform::translation(5.0, 0.0));
        assert_eq!(both.apply(1.0, 1.0), [7.0, 2.0]);
    }

    #[test]
    fn reduced_agrees_with_block_means() {
        // The centre of the 2×2 block at (10, 20) is full-size point (20.5, 40.5).
        let t = sample();
        let [x, y] = t.apply(20.5, 40.5);
        let [u, v] = t.reduced(2.0).apply(10.0, 20.0);
        assert!((u - (x - 0.5) / 2.0).abs() < 1e-9);
        assert!((v - (y - 0.5) / 2.0).abs() < 1e-9);
    }

    #[test]
    fn similarity_reports_its_scale_and_rotation() {
        let t = Transform::similarity(1.25, 0.2, [10.0, 10.0], [1.0, 2.0]);
        assert!((t.scale() - 1.25).abs() < 1e-12);
        assert!((t.rotation() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_flat_transform_has_no_inverse() {
        assert_eq!(Transform([[0.0; 3]; 3]).inverse(), None);
    }
}
