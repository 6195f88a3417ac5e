//! A sundew: a leaf full of stalks with droplets, among crossing threads and
//! in front of blades of grass with hard edges.

use std::f32::consts::TAU;

use crate::demo::colour::{Rgb, linear, mix, scaled};
use crate::demo::defocus::step;
use crate::demo::grid::{DESIGN_WIDTH, Grid};
use crate::demo::layer::{Blur, Layer};
use crate::demo::paint::{Form, Point, Shape, length};
use crate::demo::render::Element;
use crate::demo::rng::Rng;
use crate::demo::stroke::{Bead, Node, Stroke};
use crate::demo::texture::{Fractal, Palette, noise};

/// The leaf that the stalks grow on.
#[derive(Clone, Copy)]
struct Pad {
    centre: Point,
    radii: Point,
}

impl Pad {
    /// 0 in its middle, 1 at its rim.
    fn place(&self, [x, y]: Point) -> f32 {
        let u = (x - self.centre[0]) / self.radii[0];
        let v = (y - self.centre[1]) / self.radii[1];
        length(u, v)
    }

    fn depth(&self, at: Point) -> f32 {
        (0.36 + 0.28 * self.place(at).powi(2)).min(0.75)
    }
}

pub(in crate::demo) fn build(seed: u64, grid: &Grid, blur: &Blur) -> Vec<Element> {
    let mut rng = Rng::new(seed, 30);
    let height = grid.design_height;
    let pad = Pad {
        centre: [730.0, 0.55 * height],
        radii: [235.0, 0.19 * height.min(1400.0)],
    };
    let mut scene = vec![Element::Layer(meadow(seed, grid, blur))];
    for i in 0..7 {
        let depth = 0.97 - 0.05 * i as f32;
        scene.extend(blade(&mut rng, seed, grid, blur, depth).map(Element::Layer));
    }
    // Each with the depth by which it is sorted.
    let mut things: Vec<(f32, Element)> = Vec::new();
    for _ in 0..26 {
        thread(&mut rng, grid, &mut things);
    }
    for i in 0..120 {
        stalk(&mut rng, grid, &pad, i as f32 / 120.0, &mut things);
    }
    if let Some(layer) = leaf(seed, grid, blur, pad) {
        things.push((0.66, Element::Layer(layer)));
    }
    things.sort_by(|a, b| b.0.total_cmp(&a.0));
    scene.extend(things.into_iter().map(|(_, element)| element));
    scene
}

fn meadow(seed: u64, grid: &Grid, blur: &Blur) -> Layer {
    let clouds = Fractal::new(seed ^ 0x30, 520.0, 120.0, 0.5);
    let fine = Fractal::new(seed ^ 0x31, 60.0, grid.pixels(1.6), 0.75);
    let colours = Palette::new(&[0x0c1a12, 0x1d3a22, 0x3c6a35, 0x86a850]);
    let height = grid.design_height;
    let ground = move |[x, y]: Point| {
        let t = 0.75 - 0.55 * y / height + 0.22 * clouds.at(x, y);
        scaled(colours.at(t + 0.12 * fine.at(x, y)), 0.8)
    };
    Layer::background(grid, blur, Box::new(|_| 1.0), ground, &[])
}

