//! How aligned frames become one picture.
//!
//! Each way of fusing is an accumulator: frames are added one after another,
//! and the picture is taken out once at the end. What is kept does not grow
//! with the number of frames.

mod average;
pub(in crate::core) mod contrast;
mod depth;
pub(in crate::core) mod fill;
mod hybrid;
mod levels;
mod opencl;
mod prefer;
mod preview;
mod pyramid;
mod range;
mod render;
#[cfg(test)]
mod samples;
mod softness;
mod weighted;

use serde::{Deserialize, Serialize};

use self::average::Average;
pub use self::depth::DepthMap;
use self::hybrid::Hybrid;
pub use self::opencl::on_opencl;
use self::prefer::Bias;
pub use self::prefer::Prefer;
pub use self::preview::Preview;
use self::pyramid::Pyramid;
use self::render::{Render, Search};
pub use self::softness::{SMOOTHNESS, softness};
use super::Transform;
use super::plane::Plane;
use super::warp::{Area, Exposure, Warped, warp};
use crate::Result;
use crate::photo::Photo;

/// The way of fusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Frames blended level by level, weighted by their finest detail: clean and
    /// without halos.
    #[default]
    Hybrid,
    /// Laplacian pyramid, the sharpest frame wins at each position and scale.
    Pyramid,
    /// A depth map, and the picture made of the frames next to each depth.
    Depth,
    /// Average weighted by sharpness: soft and quiet.
    Average,
}

impl Method {
    /// How often it looks at the frames.
    pub fn looks(self) -> usize {
        match self {
            Self::Depth => 2,
            Self::Hybrid | Self::Pyramid | Self::Average => 1,
        }
    }

    /// Whether OpenCL devices know this way of fusing.
    pub fn runs_on_opencl(self) -> bool {
        matches!(self, Self::Pyramid | Self::Average)
    }
}

/// A picture made of many frames, and where each pixel came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// Red, green, blue; full scale is 1.
    pub channels: [Plane; 3],
    /// For each pixel the number of the frame it came from, or came from most.
    pub index: Vec<u16>,
    /// At which depth each place is sharp.
    pub depth: DepthMap,
    /// How sure that is, 0 to 255: how far the winner is ahead of noise and of
    /// the others.
    pub confidence: Vec<u8>,
    /// 255 where any frame shows the scene; `None` where that is everywhere.
    pub alpha: Option<Vec<u8>>,
}

/// Something that takes decoded frames and gives a picture.
pub trait Fusion: Send {
    /// Brings a frame, whose number in the stack is `index`, into the
    /// reference's geometry by `pose` (reference to frame pixels), matches its
    /// exposure, and adds it. Frames may come in any order: the result is the
    /// same within rounding.
    ///
    /// # Errors
    ///
    /// If the device fails; frames added before are then lost.
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
    ) -> Result<()>;

    /// The picture of all frames added.
    ///
    /// # Errors
    ///
    /// If the device fails.
    fn finish(self: Box<Self>) -> Result<Fused>;
}

/// The noise of frames of which nothing is known: half a level of eight bits,
/// squared.
pub const NOISE: f32 = (0.5 / 255.0) * (0.5 / 255.0);

/// How frames are fused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The way of fusing.
    pub method: Method,
    /// Levels of the pyramid; `None` takes as many as suit the size.
    pub levels: Option<usize>,
    /// Which of two sharp depths wins.
    pub prefer: Prefer,
    /// Whether the result is held within the range of values that its sources
    /// show nearby.
    pub clamp: bool,
    /// Frames of the stack, those left out as well.
    pub frames: usize,
    /// The noise of the frames; see [`noise`](crate::core::noise::noise).
    pub noise: f32,
    /// How many times stronger noise is taken to be than it is.
    pub noise_strength: f32,
    /// How softly frames give way to each other, 0 to 100; see [`softness`].
    pub smoothness: u8,
}

