//! The whole job: memory, progress, cancelling, the crop and the depth map.

mod common;

use common::{StackFolder, folder_of, json, parfocal, run, write};
use parfocal::Error;
use parfocal::core::device::opencl_devices;
use parfocal::core::fuse::Method;
use parfocal::demo::{DemoStack, Scene, SceneOptions, psnr};
use parfocal::handlers::{
    Device, Event, FrameStatus, Job, Phase, Report, Resources, StackOptions, alignment, stacking,
};
use parfocal::photo::{self, Encoding, Format, Limits, Photo, Samples};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn scene(kind: Scene, frames: usize) -> SceneOptions {
    SceneOptions {
        width: 480,
        height: 320,
        frames,
        ..SceneOptions::new(kind)
    }
}

fn rendered(stack: &DemoStack) -> StackFolder {
    folder_of((0..stack.options().frames).map(|i| stack.frame(i, 8)), 8)
}

fn stack(folder: &StackFolder, options: &StackOptions, job: &Job) -> parfocal::Result<Report> {
    stacking::stack(std::slice::from_ref(&folder.path), options, job)
}

/// A folder of `count` frames that are links to a few.
fn linked(first: &StackFolder, count: usize) -> StackFolder {
    let folder = StackFolder::empty();
    let names = first.frames();
    for index in 0..count {
        let name = format!("frame_{index:02}.tif");
        fs::hard_link(
            first.frame(&names[index % names.len()]),
            folder.frame(&name),
        )
        .unwrap();
    }
    folder
}

#[test]
fn memory_does_not_grow_with_the_number_of_frames() {
    let options = SceneOptions {
        width: 1800,
        height: 1200,
        ..scene(Scene::Plane, 3)
    };
    let sources = rendered(&DemoStack::new(&options));
    let peaks = [8, 24].map(|count| {
        let folder = linked(&sources, count);
        let report = folder.beside("report.json");
        let started = Instant::now();
        run(parfocal()
            .args(["stack", "--threads", "2", "--compression", "none"])
            // Small frames are kept as long as there is more.
            .args(["--memory", "250M"])
            .arg(&folder.path)
            .arg("--report")
            .arg(&report))
        .done();
        let report = json(&report);
        let peak = report["peak_memory"].as_u64();
        println!(
            "{count} frames: peak {:?} MB in {:.1?}",
            peak.map(|bytes| bytes / 1_000_000),
            started.elapsed()
        );
        peak
    });
    let [Some(few), Some(many)] = peaks else {
        println!("skipped: this system does not tell how much memory was used");
        return;
    };
    assert!(
        many as f64 <= 1.1 * few as f64,
        "{few} bytes for 8 frames, {many} for 24"
    );
}

/// Collects what a job tells.
fn watched() -> (Job, Arc<Mutex<Vec<Event>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let job = {
        let seen = Arc::clone(&seen);
        Job::new(move |event| seen.lock().unwrap().push(event))
    };
    (job, seen)
}

/// The phases with how many steps were announced and how many came.
fn phases(events: &[Event]) -> Vec<(Phase, usize, usize)> {
    let mut phases = Vec::new();
    for event in events {
        match event {
            Event::Began { phase, total } => phases.push((*phase, *total, 0)),
            Event::Stepped => phases.last_mut().unwrap().2 += 1,
            Event::Warned(_) | Event::Noted(_) => {}
        }
    }
    phases
}

#[test]
fn progress_comes_in_order_and_adds_up() {
    let demo = DemoStack::new(&scene(Scene::Plane, 6));
    let folder = rendered(&demo);
    // Its header is whole, its pixels are not.
    let damaged = folder.frame("frame_00.tif");
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle - 10_000..middle + 10_000].fill(0xff);
    fs::write(&damaged, bytes).unwrap();

    let (job, seen) = watched();
    let options = StackOptions {
        depth_map: Some(folder.beside("depth.png")),
        ..StackOptions::default()
    };
    let report = stack(&folder, &options, &job).unwrap();
    let events = seen.lock().unwrap().clone();
    assert_eq!(
        phases(&events),
        [
            (Phase::Listing, 6, 6),
            (Phase::Aligning, 6, 6),
            (Phase::Fusing, 5, 5),
            (Phase::Writing, 2, 2),
        ]
    );
    let warned: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warned(text) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(warned.len(), 1);
    assert!(warned[0].contains("frame_00.tif") && warned[0].ends_with("left out"));
    assert_eq!(&report.warnings, &[warned[0].clone()]);
    let timed: Vec<&str> = report.timings.iter().map(|t| t.phase.as_str()).collect();
    assert_eq!(timed, ["listing", "aligning", "fusing", "writing"]);

    let (job, seen) = watched();
    let inputs = std::slice::from_ref(&folder.path);
    let out = folder.beside("aligned");
    alignment::align(inputs, &out, &StackOptions::default(), &job).unwrap();
    assert_eq!(
        phases(&seen.lock().unwrap()),
        [
            (Phase::Listing, 6, 6),
            (Phase::Aligning, 6, 6),
            (Phase::Writing, 5, 5),
        ]
    );
}

