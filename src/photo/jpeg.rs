//! Reads JPEG, through libjpeg-turbo but for the smallest pictures. The segments
//! around the picture are walked here (ITU-T T.81, annex B; JFIF 1.02; Adobe
//! Technical Note 5116).

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::ops::Range;
use std::path::Path;

use memchr::memchr;
use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp,
    YuvImage,
};

use crate::Result;

use super::exif::Block;
use super::halved::halve;
use super::metadata::per_inch;
use super::read::{Colour, Header, Pixels};
use super::{Limits, Metadata, Samples, Subsampled, buffers, colour, eighth, fault};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// More scans than this and a file only means to keep us busy; encoders make
/// about ten.
const MOST_SCANS: u32 = 500;

/// Complaints of libjpeg after which the picture is whole all the same. None is
/// about the header: after such a one there are no pixels at all.
const HARMLESS: [&str; 3] = [
    "extraneous bytes before marker",
    "Inconsistent progression sequence",
    "Invalid SOS parameters for sequential JPEG",
];

pub(super) fn header(path: &Path, file: impl Read + Seek, limits: &Limits) -> Result<Header> {
    let segments = Segments::read(&mut BufReader::new(file)).map_err(|error| bad(path, &error))?;
    segments.header(path, limits)
}

pub(super) fn decode(path: &Path, file: File, limits: &Limits) -> Result<(Header, Pixels)> {
    decode_reduced(path, file, limits, usize::MAX)
}

/// Decodes to the smallest size whose longer side has at least `side` pixels,
/// or to the full one; the header then tells that size.
pub(super) fn decode_reduced(
    path: &Path,
    mut file: File,
    limits: &Limits,
    side: usize,
) -> Result<(Header, Pixels)> {
    let data = buffers::contents(&mut file).map_err(|error| fault::unreadable(path, &error))?;
    let segments = Segments::read(&mut Cursor::new(&data)).map_err(|error| bad(path, &error))?;
    let mut header = segments.header(path, limits)?;
    let (format, channels) = match header.colour {
        Colour::Cmyk => (PixelFormat::CMYK, 4),
        _ => (PixelFormat::RGB, 3),
    };
    let factor = reduction(header.width.max(header.height), side);
    header.width = factor.scale(header.width);
    header.height = factor.scale(header.height);
    let (width, height) = (header.width, header.height);
    let mut pixels = fault::room::<u8>(path, width * height * channels)?;
    let is_eighth = factor == ScalingFactor::ONE_EIGHTH
        && header.colour != Colour::Cmyk
        && eighth::decode(&data, width, height, &mut pixels).is_some();
    if !is_eighth {
        let image = Image {
            pixels: &mut pixels[..],
            width,
            pitch: width * channels,
            height,
            format,
        };
        decompress(path, &data, &segments, factor, image)?;
    }
    buffers::keep_contents(data);
    if header.colour == Colour::Cmyk {
        // Adobe stores the light that is left in place of the ink.
        if segments.adobe {
            for value in &mut pixels {
                *value = !*value;
            }
        }
        pixels = colour::from_cmyk(&pixels, header.metadata.icc.as_deref());
    }
    let pixels = Pixels {
        samples: Samples::Eight(pixels),
        alpha: None,
    };
    Ok((header, pixels))
}

/// What [`decode_reduced`] would give, made of what was decoded in full; `None` where
/// that is no less, or not in the file's own colours.
pub(super) fn reduced(
    path: &Path,
    (header, pixels): (&Header, &Pixels),
    side: usize,
) -> Result<Option<(Header, Pixels)>> {
    let factor = reduction(header.width.max(header.height), side);
    let (Samples::Eight(samples), false) = (&pixels.samples, header.colour == Colour::Cmyk) else {
        return Ok(None);
    };
    let (mut width, mut height) = (header.width, header.height);
    let mut reduced: Option<Vec<u8>> = None;
    while width > factor.scale(header.width) {
        let mut half = fault::room(path, width.div_ceil(2) * height.div_ceil(2) * 3)?;
        halve(reduced.as_ref().unwrap_or(samples), width, &mut half);
        (width, height) = (width.div_ceil(2), height.div_ceil(2));
        reduced = Some(half);
    }
    let Some(few) = reduced else {
        return Ok(None);
    };
    let header = Header {
        width,
        height,
        ..header.clone()
    };
    let pixels = Pixels {
        samples: Samples::Eight(few),
        alpha: None,
    };
    Ok(Some((header, pixels)))
}

