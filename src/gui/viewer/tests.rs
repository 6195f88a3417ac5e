//! The viewer in a window without a screen, as a user would use it.

use iced::advanced::mouse;
use iced::advanced::renderer::{Headless, Style};
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::time::{Duration, Instant};
use iced::{Font, Pixels, Renderer, Size, Theme, window};
use iced_test::core::clipboard;
use iced_test::runtime::user_interface::{self, UserInterface};
use iced_test::runtime::{self, task};

use super::*;
use crate::gui::theme;
use crate::settings::ThemeChoice;

const WINDOW: Size = Size::new(640.0, 516.0);
/// What the bar leaves of it.
const PANE: Size = Size::new(640.0, 480.0);

struct Window {
    viewer: State,
    cache: Option<user_interface::Cache>,
    renderer: Renderer,
    cursor: mouse::Cursor,
    scale_factor: f32,
    theme: Theme,
}

impl Window {
    fn new(scale_factor: f32) -> Self {
        let renderer = Renderer::new(Font::DEFAULT, Pixels(14.0), Some("tiny-skia"));
        let mut window = Self {
            viewer: State::new(),
            cache: Some(user_interface::Cache::default()),
            renderer: block_on(renderer).expect("a software renderer"),
            cursor: mouse::Cursor::Unavailable,
            scale_factor,
            theme: theme::theme(ThemeChoice::Dark, iced::theme::Mode::None),
        };
        let rescaled = window::Event::Rescaled(scale_factor);
        window.send([iced::Event::Window(rescaled)]);
        window.redraw(Instant::now());
        window
    }

    fn showing(picture: &Picture) -> Self {
        let mut window = Self::new(1.0);
        window.show(picture);
        window
    }

    fn show(&mut self, picture: &Picture) {
        let task = self.viewer.show(picture.clone());
        self.run(task);
    }

    fn compare(&mut self, first: &Picture, second: &Picture) {
        let task = self.viewer.compare(first.clone(), second.clone());
        self.run(task);
    }

    /// Carries a task out, and all that follows from it.
    fn run(&mut self, task: Task<Message>) {
        let Some(mut stream) = task::into_stream(task) else {
            return;
        };
        while let Some(action) = block_on(stream.next()) {
            // Dropping a question to the window answers it with nothing.
            if let runtime::Action::Output(message) = action {
                self.tell(message);
            }
        }
    }

    fn tell(&mut self, message: Message) {
        if let Action::Run(task) = self.viewer.update(message) {
            self.run(task);
        }
    }

    fn send(&mut self, events: impl IntoIterator<Item = iced::Event>) {
        for event in events {
            let mut messages = Vec::new();
            let mut ui = UserInterface::build(
                self.viewer.view(),
                WINDOW,
                self.cache.take().unwrap_or_default(),
                &mut self.renderer,
            );
            let _ = ui.update(
                &[event],
                self.cursor,
                &mut self.renderer,
                &mut clipboard::Null,
                &mut messages,
            );
            self.cache = Some(ui.into_cache());
            for message in messages {
                self.tell(message);
            }
        }
    }

    fn redraw(&mut self, now: Instant) {
        let redraw = window::Event::RedrawRequested(now);
        self.send([iced::Event::Window(redraw)]);
    }

    /// Moves the pointer, in logical pixels.
    fn point(&mut self, x: f32, y: f32) {
        let position = iced::Point::new(x, y);
        self.cursor = mouse::Cursor::Available(position);
        self.mouse(mouse::Event::CursorMoved { position });
    }

    fn mouse(&mut self, event: mouse::Event) {
        self.send([iced::Event::Mouse(event)]);
    }

    fn press(&mut self) {
        self.mouse(mouse::Event::ButtonPressed(mouse::Button::Left));
    }

    fn release(&mut self) {
        self.mouse(mouse::Event::ButtonReleased(mouse::Button::Left));
    }

    fn scroll(&mut self, y: f32) {
        let delta = mouse::ScrollDelta::Lines { x: 0.0, y };
        self.mouse(mouse::Event::WheelScrolled { delta });
    }

