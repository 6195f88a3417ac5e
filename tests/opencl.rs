//! Fusion on an OpenCL device gives the processor's picture.
//!
//! Where the machine has no OpenCL device these say so and pass.

use std::sync::Arc;
use std::time::Instant;

use parfocal::core::device::{OpenClDevice, opencl_devices};
use parfocal::core::fuse::{
    Fused, Fusion, Held, Holding, Lanes, Meter, Method, Options, Prefer, Second, on_opencl,
};
use parfocal::core::sharpness::{GRID, Sharpness};
use parfocal::core::stages::Stages;
use parfocal::core::warp::{Area, Exposure};
use parfocal::core::{ALWAYS, Transform};
use parfocal::demo::{DemoStack, Scene, SceneOptions};
use parfocal::photo::{Decoded, Photo, Samples, Subsampled};

const METHODS: [Method; 4] = [
    Method::Hybrid,
    Method::Pyramid,
    Method::Depth,
    Method::Average,
];

/// A photograph, its pose and its exposure.
type Frame = (Photo, Transform, Exposure);

fn device() -> Option<OpenClDevice> {
    let device = opencl_devices().into_iter().next();
    if device.is_none() {
        println!("skipped: there is no OpenCL device");
    }
    device
}

fn area(width: usize, height: usize) -> Area {
    Area {
        x: 0,
        y: 0,
        width,
        height,
    }
}

/// Frames of a demo stack, with gains and offsets that differ a little.
fn frames(options: &SceneOptions, bits: u8) -> Vec<Frame> {
    let stack = DemoStack::new(options);
    (0..options.frames)
        .map(|index| {
            let exposure = Exposure {
                gain: [1.0 + 0.01 * index as f64, 1.0, 1.02],
                offset: [0.0, 0.002 * index as f64, 0.0],
            };
            (
                stack.frame(index, bits),
                stack.transforms()[index],
                exposure,
            )
        })
        .collect()
}

fn scene(scene: Scene, width: usize, height: usize) -> SceneOptions {
    SceneOptions {
        width,
        height,
        frames: 5,
        ..SceneOptions::new(scene)
    }
}

/// The picture of frames, fused on `device` or on the processor.
fn fuse(options: &Options, area: Area, device: Option<&OpenClDevice>, frames: &[Frame]) -> Fused {
    let fusion = match device {
        Some(device) => on_opencl(options, area, device).unwrap(),
        None => options.on_cpu(area),
    };
    let found = fed(fusion, frames);
    match options
        .second(found, None, area, device.map(Lanes::from), ALWAYS)
        .unwrap()
    {
        Second::Look(fusion) => fed(fusion, frames),
        Second::None(fused) => *fused,
    }
}

/// What comes of all frames.
fn fed(mut fusion: Box<dyn Fusion>, frames: &[Frame]) -> Fused {
    for (index, (photo, pose, exposure)) in frames.iter().enumerate() {
        fusion
            .add(index as u16, photo, pose, exposure, ALWAYS)
            .unwrap();
    }
    fusion.finish(ALWAYS).unwrap()
}

/// Both pictures of the same frames: the processor's and the device's.
fn both(
    method: Method,
    area: Area,
    levels: Option<usize>,
    device: &OpenClDevice,
    frames: &[Frame],
) -> (Fused, Fused) {
    let options = Options {
        levels,
        ..noisy(method)
    };
    both_by(&options, area, device, frames)
}

/// A method that takes frames to have as much noise as the pyramid heeds.
fn noisy(method: Method) -> Options {
    Options {
        noise: (2.0f32 / 255.0).powi(2),
        ..Options::from(method)
    }
}

fn both_by(
    options: &Options,
    area: Area,
    device: &OpenClDevice,
    frames: &[Frame],
) -> (Fused, Fused) {
    (
        fuse(options, area, None, frames),
        fuse(options, area, Some(device), frames),
    )
}

/// The picture as it is written.
fn written(fused: &Fused) -> Vec<f32> {
    let samples = fused.picture.clone().into_samples().into_iter();
    samples.map(|sample| f32::from(sample) / 65535.0).collect()
}

/// Peak signal-to-noise ratio in dB, full scale being 1.
fn psnr(a: &Fused, b: &Fused) -> f64 {
    let [a, b] = [a, b].map(written);
    let squares = a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2));
    -10.0 * (squares.sum::<f64>() / a.len() as f64).log10()
}