/// Decodes to planes what is read so, as it is stored: of others only the header is read.
pub(super) fn decode_subsampled(
    path: &Path,
    mut file: File,
    limits: &Limits,
) -> Result<Option<(Header, Subsampled)>> {
    if !header(path, &file, limits)?.is_read_as_planes() {
        return Ok(None);
    }
    let unreadable = |error| fault::unreadable(path, &error);
    file.rewind().map_err(unreadable)?;
    let data = buffers::contents(&mut file).map_err(unreadable)?;
    let segments = Segments::read(&mut Cursor::new(&data)).map_err(|error| bad(path, &error))?;
    let header = segments.header(path, limits)?;
    let planes = planes(path, &data, &segments)?;
    buffers::keep_contents(data);
    Ok(planes.map(|planes| (header, planes)))
}

/// The planes in `data`; `None` where libjpeg takes it for another kind.
pub(super) fn planes(path: &Path, data: &[u8], segments: &Segments) -> Result<Option<Subsampled>> {
    let (width, height) = (segments.width, segments.height);
    let (mut decompressor, header, data) = prepare(path, data, segments, ScalingFactor::ONE)?;
    // There is room for the planes of this kind only.
    let kind = (header.subsamp, header.colorspace);
    if header.is_lossless || kind != (Subsamp::Sub2x2, Colorspace::YCbCr) {
        return Ok(None);
    }
    let mut samples = fault::room::<u8>(path, Subsampled::count(width, height))?;
    let image = YuvImage {
        pixels: &mut samples[..],
        width,
        align: 1,
        height,
        subsamp: header.subsamp,
    };
    judge(path, decompressor.decompress_to_yuv(&data, image))?;
    Ok(Some(Subsampled::new(width, height, samples)))
}

/// Decompresses `data` into `image` with libjpeg, at `factor` of its size.
pub(super) fn decompress(
    path: &Path,
    data: &[u8],
    segments: &Segments,
    factor: ScalingFactor,
    image: Image<&mut [u8]>,
) -> Result<()> {
    let (mut decompressor, _, data) = prepare(path, data, segments, factor)?;
    judge(path, decompressor.decompress(&data, image))
}

/// A decompressor to `factor` of the size, which has read the header of `data`, and what
/// it is to decompress.
fn prepare<'a>(
    path: &Path,
    data: &'a [u8],
    segments: &Segments,
    factor: ScalingFactor,
) -> Result<(Decompressor, DecompressHeader, Cow<'a, [u8]>)> {
    // libjpeg makes up what is missing at the end.
    if !reaches_its_end(&data[segments.scan..]) {
        return Err(fault::cut_short(path));
    }
    let mut decompressor = Decompressor::new().map_err(|error| fault::damaged(path, error))?;
    let data = segments.mended(data);
    let header = decompressor
        .set_scan_limit(MOST_SCANS)
        .and_then(|()| decompressor.set_scaling_factor(factor))
        .and_then(|()| decompressor.read_header(&data))
        .map_err(|error| fault::damaged(path, error))?;
    Ok((decompressor, header, data))
}

/// Whether a picture has become whole, whatever libjpeg says of it.
fn judge(path: &Path, outcome: turbojpeg::Result<()>) -> Result<()> {
    let Err(error) = outcome else {
        return Ok(());
    };
    let complaint = error.to_string();
    if complaint.contains("Premature end of JPEG") {
        return Err(fault::cut_short(path));
    }
    if HARMLESS.iter().any(|harmless| complaint.contains(harmless)) {
        return Ok(());
    }
    Err(fault::damaged(path, complaint))
}

/// How often [`decode_reduced`] halves a picture with so many pixels in its longer side.
pub(super) fn halvings(longer: usize, side: usize) -> u32 {
    reduction(longer, side).denom().ilog2()
}

