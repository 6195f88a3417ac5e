//! What the camera wrote about a photograph, as far as it still holds for a
//! picture made from several.

use std::fmt;

use ::exif::{Context, Field, In, Reader, Tag, Value};

use super::Orientation;
use super::ifd::Entry;

/// The fields that are carried to a result; all of GPS is carried as well.
/// Maker notes, thumbnails, serial numbers and anything about how the pixels
/// were stored are not: they do not hold for the result, or are private.
const CARRIED: [Tag; 29] = [
    Tag::Make,
    Tag::Model,
    Tag::ImageDescription,
    Tag::Artist,
    Tag::Copyright,
    Tag::DateTime,
    Tag::DateTimeOriginal,
    Tag::DateTimeDigitized,
    Tag::OffsetTime,
    Tag::OffsetTimeOriginal,
    Tag::OffsetTimeDigitized,
    Tag::SubSecTime,
    Tag::SubSecTimeOriginal,
    Tag::SubSecTimeDigitized,
    Tag::ExposureTime,
    Tag::FNumber,
    Tag::ExposureProgram,
    Tag::PhotographicSensitivity,
    Tag::ExposureBiasValue,
    Tag::MeteringMode,
    Tag::Flash,
    Tag::FocalLength,
    Tag::FocalLengthIn35mmFilm,
    Tag::ColorSpace,
    Tag::LensSpecification,
    Tag::LensMake,
    Tag::LensModel,
    Tag::SensitivityType,
    Tag::SubjectDistance,
];

/// EXIF fields, each at most once and only those that still hold for a picture
/// made from several photographs.
#[derive(Debug, Clone, Default)]
pub struct Exif {
    fields: Vec<Field>,
}

impl Exif {
    /// No value with more bytes is carried: an EXIF block in a JPEG has 64 KB.
    pub(super) const LONGEST: usize = 2048;

    /// Keeps those of `fields` that are carried to a result: of each tag the
    /// first, of the primary image only.
    pub fn from_fields(fields: impl IntoIterator<Item = Field>) -> Self {
        let mut exif = Self::default();
        for field in fields {
            if field.ifd_num == In::PRIMARY && carried(&field) && exif.get(field.tag).is_none() {
                exif.fields.push(field);
            }
        }
        exif
    }

    /// The fields, in the order they were found.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of `tag`, if it is there.
    pub fn get(&self, tag: Tag) -> Option<&Value> {
        self.fields
            .iter()
            .find(|field| field.tag == tag)
            .map(|field| &field.value)
    }

    /// True where nothing is known.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// When the picture was taken, by the camera's clock; where that is
    /// missing when it was digitised, or else when the file was changed.
    pub fn capture_time(&self) -> Option<CaptureTime> {
        [
            (Tag::DateTimeOriginal, Tag::SubSecTimeOriginal),
            (Tag::DateTimeDigitized, Tag::SubSecTimeDigitized),
            (Tag::DateTime, Tag::SubSecTime),
        ]
        .into_iter()
        .find_map(|(time, fraction)| CaptureTime::parse(self.ascii(time)?, self.ascii(fraction)))
    }

    /// Whether a field of this tag is carried to a result.
    pub(super) fn carries(tag: Tag) -> bool {
        CARRIED.contains(&tag) || tag.context() == Context::Gps
    }

    /// Forgets `tag`.
    pub(super) fn remove(&mut self, tag: Tag) {
        self.fields.retain(|field| field.tag != tag);
    }

    fn ascii(&self, tag: Tag) -> Option<&[u8]> {
        match self.get(tag)? {
            Value::Ascii(parts) => parts.first().map(Vec::as_slice),
            _ => None,
        }
    }
}

impl PartialEq for Exif {
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(|(a, b)| {
                // Where a value lay in its file is no part of it.
                let data = |field: &Field| Entry::from_field(field);
                a.tag == b.tag && data(a) == data(b)
            })
    }
}

/// Whether a field is carried to a result.
fn carried(field: &Field) -> bool {
    let listed = Exif::carries(field.tag);
    let Some(entry) = Entry::from_field(field).filter(|_| listed) else {
        return false;
    };
    let size = entry.bytes.len();
    if size == 0 || size > Exif::LONGEST {
        return false;
    }
    // Microscopy programs keep the structure of a file here. It is not the
    // structure of ours, and they would believe it.
    let structural = [&b"ImageJ="[..], b"<", b"{"];
    field.tag != Tag::ImageDescription
        || !structural
            .iter()
            .any(|start| entry.bytes.starts_with(start))
}

/// A moment on the camera's own clock. Later moments compare greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureTime {
    /// The year, such as 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// 0 to 999 999 999; 0 where the camera did not say.
    pub nanosecond: u32,
}

