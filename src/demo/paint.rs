//! Flat shapes with smooth edges, painted one over the other.

use rayon::prelude::*;

use super::colour::Rgb;
use super::defocus::step;
use super::grid::{Area, Grid};

/// Rows that are painted at a time.
const BAND: usize = 24;

/// A point in design units.
pub(super) type Point = [f32; 2];

/// The distance of a point to an outline, negative inside.
pub(super) type Distance = Box<dyn Fn(Point) -> f32 + Send + Sync>;

/// An outline.
pub(super) enum Form {
    /// A line with round ends.
    Line { from: Point, to: Point, half: f32 },
    /// A rectangle with round corners, turned by `angle`.
    Plate {
        centre: Point,
        half: Point,
        corner: f32,
        angle: f32,
    },
    /// A circle.
    Disc { centre: Point, radius: f32 },
    /// Whatever lies between two corners where a distance is negative.
    Free {
        corners: [Point; 2],
        distance: Distance,
    },
}

impl Form {
    /// The distance to the outline, negative inside.
    fn distance(&self, [x, y]: Point) -> f32 {
        match self {
            Self::Line { from, to, half } => to_segment([x, y], *from, *to) - half,
            Self::Plate {
                centre,
                half,
                corner,
                angle,
            } => {
                let (sin, cos) = angle.sin_cos();
                let (dx, dy) = (x - centre[0], y - centre[1]);
                let px = (dx * cos + dy * sin).abs() - half[0] + corner;
                let py = (dy * cos - dx * sin).abs() - half[1] + corner;
                length(px.max(0.0), py.max(0.0)) + px.max(py).min(0.0) - corner
            }
            Self::Disc { centre, radius } => length(x - centre[0], y - centre[1]) - radius,
            Self::Free { distance, .. } => distance([x, y]),
        }
    }

    /// The corners of what it covers.
    fn bounds(&self) -> [Point; 2] {
        let around = |points: &[Point], by: f32| {
            let mut corners = [[f32::MAX; 2], [f32::MIN; 2]];
            for point in points {
                for axis in 0..2 {
                    corners[0][axis] = corners[0][axis].min(point[axis] - by);
                    corners[1][axis] = corners[1][axis].max(point[axis] + by);
                }
            }
            corners
        };
        match self {
            Self::Line { from, to, half } => around(&[*from, *to], *half),
            Self::Plate { centre, half, .. } => around(&[*centre], half[0].hypot(half[1])),
            Self::Disc { centre, radius } => around(&[*centre], *radius),
            Self::Free { corners, .. } => *corners,
        }
    }

    /// The width of its thinnest part, as far as that may be below a pixel.
    fn thickness(&self) -> f32 {
        match self {
            Self::Line { half, .. } => 2.0 * half,
            Self::Plate { half, .. } => 2.0 * half[0].min(half[1]),
            Self::Disc { radius, .. } => 2.0 * radius,
            Self::Free { .. } => f32::MAX,
        }
    }
}

/// The length of a vector; quicker than `hypot`, which minds overflow.
pub(super) fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

fn to_segment([x, y]: Point, a: Point, b: Point) -> f32 {
    let (bx, by) = (b[0] - a[0], b[1] - a[1]);
    let (px, py) = (x - a[0], y - a[1]);
    let t = ((px * bx + py * by) / (bx * bx + by * by).max(1e-12)).clamp(0.0, 1.0);
    length(px - t * bx, py - t * by)
}

/// A colour and an opacity for a point and its distance to the outline.
pub(super) type Shade = Box<dyn Fn(Point, f32) -> (Rgb, f32) + Send + Sync>;

enum Ink {
    Flat(Rgb, f32),
    Shaded(Shade),
}

/// Something painted.
pub(super) struct Shape {
    form: Form,
    ink: Ink,
    /// Design units over which the edge fades, on each side; 0 is as crisp as
    /// pixels allow.
    soft: f32,
}

impl Shape {
    /// Filled evenly.
    pub fn flat(form: Form, colour: Rgb, opacity: f32) -> Self {
        Self::soft(form, colour, opacity, 0.0)
    }

    /// Filled evenly, with an edge that fades over `soft` units on each side.
    pub fn soft(form: Form, colour: Rgb, opacity: f32, soft: f32) -> Self {
        Self {
            form,
            ink: Ink::Flat(colour, opacity),
            soft,
        }
    }

