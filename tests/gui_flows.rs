//! The window as a user goes through it, with the real handlers on a small
//! rendered stack.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::{Duration, Instant};

use common::{small, stack_folder};
use parfocal::photo::{self, Limits};
use parfocal::settings::{Settings, ThemeChoice};
use window::{Window, contents, letter};

const FRAMES: usize = 4;

/// A window with a small stack whose scores are known.
fn with_stack(folder: &common::StackFolder) -> Window {
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the frames", |app| app.frames().count() == FRAMES);
    window.wait("the scores", |app| app.scored() == FRAMES);
    window
}

fn stacked(window: &mut Window, count: usize) {
    window.wait("a result", |app| {
        app.results() == count && !app.is_running()
    });
}

#[test]
fn an_empty_window_offers_what_there_is_to_do() {
    let window = Window::open(&[]);
    for words in ["Parfocal", "Open folder…", "Try the demo stack"] {
        assert!(window.sees(words), "{words}");
    }
    assert!(!window.sees("Recent"));
}

#[test]
fn a_folder_is_stacked_and_exported() {
    let folder = stack_folder(&small(FRAMES));
    let before = contents(&folder.path);
    let mut window = with_stack(&folder);
    window.click("Stack");
    assert!(window.app.is_running());
    stacked(&mut window, 1);
    assert_eq!(window.app.shown(), Some("Result 1, Pyramid"));
    assert!(window.sees("Not exported"));

    window.press(letter("e"), Modifiers::COMMAND);
    window.settle();
    assert!(window.sees("Export the result"));
    window.type_after("stack-pyramid.tif", "f");
    window.settle();
    window.click("Export");
    let path = folder.beside("stack-pyramid.tiff");
    window.wait("the file", |app| !app.is_running() && path.exists());
    let written = photo::read(&path, &Limits::default()).unwrap();
    assert_eq!(written.samples.bits(), 16);
    assert!(written.width > 250 && written.height > 150);
    assert!(!window.sees("Not exported"));
    assert_eq!(contents(&folder.path), before, "the photographs changed");

    // The same name again is not offered without a word.
    window.press(letter("e"), Modifiers::COMMAND);
    window.type_after("stack-pyramid.tif", "f");
    window.settle();
    assert!(window.sees("There is a file of this name: replace it"));
}

#[test]
fn another_method_does_not_align_again() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Align only");
    window.wait("the alignment", |app| !app.is_running());
    assert!(window.sees("Aligned all 4 frames"));
    window.click("Stack");
    stacked(&mut window, 1);
    assert_eq!(window.app.phases(), ["fusing"]);
    window.click("Result");
    window.click("Depth map");
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Pyramid, depth map"));
    window.click("Compare");
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Pyramid"));
}

#[test]
fn frames_are_selected_and_excluded() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("frame_01.tif");
    window.press(Key::Named(Named::Space), Modifiers::empty());
    assert_eq!(
        window.included(),
        ["frame_00.tif", "frame_02.tif", "frame_03.tif"]
    );
    assert!(window.sees("3 of 4 frames"));
    window.press(Key::Named(Named::ArrowRight), Modifiers::SHIFT);
    window.press(Key::Named(Named::Space), Modifiers::SHIFT);
    assert_eq!(window.included().len(), FRAMES, "both are included again");
    window.press(Key::Named(Named::Space), Modifiers::SHIFT);
    assert_eq!(window.included(), ["frame_00.tif", "frame_03.tif"]);
    window.press(Key::Named(Named::Delete), Modifiers::empty());
    assert_eq!(window.app.frames().count(), 2);
    assert_eq!(folder.frames().len(), FRAMES, "the files stay");
}

#[test]
fn a_job_is_cancelled_within_a_second_and_the_window_lives_on() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    let asked = Instant::now();
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    window.wait("the end", |app| !app.is_running());
    assert!(asked.elapsed() < Duration::from_secs(1));
    assert_eq!(window.app.results(), 0);
    window.click("Stack");
    stacked(&mut window, 1);
}

#[test]
fn files_that_come_change_and_go_are_noticed() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    std::fs::rename(folder.frame("frame_00.tif"), folder.frame("zebra.tif")).unwrap();
    std::fs::remove_file(folder.frame("frame_01.tif")).unwrap();
    window.tick();
    window.wait("the new list", |app| app.frames().count() == FRAMES - 1);
    let names: Vec<_> = window
        .app
        .frames()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(names, ["frame_02.tif", "frame_03.tif", "zebra.tif"]);
    window.wait("its score", |app| app.scored() == FRAMES - 1);
}

#[test]
fn a_broken_frame_is_marked_and_the_rest_is_stacked() {
    let folder = stack_folder(&small(FRAMES));
    std::fs::write(folder.frame("frame_04.tif"), b"II*\0 and no more").unwrap();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == FRAMES);
    window.settle();
    window.click("Stack");
    stacked(&mut window, 1);
}

#[test]
fn a_folder_without_photographs_is_reported_and_blocks_nothing() {
    let folder = common::StackFolder::empty();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("a notice", |app| app.notices().count() == 1);
    let words: Vec<_> = window.app.notices().map(str::to_owned).collect();
    assert!(words[0].contains("contains no photographs"), "{words:?}");
    assert!(window.sees("Open folder…"));
}

#[test]
fn one_frame_is_no_stack() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.press(letter("a"), Modifiers::COMMAND);
    window.press(Key::Named(Named::Space), Modifiers::empty());
    window.click("Stack");
    assert!(!window.app.is_running());
    let words: Vec<_> = window.app.notices().collect();
    assert_eq!(words, ["A stack needs at least two frames that take part."]);
}

#[test]
fn settings_are_changed_and_kept() {
    let mut window = Window::open(&[]);
    window.press(letter(","), Modifiers::COMMAND);
    window.click("Light");
    assert_eq!(window.app.settings().theme, ThemeChoice::Light);
    window.click("Done");
    window.tick();
    let file = window.folders.settings.clone();
    window.wait("the file", |_| file.exists());
    assert_eq!(Settings::load(&file).0.theme, ThemeChoice::Light);
}

#[test]
fn broken_settings_are_reported() {
    let window = Window::open_with(&[], |folders| {
        std::fs::write(&folders.settings, b"{").unwrap();
    });
    let words: Vec<_> = window.app.notices().collect();
    assert!(words[0].contains("settings.broken.json"), "{words:?}");
}

#[test]
fn help_has_the_manual_and_the_keys() {
    let mut window = Window::open(&[]);
    window.press(Key::Named(Named::F1), Modifiers::empty());
    assert!(window.sees("Help"));
    window.click("Keyboard");
    assert!(window.sees("Include or exclude the selected frames"));
    window.click("About");
    assert!(window.sees(env!("CARGO_PKG_VERSION")));
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    assert!(!window.sees("Help"));
}

#[test]
fn closing_with_a_result_that_was_not_exported_asks() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    stacked(&mut window, 1);
    window.press(letter("q"), Modifiers::COMMAND);
    assert!(window.sees("A result was not exported. It will be lost."));
    window.click("Keep open");
    assert!(!window.sees("Close Parfocal?"));
}