    /// The pane's device pixels, row by row.
    fn pixels(&mut self) -> Vec<Vec<[u8; 3]>> {
        let device = |length: f32| (length * self.scale_factor).round() as u32;
        let size = Size::new(device(WINDOW.width), device(WINDOW.height));
        let mut ui = UserInterface::build(
            self.viewer.view(),
            WINDOW,
            self.cache.take().unwrap_or_default(),
            &mut self.renderer,
        );
        let style = Style {
            text_color: theme::colours(&self.theme).text,
        };
        ui.draw(&mut self.renderer, &self.theme, &style, self.cursor);
        self.cache = Some(ui.into_cache());
        let ground = theme::colours(&self.theme).panel;
        let rgba = self.renderer.screenshot(size, self.scale_factor, ground);
        let row = |row: &[u8]| row.chunks(4).map(|p| [p[0], p[1], p[2]]).collect();
        rgba.chunks(size.width as usize * 4)
            .take(device(PANE.height) as usize)
            .map(row)
            .collect()
    }

    /// Whether every device pixel of the pane is the picture's pixel that
    /// belongs there, or the ground.
    fn assert_exact(&mut self, picture: &Picture) {
        let placement = self
            .viewer
            .view
            .placement(picture.extent(), self.viewer.pane);
        let ground = theme::colours(&self.theme).ground.into_rgba8();
        for (y, row) in self.pixels().iter().enumerate() {
            for (x, &pixel) in row.iter().enumerate() {
                let at = Point {
                    x: x as f64,
                    y: y as f64,
                };
                let expected = match placement.pixel(at) {
                    Some((x, y)) => picture.read(x, y).and_then(|r| r.rgb).expect("a pixel"),
                    None => [ground[0], ground[1], ground[2]],
                };
                assert_eq!(pixel, expected, "at {x}, {y} of {placement:?}");
            }
        }
    }
}

/// Red tells the column, green the row, blue both; `mark` sets pictures apart.
fn picture(width: u32, height: u32, mark: u8) -> Picture {
    let rgba = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            [
                (x * 7) as u8,
                (y * 11) as u8,
                (x / 256 + y / 256) as u8 ^ mark,
                255,
            ]
        })
        .collect();
    Picture::new(format!("picture {mark}"), Kind::Frame, width, height, rgba).expect("a picture")
}

#[test]
fn pixels_are_exact_on_screens_of_every_scale() {
    let picture = picture(1500, 1200, 0);
    for scale_factor in [1.0, 1.25, 1.5, 1.75, 2.0, 3.0] {
        let mut window = Window::new(scale_factor);
        window.show(&picture);
        window.tell(Message::Zoom100);
        assert_eq!(window.viewer.scale(), Some(1.0));
        assert!(window.viewer.is_settled());
        window.assert_exact(&picture);
        window.point(320.0, 200.0);
        window.press();
        window.point(97.0, 333.0);
        window.release();
        window.assert_exact(&picture);
        window.tell(Message::ZoomIn);
        window.assert_exact(&picture);
        window.scroll(1.0);
        window.assert_exact(&picture);
        for _ in 0..9 {
            window.scroll(1.0);
        }
        assert_eq!(window.viewer.scale(), Some(8.0));
        window.assert_exact(&picture);
    }
}

#[test]
fn a_small_picture_is_centred_on_the_ground() {
    let picture = picture(101, 57, 0);
    let mut window = Window::showing(&picture);
    window.tell(Message::Zoom100);
    window.assert_exact(&picture);
    window.point(10.0, 10.0);
    window.press();
    window.point(50.0, 50.0);
    window.release();
    window.assert_exact(&picture);
}

#[test]
fn a_large_picture_starts_fitted_and_smooth() {
    let grey = |x: u32| if x.is_multiple_of(2) { 60 } else { 180 };
    let rgba = (0..3200 * 2400)
        .flat_map(|at| [grey(at), grey(at), grey(at), 255])
        .collect();
    let picture = Picture::new("fine", Kind::Frame, 3200, 2400, rgba).expect("a picture");
    let mut window = Window::showing(&picture);
    assert!(window.viewer.is_fit());
    assert_eq!(window.viewer.scale(), Some(0.2));
    for row in window.pixels() {
        assert!(row.iter().all(|p| p[0].abs_diff(120) <= 2), "{row:?}");
    }
}

