//! What a stack gives beside its picture: maps, surfaces, finishing steps, and
//! what is done about things that moved.

mod common;

use common::{StackFolder, folder_of, parfocal, run, stack_unaligned};
use parfocal::core::finish::{self, Finish};
use parfocal::core::fuse::Method;
use parfocal::demo::{DemoStack, Noise, Scene, SceneOptions, psnr};
use parfocal::handlers::{FuseOptions, Job, Report, StackOptions, alignment, stacking};
use parfocal::photo::{self, Limits, Photo, Samples};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const METHODS: [Method; 3] = [Method::Hybrid, Method::Pyramid, Method::Average];
const WIDTH: usize = 600;
const HEIGHT: usize = 400;

fn scene(scene: Scene) -> SceneOptions {
    SceneOptions {
        width: WIDTH,
        height: HEIGHT,
        frames: 10,
        ..SceneOptions::new(scene)
    }
}

fn frames(stack: &DemoStack) -> Vec<Photo> {
    let frames = 0..stack.options().frames;
    frames.map(|index| stack.frame(index, 16)).collect()
}

fn stack(folder: &StackFolder, options: &StackOptions) -> Report {
    let inputs = std::slice::from_ref(&folder.path);
    stacking::stack(inputs, options, &Job::silent()).unwrap()
}

fn sixteen(photo: &Photo) -> &[u16] {
    match &photo.samples {
        Samples::Sixteen(samples) => samples,
        Samples::Eight(_) => panic!("not 16 bits"),
    }
}

fn read(path: &Path) -> Photo {
    photo::read(path, &Limits::default()).unwrap()
}

/// The grey of a file that must be grey.
fn grey(path: &Path) -> Vec<u16> {
    let photo = read(path);
    let pixels = sixteen(&photo).as_chunks::<3>().0;
    assert!(pixels.iter().all(|[r, g, b]| r == g && g == b));
    pixels.iter().map(|pixel| pixel[0]).collect()
}

#[test]
fn the_finish_is_applied_to_what_is_written() {
    let demo = DemoStack::new(&scene(Scene::Plane).still());
    let folder = folder_of(frames(&demo), 16);
    let plain = folder.beside("plain.tif");
    run(stack_unaligned(&folder).arg("-o").arg(&plain)).done();
    let finished = folder.beside("finished.tif");
    let steps = "--denoise 60 --brightness -15 --contrast 20 --saturation -100 --sharpen 30";
    let mut command = stack_unaligned(&folder);
    let report = folder.beside("report.json");
    command.args(steps.split(' ')).arg("--report").arg(&report);
    run(command.arg("-o").arg(&finished)).done();
    let steps = Finish {
        denoise: 60,
        sharpen: 30,
        brightness: -15,
        contrast: 20,
        saturation: -100,
    };
    let mut expected = read(&plain);
    finish::finish(&mut expected, &steps, &|| true).unwrap();
    assert_eq!(read(&finished).samples, expected.samples);
    let report: Report = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(report.options.finish, steps);
    assert!(report.timings.iter().any(|t| t.phase == "finishing"));
}

#[test]
fn denoising_brings_a_frame_nearer_to_the_one_without_noise() {
    for kind in Scene::ALL {
        let [clean, noisy] = [Noise::None, Noise::High].map(|noise| {
            let options = SceneOptions {
                noise,
                ..scene(kind)
            };
            DemoStack::new(&options).frame(5, 16)
        });
        let before = psnr(&noisy, &clean, [0, 0]).unwrap();
        for denoise in [20, 50] {
            let mut after = noisy.clone();
            let steps = Finish {
                denoise,
                ..Finish::default()
            };
            finish::finish(&mut after, &steps, &|| true).unwrap();
            let after = psnr(&after, &clean, [0, 0]).unwrap();
            println!("{kind}: {before:.2} dB with noise, {after:.2} dB after {denoise}");
            assert!(after > before + 0.5, "{kind} {denoise}: {before} {after}");
        }
    }
}