/// A blade of grass across the frame, at one depth.
fn blade(rng: &mut Rng, seed: u64, grid: &Grid, blur: &Blur, depth: f32) -> Option<Layer> {
    let height = grid.design_height;
    let foot = [rng.range(-100.0, DESIGN_WIDTH + 100.0), height + 90.0];
    let lean = rng.range(-0.3, 0.3);
    let (half, bend) = (rng.range(14.0, 38.0), rng.range(-0.25, 0.25));
    let length = rng.range(0.75, 1.2) * height;
    let middle = move |t: f32| foot[0] + length * t * (lean + bend * t);
    let distance = move |[x, y]: Point| {
        let t = (foot[1] - y) / length;
        let edge = half * (1.0 - t.clamp(0.0, 1.0).powi(2));
        let across = (x - middle(t)).abs() / (lean + 2.0 * bend * t).hypot(1.0);
        (across - edge).max((t - 1.0) * length)
    };
    let (a, b) = (middle(0.0), middle(1.0));
    let turn = middle(0.5);
    let form = Form::Free {
        corners: [
            [a.min(b).min(turn) - 3.0 * half, foot[1] - length],
            [a.max(b).max(turn) + 3.0 * half, foot[1]],
        ],
        distance: Box::new(distance),
    };
    let fibre = Fractal::new(seed ^ rng.bits(), 30.0, grid.pixels(1.6), 0.75);
    let colours = Palette::new(&[0x24401a, 0x4f7a2c, 0x9ab552, 0xd9d98c]);
    let base = rng.range(0.25, 0.6);
    let shape = Shape::shaded(form, move |[x, y], distance| {
        let t = (foot[1] - y) / length;
        let rib = step(2.5, 1.5, (x - middle(t)).abs());
        let tone = base + 0.18 * fibre.at(x - middle(t), 0.08 * y) + 0.005 * distance.max(-20.0);
        (scaled(colours.at(tone + 0.25 * (1.0 - rib)), 0.8), 1.0)
    });
    Layer::cutout(grid, blur, Box::new(move |_| depth), &[shape])
}

fn leaf(seed: u64, grid: &Grid, blur: &Blur, pad: Pad) -> Option<Layer> {
    let form = Form::Free {
        corners: [-1.1, 1.1].map(|s| {
            [
                pad.centre[0] + s * pad.radii[0],
                pad.centre[1] + s * pad.radii[1],
            ]
        }),
        distance: Box::new(move |at| {
            let wave = 0.02 * noise(at[0] / 40.0, at[1] / 40.0, 5);
            (pad.place(at) - 1.0 + wave) * pad.radii[1]
        }),
    };
    let skin = Fractal::new(seed ^ 0x33, 70.0, grid.pixels(1.5), 0.74);
    let colours = Palette::new(&[0x2a3c12, 0x5f7a22, 0xa0ad3e, 0xdcd27a]);
    let red = linear(0x8a2a22);
    let shape = Shape::shaded(form, move |[x, y], distance| {
        let place = pad.place([x, y]);
        let relief = skin.at(x, y) - skin.at(x + 2.0, y + 2.0);
        let light = 1.0 - 0.35 * place * place - 0.25 * (y - pad.centre[1]) / pad.radii[1];
        let blush = step(-55.0, 50.0, distance) + 0.35 * skin.at(0.4 * x, 0.4 * y);
        let green = colours.at(0.45 + 0.22 * skin.at(x, y));
        let colour = mix(green, red, (0.75 * blush).clamp(0.0, 0.9));
        (scaled(colour, (0.85 * light + 0.5 * relief).max(0.05)), 1.0)
    });
    Layer::cutout(grid, blur, Box::new(move |at| pad.depth(at)), &[shape])
}

/// A way of `count` nodes that starts at `from` and bends evenly.
fn way(from: Point, angle: f32, bend: f32, length: f32, count: usize) -> Vec<Point> {
    let mut points = vec![from];
    let pace = length / (count - 1) as f32;
    for i in 1..count {
        let angle = angle + bend * i as f32 / count as f32;
        let [x, y] = points[i - 1];
        points.push([x + pace * angle.cos(), y + pace * angle.sin()]);
    }
    points
}

