//! A whole stack of JPEGs, against no more than decoding the same files.

mod common;

use divan::Bencher;
use rayon::prelude::*;
use std::path::PathBuf;
use std::time::Instant;
use tempfile::TempDir;

use parfocal::core::align;
use parfocal::core::fuse::Method;
use parfocal::core::sharpness::GRID;
use parfocal::handlers::cache::Cache;
use parfocal::handlers::sharpness::{self, SharpnessOptions};
use parfocal::handlers::{
    AlignOptions, FuseOptions, Job, OutputOptions, Report, Resources, StackOptions, Timing,
    stacking, thumbnail,
};
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

    fn stack(&self, method: Method) -> Report {
        self.stack_aligned(method, AlignOptions::default().method)
    }

    fn stack_aligned(&self, method: Method, align: align::Method) -> Report {
        let options = StackOptions {
            align: AlignOptions {
                method: align,
                ..AlignOptions::default()
            },
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
        report
    }

    fn score(&self) {
        let options = SharpnessOptions {
            grid: GRID,
            resources: Resources::default(),
        };
        sharpness::score(&self.paths, &options, &Job::silent()).unwrap();
    }

    fn thumbnails(&self) {
        let cache = Cache::none();
        self.paths.par_iter().for_each(|path| {
            thumbnail::thumbnail(path, &Limits::default(), &cache).unwrap();
        });
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

/// What a run of some work took.
struct Cost {
    wall: f64,
    /// Seconds of all cores together, where the system tells.
    core: f64,
    stages: Vec<Timing>,
}

/// The quicker of two runs.
fn cost(mut work: impl FnMut() -> Vec<Timing>) -> Cost {
    let runs = [(); 2].map(|()| {
        let (started, core) = (Instant::now(), core_seconds());
        let stages = work();
        Cost {
            wall: started.elapsed().as_secs_f64(),
            core: core_seconds() - core,
            stages,
        }
    });
    let [first, second] = runs;
    if first.wall < second.wall {
        first
    } else {
        second
    }
}

/// Seconds that all threads of this process have run, from Linux's account of
/// it, in hundredths; not a number elsewhere.
fn core_seconds() -> f64 {
    let account = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = account.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.filter_map(|text| text.parse().ok()).collect();
    match ticks[..] {
        [user, system] => (user + system) / 100.0,
        _ => f64::NAN,
    }
}

/// Prints what each work costs, beside decoding the same files alone.
fn ratio() {
    let stack = Stack::new();
    let (width, height) = common::size();
    let megapixels = (FRAMES * width * height) as f64 / 1e6;
    let decode = cost(|| {
        stack.decode();
        Vec::new()
    });
    let tell = |what: &str, cost: &Cost| {
        println!(
            "{what:24} {:6.2} s, {:5.2} times decoding; {:.4} core s/MP",
            cost.wall,
            cost.wall / decode.wall,
            cost.core / megapixels
        );
        for Timing { phase, seconds } in &cost.stages {
            println!("  {phase:22} {seconds:6.2} s");
        }
    };
    println!("{FRAMES} frames, {megapixels:.1} MP together");
    tell("decoding", &decode);
    tell(
        "thumbnails",
        &cost(|| {
            stack.thumbnails();
            Vec::new()
        }),
    );
    tell(
        "sharpness",
        &cost(|| {
            stack.score();
            Vec::new()
        }),
    );
    let unaligned = cost(|| {
        let report = stack.stack_aligned(Method::Pyramid, align::Method::None);
        report.timings
    });
    tell("Pyramid, not aligned", &unaligned);
    for method in [
        Method::Hybrid,
        Method::Pyramid,
        Method::Depth,
        Method::Average,
    ] {
        tell(
            &format!("{method:?}"),
            &cost(|| stack.stack(method).timings),
        );
    }
}