/// The share of equal values.
fn agreement<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

/// The share of values that differ by no more than `most`.
fn nearness(a: &[f32], b: &[f32], most: f32) -> f64 {
    assert_eq!(a.len(), b.len());
    let near = a.iter().zip(b).filter(|(a, b)| (*a - *b).abs() <= most);
    near.count() as f64 / a.len() as f64
}

/// The depth of each pixel in frames.
fn depth(fused: &Fused) -> Vec<f32> {
    let [width, height] = fused.picture.size();
    let depth = fused.depth.clone();
    depth.smooth(width, height, 1.0, ALWAYS).unwrap()
}

/// Alpha with "all of it" spelled out.
fn alpha(fused: &Fused) -> Vec<u8> {
    let whole = || vec![255; fused.index.len()];
    fused.alpha.clone().unwrap_or_else(whole)
}

fn assert_same(what: &str, (cpu, opencl): &(Fused, Fused), least: f64) {
    let psnr = psnr(cpu, opencl);
    let index = agreement(&cpu.index, &opencl.index);
    let far = cpu
        .confidence
        .iter()
        .zip(&opencl.confidence)
        .filter(|(a, b)| a.abs_diff(**b) > 1)
        .count();
    let deep = nearness(&depth(cpu), &depth(opencl), 0.05);
    println!("{what}: {psnr:.1} dB, index {index:.5}, depth {deep:.5}, confidence off at {far}");
    assert_eq!(cpu.picture.size(), opencl.picture.size(), "{what}");
    let near = nearness(&written(cpu), &written(opencl), 1.0 / 255.0);
    assert!(near >= 0.999, "{what}: {near} of the values are near");
    assert!(deep >= 0.995, "{what}: depth agrees at {deep}");
    assert!(psnr >= least, "{what}: {psnr} dB");
    assert!(index >= 0.995, "{what}: index agrees at {index}");
    assert!(far * 200 <= cpu.confidence.len(), "{what}: {far}");
    assert_eq!(alpha(cpu), alpha(opencl), "{what}");
}

#[test]
fn stacks_with_poses_come_out_as_on_the_processor() {
    let Some(device) = device() else { return };
    for (kind, width, height, bits) in [
        (Scene::Plane, 200, 150, 8),
        (Scene::Plane, 101, 67, 16),
        (Scene::Bumpy, 200, 150, 16),
        (Scene::Bumpy, 67, 101, 8),
    ] {
        let frames = frames(&scene(kind, width, height), bits);
        for method in METHODS {
            let pair = both(method, area(width, height), None, &device, &frames);
            let what = format!("{kind} {width}×{height}, {bits} bits, {method:?}");
            assert_same(&what, &pair, 90.0);
        }
    }
}

#[test]
fn still_stacks_come_out_as_on_the_processor() {
    let Some(device) = device() else { return };
    for (width, height, bits) in [(200, 150, 16), (101, 67, 8)] {
        let frames = frames(&scene(Scene::Plane, width, height).still(), bits);
        assert!(frames.iter().all(|(_, pose, _)| pose.is_identity()));
        for method in METHODS {
            let pair = both(method, area(width, height), None, &device, &frames);
            let what = format!("still {width}×{height}, {bits} bits, {method:?}");
            assert_same(&what, &pair, 90.0);
        }
    }
}

#[test]
fn tiny_pictures_and_any_number_of_levels_work() {
    let Some(device) = device() else { return };
    for (width, height) in [(1, 1), (2, 2), (1, 9), (3, 2), (5, 7), (33, 2), (40, 31)] {
        let frames = frames(&scene(Scene::Plane, width, height), 8);
        for method in METHODS {
            for levels in [None, Some(0), Some(1), Some(3)] {
                let pair = both(method, area(width, height), levels, &device, &frames);
                let what = format!("{width}×{height}, {levels:?}, {method:?}");
                assert_same(&what, &pair, 90.0);
            }
        }
    }
}

