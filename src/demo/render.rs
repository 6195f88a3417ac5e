//! From a scene to the frames that a camera takes of it.

use rayon::prelude::*;

use super::colour::Encoder;
use super::defocus::{Kernel, ladder};
use super::grid::{Area, Grid};
use super::layer::Layer;
use super::rng::Rng;
use super::stroke::{Bead, Focus, Seen, Stroke};
use crate::core::Transform;
use crate::photo::Samples;

/// Blur of the lens where it is in focus: standard deviation in pixels.
const LENS: f64 = 0.55;
/// Rows and columns of the frame that are rendered at a time.
const TILE: [usize; 2] = [64, 128];

/// A thing in the scene.
pub(super) enum Element {
    Layer(Layer),
    Stroke(Stroke),
    Bead(Bead),
}

/// What the camera does to the light that it gathers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sensor {
    /// The light is multiplied by this.
    pub exposure: f32,
    /// Electrons at full scale and electrons of read noise; `None` is quiet.
    pub noise: Option<[f32; 2]>,
    /// Decides the noise.
    pub seed: u64,
    /// Which frame's noise.
    pub frame: u64,
}

/// A frame of `size` pixels that lies at `transform` and is focused at
/// `focus`, in samples of 8 or 16 bits.
pub(super) fn frame(
    scene: &[Element],
    grid: &Grid,
    size: [usize; 2],
    transform: &Transform,
    focus: &Focus,
    sensor: &Sensor,
    bits: u8,
) -> Samples {
    let encoder = Encoder::new();
    let view = View::new(scene, grid, transform, focus);
    let [width, height] = size;
    let encode = |light: &[f32], top: usize, full: f32, out: &mut dyn FnMut(usize, f32)| {
        for (row, light) in light.chunks_exact(width * 3).enumerate() {
            let mut rng = Rng::new(sensor.seed, sensor.frame << 32 | (top + row) as u64);
            let mut pair = [0.0; 2];
            for (i, &value) in light.iter().enumerate() {
                let mut value = value * sensor.exposure;
                if let Some([full_well, read]) = sensor.noise {
                    if i % 2 == 0 {
                        pair = rng.normals();
                    }
                    let variance = value.max(0.0) / full_well + (read / full_well).powi(2);
                    value += pair[i % 2] * variance.sqrt();
                }
                out(row * width * 3 + i, encoder.encode(value) * full + 0.5);
            }
        }
    };
    let rows = TILE[0] * width * 3;
    if bits == 8 {
        let mut samples = vec![0u8; width * height * 3];
        samples
            .par_chunks_mut(rows)
            .enumerate()
            .for_each(|(i, out)| {
                let light = view.strip(i * TILE[0], out.len() / 3 / width, width);
                encode(&light, i * TILE[0], 255.0, &mut |at, v| out[at] = v as u8);
            });
        Samples::Eight(samples)
    } else {
        let mut samples = vec![0u16; width * height * 3];
        samples
            .par_chunks_mut(rows)
            .enumerate()
            .for_each(|(i, out)| {
                let light = view.strip(i * TILE[0], out.len() / 3 / width, width);
                encode(&light, i * TILE[0], 65535.0, &mut |at, v| {
                    out[at] = v as u16
                });
            });
        Samples::Sixteen(samples)
    }
}

/// The depth, 0 to 1, of what each pixel of the reference frame shows.
pub(super) fn depth(scene: &[Element], grid: &Grid, size: [usize; 2]) -> Vec<f32> {
    let [width, height] = size;
    let mut depths = vec![0.0f32; width * height];
    depths
        .par_chunks_mut(TILE[0] * width)
        .enumerate()
        .for_each(|(strip, out)| {
            let (top, rows) = (strip * TILE[0], out.len() / width);
            for left in (0..width).step_by(TILE[1]) {
                let columns = TILE[1].min(width - left);
                let [x0, y0] = grid.to_canvas(left as f64, top as f64);
                let [x1, y1] = grid.to_canvas((left + columns - 1) as f64, (top + rows - 1) as f64);
                let region = Area {
                    x: x0.floor() as isize,
                    y: y0.floor() as isize,
                    width: (x1.floor() - x0.floor()) as usize + 2,
                    height: (y1.floor() - y0.floor()) as usize + 2,
                };
                let seen = topmost(scene, grid, region);
                for y in 0..rows {
                    for x in 0..columns {
                        let [cx, cy] = grid.to_canvas((left + x) as f64, (top + y) as f64);
                        let cx = (cx.round() as isize - region.x) as usize;
                        let cy = (cy.round() as isize - region.y) as usize;
                        out[y * width + left + x] = seen[cy * region.width + cx];
                    }
                }
            }
        });
    depths
}