/// The smallest of the sizes that libjpeg decodes quickly.
fn reduction(longer: usize, side: usize) -> ScalingFactor {
    [
        ScalingFactor::ONE_EIGHTH,
        ScalingFactor::ONE_QUARTER,
        ScalingFactor::ONE_HALF,
    ]
    .into_iter()
    .find(|factor| factor.scale(longer) >= side)
    .unwrap_or(ScalingFactor::ONE)
}

fn bad(path: &Path, error: &io::Error) -> crate::Error {
    match error.kind() {
        io::ErrorKind::InvalidData => fault::damaged(path, error),
        _ => fault::unreadable(path, error),
    }
}

/// What stands before the first scan.
#[derive(Debug, Default)]
pub(super) struct Segments {
    width: usize,
    height: usize,
    precision: u8,
    components: u8,
    /// Whether the picture is made of cosines, and has brightness for every pixel and
    /// two more values for every square of two by two.
    has_squares: bool,
    /// Whether components are called "R", "G" and "B".
    is_named_rgb: bool,
    /// Where JFIF's markers have their revision.
    revisions: Vec<usize>,
    /// Whether Adobe's marker is there.
    adobe: bool,
    /// Where Adobe's markers tell how colours are stored.
    transforms: Vec<usize>,
    /// What the last of them tells.
    transform: Option<u8>,
    exif: Option<Vec<u8>>,
    icc: Vec<Piece>,
    resolution: Option<[f64; 2]>,
    /// Where the first scan begins.
    scan: usize,
    /// Bytes between segments that belong to none.
    junk: Vec<Range<usize>>,
}

/// A piece of the profile.
#[derive(Debug)]
struct Piece {
    /// Where its segment begins.
    at: usize,
    /// From 1.
    number: u8,
    /// How many pieces there should be.
    pieces: u8,
    data: Vec<u8>,
}

impl Segments {
    pub(super) fn read(source: &mut (impl BufRead + Seek)) -> io::Result<Self> {
        let mut found = Self::default();
        let mut at = 0;
        loop {
            let start = at;
            let mut marker = byte(source, &mut at)?;
            while marker != 0xff {
                marker = byte(source, &mut at)?;
            }
            if at - 1 > start {
                found.junk.push(start..at - 1);
            }
            while marker == 0xff {
                marker = byte(source, &mut at)?;
            }
            match marker {
                0 => found.junk.push(at - 2..at),
                0x01 | SOI | 0xd0..=0xd7 => {}
                EOI => return Err(nonsense("it has no picture")),
                SOS if found.components == 0 => return Err(nonsense("it has no header")),
                SOS => {
                    found.scan = at - 2;
                    return Ok(found);
                }
                _ => {
                    let length = [byte(source, &mut at)?, byte(source, &mut at)?];
                    let length = usize::from(u16::from_be_bytes(length));
                    let Some(length) = length.checked_sub(2) else {
                        return Err(nonsense("a segment has no length"));
                    };
                    if matches!(marker, 0xc0..=0xcf | 0xe0..=0xe2 | 0xee) {
                        let mut payload = vec![0; length];
                        source.read_exact(&mut payload)?;
                        found.take(marker, at, &payload)?;
                    } else {
                        source.seek_relative(length as i64)?;
                    }
                    at += length;
                }
            }
        }
    }

