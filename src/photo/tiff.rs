//! Reads TIFF.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use ::exif::{Context, Field, In, Rational, SRational, Value};
use ::tiff::decoder::{BufferLayoutPreference, Decoder, DecodingSampleType};
use ::tiff::tags::{ByteOrder, CompressionMethod, IfdPointer, Predictor, Tag, Type, ValueBuffer};
use ::tiff::{ColorType, Directory, TiffError};
use bytemuck::{NoUninit, Pod};

use crate::{Error, Result};

use super::channels::{self, Depth, Layout};
use super::colour::{self, Sample};
use super::exif::{Block, Exif};
use super::read::{Colour, Header, Pixels, raw_file};
use super::{Limits, Metadata, fault};

const DNG_VERSION: Tag = Tag::Unknown(50706);

type Source = Decoder<BufReader<File>>;

pub(super) fn header(path: &Path, file: File, limits: &Limits) -> Result<Header> {
    Ok(Picture::open(path, file, limits)?.header)
}

pub(super) fn decode(path: &Path, file: File, limits: &Limits) -> Result<(Header, Pixels)> {
    let mut picture = Picture::open(path, file, limits)?;
    let pixels = picture.pixels(path)?;
    Ok((picture.header, pixels))
}

/// The first picture of a file.
struct Picture {
    decoder: Source,
    header: Header,
    buffer: BufferLayoutPreference,
    /// Bits of a sample as it is stored.
    stored_bits: u8,
    /// Samples of a pixel in the buffer.
    channels: usize,
    /// Whether the sample after the colours is alpha, and multiplied into them.
    alpha: Alpha,
    ycbcr: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alpha {
    None,
    Associated,
    Unassociated,
}

impl Picture {
    fn open(path: &Path, file: File, limits: &Limits) -> Result<Self> {
        let bad = |error| bad(path, error);
        let length = file
            .metadata()
            .map_err(|error| fault::unreadable(path, &error))?
            .len();
        let mut decoder = Decoder::new(BufReader::new(file)).map_err(bad)?;
        if decoder.image_ifd().directory().contains(DNG_VERSION) {
            return Err(raw_file(path));
        }
        let (width, height) = decoder.dimensions().map_err(bad)?;
        fault::check_size(path, width.into(), height.into(), limits)?;
        // A strip may be as long as it likes: it is read as it is decoded. The
        // limits on tags stay.
        let mut allowed = ::tiff::decoder::Limits::default();
        allowed.intermediate_buffer_size = usize::MAX;
        decoder = decoder.with_limits(allowed);
        if reaches_past(&mut decoder, length).map_err(bad)? {
            return Err(fault::cut_short(path));
        }

        const PALETTE: u16 = 3;
        let photometric = decoder.find_tag_unsigned(Tag::PhotometricInterpretation);
        if photometric.map_err(bad)? == Some(PALETTE) {
            return Err(fault::unsupported(path, "colours from a palette"));
        }
        let stored = decoder.colortype().map_err(bad)?;
        let buffer = decoder.image_buffer_layout().map_err(bad)?;
        let extra = decoder
            .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
            .map_err(bad)?
            .unwrap_or_default();
        let alpha = match extra.first() {
            Some(1) => Alpha::Associated,
            Some(2) => Alpha::Unassociated,
            _ => Alpha::None,
        };
        let (colour, alpha) = match stored {
            ColorType::Gray(_) => (Colour::Grey, Alpha::None),
            ColorType::Multiband { .. } => (Colour::Grey, alpha),
            ColorType::RGB(_) | ColorType::YCbCr(8) => (Colour::Rgb, Alpha::None),
            ColorType::RGBA(_) => (Colour::Rgb, alpha),
            ColorType::CMYK(_) | ColorType::CMYKA(_) => (Colour::Cmyk, Alpha::None),
            other => return Err(fault::unsupported(path, format!("{other:?} samples"))),
        };
        refuse_scrambled(path, &mut decoder, stored)?;
        let bits = match buffer.sample_type {
            Some(DecodingSampleType::U8) => 8,
            Some(
                DecodingSampleType::U16
                | DecodingSampleType::U32
                | DecodingSampleType::F32
                | DecodingSampleType::F64,
            ) => 16,
            _ => return Err(fault::unsupported(path, "samples of an unusual type")),
        };
        let block = read_exif(&mut decoder);
        let icc = match decoder.find_tag(Tag::IccProfile) {
            Ok(value) => value.and_then(|value| value.into_u8_vec().ok()),
            Err(TiffError::IoError(error)) => return Err(bad(TiffError::IoError(error))),
            // A broken profile is not worth losing a photograph for.
            Err(_) => None,
        };
        let header = Header {
            width: width as usize,
            height: height as usize,
            bits,
            colour,
            has_alpha: alpha != Alpha::None,
            orientation: block.orientation,
            metadata: Metadata::new(block, icc, None),
            subsampled: false,
        };
        Ok(Self {
            header,
            buffer,
            stored_bits: stored.bit_depth(),
            channels: stored.num_samples().into(),
            alpha,
            ycbcr: matches!(stored, ColorType::YCbCr(_)),
            decoder,
        })
    }

