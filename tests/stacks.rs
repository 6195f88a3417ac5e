//! Real stacks: the result is at least as sharp as the sharpest frame, in every
//! region. `PARFOCAL_STACKS` names a folder of folders of photographs; without
//! it there is nothing to test.

use parfocal::core::fuse::Method;
use parfocal::core::grey::Grey;
use parfocal::core::sharpness::Sharpness;
use parfocal::core::warp::{Area, Exposure, warp};
use parfocal::handlers::{FrameStatus, FuseOptions, Job, Report, StackOptions, export, stacking};
use parfocal::photo::{self, Limits, Photo, Samples};
use std::fs;
use std::path::{Path, PathBuf};

/// Regions across and down.
const GRID: usize = 8;
/// Sharpness below which a region shows nothing but noise, as a share of the
/// sharpest region of the stack.
const TEXTURE: f64 = 0.1;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// All detail. Noise counts as sharpness.
    Whole,
    /// Detail at half the size, where there is a quarter of the noise: for
    /// methods that average noise away.
    Half,
}

impl Measure {
    /// The least sharpness of a region, and of the whole, as shares of that of
    /// the sharpest frame. They may fall a little short of one: noise, of which
    /// the result has less, counts as sharpness to a frame. Among four real
    /// stacks the worst region had 0.98, and 0.93 at half the size.
    fn least(self) -> [f64; 2] {
        match self {
            Self::Whole => [0.95, 1.0],
            Self::Half => [0.9, 0.98],
        }
    }

    fn of(self, photo: &Photo) -> Vec<f64> {
        match self {
            Self::Whole => Sharpness::of(photo, GRID),
            Self::Half => {
                let Grey {
                    width,
                    height,
                    data,
                } = Grey::of(photo).halved();
                let half = Photo {
                    width,
                    height,
                    samples: Samples::Sixteen(data.iter().flat_map(|&v| [v; 3]).collect()),
                    ..Photo::default()
                };
                Sharpness::of(&half, GRID)
            }
        }
        .scores()
    }
}

fn global(scores: &[f64]) -> f64 {
    (scores.iter().map(|s| s * s).sum::<f64>() / scores.len() as f64).sqrt()
}

/// The sharpness of each frame where the result shows it, brought to the
/// result's geometry and exposure.
fn aligned_scores(report: &Report, measure: Measure) -> Vec<Vec<f64>> {
    let crop = report.crop;
    let area = Area {
        x: crop.x,
        y: crop.y,
        width: crop.width,
        height: crop.height,
    };
    report
        .frames
        .iter()
        .map(|frame| {
            let photo = photo::read(&frame.path, &Limits::default()).unwrap();
            let exposure = Exposure {
                gain: frame.gain,
                offset: frame.offset,
            };
            let warped = warp(&photo, &frame.transform.unwrap(), area, &exposure);
            assert!(warped.mask.is_none(), "{}", frame.path.display());
            measure.of(&export::picture(warped.channels.into(), None))
        })
        .collect()
}

/// The largest of each region over all frames.
fn sharpest(frames: &[Vec<f64>]) -> Vec<f64> {
    (0..GRID * GRID)
        .map(|cell| frames.iter().map(|f| f[cell]).fold(0.0, f64::max))
        .collect()
}

/// The faults of one stack, fused by `method`.
fn faults(folder: &Path, method: Method, measure: Measure) -> Vec<String> {
    let name = folder.file_name().unwrap().to_string_lossy();
    let name = format!("{name}, {method:?}");
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("out.tif");
    let options = StackOptions {
        out: Some(out.clone()),
        fuse: FuseOptions {
            method,
            ..FuseOptions::default()
        },
        ..StackOptions::default()
    };
    let inputs = [folder.to_owned()];
    let report = stacking::stack(&inputs, &options, &Job::silent()).unwrap();
    let mut faults: Vec<String> = report
        .frames
        .iter()
        .filter(|frame| frame.status != FrameStatus::Used)
        .map(|frame| format!("{name}: {} {:?}", frame.path.display(), frame.reason))
        .collect();
    if !faults.is_empty() {
        return faults;
    }
    let result = measure.of(&photo::read(&out, &Limits::default()).unwrap());
    let frames = aligned_scores(&report, measure);
    let best = sharpest(&frames);
    let texture = TEXTURE * best.iter().copied().fold(0.0, f64::max);
    let [least, least_whole] = measure.least();
    let mut worst = f64::INFINITY;
    let mut counted = 0;
    for (cell, (own, best)) in result.iter().zip(&best).enumerate() {
        if *best < texture {
            continue;
        }
        counted += 1;
        let ratio = own / best;
        worst = worst.min(ratio);
        if ratio < least {
            let (column, row) = (cell % GRID, cell / GRID);
            faults.push(format!(
                "{name}: region {column}, {row} has {ratio:.3} of the sharpest frame's {best:.2}"
            ));
        }
    }
    let most = frames.iter().map(|f| global(f)).fold(0.0, f64::max);
    println!(
        "{name}: {} frames, {counted} regions, the worst {worst:.3}; as a whole {:.3}",
        frames.len(),
        global(&result) / most
    );
    if global(&result) < least_whole * most {
        faults.push(format!("{name}: a single frame is sharper"));
    }
    if counted < GRID * GRID / 8 {
        faults.push(format!("{name}: only {counted} regions show something"));
    }
    faults
}

#[test]
fn results_are_as_sharp_as_the_sharpest_frame_everywhere() {
    let Some(stacks) = std::env::var_os("PARFOCAL_STACKS").map(PathBuf::from) else {
        println!("skipped: PARFOCAL_STACKS names no folder of stacks");
        return;
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(&stacks)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{} is empty", stacks.display());
    let ways = [
        (Method::Hybrid, Measure::Half),
        (Method::Pyramid, Measure::Whole),
    ];
    let faults: Vec<String> = folders
        .iter()
        .flat_map(|folder| ways.map(|(method, measure)| faults(folder, method, measure)))
        .flatten()
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
