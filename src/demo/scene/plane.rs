//! A printed page, tilted, with a leaf, test bars and a smooth card on it.

use crate::demo::colour::{Rgb, linear, mix, scaled};
use crate::demo::defocus::step;
use crate::demo::grid::{DESIGN_WIDTH, Grid};
use crate::demo::layer::{Blur, Layer};
use crate::demo::lettering::Pen;
use crate::demo::paint::{Form, Point, Shape};
use crate::demo::render::Element;
use crate::demo::rng::Rng;
use crate::demo::texture::{Fractal, Palette, noise, speckle};

const WORDS: [&str; 24] = [
    "APERTURE", "DEPTH", "OF", "FIELD", "THE", "LENS", "MOSS", "WING", "A", "FOCUS", "PLANE",
    "SCALE", "LIGHT", "IN", "CRYSTAL", "EDGE", "AND", "STACK", "SEED", "GRAIN", "TO", "OPTIC",
    "SHARP", "FRAME",
];

/// Depth over the tilted page: near at the bottom left, far at the top right.
fn relief(height: f32) -> impl Fn(Point) -> f32 + Send + Sync {
    move |[x, y]| (0.85 * (1.0 - y / height) + 0.15 * x / DESIGN_WIDTH).clamp(0.0, 1.0)
}

pub(in crate::demo) fn build(seed: u64, grid: &Grid, blur: &Blur) -> Vec<Element> {
    let mut rng = Rng::new(seed, 10);
    let mut shapes = Vec::new();
    print(&mut rng, grid, &mut shapes);
    bars(grid, &mut shapes);
    card(seed, grid, &mut shapes);
    leaf(seed, &mut rng, grid, &mut shapes);
    let fibres = Fractal::new(seed, 90.0, grid.pixels(1.5), 0.72);
    let grain = grid.pixels(1.7);
    let paper = Palette::new(&[0xb3a88e, 0xd6ccb4, 0xe6dfcb, 0xf3eee0]);
    let ground = move |[x, y]: Point| {
        let t = 0.6 + 0.28 * fibres.at(x, 0.8 * y) + 0.16 * noise(x / grain, y / grain, 5);
        let fleck = speckle(x / grain / 1.5, y / grain / 1.5, 8) > 0.993;
        scaled(paper.at(t), if fleck { 0.55 } else { 0.85 })
    };
    let relief = Box::new(relief(grid.design_height));
    vec![Element::Layer(Layer::background(
        grid, blur, relief, ground, &shapes,
    ))]
}

/// Lines of text in several sizes, none too small for the pixels.
fn print(rng: &mut Rng, grid: &Grid, shapes: &mut Vec<Shape>) {
    let least = grid.pixels(8.0);
    let ink = linear(0x1c1a20);
    let mut y = -60.0;
    while y < grid.design_height + 80.0 {
        let height = rng
            .pick(&[11.0f32, 11.0, 15.0, 15.0, 22.0, 40.0])
            .max(least);
        let pen = Pen {
            height,
            width: height * 0.15,
            angle: 0.0,
            colour: if height > 30.0 { linear(0x7c1f1a) } else { ink },
            opacity: 0.88,
        };
        let mut x = -70.0 - rng.range(0.0, 3.0 * height);
        while x < DESIGN_WIDTH + 80.0 {
            let word = rng.pick(&WORDS);
            pen.write(shapes, [x, y], word);
            x += pen.length(word) + 0.8 * height;
        }
        y += 1.75 * height;
    }
}

/// Bars of ever finer pitch, as on a test chart.
fn bars(grid: &Grid, shapes: &mut Vec<Shape>) {
    let (left, top) = (930.0, 0.56 * grid.design_height);
    let centre = [left + 230.0, top + 0.15 * grid.design_height];
    let half = [260.0, 0.19 * grid.design_height];
    let plate = |half: Point| Form::Plate {
        centre,
        half,
        corner: 8.0,
        angle: 0.0,
    };
    shapes.push(Shape::soft(
        Form::Plate {
            centre: [centre[0] + 5.0, centre[1] + 6.0],
            half,
            corner: 8.0,
            angle: 0.0,
        },
        [0.01; 3],
        0.6,
        10.0,
    ));
    let (dark, bright) = (linear(0x22262e), linear(0xe9e7df));
    let grain = grid.pixels(1.8);
    let finest = grid.pixels(2.6);
    let middle = centre;
    shapes.push(Shape::shaded(plate(half), move |[x, y], distance| {
        let tone = 1.0 + 0.12 * noise(x / grain, y / grain, 31);
        let (u, v) = ((x - middle[0]) / half[0], (y - middle[1]) / half[1]);
        if distance > -14.0 {
            return (scaled(bright, tone), 1.0);
        }
        // Four rows of bars and squares, finer towards the right.
        let row = ((v + 1.0) * 2.5).floor();
        let place = ((u + 1.0) * 4.0).floor();
        let pitch = (22.0 / 1.22f32.powf(place + row)).max(finest);
        let wave = |t: f32| (t * std::f32::consts::TAU / pitch).sin() * pitch / (3.0 * grain);
        let value = match row as i32 % 3 {
            0 => wave(x),
            1 => wave(x) * wave(y),
            _ => wave(y),
        };
        let share = 0.5 + 0.5 * value.clamp(-1.0, 1.0);
        (scaled(mix(dark, bright, share), tone), 1.0)
    }));
}