    /// Filled as `shade` says.
    pub fn shaded(
        form: Form,
        shade: impl Fn(Point, f32) -> (Rgb, f32) + Send + Sync + 'static,
    ) -> Self {
        Self {
            form,
            ink: Ink::Shaded(Box::new(shade)),
            soft: 0.0,
        }
    }

    /// The canvas pixels that it may touch.
    pub fn area(&self, grid: &Grid) -> Option<Area> {
        let [low, high] = self.form.bounds();
        let pad = self.soft * grid.per_unit() + 1.5;
        let [x0, y0] = grid.place(low[0], low[1]);
        let [x1, y1] = grid.place(high[0], high[1]);
        Area::between(
            (x0 - pad).floor() as isize,
            (y0 - pad).floor() as isize,
            (x1 + pad).ceil() as isize + 1,
            (y1 + pad).ceil() as isize + 1,
        )
    }

    fn cover(&self, distance: f32, per_unit: f32) -> f32 {
        if self.soft > 0.0 {
            step(0.0, self.soft, -distance)
        } else {
            let most = (self.form.thickness() * per_unit).min(1.0);
            (0.5 - distance * per_unit).clamp(0.0, most)
        }
    }
}

/// The colour of a picture's ground at a point.
pub(super) type Ground<'a> = &'a (dyn Fn(Point) -> Rgb + Sync);

/// Paints `shapes`, the first lowest, on the part `area` of the canvas, and
/// returns red, green and blue in linear light. On a transparent ground the
/// colours are multiplied by the opacity, which follows as a fourth plane.
pub(super) fn paint(
    grid: &Grid,
    area: Area,
    ground: Option<Ground>,
    shapes: &[Shape],
) -> Vec<Vec<f32>> {
    let count = area.width * area.height;
    let mut planes = vec![vec![0.0f32; count]; if ground.is_some() { 3 } else { 4 }];
    let areas: Vec<Option<Area>> = shapes
        .iter()
        .map(|shape| shape.area(grid)?.intersection(area))
        .collect();
    let mut bands: Vec<Vec<&mut [f32]>> = Vec::new();
    for plane in &mut planes {
        for (i, rows) in plane.chunks_mut(area.width * BAND).enumerate() {
            if bands.len() <= i {
                bands.push(Vec::new());
            }
            bands[i].push(rows);
        }
    }
    bands.into_par_iter().enumerate().for_each(|(i, mut band)| {
        let rows = band[0].len() / area.width;
        let here = Area {
            y: area.y + (i * BAND) as isize,
            height: rows,
            ..area
        };
        let point = |x: isize, y: isize| grid.to_design(x as f32, y as f32);
        let mut pixels = vec![[0.0f32; 4]; rows * area.width];
        if let Some(ground) = ground {
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let x = here.x + (i % area.width) as isize;
                let y = here.y + (i / area.width) as isize;
                let [r, g, b] = ground(point(x, y));
                *pixel = [r, g, b, 1.0];
            }
        }
        for (shape, covers) in shapes.iter().zip(&areas) {
            let Some(part) = covers.and_then(|a| a.intersection(here)) else {
                continue;
            };
            for y in part.y..part.bottom() {
                for x in part.x..part.right() {
                    let at = point(x, y);
                    let distance = shape.form.distance(at);
                    let cover = shape.cover(distance, grid.per_unit());
                    if cover <= 0.0 {
                        continue;
                    }
                    let (colour, opacity) = match &shape.ink {
                        Ink::Flat(colour, opacity) => (*colour, *opacity),
                        Ink::Shaded(shade) => shade(at, distance),
                    };
                    let alpha = cover * opacity;
                    let index = (y - here.y) as usize * area.width + (x - here.x) as usize;
                    let pixel = &mut pixels[index];
                    let [r, g, b] = colour;
                    for (under, over) in pixel.iter_mut().zip([r, g, b, 1.0]) {
                        *under += alpha * (over - *under);
                    }
                }
            }
        }
        for (c, plane) in band.iter_mut().enumerate() {
            for (out, pixel) in plane.iter_mut().zip(&pixels) {
                *out = pixel[c];
            }
        }
    });
    planes
}
