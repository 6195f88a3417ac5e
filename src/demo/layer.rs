//! A painted picture in space, which can be seen out of focus.

use super::colour::Rgb;
use super::defocus::{Kernel, halvings};
use super::grid::{Area, Grid};
use super::paint::{Ground, Point, Shape, paint};
use super::{Psf, SceneOptions};

/// How far something is from the camera, by its place on the canvas in design
/// units: 0 is where the first frame is focused, 1 where the last is.
pub(super) type Relief = Box<dyn Fn(Point) -> f32 + Send + Sync>;

/// A picture and its smaller versions.
pub(super) struct Layer {
    /// What it covers of the canvas.
    pub area: Area,
    /// How far away each point of it is.
    pub relief: Relief,
    /// Whether it covers all of the canvas and hides all behind it.
    pub opaque: bool,
    levels: Vec<Level>,
}

struct Level {
    width: usize,
    height: usize,
    /// Red, green, blue, and the opacity that they are multiplied by unless
    /// the layer is opaque.
    planes: Vec<Vec<f32>>,
}

impl Layer {
    /// A picture that fills the canvas: `ground` with `shapes` on it.
    pub fn background(
        grid: &Grid,
        blur: &Blur,
        relief: Relief,
        ground: impl Fn(Point) -> Rgb + Sync,
        shapes: &[Shape],
    ) -> Self {
        let area = Area {
            x: 0,
            y: 0,
            width: grid.width,
            height: grid.height,
        };
        Self::new(grid, blur, area, relief, Some(&ground), shapes)
    }

    /// A cut-out of `shapes`; `None` where they lie outside the canvas.
    pub fn cutout(grid: &Grid, blur: &Blur, relief: Relief, shapes: &[Shape]) -> Option<Self> {
        let canvas = Area::between(0, 0, grid.width as isize, grid.height as isize)?;
        let area = shapes
            .iter()
            .filter_map(|shape| shape.area(grid))
            .reduce(|a, b| Area {
                x: a.x.min(b.x),
                y: a.y.min(b.y),
                width: (a.right().max(b.right()) - a.x.min(b.x)) as usize,
                height: (a.bottom().max(b.bottom()) - a.y.min(b.y)) as usize,
            })?
            .intersection(canvas)?;
        Some(Self::new(grid, blur, area, relief, None, shapes))
    }

    fn new(
        grid: &Grid,
        blur: &Blur,
        area: Area,
        relief: Relief,
        ground: Option<Ground>,
        shapes: &[Shape],
    ) -> Self {
        let mut levels = vec![Level {
            width: area.width,
            height: area.height,
            planes: paint(grid, area, ground, shapes),
        }];
        for _ in 0..halvings(blur.largest, blur.psf) {
            levels.push(levels[levels.len() - 1].halved(ground.is_some()));
        }
        Self {
            area,
            relief,
            opaque: ground.is_some(),
            levels,
        }
    }

    /// Number of planes: three, or four with the opacity.
    pub fn planes(&self) -> usize {
        self.levels[0].planes.len()
    }

    /// The opacity at a canvas pixel.
    pub fn opacity(&self, x: isize, y: isize) -> f32 {
        let level = &self.levels[0];
        match level.planes.get(3) {
            None => 1.0,
            Some(alpha) => {
                let (x, y) = (x - self.area.x, y - self.area.y);
                if x < 0 || y < 0 || x as usize >= level.width || y as usize >= level.height {
                    0.0
                } else {
                    alpha[y as usize * level.width + x as usize]
                }
            }
        }
    }

    /// The planes of the part `region` of the canvas as seen through `kernel`.
    pub fn seen(&self, kernel: &Kernel, region: Area) -> Vec<Vec<f32>> {
        let level = &self.levels[kernel.halvings.min(self.levels.len() - 1)];
        let (x, y) = (region.x - self.area.x, region.y - self.area.y);
        if kernel.halvings == 0 {
            return level.seen(kernel, Area { x, y, ..region }, self.opaque);
        }
        let block = (1u64 << kernel.halvings) as f32;
        let columns = Interpolation::new(x, region.width, block);
        let rows = Interpolation::new(y, region.height, block);
        let small = Area {
            x: columns.first,
            y: rows.first,
            width: columns.count,
            height: rows.count,
        };
        level
            .seen(kernel, small, self.opaque)
            .iter()
            .map(|plane| enlarged(plane, &columns, &rows))
            .collect()
    }
}

