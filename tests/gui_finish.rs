//! What finishes a picture shows wherever the picture does.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};

use common::{StackFolder, small, stack_folder};
use parfocal::core::thumbnail::Rgba;
use parfocal::handlers::Phase;
use parfocal::photo::{self, Limits};
use window::{Window, letter};

const FRAMES: usize = 4;

fn opened() -> (StackFolder, Window) {
    let folder = stack_folder(&small(FRAMES));
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the scores", |app| app.scored() == FRAMES);
    (folder, window)
}

fn stack(window: &mut Window) {
    let count = window.app.results() + 1;
    window.click("Stack");
    window.wait("a result", |app| {
        app.results() == count && !app.is_running()
    });
    window.settle();
}

/// The most that the channels of a pixel differ.
fn colour<'a>(pixels: impl Iterator<Item = &'a [u8]>) -> u8 {
    let spread = |rgb: &[u8]| rgb.iter().max().unwrap() - rgb.iter().min().unwrap();
    pixels.map(|pixel| spread(&pixel[..3])).max().unwrap()
}

/// How much colour the first thumbnail of the strip has.
fn colour_of_thumbnail(window: &mut Window) -> u8 {
    let picture = window.picture();
    let scale = picture.width / 1280;
    let rows = picture.data.chunks_exact(picture.width * 4);
    let part = rows.skip(690 * scale).take(50 * scale);
    colour(part.flat_map(|row| row[25 * scale * 4..105 * scale * 4].chunks_exact(4)))
}

/// How much colour the picture in the viewer has.
fn colour_of_picture(window: &Window) -> u8 {
    let small = window.app.picture().unwrap().small(100);
    colour(small.data.chunks_exact(4))
}

#[test]
fn what_finishes_a_result_shows_in_the_viewer_in_the_strip_and_in_the_file() {
    let (folder, mut window) = opened();
    stack(&mut window);
    assert!(colour_of_picture(&window) > 20);
    assert!(colour_of_thumbnail(&mut window) > 20);
    // Whoever changes the result wants to see it.
    window.click("Frame");
    window.settle();
    window.click("After fusing");
    window.slide("Saturation", 0.0);
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 1, Hybrid"));
    assert!(colour_of_picture(&window) < 3);
    assert!(colour_of_thumbnail(&mut window) < 3);

    // Compared with another one that keeps its colours, each has its own.
    stack(&mut window);
    window.slide("Saturation", 0.5);
    window.settle();
    assert!(colour_of_picture(&window) > 20);
    assert!(colour_of_thumbnail(&mut window) < 3, "the first one stays");
    window.click("Result 1, Hybrid");
    window.settle();
    assert!(colour_of_picture(&window) < 3);

    window.press(letter("e"), Modifiers::COMMAND);
    window.settle();
    window.press(Key::Named(Named::Enter), Modifiers::empty());
    let path = folder.beside("stack-hybrid.tif");
    window.wait("the file", |app| !app.is_running() && path.exists());
    let written = photo::read(&path, &Limits::default()).unwrap();
    let written = Rgba::of(&written).reduced(100);
    assert!(colour(written.data.chunks_exact(4)) < 3);
}

#[test]
fn options_that_change_while_a_result_grows_are_for_that_result() {
    let (_folder, mut window) = opened();
    stack(&mut window);
    window.click("After fusing");
    window.click("Stack");
    window.wait("the fusing", |app| {
        let progress = app.progress();
        progress.is_some_and(|(phase, _)| phase == Phase::Fusing)
    });
    window.slide("Saturation", 0.0);
    window.wait("a result", |app| app.results() == 2 && !app.is_running());
    window.settle();
    assert_eq!(window.app.shown(), Some("Result 2, Hybrid"));
    assert!(colour_of_picture(&window) < 3);
    window.click("Result 1, Hybrid");
    window.settle();
    assert!(colour_of_picture(&window) > 20);
}
