//! A circuit board seen at a slant, with parts that stand above it and metal
//! that mirrors the lamp.

use crate::demo::colour::{Rgb, linear, mix, scaled};
use crate::demo::defocus::step;
use crate::demo::grid::{DESIGN_WIDTH, Grid};
use crate::demo::layer::{Blur, Layer};
use crate::demo::lettering::Pen;
use crate::demo::paint::{Form, Point, Shape, length};
use crate::demo::render::Element;
use crate::demo::rng::Rng;
use crate::demo::texture::{Fractal, Palette, noise};

/// How much of the stack the board itself takes, near to far.
const NEAR: f32 = 0.36;

/// Depth of the board: near at the bottom, far at the top.
fn board_depth(height: f32, [x, y]: Point) -> f32 {
    NEAR + (0.98 - NEAR) * (0.94 * (1.0 - y / height) + 0.06 * x / DESIGN_WIDTH)
}

/// Something soldered to the board.
struct Part {
    centre: Point,
    /// Half its width and height.
    half: Point,
    corner: f32,
    /// How far it stands out, as a share of the stack.
    rise: f32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A chip with pins on all four sides.
    Square,
    /// A chip with pins above and below.
    Chip,
    /// An electrolytic capacitor.
    Can,
    /// A tantalum capacitor.
    Tantalum,
    /// A crystal in its case.
    Crystal,
    Resistor,
    Ceramic,
    Lamp,
    /// A gold pin.
    Pin,
    /// The plastic that holds pins.
    Strip,
}

impl Part {
    /// How much of its front is seen under it.
    fn front(&self) -> f32 {
        95.0 * self.rise
    }

    fn plate(&self, grow: f32) -> Form {
        Form::Plate {
            centre: self.centre,
            half: self.half.map(|h| (h + grow).max(0.5)),
            corner: (self.corner + grow).max(0.0),
            angle: 0.0,
        }
    }
}

pub(in crate::demo) fn build(seed: u64, grid: &Grid, blur: &Blur) -> Vec<Element> {
    let mut rng = Rng::new(seed, 20);
    let height = grid.design_height;
    let mut parts = layout(&mut rng, height);
    parts.sort_by(|a, b| a.rise.total_cmp(&b.rise));
    let mut flat = Vec::new();
    traces(&mut rng, height, &mut flat);
    for part in &parts {
        marks(&mut rng, part, &mut flat);
    }
    for part in &parts {
        shadow(part, &mut flat);
    }
    let relief = move |at: Point| board_depth(height, at).clamp(0.0, 1.0);
    let ground = mask(seed, grid);
    let background = Layer::background(grid, blur, Box::new(relief), ground, &flat);
    let mut scene = vec![Element::Layer(background)];
    for part in &parts {
        let mut shapes = Vec::new();
        draw(&mut rng, seed, grid, part, &mut shapes);
        let (edge, front, rise) = (part.centre[1] + part.half[1], part.front(), part.rise);
        let relief = move |at: Point| {
            let down = ((at[1] - edge) / front.max(1.0)).clamp(0.0, 1.0);
            (board_depth(height, at) - rise * (1.0 - down)).clamp(0.0, 1.0)
        };
        let layer = Layer::cutout(grid, blur, Box::new(relief), &shapes);
        scene.extend(layer.map(Element::Layer));
    }
    scene
}

/// The green of the board over the weave of its fibres.
fn mask(seed: u64, grid: &Grid) -> impl Fn(Point) -> Rgb + Sync + use<> {
    let stains = Fractal::new(seed ^ 0x20, 380.0, 40.0, 0.5);
    let dust = Fractal::new(seed ^ 0x21, 30.0, grid.pixels(1.5), 0.8);
    let colours = Palette::new(&[0x06231a, 0x0b3a28, 0x125238, 0x1d6b48]);
    let grain = grid.pixels(1.7);
    let weave = 11.0f32.max(grid.pixels(4.0));
    let height = grid.design_height;
    move |[x, y]: Point| {
        let (u, v) = (x / weave, y / weave);
        let over = (u.floor() + v.floor()).rem_euclid(2.0) < 1.0;
        let thread = if over { v.fract() } else { u.fract() };
        let cloth = 0.10 * (0.5 - (thread.abs() - 0.5).abs());
        let lamp = 0.12 - 0.00011 * length(x - 500.0, y - 0.4 * height);
        let fine = dust.at(x, y) + 0.6 * noise(x / grain, y / grain, 17);
        let speck = step(1.5, 0.1, fine);
        let colour = colours.at(0.46 + cloth + lamp + 0.1 * stains.at(x, y) + 0.2 * fine);
        mix(colour, linear(0xa8b09c), 0.6 * speck)
    }
}

