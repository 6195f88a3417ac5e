//! Finding how one frame lies on the next.

mod common;

use divan::Bencher;
use parfocal::core::align::{Model, Start, View, measure};

fn main() {
    divan::main();
}

fn view(index: usize) -> View {
    View::of(&common::frame(index, 9), false)
}

/// What is kept of a decoded frame to compare it.
#[divan::bench(sample_count = 10)]
fn view_of_frame(bencher: Bencher) {
    let photo = common::frame(4, 9);
    bencher
        .counter(common::pixels())
        .bench_local(|| View::of(&photo, false));
}

#[divan::bench(args = [Model::Translation, Model::Similarity, Model::Homography], sample_count = 10)]
fn pair(bencher: Bencher, model: &Model) {
    let [a, b] = [4, 5].map(view);
    bencher
        .counter(common::pixels())
        .bench_local(|| measure(&a, &b, *model, Start::Search));
}

/// The two sides of a bargain: finding a frame's pose against its two
/// neighbours may take as long as decoding it twice. Both on one thread.
mod bargain {
    use super::*;
    use parfocal::photo::{self, Limits};
    use rayon::ThreadPoolBuilder;

    fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(work)
    }

    #[divan::bench(sample_count = 5)]
    fn decode_twice(bencher: Bencher) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frame.jpg");
        common::write(&path, &common::frame(4, 9), 8);
        let read = || photo::read(&path, &Limits::default()).unwrap();
        bencher
            .counter(common::pixels())
            .bench_local(|| alone(|| (read(), read())));
    }

    #[divan::bench(sample_count = 5)]
    fn pose(bencher: Bencher) {
        let photo = common::frame(4, 9);
        let [near, far] = [3, 2].map(view);
        let last = common::pose(2).inverse().unwrap().then(&common::pose(4));
        bencher.counter(common::pixels()).bench_local(|| {
            alone(|| {
                let own = View::of(&photo, false);
                let model = Model::Auto;
                let first = measure(&near, &own, model, Start::Search).unwrap();
                (
                    first,
                    measure(&far, &own, model, Start::Near(last)).unwrap(),
                )
            })
        });
    }
}
