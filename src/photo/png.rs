//! Reads PNG.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Reader, Transformations, Unit};

use crate::{Error, Result};

use super::channels::{self, Layout};
use super::exif::Block;
use super::metadata::per_inch;
use super::read::{Colour, Header, Pixels};
use super::{Limits, Metadata, fault};

type Source = BufReader<File>;

pub(super) fn header(path: &Path, file: File, limits: &Limits) -> Result<Header> {
    Ok(open(path, file, limits)?.0)
}

pub(super) fn decode(path: &Path, file: File, limits: &Limits) -> Result<(Header, Pixels)> {
    let (header, mut reader) = open(path, file, limits)?;
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Grey,
        ColorType::GrayscaleAlpha => Layout::GreyAlpha,
        ColorType::Rgba => Layout::RgbAlpha,
        _ => Layout::Rgb,
    };
    let samples = header.width * header.height * layout.channels();
    let pixels = if header.bits == 16 {
        let mut pixels = fault::zeroes::<u16>(path, samples)?;
        decode_into(&mut reader, bytemuck::cast_slice_mut(&mut pixels))
            .map_err(|error| bad(path, error))?;
        for value in &mut pixels {
            *value = u16::from_be(*value);
        }
        channels::to_rgb(pixels, layout)
    } else {
        let mut pixels = fault::zeroes::<u8>(path, samples)?;
        decode_into(&mut reader, &mut pixels).map_err(|error| bad(path, error))?;
        channels::to_rgb(pixels, layout)
    };
    Ok((header, pixels))
}

fn decode_into(reader: &mut Reader<Source>, pixels: &mut [u8]) -> Result<(), DecodingError> {
    reader.next_frame(pixels)?;
    // What follows the picture shows whether the file is whole.
    reader.finish()
}

fn open(path: &Path, file: File, limits: &Limits) -> Result<(Header, Reader<Source>)> {
    let unreadable = |error| fault::unreadable(path, &error);
    let mut source = BufReader::new(file);
    let exif = find_exif(&mut source).map_err(unreadable)?;
    source.rewind().map_err(unreadable)?;

    // The pixels are not among these bytes; two rows and a profile are.
    let bytes = 1 << 28;
    let mut decoder = Decoder::new_with_limits(source, ::png::Limits { bytes });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let info = decoder
        .read_header_info()
        .map_err(|error| bad(path, error))?;
    fault::check_size(path, info.width.into(), info.height.into(), limits)?;
    let reader = decoder.read_info().map_err(|error| bad(path, error))?;

    let info = reader.info();
    let (colour_type, depth) = reader.output_color_type();
    let resolution = info.pixel_dims.and_then(|dims| match dims.unit {
        Unit::Meter => {
            let per_centimetre = [dims.xppu, dims.yppu].map(|value| f64::from(value) / 100.0);
            per_inch(per_centimetre, Some(3))
        }
        Unit::Unspecified => None,
    });
    let block = exif.as_deref().map(Block::parse).unwrap_or_default();
    let header = Header {
        width: info.width as usize,
        height: info.height as usize,
        bits: if depth == BitDepth::Sixteen { 16 } else { 8 },
        colour: match colour_type {
            ColorType::Grayscale | ColorType::GrayscaleAlpha => Colour::Grey,
            _ => Colour::Rgb,
        },
        has_alpha: matches!(colour_type, ColorType::GrayscaleAlpha | ColorType::Rgba),
        orientation: block.orientation,
        metadata: Metadata::new(
            block,
            info.icc_profile.as_ref().map(|icc| icc.to_vec()),
            resolution,
        ),
        subsampled: false,
    };
    Ok((header, reader))
}

/// The EXIF block, which may stand before or after the pixels.
fn find_exif(source: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    const MOST: u32 = 1 << 24;
    source.seek(SeekFrom::Start(8))?;
    let mut start = [0; 8];
    // A file that ends early is found out when it is decoded.
    while source.read_exact(&mut start).is_ok() {
        let [l3, l2, l1, l0, name @ ..] = start;
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        match &name {
            b"IEND" => return Ok(None),
            b"eXIf" if length < MOST => {
                let mut block = vec![0; length as usize];
                return Ok(source.read_exact(&mut block).is_ok().then_some(block));
            }
            _ => source.seek(SeekFrom::Current(i64::from(length) + 4))?,
        };
    }
    Ok(None)
}

fn bad(path: &Path, error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::InvalidData => {
            fault::damaged(path, error)
        }
        DecodingError::IoError(error) => fault::unreadable(path, &error),
        other => fault::damaged(path, other),
    }
}