fn layout(rng: &mut Rng, height: f32) -> Vec<Part> {
    let mut parts = Vec::new();
    let scale = height / 1000.0;
    let mut put = |kind, x: f32, y: f32, half: Point, corner, rise| {
        parts.push(Part {
            centre: [x, y * scale],
            half,
            corner,
            rise,
            kind,
        });
    };
    put(Kind::Square, 585.0, 500.0, [165.0, 165.0], 6.0, 0.13);
    put(Kind::Chip, 1120.0, 285.0, [125.0, 60.0], 4.0, 0.12);
    put(Kind::Chip, 1190.0, 800.0, [112.0, 56.0], 4.0, 0.12);
    put(Kind::Can, 205.0, 250.0, [96.0, 96.0], 96.0, 0.36);
    put(Kind::Can, 190.0, 760.0, [82.0, 82.0], 82.0, 0.33);
    put(Kind::Can, 850.0, 110.0, [58.0, 58.0], 58.0, 0.27);
    put(Kind::Tantalum, 925.0, 480.0, [60.0, 36.0], 5.0, 0.17);
    put(Kind::Tantalum, 925.0, 628.0, [60.0, 36.0], 5.0, 0.17);
    put(Kind::Crystal, 1345.0, 535.0, [52.0, 112.0], 50.0, 0.2);
    put(Kind::Lamp, 1385.0, 120.0, [34.0, 22.0], 4.0, 0.09);
    put(Kind::Lamp, 1385.0, 222.0, [34.0, 22.0], 4.0, 0.09);
    put(Kind::Strip, 660.0, 905.0, [272.0, 34.0], 4.0, 0.14);
    for i in 0..9 {
        put(
            Kind::Pin,
            420.0 + 60.0 * i as f32,
            885.0,
            [10.0, 10.0],
            2.0,
            0.34,
        );
    }
    // Small parts in rows.
    let small = [
        (420.0, 130.0, 5, 62.0, 0.0),
        (420.0, 228.0, 5, 62.0, 0.0),
        (1080.0, 450.0, 3, 0.0, 76.0),
        (1185.0, 440.0, 3, 0.0, 76.0),
        (430.0, 768.0, 5, 70.0, 0.0),
        (1005.0, 740.0, 2, 0.0, 76.0),
        (1390.0, 740.0, 3, 0.0, 76.0),
        (60.0, 410.0, 4, 70.0, 0.0),
        (70.0, 510.0, 4, 70.0, 0.0),
        (1010.0, 930.0, 6, 76.0, 0.0),
        (60.0, 60.0, 3, 80.0, 0.0),
        (1090.0, 80.0, 3, 74.0, 0.0),
        (60.0, 930.0, 4, 74.0, 0.0),
    ];
    for (x, y, count, dx, dy) in small {
        for i in 0..count {
            if rng.unit() < 0.12 {
                continue;
            }
            let kind = rng.pick(&[Kind::Resistor, Kind::Ceramic, Kind::Ceramic]);
            let half = if dx > 0.0 { [13.0, 24.0] } else { [24.0, 13.0] };
            let rise = if kind == Kind::Resistor { 0.04 } else { 0.07 };
            put(kind, x + dx * i as f32, y + dy * i as f32, half, 3.0, rise);
        }
    }
    parts
}

