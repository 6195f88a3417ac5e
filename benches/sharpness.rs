//! Scoring how sharp a frame is.

mod common;

use divan::Bencher;
use parfocal::core::grey::Grey;
use parfocal::core::sharpness::Sharpness;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 20)]
fn luminance(bencher: Bencher) {
    let photo = common::frame(0, 1);
    bencher
        .counter(common::pixels())
        .bench_local(|| Grey::of(&photo));
}

#[divan::bench(sample_count = 20)]
fn score(bencher: Bencher) {
    let photo = common::frame(0, 1);
    bencher
        .counter(common::pixels())
        .bench_local(|| Sharpness::of(&photo, 16).score());
}
