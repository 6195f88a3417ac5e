//! Poses and exposures of rendered stacks against their truth.

mod common;

use common::{StackFolder, analyse, folder_of};
use parfocal::core::Transform;
use parfocal::core::align::{Method, Model};
use parfocal::core::warp::{Area, Exposure, warp};
use parfocal::demo::{DemoStack, Noise, Scene, SceneOptions};
use parfocal::handlers::alignment::Aligned;
use parfocal::handlers::{AlignOptions, FrameStatus, Reference, StackOptions, export, stacking};
use parfocal::handlers::{Job, Report};
use parfocal::photo::{Photo, Samples};

const WIDTH: usize = 600;
const HEIGHT: usize = 400;

/// A scene at the size of these tests, unsteady, flickering and noisy.
fn scene(scene: Scene) -> SceneOptions {
    SceneOptions {
        width: WIDTH,
        height: HEIGHT,
        ..SceneOptions::new(scene)
    }
}

/// The frames of a stack as a camera writes them.
fn frames(stack: &DemoStack) -> Vec<Photo> {
    (0..stack.options().frames)
        .map(|index| stack.frame(index, 8))
        .collect()
}

fn aligning(align: AlignOptions) -> StackOptions {
    StackOptions {
        align,
        ..StackOptions::default()
    }
}

/// How far the pose of each frame in use is from the truth, in pixels: root
/// mean square over corners and centre. `truth` maps some geometry to that of
/// each frame.
fn errors(aligned: &Aligned, truth: &[Transform]) -> Vec<f64> {
    let back = truth[aligned.reference].inverse().unwrap();
    aligned
        .used()
        .into_iter()
        .map(|(index, pose)| pose.distance(&back.then(&truth[index]), WIDTH, HEIGHT))
        .collect()
}