impl From<Method> for Options {
    /// As many levels as suit the size, no preference, held within the range
    /// of the sources.
    fn from(method: Method) -> Self {
        Self {
            method,
            levels: None,
            prefer: Prefer::Auto,
            clamp: true,
            frames: 0,
            noise: NOISE,
            noise_strength: 1.0,
            smoothness: SMOOTHNESS,
        }
    }
}

impl Options {
    /// Whether OpenCL devices can do what these ask for.
    pub fn run_on_opencl(&self) -> bool {
        self.method.runs_on_opencl()
            && self.prefer == Prefer::Auto
            && self.clamp
            && self.smoothness == SMOOTHNESS
    }

    /// An empty fusion on the processor, whose result shows `area` of the
    /// reference.
    pub fn on_cpu(&self, area: Area) -> Box<dyn Fusion> {
        match self.accumulator(area.width, area.height) {
            Growing::Hybrid(accumulator) => Box::new(OnCpu { area, accumulator }),
            Growing::Pyramid(accumulator) => Box::new(OnCpu { area, accumulator }),
            Growing::Depth(accumulator) => Box::new(OnCpu { area, accumulator }),
            Growing::Average(accumulator) => Box::new(OnCpu { area, accumulator }),
        }
    }

    /// A second look at all frames, where the method takes one: given what the
    /// first found, the fusion that makes the picture.
    ///
    /// # Errors
    ///
    /// Gives `found` back if it is the result.
    pub fn second(&self, found: Fused, area: Area) -> Result<Box<dyn Fusion>, Box<Fused>> {
        match self.method {
            Method::Depth => Ok(Box::new(OnCpu {
                area,
                accumulator: Render::new(found, self.clamp, softness(self.smoothness)),
            })),
            Method::Hybrid | Method::Pyramid | Method::Average => Err(Box::new(found)),
        }
    }

    fn accumulator(&self, width: usize, height: usize) -> Growing {
        let bias = Bias::new(self.prefer, self.frames);
        let softness = softness(self.smoothness);
        match self.method {
            Method::Hybrid => {
                let hybrid = Hybrid::new(width, height, self.levels, self.noise);
                Growing::Hybrid(
                    hybrid
                        .tuned(bias, self.clamp)
                        .quieter(self.noise_strength)
                        .softer(softness),
                )
            }
            Method::Pyramid => {
                let pyramid = Pyramid::new(width, height, self.levels);
                Growing::Pyramid(pyramid.tuned(bias, self.clamp).softer(softness))
            }
            Method::Depth => Growing::Depth(Search::new(
                width,
                height,
                self.noise,
                self.noise_strength,
                bias,
            )),
            Method::Average => {
                let average = Average::new(width, height);
                Growing::Average(average.tuned(bias).softer(softness))
            }
        }
    }
}

/// An accumulator of any method.
#[derive(Clone)]
enum Growing {
    Hybrid(Hybrid),
    Pyramid(Pyramid),
    Depth(Search),
    Average(Average),
}

/// An empty fusion on the processor: the result shows `area` of the reference,
/// with the given number of pyramid levels, or as many as suit the size.
pub fn on_cpu(method: Method, area: Area, levels: Option<usize>) -> Box<dyn Fusion> {
    Options {
        levels,
        ..Options::from(method)
    }
    .on_cpu(area)
}

/// Something that takes frames in the geometry of the result.
trait Accumulator: Send {
    fn add(&mut self, index: u16, frame: Warped);
    fn finish(self) -> Fused;
}

struct OnCpu<A> {
    area: Area,
    accumulator: A,
}

impl<A: Accumulator> Fusion for OnCpu<A> {
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
    ) -> Result<()> {
        self.accumulator
            .add(index, warp(photo, pose, self.area, exposure));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Fused> {
        Ok(self.accumulator.finish())
    }
}

/// Bytes that fusing takes per pixel of the picture, at most: accumulators,
/// and a frame on its way into them.
pub fn bytes_per_pixel(method: Method) -> u64 {
    match method {
        Method::Hybrid => 80,
        Method::Depth => 72,
        Method::Pyramid => 72,
        Method::Average => 64,
    }
}