#[test]
fn every_option_is_heeded() {
    let Some(device) = device() else { return };
    let (width, height) = (120, 90);
    let frames = frames(&scene(Scene::Bumpy, width, height), 16);
    for method in METHODS {
        let usual = noisy(method);
        let plain = fuse(&usual, area(width, height), None, &frames);
        let frames_of = |prefer| Options {
            prefer,
            frames: frames.len(),
            ..usual
        };
        let (softest, hardest) = (100, 0);
        let wishes = [
            ("front", frames_of(Prefer::Front)),
            ("back", frames_of(Prefer::Back)),
            (
                "no clamp",
                Options {
                    clamp: false,
                    ..usual
                },
            ),
            (
                "no noise",
                Options {
                    noise: 0.0,
                    ..usual
                },
            ),
            (
                "strong noise",
                Options {
                    noise_strength: 1.7,
                    ..usual
                },
            ),
            (
                "soft",
                Options {
                    smoothness: softest,
                    ..usual
                },
            ),
            (
                "harder",
                Options {
                    smoothness: 37,
                    ..usual
                },
            ),
            (
                "hard",
                Options {
                    smoothness: hardest,
                    ..usual
                },
            ),
        ];
        let mut heeded = 0;
        for (what, options) in wishes {
            let pair = both_by(&options, area(width, height), &device, &frames);
            heeded += usize::from(pair.1.picture != plain.picture);
            assert_same(&format!("{what}, {method:?}"), &pair, 80.0);
            // Far more than the two differ by, where it matters at all.
            let on_cpu = psnr(&pair.0, &plain);
            assert!(
                on_cpu > 85.0 || psnr(&pair.1, &plain) < on_cpu + 1.0,
                "{what}, {method:?}"
            );
        }
        assert!(heeded > 3, "{method:?}");
    }
}

#[test]
fn masks_and_alpha_hide_the_same_pixels() {
    let Some(device) = device() else { return };
    let (width, height) = (120, 90);
    let mut frames = frames(&scene(Scene::Plane, width, height), 16);
    // Turned and tilted far enough to show the border and what is beyond it.
    for (k, (photo, pose, _)) in frames.iter_mut().enumerate() {
        let turn = Transform::similarity(
            1.05,
            0.05 * (k as f64 - 2.0),
            [60.0, 45.0],
            [4.3, 3.0 * k as f64],
        );
        let mut tilt = Transform::IDENTITY;
        tilt.0[2] = [1e-4, -2e-4 * k as f64, 1.0];
        *pose = pose.then(&turn).then(&tilt);
        if k == 3 {
            let hole = |i: usize| (30..50).contains(&(i % width)) && i / width > 60;
            photo.alpha = Some(
                (0..width * height)
                    .map(|i| if hole(i) { 0 } else { 255 })
                    .collect(),
            );
        }
    }
    let part = Area {
        x: 7,
        y: 3,
        width: 101,
        height: 81,
    };
    for area in [area(width, height), part] {
        for method in METHODS {
            let pair = both(method, area, None, &device, &frames);
            assert_same(&format!("masks, {method:?}"), &pair, 90.0);
            // One frame alone leaves pixels that no frame shows.
            let pair = both(method, area, None, &device, &frames[..1]);
            assert!(pair.1.alpha.as_ref().is_some_and(|a| a.contains(&0)));
            assert_same(&format!("one mask, {method:?}"), &pair, 90.0);
        }
    }
}

#[test]
fn frames_of_other_sizes_and_depths_mix() {
    let Some(device) = device() else { return };
    let mut all = frames(&scene(Scene::Plane, 120, 90), 8);
    all.extend(frames(&scene(Scene::Plane, 100, 80), 16));
    all.extend(frames(&scene(Scene::Plane, 120, 90), 16));
    for method in METHODS {
        let pair = both(method, area(120, 90), None, &device, &all);
        assert_same(&format!("mixed, {method:?}"), &pair, 90.0);
    }
}

/// The same of frames that have their colour at half the size.
fn subsampled(method: Method) -> Options {
    Options {
        subsampled: true,
        ..noisy(method)
    }
}

