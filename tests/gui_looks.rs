//! The main states of the window look as they did when somebody looked at them.
//!
//! The pictures in `tests/looks` are small, and a little difference is allowed,
//! so that another machine's rounding is no failure. After a change that is
//! meant, `PARFOCAL_RENEW_LOOKS=1 cargo test --test gui_looks` writes them anew:
//! look at them before they are committed.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::path::{Path, PathBuf};

use common::{StackFolder, small, stack_folder};
use parfocal::core::thumbnail::Rgba;
use parfocal::photo::{self, Encoding, Format, Limits};
use parfocal::settings::{Settings, ThemeChoice};
use window::{Window, letter};

/// Pixels across of the pictures that are kept.
const WIDTH: usize = 640;
/// By this much a value may differ, of 255.
const ROUNDING: u8 = 24;
/// So many pixels may differ by more: a word or a number, but no control.
const SPECKS: usize = 60;

/// How the window looks with one of the themes.
fn opened(theme: ThemeChoice, folder: Option<&StackFolder>) -> Window {
    let inputs: Vec<PathBuf> = folder.iter().map(|folder| folder.path.clone()).collect();
    let mut window = Window::open_with(&inputs, |folders| {
        let settings = Settings {
            theme,
            ..Settings::default()
        };
        settings.save(&folders.settings).unwrap();
    });
    if let Some(folder) = folder {
        let count = folder.frames().len();
        window.wait("the frames", |app| app.frames().count() == count);
        window.wait("the scores", |app| app.scored() == count);
    }
    window.settle();
    window
}

fn demo() -> StackFolder {
    stack_folder(&parfocal::demo::SceneOptions {
        width: 600,
        height: 400,
        ..small(5)
    })
}

/// The pixels in which two pictures differ.
fn specks(a: &Rgba, b: &Rgba) -> usize {
    if (a.width, a.height) != (b.width, b.height) {
        return usize::MAX;
    }
    let pairs = a.data.chunks_exact(4).zip(b.data.chunks_exact(4));
    pairs
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > ROUNDING))
        .count()
}

fn write(path: &Path, picture: &Rgba) {
    let encoding = Encoding {
        format: Format::Png,
        bits: 8,
        ..Encoding::default()
    };
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    photo::write(
        path,
        &picture.clone().into_photo(),
        &encoding,
        true,
        &|| true,
    )
    .unwrap();
}

/// Compares the window with the picture of this name.
#[track_caller]
fn looks_like(window: &mut Window, name: &str) {
    let seen = window.picture().reduced(WIDTH);
    let known = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/looks")
        .join(name)
        .with_extension("png");
    if std::env::var_os("PARFOCAL_RENEW_LOOKS").is_some() {
        return write(&known, &seen);
    }
    let photo = photo::read(&known, &Limits::default()).unwrap();
    let specks = specks(&seen, &Rgba::of(&photo));
    if specks > SPECKS {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        write(&new, &seen);
        panic!(
            "the window looks otherwise than {} in {specks} pixels; it is now as {}",
            known.display(),
            new.display()
        );
    }
}

#[test]
fn empty() {
    looks_like(&mut opened(ThemeChoice::Dark, None), "empty-dark");
    looks_like(&mut opened(ThemeChoice::Light, None), "empty-light");
}

#[test]
fn frames() {
    let folder = demo();
    for (theme, name) in [
        (ThemeChoice::Dark, "frames-dark"),
        (ThemeChoice::Light, "frames-light"),
    ] {
        let mut window = opened(theme, Some(&folder));
        window.click("frame_01.tif");
        window.press(Key::Named(Named::Space), Modifiers::empty());
        looks_like(&mut window, name);
    }
}

#[test]
fn results() {
    let folder = demo();
    let mut window = opened(ThemeChoice::Dark, Some(&folder));
    window.click("Stack");
    window.wait("a result", |app| app.results() == 1 && !app.is_running());
    window.settle();
    looks_like(&mut window, "result-dark");
    window.press(letter("d"), Modifiers::empty());
    looks_like(&mut window, "depth-map-dark");
    window.press(letter("c"), Modifiers::empty());
    window.press(letter("h"), Modifiers::empty());
    looks_like(&mut window, "compare-heat-map-dark");
    window.press(letter("h"), Modifiers::empty());
    window.press(letter("l"), Modifiers::COMMAND);
    looks_like(&mut window, "log-dark");
    window.press(letter("l"), Modifiers::COMMAND);
    window.press(letter("e"), Modifiers::COMMAND);
    window.click("JPEG");
    window.settle();
    let picture = window.picture().reduced(WIDTH);
    // The folder's name is another one each time; all else must be the same.
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    let without = window.picture().reduced(WIDTH);
    assert!(specks(&picture, &without) > 10_000, "no dialog");
}

#[test]
fn dialogs() {
    for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
        let name = |what: &str| format!("{what}-{}", format!("{theme:?}").to_lowercase());
        let mut window = opened(theme, None);
        window.press(letter(","), Modifiers::COMMAND);
        looks_like(&mut window, &name("settings"));
        window.press(Key::Named(Named::Escape), Modifiers::empty());
        window.press(Key::Named(Named::F1), Modifiers::empty());
        looks_like(&mut window, &name("help"));
        window.click("Keyboard");
        looks_like(&mut window, &name("keyboard"));
    }
}

#[test]
fn an_error() {
    let folder = demo();
    std::fs::write(folder.frame("frame_09.tif"), b"II*\0 and no more").unwrap();
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == 5);
    window.settle();
    window.click("frame_09.tif");
    window.wait("a notice", |app| app.notices().count() == 1);
    let picture = window.picture().reduced(WIDTH);
    let words: String = window.app.notices().collect();
    assert!(words.contains("frame_09.tif"), "{words}");
    // The words hold the path, which is another one each time.
    let ground = |x: usize, y: usize| picture.data[(y * picture.width + x) * 4];
    assert!(ground(10, 10) < 64);
}

#[test]
fn a_missing_control_is_seen() {
    let mut window = opened(ThemeChoice::Dark, Some(&demo()));
    let with = window.picture().reduced(WIDTH);
    let again = window.picture().reduced(WIDTH);
    assert!(specks(&with, &again) <= SPECKS, "the same is the same");
    // Aligning adds two controls and lights no other.
    window.click("Align only");
    window.wait("the alignment", |app| !app.is_running());
    let without = window.picture().reduced(WIDTH);
    assert!(specks(&with, &without) > SPECKS);
}
