//! Fusing frames, from decoded ones to the picture.

mod common;

use divan::Bencher;
use parfocal::core::fuse::{Fusion, Method, Options};
use parfocal::core::warp::{Area, Exposure};
use parfocal::core::{ALWAYS, Transform};
use parfocal::photo::{Photo, Subsampled};

const FRAMES: usize = 4;

fn main() {
    divan::main();
}

/// Megapixels of all frames together; per frame that includes the warp.
#[divan::bench(args = [Method::Hybrid, Method::Pyramid, Method::Average], sample_count = 5)]
fn fuse(bencher: Bencher, method: &Method) {
    bench(bencher, &Options::from(*method), |fusion, index, frame| {
        let (photo, pose) = frame;
        let exposure = Exposure::default();
        fusion.add(index, photo, pose, &exposure, ALWAYS).unwrap();
    });
}

/// The same of frames that have their colour at half the size, in memory that was there
/// for each.
#[divan::bench(args = [Method::Hybrid, Method::Pyramid], sample_count = 5)]
fn fuse_subsampled(bencher: Bencher, method: &Method) {
    let options = Options {
        subsampled: true,
        ..Options::from(*method)
    };
    let planes: Vec<_> = (0..FRAMES)
        .map(|index| Subsampled::from(&common::frame(index, FRAMES)))
        .collect();
    bench(bencher, &options, |fusion, index, (_, pose)| {
        let planes = planes[usize::from(index)].clone();
        let exposure = Exposure::default();
        fusion
            .take_subsampled(index, planes, pose, &exposure, ALWAYS)
            .unwrap();
    });
}

fn bench(
    bencher: Bencher,
    options: &Options,
    add: impl Fn(&mut dyn Fusion, u16, &(Photo, Transform)),
) {
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
            let mut fusion = options.on_cpu(area);
            for (index, frame) in (0..).zip(&frames) {
                add(fusion.as_mut(), index, frame);
            }
            fusion.finish(ALWAYS).unwrap()
        });
}
