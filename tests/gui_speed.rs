//! The window stays quick with a thousand frames.

mod common;
#[path = "common/window.rs"]
mod window;

use iced::keyboard::{Key, Modifiers, key::Named};
use std::time::{Duration, Instant};

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

    let most = told_answers(&window);
    let mut views: Vec<Duration> = (0..15).map(|_| window.view_time()).collect();
    views.sort();
    println!("view: {:?}", views[views.len() / 2]);
    assert!(most < PICTURE, "{most:?}");
    assert!(views[views.len() / 2] < PICTURE, "{views:?}");
}

/// Says how long the window took to answer, and answers within which time it
/// did so 99 of 100 times.
fn told_answers(window: &Window) -> Duration {
    let sorted = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort();
        times
    };
    let (answers, efforts) = (sorted(&window.answers), sorted(&window.efforts));
    let most = answers[answers.len() * 99 / 100];
    println!(
        "{} answers: 99 of 100 within {most:?}, the slowest {:?}; the most work for one {:?}",
        answers.len(),
        answers[answers.len() - 1],
        &efforts[efforts.len().saturating_sub(3)..]
    );
    most
}

/// `PARFOCAL_LARGE_STACK=FOLDER cargo test --test gui_speed -- --ignored --nocapture`
/// says how a folder of many large photographs opens.
#[test]
#[ignore = "wants a folder of many large photographs"]
fn a_large_stack_opens() {
    let folder = std::env::var_os("PARFOCAL_LARGE_STACK").expect("a folder");
    let folder = std::path::PathBuf::from(folder);
    let count = std::fs::read_dir(&folder).unwrap().count();
    let begun = Instant::now();
    let mut window = Window::open(std::slice::from_ref(&folder));
    let told = |window: &mut Window, what: &str, until: &dyn Fn(&parfocal::gui::App) -> bool| {
        let end = begun + Duration::from_secs(3600);
        while !until(&window.app) {
            assert!(Instant::now() < end, "waited in vain for {what}");
            window.settle_for(Duration::from_millis(5));
        }
        let memory = parfocal::handlers::machine::peak_memory().unwrap_or(0) >> 20;
        println!("{what}: {:.2?}, {memory} MiB", begun.elapsed());
    };
    told(&mut window, "names", &|app| app.frames().count() == count);
    told(&mut window, "first thumbnail", &|app| app.thumbnails() > 0);
    told(&mut window, "all thumbnails", &|app| {
        app.thumbnails() == count
    });
    told(&mut window, "all scores", &|app| app.scored() == count);
    for _ in 0..20 {
        window.press(Key::Named(Named::ArrowDown), Modifiers::empty());
        window.settle_for(Duration::from_millis(300));
    }
    told(&mut window, "twenty frames looked at", &|_| true);
    told_answers(&window);
    let views: Vec<Duration> = (0..15).map(|_| window.view_time()).collect();
    println!("the slowest view: {:?}", views.iter().max());
}
