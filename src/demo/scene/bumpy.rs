//! The rounded surface of a stone in raking light.

use crate::demo::colour::{linear, mix, scaled};
use crate::demo::defocus::step;
use crate::demo::grid::{DESIGN_WIDTH, Grid};
use crate::demo::layer::{Blur, Layer};
use crate::demo::paint::Point;
use crate::demo::render::Element;
use crate::demo::texture::{Fractal, Palette, cells, noise};

/// Depth over the stone: a dome with hollows and bumps on it.
#[derive(Clone)]
struct Surface {
    bumps: Fractal,
    height: f32,
}

impl Surface {
    fn depth(&self, [x, y]: Point) -> f32 {
        let u = (x / DESIGN_WIDTH - 0.45) / 0.75;
        let v = (y / self.height - 0.52) / 0.8;
        let dome = 0.9 * (u * u + v * v);
        (0.12 + dome + 0.32 * self.bumps.at(x, y)).clamp(0.0, 1.0)
    }
}

pub(in crate::demo) fn build(seed: u64, grid: &Grid, blur: &Blur) -> Vec<Element> {
    let surface = Surface {
        bumps: Fractal::new(seed ^ 0xb0, 420.0, 50.0, 0.45),
        height: grid.design_height,
    };
    let rough = Fractal::new(seed ^ 0xb1, 70.0, grid.pixels(1.5), 0.74);
    let patches = Fractal::new(seed ^ 0xb2, 330.0, 12.0, 0.55);
    let stone = Palette::new(&[0x2e2925, 0x6b6056, 0x9a8e80, 0xd2c6b2]);
    let lichen = Palette::new(&[0x5d6b3c, 0x9aa35a, 0xd9cf86, 0xe8c24a]);
    let (grain, crystal) = (grid.pixels(1.7), 22.0f32.max(grid.pixels(6.0)));
    let (sheet, quartz) = (surface.clone(), linear(0xd8d4cc));
    let ground = move |[x, y]: Point| {
        // Light from the upper left over bumps and roughness.
        let e = 3.0;
        let rise = |dx: f32, dy: f32| 420.0 * sheet.depth([x + dx, y + dy]);
        let slope = (rise(e, 0.0) - rise(-e, 0.0) + rise(0.0, e) - rise(0.0, -e)) / (2.0 * e);
        let relief = rough.at(x, y);
        let lit = rough.at(x + grain, y + grain);
        let shade = (0.95 - 0.42 * slope + 0.55 * (relief - lit)).clamp(0.1, 1.9);
        let fine = 0.12 * noise(x / grain, y / grain, 3);
        let patch = patches.at(x, y);
        let rock = stone.at(0.45 + 0.3 * relief + fine + 0.12 * patch);
        let grown = step(0.38, 0.1, patch + 0.12 * relief);
        let mut colour = mix(rock, lichen.at(0.45 + 0.4 * lit + fine), 0.85 * grown);
        let [near, next] = cells(x / crystal, y / crystal, 40);
        let druse = step(0.25, 0.12, patches.at(0.7 * x - 1300.0, 0.7 * y + 400.0));
        let face = step(0.08, 0.05, next - near) * druse * (1.0 - grown);
        let tilt = 0.45 + 0.8 * near + 0.4 * lit;
        colour = mix(colour, scaled(quartz, tilt.max(0.1)), 0.8 * face);
        // A vein of polished mineral, nearly without texture.
        let vein = step(
            0.0,
            0.04,
            0.11 - (patches.at(0.6 * x + 900.0, 0.9 * y)).abs(),
        );
        let smooth = scaled(linear(0xb98f76), 0.98 + 0.02 * fine);
        scaled(
            mix(colour, smooth, vein),
            0.85 * shade.powf(1.0 - 0.4 * vein),
        )
    };
    let relief = Box::new(move |at: Point| surface.depth(at));
    vec![Element::Layer(Layer::background(
        grid,
        blur,
        relief,
        ground,
        &[],
    ))]
}
