//! What a pose may do, and how a small change of it moves a point.

use serde::{Deserialize, Serialize};

use crate::core::Transform;

/// What a pose may do to a frame.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// The simplest of the others that explains the frames.
    #[default]
    Auto,
    /// Shift only.
    Translation,
    /// Shift and turn.
    Euclidean,
    /// Shift, turn and change of size.
    Similarity,
    /// Any parallelogram.
    Affine,
    /// Any perspective.
    Homography,
}

impl Model {
    /// Degrees of freedom. `Auto` stands for a similarity: what focusing and
    /// an unsteady hand do to a frame.
    pub fn freedoms(self) -> usize {
        match self {
            Self::Translation => 2,
            Self::Euclidean => 3,
            Self::Auto | Self::Similarity => 4,
            Self::Affine => 6,
            Self::Homography => 8,
        }
    }

    /// How the point at (`x`, `y`) moves per unit of each freedom: rows for x
    /// and y. Coordinates are relative to the frame's centre, in half
    /// diagonals, so that all freedoms are of one magnitude.
    pub fn jacobian(self, x: f64, y: f64) -> [[f64; 8]; 2] {
        match self {
            Self::Euclidean => [
                [1.0, 0.0, -y, 0.0, 0.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, x, 0.0, 0.0, 0.0, 0.0, 0.0],
            ],
            Self::Auto | Self::Translation | Self::Similarity => [
                [1.0, 0.0, -y, x, 0.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, x, y, 0.0, 0.0, 0.0, 0.0],
            ],
            Self::Affine | Self::Homography => [
                [1.0, 0.0, x, y, 0.0, 0.0, x * x, x * y],
                [0.0, 1.0, 0.0, 0.0, x, y, x * y, y * y],
            ],
        }
    }

    /// The freedoms, in pixels, of a transform near identity: what
    /// [`Self::small`] would need to make it, or come nearest to it.
    pub fn step(self, transform: &Transform, frame: Normalised) -> [f64; 8] {
        let m = frame.to_pixels().then(transform).then(&frame.to_normal()).0;
        let mut step = match self {
            Self::Auto | Self::Translation | Self::Euclidean | Self::Similarity => {
                let turn = (m[1][0] - m[0][1]) / 2.0;
                let growth = (m[0][0] + m[1][1]) / 2.0 - 1.0;
                [m[0][2], m[1][2], turn, growth, 0.0, 0.0, 0.0, 0.0]
            }
            Self::Affine | Self::Homography => [
                m[0][2],
                m[1][2],
                m[0][0] - 1.0,
                m[0][1],
                m[1][0],
                m[1][1] - 1.0,
                -m[2][0],
                -m[2][1],
            ],
        };
        step.iter_mut().for_each(|s| *s *= frame.half);
        step[self.freedoms()..].fill(0.0);
        step
    }

    /// The transform near identity whose freedoms are `step`, in pixels, for a
    /// frame of this size: exactly a member of the model.
    pub fn small(self, step: &[f64], frame: Normalised) -> Transform {
        let s = |i: usize| step.get(i).copied().unwrap_or(0.0) / frame.half;
        let m = match self {
            Self::Translation => [[1.0, 0.0, s(0)], [0.0, 1.0, s(1)], [0.0, 0.0, 1.0]],
            Self::Euclidean => {
                let (sin, cos) = s(2).sin_cos();
                [[cos, -sin, s(0)], [sin, cos, s(1)], [0.0, 0.0, 1.0]]
            }
            Self::Auto | Self::Similarity => {
                let (a, b) = (1.0 + s(3), s(2));
                [[a, -b, s(0)], [b, a, s(1)], [0.0, 0.0, 1.0]]
            }
            Self::Affine | Self::Homography => [
                [1.0 + s(2), s(3), s(0)],
                [s(4), 1.0 + s(5), s(1)],
                [-s(6), -s(7), 1.0],
            ],
        };
        frame
            .to_normal()
            .then(&Transform(m))
            .then(&frame.to_pixels())
    }
}

/// A frame's own coordinates: the centre at (0, 0), half the diagonal as unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalised {
    centre: [f64; 2],
    half: f64,
}

impl Normalised {
    /// For frames of `width`×`height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        let (w, h) = (width as f64, height as f64);
        Self {
            centre: [(w - 1.0) / 2.0, (h - 1.0) / 2.0],
            half: (w.hypot(h) / 2.0).max(1.0),
        }
    }

    /// Normal coordinates of a pixel.
    pub fn point(self, x: f64, y: f64) -> [f64; 2] {
        [
            (x - self.centre[0]) / self.half,
            (y - self.centre[1]) / self.half,
        ]
    }

    /// The four corners, in normal coordinates.
    pub fn corners(self) -> [[f64; 2]; 4] {
        let [x, y] = self.centre.map(|c| c / self.half);
        [[-x, -y], [x, -y], [-x, y], [x, y]]
    }

    fn to_normal(self) -> Transform {
        let [cx, cy] = self.centre;
        let s = 1.0 / self.half;
        Transform([[s, 0.0, -cx * s], [0.0, s, -cy * s], [0.0, 0.0, 1.0]])
    }

    fn to_pixels(self) -> Transform {
        let [cx, cy] = self.centre;
        Transform([[self.half, 0.0, cx], [0.0, self.half, cy], [0.0, 0.0, 1.0]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Model; 5] = [
        Model::Translation,
        Model::Euclidean,
        Model::Similarity,
        Model::Affine,
        Model::Homography,
    ];

    #[test]
    fn a_small_transform_moves_points_as_its_jacobian_says() {
        let frame = Normalised::new(600, 400);
        for model in ALL {
            for freedom in 0..model.freedoms() {
                let mut step = [0.0; 8];
                step[freedom] = 0.01;
                let [x, y] = [520.0, 90.0];
                let moved = model.small(&step, frame).apply(x, y);
                let [nx, ny] = frame.point(x, y);
                let j = model.jacobian(nx, ny);
                assert!(
                    (moved[0] - x - 0.01 * j[0][freedom]).abs() < 1e-6,
                    "{model:?}"
                );
                assert!(
                    (moved[1] - y - 0.01 * j[1][freedom]).abs() < 1e-6,
                    "{model:?}"
                );
            }
        }
    }

    #[test]
    fn the_step_of_a_small_transform_is_what_made_it() {
        let frame = Normalised::new(600, 400);
        let wanted = [1.0, -2.0, 0.5, 0.25, -0.5, 0.75, 0.01, -0.02];
        for model in ALL {
            let step = model.step(&model.small(&wanted, frame), frame);
            for (step, wanted) in step.iter().zip(&wanted[..model.freedoms()]) {
                assert!((step - wanted).abs() < 1e-3, "{model:?} {step} {wanted}");
            }
        }
    }

    #[test]
    fn a_similarity_stays_one() {
        let t = Model::Similarity
            .small(&[3.0, -2.0, 5.0, 8.0], Normalised::new(600, 400))
            .0;
        assert_eq!((t[0][0], t[0][1]), (t[1][1], -t[1][0]));
    }
}
