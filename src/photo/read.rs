//! Reads photographs, whatever they are called.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use crate::{Error, Result};

use super::{
    CaptureTime, Limits, Metadata, Orientation, Photo, Samples, colour, fault, jpeg, other, png,
    tiff,
};

/// What a photograph's samples stand for in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One value of brightness.
    Grey,
    /// Red, green and blue, or what is stored in their place.
    Rgb,
    /// Four inks.
    Cmyk,
}

/// What a photograph's headers tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Pixels in a row, upright.
    pub width: usize,
    /// Rows, upright.
    pub height: usize,
    /// Bits per sample that reading gives, 8 or 16.
    pub bits: u8,
    /// What the samples stand for.
    pub colour: Colour,
    /// Whether some of it may be transparent.
    pub has_alpha: bool,
    /// How the file says it has to be turned; reading does that.
    pub orientation: Orientation,
    /// When it was taken, if the file tells.
    pub capture_time: Option<CaptureTime>,
}

/// Reads a photograph: upright, as RGB.
///
/// The format is told by the contents, not by the name. Grey becomes three
/// equal samples. Grey and CMYK that come with a profile become sRGB; RGB
/// samples are left as they are, with their profile in the metadata.
/// Associated alpha is divided out. Of a file with several pictures the first
/// is read.
///
/// # Errors
///
/// If the file is missing, unreadable, cut short, damaged, of no format that is
/// read, or larger than `limits` allow, which is found out before memory is
/// taken for it.
pub fn read(path: &Path, limits: &Limits) -> Result<Photo> {
    let (kind, file) = open(path)?;
    let (header, pixels) = match kind {
        Kind::Jpeg => jpeg::decode(path, file, limits),
        Kind::Tiff => tiff::decode(path, file, limits),
        Kind::Png => png::decode(path, file, limits),
        Kind::WebP => other::decode_webp(path, file, limits),
        Kind::Bmp => other::decode_bmp(path, file, limits),
    }?;
    Ok(finish(header, pixels))
}

/// Reads a photograph for a small picture of it: as [`read`], but of fewer
/// pixels where the format lets it be decoded so (a JPEG by its own cosine
/// transform, to a half, a quarter or an eighth). The longer side keeps at
/// least `side` pixels if it has as many.
///
/// # Errors
///
/// As [`read`].
pub fn read_reduced(path: &Path, limits: &Limits, side: usize) -> Result<Photo> {
    match open(path)? {
        (Kind::Jpeg, file) => {
            let (header, pixels) = jpeg::decode_reduced(path, file, limits, side)?;
            Ok(finish(header, pixels))
        }
        _ => read(path, limits),
    }
}

/// Reads a photograph as [`read`], and gives what [`read_reduced`] would give beside
/// it, out of one decoding; `None` where that would be the same. Values differ by
/// rounding, and at sharp edges of colours that the file has at half the size.
///
/// # Errors
///
/// As [`read`].
pub fn read_both(path: &Path, limits: &Limits, side: usize) -> Result<(Photo, Option<Photo>)> {
    match open(path)? {
        (Kind::Jpeg, file) => {
            let (header, pixels) = jpeg::decode(path, file, limits)?;
            let reduced = jpeg::reduced(path, (&header, &pixels), side)?;
            let reduced = reduced.map(|(header, pixels)| finish(header, pixels));
            Ok((finish(header, pixels), reduced))
        }
        _ => Ok((read(path, limits)?, None)),
    }
}

/// Reads the headers of a photograph only.
///
/// # Errors
///
/// As [`read`], as far as headers show it.
pub fn probe(path: &Path, limits: &Limits) -> Result<Probe> {
    let header = header(path, limits)?;
    let (width, height) = header.orientation.size(header.width, header.height);
    Ok(Probe {
        width,
        height,
        bits: header.bits,
        colour: header.colour,
        has_alpha: header.has_alpha,
        orientation: header.orientation,
        capture_time: header.metadata.exif.capture_time(),
    })
}

/// Reads what a photograph says about itself, as [`read`] would.
///
/// # Errors
///
/// As [`probe`], without a limit of size.
pub fn read_metadata(path: &Path) -> Result<Metadata> {
    let mut metadata = header(path, &Limits { max_pixels: 0 })?.metadata;
    metadata.keep_rgb_profile();
    Ok(metadata)
}

/// What the headers of a file say of the picture as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub width: usize,
    pub height: usize,
    pub bits: u8,
    pub colour: Colour,
    pub has_alpha: bool,
    pub orientation: Orientation,
    /// With a profile of any colour space.
    pub metadata: Metadata,
}

