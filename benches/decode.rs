//! Reading photographs.

mod common;

use divan::Bencher;
use parfocal::photo::{self, Limits};

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
