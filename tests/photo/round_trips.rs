//! What is written reads back.

use exif::{Tag, Value};
use parfocal::Error;
use parfocal::photo::{
    Colour, Compression, Encoding, Exif, Format, Metadata, Samples, convert, probe, read,
    read_metadata, write, write_grey16,
};

use crate::material::{Folder, any_size, eight, encoding, field, picture, text};

/// The same picture with other bits.
fn with_bits(samples: &Samples, bits: u8) -> Samples {
    match (samples, bits) {
        (Samples::Eight(v), 16) => {
            Samples::Sixteen(v.iter().map(|&v| u16::from(v) * 257).collect())
        }
        (Samples::Sixteen(v), 8) => {
            let nearest = |&v: &u16| (f64::from(v) / 257.0).round() as u8;
            Samples::Eight(v.iter().map(nearest).collect())
        }
        _ => samples.clone(),
    }
}

#[test]
fn lossless_formats_give_back_what_was_written() {
    let folder = Folder::new();
    let path = folder.path("picture");
    for (format, compression) in [
        (Format::Tiff, Compression::None),
        (Format::Tiff, Compression::Deflate),
        (Format::Tiff, Compression::Lzw),
        (Format::Png, Compression::None),
    ] {
        for (bits, source_bits) in [(8, 8), (16, 16), (16, 8), (8, 16)] {
            for alpha in [false, true] {
                let photo = picture(333, 271, source_bits, alpha);
                let encoding = Encoding {
                    compression,
                    ..encoding(format, bits)
                };
                write(&path, &photo, &encoding, true, &|| true).unwrap();
                let back = read(&path, &any_size()).unwrap();
                let case = format!("{encoding:?} from {source_bits} bits, alpha: {alpha}");
                assert_eq!((back.width, back.height), (333, 271), "{case}");
                assert!(back.samples == with_bits(&photo.samples, bits), "{case}");
                assert!(back.alpha == photo.alpha, "{case}");

                let headers = probe(&path, &any_size()).unwrap();
                assert_eq!((headers.width, headers.height), (333, 271), "{case}");
                assert_eq!(
                    (headers.bits, headers.colour),
                    (bits, Colour::Rgb),
                    "{case}"
                );
                assert_eq!(headers.has_alpha, alpha, "{case}");
            }
        }
    }
}

#[test]
fn tiny_pictures_are_written_too() {
    let folder = Folder::new();
    let path = folder.path("tiny");
    for (width, height) in [(1, 1), (1, 9), (9, 1)] {
        for format in [Format::Tiff, Format::Png, Format::Jpeg] {
            let photo = picture(width, height, 8, false);
            write(&path, &photo, &encoding(format, 8), true, &|| true).unwrap();
            let back = read(&path, &any_size()).unwrap();
            assert_eq!((back.width, back.height), (width, height), "{format:?}");
            if format != Format::Jpeg {
                assert_eq!(back.samples, photo.samples, "{format:?}");
            }
        }
    }
}

#[test]
fn a_jpeg_is_close_and_black_where_nothing_is_shown() {
    let folder = Folder::new();
    let path = folder.path("a.jpg");
    let mut photo = picture(320, 200, 16, false);
    for quality in [85, 95] {
        let encoding = Encoding {
            quality,
            ..encoding(Format::Jpeg, 16)
        };
        write(&path, &photo, &encoding, true, &|| true).unwrap();
        let back = read(&path, &any_size()).unwrap();
        let (expected, got) = (with_bits(&photo.samples, 8), eight(&back.samples));
        let pairs = eight(&expected).iter().zip(got);
        let error: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = error as f64 / got.len() as f64;
        assert!(mean < 2.5, "quality {quality}: {mean}");
    }
    let left = |i: usize| i % 320 < 160;
    photo.alpha = Some(
        (0..320 * 200)
            .map(|i| if left(i) { 0 } else { 255 })
            .collect(),
    );
    write(&path, &photo, &encoding(Format::Jpeg, 8), true, &|| true).unwrap();
    let back = read(&path, &any_size()).unwrap();
    assert_eq!(back.alpha, None);
    let row = &eight(&back.samples)[100 * 320 * 3..][..320 * 3];
    assert!(row[..150 * 3].iter().all(|&value| value < 8), "{row:?}");
    assert!(row[170 * 3..].iter().all(|&value| value > 20), "{row:?}");
}

