//! Cards parallel to the sensor, each at its own depth, with hard edges.

use crate::demo::colour::{linear, mix, scaled};
use crate::demo::defocus::step;
use crate::demo::grid::{DESIGN_WIDTH, Grid};
use crate::demo::layer::{Blur, Layer};
use crate::demo::lettering::Pen;
use crate::demo::paint::{Form, Point, Shape};
use crate::demo::render::Element;
use crate::demo::rng::Rng;
use crate::demo::texture::{Fractal, Palette, cells, noise};

/// Number of cards in front of the background.
const CARDS: usize = 15;

pub(in crate::demo) fn build(seed: u64, grid: &Grid, blur: &Blur) -> Vec<Element> {
    let mut rng = Rng::new(seed, 40);
    let wood = Fractal::new(seed ^ 0x40, 120.0, grid.pixels(1.5), 0.74);
    let colours = Palette::new(&[0x2c1a10, 0x5e3b22, 0x8f6238, 0xc09560]);
    let ground = move |[x, y]: Point| {
        // Boards with the grain along them.
        let board = (y / 170.0).floor();
        let seam = step(0.0, 1.5, (y - board * 170.0).abs() - 2.0);
        let bend = 30.0 * noise(x / 300.0, y / 90.0, 4 + board as u32);
        let t = 0.48 + 0.3 * wood.at(0.12 * x + 500.0 * board, y + bend);
        scaled(colours.at(t + 0.1 * wood.at(x, y)), 0.15 + 0.85 * seam)
    };
    let far = Layer::background(grid, blur, Box::new(|_| 1.0), ground, &[]);
    let mut scene = vec![Element::Layer(far)];
    for i in 0..CARDS {
        let depth = 1.0 - (i + 1) as f32 / CARDS as f32;
        scene.extend(card(&mut rng, seed, grid, blur, i, depth).map(Element::Layer));
    }
    scene
}

/// Card `i`; the powers of the plastic number spread the cards over the frame
/// (Roberts, 2018).
fn card(rng: &mut Rng, seed: u64, grid: &Grid, blur: &Blur, i: usize, depth: f32) -> Option<Layer> {
    let place = |ratio: f32, start: f32| 0.1 + 0.8 * (i as f32 * ratio + start).fract();
    let centre: Point = [
        DESIGN_WIDTH * place(0.754_878, rng.range(0.1, 0.2)),
        grid.design_height * place(0.569_840, rng.range(0.3, 0.4)),
    ];
    let half = [rng.range(130.0, 210.0), rng.range(95.0, 150.0)];
    let angle = rng.range(-0.7, 0.7);
    let corner = if i % 4 == 3 {
        half[1]
    } else {
        rng.range(0.0, 20.0)
    };
    let form = Form::Plate {
        centre,
        half,
        corner,
        angle,
    };
    let tints: [[u32; 4]; 6] = [
        [0x20344a, 0x3f6c8c, 0x86acb8, 0xdbe4dc],
        [0x4a1620, 0x96333a, 0xcf6a55, 0xf0c49c],
        [0x1c3a24, 0x3f7440, 0x8cb060, 0xe2e2a8],
        [0x3a2a14, 0x8a642c, 0xd0a24a, 0xf4e2ae],
        [0x2a2238, 0x5e4a80, 0xa08ab4, 0xe4d8e4],
        [0x2b2d30, 0x63686c, 0xa6aaa8, 0xeeeee6],
    ];
    let colours = Palette::new(&tints[i % tints.len()]);
    let paper = Fractal::new(seed ^ (0x41 + i as u64), 90.0, grid.pixels(1.5), 0.72);
    let (grain, cell) = (grid.pixels(1.7), 26.0f32.max(grid.pixels(5.0)));
    let (sin, cos) = angle.sin_cos();
    let face = Shape::shaded(form, move |[x, y], distance| {
        let (dx, dy) = (x - centre[0], y - centre[1]);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let fine = 0.13 * noise(u / grain, v / grain, 9);
        let t = match i % 5 {
            // A smooth card, print, marble, a net, stripes.
            0 => 0.55 + 0.4 * v / half[1] + 0.08 * fine,
            1 => 0.82 + 0.1 * paper.at(u, v) + fine,
            2 => 0.5 + 0.35 * paper.ridges(u, v) + fine,
            3 => {
                let [near, next] = cells(u / cell, v / cell, i as u32);
                0.25 + 0.6 * step(0.1, 0.07, next - near) + 0.12 * paper.at(u, v) + fine
            }
            _ => {
                let wave = (u + 12.0 * noise(u / 80.0, v / 80.0, 6)) / cell;
                0.5 + 0.35 * (std::f32::consts::PI * wave).sin() + 0.15 * paper.at(u, v) + fine
            }
        };
        let rim = step(-5.0, 1.0, distance);
        (
            mix(scaled(colours.at(t), 0.85), linear(0xe6e2d6), 0.8 * rim),
            1.0,
        )
    });
    let mut shapes = vec![face];
    if i % 5 == 1 {
        let height = 18.0f32.max(grid.pixels(8.0));
        let pen = Pen {
            height,
            width: 0.15 * height,
            angle,
            colour: linear(0x1b1a20),
            opacity: 0.9,
        };
        let rows = (1.5 * half[1] / (1.6 * height)) as usize;
        for row in 0..rows {
            let (u, v) = (-0.86 * half[0], -0.75 * half[1] + 1.6 * height * row as f32);
            let letters = (1.7 * half[0] / pen.length("A")) as usize;
            let text: String = (0..letters)
                .map(|_| rng.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789") as char)
                .collect();
            let start = [centre[0] + u * cos - v * sin, centre[1] + u * sin + v * cos];
            pen.write(&mut shapes, start, &text);
        }
    }
    Layer::cutout(grid, blur, Box::new(move |_| depth), &shapes)
}