#[test]
fn colour_at_half_the_size_comes_out_as_on_the_processor() {
    let Some(device) = device() else { return };
    for (kind, width, height) in [
        (Scene::Plane, 200, 150),
        (Scene::Bumpy, 101, 67),
        (Scene::Bumpy, 64, 33),
    ] {
        let frames = frames(&scene(kind, width, height), 8);
        // Where frames lie beside each other some show nothing.
        let mut beside = frames.clone();
        for (k, (_, pose, _)) in beside.iter_mut().enumerate() {
            *pose = Transform::translation(-3.0 * k as f64, 2.0 * k as f64 - 4.0).then(pose);
        }
        let inner = Area {
            x: 3,
            y: 5,
            width: width - 9,
            height: height - 8,
        };
        for method in [Method::Hybrid, Method::Pyramid] {
            let options = subsampled(method);
            for (area, frames) in [(inner, &frames), (area(width, height), &beside)] {
                let pair = both_by(&options, area, &device, frames);
                let what = format!("planes of {kind:?}, {width}×{height}, {method:?}, {area:?}");
                assert_same(&what, &pair, 85.0);
            }
        }
    }
}

/// Has a device fuse the planes of frames, or those that it holds of them.
fn fused_planes(options: &Options, lanes: &Lanes, frames: &[(Subsampled, Frame)]) -> Fused {
    let mut fusion = on_opencl(options, area(90, 70), lanes).unwrap();
    for (index, (planes, (_, pose, exposure))) in (0..).zip(frames) {
        match &lanes.held {
            Some(held) if held.has(index) => fusion.take_held(index, pose, exposure, ALWAYS),
            _ => fusion.take_subsampled(index, planes.clone(), pose, exposure, ALWAYS),
        }
        .unwrap();
    }
    fusion.finish(ALWAYS).unwrap()
}

#[test]
fn planes_give_the_same_bytes_whoever_holds_them_and_however_they_are_wanted() {
    let Some(device) = device() else { return };
    for (width, height) in [(90, 70), (91, 69), (3, 5)] {
        let frames = frames(&scene(Scene::Bumpy, width, height), 8);
        let frames: Vec<(Subsampled, Frame)> = frames
            .into_iter()
            .map(|frame| (Subsampled::from(&frame.0), frame))
            .collect();
        let which = device.clone();
        let holding = Holding::begin(move || Some((which, u64::MAX)), 2, Stages::default());
        for (index, (planes, _)) in (0..).zip(&frames) {
            holding.offer(index, Decoded::Subsampled(planes.clone()));
        }
        let held = Arc::new(holding.finish());
        for method in METHODS {
            for options in [noisy(method), subsampled(method)] {
                let right = fused_planes(&options, &lanes(&device, 1), &frames);
                for held in [None, Some(Arc::clone(&held))] {
                    let lanes = Lanes {
                        held,
                        ..lanes(&device, 2)
                    };
                    assert!(
                        fused_planes(&options, &lanes, &frames) == right,
                        "{method:?}"
                    );
                }
            }
            // In red, green and blue they are what the processor makes of them.
            let whole = frames.iter().map(|(planes, (_, pose, exposure))| {
                let photo = planes.to_photo();
                (photo, *pose, *exposure)
            });
            let whole: Vec<Frame> = whole.collect();
            let empty = on_opencl(&noisy(method), area(90, 70), &device).unwrap();
            let planes = fused_planes(&noisy(method), &lanes(&device, 1), &frames);
            assert!(fed(empty, &whole) == planes, "{width}×{height}, {method:?}");
        }
    }
}

#[test]
fn every_run_and_every_order_gives_the_same() {
    let Some(device) = device() else { return };
    let frames = frames(&scene(Scene::Bumpy, 160, 120), 8);
    for method in METHODS {
        let empty = || on_opencl(&method.into(), area(160, 120), &device).unwrap();
        let first = fed(empty(), &frames);
        assert!(first == fed(empty(), &frames));
        let mut fusion = empty();
        for (index, (photo, pose, exposure)) in frames.iter().enumerate().rev() {
            fusion
                .add(index as u16, photo, pose, exposure, ALWAYS)
                .unwrap();
        }
        let backwards = fusion.finish(ALWAYS).unwrap();
        assert_eq!(first.index, backwards.index);
        assert!(psnr(&first, &backwards) > 100.0);
    }
}

/// So many lanes of a device.
fn lanes(device: &OpenClDevice, count: usize) -> Lanes {
    Lanes {
        count,
        ..Lanes::from(device)
    }
}

