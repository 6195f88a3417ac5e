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
    /// The frame that is lain upon, softened.
    pub template: &'a Grey,
    /// The frame that is laid upon it, softened.
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
