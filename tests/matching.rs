//! Frames that are read once: those that are not aligned, and small ones.

mod common;

use std::fs;

use common::{StackFolder, analyse, folder_of, write};
use parfocal::core::align::Method;
use parfocal::demo::{DemoStack, Noise, Scene, SceneOptions, psnr};
use parfocal::handlers::stacking::{self, Stacked, fuse_aligned};
use parfocal::handlers::{Device, FrameStatus, Job, Reference, Report, StackOptions};
use parfocal::photo::{self, Limits};

const FRAMES: usize = 8;

fn scene(kind: Scene) -> SceneOptions {
    SceneOptions {
        width: 480,
        height: 320,
        frames: FRAMES,
        noise: Noise::Low,
        ..SceneOptions::new(kind)
    }
}

fn rendered(stack: &DemoStack) -> StackFolder {
    folder_of((0..FRAMES).map(|i| stack.frame(i, 8)), 8)
}

fn unaligned() -> StackOptions {
    let mut options = StackOptions::default();
    options.align.method = Method::None;
    options.resources.device = Device::Cpu;
    options
}

fn stack(folder: &StackFolder, options: &StackOptions) -> parfocal::Result<Report> {
    let options = StackOptions {
        out: Some(folder.beside("out.tif")),
        ..options.clone()
    };
    stacking::stack(std::slice::from_ref(&folder.path), &options, &Job::silent())
}

/// The same as JPEGs, of which these are cut short.
fn damaged(stack: &DemoStack, bad: &[usize]) -> StackFolder {
    let folder = StackFolder::empty();
    for i in 0..FRAMES {
        let path = folder.frame(&format!("frame_{i:02}.jpg"));
        write(&path, &stack.frame(i, 8), 8);
        if bad.contains(&i) {
            let data = fs::read(&path).unwrap();
            fs::write(&path, &data[..data.len() / 2]).unwrap();
        }
    }
    folder
}

/// How often a stage was gone through.
fn times(report: &Report, stage: &str) -> usize {
    let found = report.stages.iter().find(|own| own.stage == stage);
    found.map_or(0, |own| own.times)
}

/// How far the exposures in a report are from the truth, as shares of linear light.
fn off(report: &Report, truth: &[f64]) -> f64 {
    let frames = report.frames.iter().zip(truth);
    let all = frames.flat_map(|(frame, truth)| frame.gain.map(|gain| gain.powf(2.4) * truth - 1.0));
    all.fold(0.0, |most, off| most.max(off.abs()))
}

#[test]
fn frames_that_are_not_aligned_are_matched_while_they_are_fused_and_read_once() {
    for kind in [Scene::Plane, Scene::Steps] {
        let demo = DemoStack::new(&SceneOptions {
            flicker: 0.2,
            ..scene(kind).still()
        });
        let folder = rendered(&demo);
        let report = stack(&folder, &unaligned()).unwrap();
        assert_eq!(report.warnings, [""; 0]);
        let off = off(&report, demo.exposures());
        println!("{kind}: exposures {off:.4}");
        assert!(off < 0.01, "{kind}: {off}");
        // The reference, and all others.
        assert_eq!(times(&report, "look: read"), 1);
        assert_eq!(times(&report, "read frames"), FRAMES - 1);
        assert!(report.noise.is_some_and(|noise| noise > 0.0));
        let scores = report.frames.iter().map(|frame| frame.sharpness);
        assert!(
            scores
                .into_iter()
                .all(|score| score.is_some_and(|s| s > 0.0))
        );

        // As if all had been looked at before.
        let mut aligned = analyse(&folder, &unaligned()).unwrap();
        let job = Job::silent();
        let Stacked { picture, .. } = fuse_aligned(&mut aligned, &unaligned(), &job, None).unwrap();
        let once = photo::read(&folder.beside("out.tif"), &Limits::default()).unwrap();
        let alike = psnr(&once, &picture, [0, 0]).unwrap();
        println!("{kind}: {alike:.1} dB");
        assert!(alike > 45.0, "{kind}: {alike}");
        for (i, frame) in report.frames.iter().enumerate() {
            let looked = aligned.sharpness[i].unwrap();
            assert!((frame.sharpness.unwrap() / looked - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn frames_that_need_no_matching_keep_their_values() {
    let folder = rendered(&DemoStack::new(&scene(Scene::Plane).still()));
    let report = stack(&folder, &unaligned()).unwrap();
    for frame in &report.frames {
        assert_eq!((frame.gain, frame.offset), ([1.0; 3], [0.0; 3]));
    }
}

#[test]
fn bad_frames_are_left_out_wherever_they_are() {
    let demo = DemoStack::new(&scene(Scene::Plane).still());
    let middle = FRAMES / 2;
    for bad in [vec![0], vec![middle], vec![0, 1, middle, FRAMES - 1]] {
        let folder = damaged(&demo, &bad);
        let report = stack(&folder, &unaligned()).unwrap();
        for (i, frame) in report.frames.iter().enumerate() {
            let is_used = frame.status == FrameStatus::Used;
            assert_eq!(is_used, !bad.contains(&i), "{bad:?}: {i}");
        }
        let warned = report
            .warnings
            .iter()
            .filter(|warning| warning.contains(".jpg"));
        assert_eq!(warned.count(), bad.len(), "{:?}", report.warnings);
        assert!(!bad.contains(&report.reference));
        let truth = demo.truth();
        let own = photo::read(&folder.beside("out.tif"), &Limits::default()).unwrap();
        assert_eq!((own.width, own.height), (truth.width, truth.height));
    }
}

#[test]
fn a_bad_reference_that_was_asked_for_is_a_fault() {
    let folder = damaged(&DemoStack::new(&scene(Scene::Plane).still()), &[3]);
    let mut options = unaligned();
    options.align.reference = Reference::Frame(3);
    let fault = stack(&folder, &options).unwrap_err().to_string();
    assert!(fault.contains("frame_03.jpg"), "{fault}");
    assert!(!folder.beside("out.tif").exists());
}

#[test]
fn small_frames_are_kept_until_they_are_fused_if_there_is_memory() {
    let folder = rendered(&DemoStack::new(&scene(Scene::Bumpy)));
    let mut options = StackOptions::default();
    options.resources.device = Device::Cpu;
    options.output.overwrite = true;
    let run = |options: &StackOptions| {
        let report = stack(&folder, options).unwrap();
        let picture = fs::read(folder.beside("out.tif")).unwrap();
        (times(&report, "read frames"), picture)
    };
    let (none, kept) = run(&options);
    assert_eq!(none, 0);
    // No more than fusing takes, and two frames.
    options.resources.memory = Some(16_500_000);
    let (most, read) = run(&options);
    assert!(most >= FRAMES - 2, "{most}");
    assert!(kept == read, "it is another picture");
}
