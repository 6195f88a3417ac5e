//! Focus stacks rendered from scenes whose sharp image, depth and transforms
//! are known: for `parfocal demo`, for tests and for benches.
//!
//! A scene is painted once, in linear light, on a canvas finer and larger than
//! a frame: pictures with a depth at every pixel, hairs and droplets, ordered
//! from back to front. A frame blurs each by its circle of confusion,
//! `|depth − focus|` times the blur of one step, lays it over what is behind
//! it, and samples the sum once through the lens at the frame's own place.
//! Exposure, photon noise and the sRGB encoding follow. The truth is the same
//! without defocus.

use std::str::FromStr;

use crate::core::Transform;
use crate::photo::{Photo, Samples};
use crate::{Error, Result};

mod colour;
mod defocus;
mod grid;
mod layer;
mod lettering;
mod paint;
mod render;
mod rng;
mod scene;
mod stroke;
mod texture;

use grid::{DESIGN_WIDTH, Grid};
use layer::Blur;
use render::{Element, Sensor};
pub(crate) use rng::Rng;
use stroke::Focus;

/// What to render.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneOptions {
    /// Which scene.
    pub scene: Scene,
    /// Width of a frame in pixels, at least 1.
    pub width: usize,
    /// Height of a frame in pixels, at least 1.
    pub height: usize,
    /// Number of frames, at least 1. The first is focused on the nearest
    /// point, the last on the farthest.
    pub frames: usize,
    /// Decides everything that is random.
    pub seed: u64,
    /// Focus breathing: change of scale from a frame to the next.
    pub breathing: f64,
    /// How far the camera wanders from a frame to the next: standard
    /// deviation in pixels of a frame 1500 wide.
    pub shift: f64,
    /// How far the camera is turned about its axis: standard deviation in
    /// degrees.
    pub rotation: f64,
    /// Exposure varies by up to this share of the linear light either way.
    pub flicker: f64,
    /// Noise of the sensor.
    pub noise: Noise,
    /// Radius of the circle of confusion one frame out of focus, in pixels of
    /// a frame 1500 wide. Frames less than 480 wide are blurred as if they
    /// were, lest all of them be sharp.
    pub blur: f64,
    /// Shape of the circle of confusion.
    pub psf: Psf,
}

impl Default for SceneOptions {
    fn default() -> Self {
        Self::new(Scene::default())
    }
}

impl SceneOptions {
    /// A stack of 1500×1000 pixels that suits the scene.
    pub fn new(scene: Scene) -> Self {
        let common = Self {
            scene,
            width: 1500,
            height: 1000,
            frames: 12,
            seed: 1,
            breathing: 0.003,
            shift: 2.0,
            rotation: 0.02,
            flicker: 0.02,
            noise: Noise::Low,
            blur: 1.8,
            psf: Psf::Disc,
        };
        match scene {
            Scene::Plane | Scene::Hairs | Scene::Specular | Scene::Steps => common,
            Scene::Bumpy => Self {
                blur: 2.2,
                psf: Psf::Gaussian,
                ..common
            },
        }
    }

    /// The same without shift, rotation, breathing, flicker and noise: a
    /// camera on a perfect rail.
    pub fn still(self) -> Self {
        Self {
            breathing: 0.0,
            shift: 0.0,
            rotation: 0.0,
            flicker: 0.0,
            noise: Noise::None,
            ..self
        }
    }

    /// Radius of the circle of confusion one frame out of focus, in pixels of
    /// these frames.
    pub fn blur_step(&self) -> f64 {
        self.blur * self.width.max(480) as f64 / f64::from(DESIGN_WIDTH)
    }
}

/// The scenes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scene {
    /// A tilted page with print, a leaf, test bars and a smooth card.
    Plane,
    /// The rounded surface of a stone.
    Bumpy,
    /// Stalks, droplets and crossing threads at many depths, before blades of
    /// grass with hard edges.
    Hairs,
    /// A circuit board with parts that stand above it and metal brighter than
    /// white.
    #[default]
    Specular,
    /// Cards parallel to the sensor at many depths.
    Steps,
}

impl Scene {
    /// Every scene.
    pub const ALL: [Self; 5] = [
        Self::Plane,
        Self::Bumpy,
        Self::Hairs,
        Self::Specular,
        Self::Steps,
    ];

