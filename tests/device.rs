//! A job on an OpenCL device: what it does when the device has little memory,
//! and that nothing speaks to one when the processor is asked for.
//!
//! Where the machine has no OpenCL device these say so and pass.

mod common;

use std::collections::BTreeMap;

use clap::ValueEnum;
use common::{StackFolder, parfocal, run, stack_folder};
use parfocal::core::device::{OpenClDevice, opencl_devices};
use parfocal::core::fuse::Method;
use parfocal::demo::{Scene, SceneOptions};
use parfocal::handlers::alignment::{self, Aligned, Fuser};
use parfocal::handlers::opening::Opening;
use parfocal::handlers::sharpness::{SharpnessOptions, score};
use parfocal::handlers::{Device, Job, Report, Resources, StackOptions, file, stacking};
use parfocal::photo::{self, Limits, Photo, Samples};

fn device() -> Option<OpenClDevice> {
    let device = opencl_devices().into_iter().next();
    if device.is_none() {
        println!("skipped: there is no OpenCL device");
    }
    device
}

fn tall() -> StackFolder {
    stack_folder(&SceneOptions {
        width: 160,
        height: 1600,
        frames: 4,
        ..SceneOptions::new(Scene::Bumpy).still()
    })
}

fn small(frames: usize) -> StackFolder {
    stack_folder(&SceneOptions {
        width: 240,
        height: 160,
        frames,
        ..SceneOptions::new(Scene::Bumpy)
    })
}

/// Stacks `folder` on `device`, with so many bytes of its memory.
fn stacked(folder: &StackFolder, name: &str, device: Device, memory: Option<u64>) -> Report {
    let mut options = StackOptions {
        out: Some(folder.beside(name)),
        resources: Resources {
            device,
            device_memory: memory,
            ..Resources::default()
        },
        ..StackOptions::default()
    };
    options.fuse.method = Method::Pyramid;
    let inputs = std::slice::from_ref(&folder.path);
    stacking::stack(inputs, &options, &Job::silent()).unwrap()
}

fn bytes(folder: &StackFolder, name: &str) -> Vec<u8> {
    std::fs::read(folder.beside(name)).unwrap()
}

fn samples(folder: &StackFolder, name: &str) -> Vec<f64> {
    let photo = photo::read(&folder.beside(name), &Limits::default()).unwrap();
    match photo.samples {
        Samples::Sixteen(values) => values.iter().map(|&v| f64::from(v) / 65535.0).collect(),
        Samples::Eight(_) => panic!("16 bits were asked for"),
    }
}

#[test]
fn what_does_not_fit_on_the_device_is_the_processors_after_one_warning() {
    let Some(device) = device() else { return };
    let folder = tall();
    let right = stacked(&folder, "cpu.tif", Device::Cpu, None);
    let number = Device::OpenCl(Some(device.index));
    let report = stacked(&folder, "little.tif", number, Some(100_000));
    assert_eq!(
        (right.device.as_str(), report.device.as_str()),
        ("cpu", "cpu")
    );
    let more: Vec<_> = report
        .warnings
        .iter()
        .filter(|warning| !right.warnings.contains(warning))
        .collect();
    assert_eq!(more.len(), 1, "{more:?}");
    for part in [&device.name, "is allowed", "the processor does the work"] {
        assert!(more[0].contains(part), "{}", more[0]);
    }
    assert!(bytes(&folder, "cpu.tif") == bytes(&folder, "little.tif"));
}

#[test]
fn what_fits_in_bands_is_the_devices() {
    let Some(device) = device() else { return };
    let folder = tall();
    let number = Device::OpenCl(Some(device.index));
    let right = stacked(&folder, "whole.tif", number, None);
    // 57 bytes for each pixel of the picture, 7 for each of a frame: enough for
    // two thirds of the rows.
    let memory = 160 * 1600 * (57 * 2 / 3 + 8);
    let report = stacked(&folder, "bands.tif", number, Some(memory));
    // Each frame is brought there for each band.
    let [once, often] = [&right, &report].map(|report| {
        let mut stages = report.stages.iter();
        let upload = stages.find(|stage| stage.stage == "device: upload");
        upload.map_or(0, |upload| upload.times)
    });
    assert!(often > once, "{often} uploads, {once} in one piece");
    assert_eq!(
        (right.device, report.device),
        (device.name.clone(), device.name)
    );
    assert_eq!(right.warnings, report.warnings);
    let (a, b) = (samples(&folder, "whole.tif"), samples(&folder, "bands.tif"));
    let sum: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    let psnr = -10.0 * (sum / a.len() as f64).log10();
    println!("bands and whole differ by {psnr:.1} dB");
    assert!(psnr > 65.0, "{psnr}");
}

