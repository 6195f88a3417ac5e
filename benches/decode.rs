//! Reading photographs.

mod common;

use std::path::Path;

use divan::Bencher;
use parfocal::photo::{self, Encoding, Format, Limits};

fn main() {
    divan::main();
}

#[divan::bench(args = ["jpg", "png", "tif"], sample_count = 10)]
fn decode(bencher: Bencher, extension: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("frame.{extension}"));
    common::write(&path, &common::frame(0, 1), 8);
    bencher
        .counter(common::pixels())
        .bench_local(|| photo::read(&path, &Limits::default()).unwrap());
}

/// A JPEG that has its colour at half the size: all pixels of it, or the planes that it
/// stores.
#[divan::bench(args = [false, true], sample_count = 10)]
fn subsampled(bencher: Bencher, as_planes: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.jpg");
    let encoding = Encoding {
        format: Format::Jpeg,
        bits: 8,
        quality: 90,
        ..Encoding::default()
    };
    photo::write(&path, &common::frame(0, 1), &encoding, true, &|| true).unwrap();
    let limits = Limits::default();
    let bencher = bencher.counter(common::pixels());
    match as_planes {
        true => bencher.bench_local(|| photo::read_subsampled(&path, &limits).unwrap()),
        false => bencher.bench_local(|| photo::read(&path, &limits).unwrap()),
    }
}

/// For a small picture, of a JPEG.
#[divan::bench(args = [8, 4, 2], sample_count = 10)]
fn reduced(bencher: Bencher, times: usize) {
    bench_small(bencher, times, |path, side| {
        photo::read_reduced(path, &Limits::default(), side).unwrap()
    });
}

/// In all pixels and for a small picture at once, of a JPEG.
#[divan::bench(args = [8, 4, 2], sample_count = 10)]
fn both(bencher: Bencher, times: usize) {
    bench_small(bencher, times, |path, side| {
        photo::read_both(path, &Limits::default(), side).unwrap()
    });
}

/// Reads a JPEG for a picture that has so many times fewer pixels each way.
fn bench_small<T>(bencher: Bencher, times: usize, read: impl Fn(&Path, usize) -> T) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.jpg");
    let frame = common::frame(0, 1);
    common::write(&path, &frame, 8);
    let side = frame.width.max(frame.height) / times;
    bencher
        .counter(common::pixels())
        .bench_local(|| read(&path, side));
}
