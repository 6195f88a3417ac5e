//! The library, the files behind it, and what the window remembers, as a user
//! goes through them.

mod common;
#[path = "common/window.rs"]
mod window;

use std::path::{Path, PathBuf};

use iced::keyboard::{Key, Modifiers, key::Named};
use iced::window::Event;

use common::{StackFolder, folder_of, names, small, stack_folder, write};
use parfocal::demo::{DemoStack, Scene, SceneOptions};
use parfocal::handlers::Device;
use parfocal::settings::Settings;
use window::{Window, letter};

const FRAMES: usize = 4;

fn with_stack(folder: &StackFolder) -> Window {
    let count = folder.frames().len();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the frames", |app| app.frames().count() == count);
    window.wait("the scores", |app| app.scored() == count);
    window
}

fn press(window: &mut Window, key: Named, modifiers: Modifiers) {
    window.press(Key::Named(key), modifiers);
}

#[test]
fn the_library_is_dragged_wider_within_limits_and_stays_so() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    let edge = window.app.settings().window.library_width + 3.0;
    window.drag([edge, 400.0], [edge + 100.0, 500.0]);
    assert_eq!(window.app.settings().window.library_width, 400.0);
    window.drag([403.0, 400.0], [2.0, 400.0]);
    let least = window.app.settings().window.library_width;
    assert!((200.0..300.0).contains(&least), "{least}");
    let inspector = 1280.0 - window.app.settings().window.inspector_width - 3.0;
    window.drag([inspector, 300.0], [inspector - 60.0, 300.0]);
    assert_eq!(window.app.settings().window.inspector_width, 360.0);
    window.tick();
    let file = window.folders.settings.clone();
    window.wait("the file", |_| file.exists());
    let saved = Settings::load(&file).0.window;
    assert_eq!((saved.library_width, saved.inspector_width), (least, 360.0));
    window.double_click([least + 3.0, 400.0]);
    assert_eq!(window.app.settings().window.library_width, 300.0);
}

/// Set in a process whose trash is a folder of this name.
const TRASH: &str = "PARFOCAL_TEST_TRASH";

#[test]
#[cfg(all(unix, not(target_os = "macos")))]
fn photographs_go_to_the_trash_only_when_the_user_says_so() {
    let Some(trash) = std::env::var_os(TRASH).map(PathBuf::from) else {
        // Nothing may come into the trash of whoever runs this.
        let home = tempfile::tempdir().unwrap();
        let name = "photographs_go_to_the_trash_only_when_the_user_says_so";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("XDG_DATA_HOME", home.path())
            .env(TRASH, home.path().join("Trash/files"))
            .status();
        assert!(status.unwrap().success());
        return;
    };
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("frame_01.tif");
    press(&mut window, Named::ArrowRight, Modifiers::SHIFT);
    press(&mut window, Named::Delete, Modifiers::SHIFT);
    assert!(window.sees("Move 2 photographs to the trash?"));
    window.click("Cancel");
    window.settle();
    assert_eq!(folder.frames().len(), FRAMES);

    let before = std::fs::read(folder.frame("frame_01.tif")).unwrap();
    window.right_click("frame_01.tif");
    window.click("Move to the trash…");
    assert!(window.sees("Move this photograph to the trash?"));
    // The return key alone moves nothing.
    press(&mut window, Named::Enter, Modifiers::empty());
    window.click("Move to trash");
    window.wait("the library", |app| app.frames().count() == FRAMES - 1);
    assert_eq!(
        folder.frames(),
        ["frame_00.tif", "frame_02.tif", "frame_03.tif"]
    );
    assert_eq!(std::fs::read(trash.join("frame_01.tif")).unwrap(), before);
    assert!(
        window
            .app
            .notices()
            .any(|words| words == "frame_01.tif is in the trash now.")
    );

    // What is put back is seen again.
    std::fs::rename(trash.join("frame_01.tif"), folder.frame("frame_01.tif")).unwrap();
    window.tick();
    window.wait("the frame", |app| app.frames().count() == FRAMES);
}

