//! How one frame lies on another, coarse to fine.
//!
//! At each level of the two pyramids a few hundred windows are compared, and
//! one step of the whole pose is taken from what they say together, weighted
//! by what each can know and robust against those that disagree. The last
//! level is the full size, so the pose is as fine as the frames are.

use rayon::prelude::*;

use super::model::{Model, Normalised};
use super::window::{MARGIN, Observation, Patch, Scratch, Window};
use crate::core::Transform;
use crate::core::grey::{Grey, GreyPyramid};
use crate::core::linear::Normal;

/// The shortest side, in pixels, of the smallest level that is compared.
pub const SMALLEST: usize = 24;
/// Most windows per level.
const WINDOWS: usize = 400;
/// A window's own error, in pixels of its level, that no amount of texture
/// takes away: focus changes what a window shows.
const WINDOW_ERROR: f64 = 0.04;
/// Levels, full size first, that are compared together at the end.
const TOGETHER: usize = 2;
/// How far a richer model must move the corners, in pixels, to be worth it.
const BEND: f64 = 0.25;
/// Steps per level at most.
const STEPS: usize = 12;

/// How a frame lies on another.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPose {
    /// Maps template to moving pixels.
    pub transform: Transform,
    /// Mean correlation of the windows that agree, 0 to 1.
    pub correlation: f64,
    /// Expected error in pixels, root mean square over corners and centre.
    pub error: f64,
    /// Share of the windows with texture that agree with the pose.
    pub agreement: f64,
    /// The information matrix of the pose's freedoms in normal coordinates.
    pub information: Vec<Vec<f64>>,
    /// What the pose may do; never `Auto`.
    pub model: Model,
    /// Where the model was left open: the same in a richer model, if this one
    /// does not explain the pair.
    pub richer: Option<Box<PairPose>>,
}

/// Finds how `moving` lies on `template`, as far as `model` allows, starting
/// from `seed` or from a search. `None` where the two have too little in
/// common to tell.
pub fn measure(
    template: &GreyPyramid,
    moving: &GreyPyramid,
    model: Model,
    seed: Option<Transform>,
) -> Option<PairPose> {
    let levels: Vec<Level> = template
        .levels()
        .iter()
        .zip(moving.levels())
        .enumerate()
        .map(|(level, (template, moving))| Level {
            template,
            moving,
            level,
        })
        .collect();
    let full = &template.levels()[0];
    let frame = Normalised::new(full.width, full.height);
    // Without a seed start at the top; with one, where it is off by a pixel or two.
    let (mut pose, top) = match seed {
        Some(seed) => (seed, levels.len().min(3)),
        None => {
            let top = levels.last()?;
            let [dx, dy] = search(top.template, top.moving).map(|s| s * top.factor());
            (Transform::translation(dx, dy), levels.len())
        }
    };
    // The smallest levels have too few pixels to tell more than shift, turn
    // and size. A level may have no texture where the next one has.
    for level in levels[1..].iter().take(top.saturating_sub(1)).rev() {
        if let Some(fit) = refine(&[level], model.min(Model::Similarity), frame, pose) {
            pose = fit.pose.transform;
        }
    }
    // The last word has the full size, where focus is sharp, together with the
    // levels above it, where it is not.
    let last: Vec<&Level> = levels.iter().take(TOGETHER).collect();
    if model != Model::Auto {
        return refine(&last, model, frame, pose).map(|refined| refined.pose);
    }
    let mut found = refine(&last, Model::Similarity, frame, pose)?;
    for richer in [Model::Affine, Model::Homography] {
        if is_bent(&found.seen, richer, frame) {
            let bent = refine(&last, richer, frame, found.pose.transform);
            found.pose.richer = bent.map(|refined| Box::new(refined.pose));
            break;
        }
    }
    Some(found.pose)
}

/// Whether windows that a simpler model has been fitted to disagree with it in
/// a way that `richer` explains: by more than chance, and enough to be seen.
fn is_bent(seen: &[Seen], richer: Model, frame: Normalised) -> bool {
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

/// One level of the pyramids of two frames.
struct Level<'a> {
    template: &'a Grey,
    moving: &'a Grey,
    level: usize,
}