    fn pixels(&mut self, path: &Path) -> Result<Pixels> {
        match self.buffer.sample_type {
            Some(DecodingSampleType::U8) if self.stored_bits < 8 => {
                let packed = self.fill::<u8>(path)?;
                Ok(self.to_rgb(self.unpack(&packed)))
            }
            Some(DecodingSampleType::U8) => {
                let mut samples = self.interleaved::<u8>(path)?;
                if self.ycbcr {
                    for pixel in samples.as_chunks_mut::<3>().0 {
                        *pixel = ycbcr_to_rgb(*pixel);
                    }
                }
                Ok(self.to_rgb(samples))
            }
            Some(DecodingSampleType::U16) => {
                let samples = self.interleaved::<u16>(path)?;
                Ok(self.to_rgb(samples))
            }
            Some(DecodingSampleType::U32) => {
                let samples = self.interleaved::<u32>(path)?;
                Ok(self.to_rgb(to_sixteen(&samples, |value| (value >> 16) as u16)))
            }
            Some(DecodingSampleType::F32) => {
                let samples = self.interleaved::<f32>(path)?;
                // A float beyond full scale is full scale, and not-a-number is 0.
                Ok(self.to_rgb(to_sixteen(&samples, |value| {
                    (value * 65535.0).round() as u16
                })))
            }
            _ => {
                let samples = self.interleaved::<f64>(path)?;
                Ok(self.to_rgb(to_sixteen(&samples, |value| {
                    (value * 65535.0).round() as u16
                })))
            }
        }
    }

    /// All samples as they come, plane after plane if they are stored so.
    fn fill<T: Pod + Send>(&mut self, path: &Path) -> Result<Vec<T>> {
        let count = self.buffer.complete_len.div_ceil(size_of::<T>());
        let mut samples = fault::zeroes::<T>(path, count)?;
        self.decoder
            .read_image_bytes(bytemuck::cast_slice_mut(&mut samples))
            .map_err(|error| bad(path, error))?;
        Ok(samples)
    }

    /// All samples, pixel after pixel.
    fn interleaved<T: Pod + Send>(&mut self, path: &Path) -> Result<Vec<T>> {
        let samples = self.fill::<T>(path)?;
        let pixels = self.header.width * self.header.height;
        if self.buffer.planes <= 1 {
            return Ok(samples);
        }
        let mut interleaved = fault::zeroes::<T>(path, pixels * self.channels)?;
        for (channel, plane) in samples.chunks_exact(pixels).take(self.channels).enumerate() {
            let target = interleaved[channel..].iter_mut().step_by(self.channels);
            for (to, from) in target.zip(plane) {
                *to = *from;
            }
        }
        Ok(interleaved)
    }

