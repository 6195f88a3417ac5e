//! The kinds of JPEG, PNG, WebP and BMP, and how they lie.

use parfocal::photo::{Colour, Photo, Samples, probe, read, read_metadata, read_reduced};
use turbojpeg::{Colorspace, PixelFormat, Subsamp};

use crate::material::{
    Folder, TiffFile, any_size, bmp, eight, exif_block, greys, jpeg, quarter_names, quarters, webp,
    with_segment,
};

fn grey_jpeg(pixels: &[u8], width: usize) -> Vec<u8> {
    jpeg(pixels, width, PixelFormat::GRAY, |compressor| {
        compressor.set_subsamp(Subsamp::Gray).unwrap();
    })
}

/// The quarters as PNG, with the EXIF block before or after the pixels.
fn png_of_quarters(block: Vec<u8>, late: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut info = png::Info::with_size(32, 16);
    info.color_type = png::ColorType::Rgb;
    info.exif_metadata = (!late).then(|| block.clone().into());
    let encoder = png::Encoder::with_info(&mut file, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&quarters()).unwrap();
    if late {
        writer.write_chunk(png::chunk::eXIf, &block).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn every_orientation_is_undone_in_every_format() {
    let folder = Folder::new();
    let pixels = quarters();
    let plain = jpeg(&pixels, 32, PixelFormat::RGB, |_| ());
    let expected = [
        "RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB",
    ];
    for (value, expected) in (1..=8).zip(expected) {
        let block = exif_block(value);
        let tiff = TiffFile::new([32, 16], 8, 2, 3, pixels.clone()).with(274, 3, &[value.into()]);
        let segment = [b"Exif\0\0", &block[..]].concat();
        let rgb8 = image::ExtendedColorType::Rgb8;
        for (name, bytes) in [
            ("jpeg", with_segment(&plain, 0xe1, &segment)),
            ("png", png_of_quarters(block.clone(), false)),
            ("late png", png_of_quarters(block.clone(), true)),
            ("webp", webp(&pixels, 32, rgb8, Some(block))),
            ("tiff", tiff.bytes()),
        ] {
            let path = folder.put(name, bytes);
            let photo = read(&path, &any_size()).unwrap();
            assert_eq!(quarter_names(&photo), expected, "{name} {value}");
            let size = if value < 5 { (32, 16) } else { (16, 32) };
            assert_eq!((photo.width, photo.height), size, "{name} {value}");
            let headers = probe(&path, &any_size()).unwrap();
            assert_eq!((headers.width, headers.height), size, "{name} {value}");
            assert_eq!(u16::from(headers.orientation.exif()), value, "{name}");
            assert_eq!(headers.capture_time.is_some(), name != "tiff", "{name}");
        }
    }
}

#[test]
fn the_name_does_not_decide_the_format() {
    let folder = Folder::new();
    let file = jpeg(&quarters(), 32, PixelFormat::RGB, |_| ());
    let path = folder.put("really-a-jpeg.png", file);
    assert_eq!(quarter_names(&read(&path, &any_size()).unwrap()), "RGBW");
}

#[test]
fn grey_and_progressive_jpegs_are_read() {
    let folder = Folder::new();
    let ramp: Vec<u8> = (0..64 * 64).map(|i| (i % 64 * 4) as u8).collect();
    let path = folder.put("grey.jpg", grey_jpeg(&ramp, 64));
    assert_eq!(probe(&path, &any_size()).unwrap().colour, Colour::Grey);
    let photo = read(&path, &any_size()).unwrap();
    for (pixel, expected) in eight(&photo.samples).chunks(3).zip(&ramp) {
        assert!(pixel.iter().all(|value| value.abs_diff(*expected) < 3));
    }
    for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2] {
        let progressive = jpeg(&quarters(), 32, PixelFormat::RGB, |compressor| {
            compressor.set_progressive(true).unwrap();
            compressor.set_subsamp(subsamp).unwrap();
        });
        let photo = read(&folder.put("p.jpg", progressive), &any_size()).unwrap();
        assert_eq!(quarter_names(&photo), "RGBW", "{subsamp:?}");
    }
}

#[test]
fn cmyk_and_ycck_jpegs_become_rgb() {
    let folder = Folder::new();
    // As Adobe stores them: the light that is left, so that 255 is no ink.
    let cases: [([u8; 4], [u8; 3]); 4] = [
        ([0, 255, 255, 255], [0, 255, 255]),
        ([255, 255, 255, 255], [255, 255, 255]),
        ([255, 255, 255, 0], [0, 0, 0]),
        ([255, 0, 0, 128], [128, 0, 0]),
    ];
    for colorspace in [Colorspace::CMYK, Colorspace::YCCK] {
        for (light, expected) in cases {
            let pixels = light.repeat(16 * 16);
            let file = jpeg(&pixels, 16, PixelFormat::CMYK, |compressor| {
                compressor.set_colorspace(colorspace).unwrap();
            });
            let path = folder.put("cmyk.jpg", file);
            assert_eq!(probe(&path, &any_size()).unwrap().colour, Colour::Cmyk);
            let photo = read(&path, &any_size()).unwrap();
            let pixel = &eight(&photo.samples)[..3];
            let close = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(close, "{colorspace:?} {light:?}: {pixel:?}");
        }
    }
}

#[test]
fn a_grey_profile_is_used_up() {
    let folder = Folder::new();
    let linear = moxcms::ColorProfile::new_gray_with_gamma(1.0)
        .encode()
        .unwrap();
    let segment = [b"ICC_PROFILE\0\x01\x01", &linear[..]].concat();
    let file = with_segment(&grey_jpeg(&[55; 256], 16), 0xe2, &segment);
    let path = folder.put("linear.jpg", file);
    let photo = read(&path, &any_size()).unwrap();
    // 55/255 of the light is about 128/255 in sRGB.
    assert!(eight(&photo.samples)[0].abs_diff(128) <= 2);
    assert_eq!(photo.metadata.icc, None);
    assert_eq!(read_metadata(&path).unwrap().icc, None);
}

#[test]
fn bytes_after_the_end_and_between_segments_do_no_harm() {
    let folder = Folder::new();
    let plain = jpeg(&quarters(), 32, PixelFormat::RGB, |_| ());
    let (body, end) = plain.split_at(plain.len() - 2);
    for (name, file) in [
        (
            "trailing",
            [&plain[..], b"garbage \xff\xd8\xff\xe0 and more"].concat(),
        ),
        (
            "between",
            [&plain[..2], b"\x00\x01junk", &plain[2..]].concat(),
        ),
        ("before the end", [body, b"\x00\x00\x00", end].concat()),
    ] {
        let photo = read(&folder.put(name, file), &any_size()).unwrap();
        assert_eq!(quarter_names(&photo), "RGBW", "{name}");
    }
}

#[test]
fn headers_with_unknown_values_do_no_harm() {
    let folder = Folder::new();
    let plain = jpeg(&quarters(), 32, PixelFormat::RGB, |_| ());
    let mut revision = plain.clone();
    assert_eq!(revision[6..12], *b"JFIF\0\x01");
    revision[11] = 3;
    // Without JFIF's marker, Adobe's tells how colours are stored.
    let colours = [&plain[..2], &plain[20..]].concat();
    let colours = with_segment(&colours, 0xee, b"Adobe\0\x64\0\0\0\0\x07");
    let profile = with_segment(&plain, 0xe2, b"ICC_PROFILE\0\x02\x03half");
    for (name, file) in [
        ("revision", revision),
        ("colours", colours),
        ("profile", profile),
    ] {
        let path = folder.put(name, file);
        let photo = read(&path, &any_size()).unwrap();
        assert_eq!(quarter_names(&photo), "RGBW", "{name}");
        assert_eq!(photo.metadata.icc, None, "{name}");
        let reduced = read_reduced(&path, &any_size(), 4).unwrap();
        assert_eq!(quarter_names(&reduced), "RGBW", "{name}, reduced");
    }
}

/// A PNG of 4×1 pixels, read.
fn small_png(
    (colour, depth): (png::ColorType, png::BitDepth),
    palette: &[u8],
    transparency: &[u8],
    data: &[u8],
) -> Photo {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 1);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    if !transparency.is_empty() {
        encoder.set_trns(transparency.to_vec());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    read(&Folder::new().put("p.png", file), &any_size()).unwrap()
}

#[test]
fn pngs_of_few_bits_and_of_palettes_are_read() {
    use png::{BitDepth, ColorType};
    let grey = |depth, data| greys(&small_png((ColorType::Grayscale, depth), &[], &[], data));
    assert_eq!(grey(BitDepth::One, &[0b0101_0000]), [0, 255, 0, 255]);
    assert_eq!(grey(BitDepth::Two, &[0b0001_1011]), [0, 85, 170, 255]);
    assert_eq!(grey(BitDepth::Four, &[0x0f, 0x80]), [0, 255, 136, 0]);

    let palette = |transparency| {
        let colours = [10, 20, 30, 40, 50, 60, 70, 80, 90];
        let kind = (ColorType::Indexed, BitDepth::Two);
        small_png(kind, &colours, transparency, &[0b0001_1000])
    };
    let expected = [10, 20, 30, 40, 50, 60, 70, 80, 90, 10, 20, 30];
    assert_eq!(eight(&palette(&[]).samples), expected);
    assert_eq!(palette(&[]).alpha, None);
    assert_eq!(palette(&[255, 0, 7]).alpha.unwrap(), [255, 0, 7, 255]);

    let data = [1, 2, 255, 255, 3, 4, 0, 0, 5, 6, 128, 128, 7, 8, 255, 255];
    let alpha = small_png(
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen),
        &[],
        &[],
        &data,
    );
    let spread = [0x102, 0x304, 0x506, 0x708].map(|grey| [grey; 3]).concat();
    assert_eq!(alpha.samples, Samples::Sixteen(spread));
    assert_eq!(alpha.alpha.unwrap(), [255, 0, 128, 255]);
}

#[test]
fn webp_and_bmp_are_read() {
    let folder = Folder::new();
    let rgb = quarters();
    let alpha: Vec<u8> = (0..32 * 16).map(|i| (i % 200) as u8).collect();
    let pixels = rgb.chunks(3).zip(&alpha);
    let rgba: Vec<u8> = pixels.flat_map(|(p, &a)| [p[0], p[1], p[2], a]).collect();
    let file = webp(&rgba, 32, image::ExtendedColorType::Rgba8, None);
    let photo = read(&folder.put("a.webp", file), &any_size()).unwrap();
    assert_eq!(quarter_names(&photo), "RGBW");
    assert_eq!(photo.alpha.unwrap(), alpha);

    let path = folder.put("a.bmp", bmp(&rgb, 32));
    assert_eq!(eight(&read(&path, &any_size()).unwrap().samples), rgb);
    assert_eq!(probe(&path, &any_size()).unwrap().width, 32);
}