impl Level<'_> {
    /// Pixels of the full size per pixel of this level.
    fn factor(&self) -> f64 {
        f64::from(1u32 << self.level)
    }

    /// The windows worth comparing where `pose`, of the full size, is about right.
    fn patches(&self, pose: &Transform) -> Vec<Patch> {
        windows(self.template, self.moving, &pose.reduced(self.factor()))
            .into_par_iter()
            .filter_map(|window| Patch::cut(self.template, window))
            .collect()
    }

    /// Compares the windows, and tells in pixels of the full size.
    fn observe(&self, patches: &[Patch], pose: &Transform) -> Vec<Seen> {
        let factor = self.factor();
        let pose = pose.reduced(factor);
        patches
            .par_iter()
            .map_init(Scratch::default, |scratch, patch| {
                patch.compare(self.moving, &pose, scratch)
            })
            .flatten()
            .filter(|seen| seen.correlation > 0.2)
            .map(|seen| Seen {
                level: self.level,
                observation: Observation {
                    centre: seen.centre.map(|c| c * factor + (factor - 1.0) / 2.0),
                    shift: seen.shift.map(|s| s * factor),
                    information: blunt(seen.information).map(|i| i / (factor * factor)),
                    correlation: seen.correlation,
                },
            })
            .collect()
    }
}

/// A pose, and what the windows say when it is in force.
struct Refined {
    pose: PairPose,
    seen: Vec<Seen>,
}

/// What a window of some level said, in pixels of the full size.
struct Seen {
    level: usize,
    observation: Observation,
}

/// Takes steps at the given levels together until the pose rests.
fn refine(
    levels: &[&Level],
    model: Model,
    frame: Normalised,
    mut pose: Transform,
) -> Option<Refined> {
    let finest = levels.first()?.factor();
    let patches: Vec<Vec<Patch>> = levels.iter().map(|level| level.patches(&pose)).collect();
    for step in 0..STEPS {
        let seen: Vec<Seen> = levels
            .iter()
            .zip(&patches)
            .flat_map(|(level, patches)| level.observe(patches, &pose))
            .collect();
        let fit = fit(&seen, model, frame)?;
        pose = model.small(&fit.step, frame).then(&pose);
        let moved = fit.step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
        if moved < 2e-3 * finest || step + 1 == STEPS {
            let textured = patches.iter().map(Vec::len).sum();
            return fit.judge(pose, seen, textured, model, frame);
        }
    }
    None
}

/// A step of the pose's freedoms, in pixels, and what it rests on.
struct Fit {
    step: Vec<f64>,
    normal: Normal,
    information: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

/// The step that the windows ask for together: weighted least squares,
/// re-weighted by Tukey's biweight until disagreeing windows are out.
fn fit(seen: &[Seen], model: Model, frame: Normalised) -> Option<Fit> {
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
        let forgive = if round < 2 { 60.0 } else { 20.0 };
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
            if own.is_empty() {
                1.0
            } else {
                (median(own) / 1.386).max(0.05)
            }
        })
        .collect()
}

impl Fit {
    fn judge(
        self,
        transform: Transform,
        seen: Vec<Seen>,
        textured: usize,
        model: Model,
        frame: Normalised,
    ) -> Option<Refined> {
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
        let pose = PairPose {
            transform,
            correlation,
            error: variance.sqrt(),
            agreement: agreeing as f64 / textured.max(1) as f64,
            information: self.information,
            model,
            richer: None,
        };
        Some(Refined { pose, seen })
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
fn blunt(i: [f64; 3]) -> [f64; 3] {
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

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The windows to compare at one level: the best of each cell of a grid, where
/// both frames show texture, so that the whole picture has its say.
fn windows(template: &Grey, moving: &Grey, pose: &Transform) -> Vec<Window> {
    let (width, height) = (template.width, template.height);
    let side = match width.min(height) {
        0..100 => 12,
        100..400 => 20,
        _ => 32,
    };
    let usable = |size: usize| size.saturating_sub(2 * MARGIN);
    let area = (usable(width) * usable(height)) as f64;
    let cell = (area / WINDOWS as f64).sqrt().max(side as f64 / 2.0);
    let (columns, rows) = (
        (usable(width) as f64 / cell).max(1.0) as usize,
        (usable(height) as f64 / cell).max(1.0) as usize,
    );
    let cells: Vec<(usize, usize)> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column, row)))
        .collect();
    let start = |index: usize, count: usize, size: usize| {
        MARGIN + (usable(size).saturating_sub(side)) * index / (count - 1).max(1)
    };
    let reach = ((cell as usize).saturating_sub(side)) / 2;
    cells
        .into_par_iter()
        .filter_map(|(column, row)| {
            let (x, y) = (start(column, columns, width), start(row, rows, height));
            let positions = |at: usize, size: usize| {
                let low = at.saturating_sub(reach).max(MARGIN);
                let high = (at + reach).min((MARGIN + usable(size)).saturating_sub(side));
                (low..=high).step_by(side / 2)
            };
            positions(y, height)
                .flat_map(|y| positions(x, width).map(move |x| Window { x, y, side }))
                .map(|window| {
                    let [cx, cy] = window.centre();
                    let there = texture(moving, pose.apply(cx, cy), side);
                    (texture(template, [cx, cy], side).min(there), window)
                })
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, window)| window)
        })
        .collect()
}