#[test]
fn any_number_of_lanes_gives_the_same_bytes() {
    let Some(device) = device() else { return };
    let mut frames = frames(&scene(Scene::Bumpy, 90, 70), 8);
    // A frame with alpha between others, and one of another size.
    frames[2].0.alpha = Some(
        (0..90 * 70)
            .map(|i| if i % 90 < 9 { 0 } else { 255 })
            .collect(),
    );
    frames.extend(self::frames(&scene(Scene::Plane, 80, 60), 16));
    for method in METHODS {
        let options = noisy(method);
        let by = |count| {
            let lanes = lanes(&device, count);
            let empty = on_opencl(&options, area(90, 70), &lanes).unwrap();
            let found = fed(empty, &frames);
            match options
                .second(found, None, area(90, 70), Some(lanes), ALWAYS)
                .unwrap()
            {
                Second::Look(fusion) => fed(fusion, &frames),
                Second::None(fused) => *fused,
            }
        };
        let one = by(1);
        let runs = if method == Method::Hybrid { 50 } else { 5 };
        for run in 0..runs {
            for count in [2, 4, 8] {
                assert!(by(count) == one, "{method:?}, {count} lanes, run {run}");
            }
        }
    }
}

/// Has the device hold these frames, as far as they fit into so many bytes.
fn held(device: &OpenClDevice, room: u64, frames: &[Frame]) -> Arc<Held> {
    let device = device.clone();
    let which = move || Some((device, room));
    let holding = Holding::begin(which, 2, Stages::default());
    for (index, (photo, ..)) in frames.iter().enumerate() {
        holding.offer(index as u16, Decoded::Photo(photo.clone()));
    }
    Arc::new(holding.finish())
}

#[test]
fn frames_that_the_device_holds_give_the_same_bytes() {
    let Some(device) = device() else { return };
    let mut frames = frames(&scene(Scene::Bumpy, 90, 70), 8);
    let hole = |i: usize| if i % 90 < 9 { 0 } else { 255 };
    frames[1].0.alpha = Some((0..90 * 70).map(hole).collect());
    frames.extend(self::frames(&scene(Scene::Plane, 80, 60), 16));
    let all: u64 = frames.iter().map(|(photo, ..)| photo.bytes()).sum();
    for (room, count) in [(all, frames.len()), (all / 2, 5), (0, 0)] {
        let held = held(&device, room, &frames);
        let there = (0..frames.len()).filter(|&i| held.has(i as u16)).count();
        assert_eq!(there, count, "of {all} bytes {room}");
        for method in METHODS {
            let options = noisy(method);
            let right = fuse(&options, area(90, 70), Some(&device), &frames);
            for count in [1, 2, 4] {
                let lanes = Lanes {
                    held: Some(Arc::clone(&held)),
                    ..lanes(&device, count)
                };
                let feed = |mut fusion: Box<dyn Fusion>| {
                    for (i, (photo, pose, exposure)) in frames.iter().enumerate() {
                        let i = i as u16;
                        match held.has(i) {
                            true => fusion.take_held(i, pose, exposure, ALWAYS).unwrap(),
                            false => fusion.add(i, photo, pose, exposure, ALWAYS).unwrap(),
                        }
                    }
                    fusion.finish(ALWAYS).unwrap()
                };
                let found = feed(on_opencl(&options, area(90, 70), &lanes).unwrap());
                let second = options.second(found, None, area(90, 70), Some(lanes), ALWAYS);
                let fused = match second.unwrap() {
                    Second::Look(fusion) => feed(fusion),
                    Second::None(fused) => *fused,
                };
                assert!(fused == right, "{method:?}, {count} lanes, room {room}");
            }
        }
    }
}

#[test]
fn what_nobody_holds_is_an_error() {
    let Some(device) = device() else { return };
    let frames = frames(&scene(Scene::Plane, 40, 30), 8);
    let (_, pose, exposure) = &frames[1];
    let held = held(&device, frames[0].0.bytes(), &frames);
    let lanes = Lanes {
        held: Some(held),
        ..lanes(&device, 2)
    };
    let options = Options::from(Method::Average);
    let empty = || on_opencl(&options, area(40, 30), &lanes).unwrap();
    let mut fusion = empty();
    let held = fusion.held().unwrap();
    assert!(held.has(0) && !held.has(1));
    assert_eq!(held.device(), Some(device));
    assert!(fusion.take_held(1, pose, exposure, ALWAYS).is_err());
    let mut fusion = options.on_cpu(area(40, 30));
    assert!(fusion.held().is_none());
    assert!(fusion.take_held(0, pose, exposure, ALWAYS).is_err());
    // Without a device nothing is held, and nobody waits for it.
    let holding = Holding::begin(|| None, 2, Stages::default());
    for (index, (photo, ..)) in frames.iter().enumerate() {
        holding.offer(index as u16, Decoded::Photo(photo.clone()));
    }
    let held = holding.finish();
    assert!(held.device().is_none() && !held.has(0));
}

