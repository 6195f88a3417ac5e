//! Fused pictures against the truth of rendered stacks, and against what no
//! fusion may do.

mod common;

use common::folder_of;
use parfocal::core::align;
use parfocal::core::fuse::{Fused, Fusion, Method, Options, Prefer, Second};
use parfocal::core::noise::noise;
use parfocal::core::warp::{Area, Exposure, warp};
use parfocal::core::{ALWAYS, Transform};
use parfocal::demo::{DemoStack, Noise, Scene, SceneOptions, psnr};
use parfocal::handlers::{FuseOptions, Job, OutputOptions, StackOptions, export, stacking};
use parfocal::photo::{self, Compression, Limits, Photo, Samples};

const METHODS: [Method; 4] = [
    Method::Hybrid,
    Method::Pyramid,
    Method::Depth,
    Method::Average,
];
const WIDTH: usize = 600;
const HEIGHT: usize = 400;

fn scene(scene: Scene) -> SceneOptions {
    SceneOptions {
        width: WIDTH,
        height: HEIGHT,
        frames: 12,
        ..SceneOptions::new(scene)
    }
}

fn frames(stack: &DemoStack, bits: u8) -> Vec<Photo> {
    (0..stack.options().frames)
        .map(|index| stack.frame(index, bits))
        .collect()
}

/// What undoes an exposure of the linear light (IEC 61966-2-1).
fn undo(exposure: f64) -> Exposure {
    let gain = exposure.recip().powf(1.0 / 2.4);
    Exposure {
        gain: [gain; 3],
        offset: [0.055 * (gain - 1.0); 3],
    }
}

fn whole(photo: &Photo) -> Area {
    Area {
        x: 0,
        y: 0,
        width: photo.width,
        height: photo.height,
    }
}

fn fuse<'a>(
    method: Method,
    area: Area,
    frames: impl IntoIterator<Item = (&'a Photo, Transform, Exposure)>,
) -> Fused {
    let frames: Vec<_> = frames.into_iter().collect();
    looked_at(&method.into(), area, &frames)
}

/// Fuses frames in as many looks as the method takes.
fn looked_at(options: &Options, area: Area, frames: &[(&Photo, Transform, Exposure)]) -> Fused {
    let feed = |mut fusion: Box<dyn Fusion>| {
        for (index, (photo, pose, exposure)) in (0..).zip(frames) {
            fusion.add(index, photo, pose, exposure, ALWAYS).unwrap();
        }
        fusion.finish(ALWAYS).unwrap()
    };
    let found = feed(options.on_cpu(area));
    match options.second(found, None, area, None, ALWAYS).unwrap() {
        Second::Look(second) => feed(second),
        Second::None(fused) => *fused,
    }
}

/// Frames that lie where the reference lies.
fn fuse_still(method: Method, frames: &[Photo]) -> Fused {
    let exposed = |photo| (photo, Transform::IDENTITY, Exposure::default());
    fuse(method, whole(&frames[0]), frames.iter().map(exposed))
}

fn sixteen(photo: &Photo) -> Vec<u16> {
    match &photo.samples {
        Samples::Eight(samples) => samples.iter().map(|&v| u16::from(v) * 257).collect(),
        Samples::Sixteen(samples) => samples.clone(),
    }
}

/// The largest difference of two pictures in levels of 16 bits.
fn difference(a: &Photo, b: &Photo) -> u16 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let (a, b) = (sixteen(a), sixteen(b));
    a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap()
}

fn picture(fused: Fused) -> Photo {
    export::picture(fused.picture, fused.alpha)
}

/// Each scene with what fusion gains over the best single frame, in dB:
/// hybrid, pyramid, depth map, average; about a dB less than was measured.
///
/// Hairs are hard on the pyramid: bright beads bloom out of focus, and a blade
/// before the background takes coarse detail from frames in which it is a blur.
const SCENES: [(Scene, [f64; 4]); 5] = [
    (Scene::Plane, [14.5, 12.5, 13.0, 14.0]),
    (Scene::Bumpy, [12.0, 9.0, 10.0, 11.0]),
    (Scene::Hairs, [3.0, -2.5, 0.0, 1.5]),
    (Scene::Specular, [10.0, 3.5, 7.0, 8.5]),
    (Scene::Steps, [9.5, 9.0, 9.0, 9.5]),
];