    /// Its name in lower case, as [`FromStr`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Bumpy => "bumpy",
            Self::Hairs => "hairs",
            Self::Specular => "specular",
            Self::Steps => "steps",
        }
    }
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scene {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|scene| scene.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::Usage(format!("there is no scene {name:?}; choose one of {names}"))
        })
    }
}

/// Noise of the sensor: photons that arrive at random, and the reading of the
/// electrons that they set free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Noise {
    /// None.
    None,
    /// 20 000 electrons at full scale, 4 of read noise: base sensitivity.
    #[default]
    Low,
    /// 1500 electrons at full scale, 8 of read noise: high sensitivity.
    High,
}

impl Noise {
    fn electrons(self) -> Option<[f32; 2]> {
        match self {
            Self::None => None,
            Self::Low => Some([20_000.0, 4.0]),
            Self::High => Some([1500.0, 8.0]),
        }
    }
}

/// Shape of the image of a point out of focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Psf {
    /// A disc with a slightly soft rim.
    #[default]
    Disc,
    /// A Gaussian with the variance of that disc: half its radius.
    Gaussian,
}

/// A rendered stack: built once, then asked for its frames and its truth.
///
/// The same options give the same pixels, whatever the number of threads.
pub struct DemoStack {
    options: SceneOptions,
    transforms: Vec<Transform>,
    exposures: Vec<f64>,
    grid: Grid,
    scene: Vec<Element>,
}

impl DemoStack {
    /// Builds the scene. Sizes and a frame count of 0 are taken as 1.
    pub fn new(options: &SceneOptions) -> Self {
        let options = SceneOptions {
            width: options.width.max(1),
            height: options.height.max(1),
            frames: options.frames.max(1),
            ..options.clone()
        };
        let transforms = wander(&options);
        let exposures = flicker(&options);
        let steps = (options.frames - 1) as f64;
        let margin = reach(&options, &transforms) + options.blur_step() * steps + 4.0;
        let grid = Grid::new(options.width, options.height, margin.ceil() as usize);
        let blur = Blur::new(&options, grid.scale);
        let scene = scene::build(&options, &grid, &blur);
        Self {
            options,
            transforms,
            exposures,
            grid,
            scene,
        }
    }

    /// What it was built from.
    pub fn options(&self) -> &SceneOptions {
        &self.options
    }

    /// The frame whose geometry the truth has: the middle one. Its transform
    /// is the identity and its exposure is 1.
    pub fn reference(&self) -> usize {
        self.options.frames / 2
    }

    /// For each frame, the transform from pixels of the reference frame to its
    /// own.
    pub fn transforms(&self) -> &[Transform] {
        &self.transforms
    }

    /// For each frame, what its linear light was multiplied by.
    pub fn exposures(&self) -> &[f64] {
        &self.exposures
    }

    /// The scene in the geometry of the reference frame with everything in
    /// focus: 16-bit sRGB without noise.
    pub fn truth(&self) -> Photo {
        self.photo(Transform::IDENTITY, None, 1.0, None, 16)
    }

    /// For each pixel of the reference frame, row by row, which frame shows it
    /// in focus: 0 to the number of frames less one, with fractions.
    pub fn depth(&self) -> Vec<f32> {
        let size = [self.options.width, self.options.height];
        let last = (self.options.frames - 1) as f32;
        let mut depth = render::depth(&self.scene, &self.grid, size);
        depth.iter_mut().for_each(|d| *d *= last);
        depth
    }

    /// Frame `index`, as the camera takes it, in sRGB of 8 bits per sample, or
    /// of 16 where `bits` is anything else.
    ///
    /// # Panics
    ///
    /// If there is no frame `index`.
    pub fn frame(&self, index: usize, bits: u8) -> Photo {
        self.photo(
            self.transforms[index],
            Some(index),
            self.exposures[index],
            self.options.noise.electrons(),
            bits,
        )
    }

