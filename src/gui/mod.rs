//! The window: panels and pictures over the same handlers as the command line.
//!
//! Each panel owns its `State`, its `Message`s and an `Action` that says what
//! it wants of the application; [`App`] alone starts jobs. Nothing here
//! decodes, computes or touches the disk on the thread that draws.

mod activity;
mod app;
mod blurred;
mod divider;
mod export;
mod export_frames;
mod finish;
mod help;
mod icon;
mod inspector;
mod library;
mod notice;
mod output;
mod outside;
mod preferences;
mod presets;
mod results;
mod scrubber;
mod stage;
mod store;
mod theme;
mod trash;
pub mod viewer;
mod welcome;
mod widget;
mod work;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use iced::window;

use crate::settings::{Folders, Settings};
use crate::{Error, Result};

pub use app::{App, Command, Message};
pub use library::Step;

/// Opens the window, with the photographs of `inputs` if there are some, and
/// comes back when it is closed.
///
/// # Errors
///
/// If the system has no window for us.
pub fn run(inputs: Vec<PathBuf>) -> Result<()> {
    let no_window = |fault: &dyn std::fmt::Display| {
        Error::job(
            format!("the window cannot be opened ({fault})"),
            "check that there is a display, or use the commands: parfocal --help",
        )
    };
    if !has_display() {
        return Err(no_window(&"neither DISPLAY nor WAYLAND_DISPLAY is set"));
    }
    // Frames are spread over rayon's threads; OpenCV's own would only get in
    // their way.
    opencv::core::set_num_threads(1).map_err(|fault| {
        Error::job(
            format!("OpenCV could not be set up ({fault})"),
            "check how OpenCV is installed",
        )
    })?;
    let folders = Folders::of_platform().ok_or_else(|| {
        Error::job(
            "there is no home folder to keep settings in",
            "set the variable HOME",
        )
    })?;
    let (settings, fault) = Settings::load(&folders.settings);
    let size = (settings.window.width, settings.window.height);
    let boot = move || App::new(folders.clone(), settings.clone(), fault.clone(), &inputs);
    let window = iced::application(boot, App::update, App::view)
        .title(App::title)
        .theme(App::theme)
        .subscription(App::subscription)
        .settings(iced_settings())
        .window(window::Settings {
            size: size.into(),
            min_size: Some((900.0, 560.0).into()),
            exit_on_close_request: false,
            ..window::Settings::default()
        });
    // A display that does not answer makes the toolkit panic.
    match catch_unwind(AssertUnwindSafe(|| window.run())) {
        Ok(ended) => ended.map_err(|fault| no_window(&fault)),
        Err(_) => Err(no_window(&"the toolkit gave up; its reason stands above")),
    }
}

/// Whether the system says where windows go.
fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let by_variable = cfg!(all(unix, not(target_os = "macos")));
    !by_variable
        || ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
            .into_iter()
            .any(is_set)
}

/// Fonts and sizes, for the window and for tests of it.
pub fn iced_settings() -> iced::Settings {
    iced::Settings {
        id: Some("parfocal".to_owned()),
        fonts: vec![icon::FONT.into()],
        default_font: theme::FONT,
        default_text_size: theme::size::BODY.into(),
        ..iced::Settings::default()
    }
}