#[test]
fn frames_are_read_once_where_the_device_has_room_to_hold_them() {
    let Some(device) = device() else { return };
    let folder = small(5);
    let number = Device::OpenCl(Some(device.index));
    let times = |report: &Report, name: &str| {
        let stage = report.stages.iter().find(|stage| stage.stage == name);
        stage.map_or(0, |stage| stage.times)
    };
    // Bytes that fusing takes for a pixel.
    for (method, fusing) in [(Method::Hybrid, 92), (Method::Depth, 62)] {
        // Beside it two photographs are on their way, and of what is left half is for
        // those that are held: for two of them.
        let little = 240 * 160 * (fusing + 2 * 4 + 2 * 2 * 3);
        let mut pictures = Vec::new();
        for (memory, is_held) in [(None, true), (Some(little), false)] {
            let mut options = StackOptions {
                out: Some(folder.beside("held.tif")),
                resources: Resources {
                    device: number,
                    device_memory: memory,
                    ..Resources::default()
                },
                ..StackOptions::default()
            };
            options.output.overwrite = true;
            options.fuse.method = method;
            let inputs = std::slice::from_ref(&folder.path);
            let report = stacking::stack(inputs, &options, &Job::silent()).unwrap();
            assert_eq!(report.device, device.name);
            let read = (times(&report, "look: read"), times(&report, "read frames"));
            match is_held {
                true => assert_eq!(read, (5, 0), "{method:?}"),
                false => assert!(read.0 == 5 && read.1 > 0, "{method:?}: {read:?}"),
            }
            pictures.push(bytes(&folder, "held.tif"));
        }
        assert!(pictures[0] == pictures[1], "{method:?}");
    }
}

#[test]
fn who_watches_is_shown_frames_that_are_held_without_reading_them_again() {
    let Some(device) = device() else { return };
    let folder = small(20);
    let mut options = StackOptions::default();
    options.resources.device = Device::OpenCl(Some(device.index));
    let job = Job::silent();
    let stack = file::gather(
        std::slice::from_ref(&folder.path),
        &options.resources.limits,
        &job,
    );
    let opening = Opening::begin(options.resources.device).unwrap();
    let fuser = Fuser {
        opening: &opening,
        is_watched: true,
    };
    let aligned = alignment::analyse_for(Some(fuser), stack.unwrap(), &options, &job);
    let mut aligned = aligned.unwrap();
    let shown = |aligned: &Aligned| aligned.smalls.iter().flatten().count();
    assert_eq!(shown(&aligned), 12);
    let watch = |_: Photo| ();
    let stacked = stacking::fuse_aligned(&mut aligned, &options, &job, Some(&watch)).unwrap();
    assert_eq!(stacked.device, device.name);
    assert_eq!(shown(&aligned), 0);
    assert!(aligned.held.is_none());
    let stages = job.stages().list();
    assert!(stages.iter().all(|stage| stage.stage != "read frames"));
}

/// How often each command was put into a device's queue while `frames` frames
/// were stacked, as PoCL tells; kernels by their names. `None` where it does not.
fn commands(folder: &StackFolder, frames: usize, method: &str) -> Option<BTreeMap<String, i32>> {
    let trace = folder.beside(&format!("{method}-{frames}.txt"));
    let names = folder.frames();
    run(parfocal()
        .arg("stack")
        .args(names[..frames].iter().map(|name| folder.frame(name)))
        .args(["--align", "none", "--no-match-exposure"])
        .args(["--device", "opencl", "--method", method, "--overwrite"])
        .arg("-o")
        .arg(folder.beside("out.tif"))
        .env("POCL_TRACING", "text")
        .env("POCL_TRACING_OPT", &trace))
    .done();
    let trace = std::fs::read_to_string(trace).ok()?;
    let mut commands = BTreeMap::new();
    for line in trace.lines() {
        let parts: Vec<_> = line.split('|').map(str::trim).collect();
        if parts.get(5) == Some(&"queued") {
            let kernel = line.split("name=").nth(1).unwrap_or_default();
            let command = format!("{} {}", parts[4], kernel.trim());
            *commands.entry(command).or_default() += 1;
        }
    }
    Some(commands)
}

#[test]
fn each_frame_is_written_to_the_device_once_and_nothing_is_read_back() {
    let Some(device) = device() else { return };
    if !device.platform.contains("Portable Computing Language") {
        println!("skipped: only PoCL tells what it is asked for");
        return;
    }
    let folder = stack_folder(&SceneOptions {
        width: 120,
        height: 90,
        frames: 7,
        ..SceneOptions::new(Scene::Bumpy)
    });
    for method in Method::value_variants() {
        let more_looks = 4 * method.looks() as i32;
        let method = format!("{method:?}").to_lowercase();
        let Some(few) = commands(&folder, 3, &method) else {
            println!("skipped: this PoCL keeps no trace");
            return;
        };
        let many = commands(&folder, 7, &method).unwrap();
        // From the test stack and from the picture.
        assert!(few["read_buffer "] >= 2, "{few:?}");
        for (command, count) in many {
            let more = count - few.get(&command).copied().unwrap_or_default();
            let is_kernel = command.starts_with("ndrange_kernel ");
            match command.as_str() {
                "write_buffer " => assert_eq!(more, more_looks, "{method}"),
                _ if command.starts_with("ndrange_kernel fill_") => assert_eq!(more, 0),
                _ if is_kernel => assert_eq!(more % 4, 0, "{method}: {command}"),
                _ => assert_eq!(more, 0, "{method}: {command}"),
            }
        }
    }
}