/// How much texture there is about a point: the smaller of the mean squared
/// differences across and down, on a coarse raster.
fn texture(grey: &Grey, centre: [f64; 2], side: usize) -> f64 {
    let half = side as f64 / 2.0;
    let (left, top) = (centre[0] - half, centre[1] - half);
    if left < 0.0
        || top < 0.0
        || left + side as f64 + 3.0 >= grey.width as f64
        || top + side as f64 + 3.0 >= grey.height as f64
    {
        return 0.0;
    }
    let (left, top) = (left as usize, top as usize);
    let (mut across, mut down) = (0.0f64, 0.0f64);
    for y in (top..top + side).step_by(3) {
        for x in (left..left + side).step_by(3) {
            let at = |x: usize, y: usize| f32::from(grey.data[y * grey.width + x]);
            let centre = at(x, y);
            across += f64::from((at(x + 2, y) - centre).powi(2));
            down += f64::from((at(x, y + 2) - centre).powi(2));
        }
    }
    across.min(down)
}

/// The shift, in whole pixels, at which two small frames correlate best, among
/// those that leave half of the frame in common each way.
fn search(template: &Grey, moving: &Grey) -> [f64; 2] {
    let (width, height) = (
        template.width.min(moving.width) as isize,
        template.height.min(moving.height) as isize,
    );
    let (reach_x, reach_y) = (width / 2, height / 2);
    let shifts: Vec<(isize, isize)> = (-reach_y..=reach_y)
        .flat_map(|dy| (-reach_x..=reach_x).map(move |dx| (dx, dy)))
        .collect();
    let best = shifts
        .into_par_iter()
        .map(|(dx, dy)| {
            let (mut n, mut sums) = (0u64, [0.0f64; 5]);
            for y in 0.max(-dy)..height.min(height - dy) {
                let a = &template.row(y as usize)[0.max(-dx) as usize..];
                let b = &moving.row((y + dy) as usize)[0.max(dx) as usize..];
                let length = (width - dx.abs()) as usize;
                for (&a, &b) in a[..length].iter().zip(&b[..length]) {
                    let (a, b) = (f64::from(a), f64::from(b));
                    sums[0] += a;
                    sums[1] += b;
                    sums[2] += a * a;
                    sums[3] += b * b;
                    sums[4] += a * b;
                }
                n += length as u64;
            }
            let n = n.max(1) as f64;
            let covariance = sums[4] - sums[0] * sums[1] / n;
            let spread = (sums[2] - sums[0] * sums[0] / n) * (sums[3] - sums[1] * sums[1] / n);
            let correlation = if spread > 0.0 {
                covariance / spread.sqrt()
            } else {
                -1.0
            };
            (correlation, dx, dy)
        })
        .max_by(|a, b| {
            // Among equals the smallest shift.
            a.0.total_cmp(&b.0)
                .then((b.1.abs() + b.2.abs()).cmp(&(a.1.abs() + a.2.abs())))
        });
    best.map_or([0.0, 0.0], |(_, dx, dy)| [dx as f64, dy as f64])
}
