//! Pictures and files to test with.

use std::fs;
use std::path::PathBuf;

use exif::{Field, In, Tag, Value};
use image::ImageEncoder;
use parfocal::photo::{
    Compression, Encoding, Format, Limits, Metadata, Photo, Samples, read, write,
};
use tempfile::{TempDir, tempdir};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

/// A picture with slopes, edges and some noise.
pub fn picture(width: usize, height: usize, bits: u8, alpha: bool) -> Photo {
    let mut state = 7u32;
    let values: Vec<u16> = (0..width * height * 3)
        .map(|i| {
            let (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slope = (x * 40_000 / width + y * 20_000 / height) * (channel + 1) / 3;
            let edge = if (x / 8 + y / 8) % 2 == 0 { 3000 } else { 0 };
            (slope + edge) as u16 + (state >> 25) as u16
        })
        .collect();
    let samples = if bits == 16 {
        Samples::Sixteen(values)
    } else {
        Samples::Eight(values.iter().map(|value| (value >> 8) as u8).collect())
    };
    let shown = |i: usize| {
        if i % width < 3 {
            0
        } else {
            255 - (i / width % 5) as u8
        }
    };
    Photo {
        width,
        height,
        samples,
        alpha: alpha.then(|| (0..width * height).map(shown).collect()),
        metadata: Metadata::default(),
    }
}

/// A 32×16 picture whose quarters are red, green, blue and white.
pub fn quarters() -> Vec<u8> {
    (0..32 * 16)
        .flat_map(|i| match (i % 32 < 16, i / 32 < 8) {
            (true, true) => [255, 0, 0],
            (false, true) => [0, 255, 0],
            (true, false) => [0, 0, 255],
            (false, false) => [255, 255, 255],
        })
        .collect()
}

/// The colours of the quarters, in reading order.
pub fn quarter_names(photo: &Photo) -> String {
    let samples = eight(&photo.samples);
    let (w, h) = (photo.width, photo.height);
    [
        (w / 4, h / 4),
        (3 * w / 4, h / 4),
        (w / 4, 3 * h / 4),
        (3 * w / 4, 3 * h / 4),
    ]
    .map(|(x, y)| {
        let at = (y * w + x) * 3;
        match [
            samples[at] > 128,
            samples[at + 1] > 128,
            samples[at + 2] > 128,
        ] {
            [true, false, false] => 'R',
            [false, true, false] => 'G',
            [false, false, true] => 'B',
            [true, true, true] => 'W',
            _ => '?',
        }
    })
    .iter()
    .collect()
}

/// 8-bit samples.
pub fn eight(samples: &Samples) -> &[u8] {
    match samples {
        Samples::Eight(samples) => samples,
        Samples::Sixteen(_) => panic!("16 bits where 8 were expected"),
    }
}

/// The first sample of every pixel.
pub fn greys(photo: &Photo) -> Vec<u8> {
    eight(&photo.samples).iter().step_by(3).copied().collect()
}

pub fn encoding(format: Format, bits: u8) -> Encoding {
    Encoding {
        format,
        bits,
        ..Encoding::default()
    }
}

pub fn any_size() -> Limits {
    Limits::default()
}

pub fn text(tag: Tag, value: &str) -> Field {
    field(tag, Value::Ascii(vec![value.into()]))
}

pub fn field(tag: Tag, value: Value) -> Field {
    Field {
        tag,
        ifd_num: In::PRIMARY,
        value,
    }
}

/// An EXIF block, without `Exif\0\0`, with an orientation and a time.
pub fn exif_block(orientation: u16) -> Vec<u8> {
    let orientation = field(Tag::Orientation, Value::Short(vec![orientation]));
    let time = text(Tag::DateTimeOriginal, "2026:11:22 10:20:30");
    let mut writer = exif::experimental::Writer::new();
    writer.push_field(&orientation);
    writer.push_field(&time);
    let mut block = std::io::Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    block.into_inner()
}

/// A JPEG of `pixels`, of the best quality unless `setup` says otherwise.
pub fn jpeg(
    pixels: &[u8],
    width: usize,
    format: PixelFormat,
    setup: impl Fn(&mut Compressor),
) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(100).unwrap();
    compressor.set_subsamp(Subsamp::None).unwrap();
    setup(&mut compressor);
    let pitch = width * format.size();
    let height = pixels.len() / pitch;
    let image = Image {
        pixels,
        width,
        pitch,
        height,
        format,
    };
    compressor.compress_to_vec(image).unwrap()
}

/// `jpeg` with another segment in front.
pub fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let mut file = jpeg[..2].to_vec();
    file.extend([0xff, marker]);
    file.extend((payload.len() as u16 + 2).to_be_bytes());
    file.extend(payload);
    file.extend(&jpeg[2..]);
    file
}

/// A lossless WebP.
pub fn webp(
    pixels: &[u8],
    width: u32,
    colour: image::ExtendedColorType,
    exif: Option<Vec<u8>>,
) -> Vec<u8> {
    let height = pixels.len() as u32 / width / u32::from(colour.channel_count());
    let mut file = Vec::new();
    let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut file);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.write_image(pixels, width, height, colour).unwrap();
    file
}