#[test]
fn a_job_cancelled_in_any_phase_stops_soon_and_leaves_nothing_behind() {
    let options = SceneOptions {
        width: 1200,
        height: 800,
        ..scene(Scene::Plane, 2)
    };
    let folder = linked(&rendered(&DemoStack::new(&options)), 16);
    let before = folder.frames();
    // So many steps into a phase, and so many milliseconds.
    for (phase, steps, later) in [
        (Phase::Listing, 0, 0),
        (Phase::Aligning, 2, 0),
        (Phase::Aligning, 4, 30),
        (Phase::Aligning, 7, 110),
        (Phase::Fusing, 0, 0),
        (Phase::Fusing, 5, 40),
        // The files are written in twenty at best.
        (Phase::Writing, 0, 2),
    ] {
        let (tell, told) = std::sync::mpsc::channel();
        let now = Mutex::new((None, 0));
        let job = Arc::new(Job::new(move |event| {
            let mut now = now.lock().unwrap();
            match event {
                Event::Began { phase, .. } => *now = (Some(phase), 0),
                Event::Stepped => now.1 += 1,
                _ => return,
            }
            // Nobody listens any more once the job is cancelled.
            tell.send(*now).ok();
        }));
        let other = Arc::clone(&job);
        let canceller = std::thread::spawn(move || {
            let reached =
                |&(at, count): &(Option<Phase>, usize)| at == Some(phase) && count == steps;
            told.iter().find(reached).map(|_| {
                std::thread::sleep(Duration::from_millis(later));
                let cancelled = Instant::now();
                other.cancel();
                cancelled
            })
        });
        let options = StackOptions {
            depth_map: Some(folder.beside("depth.png")),
            report: Some(folder.beside("report.json")),
            ..StackOptions::default()
        };
        let result = stack(&folder, &options, &job);
        let ended = Instant::now();
        drop(job);
        let cancelled = canceller.join().unwrap().expect("the phase was reached");
        let took = ended.saturating_duration_since(cancelled);
        println!("{phase:?} {steps} + {later} ms: {took:.2?}");
        assert_eq!(result, Err(Error::Cancelled), "{phase:?}");
        // A second is the promise; other tests keep the machine busy.
        assert!(took < Duration::from_secs(3), "{phase:?}: {took:?}");
        assert_eq!(folder.results(), [""; 0], "{phase:?}");
        assert_eq!(folder.frames(), before);
    }
}

#[test]
fn a_job_cancelled_between_two_files_leaves_none_of_them() {
    let folder = rendered(&DemoStack::new(&scene(Scene::Plane, 4)));
    let report = folder.beside("report.json");
    std::fs::write(&report, "before").unwrap();
    let cancel: Arc<Mutex<Option<Arc<Job>>>> = Arc::default();
    let (own, at) = (Arc::clone(&cancel), Mutex::new(None));
    let job = Arc::new(Job::new(move |event| {
        let mut at = at.lock().unwrap();
        match event {
            Event::Began { phase, .. } => *at = Some(phase),
            // The picture is there, the depth map is not.
            Event::Stepped if *at == Some(Phase::Writing) => {
                own.lock().unwrap().as_ref().unwrap().cancel();
            }
            _ => (),
        }
    }));
    *cancel.lock().unwrap() = Some(Arc::clone(&job));
    let mut options = StackOptions {
        depth_map: Some(folder.beside("depth.png")),
        report: Some(report.clone()),
        ..StackOptions::default()
    };
    options.output.overwrite = true;
    let result = stack(&folder, &options, &job);
    cancel.lock().unwrap().take();
    assert_eq!(result.err(), Some(Error::Cancelled));
    assert_eq!(folder.results(), ["report.json"]);
    // What was there before is not touched.
    assert_eq!(std::fs::read_to_string(report).unwrap(), "before");
}