/// Copper under the mask, holes through it, and joints that shine.
fn traces(rng: &mut Rng, height: f32, shapes: &mut Vec<Shape>) {
    let copper = linear(0x2f8a58);
    let line = |shapes: &mut Vec<Shape>, from: Point, to: Point, half: f32| {
        let edge = Form::Line {
            from,
            to,
            half: half + 1.6,
        };
        shapes.push(Shape::flat(edge, linear(0x0a3322), 0.55));
        shapes.push(Shape::flat(Form::Line { from, to, half }, copper, 0.62));
    };
    for _ in 0..30 {
        // A bus: parallel traces that turn by 45° together.
        let count = 1 + rng.below(6);
        let mut at = [rng.range(-60.0, 1560.0), rng.range(-60.0, height + 60.0)];
        let half = rng.pick(&[2.2f32, 2.2, 3.0, 5.0]);
        let pitch = 4.0 * half + 3.0;
        let mut turn = rng.below(8) as i32;
        let mut ways: Vec<Vec<Point>> = vec![Vec::new(); count];
        for _ in 0..4 {
            let angle = turn as f32 * std::f32::consts::FRAC_PI_4;
            let (sin, cos) = angle.sin_cos();
            for (k, way) in ways.iter_mut().enumerate() {
                let side = pitch * (k as f32 - (count - 1) as f32 / 2.0);
                way.push([at[0] - side * sin, at[1] + side * cos]);
            }
            let length = rng.range(90.0, 330.0);
            at = [at[0] + length * cos, at[1] + length * sin];
            turn += if rng.unit() < 0.5 { 1 } else { -1 };
        }
        for way in &ways {
            for ends in way.windows(2) {
                line(shapes, ends[0], ends[1], half);
            }
            for end in [way[0], way[way.len() - 1]] {
                via(shapes, end, half + 4.5);
            }
        }
    }
    for _ in 0..150 {
        let at = [rng.range(-60.0, 1560.0), rng.range(-60.0, height + 60.0)];
        via(shapes, at, rng.range(5.0, 8.0));
    }
    for _ in 0..70 {
        let at = [rng.range(-60.0, 1560.0), rng.range(-60.0, height + 60.0)];
        let radius = rng.range(9.0, 15.0);
        joint(rng, shapes, at, radius);
    }
}

/// A plated hole.
fn via(shapes: &mut Vec<Shape>, centre: Point, radius: f32) {
    let disc = |radius: f32| Form::Disc { centre, radius };
    shapes.push(Shape::flat(disc(radius + 1.5), linear(0x0a3322), 0.6));
    shapes.push(Shape::flat(disc(radius), linear(0xb8974e), 1.0));
    shapes.push(Shape::flat(disc(0.45 * radius), linear(0x14100c), 1.0));
}

/// A drop of solder that mirrors the lamp.
fn joint(rng: &mut Rng, shapes: &mut Vec<Shape>, centre: Point, radius: f32) {
    let ring = Form::Disc {
        centre,
        radius: radius + 3.0,
    };
    shapes.push(Shape::flat(ring, linear(0xb09a60), 1.0));
    let seed = rng.bits() as u32;
    let form = Form::Disc { centre, radius };
    shapes.push(Shape::shaded(form, move |[x, y], distance| {
        let (u, v) = ((x - centre[0]) / radius, (y - centre[1]) / radius);
        let light = 0.32 - 0.3 * (u + v) * 0.7 + 0.1 * noise(3.0 * u, 3.0 * v, seed);
        let rim = step(-0.25 * radius, 0.2 * radius, distance);
        (
            scaled([0.78, 0.80, 0.84], (light - 0.2 * rim).max(0.03)),
            1.0,
        )
    }));
    let at = [centre[0] - 0.35 * radius, centre[1] - 0.35 * radius];
    let light = rng.range(2.0, 16.0);
    glint(shapes, at, 0.16 * radius, light);
}

/// The lamp, mirrored: brighter than white.
fn glint(shapes: &mut Vec<Shape>, centre: Point, radius: f32, light: f32) {
    let form = Form::Disc {
        centre,
        radius: radius.max(0.6),
    };
    let colour = scaled([1.0, 0.96, 0.88], light);
    shapes.push(Shape::soft(form, colour, 1.0, 0.7 * radius));
}

