//! Hairs and droplets, whose blurred image is known in closed form.

use super::Psf;
use super::colour::{Rgb, mix, scaled};
use super::defocus::{band, discs, spot};
use super::grid::{Area, Grid};
use super::paint::{Point, length};
use super::texture::noise;

/// Where the camera is focused and how it blurs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Focus {
    /// The depth in focus, 0 to 1; `None` sees all depths sharp.
    pub depth: Option<f32>,
    /// Blur radius in canvas pixels per unit of depth.
    pub per_depth: f32,
    /// The shape of the blur.
    pub psf: Psf,
}

impl Focus {
    /// Blur radius in canvas pixels at a depth.
    pub fn radius(&self, depth: f32) -> f32 {
        self.depth
            .map_or(0.0, |focus| (depth - focus).abs() * self.per_depth)
    }

    /// The same, at least as wide as a pixel.
    fn soft(&self, depth: f32) -> f32 {
        self.radius(depth).hypot(0.5)
    }
}

/// A point on the way of a hair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Design units.
    pub at: Point,
    /// 0 to 1.
    pub depth: f32,
    /// Half the hair's width in design units.
    pub half: f32,
}

/// A curved hair, thorn, stalk or leg.
pub(super) struct Stroke {
    pub nodes: Vec<Node>,
    /// Colours of its root and its tip.
    pub colours: [Rgb; 2],
    /// Light on its upper left side, added.
    pub shine: Rgb,
    /// Length in design units of the bands along it.
    pub bands: f32,
}

/// A round droplet or grain.
pub(super) struct Bead {
    pub at: Point,
    pub depth: f32,
    /// Design units.
    pub radius: f32,
    /// Colours of its upper and its lower half.
    pub colours: [Rgb; 2],
    pub opacity: f32,
}

/// What a pixel sees of something: light, opacity and depth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Multiplied by the opacity.
    pub colour: Rgb,
    pub opacity: f32,
    pub depth: f32,
}

impl Stroke {
    /// Calls `put` with the index, in `region`, of each pixel that sees some
    /// of the stroke.
    pub fn draw(&self, grid: &Grid, focus: &Focus, region: Area, mut put: impl FnMut(usize, Seen)) {
        let scale = grid.per_unit();
        let nodes: Vec<Node> = self
            .nodes
            .iter()
            .map(|node| Node {
                at: grid.place(node.at[0], node.at[1]),
                half: node.half * scale,
                ..*node
            })
            .collect();
        let reach = |n: &Node| n.half + focus.soft(n.depth) * widest(focus.psf) + 1.0;
        let parts: Vec<Option<Area>> = nodes
            .windows(2)
            .map(|ends| {
                let reach = reach(&ends[0]).max(reach(&ends[1]));
                around(&[ends[0].at, ends[1].at], reach)?.intersection(region)
            })
            .collect();
        let Some(whole) = parts.iter().flatten().copied().reduce(union) else {
            return;
        };
        // For each pixel the nearest point of the way: distance, with the sign
        // of its side, and place.
        let mut nearest = vec![(f32::MAX, 0.0f32); whole.width * whole.height];
        for (i, part) in parts.iter().enumerate() {
            let Some(part) = part else { continue };
            let (a, b) = (nodes[i].at, nodes[i + 1].at);
            let (bx, by) = (b[0] - a[0], b[1] - a[1]);
            let square = (bx * bx + by * by).max(1e-6);
            let reach = reach(&nodes[i]).max(reach(&nodes[i + 1]));
            for y in part.y..part.bottom() {
                let py = y as f32 - a[1];
                // The stretch of this row that the segment can reach.
                let ends = if by.abs() < 1e-3 {
                    [a[0], b[0]]
                } else {
                    [py - reach, py + reach].map(|py| a[0] + bx * (py / by).clamp(0.0, 1.0))
                };
                let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                let left = part.x.max((low - reach).floor() as isize);
                let right = part.right().min((high + reach).ceil() as isize + 1);
                if right <= left {
                    continue;
                }
                let start = (y - whole.y) as usize * whole.width + (left - whole.x) as usize;
                let row = &mut nearest[start..start + (right - left) as usize];
                for (x, best) in (left..).zip(row) {
                    let px = x as f32 - a[0];
                    let t = ((px * bx + py * by) / square).clamp(0.0, 1.0);
                    let distance = length(px - t * bx, py - t * by);
                    if distance < best.0.abs() {
                        *best = (distance.copysign(py * bx - px * by), i as f32 + t);
                    }
                }
            }
        }
        let total: f32 = self
            .nodes
            .windows(2)
            .map(|n| (n[1].at[0] - n[0].at[0]).hypot(n[1].at[1] - n[0].at[1]))
            .sum();
        let segments = (nodes.len() - 1) as f32;
        for (i, &(distance, place)) in nearest.iter().enumerate() {
            if distance == f32::MAX {
                continue;
            }
            let k = (place as usize).min(nodes.len() - 2);
            let share = place - k as f32;
            let between =
                |f: fn(&Node) -> f32| f(&nodes[k]) + share * (f(&nodes[k + 1]) - f(&nodes[k]));
            let (depth, half) = (between(|n| n.depth), between(|n| n.half));
            let radius = focus.soft(depth);
            let seen = |d: f32, half: f32| {
                let discs = discs(focus.psf);
                let sum: f32 = discs.iter().map(|m| band(d, half, radius * m)).sum();
                sum / discs.len() as f32
            };
            let opacity = seen(distance, half);
            if opacity <= 1e-5 {
                continue;
            }
            // Bands finer than the blur are not seen.
            let bands = place / segments * total / self.bands;
            let period = self.bands * scale;
            let contrast = 0.35 / (1.0 + (2.0 * radius / period).powi(2));
            let tone = 1.0 + contrast * 1.6 * noise(bands, 0.5, 77);
            let colour = scaled(
                mix(self.colours[0], self.colours[1], place / segments),
                tone,
            );
            let light = seen(distance + 0.35 * half, 0.3 * half);
            let x = whole.x - region.x + (i % whole.width) as isize;
            let y = whole.y - region.y + (i / whole.width) as isize;
            let index = y as usize * region.width + x as usize;
            let colour =
                std::array::from_fn(|c| colour[c] * opacity + self.shine[c] * light * tone);
            put(
                index,
                Seen {
                    colour,
                    opacity,
                    depth,
                },
            );
        }
    }
}