#[test]
fn the_result_is_closer_to_the_truth_than_any_frame() {
    for (kind, margins) in SCENES {
        let stack = DemoStack::new(&scene(kind));
        let (truth, frames) = (stack.truth(), frames(&stack, 8));
        let area = align::common(stack.transforms(), WIDTH, HEIGHT).unwrap();
        let origin = [area.x, area.y];
        let exact: Vec<(&Photo, Transform, Exposure)> = frames
            .iter()
            .zip(stack.transforms())
            .zip(stack.exposures())
            .map(|((photo, pose), &exposure)| (photo, *pose, undo(exposure)))
            .collect();
        let best = exact
            .iter()
            .map(|(photo, pose, exposure)| {
                let warped = warp(photo, pose, area, exposure);
                psnr(
                    &export::picture(warped.channels.into(), None),
                    &truth,
                    origin,
                )
                .unwrap()
            })
            .fold(0.0, f64::max);
        let folder = folder_of(frames.clone(), 8);
        for (method, margin) in METHODS.into_iter().zip(margins) {
            let fused = fuse(method, area, exact.iter().copied());
            let exact = psnr(&picture(fused), &truth, origin).unwrap();
            let out = folder.beside(&format!("{method:?}.tif"));
            let options = StackOptions {
                fuse: FuseOptions {
                    method,
                    ..FuseOptions::default()
                },
                out: Some(out.clone()),
                ..StackOptions::default()
            };
            let inputs = std::slice::from_ref(&folder.path);
            let report = stacking::stack(inputs, &options, &Job::silent()).unwrap();
            let result = photo::read(&out, &Limits::default()).unwrap();
            let found = psnr(&result, &truth, [report.crop.x, report.crop.y]).unwrap();
            println!(
                "{kind} {method:?}: {exact:.2} dB with exact poses, {found:.2} dB with those \
                 found, the best frame {best:.2} dB"
            );
            assert!(
                exact > best + margin,
                "{kind} {method:?}: {exact} of {best}"
            );
            assert!(
                found > best + margin,
                "{kind} {method:?}: {found} of {best}"
            );
        }
    }
}

#[test]
fn identical_frames_come_out_as_they_went_in() {
    for bits in [8, 16] {
        let stack = DemoStack::new(&scene(Scene::Specular).still());
        let frame = stack.frame(3, bits);
        for method in METHODS {
            for count in [1, 4] {
                let fused = fuse_still(method, &vec![frame.clone(); count]);
                assert_eq!(fused.alpha, None);
                let off = difference(&picture(fused), &frame);
                assert!(off <= 1, "{method:?}, {count} of {bits} bits: {off}");
            }
        }
    }
}