/// What is printed on the board for a part, and the pads that it sits on.
fn marks(rng: &mut Rng, part: &Part, shapes: &mut Vec<Shape>) {
    let white = linear(0xdfe3dc);
    let [x, y] = part.centre;
    let letter = match part.kind {
        Kind::Square | Kind::Chip => "U",
        Kind::Resistor => "R",
        Kind::Crystal => "Y",
        Kind::Lamp => "D",
        Kind::Pin => return,
        Kind::Strip => "J",
        _ => "C",
    };
    let grow = match part.kind {
        Kind::Square | Kind::Chip => 40.0,
        Kind::Resistor | Kind::Ceramic => 8.0,
        _ => 12.0,
    };
    let outline = Shape::shaded(part.plate(grow + 2.4), move |_, distance| {
        (white, 0.9 * step(-2.4, 0.7, distance))
    });
    shapes.push(outline);
    let pen = Pen {
        height: 17.0,
        width: 2.4,
        angle: 0.0,
        colour: white,
        opacity: 0.92,
    };
    let name = format!("{letter}{}", 1 + rng.below(98));
    let start = [
        x - part.half[0] - grow + 4.0,
        y - part.half[1] - grow - 24.0,
    ];
    pen.write(shapes, start, &name);
    match part.kind {
        Kind::Resistor | Kind::Ceramic | Kind::Lamp | Kind::Tantalum => {
            // Solder at both ends.
            let along = usize::from(part.half[1] > part.half[0]);
            for side in [-1.0, 1.0] {
                let mut centre = part.centre;
                centre[along] += side * (part.half[along] - 1.0);
                let mut half = part.half.map(|h| h + 3.0);
                half[along] = 9.0;
                let form = Form::Plate {
                    centre,
                    half,
                    corner: 4.0,
                    angle: 0.0,
                };
                let metal = metal(rng.bits() as u32, centre, half, 0.55);
                shapes.push(Shape::shaded(form, metal));
                let light = rng.range(1.0, 14.0);
                let at = [
                    centre[0] + rng.range(-5.0, 5.0),
                    centre[1] + rng.range(-5.0, 5.0),
                ];
                glint(shapes, at, rng.range(0.9, 1.8), light);
            }
        }
        _ => {}
    }
}

/// Grey metal in the light of a lamp at the upper left.
fn metal(
    seed: u32,
    centre: Point,
    half: Point,
    tone: f32,
) -> impl Fn(Point, f32) -> (Rgb, f32) + Send + Sync + 'static {
    move |[x, y], distance| {
        let (u, v) = ((x - centre[0]) / half[0], (y - centre[1]) / half[1]);
        let brushed = 0.12 * noise(x / 1.6, y / 9.0, seed) + 0.16 * noise(x / 7.0, y / 7.0, seed);
        let light = tone * (0.75 - 0.35 * (0.5 * u + v) + brushed);
        let rim = step(-2.2, 1.2, distance) * if u + v < 0.0 { 0.5 } else { -0.3 };
        (
            scaled([0.95, 0.96, 0.98], (light + tone * rim).max(0.02)),
            1.0,
        )
    }
}

fn shadow(part: &Part, shapes: &mut Vec<Shape>) {
    let fall = 60.0 * part.rise + 3.0;
    let form = Form::Plate {
        centre: [part.centre[0] + fall, part.centre[1] + fall + part.front()],
        half: part.half,
        corner: part.corner,
        angle: 0.0,
    };
    shapes.push(Shape::soft(
        form,
        [0.002, 0.006, 0.005],
        0.72,
        0.8 * fall + 3.0,
    ));
}