/// A card with a gradient and hardly any texture.
fn card(seed: u64, grid: &Grid, shapes: &mut Vec<Shape>) {
    let centre = [1080.0, 0.25 * grid.design_height];
    let form = |centre: Point| Form::Plate {
        centre,
        half: [190.0, 0.13 * grid.design_height],
        corner: 40.0,
        angle: -0.16,
    };
    let under = [centre[0] + 6.0, centre[1] + 8.0];
    shapes.push(Shape::soft(form(under), [0.01; 3], 0.55, 12.0));
    let clouds = Fractal::new(seed ^ 0x51, 500.0, 180.0, 0.5);
    let colours = Palette::new(&[0x38607c, 0x6f9ab0, 0xc3d4d2]);
    let grain = grid.pixels(2.0);
    shapes.push(Shape::shaded(form(centre), move |[x, y], _| {
        let t = 0.5 + (y - centre[1]) / 300.0 + 0.15 * clouds.at(x, y);
        let tone = 1.0 + 0.015 * noise(x / grain, y / grain, 12);
        (scaled(colours.at(t), tone), 1.0)
    }));
}

/// A leaf with a rib, side veins and a net of small ones.
fn leaf(seed: u64, rng: &mut Rng, grid: &Grid, shapes: &mut Vec<Shape>) {
    let centre: Point = [470.0, 0.55 * grid.design_height];
    let (length, angle) = (0.46 * grid.design_height.min(1300.0) + 120.0, -0.62f32);
    let (sin, cos) = angle.sin_cos();
    let place = move |along: f32, across: f32| {
        [
            centre[0] + along * cos - across * sin,
            centre[1] + along * sin + across * cos,
        ]
    };
    let half_width = move |t: f32| 0.56 * length * (t.powf(0.8) * std::f32::consts::PI).sin();
    let outline = |shift: Point| Form::Free {
        corners: [-1.1, 1.1].map(|s| [centre[0] + s * length, centre[1] + s * length]),
        distance: Box::new(move |[x, y]| {
            let (dx, dy) = (x - centre[0] - shift[0], y - centre[1] - shift[1]);
            let along = dx * cos + dy * sin;
            let t = (0.5 + 0.5 * along / length).clamp(0.0, 1.0);
            let teeth = 1.0 + 0.035 * (t * 90.0).sin();
            let beyond = along.abs() - length;
            let side = 0.75 * ((dy * cos - dx * sin).abs() - half_width(t) * teeth);
            side.max(beyond)
        }),
    };
    shapes.push(Shape::soft(outline([9.0, 12.0]), [0.01; 3], 0.65, 16.0));
    let flesh = Fractal::new(seed ^ 0x1eaf, 110.0, grid.pixels(1.5), 0.66);
    let net = Fractal::new(
        seed ^ 0x0e7,
        26.0f32.max(grid.pixels(5.0)),
        grid.pixels(2.5),
        0.7,
    );
    let greens = Palette::new(&[0x11300b, 0x2b5a17, 0x538a2c, 0x9dbb55]);
    shapes.push(Shape::shaded(outline([0.0; 2]), move |[x, y], distance| {
        let across = (y - centre[1]) * cos - (x - centre[0]) * sin;
        let lines = step(0.28, 0.2, net.ridges(x, y));
        let t = 0.42 + 0.2 * flesh.at(x, y) + 0.25 * lines + 0.0006 * across;
        let rim = step(-10.0, 10.0, distance);
        (mix(greens.at(t), linear(0x9a8a3a), 0.5 * rim), 1.0)
    }));
    let vein: Rgb = linear(0xb9cc80);
    let mut line = |from: Point, to: Point, half: f32| {
        shapes.push(Shape::flat(Form::Line { from, to, half }, vein, 0.75));
    };
    let steps = 24;
    for i in 0..steps {
        let t = |i: usize| (2.0 * i as f32 / steps as f32 - 1.0) * length;
        let thick = 4.5 * (1.0 - 0.8 * i as f32 / steps as f32);
        line(place(t(i) - 40.0, 0.0), place(t(i + 1), 0.0), thick);
    }
    for i in 2..13 {
        let t = i as f32 / 14.0;
        for side in [1.0f32, -1.0] {
            let root = (2.0 * t - 1.0) * length + side * 8.0;
            let reach = 0.93 * half_width((t + 0.09).min(1.0));
            let (mut from, slant) = (place(root, 0.0), rng.range(0.45, 0.6));
            for k in 1..=8 {
                let across = reach * k as f32 / 8.0;
                let to = place(
                    root + slant * across + 0.0009 * across * across,
                    side * across,
                );
                line(from, to, 2.4 * (1.0 - 0.09 * k as f32));
                from = to;
            }
        }
    }
}