#[test]
fn profile_exif_and_resolution_travel_through_every_format() {
    let folder = Folder::new();
    let path = folder.path("m");
    let icc = moxcms::ColorProfile::new_adobe_rgb().encode().unwrap();
    let degrees = vec![(47, 1).into(), (3, 1).into(), (11, 10).into()];
    let mut photo = picture(64, 48, 8, false);
    photo.metadata = Metadata {
        icc: Some(icc.clone()),
        exif: Exif::from_fields([
            text(Tag::Make, "Maker"),
            text(Tag::LensModel, "60mm f/2.8 Macro"),
            text(Tag::DateTimeOriginal, "2026:11:22 10:20:30"),
            text(Tag::SubSecTimeOriginal, "25"),
            field(Tag::ExposureTime, Value::Rational(vec![(1, 125).into()])),
            field(
                Tag::ExposureBiasValue,
                Value::SRational(vec![(-1, 3).into()]),
            ),
            field(Tag::PhotographicSensitivity, Value::Short(vec![200])),
            field(Tag::ColorSpace, Value::Short(vec![0xffff])),
            text(Tag::GPSLatitudeRef, "N"),
            field(Tag::GPSLatitude, Value::Rational(degrees)),
        ]),
        resolution: Some([240.0, 240.0]),
    };
    for format in [Format::Tiff, Format::Png, Format::Jpeg] {
        write(&path, &photo, &encoding(format, 8), true, &|| true).unwrap();
        let back = read(&path, &any_size()).unwrap().metadata;
        assert_eq!(back, read_metadata(&path).unwrap(), "{format:?}");
        assert_eq!(back.icc.as_ref(), Some(&icc), "{format:?}");
        for field in photo.metadata.exif.fields() {
            let value = back.exif.get(field.tag).map(|value| format!("{value:?}"));
            assert_eq!(
                value,
                Some(format!("{:?}", field.value)),
                "{format:?} {}",
                field.tag
            );
        }
        assert_eq!(back.resolution, Some([240.0, 240.0]), "{format:?}");
        let taken = probe(&path, &any_size()).unwrap().capture_time.unwrap();
        assert_eq!(taken.to_string(), "2026-11-22 10:20:30.25", "{format:?}");
    }
}

#[test]
fn a_picture_without_metadata_gets_none() {
    let folder = Folder::new();
    let path = folder.path("m");
    for format in [Format::Tiff, Format::Png, Format::Jpeg] {
        write(
            &path,
            &picture(9, 9, 8, false),
            &encoding(format, 8),
            true,
            &|| true,
        )
        .unwrap();
        let back = read_metadata(&path).unwrap();
        assert_eq!((back.icc, back.resolution), (None, None), "{format:?}");
        let tags: Vec<_> = back.exif.fields().iter().map(|field| field.tag).collect();
        assert_eq!(tags, [Tag::ColorSpace], "{format:?}");
    }
}

#[test]
fn a_profile_longer_than_a_segment_survives_a_jpeg() {
    let folder = Folder::new();
    let path = folder.path("long.jpg");
    let mut photo = picture(32, 32, 8, false);
    let mut icc = moxcms::ColorProfile::new_srgb().encode().unwrap();
    icc.resize(150_000, 9);
    photo.metadata.icc = Some(icc);
    write(&path, &photo, &encoding(Format::Jpeg, 8), false, &|| true).unwrap();
    assert!(read(&path, &any_size()).unwrap().metadata.icc == photo.metadata.icc);
    assert!(read_metadata(&path).unwrap().icc == photo.metadata.icc);
}

#[test]
fn a_photograph_can_be_converted_to_another_profile() {
    let folder = Folder::new();
    let path = folder.path("p3.png");
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut photo = picture(50, 40, 16, false);
    photo.metadata.icc = Some(p3.clone());
    write(&path, &photo, &encoding(Format::Png, 16), false, &|| true).unwrap();
    let mut back = read(&path, &any_size()).unwrap();
    assert!(!convert(&mut back, Some(&p3)).unwrap());
    assert!(back.samples == photo.samples);
    assert!(convert(&mut back, None).unwrap());
    assert!(back.samples != photo.samples);
    assert_eq!(back.metadata.icc, None);
}

#[test]
fn a_depth_map_is_grey() {
    let folder = Folder::new();
    let depth: Vec<u16> = (0..40 * 30).map(|i| i * 50).collect();
    for name in ["d.tif", "d.png", "d.jpg"] {
        let path = folder.path(name);
        write_grey16(&path, 40, 30, &depth, false, &|| true).unwrap();
        assert_eq!(
            probe(&path, &any_size()).unwrap().colour,
            Colour::Grey,
            "{name}"
        );
        match read(&path, &any_size()).unwrap().samples {
            Samples::Sixteen(samples) => {
                assert!(
                    samples.chunks(3).zip(&depth).all(|(rgb, &d)| rgb == [d; 3]),
                    "{name}"
                );
            }
            Samples::Eight(samples) => {
                assert_eq!(name, "d.jpg");
                let close = |(rgb, &d): (&[u8], &u16)| rgb[0].abs_diff((d / 257) as u8) < 6;
                assert!(samples.chunks(3).zip(&depth).all(close));
            }
        }
    }
    let refused = write_grey16(&folder.path("d.gif"), 40, 30, &depth, false, &|| true);
    assert!(matches!(refused, Err(Error::Usage(_))), "{refused:?}");
}