#[test]
fn a_double_click_toggles_between_all_of_it_and_that_place() {
    let picture = picture(3200, 2400, 0);
    let mut window = Window::showing(&picture);
    window.point(160.0, 120.0);
    let before = window.viewer.reading().expect("a reading").0;
    for _ in 0..2 {
        window.press();
        window.release();
    }
    assert_eq!(window.viewer.scale(), Some(1.0));
    let after = window.viewer.reading().expect("a reading").0;
    assert!(before.0.abs_diff(after.0) <= 5 && before.1.abs_diff(after.1) <= 5);
    window.assert_exact(&picture);
    window.point(300.0, 300.0);
    for _ in 0..2 {
        window.press();
        window.release();
    }
    assert!(window.viewer.is_fit());
}

#[test]
fn the_pixel_under_the_pointer_is_read_out() {
    let names = vec!["one.jpg".to_owned(), "two.jpg".to_owned()];
    let index: Vec<u16> = (0..640 * 480)
        .map(|at| u16::from(at % 640 >= 320))
        .collect();
    let picture = picture(640, 480, 3)
        .with_sources(index, names)
        .expect("sources");
    let mut window = Window::showing(&picture);
    window.point(400.5, 100.5);
    let ((x, y), reading) = window.viewer.reading().expect("a reading");
    assert_eq!((x, y), (400, 100));
    assert_eq!(
        reading.rgb,
        Some([(400u32 * 7) as u8, (100u32 * 11) as u8, 1 ^ 3])
    );
    assert_eq!(reading.frame, Some("two.jpg"));
    window.point(10.0, 500.0);
    assert_eq!(window.viewer.reading(), None);
}

#[test]
fn a_picture_of_the_same_size_keeps_zoom_and_place() {
    let (first, second) = (picture(1500, 1200, 0), picture(1500, 1200, 9));
    let mut window = Window::showing(&first);
    window.point(100.0, 100.0);
    window.scroll(8.0);
    let view = window.viewer.view;
    window.show(&second);
    assert_eq!(window.viewer.view, view);
    window.show(&picture(700, 700, 1));
    assert!(window.viewer.is_fit());
}

#[test]
fn what_is_seen_stays_until_the_next_picture_is_complete() {
    let (first, second) = (picture(640, 480, 0), picture(640, 480, 9));
    let mut window = Window::showing(&first);
    let _later = window.viewer.show(second.clone());
    assert!(!window.viewer.is_settled());
    window.assert_exact(&first);
    let request = window.viewer.next();
    assert!(request.is_none(), "one is on the way: {request:?}");
    window.run(_later);
    assert!(window.viewer.is_settled());
    window.assert_exact(&second);
}

#[test]
fn the_divider_shows_one_picture_on_each_side() {
    let (first, second) = (picture(640, 480, 0), picture(640, 480, 9));
    let mut window = Window::new(1.0);
    window.compare(&first, &second);
    let is = |window: &mut Window, x: usize, expected: &Picture| {
        let rgb = expected.read(x as u32, 77).and_then(|reading| reading.rgb);
        assert_eq!(Some(window.pixels()[77][x]), rgb, "at {x}");
    };
    is(&mut window, 310, &first);
    is(&mut window, 330, &second);
    window.point(320.0, 200.0);
    window.press();
    window.point(101.0, 200.0);
    window.release();
    is(&mut window, 90, &first);
    is(&mut window, 110, &second);
    window.point(50.0, 77.0);
    let rgb = |window: &Window| window.viewer.reading().and_then(|(_, reading)| reading.rgb);
    assert_eq!(rgb(&window), first.read(50, 77).and_then(|r| r.rgb));
    window.point(500.0, 77.0);
    assert_eq!(rgb(&window), second.read(500, 77).and_then(|r| r.rgb));
}