/// A stalk that ends in a droplet. `order` goes from 0 for the outermost to 1.
fn stalk(rng: &mut Rng, grid: &Grid, pad: &Pad, order: f32, things: &mut Vec<(f32, Element)>) {
    let turn = rng.range(0.0, TAU);
    let out = (1.02 - 0.95 * order * rng.range(0.75, 1.0)).clamp(0.05, 1.0);
    let root = [
        pad.centre[0] + out * pad.radii[0] * turn.cos(),
        pad.centre[1] + out * pad.radii[1] * turn.sin(),
    ];
    let start = pad.depth(root);
    // The inner ones stand up towards the camera, the outer ones lie flat.
    let length = (70.0 + 230.0 * out * out) * rng.range(0.7, 1.15);
    let rise = (0.34 - 0.5 * (out - 0.45).max(0.0) + rng.range(-0.08, 0.08)).max(-0.2);
    let points = way(
        root,
        turn + rng.range(-0.25, 0.25),
        rng.range(-0.9, 0.9),
        length,
        18,
    );
    let least = grid.pixels(0.45);
    let nodes: Vec<Node> = points
        .iter()
        .enumerate()
        .map(|(i, &at)| {
            let t = i as f32 / 17.0;
            Node {
                at,
                depth: (start - rise * t * (1.6 - 0.6 * t)).clamp(0.0, 0.97),
                half: (4.6 - 2.4 * t).max(least),
            }
        })
        .collect();
    let tip = nodes[nodes.len() - 1];
    let mean = (start + tip.depth) / 2.0;
    let stroke = Stroke {
        nodes,
        colours: [
            linear(0x77702a),
            linear(rng.pick(&[0xb32630, 0x9c1f35, 0xc23a2c])),
        ],
        shine: [0.30, 0.20, 0.18],
        bands: 6.0,
    };
    things.push((mean.min(0.65), Element::Stroke(stroke)));
    let size = rng.range(10.0, 21.0).max(grid.pixels(1.2));
    let mut bead = |shift: Point, radius: f32, colours: [Rgb; 2], opacity: f32| {
        let bead = Bead {
            at: [tip.at[0] + shift[0] * size, tip.at[1] + shift[1] * size],
            depth: tip.depth,
            radius: radius * size,
            colours,
            opacity,
        };
        things.push((tip.depth.min(0.65), Element::Bead(bead)));
    };
    // A dark rim, the clear drop with the red gland in it, the light that it
    // gathers at the bottom, and the sun mirrored at the top.
    bead([0.0, 0.0], 1.0, [linear(0x4a3a22), linear(0xa8653c)], 0.55);
    bead([0.0, 0.02], 0.86, [linear(0x8e9a6c), linear(0xf0b692)], 0.5);
    bead([0.0, 0.0], 0.46, [linear(0x7c1020), linear(0xc22c34)], 0.9);
    bead([0.18, 0.5], 0.3, [[0.9, 0.75, 0.55]; 2], 0.55);
    bead([-0.34, -0.4], 0.15, [[14.0, 13.5, 12.5]; 2], 1.0);
    bead([0.3, -0.28], 0.06, [[9.0, 9.5, 10.0]; 2], 1.0);
}

/// A thin pale thread that crosses the frame from one depth to another.
fn thread(rng: &mut Rng, grid: &Grid, things: &mut Vec<(f32, Element)>) {
    let from = [
        rng.range(-300.0, DESIGN_WIDTH),
        rng.range(-200.0, grid.design_height + 60.0),
    ];
    let length = rng.range(700.0, 1700.0);
    let points = way(from, rng.range(0.0, TAU), rng.range(-0.8, 0.8), length, 24);
    let (near, slope) = (rng.unit(), rng.range(-0.25, 0.25));
    let half = rng.range(0.6, 1.5).max(grid.pixels(0.45));
    let depth = |t: f32| (near + slope * (t - 0.5)).clamp(0.0, 0.95);
    let nodes = points
        .iter()
        .enumerate()
        .map(|(i, &at)| {
            let t = i as f32 / 23.0;
            Node {
                at,
                depth: depth(t),
                half: half * (1.0 - 0.9 * (2.0 * t - 1.0).powi(4)),
            }
        })
        .collect();
    let colour = linear(rng.pick(&[0xb9b29c, 0x9c8a68, 0x5a3f2a, 0xc9c2b0]));
    let stroke = Stroke {
        nodes,
        colours: [colour, scaled(colour, 0.8)],
        shine: [0.1; 3],
        bands: 9.0,
    };
    things.push((depth(0.5), Element::Stroke(stroke)));
}