impl Bead {
    /// Calls `put` with the index, in `region`, of each pixel that sees some
    /// of the bead.
    pub fn draw(&self, grid: &Grid, focus: &Focus, region: Area, mut put: impl FnMut(usize, Seen)) {
        let at = grid.place(self.at[0], self.at[1]);
        let size = self.radius * grid.per_unit();
        let radius = focus.soft(self.depth);
        let reach = size + radius * widest(focus.psf) + 1.0;
        let Some(part) = around(&[at], reach).and_then(|a| a.intersection(region)) else {
            return;
        };
        let discs = discs(focus.psf);
        for y in part.y..part.bottom() {
            for x in part.x..part.right() {
                let (dx, dy) = (x as f32 - at[0], y as f32 - at[1]);
                let distance = length(dx, dy);
                let sum: f32 = discs.iter().map(|m| spot(distance, size, radius * m)).sum();
                let opacity = self.opacity * sum / discs.len() as f32;
                if opacity <= 1e-6 {
                    continue;
                }
                let share = (0.5 + 0.5 * dy / (size + radius)).clamp(0.0, 1.0);
                let colour = scaled(mix(self.colours[0], self.colours[1], share), opacity);
                let index = (y - region.y) as usize * region.width + (x - region.x) as usize;
                let depth = self.depth;
                put(
                    index,
                    Seen {
                        colour,
                        opacity,
                        depth,
                    },
                );
            }
        }
    }
}

fn widest(psf: Psf) -> f32 {
    discs(psf).iter().fold(0.0, |a, &b| a.max(b))
}

fn around(points: &[Point], by: f32) -> Option<Area> {
    let fold = |axis: usize, pick: fn(f32, f32) -> f32| {
        points.iter().map(|p| p[axis]).reduce(pick).unwrap_or(0.0)
    };
    Area::between(
        (fold(0, f32::min) - by).floor() as isize,
        (fold(1, f32::min) - by).floor() as isize,
        (fold(0, f32::max) + by).ceil() as isize + 1,
        (fold(1, f32::max) + by).ceil() as isize + 1,
    )
}

fn union(a: Area, b: Area) -> Area {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Area {
        x,
        y,
        width: (a.right().max(b.right()) - x) as usize,
        height: (a.bottom().max(b.bottom()) - y) as usize,
    }
}
