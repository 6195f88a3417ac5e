//! Fusing frames, from decoded ones to the picture.

mod common;

use divan::Bencher;
use parfocal::core::ALWAYS;
use parfocal::core::fuse::{Method, on_cpu};
use parfocal::core::warp::{Area, Exposure};

const FRAMES: usize = 4;

fn main() {
    divan::main();
}

/// Megapixels of all frames together; per frame that includes the warp.
#[divan::bench(args = [Method::Hybrid, Method::Pyramid, Method::Average], sample_count = 5)]
fn fuse(bencher: Bencher, method: &Method) {
    let frames: Vec<_> = (0..FRAMES)
        .map(|index| (common::frame(index, FRAMES), common::pose(index)))
        .collect();
    let (width, height) = common::size();
    let area = Area {
        x: 0,
        y: 0,
        width,
        height,
    };
    bencher
        .counter(divan::counter::ItemsCount::new(FRAMES * width * height))
        .bench_local(|| {
            let mut fusion = on_cpu(*method, area, None);
            for (index, (photo, pose)) in frames.iter().enumerate() {
                let exposure = Exposure::default();
                fusion
                    .add(index as u16, photo, pose, &exposure, ALWAYS)
                    .unwrap();
            }
            fusion.finish(ALWAYS).unwrap()
        });
}