#[test]
fn the_depth_map_keeps_the_numbers_of_frames_left_out() {
    let demo = DemoStack::new(&scene(Scene::Steps).still());
    let folder = folder_of(frames(&demo), 16);
    fs::write(folder.frame("frame_03.tif"), "no picture").unwrap();
    let [tif, png, jpg] = ["d.tif", "d.png", "d.jpg"].map(|name| folder.beside(name));
    for map in [&tif, &png, &jpg] {
        stack(
            &folder,
            &StackOptions {
                out: Some(folder.beside("out.tif")),
                depth_map: Some(map.clone()),
                output: parfocal::handlers::OutputOptions {
                    overwrite: true,
                    ..Default::default()
                },
                ..StackOptions::default()
            },
        );
    }
    let data = grey(&tif);
    assert_eq!(data, grey(&png));
    let seen: BTreeSet<u16> = data.iter().copied().collect();
    // Depths are finer than a frame, and count those that were left out.
    let middle = 65535.0 * 4.5 / 9.0;
    let last = f64::from(*seen.last().unwrap());
    assert!(seen.len() > 50, "{}", seen.len());
    assert!(last > middle && last > 65535.0 * 7.5 / 9.0, "{last}");
    // The viewable one has colours whose lightness follows the depth.
    let Samples::Eight(colours) = read(&jpg).samples else {
        panic!("not 8 bits");
    };
    let luma = |at: usize| -> u32 { (0..3).map(|c| u32::from(colours[3 * at + c])).sum() };
    let mean = |value: u16| -> f64 {
        let places: Vec<usize> = (0..data.len()).filter(|&i| data[i] == value).collect();
        places.iter().map(|&i| f64::from(luma(i))).sum::<f64>() / places.len() as f64
    };
    let (first, last) = (*seen.first().unwrap(), *seen.last().unwrap());
    assert!(mean(first) + 100.0 < mean(last));
}

#[test]
fn every_method_is_surer_where_there_is_texture() {
    let demo = DemoStack::new(&scene(Scene::Plane).still());
    let folder = folder_of(frames(&demo), 16);
    let truth = demo.truth();
    let truth = sixteen(&truth);
    let contrast = |i: usize| {
        let (x, y) = (i % WIDTH, i / WIDTH);
        let near = |dx: isize, dy: isize| {
            let u = (x as isize + dx).clamp(0, WIDTH as isize - 1) as usize;
            let v = (y as isize + dy).clamp(0, HEIGHT as isize - 1) as usize;
            i32::from(truth[3 * (v * WIDTH + u) + 1])
        };
        let pairs = [(2, 0), (-2, 0), (0, 2), (0, -2), (4, 4), (-4, -4)];
        let differences = pairs.map(|(dx, dy)| (near(dx, dy) - near(0, 0)).abs());
        differences.into_iter().max().unwrap()
    };
    let contrasts: Vec<i32> = (0..WIDTH * HEIGHT).map(contrast).collect();
    let mut sorted = contrasts.clone();
    sorted.sort_unstable();
    let share = |percent: usize| sorted[sorted.len() * percent / 100];
    let (little, much) = (share(3), share(90));
    for method in METHODS {
        let map = folder.beside(&format!("{method:?}.png"));
        stack(
            &folder,
            &StackOptions {
                fuse: FuseOptions {
                    method,
                    ..FuseOptions::default()
                },
                out: Some(folder.beside(&format!("{method:?}.tif"))),
                confidence: Some(map.clone()),
                ..StackOptions::default()
            },
        );
        let sure = grey(&map);
        assert_eq!(sure.len(), WIDTH * HEIGHT);
        let mean = |inside: &dyn Fn(i32) -> bool| {
            let values: Vec<f64> = (0..sure.len())
                .filter(|&i| inside(contrasts[i]))
                .map(|i| f64::from(sure[i]))
                .collect();
            values.iter().sum::<f64>() / values.len() as f64 / 65535.0
        };
        let (texture, flat) = (mean(&|c| c >= much), mean(&|c| c <= little));
        println!("{method:?}: {texture:.2} where there is texture, {flat:.2} where not");
        assert!(texture > 0.5 && texture > 1.5 * flat, "{texture} {flat}");
    }
}

