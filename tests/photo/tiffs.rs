//! TIFFs as others write them.

use parfocal::photo::{Samples, read};

use crate::faults::assert_unreadable;
use crate::material::{Folder, TiffFile, any_size, eight, greys};

#[test]
fn either_byte_order_is_read() {
    let values = [0u16, 1, 258, 40_000, 65_535, 3];
    for big_endian in [false, true] {
        let order = |v: &u16| {
            if big_endian {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let data = values.iter().flat_map(order).collect();
        let mut file = TiffFile::new([2, 1], 16, 2, 3, data);
        file.big_endian = big_endian;
        assert_eq!(file.read().samples, Samples::Sixteen(values.to_vec()));
    }
}

#[test]
fn grey_becomes_rgb() {
    let read = |size, bits, photometric, data: &[u8]| {
        TiffFile::new(size, bits, photometric, 1, data.to_vec()).read()
    };
    let black_is_zero = read([3, 1], 8, 1, &[0, 100, 255]);
    assert_eq!(
        eight(&black_is_zero.samples),
        [0, 0, 0, 100, 100, 100, 255, 255, 255]
    );
    assert_eq!(greys(&read([3, 1], 8, 0, &[0, 100, 255])), [255, 155, 0]);
    // Ten pixels of one bit take two bytes a row.
    let bits = greys(&read([10, 2], 1, 1, &[0b1010_0000, 0b0100_0000, 0, 0xc0]));
    assert_eq!(bits[..10], [255, 0, 255, 0, 0, 0, 0, 0, 0, 255]);
    assert_eq!(bits[10..], [0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
    assert_eq!(greys(&read([3, 1], 4, 1, &[0x0f, 0x80])), [0, 255, 136]);
}

#[test]
fn alpha_of_either_kind_is_understood() {
    let read = |channels, photometric, kind, data: &[u8]| {
        let size = [data.len() as u32 / channels, 1];
        let file = TiffFile::new(size, 8, photometric, channels, data.to_vec());
        file.with(338, 3, &[kind]).read()
    };
    let data = [50, 100, 0, 100, 7, 8, 9, 255];
    let plain = read(4, 2, 2, &data);
    assert_eq!(eight(&plain.samples), [50, 100, 0, 7, 8, 9]);
    assert_eq!(plain.alpha.unwrap(), [100, 255]);
    let multiplied = read(4, 2, 1, &data);
    assert_eq!(eight(&multiplied.samples), [128, 255, 0, 7, 8, 9]);
    assert_eq!(multiplied.alpha.unwrap(), [100, 255]);
    let grey = read(2, 1, 2, &data);
    assert_eq!(greys(&grey), [50, 0, 7, 9]);
    assert_eq!(grey.alpha.unwrap(), [100, 100, 8, 255]);
    // A channel that is no alpha, and alpha that says nothing.
    let unspecified = read(4, 2, 0, &data);
    assert_eq!(eight(&unspecified.samples), [50, 100, 0, 7, 8, 9]);
    assert_eq!(unspecified.alpha, None);
    assert_eq!(read(4, 2, 2, &[1, 2, 3, 255]).alpha, None);
}

#[test]
fn alpha_turns_with_its_picture() {
    // Only the first of 3×2 pixels is opaque.
    let opacity = |i| if i == 0 { 255 } else { 9 };
    let data = (0..6).flat_map(|i| [i, i, i, opacity(i)]).collect();
    let file = TiffFile::new([3, 2], 8, 2, 4, data);
    let photo = file.with(338, 3, &[2]).with(274, 3, &[6]).read();
    assert_eq!((photo.width, photo.height), (2, 3));
    assert_eq!(photo.alpha.as_deref(), Some(&[9, 255, 9, 9, 9, 9][..]));
    assert_eq!(greys(&photo), [3, 0, 4, 1, 5, 2]);
}

#[test]
fn tiles_and_planes_are_put_together() {
    let (width, height) = (40usize, 20usize);
    let pixels: Vec<u8> = (0..width * height * 3)
        .map(|i| (i * 7 % 251) as u8)
        .collect();
    let sample = |x: usize, y: usize, c: usize| {
        let inside = x < width && y < height;
        if inside {
            pixels[(y * width + x) * 3 + c]
        } else {
            0
        }
    };
    let tile = |column: usize, row: usize| -> Vec<u8> {
        let positions = (0..16 * 16).map(|i| (column * 16 + i % 16, row * 16 + i / 16));
        positions
            .flat_map(|(x, y)| [0, 1, 2].map(|c| sample(x, y, c)))
            .collect()
    };
    let empty = || TiffFile::new([40, 20], 8, 2, 3, vec![]);
    let mut tiled = empty().with(322, 3, &[16]).with(323, 3, &[16]);
    tiled.tiled = true;
    tiled.chunks = (0..6).map(|i| tile(i % 3, i / 3)).collect();
    assert_eq!(eight(&tiled.read().samples), pixels);

    let mut planar = empty().with(284, 3, &[2]);
    let plane = |c| pixels.iter().skip(c).step_by(3).copied().collect();
    planar.chunks = (0..3).map(plane).collect();
    assert_eq!(eight(&planar.read().samples), pixels);
}

#[test]
fn floats_wide_integers_and_ink_are_scaled() {
    let floats = [0.0f32, 0.5, 1.0, -3.0, 7.0, f32::NAN];
    let data = floats.iter().flat_map(|v| v.to_le_bytes()).collect();
    let photo = TiffFile::new([2, 1], 32, 2, 3, data)
        .with(339, 3, &[3, 3, 3])
        .read();
    assert_eq!(
        photo.samples,
        Samples::Sixteen(vec![0, 32768, 65535, 0, 65535, 0])
    );
    let wide = [0u32, 0x8000_0000, u32::MAX];
    let data = wide.iter().flat_map(|v| v.to_le_bytes()).collect();
    let photo = TiffFile::new([1, 1], 32, 2, 3, data).read();
    assert_eq!(photo.samples, Samples::Sixteen(vec![0, 32768, 65535]));
    let ink = TiffFile::new([2, 1], 8, 5, 4, vec![255, 0, 0, 0, 0, 51, 0, 128]).read();
    assert_eq!(eight(&ink.samples), [0, 255, 255, 127, 102, 127]);
}

#[test]
fn a_strip_over_the_decoders_limit_is_read() {
    // One strip of more than 128 MiB, as some microscopes write.
    let (width, height) = (8200, 8200);
    let data = vec![7; 2 * width as usize * height as usize];
    let folder = Folder::new();
    let path = folder.put(
        "strip.tif",
        TiffFile::new([width, height], 16, 1, 1, data).bytes(),
    );
    let photo = read(&path, &any_size()).unwrap();
    let Samples::Sixteen(samples) = photo.samples else {
        panic!("not 16 bits");
    };
    assert!(samples.iter().all(|&value| value == 0x0707));
}

#[test]
fn what_would_come_out_wrong_is_refused() {
    let palette = TiffFile::new([2, 1], 8, 3, 1, vec![0, 1]).with(320, 3, &[0; 768]);
    assert_unreadable("palette.tif", &palette.bytes(), &["palette", "convert"]);
    let four = TiffFile::new([1, 1], 8, 2, 4, vec![0; 4]);
    let scrambled = four.with(338, 3, &[0]).with(317, 3, &[2]);
    assert_unreadable(
        "scrambled.tif",
        &scrambled.bytes(),
        &["extra channels", "convert"],
    );
    let lab = TiffFile::new([1, 1], 8, 8, 3, vec![0; 3]);
    assert_unreadable("lab.tif", &lab.bytes(), &["does not read", "convert"]);
}
