//! Image file directories, the tables of tags that TIFF files and EXIF blocks
//! consist of (TIFF 6.0, section 2; BigTIFF as in libtiff's specification).
//! Everything is little-endian.

use ::exif::{Context, Field, Value};

/// The tag of the pointer to the EXIF directory.
const EXIF_POINTER: u16 = 34665;
/// The tag of the pointer to the GPS directory.
const GPS_POINTER: u16 = 34853;

/// One tag with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub tag: u16,
    /// The type's number in TIFF 6.0.
    pub kind: u16,
    /// How many values of that type.
    pub count: u64,
    /// The values.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// An EXIF field as it is written, or `None` for a type that is unknown.
    pub fn from_field(field: &Field) -> Option<Self> {
        fn all<T, const N: usize>(values: &[T], bytes: impl Fn(&T) -> [u8; N]) -> Vec<u8> {
            values.iter().flat_map(bytes).collect()
        }
        fn pair(a: [u8; 4], b: [u8; 4]) -> [u8; 8] {
            let mut both = [0; 8];
            both[..4].copy_from_slice(&a);
            both[4..].copy_from_slice(&b);
            both
        }
        let (kind, size, bytes) = match &field.value {
            Value::Byte(v) => (1, 1, v.clone()),
            Value::Ascii(parts) => {
                let text: Vec<u8> = parts
                    .iter()
                    .flat_map(|part| part.iter().copied().chain([0]))
                    .collect();
                (2, 1, text)
            }
            Value::Short(v) => (3, 2, all(v, |n| n.to_le_bytes())),
            Value::Long(v) => (4, 4, all(v, |n| n.to_le_bytes())),
            Value::Rational(v) => (
                5,
                8,
                all(v, |n| pair(n.num.to_le_bytes(), n.denom.to_le_bytes())),
            ),
            Value::SByte(v) => (6, 1, all(v, |n| n.to_le_bytes())),
            Value::Undefined(v, _) => (7, 1, v.clone()),
            Value::SShort(v) => (8, 2, all(v, |n| n.to_le_bytes())),
            Value::SLong(v) => (9, 4, all(v, |n| n.to_le_bytes())),
            Value::SRational(v) => (
                10,
                8,
                all(v, |n| pair(n.num.to_le_bytes(), n.denom.to_le_bytes())),
            ),
            Value::Float(v) => (11, 4, all(v, |n| n.to_le_bytes())),
            Value::Double(v) => (12, 8, all(v, |n| n.to_le_bytes())),
            Value::Unknown(..) => return None,
        };
        Some(Self {
            tag: field.tag.number(),
            kind,
            count: (bytes.len() / size) as u64,
            bytes,
        })
    }
}

/// A directory under construction. Tags may be added in any order.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory(Vec<Entry>);

impl Directory {
    /// Adds a tag, or replaces it.
    pub fn push(&mut self, entry: Entry) {
        self.0.retain(|other| other.tag != entry.tag);
        self.0.push(entry);
    }

    pub fn short(&mut self, tag: u16, values: &[u16]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.values(tag, 3, values.len(), bytes.collect());
    }

    pub fn long(&mut self, tag: u16, values: &[u32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.values(tag, 4, values.len(), bytes.collect());
    }

    /// Offsets or sizes: LONG8 in a BigTIFF, LONG elsewhere.
    pub fn offsets(&mut self, tag: u16, values: &[u64], big: bool) {
        let width = if big { 8 } else { 4 };
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes().into_iter().take(width));
        self.values(tag, if big { 16 } else { 4 }, values.len(), bytes.collect());
    }

    pub fn rational(&mut self, tag: u16, [numerator, denominator]: [u32; 2]) {
        let mut bytes = numerator.to_le_bytes().to_vec();
        bytes.extend(denominator.to_le_bytes());
        self.values(tag, 5, 1, bytes);
    }

    pub fn ascii(&mut self, tag: u16, text: &str) {
        let bytes: Vec<u8> = text.bytes().chain([0]).collect();
        self.values(tag, 2, bytes.len(), bytes);
    }

    pub fn undefined(&mut self, tag: u16, bytes: &[u8]) {
        self.values(tag, 7, bytes.len(), bytes.to_vec());
    }

    fn values(&mut self, tag: u16, kind: u16, count: usize, bytes: Vec<u8>) {
        self.push(Entry {
            tag,
            kind,
            count: count as u64,
            bytes,
        });
    }

    /// The directory as it stands at `offset` of a file, which is a multiple of
    /// 8, followed by the values that have no room in it.
    fn encode(mut self, offset: u64, big: bool) -> Vec<u8> {
        self.0.sort_by_key(|entry| entry.tag);
        let (frame, size, inline) = if big { (16, 20, 8) } else { (6, 12, 4) };
        let table = (frame + size * self.0.len()).next_multiple_of(8);
        // Numbers that are 8 bytes wide in a BigTIFF and 4 elsewhere.
        let put = |bytes: &mut Vec<u8>, value: u64| {
            bytes.extend(value.to_le_bytes().into_iter().take(inline));
        };
        let (mut bytes, mut outside) = (Vec::new(), Vec::new());
        if big {
            put(&mut bytes, self.0.len() as u64);
        } else {
            bytes.extend((self.0.len() as u16).to_le_bytes());
        }
        for entry in &self.0 {
            bytes.extend(entry.tag.to_le_bytes());
            bytes.extend(entry.kind.to_le_bytes());
            put(&mut bytes, entry.count);
            if entry.bytes.len() <= inline {
                let mut value = entry.bytes.clone();
                value.resize(inline, 0);
                bytes.extend(value);
            } else {
                outside.resize(outside.len().next_multiple_of(8), 0);
                put(&mut bytes, offset + (table + outside.len()) as u64);
                outside.extend(&entry.bytes);
            }
        }
        put(&mut bytes, 0); // no directory after this one
        bytes.resize(table, 0);
        bytes.extend(outside);
        bytes
    }
}

/// The directories of one picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub main: Directory,
    pub exif: Directory,
    pub gps: Directory,
}

impl Tree {
    /// Adds an EXIF field to the directory that it belongs to.
    pub fn push_field(&mut self, field: &Field) {
        let directory = match field.tag.context() {
            Context::Tiff => &mut self.main,
            Context::Gps => &mut self.gps,
            _ => &mut self.exif,
        };
        if let Some(entry) = Entry::from_field(field) {
            directory.push(entry);
        }
    }

    /// The directories as they stand at `offset` of a file, a multiple of 8,
    /// and the offset of the main one. That comes last, so that a file that
    /// was cut short shows it.
    pub fn encode(mut self, offset: u64, big: bool) -> (Vec<u8>, u64) {
        let mut bytes = Vec::new();
        for (pointer, child) in [(EXIF_POINTER, self.exif), (GPS_POINTER, self.gps)] {
            if !child.0.is_empty() {
                let at = offset + bytes.len() as u64;
                self.main.offsets(pointer, &[at], big);
                bytes.extend(child.encode(at, big));
                bytes.resize(bytes.len().next_multiple_of(8), 0);
            }
        }
        let root = offset + bytes.len() as u64;
        bytes.extend(self.main.encode(root, big));
        (bytes, root)
    }
}