#[test]
fn a_photograph_that_cannot_go_to_the_trash_is_named() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("frame_02.tif");
    press(&mut window, Named::Delete, Modifiers::SHIFT);
    std::fs::remove_file(folder.frame("frame_02.tif")).unwrap();
    window.click("Move to trash");
    window.wait("a notice", |app| app.notices().next().is_some());
    let words: Vec<_> = window.app.notices().map(str::to_owned).collect();
    assert!(
        words[0].contains("frame_02.tif: cannot be moved to the trash"),
        "{words:?}"
    );
    assert_eq!(folder.frames().len(), FRAMES - 1);
}

#[test]
fn what_was_excluded_and_removed_is_taken_back() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    let undo = |window: &mut Window| window.press(letter("z"), Modifiers::COMMAND);
    window.click("frame_01.tif");
    press(&mut window, Named::Space, Modifiers::empty());
    window.click("frame_02.tif");
    press(&mut window, Named::Delete, Modifiers::empty());
    window.click("frame_01.tif");
    press(&mut window, Named::Delete, Modifiers::empty());
    assert_eq!(window.included(), ["frame_00.tif", "frame_03.tif"]);
    window.wait("the next frame", |app| app.shown() == Some("frame_03.tif"));
    undo(&mut window);
    undo(&mut window);
    window.wait("the frames", |app| app.frames().count() == FRAMES);
    let left = ["frame_00.tif", "frame_02.tif", "frame_03.tif"];
    assert_eq!(window.included(), left, "what was excluded comes back so");
    undo(&mut window);
    assert_eq!(window.included().len(), FRAMES);
    undo(&mut window);
    assert_eq!(
        window.included().len(),
        FRAMES,
        "there is nothing more to take back"
    );
    let again = Modifiers::COMMAND | Modifiers::SHIFT;
    window.press(letter("z"), again);
    assert_eq!(window.included(), left);
    window.press(letter("z"), again);
    window.wait("the frames", |app| app.frames().count() == FRAMES - 1);
    assert_eq!(window.included(), ["frame_00.tif", "frame_03.tif"]);
}

#[test]
fn only_these_and_the_reference_are_taken_back() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.right_click("frame_01.tif");
    window.click("Only these");
    assert_eq!(window.included(), ["frame_01.tif"]);
    window.right_click("frame_02.tif");
    window.click("Set as reference");
    window.right_click("frame_02.tif");
    assert!(window.sees("Automatic reference"));
    press(&mut window, Named::Escape, Modifiers::empty());
    window.press(letter("z"), Modifiers::COMMAND);
    window.right_click("frame_02.tif");
    assert!(window.sees("Set as reference"));
    press(&mut window, Named::Escape, Modifiers::empty());
    window.press(letter("z"), Modifiers::COMMAND);
    assert_eq!(window.included().len(), FRAMES);
}

#[test]
fn a_gap_in_the_focus_range_is_pointed_out() {
    let folder = stack_folder(&SceneOptions {
        width: 480,
        height: 320,
        ..small(12)
    });
    let mut window = with_stack(&folder);
    window.settle();
    assert!(window.app.jumps().is_empty(), "{:?}", window.app.jumps());
    window.click("frame_05.tif");
    press(&mut window, Named::Space, Modifiers::empty());
    window.wait("the gap", |app| app.jumps() == ["frame_04.tif"]);
    window.click("Focus jumps after frame_04.tif");
    window.wait("the frame", |app| app.shown() == Some("frame_04.tif"));
    window.press(letter("z"), Modifiers::COMMAND);
    window.settle();
    assert!(window.app.jumps().is_empty());
    assert!(!window.sees_part("Focus jumps"));
}