/// The surface in a file.
#[derive(Debug, Default)]
struct Mesh {
    vertices: Vec<[f32; 3]>,
    colours: Vec<[u8; 3]>,
    texture: Vec<[f32; 2]>,
    faces: Vec<[usize; 3]>,
}

fn ply(path: &Path) -> Mesh {
    let bytes = fs::read(path).unwrap();
    let end = b"end_header\n";
    let start = bytes.windows(end.len()).position(|w| w == end).unwrap() + end.len();
    let header = std::str::from_utf8(&bytes[..start]).unwrap();
    assert!(header.starts_with("ply\nformat binary_little_endian 1.0\n"));
    let count = |what: &str| -> usize {
        let line = header.lines().find_map(|line| line.strip_prefix(what));
        line.unwrap().trim().parse().unwrap()
    };
    let (vertices, faces) = (count("element vertex"), count("element face"));
    let mut mesh = Mesh::default();
    let (points, lists) = bytes[start..].split_at(vertices * 15);
    let float = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    for point in points.as_chunks::<15>().0 {
        mesh.vertices
            .push([0, 4, 8].map(|at| float(&point[at..at + 4])));
        mesh.colours.push([point[12], point[13], point[14]]);
    }
    assert_eq!(lists.len(), faces * 13);
    for list in lists.as_chunks::<13>().0 {
        assert_eq!(list[0], 3);
        let number = |at: usize| u32::from_le_bytes(list[at..at + 4].try_into().unwrap()) as usize;
        mesh.faces.push([1, 5, 9].map(number));
    }
    mesh
}

fn obj(path: &Path) -> (Mesh, String) {
    let mut mesh = Mesh::default();
    let mut material = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let mut words = line.split(' ');
        let kind = words.next().unwrap();
        let mut numbers = words.clone().map(|word| word.parse::<f32>().unwrap());
        match kind {
            "v" => mesh
                .vertices
                .push([0, 1, 2].map(|_| numbers.next().unwrap())),
            "vt" => mesh.texture.push([0, 1].map(|_| numbers.next().unwrap())),
            "f" => {
                let corners: Vec<usize> = words
                    .map(|word| {
                        let (vertex, texture) = word.split_once('/').unwrap();
                        assert_eq!(vertex, texture);
                        vertex.parse::<usize>().unwrap() - 1
                    })
                    .collect();
                mesh.faces.push(corners.try_into().unwrap());
            }
            "mtllib" => material = words.next().unwrap().to_owned(),
            _ => assert!(["#", "o", "usemtl"].contains(&kind), "{line}"),
        }
    }
    (mesh, material)
}

#[test]
fn a_surface_has_the_depth_and_the_colours_of_the_subject() {
    let demo = DemoStack::new(&scene(Scene::Plane).still());
    let folder = folder_of(frames(&demo), 16);
    let [out, file] = ["out.tif", "surface.ply"].map(|name| folder.beside(name));
    let mut command = stack_unaligned(&folder);
    command.arg("-o").arg(&out).arg("--surface").arg(&file);
    command.args(["--surface-depth", "90", "--method", "hybrid"]);
    run(&mut command).done();
    let mesh = ply(&file);
    assert_eq!(mesh.vertices.len(), WIDTH * HEIGHT);
    assert_eq!(mesh.faces.len(), 2 * (WIDTH - 1) * (HEIGHT - 1));
    let (picture, depth) = (read(&out), demo.depth());
    let mut errors = Vec::new();
    for (i, ([x, y, z], colour)) in mesh.vertices.iter().zip(&mesh.colours).enumerate() {
        assert_eq!(
            (*x, *y),
            ((i % WIDTH) as f32, (HEIGHT - 1 - i / WIDTH) as f32)
        );
        let rgb = &sixteen(&picture)[3 * i..3 * i + 3];
        for (a, b) in colour.iter().zip(rgb) {
            assert!((i32::from(*a) - i32::from(*b) / 257).abs() <= 1);
        }
        // Ten pixels for each of nine steps between ten frames.
        errors.push((9.0 - z / 10.0 - depth[i]).abs());
    }
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    println!("{mean:.3} frames of error");
    assert!(mean < 0.5, "{mean}");
    for face in &mesh.faces {
        let [a, b, c] = face.map(|at| mesh.vertices[at]);
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
        assert!(area > 0.0, "turned away from the viewer");
    }
}