    /// Samples of less than 8 bits, which are packed into bytes, at full scale.
    fn unpack(&self, packed: &[u8]) -> Vec<u8> {
        let bits = usize::from(self.stored_bits);
        let most = (1u32 << bits) - 1;
        let in_row = self.header.width * self.channels;
        let row_bytes = (in_row * bits).div_ceil(8);
        let rows = packed.chunks_exact(row_bytes);
        rows.flat_map(|row| {
            (0..in_row).map(move |i| {
                let (byte, shift) = (row[i * bits / 8], 8 - bits - i * bits % 8);
                ((u32::from(byte >> shift) & most) * 255 / most) as u8
            })
        })
        .collect()
    }

    fn to_rgb<T: Depth + Sample>(&self, mut samples: Vec<T>) -> Pixels {
        let channels = self.channels;
        if self.header.colour == Colour::Cmyk {
            if channels > 4 {
                samples = keep(&samples, channels, 4);
            }
            let icc = self.header.metadata.icc.as_deref();
            return channels::to_rgb(colour::from_cmyk(&samples, icc), Layout::Rgb);
        }
        let layout = match (self.header.colour, self.header.has_alpha) {
            (Colour::Grey, false) => Layout::Grey,
            (Colour::Grey, true) => Layout::GreyAlpha,
            (_, false) => Layout::Rgb,
            (_, true) => Layout::RgbAlpha,
        };
        if channels > layout.channels() {
            samples = keep(&samples, channels, layout.channels());
        }
        if self.alpha == Alpha::Associated {
            channels::divide_by_alpha(&mut samples, layout.channels());
        }
        channels::to_rgb(samples, layout)
    }
}

/// The first `kept` of every `channels` samples.
fn keep<T: Copy>(samples: &[T], channels: usize, kept: usize) -> Vec<T> {
    let pixels = samples.chunks_exact(channels);
    pixels.flat_map(|pixel| &pixel[..kept]).copied().collect()
}

fn to_sixteen<T: NoUninit>(samples: &[T], scale: impl Fn(T) -> u16) -> Vec<u16> {
    samples.iter().map(|&value| scale(value)).collect()
}

/// Full-range BT.601, as JPEG has it (JFIF 1.02).
fn ycbcr_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|value| value.round() as u8)
}

