//! Finding how one frame lies on the next.

mod common;

use divan::Bencher;
use parfocal::core::align::{Model, SMALLEST, measure};
use parfocal::core::grey::{Grey, GreyPyramid};

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 10)]
fn pyramid(bencher: Bencher) {
    let grey = Grey::of(&common::frame(4, 9)).into_linear();
    bencher
        .counter(common::pixels())
        .with_inputs(|| grey.clone())
        .bench_local_values(|grey| GreyPyramid::new(grey, SMALLEST));
}

#[divan::bench(args = [Model::Translation, Model::Similarity, Model::Homography], sample_count = 10)]
fn pair(bencher: Bencher, model: &Model) {
    let [a, b] = [4, 5].map(|index| {
        let grey = Grey::of(&common::frame(index, 9)).into_linear();
        GreyPyramid::new(grey, SMALLEST)
    });
    bencher
        .counter(common::pixels())
        .bench_local(|| measure(&a, &b, *model, None));
}
