//! The blur of near things, taken off what lies behind them.

mod common;

use std::sync::{Arc, Mutex};

use common::{analyse, folder_of};
use parfocal::core::align::Method as AlignMethod;
use parfocal::core::device::opencl_devices;
use parfocal::core::veil::Unveil;
use parfocal::demo::{DemoStack, Scene, SceneOptions, psnr};
use parfocal::handlers::stacking::{Stacked, fuse_aligned};
use parfocal::handlers::{AlignOptions, Device, Event, Job, Resources, StackOptions};
use parfocal::photo::{Photo, Samples};

/// A stack of which every frame lies where the others do.
struct Stack {
    scene: DemoStack,
    folder: common::StackFolder,
}

impl Stack {
    fn new(scene: Scene, is_nearest_first: bool) -> Self {
        let options = SceneOptions {
            width: 900,
            height: 600,
            frames: 12,
            ..SceneOptions::new(scene)
        };
        let scene = DemoStack::new(&options.still());
        let count = scene.options().frames;
        let mut frames: Vec<Photo> = (0..count).map(|i| scene.frame(i, 8)).collect();
        if !is_nearest_first {
            frames.reverse();
        }
        let folder = folder_of(frames, 8);
        Self { scene, folder }
    }

    /// The picture, and what the job had to say of its veils.
    fn stacked(&self, unveil: Unveil, device: Device) -> (Stacked, Vec<String>) {
        let mut options = StackOptions {
            align: AlignOptions {
                method: AlignMethod::None,
                ..AlignOptions::default()
            },
            resources: Resources {
                device,
                ..Resources::default()
            },
            ..StackOptions::default()
        };
        options.fuse.unveil = unveil;
        let mut aligned = analyse(&self.folder, &options).unwrap();
        let notes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&notes);
        let job = Job::new(move |event| {
            if let Event::Noted(note) = event {
                told.lock().unwrap().push(note);
            }
        });
        let stacked = fuse_aligned(&mut aligned, &options, &job, None).unwrap();
        let mut notes = std::mem::take(&mut *notes.lock().unwrap());
        notes.retain(|note| note.starts_with("Near things blur"));
        (stacked, notes)
    }

    /// How near a picture is to the truth, in dB.
    fn nearness(&self, stacked: &Stacked) -> f64 {
        psnr(&stacked.picture, &self.scene.truth(), [0, 0]).unwrap()
    }
}

fn samples(photo: &Photo) -> &[u16] {
    match &photo.samples {
        Samples::Sixteen(samples) => samples,
        Samples::Eight(_) => panic!("16 bits"),
    }
}

#[test]
fn what_lies_behind_near_things_is_seen_better_from_whichever_end() {
    for (is_nearest_first, end) in [(true, "first"), (false, "last")] {
        let stack = Stack::new(Scene::Steps, is_nearest_first);
        let (plain, notes) = stack.stacked(Unveil::Off, Device::Cpu);
        assert_eq!(notes, [""; 0]);
        let (lifted, notes) = stack.stacked(Unveil::Auto, Device::Cpu);
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].contains(&format!("nearest in the {end}")),
            "{}",
            notes[0]
        );
        let [plain, lifted] = [plain, lifted].map(|stacked| stack.nearness(&stacked));
        println!("nearest {end}: {plain:.2} dB, lifted {lifted:.2}");
        assert!(lifted > plain, "{end}: {plain} {lifted}");
    }
}

#[test]
fn what_the_user_knows_is_heeded() {
    let stack = Stack::new(Scene::Steps, true);
    let (right, notes) = stack.stacked(Unveil::First, Device::Cpu);
    assert!(notes[0].contains("nearest in the first"));
    let (wrong, notes) = stack.stacked(Unveil::Last, Device::Cpu);
    assert!(notes[0].contains("nearest in the last"));
    let [right, wrong] = [right, wrong].map(|stacked| stack.nearness(&stacked));
    println!("{right:.2} dB, from the wrong end {wrong:.2}");
    assert!(right > wrong, "{right} {wrong}");
}