/// Whether a strip or tile lies past the end of a file of `length` bytes.
fn reaches_past(decoder: &mut Source, length: u64) -> Result<bool, TiffError> {
    for (offsets, counts) in [
        (Tag::StripOffsets, Tag::StripByteCounts),
        (Tag::TileOffsets, Tag::TileByteCounts),
    ] {
        let offsets = decoder.find_tag_unsigned_vec::<u64>(offsets)?;
        let counts = decoder.find_tag_unsigned_vec::<u64>(counts)?;
        let (offsets, counts) = (offsets.unwrap_or_default(), counts.unwrap_or_default());
        if offsets
            .iter()
            .zip(&counts)
            .any(|(offset, count)| offset.saturating_add(*count) > length)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses what the decoder would get wrong: it takes extra channels away
/// before it undoes a prediction that ran across them.
fn refuse_scrambled(path: &Path, decoder: &mut Source, stored: ColorType) -> Result<()> {
    let mut get = |tag| {
        let value = decoder.find_tag_unsigned::<u16>(tag);
        value.map_err(|error| bad(path, error))
    };
    let samples = get(Tag::SamplesPerPixel)?.unwrap_or(1);
    let predicted = get(Tag::Predictor)?.is_some_and(|value| value != Predictor::None.to_u16());
    let planar = get(Tag::PlanarConfiguration)? == Some(2);
    if predicted && !planar && samples > stored.num_samples() {
        return Err(fault::unsupported(path, "extra channels with prediction"));
    }
    // zune-jpeg gives the inks of such a picture in an order of its own.
    let jpeg = get(Tag::Compression)? == Some(CompressionMethod::ModernJPEG.to_u16());
    if jpeg && matches!(stored, ColorType::CMYK(_) | ColorType::CMYKA(_)) {
        return Err(fault::unsupported(path, "CMYK in JPEG in TIFF"));
    }
    Ok(())
}

/// The tags that say what an EXIF block says. What cannot be read is left out.
fn read_exif(decoder: &mut Source) -> Block {
    let mut fields = Vec::new();
    let mut pointer = |tag| {
        let offset = decoder.find_tag_unsigned(tag).ok().flatten();
        offset.map(IfdPointer)
    };
    let (exif, gps) = (pointer(Tag::ExifDirectory), pointer(Tag::GpsDirectory));
    for (at, context) in [
        (decoder.ifd_pointer(), Context::Tiff),
        (exif, Context::Exif),
        (gps, Context::Gps),
    ] {
        if let Some(directory) = at.and_then(|at| decoder.read_directory(at).ok()) {
            gather(decoder, &directory, context, &mut fields);
        }
    }
    Block::from_fields(fields)
}

fn gather(decoder: &mut Source, directory: &Directory, context: Context, fields: &mut Vec<Field>) {
    for (tag, entry) in directory.iter() {
        let name = ::exif::Tag(context, tag.to_u16());
        let wanted = Exif::carries(name)
            || matches!(
                name,
                ::exif::Tag::Orientation
                    | ::exif::Tag::XResolution
                    | ::exif::Tag::YResolution
                    | ::exif::Tag::ResolutionUnit
            );
        if !wanted || entry.count() > Exif::LONGEST as u64 {
            continue;
        }
        let mut buffer = ValueBuffer::empty(entry.field_type());
        let read = decoder
            .read_directory_tags(directory)
            .find_tag_buf(tag, &mut buffer);
        if read.is_ok()
            && let Some(value) = exif_value(buffer)
        {
            fields.push(Field {
                tag: name,
                ifd_num: In::PRIMARY,
                value,
            });
        }
    }
}

fn exif_value(mut buffer: ValueBuffer) -> Option<Value> {
    fn all<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes
            .as_chunks::<N>()
            .0
            .iter()
            .copied()
            .map(value)
            .collect()
    }
    buffer.set_byte_order(ByteOrder::LittleEndian);
    let bytes = buffer.as_bytes();
    Some(match buffer.data_type() {
        Type::BYTE => Value::Byte(bytes.to_vec()),
        Type::ASCII => {
            let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
            Value::Ascii(text.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect())
        }
        Type::SHORT => Value::Short(all(bytes, u16::from_le_bytes)),
        Type::LONG => Value::Long(all(bytes, u32::from_le_bytes)),
        Type::RATIONAL => Value::Rational(all(bytes, |pair: [u8; 8]| {
            let [a, b, c, d, e, f, g, h] = pair;
            Rational {
                num: u32::from_le_bytes([a, b, c, d]),
                denom: u32::from_le_bytes([e, f, g, h]),
            }
        })),
        Type::SRATIONAL => Value::SRational(all(bytes, |pair: [u8; 8]| {
            let [a, b, c, d, e, f, g, h] = pair;
            SRational {
                num: i32::from_le_bytes([a, b, c, d]),
                denom: i32::from_le_bytes([e, f, g, h]),
            }
        })),
        Type::UNDEFINED => Value::Undefined(bytes.to_vec(), 0),
        Type::SSHORT => Value::SShort(all(bytes, i16::from_le_bytes)),
        Type::SLONG => Value::SLong(all(bytes, i32::from_le_bytes)),
        _ => return None,
    })
}

fn bad(path: &Path, error: TiffError) -> Error {
    match error {
        TiffError::IoError(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                fault::damaged(path, error)
            }
            _ => fault::unreadable(path, &error),
        },
        TiffError::UnsupportedError(what) => {
            fault::unsupported(path, format!("TIFF data ({what})"))
        }
        other => fault::damaged(path, other),
    }
}
