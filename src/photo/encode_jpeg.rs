//! Writes JPEG, through libjpeg-turbo (JFIF 1.02; the profile as in ICC.1:2022,
//! annex B.4).

use std::io::Write;

use rayon::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::Metadata;
use super::atomic::Stop;
use super::rows::Rows;

/// Most pixels that a JPEG may have in a row or column.
const LONGEST_SIDE: usize = 65535;

/// Most bytes in a segment, without marker and length.
const SEGMENT: usize = 65533;

/// Writes the picture to `out`, where it shows nothing in black.
pub(super) fn encode(
    out: &mut impl Write,
    rows: &Rows,
    metadata: &Metadata,
    quality: u8,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    if rows.width.max(rows.height) > LONGEST_SIDE {
        return Err(Stop::Picture(
            format!("cannot be written: a JPEG has no side over {LONGEST_SIDE} pixels"),
            "write a TIFF or PNG instead",
        ));
    }
    let format = if rows.channels() == 1 {
        PixelFormat::GRAY
    } else {
        PixelFormat::RGB
    };
    let length = rows.width * format.size();
    let converted;
    let pixels = match rows.as_eight() {
        Some(pixels) => pixels,
        None => {
            converted = eight_bits(rows, length);
            &converted
        }
    };
    if !keep_going() {
        return Err(Stop::Cancelled);
    }
    let picture = Image {
        pixels,
        width: rows.width,
        pitch: length,
        height: rows.height,
        format,
    };
    let jpeg = compress(picture, quality).map_err(|error| {
        let problem = format!("cannot be written as JPEG ({error})");
        Stop::Picture(problem, "write a TIFF or PNG instead")
    })?;
    if !keep_going() {
        return Err(Stop::Cancelled);
    }

    // libjpeg begins with SOI and the JFIF segment, 20 bytes in all.
    let (start, rest) = jpeg.split_at(20);
    let mut start = start.to_vec();
    if let Some(resolution) = metadata.resolution {
        let [x, y] = resolution.map(|inch| inch.round().clamp(1.0, 65535.0) as u16);
        start[13] = 1;
        start[14..16].copy_from_slice(&x.to_be_bytes());
        start[16..18].copy_from_slice(&y.to_be_bytes());
    }
    out.write_all(&start)?;
    let exif = metadata.exif_block(rows.width, rows.height);
    segment(out, 0xe1, &[b"Exif\0\0", &exif])?;
    if let Some(icc) = &metadata.icc {
        const NAME: &[u8] = b"ICC_PROFILE\0";
        let pieces = icc.chunks(SEGMENT - NAME.len() - 2);
        let Ok(count) = u8::try_from(pieces.len()) else {
            return Err(too_long("colour profile"));
        };
        for (number, piece) in (1..=count).zip(pieces) {
            segment(out, 0xe2, &[NAME, &[number, count], piece])?;
        }
    }
    out.write_all(rest)?;
    Ok(())
}

fn compress(picture: Image<&[u8]>, quality: u8) -> turbojpeg::Result<turbojpeg::OwnedBuf> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(quality.into())?;
    compressor.set_subsamp(match (picture.format, quality) {
        (PixelFormat::GRAY, _) => Subsamp::Gray,
        (_, 91..) => Subsamp::None,
        _ => Subsamp::Sub2x2,
    })?;
    compressor.compress_to_owned(picture)
}

/// All rows in 8 bits, laid upon black.
fn eight_bits(rows: &Rows, length: usize) -> Vec<u8> {
    let mut pixels = vec![0; length * rows.height];
    pixels
        .par_chunks_exact_mut(length)
        .enumerate()
        .for_each_init(
            || vec![0; rows.width * 4],
            |scratch, (y, row)| {
                if rows.channels() < 4 {
                    return rows.eight(y, row);
                }
                rows.eight(y, scratch);
                let pixels = scratch.as_chunks::<4>().0;
                for (rgb, &[r, g, b, alpha]) in row.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                    *rgb = [r, g, b]
                        .map(|value| ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8);
                }
            },
        );
    pixels
}

fn segment(out: &mut impl Write, marker: u8, parts: &[&[u8]]) -> Result<(), Stop> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > SEGMENT {
        return Err(too_long("EXIF data"));
    }
    out.write_all(&[0xff, marker])?;
    out.write_all(&(length as u16 + 2).to_be_bytes())?;
    for part in parts {
        out.write_all(part)?;
    }
    Ok(())
}

fn too_long(what: &str) -> Stop {
    Stop::Picture(
        format!("cannot be written: its {what} is too long for a JPEG"),
        "write a TIFF or PNG instead",
    )
}