/// The least and greatest of what is `reach` values before and behind each of
/// `count`, `stride` from each other.
fn widest(values: &mut [[u16; 2]], count: usize, stride: usize, reach: usize) {
    let before: Vec<[u16; 2]> = (0..count).map(|i| values[i * stride]).collect();
    for i in 0..count {
        let near = &before[i.saturating_sub(reach)..(i + reach + 1).min(count)];
        let both = near
            .iter()
            .copied()
            .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]);
        values[i * stride] = both.unwrap();
    }
}

#[test]
fn what_is_lifted_stays_within_what_the_frames_show_nearby() {
    // The values a lifted frame may take are those of 16 pixels around, and of the
    // blocks and cells on the way there and back.
    const NEAR: usize = 34;
    /// A level of 8 bits: frames are matched in exposure.
    const LEVEL: u16 = 257;
    for scene in [Scene::Steps, Scene::Hairs] {
        let stack = Stack::new(scene, true);
        let (lifted, notes) = stack.stacked(Unveil::First, Device::Cpu);
        assert_eq!(notes.len(), 1);
        let (width, height) = (lifted.picture.width, lifted.picture.height);
        let frames = (0..stack.scene.options().frames).map(|i| stack.scene.frame(i, 16));
        let frames: Vec<Photo> = frames.collect();
        let mut range: Vec<[u16; 2]> = (0..width * height * 3)
            .map(|i| {
                let values = frames.iter().map(|frame| samples(frame)[i]);
                [values.clone().min().unwrap(), values.max().unwrap()]
            })
            .collect();
        for row in range.chunks_exact_mut(width * 3) {
            (0..3).for_each(|c| widest(&mut row[c..], width, 3, NEAR));
        }
        for column in 0..width * 3 {
            widest(&mut range[column..], height, width * 3, NEAR);
        }
        for (value, [low, high]) in samples(&lifted.picture).iter().zip(range) {
            let range = low.saturating_sub(LEVEL)..=high.saturating_add(LEVEL);
            assert!(
                range.contains(value),
                "{scene:?}: {value} is not in {range:?}"
            );
        }
    }
}

#[test]
fn a_surface_on_which_nothing_stands_is_left_as_it_is() {
    for scene in [Scene::Plane, Scene::Bumpy] {
        let stack = Stack::new(scene, true);
        let (lifted, notes) = stack.stacked(Unveil::Auto, Device::Cpu);
        assert_eq!(notes, [""; 0], "{scene:?}");
        let (plain, _) = stack.stacked(Unveil::Off, Device::Cpu);
        assert!(samples(&lifted.picture) == samples(&plain.picture));
    }
}

#[test]
fn a_device_lifts_what_the_processor_lifts() {
    if opencl_devices().is_empty() {
        println!("skipped: there is no OpenCL device");
        return;
    }
    let stack = Stack::new(Scene::Hairs, true);
    let [cpu, opencl] = [Device::Cpu, Device::OpenCl(None)].map(|device| {
        let (stacked, notes) = stack.stacked(Unveil::First, device);
        assert_eq!(notes.len(), 1);
        stacked
    });
    assert!(opencl.device != "cpu");
    let pairs = || samples(&cpu.picture).iter().zip(samples(&opencl.picture));
    let off = |(a, b): (&u16, &u16)| f64::from(a.abs_diff(*b)) / 65535.0;
    let mean = pairs().map(|pair| off(pair).powi(2)).sum::<f64>() / pairs().count() as f64;
    assert!(mean < 1e-6, "{:.1} dB", -10.0 * mean.log10());
    let alike = pairs().filter(|&pair| off(pair) <= 1.0 / 255.0).count();
    assert!(alike as f64 >= 0.999 * pairs().count() as f64);
}

#[test]
fn what_highlights_bloom_over_is_left_as_it_is() {
    let stack = Stack::new(Scene::Hairs, true);
    let (plain, _) = stack.stacked(Unveil::Off, Device::Cpu);
    let (lifted, _) = stack.stacked(Unveil::Auto, Device::Cpu);
    let [plain, lifted] = [plain, lifted].map(|stacked| stack.nearness(&stacked));
    println!("{plain:.2} dB, lifted {lifted:.2}");
    // Beads brighter than white, whose blur no picture tells.
    assert!(lifted > plain - 0.1, "{plain} {lifted}");
}