#[test]
fn blinking_alternates_twice_a_second() {
    let (first, second) = (picture(640, 480, 0), picture(640, 480, 9));
    let mut window = Window::new(1.0);
    window.compare(&first, &second);
    window.tell(Message::Compare(Comparison::Blink));
    let start = Instant::now();
    let expected = [&first, &first, &second, &second, &first];
    for (step, expected) in expected.into_iter().enumerate() {
        let passed = Duration::from_millis(260) * step as u32;
        window.redraw(start + passed);
        window.assert_exact(expected);
    }
}

#[test]
fn compared_pictures_of_different_crops_show_the_same_spot() {
    let first = picture(1500, 1200, 0);
    let cut = |x: u32, y: u32| {
        let reading = first.read(x + 20, y + 10).and_then(|reading| reading.rgb);
        let [red, green, blue] = reading.expect("a pixel");
        [red, green, blue, 255]
    };
    let rgba = (0..1180)
        .flat_map(|y| (0..1450).map(move |x| (x, y)))
        .flat_map(|(x, y)| cut(x, y))
        .collect();
    let second = Picture::new("cut", Kind::Result, 1450, 1180, rgba)
        .expect("a picture")
        .with_origin(20, 10);
    let mut window = Window::new(1.0);
    window.compare(&first, &second);
    window.tell(Message::Zoom100);
    window.tell(Message::Compare(Comparison::Blink));
    window.assert_exact(&first);
    let before = window.pixels();
    window.viewer.second = true;
    assert!(before == window.pixels());
}

#[test]
fn the_heat_map_lies_over_the_picture_and_goes_again() {
    let rgba = vec![255; 640 * 480 * 4];
    let picture = Picture::new("white", Kind::Frame, 640, 480, rgba)
        .and_then(|picture| picture.with_scores(2, &[0.0, 1.0, 2.0, 4.0]))
        .expect("a picture");
    let mut window = Window::showing(&picture);
    window.tell(Message::ToggleHeatMap);
    let pixels = window.pixels();
    let lightness = |x: usize, y: usize| pixels[y][x].iter().map(|&c| u32::from(c)).sum::<u32>();
    let corners = [(10, 10), (630, 10), (10, 470), (630, 470)].map(|(x, y)| lightness(x, y));
    assert!(corners.is_sorted(), "{corners:?}");
    assert_ne!(corners[0], corners[3]);
    // Cells meet without a seam.
    assert_eq!(lightness(319, 10), corners[0]);
    assert_eq!(lightness(320, 10), corners[1]);
    window.tell(Message::ToggleHeatMap);
    window.assert_exact(&picture);
}

#[test]
fn tiles_kept_are_bounded() {
    let mut window = Window::new(2.0);
    for mark in 0..40 {
        window.show(&picture(1500, 1200, mark));
        window.tell(Message::Zoom100);
    }
    assert!(window.viewer.cache.bytes <= CACHE_BYTES);
    window.viewer.clear();
    assert_eq!(window.viewer.cache.bytes, 0);
    let pixels = window.pixels();
    assert!(pixels.iter().flatten().all(|pixel| *pixel == pixels[0][0]));
}

#[test]
fn a_window_of_no_size_and_no_picture_are_no_trouble() {
    let mut viewer = State::new();
    for message in [
        Message::ZoomFit,
        Message::Zoom100,
        Message::ZoomIn,
        Message::ZoomOut,
        Message::ToggleHeatMap,
        Message::Compare(Comparison::Blink),
        Message::Rescaled(0.0),
        Message::Surface(Event::Blinked),
        Message::Surface(Event::Dragged(Point { x: 1.0, y: 1.0 })),
    ] {
        assert!(matches!(viewer.update(message), Action::None));
    }
    let task = viewer.show(picture(100, 100, 0));
    assert!(task::into_stream(task).is_none());
    assert!(matches!(viewer.update(Message::Zoom100), Action::None));
    assert_eq!(viewer.reading(), None);
}