#[test]
fn a_frame_is_not_waited_for_when_nobody_wants_it() {
    let Some(device) = device() else { return };
    let (width, height) = (2400, 1800);
    let photo = Photo {
        width,
        height,
        samples: Samples::Eight(
            (0..width * height * 3)
                .map(|i| ((i * i) >> 3) as u8)
                .collect(),
        ),
        ..Photo::default()
    };
    let (pose, exposure) = (
        Transform::similarity(1.0, 0.002, [0.0, 0.0], [1.3, 0.7]),
        Exposure::default(),
    );
    // Others use the machine too: the quietest of several attempts counts.
    let attempts = (0..6).map(|_| {
        let mut fusion = on_opencl(&Method::Hybrid.into(), area(width, height), &device).unwrap();
        let mut add = || fusion.add(0, &photo, &pose, &exposure, ALWAYS).unwrap();
        add();
        let begun = Instant::now();
        add();
        let frame = begun.elapsed();
        (0..2).for_each(|_| add());
        let begun = Instant::now();
        let never = || begun.elapsed() < frame / 4;
        let stopped = (0..9).try_for_each(|_| fusion.add(0, &photo, &pose, &exposure, &never));
        assert!(stopped.is_err());
        drop(fusion);
        let late = begun.elapsed().saturating_sub(frame / 4);
        println!("{late:.1?} after it was told, where a frame takes {frame:.1?}");
        (
            late.as_secs_f64() / frame.as_secs_f64(),
            frame.as_secs_f64(),
        )
    });
    let quick = attempts
        .into_iter()
        .find(|&(share, frame)| share < 0.4 || frame < 0.1);
    assert!(quick.is_some());
}

#[test]
fn sharpness_is_the_processors_within_rounding() {
    let Some(device) = device() else { return };
    let meter = Meter::new(&device).unwrap();
    let mut photos: Vec<Photo> = [(300, 200, 8), (67, 101, 16), (2500, 120, 8), (4200, 33, 16)]
        .into_iter()
        .map(|(width, height, bits)| {
            let options = scene(Scene::Bumpy, width, height);
            DemoStack::new(&options).frame(2, bits)
        })
        .collect();
    for (width, height) in [(1, 1), (2, 9), (3, 3), (5, 4)] {
        photos.push(Photo {
            width,
            height,
            samples: Samples::Eight((0..width * height * 3).map(|i| (37 * i) as u8).collect()),
            ..Photo::default()
        });
    }
    for photo in photos.into_iter().map(Arc::new) {
        for grid in [1, 4, GRID] {
            let own = meter.measure(&photo, grid).unwrap();
            let right = Sharpness::of(&photo, grid);
            assert_eq!((own.grid, own.cells.len()), (grid, grid * grid));
            let (mut seen, mut worst) = (0, 0.0f64);
            for (own, right) in own.cells.iter().zip(&right.cells) {
                let [own, right] = [own, right].map(|cell| {
                    [
                        cell.laplacian_variance,
                        cell.tenengrad,
                        cell.modified_laplacian,
                    ]
                });
                for (own, right) in own.into_iter().zip(right) {
                    seen += usize::from(right > 0.0);
                    // What is a millionth of full scale is rounding itself.
                    worst = worst.max((own - right).abs() / right.max(1e-6));
                }
            }
            let (width, height) = (photo.width, photo.height);
            println!("{width}×{height}, {grid} cells: {seen} measures, off by {worst:.1e}");
            assert!(worst < 2e-3, "{width}×{height}: {worst}");
            assert!(seen > 0 || width < 3);
            let (own, right) = (own.score(), right.score());
            assert!(
                (own - right).abs() <= 1e-3 * right.max(1e-3),
                "{own} {right}"
            );
        }
    }
    // A photograph with fewer samples than it says.
    let short = Photo {
        width: 64,
        height: 48,
        samples: Samples::Eight(vec![0; 100]),
        ..Photo::default()
    };
    let fault = meter.measure(&Arc::new(short), GRID).unwrap_err();
    assert!(fault.to_string().contains(&device.name), "{fault}");
}