#[test]
fn a_frame_that_was_not_aligned_says_why() {
    let options = SceneOptions {
        width: 480,
        height: 320,
        ..small(5)
    };
    let stack = DemoStack::new(&options);
    let other = SceneOptions {
        scene: Scene::Bumpy,
        seed: 9,
        ..options.clone()
    };
    let mut frames: Vec<_> = (0..5).map(|index| stack.frame(index, 8)).collect();
    frames[1] = DemoStack::new(&other).frame(0, 8);
    let folder = folder_of(frames, 8);
    std::fs::write(folder.frame("frame_05.tif"), b"II*\0 and no more").unwrap();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == 5);
    window.click("Align only");
    window.wait("the alignment", |app| !app.is_running());
    window.click("frame_01.tif");
    assert!(window.sees_part("Not aligned: it matches none"));
    window.click("frame_05.tif");
    assert!(window.sees_part("Cannot be read: "));
    window.click("frame_02.tif");
    assert!(!window.sees_part("Not aligned") && !window.sees_part("Cannot be read"));
}

#[test]
fn a_file_that_changes_is_looked_at_again() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("frame_02.tif");
    press(&mut window, Named::Space, Modifiers::empty());
    let other = DemoStack::new(&SceneOptions {
        seed: 99,
        ..small(FRAMES)
    });
    write(&folder.frame("frame_02.tif"), &other.frame(0, 8), 8);
    window.tick();
    window.wait("the new file", |app| app.scored() == FRAMES - 1);
    window.wait("its score", |app| app.scored() == FRAMES);
    assert_eq!(window.included().len(), FRAMES - 1, "it stays excluded");
}

/// A window that starts where another one has saved its settings.
fn started_again(settings: &Path) -> Window {
    let text = std::fs::read(settings).unwrap();
    Window::open_with(&[], |folders| {
        std::fs::write(&folders.settings, text).unwrap();
    })
}

fn saved(window: &mut Window) -> PathBuf {
    window.tick();
    window.settle();
    window.folders.settings.clone()
}

#[test]
fn what_was_open_is_opened_again_unless_it_was_closed() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    let file = saved(&mut window);
    let mut next = started_again(&file);
    next.wait("the frames", |app| app.frames().count() == FRAMES);

    next.press(letter("w"), Modifiers::COMMAND);
    let file = saved(&mut next);
    let mut third = started_again(&file);
    third.settle();
    assert_eq!(third.app.frames().count(), 0);
    assert!(third.sees("Open folder…") && third.sees("Recent"));
}

#[test]
fn the_last_folder_stays_closed_if_the_user_wants_that() {
    let folder = stack_folder(&small(FRAMES));
    let window = with_stack(&folder);
    let mut settings = window.app.settings().clone();
    settings.reopen = false;
    settings.save(&window.folders.settings).unwrap();
    let mut next = started_again(&window.folders.settings);
    next.settle();
    assert_eq!(next.app.frames().count(), 0);
}

#[test]
fn a_last_folder_that_is_gone_is_no_fault() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    let file = saved(&mut window);
    let path = folder.path.clone();
    drop(folder);
    let mut next = started_again(&file);
    next.wait("a notice", |app| app.notices().next().is_some());
    let words: Vec<_> = next.app.notices().map(str::to_owned).collect();
    assert!(
        words[0].starts_with("What was open last time is not there"),
        "{words:?}"
    );
    assert!(words[0].contains(&path.display().to_string()), "{words:?}");
    assert!(next.sees("Open folder…"));
}

#[test]
fn files_dropped_on_the_window_open_and_add() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = Window::open(&[]);
    window.happen(Event::FileHovered(folder.path.clone()));
    assert!(window.sees("Let go to open"));
    for name in ["frame_00.tif", "frame_01.tif"] {
        window.happen(Event::FileDropped(folder.frame(name)));
    }
    window.wait("two frames", |app| app.frames().count() == 2);
    window.happen(Event::FileHovered(folder.path.clone()));
    assert!(window.sees("Let go to add to the stack"));
    window.happen(Event::FileDropped(folder.frame("frame_03.tif")));
    window.wait("three frames", |app| app.frames().count() == 3);
    assert!(!window.sees("Let go to add to the stack"));
}

#[test]
fn devices_are_listed_and_tested() {
    let mut window = Window::open(&[]);
    window.press(letter(","), Modifiers::COMMAND);
    window.click("Machine");
    window.settle();
    window.click("Test");
    assert!(window.sees("Testing…"));
    let has_gpu = parfocal::core::device::opencl_devices()
        .iter()
        .any(|d| d.is_gpu);
    window.wait_for_part(if has_gpu {
        "passes the self-check"
    } else {
        "The processor fuses"
    });
    assert!(window.sees_part("megapixels per second"));
    assert_eq!(window.app.settings().resources.device, Device::Auto);
}