impl CaptureTime {
    fn parse(time: &[u8], fraction: Option<&[u8]>) -> Option<Self> {
        let mut parsed = ::exif::DateTime::from_ascii(time).ok()?;
        if let Some(fraction) = fraction {
            // A fraction that makes no sense still leaves the second.
            let _ = parsed.parse_subsec(fraction.trim_ascii());
        }
        let plausible = (1..=12).contains(&parsed.month)
            && (1..=31).contains(&parsed.day)
            && parsed.hour < 24
            && parsed.minute < 60
            && parsed.second <= 60;
        plausible.then_some(Self {
            year: parsed.year,
            month: parsed.month,
            day: parsed.day,
            hour: parsed.hour,
            minute: parsed.minute,
            second: parsed.second,
            nanosecond: parsed.nanosecond.unwrap_or(0),
        })
    }
}

impl fmt::Display for CaptureTime {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            nanosecond,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )?;
        if *nanosecond > 0 {
            let digits = format!("{nanosecond:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

/// What an EXIF block says.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub exif: Exif,
    pub orientation: Orientation,
    /// Pixels per inch.
    pub resolution: Option<[f64; 2]>,
    /// Whether the samples are Adobe RGB by the DCF rule (DCF 2.0, option file).
    pub adobe_rgb: bool,
}

impl Block {
    /// Reads a block as it stands in JPEG, PNG and WebP: a TIFF without a
    /// picture, perhaps after `Exif\0\0`. What cannot be read is left out.
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
        let parsed = Reader::new()
            .continue_on_error(true)
            .read_raw(bytes.to_vec())
            .or_else(|error| error.distill_partial_result(|_| ()));
        match parsed {
            Ok(parsed) => Self::from_fields(parsed.fields().cloned().collect()),
            Err(_) => Self::default(),
        }
    }

    /// Sorts out the fields of a photograph.
    pub fn from_fields(fields: Vec<Field>) -> Self {
        let get = |tag| {
            let is_it = |field: &&Field| field.tag == tag && field.ifd_num == In::PRIMARY;
            fields.iter().find(is_it).map(|field| &field.value)
        };
        let unsigned = |tag| get(tag).and_then(|value| value.get_uint(0));
        let ratio = |tag| match get(tag) {
            Some(Value::Rational(values)) => values.first().map(|value| value.to_f64()),
            _ => None,
        };
        let resolution = match (ratio(Tag::XResolution), ratio(Tag::YResolution)) {
            (Some(x), Some(y)) => super::metadata::per_inch([x, y], unsigned(Tag::ResolutionUnit)),
            _ => None,
        };
        let adobe_rgb = matches!(get(Tag::InteroperabilityIndex),
            Some(Value::Ascii(parts)) if parts.first().is_some_and(|part| part == b"R03"));
        Self {
            orientation: Orientation::from_exif(unsigned(Tag::Orientation).unwrap_or(1)),
            resolution,
            adobe_rgb,
            exif: Exif::from_fields(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tag: Tag, value: &str) -> Field {
        Field {
            tag,
            ifd_num: In::PRIMARY,
            value: Value::Ascii(vec![value.as_bytes().to_vec()]),
        }
    }

    #[test]
    fn only_listed_fields_are_carried() {
        let exif = Exif::from_fields([
            text(Tag::Make, "Maker"),
            text(Tag::BodySerialNumber, "12345"),
            Field {
                ifd_num: In::THUMBNAIL,
                ..text(Tag::Model, "of the thumbnail")
            },
            text(Tag::ImageDescription, "ImageJ=1.53\nslices=5"),
            text(Tag::GPSLatitudeRef, "N"),
            text(Tag::Artist, &"x".repeat(5000)),
        ]);
        let tags: Vec<_> = exif.fields().iter().map(|field| field.tag).collect();
        assert_eq!(tags, [Tag::Make, Tag::GPSLatitudeRef]);
    }

    #[test]
    fn capture_times_order_by_their_fractions() {
        let taken = |fraction: &str| {
            Exif::from_fields([
                text(Tag::DateTime, "2026:01:01 00:00:00"),
                text(Tag::DateTimeOriginal, "2026:11:22 10:20:30"),
                text(Tag::SubSecTimeOriginal, fraction),
            ])
            .capture_time()
            .unwrap()
        };
        assert!(taken("05") < taken("4"));
        assert_eq!(taken("05").to_string(), "2026-11-22 10:20:30.05");
        assert_eq!(taken("").to_string(), "2026-11-22 10:20:30");
    }

    #[test]
    fn a_nonsense_time_is_none() {
        for time in [
            "    :  :     :  :  ",
            "2026:13:01 00:00:00",
            "0000:00:00 00:00:00",
            "x",
        ] {
            let exif = Exif::from_fields([text(Tag::DateTimeOriginal, time)]);
            assert_eq!(exif.capture_time(), None, "{time}");
        }
    }

    #[test]
    fn a_broken_block_is_empty() {
        let block = Block::parse(b"Exif\0\0II*\0\xff\xff\xff\x7f");
        assert!(block.exif.is_empty());
        assert_eq!(block.orientation, Orientation::UPRIGHT);
    }
}