/// The depth of the foremost thing that hides more than half of what is
/// behind it, for each canvas pixel of a region.
fn topmost(scene: &[Element], grid: &Grid, region: Area) -> Vec<f32> {
    let sharp = Focus {
        depth: None,
        per_depth: 0.0,
        psf: super::Psf::Disc,
    };
    let mut depths = vec![0.0f32; region.width * region.height];
    for element in scene {
        let mut put = |index: usize, seen: Seen| {
            if seen.opacity > 0.5 {
                depths[index] = seen.depth;
            }
        };
        match element {
            Element::Stroke(stroke) => stroke.draw(grid, &sharp, region, put),
            Element::Bead(bead) => bead.draw(grid, &sharp, region, put),
            Element::Layer(layer) => {
                let part = if layer.opaque {
                    Some(region)
                } else {
                    layer.area.intersection(region)
                };
                let Some(part) = part else { continue };
                for y in part.y..part.bottom() {
                    for x in part.x..part.right() {
                        let opacity = layer.opacity(x, y);
                        if opacity > 0.5 {
                            let row = (y - region.y) as usize * region.width;
                            put(
                                row + (x - region.x) as usize,
                                Seen {
                                    colour: [0.0; 3],
                                    opacity,
                                    depth: (layer.relief)(grid.to_design(x as f32, y as f32)),
                                },
                            );
                        }
                    }
                }
            }
        }
    }
    depths
}

/// The scene as one frame sees it.
struct View<'a> {
    scene: &'a [Element],
    grid: &'a Grid,
    focus: &'a Focus,
    /// From the frame's pixels to those of the reference frame.
    back: Transform,
    /// The lens in canvas pixels, tabulated.
    lens: Lens,
    /// Blurs from none to the largest.
    radii: Vec<f32>,
    kernels: Vec<Kernel>,
}

impl<'a> View<'a> {
    fn new(scene: &'a [Element], grid: &'a Grid, transform: &Transform, focus: &'a Focus) -> Self {
        let largest = focus
            .depth
            .map_or(0.0, |d| focus.per_depth * d.max(1.0 - d));
        let radii = ladder(largest);
        Self {
            scene,
            grid,
            focus,
            back: transform.inverse().unwrap_or_default(),
            lens: Lens::new(LENS * grid.scale / transform.scale()),
            kernels: radii.iter().map(|&r| Kernel::new(r, focus.psf)).collect(),
            radii,
        }
    }

    /// Linear light of some rows of the frame, red, green and blue in turn.
    fn strip(&self, top: usize, rows: usize, width: usize) -> Vec<f32> {
        let mut light = vec![0.0f32; rows * width * 3];
        for left in (0..width).step_by(TILE[1]) {
            let columns = TILE[1].min(width - left);
            let place = |x: usize, y: usize| {
                let [x, y] = self.back.apply((left + x) as f64, (top + y) as f64);
                self.grid.to_canvas(x, y)
            };
            let corners = [
                place(0, 0),
                place(columns - 1, 0),
                place(0, rows - 1),
                place(columns - 1, rows - 1),
            ];
            let reach = self.lens.reach as f64 + 1.0;
            let low = |axis: usize| {
                let least = corners.iter().map(|c| c[axis]).fold(f64::MAX, f64::min);
                (least - reach).floor() as isize
            };
            let high = |axis: usize| {
                let most = corners.iter().map(|c| c[axis]).fold(f64::MIN, f64::max);
                (most + reach).ceil() as isize + 1
            };
            let Some(region) = Area::between(low(0), low(1), high(0), high(1)) else {
                continue;
            };
            let canvas = self.composite(region);
            for y in 0..rows {
                for x in 0..columns {
                    let [cx, cy] = place(x, y);
                    let at = [cx - region.x as f64, cy - region.y as f64];
                    let colour = self.lens.sample(&canvas, region.width, at);
                    let out = (y * width + left + x) * 3;
                    light[out..out + 3].copy_from_slice(&colour[..3]);
                }
            }
        }
        light
    }

    /// The light that falls on a part of the canvas, things in the back first.
    fn composite(&self, region: Area) -> Vec<[f32; 4]> {
        let mut canvas = vec![[0.0f32; 4]; region.width * region.height];
        for element in self.scene {
            let put = |index: usize, seen: Seen| {
                let pixel = &mut canvas[index];
                for (under, over) in pixel.iter_mut().zip(seen.colour) {
                    *under = *under * (1.0 - seen.opacity) + over;
                }
            };
            match element {
                Element::Layer(layer) => self.add_layer(layer, region, &mut canvas),
                Element::Stroke(stroke) => stroke.draw(self.grid, self.focus, region, put),
                Element::Bead(bead) => bead.draw(self.grid, self.focus, region, put),
            }
        }
        canvas
    }

