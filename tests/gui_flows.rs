//! The window as a user goes through it, with the real handlers on a small
//! rendered stack.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::{Duration, Instant};

use common::{small, stack_folder};
use parfocal::core::thumbnail::Rgba;
use parfocal::gui::{App, Message, viewer};
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
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
    assert!(window.sees("Not exported"));

    window.press(letter("e"), Modifiers::COMMAND);
    window.settle();
    assert!(window.sees("Export the result"));
    window.type_after("stack-hybrid.tif", "f");
    window.settle();
    window.click("Export");
    let path = folder.beside("stack-hybrid.tiff");
    window.wait("the file", |app| !app.is_running() && path.exists());
    let written = photo::read(&path, &Limits::default()).unwrap();
    assert_eq!(written.samples.bits(), 16);
    assert!(written.width > 250 && written.height > 150);
    assert!(!window.sees("Not exported"));
    assert_eq!(contents(&folder.path), before, "the photographs changed");

    // The same name again is not offered without a word.
    window.press(letter("e"), Modifiers::COMMAND);
    window.type_after("stack-hybrid.tif", "f");
    window.settle();
    assert!(window.sees("There is a file of this name: replace it"));
}

#[test]
fn another_method_does_not_align_again() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Align only");
    window.wait("the alignment", |app| !app.is_running());
    assert!(window.sees("Aligned 4 frames"));
    window.click("Stack");
    stacked(&mut window, 1);
    assert_eq!(window.app.phases(), ["fusing"]);
    window.click("Result");
    window.click("Depth map");
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid, depth map"));
    window.click("Compare");
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
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
fn a_frame_that_cannot_be_read_is_not_taken_for_another() {
    let folder = stack_folder(&small(FRAMES));
    std::fs::write(folder.frame("frame_01.tif"), "no photograph").unwrap();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == FRAMES - 1);
    window.settle();
    window.click("frame_00.tif");
    window.settle();
    assert_eq!(window.app.shown(), Some("frame_00.tif"));
    window.click("frame_01.tif");
    window.settle();
    assert_eq!(window.app.shown(), None);
    window.click("frame_02.tif");
    window.settle();
    assert_eq!(window.app.shown(), Some("frame_02.tif"));
}

#[test]
fn results_are_looked_at_also_when_the_folder_is_closed() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    stacked(&mut window, 1);
    window.press(letter("w"), Modifiers::COMMAND);
    window.settle();
    assert!(window.sees("Try the demo stack"));
    window.click("Result 1, Hybrid");
    window.settle();
    assert!(!window.sees("Try the demo stack"));
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
    window.click("Start");
    window.settle();
    assert!(window.sees("Try the demo stack"));
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

/// Gives the viewer a size, as only a real window does.
fn lay_out(window: &mut Window, width: f32, height: f32) {
    let size = iced::Size::new(width, height);
    let resized = viewer::Event::Resized(size);
    window.send(Message::Viewer(viewer::Message::Surface(resized)));
    window.settle();
}

/// Lets frames run by until `count` others were shown.
fn run_by(window: &mut Window, count: usize) -> Vec<String> {
    let mut seen = vec![];
    let end = Instant::now() + Duration::from_secs(60);
    while seen.len() < count {
        assert!(Instant::now() < end, "only {seen:?} ran by");
        window.send(Message::Played);
        window.settle_for(Duration::from_millis(20));
        let shown = window.app.shown().unwrap_or_default().to_owned();
        if seen.last() != Some(&shown) {
            seen.push(shown);
        }
    }
    seen
}

#[test]
fn frames_run_by_aligned_or_not_and_only_what_is_in_sight_is_made() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    lay_out(&mut window, 120.0, 80.0);
    window.press(Key::Named(Named::Home), Modifiers::empty());
    window.settle();
    window.press(letter("p"), Modifiers::empty());
    assert!(window.app.is_playing());
    let seen = run_by(&mut window, FRAMES + 2);
    let names = ["00", "01", "02", "03", "00", "01"].map(|n| format!("frame_{n}.tif"));
    assert_eq!(seen, names, "the first follows the last");
    let sight = window.app.picture().unwrap().sight().expect("a part");
    // 300 pixels on 120: half of them are enough.
    assert_eq!((sight.halvings, sight.part.width), (1, 150));

    // What else is to be seen stops them.
    window.click("Stack");
    stacked(&mut window, 1);
    assert!(!window.app.is_playing());
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
    window.click("Frame");
    window.settle();
    let still = window.app.picture().unwrap();
    assert_eq!((still.name(), still.sight()), ("frame_01.tif", None));

    // Aligned, at full size: a part of the frame as it lies on the reference.
    window.press(letter("a"), Modifiers::empty());
    window.press(Key::Named(Named::Home), Modifiers::empty());
    window.settle();
    let whole = window.app.picture().unwrap().clone();
    window.press(letter("1"), Modifiers::empty());
    window.press(letter("p"), Modifiers::empty());
    run_by(&mut window, FRAMES + 1);
    let part = window.app.picture().unwrap();
    assert_eq!(part.name(), whole.name());
    let sight = part.sight().expect("a part");
    assert_eq!(sight.halvings, 0);
    assert!(sight.part.width < 300);
    let (x, y) = (sight.left + 5, sight.top + 5);
    assert_eq!(part.read(x, y), whole.read(x, y));
    assert!(part.read(x, y).is_some());
}

#[test]
fn a_frame_that_cannot_be_read_does_not_stop_the_others() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    std::fs::write(folder.frame("frame_03.tif"), b"II*\0 and no more").unwrap();
    window.press(Key::Named(Named::Home), Modifiers::empty());
    window.settle();
    window.press(letter("p"), Modifiers::empty());
    let seen = run_by(&mut window, 4);
    let names = ["00", "01", "02", "00"].map(|n| format!("frame_{n}.tif"));
    assert_eq!(seen, names);
}