#[test]
fn the_crop_is_what_all_frames_cover() {
    let options = SceneOptions {
        shift: 12.0,
        rotation: 0.2,
        ..scene(Scene::Plane, 6)
    };
    let folder = rendered(&DemoStack::new(&options));
    let report = stack(&folder, &StackOptions::default(), &Job::silent()).unwrap();
    let crop = report.crop;
    assert_eq!(report.size, [crop.width, crop.height]);
    let covered = |x: f64, y: f64| {
        report.frames.iter().all(|frame| {
            let [u, v] = frame.transform.unwrap().apply(x, y);
            u >= -1e-3 && v >= -1e-3 && u <= 479.001 && v <= 319.001
        })
    };
    let (left, top) = (crop.x as f64, crop.y as f64);
    let (right, bottom) = (
        left + crop.width as f64 - 1.0,
        top + crop.height as f64 - 1.0,
    );
    for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
        assert!(covered(x, y), "{x}, {y} of {crop:?}");
    }
    // One more row or column on any side would not be covered all along.
    for (a, b) in [
        ([left - 1.0, top], [left - 1.0, bottom]),
        ([right + 1.0, top], [right + 1.0, bottom]),
        ([left, top - 1.0], [right, top - 1.0]),
        ([left, bottom + 1.0], [right, bottom + 1.0]),
    ] {
        let all = covered(a[0], a[1]) && covered(b[0], b[1]);
        assert!(!all, "{a:?} to {b:?} could be part of {crop:?}");
    }
    let out = photo::probe(report.output.as_ref().unwrap(), &Limits::default()).unwrap();
    assert_eq!([out.width, out.height], report.size);
    assert!(!out.has_alpha);
}

#[test]
fn the_depth_map_tells_the_depth_where_there_is_texture() {
    // Pixels whose surroundings (5×5) vary by less show nothing to focus on.
    const TEXTURE: f64 = 0.03;
    for (kind, bar) in [
        (Scene::Plane, 0.6),
        (Scene::Bumpy, 0.6),
        (Scene::Steps, 1.3),
    ] {
        let demo = DemoStack::new(&scene(kind, 10));
        let folder = rendered(&demo);
        let path = folder.beside("depth.tif");
        let options = StackOptions {
            depth_map: Some(path.clone()),
            ..StackOptions::default()
        };
        let report = stack(&folder, &options, &Job::silent()).unwrap();
        assert_eq!(report.reference, demo.reference());
        let map = photo::read(&path, &Limits::default()).unwrap();
        let (truth, depth) = (demo.truth(), demo.depth());
        let (Samples::Sixteen(map_values), Samples::Sixteen(light)) =
            (&map.samples, &truth.samples)
        else {
            panic!("both have 16 bits");
        };
        let crop = report.crop;
        assert_eq!([map.width, map.height], [crop.width, crop.height]);
        let (mut errors, mut count) = (Vec::new(), 0);
        for y in 2..crop.height - 2 {
            for x in 2..crop.width - 2 {
                let at = |x: usize, y: usize| {
                    f64::from(light[((y + crop.y) * 480 + x + crop.x) * 3 + 1]) / 65535.0
                };
                let near = (y - 2..=y + 2).flat_map(|v| (x - 2..=x + 2).map(move |u| (u, v)));
                let values: Vec<f64> = near.map(|(u, v)| at(u, v)).collect();
                let mean = values.iter().sum::<f64>() / 25.0;
                let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 25.0;
                count += 1;
                if spread.sqrt() < TEXTURE {
                    continue;
                }
                let found = f64::from(map_values[(y * crop.width + x) * 3]) / 65535.0 * 9.0;
                let own = f64::from(depth[(y + crop.y) * 480 + x + crop.x]);
                errors.push((found - own).abs());
            }
        }
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        errors.sort_unstable_by(f64::total_cmp);
        println!(
            "{kind}: mean error {mean:.3} frames, median {:.3}, over {} of {count} pixels",
            errors[errors.len() / 2],
            errors.len()
        );
        assert!(errors.len() * 20 > count, "{kind}: hardly any texture");
        assert!(mean < bar, "{kind}: {mean} frames");
    }
}

#[test]
fn too_little_memory_is_refused_with_figures() {
    let demo = DemoStack::new(&scene(Scene::Plane, 3));
    let folder = rendered(&demo);
    let with = |bytes| StackOptions {
        resources: Resources {
            memory: Some(bytes),
            ..Resources::default()
        },
        ..StackOptions::default()
    };
    let fault = stack(&folder, &with(1_000_000), &Job::silent()).unwrap_err();
    let text = fault.to_string();
    assert!(text.contains("MB of memory, 1 MB are allowed"), "{text}");
    assert!(text.contains("--memory"), "{text}");
    assert_eq!(folder.results(), [""; 0]);
    // What it asks for is enough.
    let needed = |text: &str| -> u64 {
        let start = text.find("need ").unwrap() + 5;
        text[start..].split(' ').next().unwrap().parse().unwrap()
    };
    let mut allowed = needed(&text);
    let report = loop {
        match stack(&folder, &with(allowed * 1_000_000), &Job::silent()) {
            Ok(report) => break report,
            Err(fault) => {
                let more = needed(&fault.to_string());
                assert!(more > allowed, "{fault}");
                allowed = more;
            }
        }
    };
    println!("{allowed} MB suffice");
    assert_eq!(report.frames.len(), 3);
}

