//! A whole stack of JPEGs, against no more than decoding the same files.

mod common;

use divan::Bencher;
use rayon::prelude::*;
use std::path::PathBuf;
use std::time::Instant;
use tempfile::TempDir;

use parfocal::core::fuse::Method;
use parfocal::handlers::{FuseOptions, Job, OutputOptions, StackOptions, stacking};
use parfocal::photo::{self, Limits};

const FRAMES: usize = 8;

fn main() {
    divan::main();
    // `cargo bench` says so; tests and listings do not want to wait.
    if std::env::args().any(|arg| arg == "--bench") {
        ratio();
    }
}

struct Stack {
    folder: TempDir,
    paths: Vec<PathBuf>,
}

impl Stack {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = common::stack(folder.path(), FRAMES);
        Self { folder, paths }
    }

    fn decode(&self) {
        self.paths.par_iter().for_each(|path| {
            photo::read(path, &Limits::default()).unwrap();
        });
    }

    fn stack(&self, method: Method) {
        let options = StackOptions {
            fuse: FuseOptions {
                method,
                ..FuseOptions::default()
            },
            output: OutputOptions {
                overwrite: true,
                ..OutputOptions::default()
            },
            out: Some(self.folder.path().join("out.tif")),
            ..StackOptions::default()
        };
        let report = stacking::stack(&self.paths, &options, &Job::silent()).unwrap();
        assert_eq!(report.warnings, [""; 0]);
    }
}

fn all_pixels() -> divan::counter::ItemsCount {
    let (width, height) = common::size();
    divan::counter::ItemsCount::new(FRAMES * width * height)
}

#[divan::bench(sample_count = 5)]
fn decode_only(bencher: Bencher) {
    let stack = Stack::new();
    bencher.counter(all_pixels()).bench_local(|| stack.decode());
}

#[divan::bench(args = [Method::Hybrid, Method::Pyramid, Method::Depth, Method::Average], sample_count = 3)]
fn whole(bencher: Bencher, method: &Method) {
    let stack = Stack::new();
    bencher
        .counter(all_pixels())
        .bench_local(|| stack.stack(*method));
}

/// Prints how many times as long as decoding alone a whole stack takes.
fn ratio() {
    let stack = Stack::new();
    let time = |work: &dyn Fn()| {
        let best = (0..2).map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64()
        });
        best.fold(f64::INFINITY, f64::min)
    };
    let decode = time(&|| stack.decode());
    for method in [
        Method::Hybrid,
        Method::Pyramid,
        Method::Depth,
        Method::Average,
    ] {
        let whole = time(&|| stack.stack(method));
        println!(
            "{method:?}: {whole:.2} s for {FRAMES} frames, decoding alone {decode:.2} s: \
             {:.1} times as long",
            whole / decode
        );
    }
}
