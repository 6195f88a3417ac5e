//! Reads WebP and BMP, through the `image` crate.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use crate::{Error, Result};

use super::channels::{self, Layout};
use super::exif::Block;
use super::read::{Colour, Header, Pixels};
use super::{Limits, Metadata, fault};

pub(super) fn header_webp(path: &Path, file: File, limits: &Limits) -> Result<Header> {
    header(path, &mut open_webp(path, file)?, limits)
}

pub(super) fn decode_webp(path: &Path, file: File, limits: &Limits) -> Result<(Header, Pixels)> {
    decode(path, open_webp(path, file)?, limits)
}

pub(super) fn header_bmp(path: &Path, file: File, limits: &Limits) -> Result<Header> {
    header(path, &mut open_bmp(path, file)?, limits)
}

pub(super) fn decode_bmp(path: &Path, file: File, limits: &Limits) -> Result<(Header, Pixels)> {
    decode(path, open_bmp(path, file)?, limits)
}

fn open_webp(path: &Path, mut file: File) -> Result<WebPDecoder<BufReader<File>>> {
    // The container says how long it is.
    let unreadable = |error| fault::unreadable(path, &error);
    let mut start = [0; 8];
    file.read_exact(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let [.., l0, l1, l2, l3] = start;
    let length = file.metadata().map_err(unreadable)?.len();
    if u64::from(u32::from_le_bytes([l0, l1, l2, l3])) + 8 > length {
        return Err(fault::cut_short(path));
    }
    WebPDecoder::new(BufReader::new(file)).map_err(|error| bad(path, error))
}

fn open_bmp(path: &Path, file: File) -> Result<BmpDecoder<BufReader<File>>> {
    BmpDecoder::new(BufReader::new(file)).map_err(|error| bad(path, error))
}

fn header(path: &Path, decoder: &mut impl ImageDecoder, limits: &Limits) -> Result<Header> {
    let (width, height) = decoder.dimensions();
    fault::check_size(path, width.into(), height.into(), limits)?;
    let layout = layout(path, decoder.color_type())?;
    // Neither is worth losing a photograph for.
    let exif = decoder.exif_metadata().ok().flatten();
    let icc = decoder.icc_profile().ok().flatten();
    let block = exif.as_deref().map(Block::parse).unwrap_or_default();
    Ok(Header {
        width: width as usize,
        height: height as usize,
        bits: 8,
        colour: match layout {
            Layout::Grey | Layout::GreyAlpha => Colour::Grey,
            Layout::Rgb | Layout::RgbAlpha => Colour::Rgb,
        },
        has_alpha: matches!(layout, Layout::GreyAlpha | Layout::RgbAlpha),
        orientation: block.orientation,
        metadata: Metadata::new(block, icc, None),
        subsampled: false,
    })
}

fn decode(
    path: &Path,
    mut decoder: impl ImageDecoder,
    limits: &Limits,
) -> Result<(Header, Pixels)> {
    let header = header(path, &mut decoder, limits)?;
    let layout = layout(path, decoder.color_type())?;
    let size = header.width * header.height * layout.channels();
    let mut pixels = fault::zeroes::<u8>(path, size)?;
    decoder
        .read_image(&mut pixels)
        .map_err(|error| bad(path, error))?;
    Ok((header, channels::to_rgb(pixels, layout)))
}

fn layout(path: &Path, colour: ColorType) -> Result<Layout> {
    match colour {
        ColorType::L8 => Ok(Layout::Grey),
        ColorType::La8 => Ok(Layout::GreyAlpha),
        ColorType::Rgb8 => Ok(Layout::Rgb),
        ColorType::Rgba8 => Ok(Layout::RgbAlpha),
        other => Err(fault::unsupported(path, format!("{other:?} samples"))),
    }
}

fn bad(path: &Path, error: ImageError) -> Error {
    match error {
        ImageError::IoError(error) if error.kind() == io::ErrorKind::InvalidData => {
            fault::damaged(path, error)
        }
        ImageError::IoError(error) => fault::unreadable(path, &error),
        ImageError::Unsupported(what) => fault::unsupported(path, what),
        other => fault::damaged(path, other),
    }
}
