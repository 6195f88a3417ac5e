//! Reads photographs, whatever they are called.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use crate::{Error, Result};

use super::{
    CaptureTime, Limits, Metadata, Orientation, Photo, Samples, Subsampled, colour, fault, jpeg,
    other, png, tiff,
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
    /// Whether [`read_subsampled`] reads it.
    pub subsampled: bool,
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

/// Reads a photograph as [`read`], but in planes of brightness and colour, as most
/// JPEGs store it; `None` where they are not stored so, or would not be upright. As RGB
/// it is what [`read`] gives, but for rounding where it had to be turned.
///
/// # Errors
///
/// As [`read`]; of what is not read so, as far as its headers show it.
pub fn read_subsampled(path: &Path, limits: &Limits) -> Result<Option<Subsampled>> {
    Ok(planes(path, limits)?.map(|(photo, _)| photo))
}

/// Reads a photograph as [`read_subsampled`], and gives beside it what [`read_both`] does.
///
/// # Errors
///
/// As [`read_subsampled`].
pub fn read_subsampled_both(
    path: &Path,
    limits: &Limits,
    side: usize,
) -> Result<Option<(Subsampled, Option<Photo>)>> {
    let planes = planes(path, limits)?;
    Ok(planes.map(|(photo, metadata)| {
        let halvings = jpeg::halvings(photo.width.max(photo.height), side);
        let reduced = (halvings > 0).then(|| Photo {
            metadata,
            ..photo.reduced(halvings)
        });
        (photo, reduced)
    }))
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
        subsampled: header.is_read_as_planes(),
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
    /// Whether it is a JPEG whose colour has half the size (Y'CbCr 4:2:0).
    pub subsampled: bool,
}

impl Header {
    /// Whether planes can be read of it that are upright: turned, those of an odd size
    /// would begin with half a square.
    pub fn is_read_as_planes(&self) -> bool {
        let is_even = self.width.is_multiple_of(2) && self.height.is_multiple_of(2);
        self.subsampled && (is_even || self.orientation == Orientation::UPRIGHT)
    }
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

/// The planes of a photograph that is read so, upright, and what its file says of it.
fn planes(path: &Path, limits: &Limits) -> Result<Option<(Subsampled, Metadata)>> {
    let (Kind::Jpeg, file) = open(path)? else {
        return Ok(None);
    };
    let Some((header, mut photo)) = jpeg::decode_subsampled(path, file, limits)? else {
        return Ok(None);
    };
    let mut metadata = header.metadata;
    metadata.keep_rgb_profile();
    photo.icc = metadata.icc.clone();
    Ok(Some((photo.turned(header.orientation), metadata)))
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

#[cfg(test)]
mod tests {
    use turbojpeg::Subsamp;

    use super::super::compressed::compressed;
    use super::*;

    /// A JPEG of smooth colours that says how it has to be turned.
    fn jpeg((width, height): (usize, usize), subsamp: Subsamp, orientation: u8) -> Vec<u8> {
        let pixels: Vec<u8> = (0..width * height)
            .flat_map(|i| {
                let (x, y) = (i % width, i / width);
                [3 * x + 2 * y, 200 - 3 * x, 5 * y].map(|value| value as u8)
            })
            .collect();
        let data = compressed(&pixels, (width, height), subsamp, |_| ());
        let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
        let value = [orientation, 0, 0, 0, 0, 0, 0, 0];
        [&data[..2], exif, &value, &data[2..]].concat()
    }

    fn apart(a: &Photo, b: &Photo) -> u8 {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let (Samples::Eight(a), Samples::Eight(b)) = (&a.samples, &b.samples) else {
            panic!("16 bits");
        };
        a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn planes_are_upright_and_show_what_is_read_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let limits = Limits::default();
        for (size, subsamp, orientation, is_read) in [
            ((48, 30), Subsamp::Sub2x2, 6, true),
            ((47, 30), Subsamp::Sub2x2, 6, false),
            ((48, 29), Subsamp::Sub2x2, 3, false),
            ((47, 29), Subsamp::Sub2x2, 1, true),
            ((48, 30), Subsamp::Sub2x1, 1, false),
        ] {
            let what = format!("{size:?} {subsamp:?} {orientation}");
            std::fs::write(&path, jpeg(size, subsamp, orientation)).unwrap();
            assert_eq!(probe(&path, &limits).unwrap().subsampled, is_read, "{what}");
            let photo = read_subsampled(&path, &limits).unwrap();
            assert_eq!(photo.is_some(), is_read, "{what}");
            let both = read_subsampled_both(&path, &limits, 20).unwrap();
            assert_eq!(both.as_ref().map(|(photo, _)| photo), photo.as_ref());
            let Some((photo, reduced)) = both else {
                continue;
            };
            let (whole, half) = read_both(&path, &limits, 20).unwrap();
            let apart_by = apart(&photo.to_photo(), &whole);
            let most = if orientation == 1 { 0 } else { 2 };
            assert!(apart_by <= most, "{what}: {apart_by}");
            let (reduced, half) = (reduced.unwrap(), half.unwrap());
            assert_eq!(reduced.metadata, half.metadata, "{what}");
            let apart_by = apart(&reduced, &half);
            assert!(apart_by <= 8, "{what}: {apart_by}");
            let (_, same) = read_subsampled_both(&path, &limits, 40).unwrap().unwrap();
            assert_eq!(same, None, "{what}");
        }
    }
}
