//! One step of a pose from what many windows, or matched points, say of it.

use super::model::{Model, Normalised};
use super::pair::PairPose;
use super::window::Observation;
use crate::core::Transform;
use crate::core::linear::Normal;
use crate::core::median::median;

/// A window's own error, in pixels of its level, that no amount of texture
/// takes away: focus changes what a window shows.
const WINDOW_ERROR: f64 = 0.02;
/// How far a richer model must move the corners, in pixels, to be worth it.
const BEND: f64 = 0.25;

/// What a window of some level said, in pixels of the full size.
pub struct Seen {
    /// The level of the pyramids, 0 for the full size.
    pub level: usize,
    /// What it said.
    pub observation: Observation,
}

/// A step of the pose's freedoms, in pixels, and what it rests on.
pub struct Fit {
    /// The step.
    pub step: Vec<f64>,
    normal: Normal,
    information: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

/// The step that the windows ask for together: weighted least squares,
/// re-weighted by Tukey's biweight until disagreeing windows are out.
pub fn fit(seen: &[Seen], model: Model, frame: Normalised) -> Option<Fit> {
    let n = model.freedoms();
    if seen.len() < n.div_ceil(2) + 1 {
        return None;
    }
    let rows: Vec<[[f64; 8]; 2]> = seen
        .iter()
        .map(|seen| {
            let [x, y] = frame.point(seen.observation.centre[0], seen.observation.centre[1]);
            model.jacobian(x, y)
        })
        .collect();
    let mut weights = vec![1.0; seen.len()];
    let mut result: Option<Fit> = None;
    for round in 0..6 {
        let (normal, matrix) = gather(seen, &rows, &weights, n);
        let step = normal.solve()?;
        let residuals: Vec<f64> = seen
            .iter()
            .zip(&rows)
            .map(|(seen, j)| {
                let rest: [f64; 2] = std::array::from_fn(|k| {
                    seen.observation.shift[k] - (0..n).map(|f| j[k][f] * step[f]).sum::<f64>()
                });
                quadratic(seen.observation.information, rest)
            })
            .collect();
        // What a window claims to know is measured against how far the windows
        // of its level are from agreeing. The median of χ² with two degrees of
        // freedom is 1.386.
        let scale = scales(seen, &residuals);
        // The first rounds forgive more, since the fit is still bent.
        let forgive = if round < 2 { 60.0 } else { 10.0 };
        for ((weight, residual), seen) in weights.iter_mut().zip(&residuals).zip(seen) {
            let scale = scale[seen.level];
            *weight = (1.0 - residual / (forgive * scale)).max(0.0).powi(2) / scale;
        }
        result = Some(Fit {
            step,
            normal,
            information: matrix,
            weights: weights.clone(),
        });
    }
    result
}

/// For each level how much larger the residuals are than the windows claim.
fn scales(seen: &[Seen], residuals: &[f64]) -> Vec<f64> {
    let levels = seen.iter().map(|seen| seen.level).max().unwrap_or(0) + 1;
    (0..levels)
        .map(|level| {
            let own: Vec<f64> = seen
                .iter()
                .zip(residuals)
                .filter(|(seen, _)| seen.level == level)
                .map(|(_, &residual)| residual)
                .collect();
            median(own).map_or(1.0, |middle| (middle / 1.386).max(0.05))
        })
        .collect()
}

impl Fit {
    /// The pose that is in force when `self` was found to be the step left, of
    /// windows of which `textured` could have been seen.
    pub fn judge(
        self,
        transform: Transform,
        seen: &[Seen],
        textured: usize,
        model: Model,
        frame: Normalised,
    ) -> Option<PairPose> {
        let covariance = self.normal.inverse()?;
        let around: f64 = frame
            .corners()
            .map(|p| spread(&covariance, model, p))
            .iter()
            .sum();
        let variance = (around + spread(&covariance, model, [0.0; 2])) / 5.0;
        let total: f64 = self.weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let correlation = seen
            .iter()
            .zip(&self.weights)
            .map(|(seen, weight)| seen.observation.correlation * weight)
            .sum::<f64>()
            / total;
        let agreeing = self.weights.iter().filter(|&&weight| weight > 0.0).count();
        Some(PairPose {
            transform,
            correlation,
            error: variance.sqrt(),
            agreement: agreeing as f64 / textured.max(1) as f64,
            information: self.information,
            model,
            richer: None,
        })
    }
}

fn gather(
    seen: &[Seen],
    rows: &[[[f64; 8]; 2]],
    weights: &[f64],
    n: usize,
) -> (Normal, Vec<Vec<f64>>) {
    let mut matrix = vec![vec![0.0; n]; n];
    let mut normal = Normal::new(n, n);
    for ((seen, j), &weight) in seen.iter().zip(rows).zip(weights) {
        let (i, shift) = (seen.observation.information, seen.observation.shift);
        if weight == 0.0 {
            continue;
        }
        for a in 0..n {
            let ix = weight * (j[0][a] * i[0] + j[1][a] * i[1]);
            let iy = weight * (j[0][a] * i[1] + j[1][a] * i[2]);
            normal.add_right(a, ix * shift[0] + iy * shift[1]);
            for (b, entry) in matrix[a].iter_mut().enumerate() {
                *entry += ix * j[0][b] + iy * j[1][b];
            }
        }
    }
    for (a, row) in matrix.iter().enumerate() {
        for (b, &value) in row.iter().enumerate().take(a + 1) {
            normal.add(a, b, value);
        }
    }
    (normal, matrix)
}

/// Limits what a window can know to its own error: (I⁻¹ + e²)⁻¹, which needs
/// no inverse of I.
pub fn blunt(i: [f64; 3]) -> [f64; 3] {
    let e = WINDOW_ERROR * WINDOW_ERROR;
    // (I⁻¹ + e)⁻¹ = (1 + eI)⁻¹ I
    let (a, b, d) = (1.0 + e * i[0], e * i[1], 1.0 + e * i[2]);
    let determinant = a * d - b * b;
    [
        (d * i[0] - b * i[1]) / determinant,
        (d * i[1] - b * i[2]) / determinant,
        (a * i[2] - b * i[1]) / determinant,
    ]
}

fn quadratic(i: [f64; 3], v: [f64; 2]) -> f64 {
    i[0] * v[0] * v[0] + 2.0 * i[1] * v[0] * v[1] + i[2] * v[1] * v[1]
}

/// Whether windows that a simpler model has been fitted to disagree with it in
/// a way that `richer` explains: by more than chance, and enough to be seen.
pub fn is_bent(seen: &[Seen], richer: Model, frame: Normalised) -> bool {
    fit(seen, richer, frame).is_some_and(|fit| {
        let Some(covariance) = fit.normal.inverse() else {
            return false;
        };
        let n = richer.freedoms();
        let moved = frame
            .corners()
            .map(|[x, y]| {
                let j = richer.jacobian(x, y);
                let along = |k: usize| (0..n).map(|f| j[k][f] * fit.step[f]).sum::<f64>();
                along(0).powi(2) + along(1).powi(2)
            })
            .iter()
            .sum::<f64>()
            / 4.0;
        let variance: f64 = frame
            .corners()
            .map(|p| spread(&covariance, richer, p))
            .iter()
            .sum::<f64>()
            / 4.0;
        moved.sqrt() > BEND.max(5.0 * variance.sqrt())
    })
}

/// The variance, in square pixels, of where a pose sends a point in normal
/// coordinates, given the covariance of its freedoms.
fn spread(covariance: &[Vec<f64>], model: Model, [x, y]: [f64; 2]) -> f64 {
    let j = model.jacobian(x, y);
    let n = model.freedoms();
    let along = |row: &[f64; 8]| -> f64 {
        (0..n)
            .map(|a| row[a] * (0..n).map(|b| covariance[a][b] * row[b]).sum::<f64>())
            .sum()
    };
    along(&j[0]) + along(&j[1])
}