fn rms(errors: &[f64]) -> f64 {
    (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt()
}

fn largest(errors: &[f64]) -> f64 {
    errors.iter().copied().fold(0.0, f64::max)
}

fn black() -> Photo {
    Photo {
        width: WIDTH,
        height: HEIGHT,
        samples: Samples::Eight(vec![0; WIDTH * HEIGHT * 3]),
        ..Photo::default()
    }
}

/// Frames whose place is made, not photographed: `poses` map the reference to
/// each frame. Focus goes through the scene as always.
fn moved(poses: &[Transform]) -> Vec<Photo> {
    const MARGIN: usize = 60;
    let options = SceneOptions {
        width: WIDTH + 2 * MARGIN,
        height: HEIGHT + 2 * MARGIN,
        frames: poses.len(),
        ..scene(Scene::Plane).still()
    };
    let stack = DemoStack::new(&options);
    let area = Area {
        x: 0,
        y: 0,
        width: WIDTH,
        height: HEIGHT,
    };
    let margin = Transform::translation(MARGIN as f64, MARGIN as f64);
    poses
        .iter()
        .enumerate()
        .map(|(index, pose)| {
            let place = pose.inverse().unwrap().then(&margin);
            let whole = stack.frame(index, 16);
            let warped = warp(&whole, &place, area, &Exposure::default());
            assert!(warped.mask.is_none(), "the margin is too narrow");
            export::picture(&warped.channels, None)
        })
        .collect()
}

/// A wandering camera, limited to what `model` can tell.
fn wandering(model: Model, frames: usize) -> Vec<Transform> {
    let centre = [(WIDTH - 1) as f64 / 2.0, (HEIGHT - 1) as f64 / 2.0];
    let middle = (frames / 2) as f64;
    (0..frames)
        .map(|index| {
            let k = index as f64 - middle;
            let shift = [2.3 * k, 4.0 * (1.7 * k).sin()];
            let turn = (0.25 * k).to_radians();
            let growth = 1.0 + 0.004 * k;
            let own = |a: f64, b: f64, g: f64, h: f64| {
                let matrix = Transform([[1.0 + a, b, 0.0], [0.0, 1.0 - a, 0.0], [g, h, 1.0]]);
                Transform::translation(-centre[0], -centre[1])
                    .then(&matrix)
                    .then(&Transform::translation(
                        centre[0] + shift[0],
                        centre[1] + shift[1],
                    ))
            };
            match model {
                Model::Translation => Transform::translation(shift[0], shift[1]),
                Model::Euclidean => Transform::similarity(1.0, turn, centre, shift),
                Model::Auto | Model::Similarity => {
                    Transform::similarity(growth, turn, centre, shift)
                }
                Model::Affine => own(0.004 * k, 0.003 * k, 0.0, 0.0),
                Model::Homography => own(0.0, 0.0, 8e-6 * k, -6e-6 * k),
            }
        })
        .collect()
}

/// How far each frame's matched linear light is from that of the reference, as
/// a share: the worst channel.
fn exposure_errors(aligned: &Aligned, truth: &[f64]) -> Vec<f64> {
    aligned
        .exposures
        .iter()
        .zip(truth)
        .map(|(found, truth)| {
            let light = found.gain.map(|gain| gain.powf(2.4) * truth - 1.0);
            light.iter().fold(0.0f64, |most, e| most.max(e.abs()))
        })
        .collect()
}

/// The means of squares of `2 * radius + 1` pixels, twice.
fn blurred(photo: &Photo, radius: usize) -> Photo {
    let Samples::Eight(samples) = &photo.samples else {
        panic!("8 bits are enough here");
    };
    let (width, height) = (photo.width, photo.height);
    let mut values: Vec<f32> = samples.iter().map(|&v| f32::from(v)).collect();
    for (length, lines, along, across) in [
        (width, height, 3, 3 * width),
        (height, width, 3 * width, 3),
        (width, height, 3, 3 * width),
        (height, width, 3 * width, 3),
    ] {
        let before = values.clone();
        for line in 0..lines {
            for c in 0..3 {
                let at = |i: usize| before[line * across + i * along + c];
                for i in 0..length {
                    let window = i.saturating_sub(radius)..(i + radius + 1).min(length);
                    let count = window.len() as f32;
                    values[line * across + i * along + c] = window.map(at).sum::<f32>() / count;
                }
            }
        }
    }
    Photo {
        samples: Samples::Eight(values.iter().map(|v| v.round() as u8).collect()),
        ..photo.clone()
    }
}

/// Each scene with the largest error believed of its poses (pixels, root mean
/// square over the frames) and of its exposures (share of linear light).
/// Both are about twice the worst of four seeds. Hairs have edges at many
/// depths, whose middle moves with focus; light that clips when it is in focus
/// brightens a frame that is not, so gains are harder to tell.
const SCENES: [(Scene, f64, f64); 5] = [
    (Scene::Plane, 0.04, 0.025),
    (Scene::Bumpy, 0.04, 0.06),
    (Scene::Hairs, 0.2, 0.03),
    (Scene::Specular, 0.07, 0.14),
    (Scene::Steps, 0.04, 0.03),
];

#[test]
fn every_scene_is_aligned_to_a_fraction_of_a_pixel() {
    for (kind, bar, exposure_bar) in SCENES {
        let stack = DemoStack::new(&scene(kind));
        let folder = folder_of(frames(&stack), 8);
        let aligned = analyse(&folder, &StackOptions::default()).unwrap();
        assert_eq!(aligned.reference, stack.reference());
        let errors = errors(&aligned, stack.transforms());
        assert_eq!(errors.len(), stack.options().frames, "{kind}");
        let light = exposure_errors(&aligned, stack.exposures());
        println!(
            "{kind}: poses {:.3} px, worst {:.3} px; exposures {:.4}",
            rms(&errors),
            largest(&errors),
            largest(&light)
        );
        assert!(rms(&errors) < bar, "{kind}: {errors:.3?}");
        assert!(largest(&errors) < 2.0 * bar, "{kind}: {errors:.3?}");
        assert!(largest(&light) < exposure_bar, "{kind}: {light:.4?}");
        let scores = aligned.poses.iter().flatten().map(|pose| pose.score);
        assert!(scores.into_iter().all(|score| (0.5..=1.0).contains(&score)));
    }
}

#[test]
fn flicker_is_undone_to_within_a_percent() {
    for kind in [Scene::Plane, Scene::Steps] {
        let options = SceneOptions {
            frames: 8,
            flicker: 0.2,
            noise: Noise::Low,
            ..scene(kind).still()
        };
        let stack = DemoStack::new(&options);
        let folder = folder_of(frames(&stack), 8);
        for method in [Method::Auto, Method::None] {
            let align = AlignOptions {
                method,
                ..AlignOptions::default()
            };
            let aligned = analyse(&folder, &aligning(align)).unwrap();
            let light = exposure_errors(&aligned, stack.exposures());
            println!("{kind}: exposures {:.4}", largest(&light));
            assert!(largest(&light) < 0.01, "{kind}: {light:.4?}");
        }
        let align = AlignOptions {
            match_exposure: false,
            ..AlignOptions::default()
        };
        let aligned = analyse(&folder, &aligning(align)).unwrap();
        let kept = aligned.exposures.iter().all(|e| *e == Exposure::default());
        assert!(kept, "{kind}");
    }
}

#[test]
fn frames_that_lie_on_each_other_are_taken_as_they_are() {
    for kind in [Scene::Plane, Scene::Bumpy, Scene::Steps] {
        for noise in [Noise::None, Noise::Low] {
            let options = SceneOptions {
                frames: 8,
                noise,
                ..scene(kind).still()
            };
            let stack = DemoStack::new(&options);
            let folder = folder_of(frames(&stack), 8);
            let aligned = analyse(&folder, &StackOptions::default()).unwrap();
            let used = aligned.used();
            assert_eq!(used.len(), 8);
            assert!(
                used.iter().all(|(_, pose)| pose.is_identity()),
                "{kind} {noise:?}: {used:?}"
            );
        }
    }
    // Here edges of other depths pull at the poses, but not far.
    for (kind, bar) in [(Scene::Hairs, 0.2), (Scene::Specular, 0.07)] {
        let stack = DemoStack::new(&scene(kind).still());
        let folder = folder_of(frames(&stack), 8);
        let aligned = analyse(&folder, &StackOptions::default()).unwrap();
        let errors = errors(&aligned, stack.transforms());
        println!("{kind} still: {:.3} px", rms(&errors));
        assert!(errors.len() == 12 && rms(&errors) < bar, "{errors:.3?}");
    }
}

#[test]
fn each_model_finds_a_motion_of_its_kind() {
    use Model::{Affine, Auto, Euclidean, Homography, Similarity, Translation};
    for (model, simpler, bar) in [
        (Translation, None, 0.05),
        (Euclidean, Some(Translation), 0.05),
        (Similarity, Some(Euclidean), 0.05),
        (Auto, Some(Euclidean), 0.05),
        (Affine, Some(Similarity), 0.05),
        (Homography, Some(Affine), 0.1),
    ] {
        let truth = wandering(model, 9);
        let folder = folder_of(moved(&truth), 16);
        let found = |model| {
            let align = AlignOptions {
                model,
                ..AlignOptions::default()
            };
            analyse(&folder, &aligning(align)).unwrap()
        };
        let aligned = found(model);
        let errors = errors(&aligned, &truth);
        println!(
            "{model:?}: {:.3} px, worst {:.3} px",
            rms(&errors),
            largest(&errors)
        );
        assert_eq!(errors.len(), 9);
        assert!(rms(&errors) < bar, "{model:?}: {errors:.3?}");
        for (_, pose) in aligned.used() {
            assert!(is_member(model, &pose), "{model:?}: {pose:?}");
        }
        // The motion asks for this model: the next simpler one misses it.
        if let Some(simpler) = simpler {
            let errors = self::errors(&found(simpler), &truth);
            assert!(rms(&errors) > 1.0, "{simpler:?}: {errors:.3?}");
        }
    }
}

fn is_member(model: Model, pose: &Transform) -> bool {
    let m = pose.0;
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let similar = near(m[0][0], m[1][1]) && near(m[0][1], -m[1][0]) && pose.is_affine();
    match model {
        Model::Translation => similar && near(m[0][0], 1.0) && near(m[0][1], 0.0),
        Model::Euclidean => similar && near(pose.scale(), 1.0),
        Model::Auto | Model::Similarity => similar,
        Model::Affine => pose.is_affine(),
        Model::Homography => true,
    }
}

#[test]
fn methods_differ_as_they_should_and_the_reference_may_be_chosen() {
    let options = SceneOptions {
        frames: 7,
        ..scene(Scene::Plane)
    };
    let stack = DemoStack::new(&options);
    let folder = folder_of(frames(&stack), 8);
    for method in [Method::Auto, Method::Ecc] {
        for reference in [0, 2, 6] {
            let align = AlignOptions {
                method,
                reference: Reference::Frame(reference),
                ..AlignOptions::default()
            };
            let aligned = analyse(&folder, &aligning(align)).unwrap();
            assert_eq!(aligned.reference, reference);
            let own = aligned.poses[reference].as_ref().unwrap();
            assert!(own.transform.is_identity(), "{own:?}");
            assert_eq!(aligned.exposures[reference], Exposure::default());
            let errors = errors(&aligned, stack.transforms());
            assert_eq!(errors.len(), 7);
            assert!(rms(&errors) < 0.04, "{reference}: {errors:.3?}");
        }
    }
    let align = AlignOptions {
        method: Method::None,
        ..AlignOptions::default()
    };
    let aligned = analyse(&folder, &aligning(align)).unwrap();
    let used = aligned.used();
    assert_eq!((used.len(), aligned.reference), (7, 3));
    assert!(used.iter().all(|(_, pose)| pose.is_identity()));

    let align = AlignOptions {
        reference: Reference::Frame(7),
        ..AlignOptions::default()
    };
    let fault = analyse(&folder, &aligning(align)).unwrap_err().to_string();
    assert!(fault.contains("no frame 7") && fault.contains("0 to 6"));
}

/// A plane in nine frames, to be spoilt.
fn nine() -> (DemoStack, Vec<Photo>) {
    let stack = DemoStack::new(&SceneOptions {
        frames: 9,
        ..scene(Scene::Plane)
    });
    let frames = frames(&stack);
    (stack, frames)
}

/// A photograph of something else.
fn foreign() -> Photo {
    let options = SceneOptions {
        frames: 1,
        seed: 9,
        ..scene(Scene::Bumpy)
    };
    DemoStack::new(&options).frame(0, 8)
}

/// The status of each frame, and a reason for each that is not used.
fn check_left_out(aligned: &Aligned, expected: &[usize]) {
    for (index, frame) in aligned.stack.frames.iter().enumerate() {
        let reason = frame.reason.as_deref();
        if expected.contains(&index) {
            assert_eq!(frame.status, FrameStatus::Failed, "frame {index}");
            let reason = reason.unwrap();
            assert!(
                reason.starts_with("could not be aligned: it matches none"),
                "frame {index}: {reason}"
            );
            assert!(aligned.poses[index].is_none());
        } else {
            assert_eq!((frame.status, reason), (FrameStatus::Used, None));
        }
    }
}

#[test]
fn frames_without_a_place_are_left_out_and_spoil_no_others() {
    let (stack, good) = nine();
    let mut spoilt = good.clone();
    spoilt[2] = black();
    spoilt[7] = foreign();
    let aligned = analyse(&folder_of(spoilt, 8), &StackOptions::default()).unwrap();
    check_left_out(&aligned, &[2, 7]);
    let errors = errors(&aligned, stack.transforms());
    assert_eq!(errors.len(), 7);
    assert!(largest(&errors) < 0.05, "{errors:.3?}");
    // Those behind them are reached over them.
    let bridged: Vec<usize> = (0..9)
        .filter(|&i| aligned.poses[i].as_ref().is_some_and(|p| p.bridged))
        .collect();
    assert_eq!(bridged, [3, 8]);
}

#[test]
fn runs_of_bad_frames_are_bridged() {
    let (stack, good) = nine();
    for run in [1, 2, 3, 5] {
        let mut spoilt = good.clone();
        spoilt[2..2 + run].fill(black());
        let aligned = analyse(&folder_of(spoilt, 8), &StackOptions::default()).unwrap();
        let bad: Vec<usize> = (2..2 + run).collect();
        check_left_out(&aligned, &bad);
        let errors = errors(&aligned, stack.transforms());
        assert!(largest(&errors) < 0.05, "{run} bad: {errors:.3?}");
    }
}

fn stacked(folder: &StackFolder, truth: &Photo) -> (Report, f64) {
    let out = folder.beside("out.tif");
    let options = StackOptions {
        align: AlignOptions {
            reference: Reference::Frame(4),
            ..AlignOptions::default()
        },
        out: Some(out.clone()),
        ..StackOptions::default()
    };
    let inputs = std::slice::from_ref(&folder.path);
    let report = stacking::stack(inputs, &options, &Job::silent()).unwrap();
    let result = parfocal::photo::read(&out, &Default::default()).unwrap();
    let psnr = parfocal::demo::psnr(&result, truth, [report.crop.x, report.crop.y]).unwrap();
    (report, psnr)
}

#[test]
fn a_blurred_frame_does_no_harm() {
    let (stack, good) = nine();
    let truth = stack.truth();
    let mut without = good.clone();
    without.remove(6);
    // The sixth frame is not the reference, and the fourth stays in its place.
    let (_, best) = stacked(&folder_of(without, 8), &truth);
    for radius in [8, 25] {
        let mut spoilt = good.clone();
        spoilt[6] = blurred(&good[6], radius);
        let folder = folder_of(spoilt, 8);
        let (report, psnr) = stacked(&folder, &truth);
        println!(
            "radius {radius}: {psnr:.2} dB, without {best:.2} dB, crop {:?}",
            report.crop
        );
        assert!(psnr > best - 0.5, "radius {radius}: {psnr} of {best}");
        for (index, frame) in report.frames.iter().enumerate() {
            if index != 6 {
                assert_eq!(frame.status, FrameStatus::Used);
                let back = stack.transforms()[report.reference].inverse().unwrap();
                let truth = back.then(&stack.transforms()[index]);
                let error = frame.transform.unwrap().distance(&truth, WIDTH, HEIGHT);
                assert!(error < 0.05, "radius {radius}, frame {index}: {error}");
            }
        }
    }
}

#[test]
fn what_moves_too_far_is_left_out_with_a_reason() {
    // 12 px from each frame to the next.
    let drift: Vec<Transform> = (0..7)
        .map(|i| Transform::translation(12.0 * f64::from(i - 3), 0.0))
        .collect();
    let folder = folder_of(moved(&drift), 16);
    let align = AlignOptions {
        max_shift: 30.0 / WIDTH as f64,
        ..AlignOptions::default()
    };
    let aligned = analyse(&folder, &aligning(align.clone())).unwrap();
    for (index, frame) in aligned.stack.frames.iter().enumerate() {
        let reason = frame.reason.as_deref();
        if index.abs_diff(3) > 2 {
            assert_eq!(frame.status, FrameStatus::Failed);
            let reason = reason.unwrap();
            assert!(reason.contains("36 px off the reference"), "{reason}");
        } else {
            assert_eq!((frame.status, reason), (FrameStatus::Used, None));
        }
    }
    // One frame jumps: its neighbours do not lead to it.
    let mut jump = drift.clone();
    jump[2] = Transform::translation(40.0, 0.0);
    let folder = folder_of(moved(&jump), 16);
    let align = AlignOptions {
        max_shift: 38.0 / WIDTH as f64,
        ..align
    };
    let aligned = analyse(&folder, &aligning(align)).unwrap();
    let frame = &aligned.stack.frames[2];
    assert_eq!(frame.status, FrameStatus::Failed);
    assert!(frame.reason.is_some());
    assert!(largest(&errors(&aligned, &jump)) < 0.1);
    assert_eq!(aligned.used().len(), 6);
    // With the usual bounds it takes part.
    let aligned = analyse(&folder, &StackOptions::default()).unwrap();
    assert_eq!(aligned.used().len(), 7);
    assert!(largest(&errors(&aligned, &jump)) < 0.1);
}

#[test]
fn a_stack_of_which_nothing_matches_says_so() {
    let (_, good) = nine();
    let expect = |photos: Vec<Photo>| {
        let folder = folder_of(photos, 8);
        let fault = analyse(&folder, &StackOptions::default()).unwrap_err();
        let text = fault.to_string();
        assert!(text.contains("fewer than two frames are left"), "{text}");
        assert!(text.contains("matches none of its neighbours"), "{text}");
    };
    expect(vec![black(); 3]);
    expect(vec![good[0].clone(), foreign()]);

    // The first frame cannot even be read.
    let folder = folder_of([good[0].clone(), black(), foreign()], 8);
    let path = folder.frame("frame_00.tif");
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle - 20_000..middle + 20_000].fill(0xff);
    std::fs::write(&path, damaged).unwrap();
    let fault = analyse(&folder, &StackOptions::default()).unwrap_err();
    assert!(fault.to_string().contains("fewer than two"), "{fault}");
}