#[test]
fn programs_and_the_default_export_are_kept() {
    let mut window = Window::open(&[]);
    window.press(letter(","), Modifiers::COMMAND);
    window.click("Programs");
    assert!(window.sees("Viewer") && window.sees("Editor"));
    window.click("Export");
    window.click("JPEG");
    let file = saved(&mut window);
    let kept = Settings::load(&file).0;
    assert_eq!(kept.format, parfocal::settings::ExportFormat::Jpeg);
}

#[test]
#[cfg(unix)]
fn a_photograph_is_opened_in_the_editor_that_was_chosen() {
    let folder = stack_folder(&small(FRAMES));
    let copy = folder.beside("copy.tif");
    let text = format!(
        r#"{{"editor": {{"path": "cp", "arguments": "{{file}} {}"}}, "viewer": {{"path": "/nowhere/viewer"}}}}"#,
        copy.display()
    );
    let mut window = Window::open_with(std::slice::from_ref(&folder.path), |folders| {
        std::fs::write(&folders.settings, text).unwrap();
    });
    window.wait("the frames", |app| app.frames().count() == FRAMES);
    window.right_click("frame_01.tif");
    window.click("Open in editor");
    window.settle();
    assert_eq!(names(folder.path.parent().unwrap()), ["copy.tif", "stack"]);
    let original = std::fs::read(folder.frame("frame_01.tif")).unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), original);
    window.right_click("frame_01.tif");
    window.click("Open in viewer");
    window.wait("a notice", |app| {
        app.notices().any(|words| words.contains("/nowhere/viewer"))
    });
}

#[test]
fn blurred_frames_are_excluded_and_taken_back() {
    let folder = stack_folder(&small(8));
    let last = folder.frame("frame_07.tif");
    let flat = parfocal::photo::Photo {
        samples: parfocal::photo::Samples::Eight(vec![128; 300 * 200 * 3]),
        width: 300,
        height: 200,
        ..Default::default()
    };
    write(&last, &flat, 8);
    let mut window = with_stack(&folder);
    window.click("Exclude blurred…");
    assert!(window.sees("1 of 8 frames will be excluded."));
    assert!(window.sees_part("blurred by nature"));
    press(&mut window, Named::Enter, Modifiers::empty());
    assert_eq!(window.included().len(), 7);
    assert!(!window.included().contains(&"frame_07.tif".to_owned()));
    window.press(letter("z"), Modifiers::COMMAND);
    assert_eq!(window.included().len(), 8);
}

#[test]
fn closing_during_a_job_asks() {
    let folder = stack_folder(&small(FRAMES));
    let mut window = with_stack(&folder);
    window.click("Stack");
    window.happen(Event::CloseRequested);
    assert!(window.sees("A job is running. It will be stopped."));
    window.click("Keep open");
    window.wait("a result", |app| app.results() == 1 && !app.is_running());
}

#[test]
fn own_options_are_kept_as_a_preset() {
    let folder = stack_folder(&small(FRAMES));
    let window = with_stack(&folder);
    let mut settings = window.app.settings().clone();
    settings.fuse.levels = Some(4);
    settings.save(&window.folders.settings).unwrap();
    let mut window = started_again(&window.folders.settings);
    window.settle();
    assert!(window.app.settings().presets.is_empty());
    window.click(&char::from(lucide_icons::Icon::BookmarkPlus).to_string());
    window.type_after("Name of the preset", "B");
    window.click("Save");
    let kept = &window.app.settings().presets;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].name.as_str(), kept[0].fuse.levels), ("B", Some(4)));
}

#[test]
fn the_keys_are_listed() {
    let mut window = Window::open(&[]);
    window.press(letter("?"), Modifiers::SHIFT);
    assert!(window.sees("Move the selected photographs to the trash"));
}