    fn add_layer(&self, layer: &Layer, region: Area, canvas: &mut [[f32; 4]]) {
        let part = if layer.opaque {
            Some(region)
        } else {
            let reach = self.radii[self.radii.len() - 1] * 1.8 + 2.0;
            layer.area.grown(reach as usize).intersection(region)
        };
        let Some(part) = part else { return };
        let seen = self.see(layer, part);
        for y in 0..part.height {
            let row = (part.y - region.y) as usize + y;
            let start = row * region.width + (part.x - region.x) as usize;
            let pixels = &mut canvas[start..start + part.width];
            let at = y * part.width;
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let through = seen.get(3).map_or(0.0, |alpha| 1.0 - alpha[at + i]);
                for (c, under) in pixel[..3].iter_mut().enumerate() {
                    *under = *under * through + seen[c][at + i];
                }
            }
        }
    }

    /// A part of a layer, each pixel blurred as its depth demands: a mixture
    /// of the two evenly blurred pictures that are nearest.
    fn see(&self, layer: &Layer, part: Area) -> Vec<Vec<f32>> {
        if self.radii.len() == 1 {
            return layer.seen(&self.kernels[0], part);
        }
        let mut radii = Vec::with_capacity(part.width * part.height);
        for y in part.y..part.bottom() {
            for x in part.x..part.right() {
                let depth = (layer.relief)(self.grid.to_design(x as f32, y as f32));
                radii.push(self.focus.radius(depth));
            }
        }
        let least = radii.iter().copied().fold(f32::MAX, f32::min);
        let most = radii.iter().copied().fold(0.0, f32::max);
        if most - least < 0.01 {
            return layer.seen(&Kernel::new(most, self.focus.psf), part);
        }
        let last = self.radii.len() - 1;
        let below = |r: f32| self.radii.partition_point(|&s| s <= r).clamp(1, last) - 1;
        let mut sums = vec![vec![0.0f32; radii.len()]; layer.planes()];
        let mut weights = vec![0.0f32; radii.len()];
        for step in below(least)..=below(most) + 1 {
            // Weights that keep the spread: the squares of the radii are mixed.
            let square = |i: usize| self.radii[i] * self.radii[i];
            let mut bounds: Option<[usize; 4]> = None;
            for (i, (weight, &radius)) in weights.iter_mut().zip(&radii).enumerate() {
                let square_radius = radius * radius;
                *weight = if step > 0 && square_radius <= square(step) {
                    (square_radius - square(step - 1)) / (square(step) - square(step - 1))
                } else if step < last {
                    (square(step + 1) - square_radius) / (square(step + 1) - square(step))
                } else {
                    1.0
                };
                *weight = weight.clamp(0.0, 1.0);
                if *weight > 0.0 {
                    let (x, y) = (i % part.width, i / part.width);
                    bounds = Some(bounds.map_or([x, y, x, y], |[x0, y0, x1, y1]| {
                        [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]
                    }));
                }
            }
            let Some([x0, y0, x1, y1]) = bounds else {
                continue;
            };
            let needed = Area {
                x: part.x + x0 as isize,
                y: part.y + y0 as isize,
                width: x1 - x0 + 1,
                height: y1 - y0 + 1,
            };
            let seen = layer.seen(&self.kernels[step], needed);
            for (sums, seen) in sums.iter_mut().zip(&seen) {
                for (y, seen) in seen.chunks_exact(needed.width).enumerate() {
                    let start = (y0 + y) * part.width + x0;
                    let weights = &weights[start..start + needed.width];
                    let sums = &mut sums[start..start + needed.width];
                    for ((sum, value), weight) in sums.iter_mut().zip(seen).zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        }
        sums
    }
}

/// A Gaussian that blurs and resamples in one go, so that a frame's place
/// costs it no sharpness.
struct Lens {
    reach: usize,
    /// For each of [`Self::PHASES`] + 1 places between two pixels, the weights
    /// of the pixels around.
    table: Vec<Vec<f32>>,
}

impl Lens {
    const PHASES: usize = 512;

    fn new(sigma: f64) -> Self {
        let reach = (3.2 * sigma).ceil() as usize;
        let table = (0..=Self::PHASES)
            .map(|phase| {
                let share = phase as f64 / Self::PHASES as f64;
                let weights: Vec<f64> = (0..2 * reach)
                    .map(|i| {
                        let d = i as f64 + 1.0 - reach as f64 - share;
                        (-d * d / (2.0 * sigma * sigma)).exp()
                    })
                    .collect();
                let sum: f64 = weights.iter().sum();
                weights.iter().map(|w| (w / sum) as f32).collect()
            })
            .collect();
        Self { reach, table }
    }

    /// The light at a place between the pixels of a canvas.
    fn sample(&self, canvas: &[[f32; 4]], stride: usize, [x, y]: [f64; 2]) -> [f32; 4] {
        let phase = |v: f64| {
            let share = ((v - v.floor()) * Self::PHASES as f64).round() as usize;
            &self.table[share]
        };
        let first = |v: f64| v.floor() as usize + 1 - self.reach;
        let (columns, left) = (phase(x), first(x));
        let mut sum = [0.0f32; 4];
        for (row, weight) in phase(y).iter().enumerate() {
            let line = &canvas[(first(y) + row) * stride + left..][..columns.len()];
            for (pixel, column) in line.iter().zip(columns) {
                let weight = weight * column;
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += weight * value;
                }
            }
        }
        sum
    }
}