    /// Takes the segment that has its payload at `at`.
    fn take(&mut self, marker: u8, at: usize, payload: &[u8]) -> io::Result<()> {
        match marker {
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => {
                let &[precision, h1, h0, w1, w0, components, ref each @ ..] = payload else {
                    return Err(nonsense("its header is too short"));
                };
                self.precision = precision;
                self.height = u16::from_be_bytes([h1, h0]).into();
                self.width = u16::from_be_bytes([w1, w0]).into();
                self.components = components;
                let is_made_of_cosines = matches!(marker, 0xc0..=0xc2 | 0xc9 | 0xca);
                self.has_squares =
                    is_made_of_cosines && matches!(each, [_, 0x22, _, _, 0x11, _, _, 0x11, _]);
                self.is_named_rgb = matches!(each, [b'R', _, _, b'G', _, _, b'B', ..]);
            }
            0xe0 => {
                if let Some([_, _, unit, x1, x0, y1, y0, ..]) = payload.strip_prefix(b"JFIF\0") {
                    let density = [[*x1, *x0], [*y1, *y0]];
                    let density = density.map(|pair| f64::from(u16::from_be_bytes(pair)));
                    // JFIF counts units 0 none, 1 inch, 2 centimetre.
                    self.resolution = per_inch(density, Some(u32::from(*unit) + 1));
                    self.revisions.push(at + 5);
                }
            }
            0xe1 if self.exif.is_none() => {
                self.exif = payload.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec);
            }
            0xe2 => {
                if let Some([number, pieces, data @ ..]) = payload.strip_prefix(b"ICC_PROFILE\0") {
                    self.icc.push(Piece {
                        at,
                        number: *number,
                        pieces: *pieces,
                        data: data.to_vec(),
                    });
                }
            }
            0xee if payload.starts_with(b"Adobe") => {
                self.adobe = true;
                if let Some(&transform) = payload.get(11) {
                    self.transforms.push(at + 11);
                    self.transform = Some(transform);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn header(&self, path: &Path, limits: &Limits) -> Result<Header> {
        fault::check_size(path, self.width as u64, self.height as u64, limits)?;
        if self.precision > 8 {
            let what = format!("a JPEG of {} bits", self.precision);
            return Err(fault::unsupported(path, what));
        }
        let colour = match self.components {
            1 => Colour::Grey,
            3 => Colour::Rgb,
            4 => Colour::Cmyk,
            n => return Err(fault::unsupported(path, format!("a JPEG of {n} channels"))),
        };
        let block = self.exif.as_deref().map(Block::parse).unwrap_or_default();
        Ok(Header {
            width: self.width,
            height: self.height,
            bits: 8,
            colour,
            has_alpha: false,
            orientation: block.orientation,
            metadata: Metadata::new(block, self.profile(), self.resolution),
            subsampled: self.is_subsampled(),
        })
    }

    /// Whether it is Y'CbCr 4:2:0, as libjpeg tells it.
    fn is_subsampled(&self) -> bool {
        let is_jfif = !self.revisions.is_empty();
        let is_rgb = match self.transform {
            // JFIF knows no other colours than Y'CbCr.
            _ if is_jfif => false,
            Some(transform) => transform == 0,
            None => self.is_named_rgb,
        };
        // TurboJPEG counts in 31 bits where a plane ends.
        let luma = (self.width as u64 + 1) * (self.height as u64 + 1);
        let is_sound = self.components == 3 && self.precision == 8 && luma <= i32::MAX as u64;
        is_sound && self.has_squares && !is_rgb
    }

    /// The profile, if all of it is there.
    fn profile(&self) -> Option<Vec<u8>> {
        let mut icc: Vec<_> = self.icc.iter().collect();
        icc.sort_by_key(|piece| piece.number);
        let pieces = icc.first()?.pieces;
        let is_whole = icc.iter().map(|piece| piece.number).eq(1..=pieces)
            && icc.iter().all(|piece| piece.pieces == pieces);
        is_whole.then(|| icc.iter().flat_map(|piece| &piece.data).copied().collect())
    }

    /// The file without what libjpeg would stop at though the picture is sound.
    fn mended<'a>(&self, data: &'a [u8]) -> Cow<'a, [u8]> {
        let mends = self.mends(data);
        if self.junk.is_empty() && mends.is_empty() {
            return Cow::Borrowed(data);
        }
        let mut mended = data.to_vec();
        for (at, value) in mends {
            mended[at] = value;
        }
        for junk in self.junk.iter().rev() {
            mended.drain(junk.clone());
        }
        Cow::Owned(mended)
    }

    /// The bytes that libjpeg does not know, and what to put in their place.
    fn mends(&self, data: &[u8]) -> Vec<(usize, u8)> {
        // Colours are taken for YCbCr or YCCK, as libjpeg does.
        let (known, usual) = match self.components {
            4 => ([0, 2], 2),
            _ => ([0, 1], 1),
        };
        let revisions = self.revisions.iter().filter(|&&at| data[at] != 1);
        let transforms = self.transforms.iter();
        let transforms = transforms.filter(|&&at| !known.contains(&data[at]));
        // Under another name, a profile that misses pieces is not looked at.
        let broken: &[Piece] = match self.profile() {
            None => &self.icc,
            Some(_) => &[],
        };
        (revisions.map(|&at| (at, 1)))
            .chain(transforms.map(|&at| (at, usual)))
            .chain(broken.iter().map(|piece| (piece.at, 0)))
            .collect()
    }
}

fn byte(source: &mut impl BufRead, at: &mut usize) -> io::Result<u8> {
    let mut byte = [0];
    source.read_exact(&mut byte)?;
    *at += 1;
    Ok(byte[0])
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Whether the scans in `data`, which begins at the first of them, are followed
/// by the marker that ends a picture.
fn reaches_its_end(data: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = memchr(0xff, &data[at..]) {
        at += found + 1;
        match data.get(at) {
            None => return false,
            Some(&EOI) => return true,
            // Part of a scan, or filling before the next marker.
            Some(0x00 | 0x01 | 0xd0..=0xd7) => at += 1,
            Some(0xff) => {}
            Some(_) => {
                let Some(length) = data.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([length[0], length[1]]));
                if at > data.len() {
                    return false;
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_behind_segments_and_not_within_them() {
        let sos = b"\xff\xda\x00\x04\xff\xd9";
        let scan = b"\x12\xff\x00\x34\xff\xd3\x56";
        let table = b"\xff\xc4\x00\x05\xff\xd9\x00";
        let whole = [&sos[..], scan, table, sos, scan, b"\xff\xff\xd9trailing"].concat();
        assert!(reaches_its_end(&whole));
        let end = whole.len() - b"\xd9trailing".len();
        assert!((0..=end).all(|length| !reaches_its_end(&whole[..length])));
    }

    #[test]
    fn headers_tell_whether_colour_has_half_the_size() {
        const JFIF: (u8, &[u8]) = (0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        const ADOBE: [(u8, &[u8]); 2] = [
            (0xee, b"Adobe\0\x64\0\0\0\0\0"),
            (0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        ];
        let is_told = |marker, names: &[u8; 3], first, others: &[(u8, &[u8])]| {
            let [a, b, c] = *names;
            let each = [a, first, 0, b, 0x11, 1, c, 0x11, 1];
            let frame = [&[8u8, 0, 30, 0, 40, 3][..], &each].concat();
            let mut segments = Segments::default();
            segments.take(marker, 0, &frame).unwrap();
            for &(marker, payload) in others {
                segments.take(marker, 0, payload).unwrap();
            }
            segments.is_subsampled()
        };
        let usual = &[1, 2, 3];
        assert!(is_told(0xc0, usual, 0x22, &[JFIF]));
        assert!(is_told(0xc2, usual, 0x22, &[]));
        assert!(is_told(0xc0, usual, 0x22, &[ADOBE[1]]));
        assert!(is_told(0xc0, usual, 0x22, &[JFIF, ADOBE[0]]));
        assert!(is_told(0xc0, b"RGB", 0x22, &[JFIF]));
        assert!(!is_told(0xc0, usual, 0x21, &[JFIF]));
        assert!(!is_told(0xc3, usual, 0x22, &[JFIF]));
        assert!(!is_told(0xc0, usual, 0x22, &[ADOBE[0]]));
        assert!(!is_told(0xc0, b"RGB", 0x22, &[]));
    }

    #[test]
    fn a_profile_with_a_missing_piece_is_none() {
        let mut segments = Segments::default();
        for number in [3, 1] {
            let payload = [b"ICC_PROFILE\0", &[number, 3][..], &[number; 4]].concat();
            segments.take(0xe2, 0, &payload).unwrap();
        }
        assert_eq!(segments.profile(), None);
        segments
            .take(0xe2, 0, b"ICC_PROFILE\0\x02\x03\x02\x02")
            .unwrap();
        assert_eq!(segments.profile().unwrap(), [1, 1, 1, 1, 2, 2, 3, 3, 3, 3]);
    }
}