/// The part itself: its front, its top and what is on it.
fn draw(rng: &mut Rng, seed: u64, grid: &Grid, part: &Part, shapes: &mut Vec<Shape>) {
    let seed = (seed ^ rng.bits()) as u32;
    if matches!(part.kind, Kind::Square | Kind::Chip) {
        pins(rng, part, shapes);
    }
    let (front, top): (Rgb, Rgb) = match part.kind {
        Kind::Square | Kind::Chip => (linear(0x0c0d0e), linear(0x27292b)),
        Kind::Can => (linear(0x1a1c22), linear(0xaeb2b6)),
        Kind::Tantalum => (linear(0x7d4d10), linear(0xe09a28)),
        Kind::Crystal => (linear(0x6c7076), linear(0xc2c6ca)),
        Kind::Resistor => (linear(0x0b0b0c), linear(0x1c1c20)),
        Kind::Ceramic => (linear(0x6b5236), linear(0xb89a70)),
        Kind::Lamp => (linear(0x8f9088), linear(0xe6e6da)),
        Kind::Pin => (linear(0x6e5218), linear(0xf0cf72)),
        Kind::Strip => (linear(0x08090a), linear(0x17181a)),
    };
    let grain = grid.pixels(1.7);
    let [x0, y0] = part.centre;
    let half = part.half;
    {
        // The front is the top, drawn again and again on its way down.
        let count = (part.front() / 3.0).ceil().max(1.0) as usize;
        for i in (0..count).rev() {
            let down = part.front() * (i + 1) as f32 / count as f32;
            let form = Form::Plate {
                centre: [x0, y0 + down],
                half,
                corner: part.corner,
                angle: 0.0,
            };
            shapes.push(Shape::shaded(form, move |[x, y], _| {
                let u = (x - x0) / half[0];
                let tone = 1.0 + 0.25 * noise(x / grain / 1.5, y / grain / 3.0, seed);
                let gloss = (-(u + 0.45).powi(2) / 0.03).exp() * 0.8 + 1.0 - 0.4 * u;
                (scaled(front, tone * gloss), 1.0)
            }));
        }
    }
    let kind = part.kind;
    let flat_ink = part.plate(0.0);
    shapes.push(Shape::shaded(flat_ink, move |[x, y], distance| {
        let (u, v) = ((x - x0) / half[0], (y - y0) / half[1]);
        let fine = noise(x / grain, y / grain, seed) + 0.7 * noise(x / 5.0, y / 5.0, seed ^ 1);
        let rough = match kind {
            Kind::Can | Kind::Crystal | Kind::Pin => 0.05,
            Kind::Lamp => 0.06,
            _ => 0.42,
        };
        let mut light = 1.0 + rough * fine - 0.16 * (u + v);
        let bevel = step(-3.4, 1.2, distance);
        light += bevel * if u + v < 0.0 { 1.1 } else { -0.45 };
        let mut colour = top;
        match kind {
            Kind::Can => {
                // Brushed metal: two bright fans, a score across, a dark mark.
                let angle = v.atan2(u);
                light *= 0.62 + 0.34 * (2.0 * (angle + 0.7)).cos();
                light += 0.06 * noise(22.0 * length(u, v), 1.0, seed);
                if u.abs().min(v.abs()) * half[0] < 1.6 && length(u, v) < 0.62 {
                    light *= 0.35;
                }
                if u < -0.55 && distance < -4.0 {
                    colour = linear(0x14161c);
                }
                light += 0.8 * step(-7.0, 2.0, distance) * step(2.5, 2.0, -distance);
            }
            Kind::Crystal => {
                let inner = step(-14.0, 3.0, distance);
                light *= 0.55 + 0.35 * (1.0 - inner) - 0.25 * v;
            }
            Kind::Tantalum if u < -0.66 => colour = linear(0x8a4a16),
            Kind::Lamp => {
                let lens = step(0.0, 0.12, 0.72 - length(u, v * half[1] / half[0] * 1.5));
                colour = mix(colour, linear(0xf2c53a), lens);
            }
            Kind::Resistor | Kind::Ceramic => {
                let along = if half[1] > half[0] { v } else { u };
                if along.abs() > 0.66 {
                    colour = linear(0xb6babd);
                    light *= 0.75;
                }
            }
            _ => {}
        }
        (scaled(colour, light.max(0.04)), 1.0)
    }));
    print(rng, part, shapes);
    // Points where an edge or a scratch mirrors the lamp.
    let (count, bright) = match part.kind {
        Kind::Can | Kind::Crystal => (3, 22.0),
        Kind::Pin => (1, 30.0),
        Kind::Square | Kind::Chip | Kind::Strip => (3, 3.0),
        Kind::Lamp | Kind::Tantalum => (1, 12.0),
        _ => (1, 6.0),
    };
    for _ in 0..count {
        let at = [
            x0 + half[0] * rng.range(-0.55, 0.4),
            y0 + half[1] * rng.range(-0.6, 0.3),
        ];
        glint(
            shapes,
            at,
            rng.range(0.8, 1.9),
            bright * rng.range(0.3, 1.0),
        );
    }
}