#[test]
fn an_obj_has_its_picture_as_texture_and_replaces_nothing() {
    let demo = DemoStack::new(&SceneOptions {
        width: 90,
        height: 60,
        frames: 3,
        ..scene(Scene::Plane).still()
    });
    let folder = folder_of(frames(&demo), 16);
    let file = folder.beside("surface.obj");
    let stack = || {
        let mut command = stack_unaligned(&folder);
        command.arg("-o").arg(folder.beside("out.tif"));
        command.arg("--overwrite").arg("--surface").arg(&file);
        command
    };
    run(&mut stack()).done();
    let (mesh, material) = obj(&file);
    assert_eq!(mesh.vertices.len(), 90 * 60);
    assert_eq!(mesh.texture.len(), 90 * 60);
    assert_eq!(mesh.faces.len(), 2 * 89 * 59);
    assert_eq!(mesh.texture[0], [0.005556, 0.991667]);
    assert_eq!(material, "surface.mtl");
    let words = fs::read_to_string(folder.beside(&material)).unwrap();
    assert!(words.contains("map_Kd surface.jpg"), "{words}");
    let texture = read(&folder.beside("surface.jpg"));
    assert_eq!((texture.width, texture.height), (90, 60));
    // Any of its files is reason enough to stop before the work.
    fs::remove_file(&file).unwrap();
    let mut command = stack_unaligned(&folder);
    command.arg("-o").arg(folder.beside("other.tif"));
    run(command.arg("--surface").arg(&file))
        .ended(1)
        .says(&["surface.mtl", "exists already"]);
    assert!(!folder.beside("other.tif").exists() && !file.exists());
    run(parfocal().args(["stack", "x", "--surface", "s.stl"]))
        .ended(2)
        .says(&[".ply or .obj"]);
}

/// The frames of a scene on which something lies that is moved before frame
/// `until`: a square of checks, its left upper corner first at the first place
/// (in pixels of the reference), then at the other.
fn with_a_mover(demo: &DemoStack, places: [[usize; 2]; 2], until: usize) -> Vec<Photo> {
    let mut frames = frames(demo);
    for (i, frame) in frames.iter_mut().enumerate() {
        let place = places[usize::from(i >= until)];
        let back = demo.transforms()[i].inverse().unwrap();
        let width = frame.width;
        let Samples::Sixteen(samples) = &mut frame.samples else {
            panic!("not 16 bits");
        };
        for (at, pixel) in samples.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let [u, v] = back.apply((at % width) as f64, (at / width) as f64);
            let (u, v) = (u - place[0] as f64, v - place[1] as f64);
            let side = 0.0..MOVER as f64;
            if side.contains(&u) && side.contains(&v) {
                let dark = (u as usize / 6 + v as usize / 6).is_multiple_of(2);
                *pixel = if dark {
                    [4000, 3000, 2500]
                } else {
                    [9000, 6000, 5000]
                };
            }
        }
    }
    frames
}

/// Pixels across and down of what is moved.
const MOVER: usize = 70;

/// The part of a picture that shows the square at `place` and a little more.
fn about(photo: &Photo, [x, y]: [usize; 2]) -> Photo {
    let (x, y, side) = (x - 6, y - 6, MOVER + 12);
    let samples = sixteen(photo);
    let rows = (y..y + side).flat_map(|y| {
        let start = 3 * (y * photo.width + x);
        samples[start..start + 3 * side].iter().copied()
    });
    Photo {
        width: side,
        height: side,
        samples: Samples::Sixteen(rows.collect()),
        ..Photo::default()
    }
}

