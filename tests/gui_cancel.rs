//! Cancelling answers within a second, wherever a job is, and keeps what is of
//! use.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::{Duration, Instant};

use common::{StackFolder, small, write};
use parfocal::demo::DemoStack;
use parfocal::handlers::Phase;
use parfocal::photo::{Photo, Samples};
use window::{Window, letter};

const FRAMES: usize = 10;
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

/// A window with frames of 6 megapixels.
fn opened() -> (StackFolder, Window) {
    let folder = StackFolder::empty();
    let stack = DemoStack::new(&parfocal::demo::SceneOptions {
        width: 1500,
        height: 1000,
        ..small(FRAMES)
    });
    for i in 0..FRAMES {
        let frame = doubled(&stack.frame(i, 8));
        write(&folder.frame(&format!("frame_{i:02}.jpg")), &frame, 8);
    }
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == FRAMES);
    (folder, window)
}

/// Waits for the job to get this far and a little further, cancels it, and
/// sees how long it goes on.
#[track_caller]
fn cancel_at(window: &mut Window, phase: Phase, done: usize) {
    window.wait("the phase", |app| {
        app.progress()
            .is_some_and(|(now, steps)| now == phase && steps >= done)
    });
    window.settle_for(Duration::from_millis(60));
    let asked = Instant::now();
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    window.wait("the end", |app| !app.is_running());
    let took = asked.elapsed();
    println!("{phase:?}, step {done}: {took:?}");
    assert!(took < ANSWER, "{phase:?}, step {done}: {took:?}");
}

#[test]
fn stacking_stops_within_a_second_in_every_phase_and_keeps_the_alignment() {
    let (folder, mut window) = opened();
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
        let asked = Instant::now();
        window.press(Key::Named(Named::Escape), Modifiers::empty());
        window.wait("the end", |app| !app.is_running());
        let took = asked.elapsed();
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
