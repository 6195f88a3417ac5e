//! One level of the pyramids of two frames: where to look, and what is seen.

use rayon::prelude::*;

use super::fit::{Seen, blunt};
use super::texture::{BLOCK, Texture};
use super::window::{Observation, Patch, Scratch, Window};
use crate::core::Transform;
use crate::core::grey::Grey;

/// Pixels across and down a window, except at small levels.
const SIDE: usize = 32;

/// One level of the pyramids of two frames.
pub struct Level<'a> {
    /// The frame that is lain upon.
    pub template: &'a Grey,
    /// The frame that is laid upon it.
    pub moving: &'a Grey,
    /// How often both were halved.
    pub level: usize,
}

impl Level<'_> {
    /// Pixels of the full size per pixel of this level.
    pub fn factor(&self) -> f64 {
        f64::from(1u32 << self.level)
    }

    /// The windows about places of the full size.
    pub fn patches(&self, spots: &[[f64; 2]]) -> Vec<Patch> {
        let side = match self.template.width.min(self.template.height) {
            0..100 => 12,
            100..400 => 20,
            _ => SIDE,
        };
        let half = (side - 1) as f64 / 2.0;
        let window = |at: &[f64; 2]| {
            let [x, y] = at.map(|v| ((v + 0.5) / self.factor() - 0.5 - half).round());
            (x >= 0.0 && y >= 0.0).then_some(Window {
                x: x as usize,
                y: y as usize,
                side,
            })
        };
        spots
            .par_iter()
            .filter_map(|at| Patch::cut(self.template, window(at)?))
            .collect()
    }

    /// Compares the windows, and tells in pixels of the full size.
    pub fn observe(&self, patches: &[Patch], pose: &Transform) -> Vec<Seen> {
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

/// The centres, in pixels of a level, of the structure best worth comparing:
/// that of the best block of each cell of a grid of about `count`, where both
/// frames show some, so that the whole picture has its say. `pose` is that of
/// the level.
pub fn spots(
    template: &Texture,
    moving: &Texture,
    pose: &Transform,
    count: usize,
) -> Vec<[f64; 2]> {
    let (columns, rows) = (template.columns, template.rows);
    let cell = ((columns * rows) as f64 / count as f64).sqrt().max(1.0);
    let cells = |size: usize| ((size as f64 / cell).round() as usize).max(1);
    let span = |index: usize, size: usize| {
        let edge = |k: usize| k * size / cells(size);
        edge(index)..edge(index + 1)
    };
    let centre = |block: usize| (block as f64 + 0.5) * BLOCK as f64 - 0.5;
    let (across, down) = (cells(columns), cells(rows));
    (0..across * down)
        .into_par_iter()
        .filter_map(|index| {
            span(index / across, rows)
                .flat_map(|row| span(index % across, columns).map(move |column| (column, row)))
                .map(|(column, row)| {
                    let spot = [centre(column), centre(row)];
                    let [x, y] = pose.apply(spot[0], spot[1]);
                    let strength = template.block(column, row).min(moving.at(x, y));
                    (strength, spot)
                })
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(strength, _)| *strength > 0.0)
                .map(|(_, spot)| spot)
        })
        .collect()
}

/// The shift, in whole pixels, at which two small frames correlate best, among
/// those that leave half of the frame in common each way.
pub fn search(template: &Grey, moving: &Grey) -> [f64; 2] {
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
