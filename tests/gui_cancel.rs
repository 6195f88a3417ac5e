//! Cancelling answers within a second, wherever a job is, and keeps what is of
//! use.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::{Duration, Instant};

use common::{StackFolder, small, write};
use parfocal::core::fuse::Method;
use parfocal::demo::DemoStack;
use parfocal::handlers::Phase;
use parfocal::photo::{Photo, Samples};
use parfocal::settings::Settings;
use window::{Window, letter};

const FRAMES: usize = 10;
/// Pixels across of the frames that are rendered, before they are doubled.
const RENDERED: usize = 1500;
/// What cancelling may take.
const ANSWER: Duration = Duration::from_secs(1);

/// Each pixel four times.
fn doubled(photo: &Photo) -> Photo {
    let Samples::Eight(samples) = &photo.samples else {
        panic!("8 bits");
    };
    let rows = samples.chunks_exact(photo.width * 3).flat_map(|row| {
        let row: Vec<u8> = row
            .chunks_exact(3)
            .flat_map(|pixel| pixel.iter().chain(pixel).copied())
            .collect();
        [row.clone(), row].concat()
    });
    Photo {
        width: photo.width * 2,
        height: photo.height * 2,
        samples: Samples::Eight(rows.collect()),
        ..Photo::default()
    }
}

/// Frames of 1.5 megapixels, doubled so many times: 6, then 24.
fn frames(doublings: u32) -> StackFolder {
    let folder = StackFolder::empty();
    let stack = DemoStack::new(&parfocal::demo::SceneOptions {
        width: RENDERED,
        height: RENDERED * 2 / 3,
        ..small(FRAMES)
    });
    for i in 0..FRAMES {
        let frame = (0..doublings).fold(stack.frame(i, 8), |frame, _| doubled(&frame));
        write(&folder.frame(&format!("frame_{i:02}.jpg")), &frame, 8);
    }
    folder
}

/// A window with these frames that fuses by this method.
fn opened(folder: &StackFolder, method: Method) -> Window {
    let mut window = Window::open_with(std::slice::from_ref(&folder.path), |folders| {
        let mut settings = Settings::default();
        settings.fuse.method = method;
        settings.save(&folders.settings).unwrap();
    });
    window.wait("the scores", |app| app.scored() == FRAMES);
    window
}

/// Whether a job is so far, or has already gone on to fuse what it was to align.
fn is_so_far(now: (Phase, usize), (phase, done): (Phase, usize)) -> bool {
    now.0 == phase && now.1 >= done || (phase, now.0) == (Phase::Aligning, Phase::Fusing)
}

/// Waits for the job to get this far and a little further, cancels it, and
/// sees how long it goes on.
#[track_caller]
fn cancel_at(window: &mut Window, phase: Phase, done: usize) {
    window.wait("the phase", |app| {
        app.progress()
            .is_some_and(|now| is_so_far(now, (phase, done)))
    });
    window.settle_for(Duration::from_millis(60));
    let took = cancelled(window);
    println!("{phase:?}, step {done}: {took:?}");
    assert!(took < ANSWER, "{phase:?}, step {done}: {took:?}");
}

/// Cancels the job and says how long it goes on.
fn cancelled(window: &mut Window) -> Duration {
    let asked = Instant::now();
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    window.wait("the end", |app| !app.is_running());
    asked.elapsed()
}

#[test]
fn stacking_stops_within_a_second_in_every_phase_and_keeps_the_alignment() {
    let folder = frames(1);
    let mut window = opened(&folder, Method::Hybrid);
    for done in [0, FRAMES / 2, FRAMES] {
        window.click("Stack");
        cancel_at(&mut window, Phase::Aligning, done);
    }
    for done in [0, FRAMES / 2, FRAMES - 1] {
        window.click("Stack");
        cancel_at(&mut window, Phase::Fusing, done);
    }
    assert_eq!(window.app.results(), 0);
    assert_eq!(window.app.scored(), FRAMES);
    window.click("Stack");
    window.wait("a result", |app| app.results() == 1 && !app.is_running());
    assert_eq!(window.app.phases(), ["fusing"], "aligned once");

    // Writing: nothing is left half-written.
    for (format, file) in [("TIFF", "tif"), ("PNG", "png"), ("JPEG", "jpg")] {
        window.press(letter("e"), Modifiers::COMMAND);
        window.settle();
        window.click_last(format);
        window.settle();
        window.click("Export");
        assert!(window.app.is_running(), "{format}");
        window.settle_for(Duration::from_millis(40));
        let took = cancelled(&mut window);
        let is_whole = !folder.results().is_empty();
        println!("writing {format}: {took:?}, done before: {is_whole}");
        assert!(took < ANSWER, "{format}: {took:?}");
        // What was faster than the finger is whole.
        let names = folder.results();
        let whole = format!("stack-hybrid.{file}");
        assert!(names.iter().all(|name| *name == whole), "{names:?}");
        let path = folder.beside(&whole);
        if path.exists() {
            parfocal::photo::read(&path, &parfocal::photo::Limits::default()).unwrap();
            std::fs::remove_file(&path).unwrap();
        }
    }

    window.click("Frame");
    window.click("Export aligned…");
    window.settle();
    window.click("Export");
    cancel_at(&mut window, Phase::Writing, 1);
    let out = folder.beside("stack-aligned");
    for name in common::names(&out) {
        let path = out.join(&name);
        parfocal::photo::read(&path, &parfocal::photo::Limits::default()).unwrap();
    }
}

/// Where cancelling falls is left to chance, and something else may keep the
/// machine busy at times: so much for most of the attempts.
#[test]
#[ignore = "takes minutes"]
fn frames_of_24_megapixels_stop_within_a_second_too() {
    let folder = frames(2);
    for method in [
        Method::Hybrid,
        Method::Pyramid,
        Method::Depth,
        Method::Average,
    ] {
        let mut window = opened(&folder, method);
        if method == Method::Hybrid {
            for done in [0, FRAMES / 2, FRAMES] {
                window.click("Stack");
                cancel_at(&mut window, Phase::Aligning, done);
            }
        }
        let mut times = Vec::new();
        for attempt in 0..12 {
            window.click("Stack");
            window.wait("the fusing", |app| {
                let progress = app.progress();
                progress.is_some_and(|(phase, _)| phase == Phase::Fusing)
            });
            window.settle_for(Duration::from_millis(470 * attempt));
            times.push(cancelled(&mut window));
        }
        times.sort();
        println!("{method:?}: {times:.2?}");
        assert!(times[times.len() * 3 / 4] < ANSWER, "{method:?}: {times:?}");
    }
}
