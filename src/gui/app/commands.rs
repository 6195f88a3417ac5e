//! What can be chosen from the toolbar or by a key, and what panels want.

use iced::Task;

use super::{App, Dialog, Message, open_outside};
use crate::gui::library::{self, Step};
use crate::gui::stage::{self, Mode};
use crate::gui::{blurred, export, help, preferences, results, viewer, worker};
use crate::handlers::Reference;

/// Something that the toolbar or a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Open a folder.
    Open,
    /// Add photographs to those that are open.
    Add,
    /// Take the selected photographs out of the library.
    Remove,
    /// Close the folder.
    CloseFolder,
    /// Render and open the demo stack.
    Demo,
    /// Align if necessary, and fuse.
    Stack,
    /// Only align.
    Align,
    /// Stop the job, or close what is open.
    Cancel,
    /// Export the result.
    Export,
    /// Open the settings.
    Preferences,
    /// Open the help.
    Help,
    /// Show or hide the library.
    Library,
    /// Show or hide the inspector.
    Inspector,
    /// Show or hide the log.
    Log,
    /// Select all photographs.
    SelectAll,
    /// Include or exclude the selected ones.
    Toggle,
    /// Go to another photograph.
    Go(Step),
    /// Show something else.
    Show(Shown),
    /// Zoom.
    Zoom(Zoom),
    /// Show or hide the heat map.
    HeatMap,
    /// Close the window.
    Close,
}

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The result, or the frame if that is shown already.
    Result,
    /// The depth map.
    DepthMap,
    /// The result over the frame.
    Compare,
}

/// How to zoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zoom {
    /// All of the picture.
    Fit,
    /// Pixel for pixel.
    Full,
    /// Closer.
    In,
    /// Farther.
    Out,
}

impl App {
    pub(super) fn command(&mut self, command: Command) -> Task<Message> {
        match command {
            Command::Open => self.pick_folder(),
            Command::Add => self.pick_files(),
            Command::Remove => {
                let selected = self.library.selected();
                self.remove(selected)
            }
            Command::CloseFolder => self.close_folder(),
            Command::Demo => self.demo(),
            Command::Stack => self.stack(),
            Command::Align => self.align(),
            Command::Cancel => {
                if self.dialog.is_some() {
                    self.dialog = None;
                } else if !self.library.close_menu() {
                    self.activity.cancel();
                }
                Task::none()
            }
            Command::Export => self.export_dialog(None),
            Command::Preferences => {
                self.dialog = Some(Dialog::Preferences(preferences::State {
                    cached: None,
                    processors: std::thread::available_parallelism().map_or(1, usize::from),
                }));
                self.measure_cache()
            }
            Command::Help => {
                self.dialog = Some(Dialog::Help(help::State::new(help::Page::default())));
                Task::none()
            }
            Command::Library => {
                self.settings.window.library = !self.settings.window.library;
                Task::none()
            }
            Command::Inspector => {
                self.settings.window.inspector = !self.settings.window.inspector;
                Task::none()
            }
            Command::Log => {
                self.activity.toggle_log();
                Task::none()
            }
            Command::SelectAll => {
                self.library.select_all();
                Task::none()
            }
            Command::Toggle => {
                self.library.toggle();
                Task::none()
            }
            Command::Go(step) => {
                let (action, task) = self.library.go(step);
                Task::batch([task.map(Message::Library), self.library_wants(action)])
            }
            Command::Show(shown) => {
                let mode = match shown {
                    Shown::Result if self.mode() == Mode::Result => Mode::Frame,
                    Shown::Result => Mode::Result,
                    Shown::DepthMap => Mode::DepthMap,
                    Shown::Compare => Mode::Compare,
                };
                self.stage_message(stage::Message::ModePicked(mode))
            }
            Command::Zoom(zoom) => self.update(Message::Viewer(match zoom {
                Zoom::Fit => viewer::Message::ZoomFit,
                Zoom::Full => viewer::Message::Zoom100,
                Zoom::In => viewer::Message::ZoomIn,
                Zoom::Out => viewer::Message::ZoomOut,
            })),
            Command::HeatMap => self.update(Message::Viewer(viewer::Message::ToggleHeatMap)),
            Command::Close => {
                if self.has_something_to_lose() {
                    self.dialog = Some(Dialog::Closing);
                    Task::none()
                } else {
                    self.close_now()
                }
            }
        }
    }

    pub(super) fn library_wants(&mut self, action: library::Action) -> Task<Message> {
        match action {
            library::Action::None => Task::none(),
            library::Action::Show(id) => {
                self.is_watching = false;
                if matches!(self.mode(), Mode::Result | Mode::DepthMap) {
                    self.stage.mode = Mode::Frame;
                }
                self.other = None;
                let look = self.look_at_what_is_seen();
                Task::batch([look, self.show_frame(id)])
            }
            library::Action::LookAt => self.look_at_what_is_seen(),
            library::Action::Remove(ids) => self.remove(ids),
            library::Action::Open(path) => open_outside(path),
            library::Action::Copy(text) => iced::clipboard::write(text),
            library::Action::AskBlurred => {
                let frames = self.library.frames();
                let scores = frames.iter().filter_map(|frame| frame.score).collect();
                self.dialog = Some(Dialog::Blurred(blurred::State::new(scores, frames.len())));
                Task::none()
            }
        }
    }

