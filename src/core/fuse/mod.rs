//! How aligned frames become one picture.
//!
//! Each way of fusing is an accumulator: frames are added one after another,
//! and the picture is taken out once at the end. What is kept does not grow
//! with the number of frames.

mod average;
mod pyramid;
mod range;

use serde::{Deserialize, Serialize};

use super::plane::Plane;
use super::warp::Warped;

pub use average::Average;
pub use pyramid::Pyramid;

/// The way of fusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Laplacian pyramid, the sharpest frame wins at each position and scale.
    #[default]
    Pyramid,
    /// Average weighted by sharpness: soft and quiet.
    Average,
}

/// A picture made of many frames, and where each pixel came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// Red, green, blue; full scale is 1.
    pub channels: [Plane; 3],
    /// For each pixel the number of the frame it came from, or came from most.
    pub index: Vec<u16>,
    /// How sure that is, 0 to 255: how far the winner is ahead of noise and of
    /// the others.
    pub confidence: Vec<u8>,
    /// 255 where any frame shows the scene; `None` where that is everywhere.
    pub alpha: Option<Vec<u8>>,
}

/// Something that takes frames and gives a picture.
pub trait Accumulator: Send {
    /// Adds a frame, whose number in the stack is `index`. Frames may come in
    /// any order: the result is the same.
    fn add(&mut self, index: u16, frame: Warped);

    /// The picture of all frames added.
    fn finish(self: Box<Self>) -> Fused;
}

/// An empty accumulator for pictures of `width`×`height` pixels, with the
/// given number of pyramid levels, or as many as suit the size.
pub fn accumulator(
    method: Method,
    width: usize,
    height: usize,
    levels: Option<usize>,
) -> Box<dyn Accumulator> {
    match method {
        Method::Pyramid => Box::new(Pyramid::new(width, height, levels)),
        Method::Average => Box::new(Average::new(width, height)),
    }
}

/// Bytes that fusing takes per pixel of the picture, at most: accumulators,
/// and a frame on its way into them.
pub fn bytes_per_pixel(method: Method) -> u64 {
    match method {
        Method::Pyramid => 72,
        Method::Average => 64,
    }
}
