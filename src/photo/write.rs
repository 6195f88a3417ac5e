//! Writes pictures, whole or not at all.

use std::path::Path;

use crate::{Error, Result};

use super::atomic::Stop;
use super::rows::Rows;
use super::{Encoding, Format, Metadata, Photo, atomic, encode_jpeg, encode_png, encode_tiff};

/// Writes `photo` to `path` in the format of `encoding`, whatever the path's
/// extension.
///
/// The profile, the EXIF fields and the resolution go with it, as does alpha
/// where there is some; a JPEG, which cannot hold alpha, is black where the
/// photograph shows nothing. `keep_going` is asked many times a second whether
/// to go on.
///
/// The file is written under another name beside `path` and gets its name when
/// all of it is on the disk. A file that exists is replaced only if `overwrite`
/// is set. On any fault nothing is left behind.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no;
/// [`Error::Usage`](crate::Error::Usage) for bits or a quality that do not
/// exist; [`Error::File`](crate::Error::File) if the file exists, its folder
/// cannot be written, the disk is full, or the picture is too large for the
/// format.
pub fn write(
    path: &Path,
    photo: &Photo,
    encoding: &Encoding,
    overwrite: bool,
    keep_going: &dyn Fn() -> bool,
) -> Result<()> {
    let rows = Rows::of_photo(photo);
    write_rows(
        path,
        &rows,
        &photo.metadata,
        encoding,
        overwrite,
        keep_going,
    )
}

/// A photograph as the bytes of a JPEG of this quality, 1 to 100, such as a small one
/// that is kept; alpha is left out as in [`write()`].
///
/// # Errors
///
/// [`Error::Usage`](crate::Error::Usage) if it is too large for a JPEG.
pub fn jpeg(photo: &Photo, quality: u8) -> Result<Vec<u8>> {
    let (rows, mut bytes) = (Rows::of_photo(photo), Vec::new());
    match encode_jpeg::encode(&mut bytes, &rows, &photo.metadata, quality, &|| true) {
        Ok(()) => Ok(bytes),
        Err(Stop::Picture(problem, _)) => Err(Error::Usage(problem)),
        Err(Stop::Io(error)) => Err(Error::Usage(error.to_string())),
        Err(Stop::Cancelled) => Err(Error::Cancelled),
    }
}

/// Writes a grey picture, such as a depth map, in the format that the
/// extension of `path` asks for: 16 bits in TIFF and PNG, 8 in JPEG.
/// `samples` has `width * height` values. Otherwise as [`write`].
///
/// # Errors
///
/// As [`write`] and [`Format::from_path`].
pub fn write_grey16(
    path: &Path,
    width: usize,
    height: usize,
    samples: &[u16],
    overwrite: bool,
    keep_going: &dyn Fn() -> bool,
) -> Result<()> {
    let encoding = Encoding {
        format: Format::from_path(path)?,
        ..Encoding::default()
    };
    let rows = Rows::of_grey(width, height, samples);
    let metadata = Metadata::default();
    write_rows(path, &rows, &metadata, &encoding, overwrite, keep_going)
}

fn write_rows(
    path: &Path,
    rows: &Rows,
    metadata: &Metadata,
    encoding: &Encoding,
    overwrite: bool,
    keep_going: &dyn Fn() -> bool,
) -> Result<()> {
    encoding.check()?;
    atomic::write(path, overwrite, |file| match encoding.format {
        Format::Tiff => {
            let big = encode_tiff::needs_big(rows, encoding.bits);
            encode_tiff::encode(file, rows, metadata, encoding, big, keep_going)
        }
        Format::Png => encode_png::encode(file, rows, metadata, encoding.bits, keep_going),
        Format::Jpeg => encode_jpeg::encode(file, rows, metadata, encoding.quality, keep_going),
    })
}