#[test]
fn a_single_frame_has_no_phase_of_aligning() {
    let demo = DemoStack::new(&scene(Scene::Plane, 1));
    let folder = StackFolder::empty();
    write(&folder.frame("only.png"), &demo.frame(0, 8), 8);
    let (job, seen) = watched();
    let report = stack(&folder, &StackOptions::default(), &job).unwrap();
    assert_eq!(
        phases(&seen.lock().unwrap()),
        [
            (Phase::Listing, 1, 1),
            (Phase::Fusing, 1, 1),
            (Phase::Writing, 1, 1),
        ]
    );
    assert!(report.frames[0].sharpness.is_some_and(|score| score > 0.0));
}

/// Writes frames as JPEGs that have their colour at half the size.
fn subsampled(stack: &DemoStack) -> StackFolder {
    let folder = StackFolder::empty();
    let encoding = Encoding {
        format: Format::Jpeg,
        bits: 8,
        quality: 90,
        ..Encoding::default()
    };
    for index in 0..stack.options().frames {
        let path = folder.frame(&format!("frame_{index}.jpg"));
        photo::write(&path, &stack.frame(index, 8), &encoding, false, &|| true).unwrap();
        let probe = photo::probe(&path, &Limits::default()).unwrap();
        assert!(probe.subsampled);
    }
    folder
}

#[test]
fn colour_at_half_the_size_comes_as_near_to_the_truth_on_every_device() {
    let demo = DemoStack::new(&scene(Scene::Bumpy, 6));
    let jpegs = subsampled(&demo);
    let limits = Limits::default();
    // The same pixels in red, green and blue.
    let read = |index| photo::read(&jpegs.frame(&format!("frame_{index}.jpg")), &limits).unwrap();
    let tiffs = folder_of((0..6).map(read), 8);
    let mut devices = vec![Device::Cpu];
    let others = opencl_devices().into_iter();
    devices.extend(others.map(|device| Device::OpenCl(Some(device.index))));
    for method in [Method::Hybrid, Method::Pyramid] {
        let mut options = StackOptions::default();
        options.fuse.method = method;
        let result = |folder: &StackFolder, device, name: &str| {
            let out = folder.beside(&format!("{name}-{method:?}.tif"));
            let mut options = StackOptions {
                out: Some(out.clone()),
                ..options.clone()
            };
            options.resources.device = device;
            let report = stack(folder, &options, &Job::silent()).unwrap();
            let picture = photo::read(&out, &limits).unwrap();
            let origin = [report.crop.x, report.crop.y];
            let psnr = psnr(&picture, &demo.truth(), origin).unwrap();
            (picture, report.crop, psnr)
        };
        let (.., right) = result(&tiffs, Device::Cpu, "tiffs");
        let (first, place, _) = result(&jpegs, Device::Cpu, "cpu");
        for (number, &device) in devices.iter().enumerate() {
            let (picture, crop, own) = result(&jpegs, device, &number.to_string());
            println!("{method:?} on {device:?}: {own:.2} dB, {right:.2} of the same in RGB");
            assert!(own > right - 0.1, "{method:?} {device:?}: {own} {right}");
            assert_eq!(crop, place);
            let apart = psnr_of(&picture, &first);
            assert!(apart > 60.0, "{method:?} {device:?}: {apart} dB apart");
        }
    }
}

/// How near two pictures of one size are, in dB.
fn psnr_of(a: &Photo, b: &Photo) -> f64 {
    psnr(a, b, [0, 0]).unwrap().min(200.0)
}

#[test]
fn a_frame_of_another_kind_among_subsampled_ones_is_stacked_with_them() {
    let demo = DemoStack::new(&scene(Scene::Plane, 4));
    let folder = subsampled(&demo);
    let tiff = folder_of([demo.frame(3, 16)], 16);
    fs::remove_file(folder.frame("frame_3.jpg")).unwrap();
    fs::copy(tiff.frame(&tiff.frames()[0]), folder.frame("frame_3.tif")).unwrap();
    let options = StackOptions {
        out: Some(folder.beside("out.tif")),
        ..StackOptions::default()
    };
    let report = stack(&folder, &options, &Job::silent()).unwrap();
    let used = report.frames.iter();
    assert!(
        used.map(|frame| frame.status)
            .all(|s| s == FrameStatus::Used)
    );
    let picture = photo::read(&folder.beside("out.tif"), &Limits::default()).unwrap();
    let origin = [report.crop.x, report.crop.y];
    let psnr = psnr(&picture, &demo.truth(), origin).unwrap();
    assert!(psnr > 30.0, "{psnr}");
}