/// Two threads that keep what they built at a time spoil it, and then a device may
/// end every process that reads it.
#[test]
fn of_what_opencv_builds_and_keeps_there_is_one_program() {
    if device().is_none() {
        return;
    }
    let folder = stack_folder(&common::small(4));
    let kept = folder.beside("kept");
    std::fs::create_dir(&kept).unwrap();
    let speak = |arguments: &[&str]| {
        run(parfocal()
            .args(arguments)
            .arg(&folder.path)
            .args(["--device", "opencl"])
            .env("OPENCV_OPENCL_CACHE_DIR", &kept))
        .done();
    };
    speak(&["sharpness"]);
    for method in Method::value_variants() {
        let method = format!("{method:?}").to_lowercase();
        let lanes = ["--lanes", "4", "--ghost-check"];
        let stack = ["stack", "--overwrite", "--method", &method];
        speak(&[&stack[..], &lanes[..]].concat());
    }
    let mut files = Vec::new();
    for device in common::names(&kept) {
        let device = kept.join(device);
        if device.is_dir() {
            files.extend(common::names(&device));
        }
    }
    let is_own = |file: &String| file.starts_with("parfocal--fuse_");
    assert!(files.len() == 1 && files.iter().all(is_own), "{files:?}");
}

#[test]
fn sharpness_on_a_device_is_the_processors() {
    let Some(device) = device() else { return };
    let folder = stack_folder(&common::small(3));
    let scores = |device| {
        let options = SharpnessOptions {
            grid: 4,
            resources: Resources {
                device,
                ..Resources::default()
            },
        };
        let inputs = std::slice::from_ref(&folder.path);
        score(inputs, &options, &Job::silent()).unwrap()
    };
    let right = scores(Device::Cpu);
    let own = scores(Device::OpenCl(Some(device.index)));
    assert_eq!((own.len(), right.len()), (3, 3));
    for (own, right) in own.iter().zip(right) {
        assert_eq!(own.path, right.path);
        let (own, right) = (own.score.unwrap(), right.score.unwrap());
        assert!((own / right - 1.0).abs() < 1e-3, "{own} {right}");
    }
}

/// Set in a process that has not spoken to a device yet.
#[cfg(target_os = "linux")]
const FRESH: &str = "PARFOCAL_TEST_FRESH_PROCESS";

/// The OpenCL drivers that this process has loaded, and the threads that hold a
/// device.
#[cfg(target_os = "linux")]
fn traces() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut found: Vec<String> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| {
            let path = path.to_lowercase();
            ["opencl.so", "pocl", "nvidia", "amdocl", "intelocl"]
                .iter()
                .any(|driver| path.rsplit('/').next().unwrap_or_default().contains(driver))
        })
        .map(str::to_owned)
        .collect();
    found.dedup();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        found.extend((name.trim() == "opencl").then_some(name));
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn the_processor_speaks_to_no_device() {
    if std::env::var_os(FRESH).is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "the_processor_speaks_to_no_device",
                "--nocapture",
            ])
            .env(FRESH, "1")
            .env_remove("OPENCV_OPENCL_DEVICE")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        print!("{told}{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success());
        return;
    }
    // What the system loads with the program is no call.
    let before = traces();
    let folder = stack_folder(&common::small(3));
    for align in [
        parfocal::core::align::Method::Auto,
        parfocal::core::align::Method::Sift,
        parfocal::core::align::Method::Orb,
    ] {
        let mut options = StackOptions {
            out: Some(folder.beside(&format!("{align:?}.tif"))),
            ..StackOptions::default()
        };
        options.resources.device = Device::Cpu;
        options.align.method = align;
        options.align.clahe = true;
        options.fuse.ghost_check = true;
        let inputs = std::slice::from_ref(&folder.path);
        stacking::stack(inputs, &options, &Job::silent()).unwrap();
        assert_eq!(traces(), before, "{align:?}");
    }
    // A device leaves the traces that are looked for.
    if device().is_some() {
        let number = Device::OpenCl(None);
        stacked(&folder, "device.tif", number, None);
        println!("a device leaves {:?}", traces());
        assert!(traces().len() > before.len());
    }
}
