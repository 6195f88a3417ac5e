//! Poses and exposures of rendered stacks against their truth.

mod common;

use common::{StackFolder, analyse, folder_of, write};
use parfocal::core::Transform;
use parfocal::core::align::{Method, Model};
use parfocal::core::grey::{decode, encode};
use parfocal::core::warp::{Area, Exposure, warp};
use parfocal::demo::{DemoStack, Noise, Scene, SceneOptions};
use parfocal::handlers::alignment::{self, Aligned};
use parfocal::handlers::{AlignOptions, FrameStatus, Reference, Sort, StackOptions};
use parfocal::handlers::{Job, Report, export, file, stacking};
use parfocal::photo::{Limits, Photo, Samples};
use rayon::prelude::*;

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
            export::picture(warped.channels.into(), None)
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
/// Hairs have edges at many depths, whose middle moves with focus.
const SCENES: [(Scene, f64, f64); 5] = [
    (Scene::Plane, 0.03, 0.005),
    (Scene::Bumpy, 0.03, 0.005),
    (Scene::Hairs, 0.1, 0.02),
    (Scene::Specular, 0.04, 0.01),
    (Scene::Steps, 0.03, 0.005),
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
fn an_offset_is_undone_where_there_is_one() {
    for kind in [Scene::Plane, Scene::Steps, Scene::Bumpy] {
        let stack = DemoStack::new(&SceneOptions {
            frames: 8,
            ..scene(kind)
        });
        let changes = [[1.0, 0.0], [0.92, 0.03], [1.06, -0.02]];
        let change = |i: usize| match i {
            i if i == stack.reference() => changes[0],
            i => changes[i % 3],
        };
        let changed: Vec<_> = frames(&stack)
            .into_iter()
            .enumerate()
            .map(|(i, photo)| offset(photo, change(i)))
            .collect();
        let folder = folder_of(changed, 8);
        let aligned = analyse(&folder, &StackOptions::default()).unwrap();
        let mut worst = 0.0f64;
        for (i, found) in aligned.exposures.iter().enumerate() {
            let [gain, offset] = change(i);
            // Values that a photograph has much of.
            for value in [0.2, 0.5, 0.8] {
                let seen = value * gain + offset;
                let misses = (0..3).map(|c| seen * found.gain[c] + found.offset[c] - value);
                worst = misses.fold(worst, |worst, miss| worst.max(miss.abs()));
            }
        }
        println!("{kind}: {worst:.4} of full scale");
        // A gain of linear light alone would leave 0.024.
        assert!(worst < 0.008, "{kind}: {worst:.4}");
    }
}

#[test]
fn frames_that_lie_on_each_other_are_taken_as_they_are() {
    for (kind, ..) in SCENES {
        for noise in [Noise::None, Noise::Low] {
            let options = SceneOptions {
                noise,
                ..scene(kind).still()
            };
            let stack = DemoStack::new(&options);
            let folder = folder_of(frames(&stack), 8);
            let aligned = analyse(&folder, &StackOptions::default()).unwrap();
            let used = aligned.used();
            assert_eq!(used.len(), stack.options().frames);
            let off = self::errors(&aligned, stack.transforms());
            let is_still = aligned.found.as_ref().unwrap().still;
            assert!(is_still, "{kind} {noise:?}: {off:.3?}");
            assert!(
                used.iter().all(|(_, pose)| pose.is_identity()),
                "{kind} {noise:?}: {used:?}"
            );
        }
    }
}

#[test]
fn a_slow_drift_is_no_stillness() {
    // An eighth of a pixel from each frame to the next.
    let drift: Vec<Transform> = (0..9)
        .map(|i| Transform::translation(0.125 * f64::from(i - 4), 0.0))
        .collect();
    let aligned = analyse(&folder_of(moved(&drift), 16), &StackOptions::default()).unwrap();
    assert!(!aligned.found.as_ref().unwrap().still);
    assert!(largest(&errors(&aligned, &drift)) < 0.05);
}

#[test]
fn the_ends_of_a_hundred_frames_do_not_drift() {
    let options = SceneOptions {
        frames: 100,
        breathing: 2e-4,
        // The more frames, the less focus moves from one to the next.
        blur: 0.2,
        ..scene(Scene::Plane)
    };
    let stack = DemoStack::new(&options);
    let folder = folder_of(frames(&stack), 8);
    let aligned = analyse(&folder, &StackOptions::default()).unwrap();
    let errors = errors(&aligned, stack.transforms());
    println!(
        "ends {:.3} and {:.3} px, all {:.3} px",
        errors[0],
        errors[99],
        rms(&errors)
    );
    assert_eq!(errors.len(), 100);
    assert!(errors[0] < 0.3 && errors[99] < 0.3, "{errors:.3?}");
}

#[test]
fn a_hand_held_stack_loses_no_frame() {
    // Up to 3 % of the width and a degree either way, anywhere between.
    let mut state = 5u64;
    let mut either_way = |most: f64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        most * ((state >> 40) as f64 / f64::from(1u32 << 23) - 1.0)
    };
    let centre = [(WIDTH - 1) as f64 / 2.0, (HEIGHT - 1) as f64 / 2.0];
    let (most, turn) = (0.03 * WIDTH as f64, 1f64.to_radians());
    let truth: Vec<Transform> = (0..10)
        .map(|_| {
            let shift = [either_way(most), either_way(most)];
            Transform::similarity(1.0, either_way(turn), centre, shift)
        })
        .collect();
    let photos = moved(&truth)
        .into_iter()
        .map(|photo| brightened(photo, 2f64.powf(either_way(0.3))));
    let aligned = analyse(&folder_of(photos, 16), &StackOptions::default()).unwrap();
    let errors = errors(&aligned, &truth);
    println!(
        "handheld: {:.3} px, worst {:.3} px",
        rms(&errors),
        largest(&errors)
    );
    assert_eq!(errors.len(), 10);
    assert!(rms(&errors) < 0.15, "{errors:.3?}");
}

