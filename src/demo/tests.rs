use super::*;

fn small(scene: Scene) -> SceneOptions {
    SceneOptions {
        width: 150,
        height: 100,
        frames: 6,
        ..SceneOptions::new(scene)
    }
}

/// Linear luminance-like mean of the three samples of each pixel, encoded.
fn grey(photo: &Photo) -> Vec<f64> {
    (0..photo.pixels())
        .map(|i| (0..3).map(|c| share(photo, 3 * i + c)).sum::<f64>() / 3.0)
        .collect()
}

/// Bicubic sample (Catmull and Rom, 1974) of a grey picture.
fn sample(grey: &[f64], width: usize, [x, y]: [f64; 2]) -> Option<f64> {
    let height = grey.len() / width;
    let (left, top) = (x.floor() as isize - 1, y.floor() as isize - 1);
    if left < 0 || top < 0 || left as usize + 4 > width || top as usize + 4 > height {
        return None;
    }
    let weights = |t: f64| {
        [
            ((2.0 - t) * t - 1.0) * t / 2.0,
            ((3.0 * t - 5.0) * t * t + 2.0) / 2.0,
            ((4.0 - 3.0 * t) * t + 1.0) * t / 2.0,
            (t - 1.0) * t * t / 2.0,
        ]
    };
    let (columns, rows) = (weights(x - x.floor()), weights(y - y.floor()));
    let mut sum = 0.0;
    for (j, row) in rows.iter().enumerate() {
        for (i, column) in columns.iter().enumerate() {
            sum += row * column * grey[(top as usize + j) * width + left as usize + i];
        }
    }
    Some(sum)
}

/// Without the finest detail, which no interpolation gets quite right.
fn smoothed(grey: &[f64], width: usize) -> Vec<f64> {
    let mut values = grey.to_vec();
    for step in [1, width, 1, width, 1, width] {
        let before = values.clone();
        for i in step..values.len() - step {
            values[i] = (before[i - step] + 2.0 * before[i] + before[i + step]) / 4.0;
        }
    }
    values
}

#[test]
fn the_same_options_give_the_same_pixels_on_any_number_of_threads() {
    for scene in Scene::ALL {
        let render = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let stack = DemoStack::new(&small(scene));
                (stack.frame(1, 16), stack.truth(), stack.depth())
            })
        };
        assert_eq!(render(1), render(3), "{scene}");
    }
}

#[test]
fn seeds_and_frames_differ() {
    let options = small(Scene::Plane);
    let stack = DemoStack::new(&options);
    let other = DemoStack::new(&SceneOptions { seed: 2, ..options });
    assert_ne!(stack.truth(), other.truth());
    assert_ne!(stack.frame(0, 8), stack.frame(1, 8));
    assert_ne!(stack.transforms(), other.transforms());
}

#[test]
fn a_frame_shows_the_truth_where_it_is_in_focus_and_only_there() {
    for scene in [Scene::Plane, Scene::Bumpy, Scene::Specular, Scene::Steps] {
        for psf in [Psf::Disc, Psf::Gaussian] {
            let options = SceneOptions {
                width: 480,
                height: 320,
                psf,
                ..small(scene).still()
            };
            let stack = DemoStack::new(&options);
            let (truth, depth) = (grey(&stack.truth()), stack.depth());
            let (mut near, mut far) = ((0.0, 0.0), (0.0, 0.0));
            for index in 0..options.frames {
                let frame = grey(&stack.frame(index, 16));
                for y in 12..308 {
                    for x in 12..468 {
                        let i = y * 480 + x;
                        // Away from edges, where something else may be blurred into it.
                        let around = [i - 12, i + 12, i - 12 * 480, i + 12 * 480];
                        if around.iter().any(|&j| (depth[j] - depth[i]).abs() > 0.5) {
                            continue;
                        }
                        let error = (frame[i] - truth[i]).powi(2);
                        let distance = (depth[i] - index as f32).abs();
                        if distance < 0.1 {
                            near = (near.0 + error, near.1 + 1.0);
                        } else if distance > 2.5 {
                            far = (far.0 + error, far.1 + 1.0);
                        }
                    }
                }
            }
            assert!(near.1 > 500.0 && far.1 > 500.0, "{scene} {near:?} {far:?}");
            let decibels = |(error, count): (f64, f64)| -10.0 * (error / count).log10();
            let (near, far) = (decibels(near), decibels(far));
            assert!(
                near > 38.0 && far < near - 10.0,
                "{scene} {psf:?}: {near} {far}"
            );
        }
    }
}

