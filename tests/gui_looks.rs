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
use std::time::{Duration, Instant};

use common::{StackFolder, small, stack_folder};
use parfocal::core::thumbnail::Rgba;
use parfocal::gui::Message;
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
        format: Format::Jpeg,
        bits: 8,
        quality: 88,
        ..Encoding::default()
    };
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
    looks_like_but(window, name, &[]);
}

/// As [`looks_like`], but for what is in these rectangles: left, top, width
/// and height.
#[track_caller]
fn looks_like_but(window: &mut Window, name: &str, but: &[[usize; 4]]) {
    // Good news and its figures go after a while.
    window.send(Message::Ticked(Instant::now() + Duration::from_secs(60)));
    let mut seen = window.picture().reduced(WIDTH);
    for [left, top, width, height] in but {
        for y in *top..top + height {
            let row = &mut seen.data[(y * WIDTH + left) * 4..][..width * 4];
            row.chunks_exact_mut(4).for_each(|pixel| pixel[..3].fill(0));
        }
    }
    let known = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/looks")
        .join(name)
        .with_extension("jpg");
    if std::env::var_os("PARFOCAL_RENEW_LOOKS").is_some() {
        return write(&known, &seen);
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jpg"));
    write(&new, &seen);
    let read = |path: &Path| Rgba::of(&photo::read(path, &Limits::default()).unwrap());
    let specks = specks(&read(&new), &read(&known));
    if specks > SPECKS {
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
    // How long it took is another time each time.
    let times = |strip: usize| [[58, strip, 84, 10], [0, 385, 180, 14]];
    looks_like_but(&mut window, "result-dark", &times(355));
    window.press(letter("c"), Modifiers::empty());
    window.press(letter("h"), Modifiers::empty());
    looks_like_but(&mut window, "compare-heat-map-dark", &times(355));
    window.press(letter("h"), Modifiers::empty());
    window.press(letter("l"), Modifiers::COMMAND);
    window.click_last("Errors");
    looks_like_but(&mut window, "log-dark", &times(265));
    window.press(letter("l"), Modifiers::COMMAND);
    window.press(letter("e"), Modifiers::COMMAND);
    window.settle();
    window.click_last("JPEG");
    let with = window.picture().reduced(WIDTH);
    window.press(Key::Named(Named::Escape), Modifiers::empty());
    let without = window.picture().reduced(WIDTH);
    // The folder is another one each time, so there is no picture to keep.
    assert!(specks(&with, &without) > 10_000, "no dialog");
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
        if theme == ThemeChoice::Dark {
            looks_like(&mut window, "help-dark");
        } else {
            window.click("Keyboard");
            looks_like(&mut window, "keyboard-light");
        }
    }
}

#[test]
fn an_error() {
    // A stack of one frame is refused, in words that are always the same.
    let folder = demo();
    let mut window = opened(ThemeChoice::Light, Some(&folder));
    window.press(letter("a"), Modifiers::COMMAND);
    window.press(Key::Named(Named::Space), Modifiers::empty());
    window.click("Stack");
    let with = window.picture().reduced(WIDTH);
    window.send(Message::Ticked(Instant::now() + Duration::from_secs(60)));
    let without = window.picture().reduced(WIDTH);
    assert!(specks(&with, &without) > 3 * SPECKS, "no notice");
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