#[test]
fn aligned_frames_are_shown_and_exported() {
    let folder = stack_folder(&small(FRAMES));
    let before = contents(&folder.path);
    let mut window = with_stack(&folder);
    assert!(!window.sees("Export aligned…"));
    window.press(Key::Named(Named::Home), Modifiers::empty());
    window.settle();
    let raw = window.app.picture().unwrap().clone();
    window.click("Align only");
    window.wait("the alignment", |app| !app.is_running());
    window.settle();
    let aligned = window.app.picture().unwrap().clone();
    assert_eq!(aligned.name(), raw.name());
    window.press(letter("a"), Modifiers::empty());
    window.settle();
    let again = window.app.picture().unwrap();
    assert_eq!(again.read(150, 100), raw.read(150, 100), "as it is");

    window.click("Export aligned…");
    window.settle();
    window.click("Export");
    let out = folder.beside("stack-aligned");
    window.wait("the files", |app| {
        !app.is_running() && out.join("report.json").exists()
    });
    assert!(window.sees("Open folder"));
    let mut differs = false;
    for name in folder.frames() {
        let file = photo::read(&out.join(&name), &Limits::default()).unwrap();
        assert_eq!(
            (file.samples.bits(), file.width, file.height),
            (16, 300, 200)
        );
        if name != "frame_00.tif" {
            continue;
        }
        let file = Rgba::of(&file);
        for (x, y) in [(150, 100), (40, 60), (250, 150), (200, 30)] {
            let at = (y * 300 + x) * 4;
            let (x, y) = (x as u32, y as u32);
            let shown = aligned.read(x, y).and_then(|reading| reading.rgb).unwrap();
            assert_eq!(file.data[at..at + 3], shown, "{x} {y}");
            differs |= raw.read(x, y) != aligned.read(x, y);
        }
    }
    assert!(differs, "nothing was moved");
    assert_eq!(contents(&folder.path), before, "the photographs changed");

    // A second time nothing is replaced unless that is ticked.
    let written = contents(&out);
    window.click("Export aligned…");
    window.settle();
    assert!(window.sees("There are files in this folder: replace those of the same names"));
    window.click("Export");
    window.wait("the end", |app| !app.is_running());
    assert!(
        window
            .app
            .notices()
            .any(|words| words.contains("exists already"))
    );
    assert_eq!(contents(&out), written);
}

#[test]
fn results_beyond_the_bound_leave_memory_and_come_back() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.app.bound_results(1);
    window.click("Stack");
    stacked(&mut window, 1);
    window.settle();
    assert_eq!(window.app.stored(), (1, 0), "the newest stays");
    let first = window.app.picture().unwrap().clone();
    window.click("Stack");
    stacked(&mut window, 2);
    window.wait("the file", |app| app.stored() == (1, 1));
    // The one in the file is shown, compared, and exported as it was.
    window.click("Result 1, Hybrid");
    window.press(letter("d"), Modifiers::empty());
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid, depth map"));
    window.press(letter("r"), Modifiers::empty());
    window.settle();
    let back = window.app.picture().unwrap();
    assert_eq!(back.name(), first.name());
    for at in [(0, 0), (77, 99), (150, 120)] {
        assert_eq!(back.read(at.0, at.1), first.read(at.0, at.1));
    }
    window.press(letter("e"), Modifiers::COMMAND);
    window.settle();
    window.click("Export");
    let path = folder.beside("stack-hybrid.tif");
    window.wait("the file", |app| !app.is_running() && path.exists());
    let file = Rgba::of(&photo::read(&path, &Limits::default()).unwrap());
    let shown = first.read(0, 0).and_then(|reading| reading.rgb).unwrap();
    assert_eq!(file.data[..3], shown);
    let kept = window.folders.cache.with_file_name("results");
    assert_eq!(
        std::fs::read_dir(kept).unwrap().count(),
        0,
        "no file is left"
    );
}

#[test]
fn a_discarded_result_can_be_brought_back() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    stacked(&mut window, 1);
    window.click(char::from(lucide_icons::Icon::Trash2).to_string().as_str());
    window.settle();
    assert_eq!(window.app.results(), 0);
    assert_eq!(window.app.shown(), Some("frame_02.tif"));
    window.click("Bring it back");
    window.settle();
    assert_eq!(window.app.results(), 1);
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
}

#[test]
fn a_result_is_renamed_or_left_as_it_is() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    stacked(&mut window, 1);
    let pencil = char::from(lucide_icons::Icon::Pencil).to_string();
    window.click(&pencil);
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    assert!(window.sees("Result 1, Hybrid"));
    window.click(&pencil);
    window.type_after("Result 1, Hybrid", "!");
    window.submit("Result 1, Hybrid!");
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid!"));
}

#[test]
fn the_heat_map_is_there_as_soon_as_the_scores_are() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.wait("a picture with its scores", |app| {
        app.picture()
            .is_some_and(|picture| picture.scores().is_some())
    });
    assert!(window.sees("Heat map"));
}

#[test]
fn scores_that_come_while_a_picture_is_read_are_on_it() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    let is_picture = |message: &Message| matches!(message, Message::Loaded(..));
    let all = |app: &App| app.scored() == FRAMES;
    window.wait_before(is_picture, "the scores and a picture", all);
    let picture = window.app.picture().expect("the picture is shown");
    assert!(picture.scores().is_some());
    assert!(window.sees("Heat map"));
}