impl Level {
    /// Half the size: each pixel is the mean of four.
    fn halved(&self, opaque: bool) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mean = |plane: &Vec<f32>| {
            let at = |x: usize, y: usize| {
                if opaque || (x < self.width && y < self.height) {
                    plane[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
                } else {
                    0.0
                }
            };
            let mut half = Vec::with_capacity(width * height);
            for y in 0..height {
                for x in 0..width {
                    let (x, y) = (2 * x, 2 * y);
                    half.push((at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0);
                }
            }
            half
        };
        Self {
            width,
            height,
            planes: self.planes.iter().map(mean).collect(),
        }
    }

    /// `region`, in this level's own pixels, through the kernel's weights.
    fn seen(&self, kernel: &Kernel, region: Area, opaque: bool) -> Vec<Vec<f32>> {
        let source = region.grown(kernel.reach);
        let mut copy = vec![0.0f32; source.width * source.height];
        self.planes
            .iter()
            .map(|plane| {
                self.copy(plane, source, opaque, &mut copy);
                if kernel.reach == 0 {
                    copy.clone()
                } else {
                    weigh(&copy, source.width, kernel, region.width, region.height)
                }
            })
            .collect()
    }

    /// Copies a region; beyond the edge lies nothing, or for an opaque picture
    /// its edge again.
    fn copy(&self, plane: &[f32], region: Area, opaque: bool, copy: &mut [f32]) {
        let (right, bottom) = (self.width as isize, self.height as isize);
        for (y, row) in (region.y..).zip(copy.chunks_exact_mut(region.width)) {
            if !opaque && (y < 0 || y >= bottom) {
                row.fill(0.0);
                continue;
            }
            let line = &plane[y.clamp(0, bottom - 1) as usize * self.width..][..self.width];
            let from = region.x.clamp(0, right);
            let to = region.right().clamp(from, right);
            let (before, rest) =
                row.split_at_mut((from - region.x).clamp(0, region.width as isize) as usize);
            let (inside, after) = rest.split_at_mut((to - from) as usize);
            before.fill(if opaque { line[0] } else { 0.0 });
            inside.copy_from_slice(&line[from as usize..to as usize]);
            after.fill(if opaque { line[self.width - 1] } else { 0.0 });
        }
    }
}

/// Sums the neighbours of each pixel by the kernel's weights.
fn weigh(source: &[f32], stride: usize, kernel: &Kernel, width: usize, height: usize) -> Vec<f32> {
    let mut sums = vec![0.0f32; width * height];
    let mut pair = vec![0.0f32; stride];
    for (y, sums) in sums.chunks_exact_mut(width).enumerate() {
        for (dy, weights) in kernel.rows.iter().enumerate() {
            let row = |y: usize| &source[y * stride..][..stride];
            let middle = y + kernel.reach;
            let line: &[f32] = if dy == 0 {
                row(middle)
            } else {
                // The rows above and below have the same weights.
                let rows = row(middle - dy).iter().zip(row(middle + dy));
                for (sum, (above, below)) in pair.iter_mut().zip(rows) {
                    *sum = above + below;
                }
                &pair
            };
            let used = |w: &&f32| **w > 0.0;
            let Some(first) = weights.iter().position(|w| *w > 0.0) else {
                continue;
            };
            let count = weights[first..].iter().take_while(used).count();
            let weights = &weights[first..first + count];
            let line = &line[first..];
            let quads = weights.chunks_exact(4);
            let singles = quads.remainder();
            let mut x = 0;
            for w in quads {
                let (a, b) = (&line[x..][..width], &line[x + 1..][..width]);
                let (c, d) = (&line[x + 2..][..width], &line[x + 3..][..width]);
                for i in 0..width {
                    sums[i] += (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);
                }
                x += 4;
            }
            for w in singles {
                for (sum, value) in sums.iter_mut().zip(&line[x..][..width]) {
                    *sum += w * value;
                }
                x += 1;
            }
        }
    }
    sums
}

/// Which two small pixels each large one lies between, along one axis.
struct Interpolation {
    first: isize,
    count: usize,
    steps: Vec<(usize, f32)>,
}

impl Interpolation {
    fn new(start: isize, count: usize, block: f32) -> Self {
        let place = |i: usize| (start as f32 + i as f32 + 0.5) / block - 0.5;
        let first = place(0).floor() as isize;
        let steps: Vec<(usize, f32)> = (0..count)
            .map(|i| {
                let at = place(i) - first as f32;
                (at as usize, at.fract())
            })
            .collect();
        Self {
            first,
            count: steps.last().map_or(0, |last| last.0) + 2,
            steps,
        }
    }
}

fn enlarged(plane: &[f32], columns: &Interpolation, rows: &Interpolation) -> Vec<f32> {
    let mut out = Vec::with_capacity(columns.steps.len() * rows.steps.len());
    let mut line = vec![0.0f32; columns.count];
    for &(y, share) in &rows.steps {
        let above = &plane[y * columns.count..][..columns.count];
        let below = &plane[(y + 1) * columns.count..][..columns.count];
        for ((value, a), b) in line.iter_mut().zip(above).zip(below) {
            *value = a + share * (b - a);
        }
        out.extend(
            (columns.steps.iter()).map(|&(x, share)| line[x] + share * (line[x + 1] - line[x])),
        );
    }
    out
}

/// The defocus of a stack, in canvas pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blur {
    /// Radius of the circle of confusion from one end of the stack to the other.
    pub largest: f32,
    /// Its shape.
    pub psf: Psf,
}

impl Blur {
    /// For a canvas of `scale` pixels per pixel of the frame.
    pub fn new(options: &SceneOptions, scale: f64) -> Self {
        let steps = options.frames.saturating_sub(1) as f64;
        Self {
            largest: (options.blur_step() * steps * scale) as f32,
            psf: options.psf,
        }
    }
}