#[test]
fn what_moved_is_shown_as_the_reference_shows_it() {
    let demo = DemoStack::new(&scene(Scene::Plane));
    let places = [[120, 80], [380, 230]];
    let until = 3;
    let pictures = with_a_mover(&demo, places, until);
    let reference = pictures[demo.reference()].clone();
    let folder = folder_of(pictures, 16);
    for method in METHODS {
        let [with, without] = [true, false].map(|ghost_check| {
            let out = folder.beside(&format!("{method:?}-{ghost_check}.tif"));
            let report = stack(
                &folder,
                &StackOptions {
                    fuse: FuseOptions {
                        method,
                        ghost_check,
                        crop: false,
                        ..FuseOptions::default()
                    },
                    out: Some(out.clone()),
                    ..StackOptions::default()
                },
            );
            assert_eq!(report.reference, demo.reference());
            let result = read(&out);
            // At its first place the square is there in the first frames only:
            // there the reference shows the scene, at the other the square.
            let ghost = psnr(
                &about(&result, places[0]),
                &about(&demo.truth(), places[0]),
                [0, 0],
            );
            let square = psnr(
                &about(&result, places[1]),
                &about(&reference, places[1]),
                [0, 0],
            );
            (report, ghost.unwrap(), square.unwrap())
        });
        println!(
            "{method:?}: {:.1} and {:.1} dB with the check, {:.1} and {:.1} dB without",
            with.1, with.2, without.1, without.2
        );
        assert!(with.1 > without.1 + 6.0, "{method:?}");
        assert!(with.2 + 1.0 > without.2, "{method:?}");
        for (i, frame) in with.0.frames.iter().enumerate() {
            assert_eq!(frame.moved.is_some(), i < until, "{method:?}: frame {i}");
            let Some(moved) = frame.moved else { continue };
            let area = 100.0 * (2 * MOVER * MOVER) as f64 / (WIDTH * HEIGHT) as f64;
            assert!((area..2.5 * area).contains(&moved.percent), "{moved:?}");
            let region = moved.region;
            for [x, y] in places {
                assert!(region.x <= x && x + MOVER <= region.x + region.width);
                assert!(region.y <= y && y + MOVER <= region.y + region.height);
            }
        }
        let warned = |report: &Report| report.warnings.iter().any(|w| w.contains("moved in 3"));
        assert!(warned(&with.0) && !warned(&without.0));
        assert!(without.0.frames.iter().all(|frame| frame.moved.is_none()));
    }
}

#[test]
fn focus_alone_moves_nothing() {
    // Hairs that cross in front of each other are still taken for movement here
    // and there, which is why nothing is checked unless the user says so.
    for kind in Scene::ALL.into_iter().filter(|kind| *kind != Scene::Hairs) {
        for (noise, blur, psf) in [
            (Noise::Low, 1.0, parfocal::demo::Psf::Disc),
            (Noise::High, 1.0, parfocal::demo::Psf::Gaussian),
            (Noise::Low, 2.5, parfocal::demo::Psf::Disc),
        ] {
            let options = scene(kind);
            let demo = DemoStack::new(&SceneOptions {
                noise,
                psf,
                blur: blur * options.blur,
                seed: 11,
                ..options
            });
            let folder = folder_of(frames(&demo), 16);
            let inputs = std::slice::from_ref(&folder.path);
            let gathered =
                parfocal::handlers::file::gather(inputs, &Limits::default(), &Job::silent());
            let options = StackOptions::default();
            let aligned = alignment::analyse(gathered.unwrap(), &options, &Job::silent()).unwrap();
            let moved: Vec<_> = aligned.moved.iter().flatten().collect();
            let found: Vec<_> = moved
                .iter()
                .map(|moved| (moved.share, moved.region))
                .collect();
            assert!(found.is_empty(), "{kind} {noise:?} {blur}: {found:?}");
        }
    }
}