    pub(super) fn results_want(&mut self, action: results::Action) -> Task<Message> {
        match action {
            results::Action::None => Task::none(),
            results::Action::Show(_) => {
                self.is_watching = false;
                if !matches!(self.mode(), Mode::DepthMap) {
                    self.stage.mode = Mode::Result;
                }
                self.other = None;
                self.adopt_finish();
                self.show()
            }
            results::Action::Compare(number) => {
                let is_itself = self
                    .results
                    .selected()
                    .is_some_and(|item| item.number == number);
                self.other = (!is_itself).then_some(number);
                self.stage.mode = Mode::Compare;
                self.show()
            }
            results::Action::Export(number) => self.export_dialog(Some(number)),
            results::Action::Open(path) => open_outside(path),
            results::Action::Gone(number) => {
                if self.other == Some(number) {
                    self.other = None;
                }
                if self.results.items().is_empty() {
                    self.stage.mode = Mode::Frame;
                }
                self.adopt_finish();
                self.show()
            }
        }
    }

    pub(super) fn stage_message(&mut self, message: stage::Message) -> Task<Message> {
        match message {
            stage::Message::ModePicked(mode) => {
                if mode != Mode::Frame && self.results.selected().is_none() {
                    return Task::none();
                }
                self.stage.mode = mode;
                self.is_watching = false;
                self.show()
            }
            stage::Message::AlignedToggled(is_aligned) => {
                self.stage.is_aligned = is_aligned;
                self.show()
            }
            stage::Message::Scrubbed(place) => {
                let action = self
                    .library
                    .update(library::Message::PlotPressed(place as usize));
                self.library_wants(action)
            }
            stage::Message::ExportPressed => self.export_dialog(None),
        }
    }

    fn export_dialog(&mut self, number: Option<u64>) -> Task<Message> {
        let item = match number {
            Some(number) => self.results.get(number),
            None => self.results.selected(),
        };
        let Some(item) = item else {
            return Task::none();
        };
        let beside = item.folder.parent().unwrap_or(&item.folder);
        let place = if item.folder == self.folders.demo {
            &self.folders.pictures
        } else {
            beside
        };
        let dialog = export::State::new(item, place, &self.settings);
        let path = dialog.path();
        self.dialog = Some(Dialog::Export(dialog));
        look_for(path)
    }

    pub(super) fn export_message(&mut self, message: export::Message) -> Task<Message> {
        let Some(Dialog::Export(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            export::Action::None => Task::none(),
            export::Action::Look(path) => look_for(path),
            export::Action::Choose(path) => {
                let dialog = rfd::AsyncFileDialog::new()
                    .set_title("Export")
                    .set_directory(path.parent().unwrap_or(&path))
                    .set_file_name(crate::gui::work::name(&path));
                Task::perform(dialog.save_file(), |file| {
                    let path = file.map(|file| file.path().to_owned());
                    Message::Export(export::Message::Chosen(path))
                })
            }
            export::Action::Export(number, order) => {
                if self.activity.is_running() {
                    self.say_busy();
                    return Task::none();
                }
                self.dialog = None;
                self.export(number, order)
            }
            export::Action::Close => {
                self.dialog = None;
                Task::none()
            }
        }
    }

    pub(super) fn preferences_message(&mut self, message: preferences::Message) -> Task<Message> {
        let Some(Dialog::Preferences(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message, &mut self.settings) {
            preferences::Action::None => Task::none(),
            preferences::Action::Repaint => {
                self.library.repaint();
                Task::none()
            }
            preferences::Action::ClearCache => {
                let cache = self.cache();
                worker::compute(move || cache.clear())
                    .map(Message::Done)
                    .chain(self.measure_cache())
            }
            preferences::Action::Close => {
                self.dialog = None;
                Task::none()
            }
        }
    }

    fn measure_cache(&self) -> Task<Message> {
        let cache = self.cache();
        worker::compute(move || Ok(cache.size()))
            .map(|size| Message::CacheMeasured(size.unwrap_or(0)))
    }

    pub(super) fn help_message(&mut self, message: help::Message) -> Task<Message> {
        let Some(Dialog::Help(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            help::Action::None => Task::none(),
            help::Action::Open(address) => open_outside(address.into()),
            help::Action::Close => {
                self.dialog = None;
                Task::none()
            }
        }
    }

    pub(super) fn blurred_message(&mut self, message: blurred::Message) -> Task<Message> {
        let Some(Dialog::Blurred(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            blurred::Action::None => return Task::none(),
            blurred::Action::Exclude(threshold) => self.library.exclude_below(threshold),
            blurred::Action::Close => {}
        }
        self.dialog = None;
        Task::none()
    }

    /// The reference that the user chose among the frames that take part.
    pub(super) fn reference(&self) -> Reference {
        self.library
            .reference()
            .map_or(Reference::Auto, Reference::Frame)
    }
}

/// Sees whether there is a file of this name.
fn look_for(path: std::path::PathBuf) -> Task<Message> {
    let looked = path.clone();
    worker::compute(move || Ok(path.symlink_metadata().is_ok())).map(move |exists| {
        let exists = exists.unwrap_or(false);
        Message::Export(export::Message::Looked(looked.clone(), exists))
    })
}
