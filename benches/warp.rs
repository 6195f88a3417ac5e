//! Bringing a frame into the reference's geometry.

mod common;

use divan::Bencher;
use parfocal::core::Transform;
use parfocal::core::warp::{Area, Exposure, warp};

fn main() {
    divan::main();
}

fn bench(bencher: Bencher, pose: Transform) {
    let photo = common::frame(0, 1);
    let area = Area {
        x: 0,
        y: 0,
        width: photo.width,
        height: photo.height,
    };
    bencher
        .counter(common::pixels())
        .bench_local(|| warp(&photo, &pose, area, &Exposure::default()));
}

#[divan::bench(sample_count = 10)]
fn copy(bencher: Bencher) {
    bench(bencher, Transform::IDENTITY);
}

#[divan::bench(sample_count = 10)]
fn similarity(bencher: Bencher) {
    bench(bencher, common::pose(3));
}

#[divan::bench(sample_count = 10)]
fn homography(bencher: Bencher) {
    let mut pose = common::pose(3);
    pose.0[2] = [1e-7, -1e-7, 1.0];
    bench(bencher, pose);
}