#[test]
fn the_frame_that_the_depth_names_is_the_sharpest() {
    let options = SceneOptions {
        width: 480,
        height: 320,
        ..small(Scene::Plane).still()
    };
    let stack = DemoStack::new(&options);
    let depth = stack.depth();
    let frames: Vec<Vec<f64>> = (0..options.frames)
        .map(|i| grey(&stack.frame(i, 16)))
        .collect();
    let (mut right, mut all) = (0, 0);
    for top in (0..320).step_by(20) {
        for left in (0..480).step_by(20) {
            let energy = |frame: &Vec<f64>| {
                let mut sum = 0.0;
                for y in top..top + 19 {
                    for x in left..left + 19 {
                        let i = y * 480 + x;
                        sum += (frame[i] - frame[i + 1]).powi(2);
                        sum += (frame[i] - frame[i + 480]).powi(2);
                    }
                }
                sum
            };
            let energies: Vec<f64> = frames.iter().map(energy).collect();
            let best = (0..energies.len())
                .max_by(|&a, &b| energies[a].total_cmp(&energies[b]))
                .unwrap();
            // A smooth patch does not tell.
            if energies[best] < 0.5 {
                continue;
            }
            all += 1;
            let expected = depth[(top + 10) * 480 + left + 10];
            right += i32::from((expected - best as f32).abs() < 1.0);
        }
    }
    assert!(all > 150, "{all}");
    assert!(right * 100 >= all * 97, "{right} of {all}");
}

#[test]
fn a_frame_lies_where_its_transform_says() {
    for scene in [Scene::Plane, Scene::Specular] {
        // All in one plane of focus, so that only the place differs.
        let options = SceneOptions {
            width: 480,
            height: 320,
            frames: 3,
            blur: 0.0,
            breathing: 0.01,
            shift: 20.0,
            rotation: 0.5,
            noise: Noise::None,
            flicker: 0.0,
            ..SceneOptions::new(scene)
        };
        let stack = DemoStack::new(&options);
        let truth = smoothed(&grey(&stack.truth()), 480);
        for (index, transform) in stack.transforms().iter().enumerate() {
            let frame = smoothed(&grey(&stack.frame(index, 16)), 480);
            // Least squares for the shift that is left between the two.
            let (mut normal, mut right, mut error) = ([[0.0; 2]; 2], [0.0; 2], 0.0);
            let mut count = 0.0;
            for y in 8..312 {
                for x in 8..472 {
                    let at = transform.apply(x as f64, y as f64);
                    let Some(value) = sample(&frame, 480, at) else {
                        continue;
                    };
                    let i = y * 480 + x;
                    let difference = value - truth[i];
                    let slope = [
                        (truth[i + 1] - truth[i - 1]) / 2.0,
                        (truth[i + 480] - truth[i - 480]) / 2.0,
                    ];
                    for a in 0..2 {
                        right[a] += slope[a] * difference;
                        for b in 0..2 {
                            normal[a][b] += slope[a] * slope[b];
                        }
                    }
                    error += difference * difference;
                    count += 1.0;
                }
            }
            let determinant = normal[0][0] * normal[1][1] - normal[0][1] * normal[1][0];
            let dx = (right[0] * normal[1][1] - right[1] * normal[0][1]) / determinant;
            let dy = (right[1] * normal[0][0] - right[0] * normal[1][0]) / determinant;
            assert!(dx.hypot(dy) < 0.005, "{scene} {index}: {dx} {dy}");
            let decibels = -10.0 * (error / count).log10();
            assert!(decibels > 28.0, "{scene} {index}: {decibels}");
        }
    }
}

#[test]
fn the_reference_frame_is_neither_moved_nor_brightened() {
    let options = SceneOptions {
        flicker: 0.1,
        ..small(Scene::Specular)
    };
    let stack = DemoStack::new(&options);
    let reference = stack.reference();
    assert!(stack.transforms()[reference].is_identity());
    assert_eq!(stack.exposures()[reference], 1.0);
    assert_eq!(stack.exposures().len(), 6);
    assert_eq!(stack.transforms().len(), 6);
    assert!(!stack.transforms()[0].is_identity());
}