#[test]
fn the_result_stays_within_the_range_of_its_sources() {
    // Pixels about one that count as its surroundings, each way.
    const NEAR: usize = 8;
    for kind in [Scene::Specular, Scene::Hairs] {
        let stack = DemoStack::new(&scene(kind).still());
        let frames = frames(&stack, 16);
        let sources: Vec<Vec<u16>> = frames.iter().map(sixteen).collect();
        for method in METHODS {
            // An average lies between its sources at the very pixel.
            let near = if method == Method::Average { 0 } else { NEAR };
            let result = sixteen(&picture(fuse_still(method, &frames)));
            for (i, &value) in result.iter().enumerate() {
                let (x, y, c) = (i / 3 % WIDTH, i / 3 / WIDTH, i % 3);
                let (mut low, mut high) = (u16::MAX, 0);
                // Most pixels lie between the sources anyhow.
                for reach in [0, near] {
                    let columns = x.saturating_sub(reach)..(x + reach + 1).min(WIDTH);
                    for v in y.saturating_sub(reach)..(y + reach + 1).min(HEIGHT) {
                        for u in columns.clone() {
                            for source in &sources {
                                let at = source[(v * WIDTH + u) * 3 + c];
                                (low, high) = (low.min(at), high.max(at));
                            }
                        }
                    }
                    if (low.saturating_sub(1)..=high.saturating_add(1)).contains(&value) {
                        break;
                    }
                }
                assert!(
                    (low.saturating_sub(1)..=high.saturating_add(1)).contains(&value),
                    "{kind} {method:?}: {value} at {x}, {y} is not within {low} to {high}"
                );
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    // So tall that strips end within it, whatever their height.
    let options = SceneOptions {
        width: 120,
        height: 700,
        frames: 4,
        ..scene(Scene::Hairs)
    };
    let stack = DemoStack::new(&options);
    let folder = folder_of(frames(&stack, 8), 8);
    for method in METHODS {
        let files = [1, 2, 4, 8].map(|threads| {
            let out = folder.beside(&format!("{method:?}-{threads}.tif"));
            let options = StackOptions {
                fuse: FuseOptions {
                    method,
                    ..FuseOptions::default()
                },
                out: Some(out.clone()),
                depth_map: Some(out.with_extension("png")),
                ..StackOptions::default()
            };
            let inputs = std::slice::from_ref(&folder.path);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build()
                .unwrap()
                .install(|| stacking::stack(inputs, &options, &Job::silent()).unwrap());
            [out.with_extension("png"), out].map(|path| std::fs::read(path).unwrap())
        });
        let is_same = files.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(is_same, "{method:?}");
    }
}

/// Frames that are shifted against the reference, the middle one, and so do
/// not show all of it.
fn shifted() -> (Photo, Vec<(Photo, Transform)>) {
    const MARGIN: usize = 40;
    let options = SceneOptions {
        width: WIDTH + 2 * MARGIN,
        height: HEIGHT + 2 * MARGIN,
        frames: 5,
        ..scene(Scene::Plane).still()
    };
    let stack = DemoStack::new(&options);
    let cut = |photo: &Photo, dx: f64, dy: f64| {
        let area = Area {
            x: 0,
            y: 0,
            width: WIDTH,
            height: HEIGHT,
        };
        let place = Transform::translation(MARGIN as f64 - dx, MARGIN as f64 - dy);
        export::picture(
            warp(photo, &place, area, &Exposure::default())
                .channels
                .into(),
            None,
        )
    };
    let truth = cut(&stack.truth(), 0.0, 0.0);
    let frames = (0..5)
        .map(|index| {
            let k = index as f64 - 2.0;
            let (dx, dy) = (12.0 * k, -9.0 * k);
            let photo = cut(&stack.frame(index, 16), dx, dy);
            (photo, Transform::translation(dx, dy))
        })
        .collect();
    (truth, frames)
}

/// The part of a picture in `area`.
fn part(photo: &Photo, area: Area) -> Photo {
    let samples = sixteen(photo);
    let rows = (area.y..area.y + area.height).flat_map(|y| {
        let start = (y * photo.width + area.x) * 3;
        samples[start..start + area.width * 3].iter().copied()
    });
    Photo {
        width: area.width,
        height: area.height,
        samples: Samples::Sixteen(rows.collect()),
        ..Photo::default()
    }
}

fn mean(photo: &Photo) -> f64 {
    let samples = sixteen(photo);
    samples.iter().map(|&v| f64::from(v)).sum::<f64>() / samples.len() as f64
}

#[test]
fn borders_come_from_the_frames_that_cover_them() {
    let (truth, frames) = shifted();
    // Strips that some frames do not show, each with the frames that do.
    let strip = |x, y, width, height| Area {
        x,
        y,
        width,
        height,
    };
    let strips = [
        (strip(0, 0, 8, HEIGHT), 0..3),
        (strip(WIDTH - 8, 0, 8, HEIGHT), 2..5),
        (strip(0, 0, WIDTH, 6), 2..5),
        (strip(0, HEIGHT - 6, WIDTH, 6), 0..3),
    ];
    for method in METHODS {
        let fuse_of = |frames: &[(Photo, Transform)]| {
            let given = frames.iter().map(|(p, t)| (p, *t, Exposure::default()));
            fuse(method, whole(&truth), given)
        };
        let fused = fuse_of(&frames);
        assert_eq!(fused.alpha, None, "the reference shows all of it");
        let index = fused.index.clone();
        let result = picture(fused);
        for (area, covering) in &strips {
            let own = part(&result, *area);
            let without = part(&picture(fuse_of(&frames[covering.clone()])), *area);
            let close = psnr(&own, &without, [0, 0]).unwrap();
            let light = mean(&own) / mean(&without);
            println!("{method:?} {area:?}: {close:.1} dB, light {light:.4}");
            assert!(close > 38.0, "{method:?} {area:?}: {close} dB");
            assert!((light - 1.0).abs() < 0.01, "{method:?} {area:?}: {light}");
            for y in area.y..area.y + area.height {
                for x in area.x..area.x + area.width {
                    let from = usize::from(index[y * WIDTH + x]);
                    let [u, v] = frames[from].1.apply(x as f64, y as f64);
                    let shows = (-0.5..WIDTH as f64 - 0.5).contains(&u)
                        && (-0.5..HEIGHT as f64 - 0.5).contains(&v);
                    assert!(shows, "{method:?}: frame {from} does not show {x}, {y}");
                }
            }
        }
    }
}

/// How close, in dB, a result comes to the whole scene where a frame hides half
/// of it: near the edge of what is hidden, and further than [`EDGE`] from it.
/// The pyramid's detail leans on pixels beyond the edge.
const HIDDEN: [(Method, f64, f64); 3] = [
    (Method::Hybrid, 50.0, 70.0),
    (Method::Pyramid, 65.0, 85.0),
    (Method::Average, 90.0, 90.0),
];
const EDGE: usize = 16;

#[test]
fn what_a_frame_hides_hardly_shows() {
    const MIDDLE: usize = WIDTH / 2;
    let stack = DemoStack::new(&SceneOptions {
        frames: 2,
        ..scene(Scene::Plane).still()
    });
    let whole = stack.frame(0, 16);
    let flat = Photo {
        samples: Samples::Sixteen(vec![30_000; WIDTH * HEIGHT * 3]),
        ..whole.clone()
    };
    for (name, good) in [("plane", &whole), ("flat", &flat)] {
        // Black is what most programs leave where there is nothing.
        let mut samples = sixteen(good);
        let mut alpha = vec![255; WIDTH * HEIGHT];
        for (pixel, alpha) in alpha.iter_mut().enumerate() {
            if pixel % WIDTH >= MIDDLE {
                samples[pixel * 3..pixel * 3 + 3].fill(0);
                *alpha = 0;
            }
        }
        let half = Photo {
            samples: Samples::Sixteen(samples),
            alpha: Some(alpha),
            ..good.clone()
        };
        for (method, near, far) in HIDDEN {
            let fused = fuse_still(method, &[good.clone(), half.clone()]);
            assert_eq!(fused.alpha, None);
            assert!(fused.index.iter().all(|&index| index == 0 || index == 1));
            for y in 0..HEIGHT {
                let row = &fused.index[y * WIDTH + MIDDLE + EDGE..(y + 1) * WIDTH];
                assert!(row.iter().all(|&index| index == 0), "{name} {method:?}");
            }
            let result = picture(fused);
            for (columns, bar) in [
                (0..MIDDLE - EDGE, far),
                (MIDDLE - EDGE..MIDDLE + EDGE, near),
                (MIDDLE + EDGE..WIDTH, far),
            ] {
                let area = Area {
                    x: columns.start,
                    y: 0,
                    width: columns.len(),
                    height: HEIGHT,
                };
                let close = psnr(&part(&result, area), good, [area.x, 0]).unwrap();
                println!("{name} {method:?} {columns:?}: {close:.1} dB");
                assert!(close > bar, "{name} {method:?} {columns:?}: {close} dB");
            }
            // Nothing covers the right half: it is transparent. A pixel beside
            // a hidden one may be.
            let fused = fuse_still(method, &[half.clone(), half.clone()]);
            let alpha = fused.alpha.as_ref().unwrap();
            for row in alpha.chunks_exact(WIDTH) {
                assert!(row[..MIDDLE - 1].iter().all(|&a| a == 255));
                assert!(row[MIDDLE..].iter().all(|&a| a == 0));
            }
        }
    }
}

#[test]
fn tiny_frames_are_stacked() {
    for (width, height) in [(1, 1), (2, 2), (3, 5), (16, 16), (40, 3)] {
        for bits in [8, 16] {
            for count in [1, 3] {
                let stack = DemoStack::new(&SceneOptions {
                    width,
                    height,
                    frames: count,
                    noise: Noise::None,
                    ..SceneOptions::new(Scene::Plane)
                });
                let folder = folder_of(frames(&stack, bits), bits);
                for method in METHODS {
                    let out = folder.beside(&format!("{method:?}.tif"));
                    let options = StackOptions {
                        fuse: FuseOptions {
                            method,
                            ..FuseOptions::default()
                        },
                        output: OutputOptions {
                            bits,
                            compression: Compression::None,
                            ..OutputOptions::default()
                        },
                        out: Some(out.clone()),
                        ..StackOptions::default()
                    };
                    let inputs = std::slice::from_ref(&folder.path);
                    let report = stacking::stack(inputs, &options, &Job::silent()).unwrap();
                    assert_eq!(report.size, [width, height]);
                    let result = photo::read(&out, &Limits::default()).unwrap();
                    assert_eq!(result.samples.bits(), bits);
                    if count == 1 {
                        let off = difference(&result, &stack.frame(0, bits));
                        assert!(off <= 1, "{width}×{height}, {bits} bits: {off}");
                    } else {
                        let psnr = psnr(&result, &stack.truth(), [0, 0]).unwrap();
                        println!("{width}×{height} {bits} {method:?}: {psnr:.1} dB");
                        assert!(psnr > 15.0, "{width}×{height}, {bits} bits: {psnr} dB");
                    }
                }
            }
        }
    }
}

#[test]
fn eight_bits_come_out_as_sixteen_do() {
    let stack = DemoStack::new(&SceneOptions {
        noise: Noise::None,
        ..scene(Scene::Bumpy).still()
    });
    for method in METHODS {
        let [deep, shallow] =
            [16, 8].map(|bits| picture(fuse_still(method, &frames(&stack, bits))));
        let psnr = psnr(&shallow, &deep, [0, 0]).unwrap();
        println!("{method:?}: {psnr:.1} dB");
        assert!(psnr > 55.0, "{method:?}: {psnr} dB");
    }
}

fn fuse_with(options: &Options, frames: &[Photo]) -> Fused {
    let exposed = |photo| (photo, Transform::IDENTITY, Exposure::default());
    let still: Vec<_> = frames.iter().map(exposed).collect();
    looked_at(options, whole(&frames[0]), &still)
}

/// The noise that is left when a noisy stack of `count` frames is fused: the
/// difference from what the same frames without noise give, in levels of eight
/// bits. The depth of field grows as the frames come closer.
fn residual(count: usize, options: &Options) -> f64 {
    let clean = SceneOptions {
        width: 300,
        height: 200,
        frames: count,
        blur: 1.6 * 9.0 / (count - 1) as f64,
        ..scene(Scene::Bumpy).still()
    };
    let noisy = SceneOptions {
        noise: Noise::High,
        ..clean.clone()
    };
    let frames = [&noisy, &clean].map(|scene| frames(&DemoStack::new(scene), 16));
    let options = Options {
        frames: count,
        noise: options.noise * noise(&frames[0][0]).unwrap(),
        ..*options
    };
    let [noisy, clean] = frames.map(|frames| fuse_with(&options, &frames));
    let [noisy, clean] = [noisy, clean].map(|fused| fused.picture.channels());
    let pairs = (0..3).flat_map(|c| {
        let (noisy, clean) = (&noisy[c].data, &clean[c].data);
        noisy.iter().zip(clean).map(|(a, b)| f64::from(a - b))
    });
    let (count, sum) = pairs.fold((0usize, 0.0), |(n, sum), d| (n + 1, sum + d * d));
    255.0 * (sum / count as f64).sqrt()
}

#[test]
fn noise_does_not_build_up_with_the_number_of_frames() {
    for method in [Method::Hybrid, Method::Depth, Method::Average] {
        let options = Options {
            noise: 1.0,
            ..method.into()
        };
        let (few, many) = (residual(10, &options), residual(100, &options));
        println!("{method:?}: {few:.3} levels of 10 frames, {many:.3} of 100");
        // A depth map has no more frames to average, and more to choose from.
        let most = if method == Method::Depth { 1.2 } else { 1.1 };
        assert!(many <= most * few, "{method:?}: {few} and {many}");
    }
}

#[test]
fn smoother_and_stronger_is_quieter() {
    for method in [Method::Hybrid, Method::Average] {
        let [hard, usual, soft] = [20, 50, 80].map(|smoothness| {
            let options = Options {
                noise: 1.0,
                smoothness,
                ..method.into()
            };
            residual(10, &options)
        });
        println!("{method:?}: {hard:.3} hard, {usual:.3} usual, {soft:.3} soft");
        assert!(hard > 1.05 * usual && usual > 1.05 * soft, "{method:?}");
    }
    let [weak, strong] = [0.5, 4.0].map(|noise_strength| {
        let options = Options {
            noise: 1.0,
            noise_strength,
            ..Method::Hybrid.into()
        };
        residual(10, &options)
    });
    println!("noise taken as weak {weak:.3}, as strong {strong:.3}");
    assert!(weak > 1.05 * strong, "{weak} and {strong}");
}

#[test]
fn the_preferred_depth_wins_where_two_are_sharp() {
    // Two depths at the same place: the one far back shows a little more
    // contrast, and what lies between shows nothing.
    const SIDE: usize = 96;
    let checks = |side: usize, contrast: f32| Photo {
        width: SIDE,
        height: SIDE,
        samples: Samples::Sixteen(
            (0..SIDE * SIDE)
                .flat_map(|i| {
                    let up = (i % SIDE / side + i / SIDE / side).is_multiple_of(2);
                    let sign = if up { 1.0 } else { -1.0 };
                    [((0.5 + sign * contrast) * 65535.0) as u16; 3]
                })
                .collect(),
        ),
        ..Photo::default()
    };
    let frames = [
        checks(2, 0.2),
        checks(SIDE, 0.0),
        checks(SIDE, 0.0),
        checks(2, 0.22),
    ];
    for method in METHODS {
        for (prefer, expected) in [(Prefer::Auto, 3), (Prefer::Front, 0), (Prefer::Back, 3)] {
            let options = Options {
                prefer,
                frames: frames.len(),
                ..method.into()
            };
            let fused = fuse_with(&options, &frames);
            let right = fused.index.iter().filter(|&&i| i == expected).count();
            let share = right as f64 / (SIDE * SIDE) as f64;
            assert!(share > 0.99, "{method:?} {prefer:?}: {share}");
        }
    }
}

#[test]
fn a_preference_shifts_hairs_and_hardly_costs_where_there_is_one_depth() {
    let quality = |kind, method: Method, prefer| {
        let stack = DemoStack::new(&scene(kind).still());
        let frames = frames(&stack, 16);
        let options = Options {
            prefer,
            frames: frames.len(),
            ..method.into()
        };
        let fused = fuse_with(&options, &frames);
        let sum: f64 = fused.index.iter().map(|&index| f64::from(index)).sum();
        let index = sum / fused.index.len() as f64;
        (
            psnr(&picture(fused), &stack.truth(), [0, 0]).unwrap(),
            index,
        )
    };
    for method in METHODS {
        let [auto, front, back] = [Prefer::Auto, Prefer::Front, Prefer::Back]
            .map(|prefer| quality(Scene::Hairs, method, prefer));
        println!("hairs {method:?}: {auto:?}, front {front:?}, back {back:?}");
        assert!(front.1 < auto.1 && auto.1 < back.1, "{method:?}");
        let [auto, front, back] = [Prefer::Auto, Prefer::Front, Prefer::Back]
            .map(|prefer| quality(Scene::Plane, method, prefer).0);
        println!("plane {method:?}: {auto:.2} dB, front {front:.2}, back {back:.2}");
        assert!(front.min(back) > auto - 3.0, "{method:?}");
    }
}

#[test]
fn without_the_clamp_contrast_adds_up_beyond_the_sources() {
    let stack = DemoStack::new(&scene(Scene::Specular).still());
    let frames = frames(&stack, 16);
    for method in [Method::Hybrid, Method::Pyramid] {
        // How far values lie beyond all frames within eight pixels each way: as
        // far as the clamp looks.
        let beyond = |clamp| {
            let options = Options {
                clamp,
                ..method.into()
            };
            let green = fuse_with(&options, &frames).picture.channel(1);
            let low = |a: f32, b: f32| a.min(b);
            let sources: Vec<Vec<u16>> = frames.iter().map(sixteen).collect();
            let mut most = 0.0f32;
            for y in (0..HEIGHT).step_by(4) {
                for x in 0..WIDTH {
                    let value = green.row(y)[x];
                    let (mut least, mut greatest) = (f32::INFINITY, 0.0f32);
                    for v in y.saturating_sub(8)..(y + 9).min(HEIGHT) {
                        for u in x.saturating_sub(8)..(x + 9).min(WIDTH) {
                            for source in &sources {
                                let at = f32::from(source[3 * (v * WIDTH + u) + 1]) / 65535.0;
                                least = low(least, at);
                                greatest = greatest.max(at);
                            }
                        }
                    }
                    most = most.max(value - greatest).max(least - value);
                }
            }
            most
        };
        let (with, without) = (beyond(true), beyond(false));
        println!("{method:?}: {with} with the clamp, {without} without");
        assert!(with <= 1e-5, "{method:?}: {with}");
        assert!(without > 0.002, "{method:?}: {without}");
    }
}

#[test]
fn any_number_of_frames_and_any_size_is_fused() {
    for (width, height) in [(2, 2), (2, 37), (5, 3), (33, 2), (48, 31)] {
        let frame = |k: usize| {
            let value = move |i: usize| (1 + (i * 7919 + (i % 5) * k * 31) % 60_000) as u16;
            Photo {
                width,
                height,
                samples: Samples::Sixteen((0..width * height * 3).map(value).collect()),
                ..Photo::default()
            }
        };
        for count in [1, 2, 300] {
            let frames: Vec<Photo> = (0..count).map(frame).collect();
            for method in METHODS {
                for prefer in [Prefer::Auto, Prefer::Front] {
                    let options = Options {
                        prefer,
                        frames: count,
                        ..method.into()
                    };
                    let fused = fuse_with(&options, &frames);
                    assert_eq!(fused.alpha, None);
                    assert_eq!(fused.confidence.len(), width * height);
                    assert!(fused.index.iter().all(|&index| usize::from(index) < count));
                    assert_eq!(fused.picture.size(), [width, height]);
                    let channels = fused.picture.channels();
                    let finite = channels.iter().flat_map(|plane| &plane.data);
                    assert!(finite.into_iter().all(|value| value.is_finite()));
                    if count == 1 {
                        let off = difference(&picture(fused), &frames[0]);
                        assert!(off <= 1, "{method:?}, {width}×{height}: {off}");
                    }
                }
            }
        }
    }
}