/// The pixels of a file as they are stored, but as RGB.
pub(super) struct Pixels {
    pub samples: Samples,
    pub alpha: Option<Vec<u8>>,
}

fn header(path: &Path, limits: &Limits) -> Result<Header> {
    let (kind, file) = open(path)?;
    match kind {
        Kind::Jpeg => jpeg::header(path, file, limits),
        Kind::Tiff => tiff::header(path, file, limits),
        Kind::Png => png::header(path, file, limits),
        Kind::WebP => other::header_webp(path, file, limits),
        Kind::Bmp => other::header_bmp(path, file, limits),
    }
}

fn finish(header: Header, pixels: Pixels) -> Photo {
    let Header {
        width,
        orientation,
        mut metadata,
        ..
    } = header;
    let Pixels { mut samples, alpha } = pixels;
    let grey_profile = metadata
        .icc
        .take_if(|icc| header.colour == Colour::Grey && colour::space(icc) == Some(*b"GRAY"));
    if let Some(icc) = grey_profile {
        colour::from_grey(&mut samples, &icc);
    }
    metadata.keep_rgb_profile();
    let samples = match samples {
        Samples::Eight(samples) => Samples::Eight(orientation.apply::<u8, 3>(samples, width)),
        Samples::Sixteen(samples) => Samples::Sixteen(orientation.apply::<u16, 3>(samples, width)),
    };
    let alpha = alpha
        .filter(|alpha| alpha.iter().any(|&value| value != u8::MAX))
        .map(|alpha| orientation.apply::<u8, 1>(alpha, width));
    let (width, height) = orientation.size(width, header.height);
    Photo {
        width,
        height,
        samples,
        alpha,
        metadata,
    }
}

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Tiff,
    Png,
    WebP,
    Bmp,
}

fn open(path: &Path) -> Result<(Kind, File)> {
    let unreadable = |error| fault::unreadable(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(64)
        .read_to_end(&mut start)
        .map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    Ok((kind(path, &start)?, file))
}

/// Extensions of RAW formats that look like TIFF from outside.
const RAW_EXTENSIONS: [&str; 17] = [
    "3fr", "arw", "cr2", "dcr", "dng", "erf", "fff", "iiq", "kdc", "mef", "mos", "nef", "nrw",
    "pef", "rwl", "sr2", "srw",
];

/// Tells the format of a file by its first bytes.
fn kind(path: &Path, start: &[u8]) -> Result<Kind> {
    if start.is_empty() {
        return Err(Error::file(path, "is empty", fault::COPY_AGAIN));
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let tiff_like = [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"]
        .iter()
        .any(|magic| start.starts_with(magic));
    let raw = tiff_like
        && (RAW_EXTENSIONS.iter().any(|raw| extension == *raw) || start.get(8..10) == Some(b"CR"));
    let other_raw = [
        &b"IIRO"[..],
        b"IIRS",
        b"MMOR",
        b"IIU\0",
        b"FUJIFILMCCD-RAW",
        b"FOVb",
        b"\0MRM",
        b"II\x1a\0\0\0HEAPCCDR",
    ]
    .iter()
    .any(|magic| start.starts_with(magic))
        || start.get(4..12) == Some(b"ftypcrx ");
    if raw || other_raw {
        return Err(raw_file(path));
    }
    if tiff_like {
        return Ok(Kind::Tiff);
    }
    if start.starts_with(b"\xff\xd8") {
        return Ok(Kind::Jpeg);
    }
    if start.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        return Ok(Kind::WebP);
    }
    // "BM" alone also begins words: a bitmap's header says how long it is.
    if start.starts_with(b"BM") && matches!(start.get(14..18), Some([12..=124, 0, 0, 0])) {
        return Ok(Kind::Bmp);
    }
    let known = [
        (&b"GIF8"[..], "a GIF"),
        (b"8BPS", "a Photoshop document"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL ", "JPEG XL"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"v/1\x01", "OpenEXR"),
        (b"gimp xcf", "a GIMP document"),
        (b"%PDF", "a PDF"),
    ];
    if let Some((_, name)) = known.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(fault::unsupported(path, name));
    }
    if start.get(4..8) == Some(b"ftyp") {
        return Err(fault::unsupported(path, "HEIC, AVIF or a film"));
    }
    Err(Error::file(
        path,
        "is not a photograph that Parfocal can read",
        "give JPEG, TIFF, PNG, WebP or BMP files",
    ))
}

/// A camera's own format.
pub(super) fn raw_file(path: &Path) -> Error {
    Error::file(path, "is a RAW file", "convert it to TIFF first")
}
