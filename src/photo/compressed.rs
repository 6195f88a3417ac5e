//! JPEGs made for tests, and what libjpeg makes of them.

use std::io::Cursor;
use std::path::Path;

use turbojpeg::{Compressor, Image, PixelFormat, ScalingFactor, Subsamp};

use super::Subsampled;
use super::jpeg::{self, Segments, decompress};
use crate::Result;

/// Rows of so many pixels of 8-bit RGB as a JPEG, by a compressor that `set_up` sets up.
pub fn compressed(
    pixels: &[u8],
    (width, height): (usize, usize),
    subsamp: Subsamp,
    set_up: impl Fn(&mut Compressor),
) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_subsamp(subsamp).unwrap();
    set_up(&mut compressor);
    let format = PixelFormat::RGB;
    let image = Image {
        pixels,
        width,
        pitch: width * 3,
        height,
        format,
    };
    compressor.compress_to_vec(image).unwrap()
}

/// What libjpeg makes of a JPEG of this size, at `factor` of it, unless it complains.
pub fn decoded(
    data: &[u8],
    (width, height): (usize, usize),
    factor: ScalingFactor,
) -> Result<Vec<u8>> {
    let (width, height) = (factor.scale(width), factor.scale(height));
    let mut pixels = vec![0; width * height * 3];
    let image = Image {
        pixels: &mut pixels[..],
        width,
        pitch: width * 3,
        height,
        format: PixelFormat::RGB,
    };
    let segments = Segments::read(&mut Cursor::new(data)).unwrap();
    decompress(Path::new("x.jpg"), data, &segments, factor, image).map(|()| pixels)
}

/// The planes of a JPEG, if it is one that is read so.
pub fn planes(data: &[u8]) -> Option<Subsampled> {
    let segments = Segments::read(&mut Cursor::new(data)).unwrap();
    jpeg::planes(Path::new("x.jpg"), data, &segments).unwrap()
}
