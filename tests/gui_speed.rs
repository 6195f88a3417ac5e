//! The window stays quick with a thousand frames.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::Duration;

use common::{StackFolder, small, write};
use parfocal::demo::DemoStack;
use window::Window;

const FRAMES: usize = 1000;
/// One picture of a screen that shows sixty in a second.
const PICTURE: Duration = Duration::from_millis(16);

#[test]
fn a_thousand_frames_are_answered_and_shown_within_a_picture() {
    let folder = StackFolder::empty();
    let frame = DemoStack::new(&small(1)).frame(0, 8);
    let first = folder.frame("frame_0000.jpg");
    write(&first, &frame, 8);
    for i in 1..FRAMES {
        std::fs::copy(&first, folder.frame(&format!("frame_{i:04}.jpg"))).unwrap();
    }
    let mut window = Window::open(std::slice::from_ref(&folder.path));
    window.wait("the frames", |app| app.frames().count() == FRAMES);
    window.wait("the scores", |app| app.scored() == FRAMES);
    for _ in 0..50 {
        window.press(Key::Named(Named::ArrowDown), Modifiers::empty());
    }
    window.press(Key::Named(Named::Home), Modifiers::empty());
    window.settle();

    let mut answers = window.answers.clone();
    answers.sort();
    let most = answers[answers.len() * 99 / 100];
    let mut views: Vec<Duration> = (0..15).map(|_| window.view_time()).collect();
    views.sort();
    println!(
        "answers: 99 of 100 within {most:?}, the slowest {:?}; view: {:?}",
        answers[answers.len() - 1],
        views[views.len() / 2]
    );
    assert!(most < PICTURE, "{most:?}");
    assert!(views[views.len() / 2] < PICTURE, "{views:?}");
}
