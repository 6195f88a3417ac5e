//! Files that cannot be read say so, and bring nothing down.

use std::fs;

use parfocal::Error;
use parfocal::photo::{Limits, Samples, list, probe, read, read_metadata};

use crate::material::{Folder, TiffFile, any_size, one_of_each};

/// Reading `bytes` must fail, with a message that holds the name and `words`.
pub fn assert_unreadable(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = Folder::new();
    let error = read(&folder.put(name, bytes), &any_size()).expect_err(name);
    let message = error.to_string();
    assert!(matches!(error, Error::File { .. }), "{message}");
    for word in words.iter().chain(&[name]) {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let folder = Folder::new();
    for (name, whole) in one_of_each() {
        let path = folder.put(name, &whole);
        read(&path, &any_size()).unwrap();
        let last = whole.len();
        // Every length near both ends, and a good many in between.
        let lengths = (0..last).filter(|&n| n < 300 || n + 40 > last || n % 37 == 0);
        let (mut tried, mut named) = (0, 0);
        for length in lengths {
            fs::write(&path, &whole[..length]).unwrap();
            let message = match read(&path, &any_size()) {
                Ok(_) => panic!("{name} was read from {length} of {last} bytes"),
                Err(error) => error.to_string(),
            };
            assert!(message.contains(name), "{message}");
            // Headers alone may be whole, but must bring nothing down.
            let _ = probe(&path, &any_size());
            let _ = read_metadata(&path);
            tried += 1;
            named += usize::from(message.contains("cut short"));
        }
        println!("{name}: {named} of {tried} cuts were called \"cut short\"");
        assert!(
            named * 10 > tried * 9,
            "{name}: {named} of {tried} were called cut short"
        );
    }
}

#[test]
fn garbled_bytes_never_bring_the_program_down() {
    let folder = Folder::new();
    let mut state = 99u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    let limits = Limits {
        max_pixels: 100_000,
    };
    for (name, whole) in one_of_each() {
        let path = folder.path(name);
        for _ in 0..200 {
            let mut garbled = whole.clone();
            // Mostly headers, which is where harm is done. They stand in front
            // in most formats and at the end of our TIFF.
            for _ in 0..1 + random() % 4 {
                let (first, last) = match random() % 3 {
                    0 => (0, 200),
                    1 => (whole.len().saturating_sub(400), whole.len()),
                    _ => (0, whole.len()),
                };
                garbled[first + random() % (last - first)] = random() as u8;
            }
            fs::write(&path, &garbled).unwrap();
            if let Ok(photo) = read(&path, &limits) {
                let samples = match &photo.samples {
                    Samples::Eight(samples) => samples.len(),
                    Samples::Sixteen(samples) => samples.len(),
                };
                assert_eq!(samples, photo.pixels() * 3, "{name}");
                assert!(photo.pixels() <= 100_000, "{name}");
            }
        }
    }
}

/// The checksum of PNG.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let files = one_of_each();
    let find = |name: &str| files.iter().find(|(n, _)| *n == name).unwrap().1.clone();

    let mut jpeg = find("baseline.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let mut png = find("eight.png");
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let sum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    let tiff = TiffFile::new([4_000_000_000, 1_000_000], 16, 2, 3, vec![0; 64]);
    let mut bmp = find("b.bmp");
    bmp[18..26].copy_from_slice(&[0, 0x80, 0, 0, 0, 0x80, 0, 0]);

    let folder = Folder::new();
    let bombs = [
        ("j.jpg", jpeg),
        ("p.png", png),
        ("t.tif", tiff.bytes()),
        ("b.bmp", bmp),
    ];
    for (name, bytes) in bombs {
        let path = folder.put(name, bytes);
        for error in [
            read(&path, &any_size()).map(|_| ()).unwrap_err(),
            probe(&path, &any_size()).map(|_| ()).unwrap_err(),
        ] {
            assert!(error.to_string().contains("--max-pixels"), "{error}");
        }
    }
    // No memory holds this one, whatever the limit.
    let widest = TiffFile::new([u32::MAX; 2], 16, 2, 3, vec![0; 64]).bytes();
    let path = folder.put("wide.tif", widest);
    assert!(read(&path, &Limits { max_pixels: 0 }).is_err());
}

#[test]
fn the_limit_is_exact_and_can_be_lifted() {
    let folder = Folder::new();
    for (name, bytes) in one_of_each() {
        let path = folder.put(name, bytes);
        for (max_pixels, passes) in [(3000, true), (2999, false), (0, true)] {
            let limits = Limits { max_pixels };
            assert_eq!(read(&path, &limits).is_ok(), passes, "{name} {max_pixels}");
            assert_eq!(probe(&path, &limits).is_ok(), passes, "{name} {max_pixels}");
        }
    }
}

#[test]
fn probing_reads_no_pixels() {
    let folder = Folder::new();
    for (name, whole) in one_of_each() {
        // In a TIFF and a WebP the headers themselves show that it is cut.
        if matches!(
            name,
            "baseline.jpg" | "progressive.jpg" | "eight.png" | "b.bmp"
        ) {
            let path = folder.put(name, &whole[..whole.len() * 2 / 3]);
            let headers = probe(&path, &any_size()).unwrap();
            assert_eq!((headers.width, headers.height), (60, 50), "{name}");
            assert!(read(&path, &any_size()).is_err(), "{name}");
        }
    }
}

#[test]
fn files_that_are_no_photographs_say_so() {
    let no_photograph = "is not a photograph that Parfocal can read";
    assert_unreadable("empty.jpg", b"", &["is empty"]);
    assert_unreadable("text.jpg", b"Dear diary", &[no_photograph]);
    assert_unreadable(
        "bm.bmp",
        b"BM is not a bitmap, it is a text",
        &[no_photograph],
    );
    assert_unreadable("a.gif", b"GIF89a........", &["a GIF", "convert"]);
    assert_unreadable("a.psd", b"8BPS\0\x01......", &["Photoshop", "convert"]);
    assert_unreadable(
        "a.heic",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        &["HEIC", "convert"],
    );
    assert_unreadable(
        "a.jpg",
        b"\xff\xd8\xff\xd9",
        &["is damaged (it has no picture)"],
    );
    assert_unreadable("b.jpg", b"\xff\xd8", &["is cut short"]);
}

#[test]
fn raw_files_say_what_to_do() {
    let raw = "is a RAW file; convert it to TIFF first";
    assert_unreadable("a.CR3", b"\0\0\0\x18ftypcrx \0\0\0\x01", &[raw]);
    assert_unreadable("a.RAF", b"FUJIFILMCCD-RAW 0201", &[raw]);
    assert_unreadable("a.bin", b"II*\0\x10\0\0\0CR\x02\0", &[raw]);
    let tiff = TiffFile::new([1, 1], 8, 2, 3, vec![0; 3]);
    assert_unreadable("a.NEF", &tiff.bytes(), &[raw]);
    let dng = tiff.with(50706, 4, &[0x0000_0401]);
    assert_unreadable("dng.tif", &dng.bytes(), &[raw]);
}

#[test]
fn paths_that_are_no_files_say_so() {
    let folder = Folder::new();
    let missing = folder.path("missing.jpg");
    for result in [
        read(&missing, &any_size()).map(|_| ()),
        probe(&missing, &any_size()).map(|_| ()),
        read_metadata(&missing).map(|_| ()),
        list(std::slice::from_ref(&missing)).map(|_| ()),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("missing.jpg: does not exist"), "{message}");
    }
    let message = read(folder.0.path(), &any_size()).unwrap_err().to_string();
    assert!(message.contains("is a folder"), "{message}");
}