#[test]
fn frames_are_as_bright_as_their_exposure() {
    let options = SceneOptions {
        flicker: 0.2,
        blur: 0.0,
        ..small(Scene::Bumpy).still()
    };
    let stack = DemoStack::new(&SceneOptions {
        flicker: 0.2,
        ..options
    });
    let light = |photo: &Photo| {
        let value = |v: f64| {
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        let samples = (0..photo.pixels() * 3).map(|i| share(photo, i));
        // Clipped highlights do not follow the exposure.
        let unclipped = samples.map(|v| if v < 0.8 { value(v) } else { 0.0 });
        unclipped.collect::<Vec<f64>>()
    };
    let truth = light(&stack.truth());
    for (index, &exposure) in stack.exposures().iter().enumerate() {
        assert!((exposure - 1.0).abs() <= 0.2);
        let frame = light(&stack.frame(index, 16));
        let both = truth
            .iter()
            .zip(&frame)
            .filter(|(t, f)| **t > 0.0 && **f > 0.0);
        let (a, b) = both.fold((0.0, 0.0), |(a, b), (t, f)| (a + t, b + f));
        assert!((b / a / exposure - 1.0).abs() < 0.002, "{index}: {}", b / a);
    }
}

#[test]
fn noise_is_as_strong_as_photons_make_it() {
    let clean = DemoStack::new(&small(Scene::Steps).still());
    let quiet = clean.frame(2, 16);
    for (noise, full_well, read) in [(Noise::Low, 20_000.0, 4.0), (Noise::High, 1500.0, 8.0)] {
        let options = SceneOptions {
            noise,
            ..small(Scene::Steps).still()
        };
        let noisy = DemoStack::new(&options).frame(2, 16);
        let linear = |v: f64| ((v + 0.055) / 1.055).powf(2.4);
        let (mut measured, mut expected) = (0.0, 0.0);
        for i in 0..quiet.pixels() * 3 {
            let (a, b) = (share(&quiet, i), share(&noisy, i));
            if (0.4..0.8).contains(&a) {
                measured += (linear(b) - linear(a)).powi(2);
                expected += linear(a) / full_well + (read / full_well).powi(2);
            }
        }
        assert!(expected > 0.0);
        let ratio: f64 = measured / expected;
        assert!((ratio - 1.0).abs() < 0.06, "{noise:?}: {ratio}");
    }
}

#[test]
fn small_and_odd_sizes_render() {
    for scene in Scene::ALL {
        for (width, height, frames) in [(1, 1, 1), (2, 2, 3), (3, 7, 1), (17, 2, 2), (64, 48, 5)] {
            let options = SceneOptions {
                width,
                height,
                frames,
                ..SceneOptions::new(scene)
            };
            let stack = DemoStack::new(&options);
            for index in 0..frames {
                let frame = stack.frame(index, 8);
                assert_eq!([frame.width, frame.height], [width, height]);
                assert!(
                    matches!(&frame.samples, Samples::Eight(s) if s.len() == width * height * 3)
                );
            }
            let depth = stack.depth();
            assert_eq!(depth.len(), width * height);
            let last = (frames - 1) as f32;
            assert!(depth.iter().all(|d| (0.0..=last).contains(d)), "{scene}");
        }
    }
}

#[test]
fn a_small_stack_is_worth_stacking() {
    for scene in Scene::ALL {
        let options = SceneOptions {
            width: 64,
            height: 48,
            ..small(scene).still()
        };
        let stack = DemoStack::new(&options);
        let truth = stack.truth();
        for index in 0..options.frames {
            let decibels = psnr(&stack.frame(index, 16), &truth, [0, 0]).unwrap();
            assert!(decibels < 38.0, "{scene} {index}: {decibels}");
        }
    }
}

#[test]
fn highlights_become_discs() {
    // Out of focus, light brighter than white still whitens what it is spread over.
    let options = SceneOptions {
        width: 480,
        height: 320,
        ..small(Scene::Specular).still()
    };
    let stack = DemoStack::new(&options);
    let (truth, blurred) = (grey(&stack.truth()), grey(&stack.frame(0, 16)));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let light = |v: &[f64]| mean(&v.iter().map(|v| v.powf(2.2)).collect::<Vec<_>>());
    assert!(light(&blurred) > 1.01 * light(&truth));
}

#[test]
fn psnr_compares_a_crop_with_its_place_in_the_truth() {
    let stack = DemoStack::new(&small(Scene::Plane));
    let truth = stack.truth();
    let Samples::Sixteen(samples) = &truth.samples else {
        panic!("the truth has 16 bits");
    };
    let mut cut = Vec::new();
    for y in 10..40 {
        cut.extend_from_slice(&samples[(y * 150 + 20) * 3..(y * 150 + 70) * 3]);
    }
    let exact = photo([50, 30], Samples::Sixteen(cut.clone()));
    assert_eq!(psnr(&exact, &truth, [20, 10]), Some(f64::INFINITY));
    assert!(psnr(&exact, &truth, [21, 10]).unwrap() < 40.0);
    assert_eq!(psnr(&exact, &truth, [101, 10]), None);
    let darker = cut.iter().map(|v| v / 2 + 16_384).collect();
    let off = psnr(&photo([50, 30], Samples::Sixteen(darker)), &truth, [20, 10]).unwrap();
    let error: f64 = cut
        .iter()
        .map(|&v| (f64::from(v) - f64::from(v / 2 + 16_384)).powi(2))
        .sum();
    let expected = 10.0 * (65535f64.powi(2) * cut.len() as f64 / error).log10();
    assert!((off - expected).abs() < 1e-6);
}

#[test]
fn scenes_are_known_by_their_names() {
    for scene in Scene::ALL {
        assert_eq!(scene.to_string().parse(), Ok(scene));
    }
    let error = "teapot".parse::<Scene>().unwrap_err().to_string();
    assert!(
        error.contains("teapot") && error.contains("specular"),
        "{error}"
    );
}