/// Values times a gain, and an offset added.
fn offset(photo: Photo, [gain, offset]: [f64; 2]) -> Photo {
    let Samples::Eight(samples) = &photo.samples else {
        panic!("8 bits are what is made here");
    };
    let other = |&v: &u8| (f64::from(v) * gain + 255.0 * offset).round() as u8;
    Photo {
        samples: Samples::Eight(samples.iter().map(other).collect()),
        ..photo
    }
}

/// `factor` times the light.
fn brightened(photo: Photo, factor: f64) -> Photo {
    let Samples::Sixteen(samples) = &photo.samples else {
        panic!("16 bits are what is made here");
    };
    let brighter = |&v: &u16| {
        let light = decode(f32::from(v) / 65535.0) * factor as f32;
        (65535.0 * encode(light.min(1.0))).round() as u16
    };
    Photo {
        samples: Samples::Sixteen(samples.iter().map(brighter).collect()),
        ..photo
    }
}

#[test]
fn each_method_alone_is_good_to_a_third_of_a_pixel() {
    use Method::{Akaze, Ecc, Hybrid, Orb, Sift};
    for kind in [Scene::Plane, Scene::Hairs, Scene::Specular, Scene::Steps] {
        let options = SceneOptions {
            width: 900,
            height: 600,
            noise: Noise::Low,
            ..SceneOptions::new(kind)
        };
        let stack = DemoStack::new(&options);
        let folder = folder_of(frames(&stack), 8);
        for method in [Ecc, Orb, Sift, Akaze, Hybrid] {
            let align = AlignOptions {
                method,
                ..AlignOptions::default()
            };
            let aligned = analyse(&folder, &aligning(align)).unwrap();
            let back = stack.transforms()[aligned.reference].inverse().unwrap();
            let errors: Vec<f64> = aligned
                .used()
                .into_iter()
                .map(|(i, pose)| pose.distance(&back.then(&stack.transforms()[i]), 900, 600))
                .collect();
            println!("{kind} {method:?}: {:.3} px", rms(&errors));
            assert_eq!(errors.len(), stack.options().frames, "{kind} {method:?}");
            assert!(rms(&errors) < 0.3, "{kind} {method:?}: {errors:.3?}");
            let seeded = aligned.found.as_ref().unwrap().seeded;
            assert_eq!(seeded > 0, method != Ecc, "{kind} {method:?}");
        }
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
            let known = [
                "it matches none",
                "it shows nothing",
                "is blurred as a whole",
            ];
            assert!(
                known.iter().any(|known| reason.contains(known)),
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

#[test]
fn a_black_a_blurred_and_a_foreign_frame_are_left_out() {
    let (stack, good) = nine();
    let mut spoilt = good.clone();
    spoilt[1] = black();
    spoilt[3] = blurred(&good[3], 12);
    spoilt[6] = foreign();
    let aligned = analyse(&folder_of(spoilt, 8), &StackOptions::default()).unwrap();
    check_left_out(&aligned, &[1, 3, 6]);
    let reason = |index: usize| aligned.stack.frames[index].reason.clone().unwrap();
    assert!(reason(1).contains("it shows nothing"), "{}", reason(1));
    assert!(reason(3).contains("blurred"), "{}", reason(3));
    assert!(reason(6).contains("it matches none"), "{}", reason(6));
    let errors = errors(&aligned, stack.transforms());
    assert_eq!(errors.len(), 6);
    assert!(largest(&errors) < 0.05, "{errors:.3?}");
}

#[test]
fn blurred_frames_side_by_side_are_bridged() {
    let (stack, good) = nine();
    let mut spoilt = good.clone();
    for index in [5, 6] {
        spoilt[index] = blurred(&good[index], 20);
    }
    let aligned = analyse(&folder_of(spoilt, 8), &StackOptions::default()).unwrap();
    check_left_out(&aligned, &[5, 6]);
    let errors = errors(&aligned, stack.transforms());
    assert_eq!(errors.len(), 7);
    assert!(largest(&errors) < 0.06, "{errors:.3?}");
}

#[test]
fn a_reference_that_shows_nothing_is_named() {
    let (_, mut photos) = nine();
    photos[2] = black();
    let align = AlignOptions {
        reference: Reference::Frame(2),
        ..AlignOptions::default()
    };
    let folder = folder_of(photos, 8);
    let fault = analyse(&folder, &aligning(align)).unwrap_err().to_string();
    for part in [
        "frame_02.tif",
        "the reference frame shows nothing",
        "--reference",
    ] {
        assert!(fault.contains(part), "{fault}");
    }
}

/// Nine frames in another order than that of their focus.
fn shuffled() -> (DemoStack, StackFolder, [usize; 9]) {
    let (stack, good) = nine();
    let places = [5, 0, 7, 2, 8, 3, 1, 6, 4];
    let folder = folder_of(places.iter().map(|&i| good[i].clone()), 8);
    (stack, folder, places)
}

#[test]
fn frames_out_of_order_are_told_of_and_sorted_when_asked() {
    let (stack, folder, places) = shuffled();
    let run = |sort| {
        let job = Job::silent();
        let found = file::gather(std::slice::from_ref(&folder.path), &Limits::default(), &job);
        let align = AlignOptions {
            sort,
            ..AlignOptions::default()
        };
        let aligned = alignment::analyse(found.unwrap(), &aligning(align), &job).unwrap();
        (aligned, job.warnings())
    };
    let (_, warnings) = run(Sort::Given);
    assert!(
        warnings.iter().any(|w| w.contains("--sort focus")),
        "{warnings:?}"
    );

    let (aligned, warnings) = run(Sort::Focus);
    assert_eq!(warnings, [""; 0]);
    let mut order: Vec<usize> = aligned
        .stack
        .frames
        .iter()
        .map(|frame| {
            let name = frame.path.file_stem().unwrap().to_str().unwrap();
            places[name["frame_".len()..].parse::<usize>().unwrap()]
        })
        .collect();
    let truth: Vec<Transform> = order.iter().map(|&i| stack.transforms()[i]).collect();
    assert!(largest(&errors(&aligned, &truth)) < 0.05);
    if order[0] > order[8] {
        order.reverse();
    }
    assert_eq!(order, (0..9).collect::<Vec<_>>());
}

#[test]
fn an_alignment_is_used_again() {
    let (_, good) = nine();
    let mut spoilt = good.clone();
    spoilt[7] = foreign();
    let folder = folder_of(spoilt, 8);
    let inputs = std::slice::from_ref(&folder.path);
    let out = folder.beside("aligned");
    let options = StackOptions::default();
    let first = alignment::align(inputs, &out, &options, &Job::silent()).unwrap();
    let report = out.join("report.json");
    let again = |reference| {
        let align = AlignOptions {
            reuse: Some(report.clone()),
            reference,
            ..AlignOptions::default()
        };
        analyse(&folder, &aligning(align))
    };

    let aligned = again(Reference::Auto).unwrap();
    assert_eq!(aligned.reference, first.reference);
    assert!(first.noise.is_some());
    assert_eq!(aligned.noise, first.noise);
    for (index, frame) in first.frames.iter().enumerate() {
        let pose = aligned.poses[index].as_ref().map(|pose| pose.transform);
        assert_eq!(pose, frame.transform, "frame {index}");
        assert_eq!(aligned.exposures[index].gain, frame.gain);
        assert_eq!(aligned.stack.frames[index].status, frame.status);
        let is_bridged = aligned.poses[index].as_ref().is_some_and(|p| p.bridged);
        assert_eq!(is_bridged, frame.bridged, "frame {index}");
        if frame.status != FrameStatus::Used {
            assert_eq!(aligned.stack.frames[index].reason, frame.reason);
        }
    }
    assert!(first.frames[8].bridged);
    // Another reference is worked out.
    let other = again(Reference::Frame(1)).unwrap();
    assert!(other.poses[1].as_ref().unwrap().transform.is_identity());
    let direct = other.poses[5].as_ref().unwrap().transform;
    let over = first.frames[1].transform.unwrap().then(&direct);
    assert!(over.distance(&first.frames[5].transform.unwrap(), WIDTH, HEIGHT) < 1e-6);

    // Files that are not those of the report.
    let problem = || again(Reference::Auto).unwrap_err().to_string();
    std::fs::rename(folder.frame("frame_03.tif"), folder.beside("frame_03.tif")).unwrap();
    assert!(
        problem().contains("frame_03.tif, which is not among"),
        "{}",
        problem()
    );
    common::write(&folder.frame("frame_03.tif"), &good[4], 16);
    assert!(
        problem().contains("frame_03.tif: has changed since"),
        "{}",
        problem()
    );
    std::fs::rename(folder.beside("frame_03.tif"), folder.frame("frame_03.tif")).unwrap();
    common::write(&folder.frame("frame_99.tif"), &good[4], 8);
    assert!(
        problem().contains("frame_99.tif: is not in the report"),
        "{}",
        problem()
    );
    std::fs::write(&report, "{}").unwrap();
    assert!(
        problem().contains("report.json: is no report"),
        "{}",
        problem()
    );
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
    let reason = frame.reason.as_deref().unwrap();
    assert!(reason.contains("40 px off the reference"), "{reason}");
    assert!(largest(&errors(&aligned, &jump)) < 0.1);
    assert_eq!(aligned.used().len(), 6);
    // With the usual bounds it takes part.
    let aligned = analyse(&folder, &StackOptions::default()).unwrap();
    assert_eq!(aligned.used().len(), 7);
    assert!(largest(&errors(&aligned, &jump)) < 0.1);
}

#[test]
fn large_frames_are_laid_on_each_other_from_half_their_size() {
    const SIZE: (usize, usize) = (5201, 3901);
    let shifts = [[0.0, 0.0], [3.3, -2.6], [-1.4, 5.7]];
    let picture = |[dx, dy]: [f64; 2]| {
        let value = |i: usize| {
            let (x, y) = ((i / 3 % SIZE.0) as f64 - dx, (i / 3 / SIZE.0) as f64 - dy);
            let bent = 40.0 * (y / 310.0).sin() + 25.0 * (x / 170.0).cos();
            let lines = (0.23 * (x + bent)).sin() * (0.31 * (y - bent)).cos();
            (127.5 + 60.0 * lines + 40.0 * (x / 57.0 + bent).sin()) as u8
        };
        Photo {
            width: SIZE.0,
            height: SIZE.1,
            samples: Samples::Eight(
                (0..SIZE.0 * SIZE.1 * 3)
                    .into_par_iter()
                    .map(value)
                    .collect(),
            ),
            ..Photo::default()
        }
    };
    let folder = StackFolder::empty();
    // A format that cannot be read at half its size lies among them.
    for (name, shift) in ["0.jpg", "1.jpg", "2.tif"].into_iter().zip(shifts) {
        write(&folder.frame(name), &picture(shift), 8);
    }
    let aligned = analyse(&folder, &StackOptions::default()).unwrap();
    let reference = shifts[aligned.reference];
    assert_eq!(aligned.used().len(), 3);
    for (index, pose) in aligned.used() {
        let [dx, dy] = [0, 1].map(|axis| shifts[index][axis] - reference[axis]);
        let error = pose.distance(&Transform::translation(dx, dy), SIZE.0, SIZE.1);
        assert!(error < 0.1, "frame {index} is {error} px off");
        assert!(aligned.sharpness[index].is_some());
    }
    let scores = aligned.sharpness.iter().flatten();
    let (least, most) = scores.fold((f64::MAX, 0.0f64), |(least, most), &score| {
        (least.min(score), most.max(score))
    });
    assert!(most < 1.03 * least, "{least} {most}");
    assert!(aligned.noise.is_some());
}

#[test]
fn a_stack_of_which_nothing_matches_says_so() {
    let (_, good) = nine();
    let expect = |photos: Vec<Photo>, why: &str| {
        let folder = folder_of(photos, 8);
        let fault = analyse(&folder, &StackOptions::default()).unwrap_err();
        let text = fault.to_string();
        assert!(text.contains("fewer than two frames are left"), "{text}");
        assert!(text.contains(why), "{text}");
    };
    expect(vec![black(); 3], "it shows nothing that could be compared");
    expect(
        vec![good[0].clone(), foreign()],
        "matches none of its neighbours",
    );

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