#[test]
fn fusions_side_by_side_do_not_disturb_each_other() {
    let Some(device) = device() else { return };
    let frames = frames(&scene(Scene::Plane, 120, 90), 8);
    let empty = || on_opencl(&Method::Pyramid.into(), area(120, 90), &device).unwrap();
    let alone = fed(empty(), &frames);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| fed(empty(), &frames)))
            .collect();
        for lane in lanes {
            assert!(lane.join().unwrap() == alone);
        }
    });
    // A fusion belongs to no thread of its caller's.
    let mut fusion = empty();
    for (index, (photo, pose, exposure)) in frames.iter().enumerate() {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                fusion
                    .add(index as u16, photo, pose, exposure, ALWAYS)
                    .unwrap()
            });
        });
    }
    assert!(fusion.finish(ALWAYS).unwrap() == alone);
}

#[test]
fn a_fusion_that_is_given_up_ends() {
    let Some(device) = device() else { return };
    let frames = frames(&scene(Scene::Plane, 64, 48), 8);
    for count in 0..3 {
        let mut fusion = on_opencl(&Method::Pyramid.into(), area(64, 48), &device).unwrap();
        for (photo, pose, exposure) in &frames[..count] {
            fusion.add(0, photo, pose, exposure, ALWAYS).unwrap();
        }
        drop(fusion);
    }
}

#[test]
fn what_the_device_cannot_do_is_an_error_with_advice() {
    let Some(device) = device() else { return };
    let refused = |area, device: &OpenClDevice| {
        let error = on_opencl(&Method::Pyramid.into(), area, device)
            .err()
            .unwrap();
        error.to_string()
    };
    let message = refused(area(80_000, 60_000), &device);
    assert!(message.contains("GB") && message.ends_with("use --device cpu"));
    let gone = OpenClDevice {
        index: 99,
        ..device.clone()
    };
    let message = refused(area(64, 48), &gone);
    assert!(message.contains(&device.name) && message.ends_with("use --device cpu"));
    // A photograph with fewer samples than it says.
    let mut fusion = on_opencl(&Method::Pyramid.into(), area(64, 48), &device).unwrap();
    let short = Photo {
        width: 64,
        height: 48,
        samples: Samples::Eight(vec![0; 100]),
        ..Photo::default()
    };
    let (pose, exposure) = (Transform::IDENTITY, Exposure::default());
    let sent = (0..4).try_for_each(|_| fusion.add(0, &short, &pose, &exposure, ALWAYS));
    let error = sent
        .and_then(|()| fusion.finish(ALWAYS).map(|_| ()))
        .unwrap_err();
    assert!(error.to_string().contains(&device.name), "{error}");
}

/// Set in a process whose device has little memory.
const SMALL: &str = "PARFOCAL_TEST_SMALL_DEVICE";

#[test]
fn too_little_memory_is_an_error_and_the_memory_comes_back() {
    let Some(device) = device() else { return };
    if !device.platform.contains("Portable Computing Language") {
        println!("skipped: only PoCL can be told to have little memory");
        return;
    }
    if std::env::var_os(SMALL).is_none() {
        let name = "too_little_memory_is_an_error_and_the_memory_comes_back";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(SMALL, "1")
            .env("POCL_MEMORY_LIMIT", "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    // Just what the device says it has, but others hold a part of it.
    let pixels = device.memory as f64 / 57.3;
    let side = pixels.sqrt() as usize;
    for _ in 0..2 {
        let message = on_opencl(&Method::Pyramid.into(), area(side, side), &device)
            .err()
            .map(|error| error.to_string());
        let message = message.unwrap_or_default();
        assert!(message.contains("too little memory"), "{message}");
    }
    let frames = frames(&scene(Scene::Plane, 64, 48), 8);
    let pair = both(Method::Pyramid, area(64, 48), None, &device, &frames);
    assert_same("after that", &pair, 90.0);
}