    fn photo(
        &self,
        transform: Transform,
        focus: Option<usize>,
        exposure: f64,
        noise: Option<[f32; 2]>,
        bits: u8,
    ) -> Photo {
        let last = (self.options.frames - 1).max(1) as f32;
        let focus_on = Focus {
            depth: focus.map(|index| index as f32 / last),
            per_depth: Blur::new(&self.options, self.grid.scale).largest,
            psf: self.options.psf,
        };
        let sensor = Sensor {
            exposure: exposure as f32,
            noise,
            seed: self.options.seed,
            frame: focus.unwrap_or(0) as u64,
        };
        let size = [self.options.width, self.options.height];
        let samples = render::frame(
            &self.scene,
            &self.grid,
            size,
            &transform,
            &focus_on,
            &sensor,
            bits,
        );
        photo(size, samples)
    }
}

/// Peak signal-to-noise ratio in dB of `result` against the part of `truth`
/// whose top left corner is `origin` (x, y), over all samples and as shares of
/// full scale; infinite where the two are equal, `None` where the result does
/// not lie within the truth.
pub fn psnr(result: &Photo, truth: &Photo, origin: [usize; 2]) -> Option<f64> {
    let [x, y] = origin;
    let fits = x + result.width <= truth.width && y + result.height <= truth.height;
    if !fits || result.pixels() == 0 {
        return None;
    }
    let row = result.width * 3;
    let mut sum = 0.0;
    for line in 0..result.height {
        let other = ((y + line) * truth.width + x) * 3;
        for i in 0..row {
            let difference = share(result, line * row + i) - share(truth, other + i);
            sum += difference * difference;
        }
    }
    Some(-10.0 * (sum / (row * result.height) as f64).log10())
}

/// A sample as a share of full scale.
fn share(photo: &Photo, index: usize) -> f64 {
    match &photo.samples {
        Samples::Eight(samples) => f64::from(samples[index]) / 255.0,
        Samples::Sixteen(samples) => f64::from(samples[index]) / 65535.0,
    }
}

fn photo([width, height]: [usize; 2], samples: Samples) -> Photo {
    Photo {
        width,
        height,
        samples,
        ..Photo::default()
    }
}

/// Where each frame lies, as the camera wanders, turns and breathes.
fn wander(options: &SceneOptions) -> Vec<Transform> {
    let reference = options.frames / 2;
    let mut rng = Rng::new(options.seed, 1);
    let pixel = options.width as f64 / f64::from(DESIGN_WIDTH);
    let mut at = [0.0f64; 2];
    let steps: Vec<([f64; 2], f64, f64)> = (0..options.frames)
        .map(|i| {
            let [dx, dy] = rng.normals().map(f64::from);
            let [turn, jitter] = rng.normals().map(f64::from);
            at[0] += dx * options.shift * pixel;
            at[1] += dy * options.shift * pixel;
            // Breathing is smooth but for a little play in the focus drive.
            let breath = options.breathing * (i as f64 + 0.05 * jitter);
            (at, turn * options.rotation.to_radians(), breath)
        })
        .collect();
    let centre = [options.width, options.height].map(|n| (n - 1) as f64 / 2.0);
    let (origin, angle, breath) = steps[reference];
    steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            if i == reference {
                return Transform::IDENTITY;
            }
            let shift = [step.0[0] - origin[0], step.0[1] - origin[1]];
            Transform::similarity((step.2 - breath).exp(), step.1 - angle, centre, shift)
        })
        .collect()
}

fn flicker(options: &SceneOptions) -> Vec<f64> {
    let mut rng = Rng::new(options.seed, 2);
    (0..options.frames)
        .map(|i| {
            let swing = f64::from(rng.range(-1.0, 1.0));
            if i == options.frames / 2 {
                1.0
            } else {
                1.0 + options.flicker * swing
            }
        })
        .collect()
}

/// How far frames look beyond the reference frame, in its pixels.
fn reach(options: &SceneOptions, transforms: &[Transform]) -> f64 {
    let (right, bottom) = ((options.width - 1) as f64, (options.height - 1) as f64);
    let corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]];
    let mut most: f64 = 0.0;
    for back in transforms.iter().filter_map(Transform::inverse) {
        for [x, y] in corners {
            let [u, v] = back.apply(x, y);
            most = most.max((u - x).abs()).max((v - y).abs());
        }
    }
    most
}

#[cfg(test)]
mod tests;