pub fn bmp(pixels: &[u8], width: u32) -> Vec<u8> {
    let height = pixels.len() as u32 / width / 3;
    let mut file = Vec::new();
    image::codecs::bmp::BmpEncoder::new(&mut file)
        .write_image(pixels, width, height, image::ExtendedColorType::Rgb8)
        .unwrap();
    file
}

/// An uncompressed TIFF as others might write it, its tags after its pixels.
pub struct TiffFile {
    pub big_endian: bool,
    pub tiled: bool,
    /// Strips, tiles or planes.
    pub chunks: Vec<Vec<u8>>,
    /// Tag, type (3 SHORT, 4 LONG) and values.
    tags: Vec<(u16, u16, Vec<u32>)>,
}

impl TiffFile {
    /// One strip of `bits` bits a sample, with the photometric interpretation
    /// of TIFF 6.0.
    pub fn new(
        [width, height]: [u32; 2],
        bits: u32,
        photometric: u32,
        channels: u32,
        data: Vec<u8>,
    ) -> Self {
        let file = Self {
            big_endian: false,
            tiled: false,
            chunks: vec![data],
            tags: Vec::new(),
        };
        file.with(256, 4, &[width])
            .with(257, 4, &[height])
            .with(258, 3, &vec![bits; channels as usize])
            .with(259, 3, &[1])
            .with(262, 3, &[photometric])
            .with(277, 3, &[channels])
    }

    pub fn with(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.tags.retain(|other| other.0 != tag);
        self.tags.push((tag, kind, values.to_vec()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let ordered = |value: u32, length: usize| {
            let mut bytes = value.to_le_bytes()[..length].to_vec();
            if self.big_endian {
                bytes.reverse();
            }
            bytes
        };
        let mut file = if self.big_endian { b"MM" } else { b"II" }.to_vec();
        file.extend(ordered(42, 2));
        file.extend([0; 4]);
        let mut offsets = Vec::new();
        for chunk in &self.chunks {
            offsets.push(file.len() as u32);
            file.extend(chunk);
        }
        let sizes: Vec<u32> = self.chunks.iter().map(|chunk| chunk.len() as u32).collect();
        let (at, count) = if self.tiled { (324, 325) } else { (273, 279) };
        let mut tags = self.tags.clone();
        tags.push((at, 4, offsets));
        tags.push((count, 4, sizes));
        tags.sort();
        let mut table = Vec::new();
        for (tag, kind, values) in &tags {
            let size = if *kind == 3 { 2 } else { 4 };
            let mut value: Vec<u8> = values.iter().flat_map(|&v| ordered(v, size)).collect();
            table.extend(ordered(u32::from(*tag), 2));
            table.extend(ordered(u32::from(*kind), 2));
            table.extend(ordered(values.len() as u32, 4));
            if value.len() > 4 {
                table.extend(ordered(file.len() as u32, 4));
                file.extend(value);
            } else {
                value.resize(4, 0);
                table.extend(value);
            }
        }
        let at = file.len() as u32;
        file[4..8].copy_from_slice(&ordered(at, 4));
        file.extend(ordered(tags.len() as u32, 2));
        file.extend(table);
        file.extend([0; 4]);
        file
    }

    pub fn read(&self) -> Photo {
        let folder = Folder::new();
        read(&folder.put("t.tif", self.bytes()), &any_size()).unwrap()
    }
}

/// A grey TIFF with its tags in front of its pixels.
fn directory_first([width, height]: [u32; 2], grey: &[u8]) -> Vec<u8> {
    let tags = [
        (256u16, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8 + 2 + 9 * 12 + 4),
        (277, 1),
        (278, height),
        (279, width * height),
    ];
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        file.extend(tag.to_le_bytes());
        file.extend(4u16.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend(grey);
    file
}

/// A 60×50 picture in every format, with its file's name.
pub fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    let folder = Folder::new();
    let photo = picture(60, 50, 8, false);
    let pixels = eight(&photo.samples);
    let rgb8 = image::ExtendedColorType::Rgb8;
    let mut files = vec![
        ("first.tif", directory_first([60, 50], &greys(&photo))),
        ("baseline.jpg", jpeg(pixels, 60, PixelFormat::RGB, |_| ())),
        (
            "progressive.jpg",
            jpeg(pixels, 60, PixelFormat::RGB, |compressor| {
                compressor.set_progressive(true).unwrap();
            }),
        ),
        ("w.webp", webp(pixels, 60, rgb8, None)),
        ("b.bmp", bmp(pixels, 60)),
    ];
    for (name, format, bits, compression) in [
        ("none.tif", Format::Tiff, 16, Compression::None),
        ("deflate.tif", Format::Tiff, 16, Compression::Deflate),
        ("lzw.tif", Format::Tiff, 16, Compression::Lzw),
        ("eight.png", Format::Png, 8, Compression::None),
        ("sixteen.png", Format::Png, 16, Compression::None),
    ] {
        let encoding = Encoding {
            compression,
            ..encoding(format, bits)
        };
        let path = folder.path(name);
        write(&path, &photo, &encoding, false, &|| true).unwrap();
        files.push((name, fs::read(path).unwrap()));
    }
    files
}

/// A folder that goes away with the test.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// What lies in it, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