/// The words on top of a part.
fn print(rng: &mut Rng, part: &Part, shapes: &mut Vec<Shape>) {
    let [x, y] = part.centre;
    let mut line = |height: f32, dy: f32, text: &str, colour: u32, opacity: f32| {
        let pen = Pen {
            height,
            width: 0.13 * height,
            angle: 0.0,
            colour: linear(colour),
            opacity,
        };
        let start = [x - 0.49 * pen.length(text), y + dy - height / 2.0];
        pen.write(shapes, start, text);
    };
    let number = 100 + rng.below(899);
    match part.kind {
        Kind::Square => {
            line(34.0, -52.0, "PARFOCAL", 0xb9bcbd, 0.8);
            line(25.0, 2.0, &format!("PF{number}-A4"), 0xa9acad, 0.75);
            line(18.0, 48.0, &format!("2647 {number}K"), 0xa0a3a5, 0.7);
            let centre = [x - 128.0, y + 128.0];
            let disc = Form::Disc {
                centre,
                radius: 13.0,
            };
            shapes.push(Shape::shaded(disc, |_, distance| {
                let light = if distance > -3.0 { 0.02 } else { 0.008 };
                ([light; 3], 1.0)
            }));
        }
        Kind::Chip => {
            line(22.0, -18.0, &format!("PF {number}"), 0xb4b7b8, 0.75);
            line(16.0, 18.0, "BREATHE", 0xa0a3a5, 0.65);
        }
        Kind::Can => {
            line(
                0.2 * part.half[0],
                -0.4 * part.half[1],
                "220",
                0x22252c,
                0.85,
            );
            line(
                0.2 * part.half[0],
                0.4 * part.half[1],
                "25V",
                0x22252c,
                0.85,
            );
        }
        Kind::Tantalum => line(19.0, 0.0, &format!("{}E", number % 100), 0x3a1d06, 0.85),
        Kind::Crystal => {
            line(13.0, -14.0, "16.000", 0x2a2d31, 0.7);
            line(11.0, 10.0, "MHZ", 0x2a2d31, 0.7);
        }
        Kind::Resistor if part.half[0] > part.half[1] => {
            line(11.0, 0.0, &format!("{}", number), 0xd8dad8, 0.85);
        }
        _ => {}
    }
}

/// The legs of a chip, each with a shoulder, a foot and a glint.
fn pins(rng: &mut Rng, part: &Part, shapes: &mut Vec<Shape>) {
    let pitch = if part.kind == Kind::Square {
        21.0
    } else {
        28.0
    };
    let sides: &[(usize, f32)] = match part.kind {
        Kind::Square => &[(0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)],
        _ => &[(1, -1.0), (1, 1.0)],
    };
    for &(axis, side) in sides {
        let across = 1 - axis;
        let count = ((2.0 * part.half[across] - 16.0) / pitch) as usize;
        for i in 0..count {
            let mut centre = part.centre;
            // The front hides where the lower legs start.
            let front = if axis == 1 && side > 0.0 {
                part.front()
            } else {
                0.0
            };
            centre[axis] += side * (part.half[axis] + 13.0) + front;
            centre[across] += pitch * (i as f32 - (count - 1) as f32 / 2.0);
            let mut half = [0.24 * pitch; 2];
            half[axis] = 16.0;
            let form = Form::Plate {
                centre,
                half,
                corner: 2.5,
                angle: 0.0,
            };
            let metal = metal(rng.bits() as u32, centre, half, 0.6);
            shapes.push(Shape::shaded(form, metal));
            let mut at = centre;
            at[axis] += side * rng.range(2.0, 6.0);
            let light = rng.range(0.5, 3.5).exp();
            glint(shapes, at, rng.range(0.9, 1.7), 0.6 * light);
        }
    }
}
