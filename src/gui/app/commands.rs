//! What can be chosen from the toolbar or by a key, and what panels want.

use iced::Task;

use super::outside::{open_folder_of, open_outside};
use super::{App, Dialog, Message};
use crate::gui::library::{self, Step};
use crate::gui::notice::{Level, Offer};
use crate::gui::preferences::Role;
use crate::gui::stage::{self, Mode};
use crate::gui::viewer::Comparison;
use crate::gui::{blurred, help, results, scrubber, viewer};
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
    /// Move the files of the selected photographs to the trash.
    Trash,
    /// Take back what was chosen last about the photographs.
    Undo,
    /// Choose it again.
    Redo,
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
    /// Show what the keys do.
    Keyboard,
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
    /// Let the frames run by, or stop.
    Play,
    /// Show frames as they lie on the reference, or as they are.
    Aligned,
    /// Compare by a line, or by turns.
    Blink,
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
    /// Each pixel as four.
    Double,
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
                self.undoable(|app| app.remove(selected))
            }
            Command::Trash => {
                let selected = self.library.selected();
                self.ask_trash(&selected)
            }
            Command::Undo => self.undo(),
            Command::Redo => self.redo(),
            Command::CloseFolder => self.close_folder(),
            Command::Demo => self.demo(),
            Command::Stack => self.stack(),
            Command::Align => self.align(),
            Command::Cancel => {
                if self.dialog.is_some() {
                    self.dialog = None;
                } else if !self.library.close_menu() && !self.results.stop_renaming() {
                    self.activity.cancel();
                }
                Task::none()
            }
            Command::Export => self.export_dialog(None),
            Command::Preferences => self.open_preferences(),
            Command::Help => self.open_help(help::Page::default()),
            Command::Keyboard => self.open_help(help::Page::Keyboard),
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
            Command::Toggle => self.undoable(|app| {
                app.library.toggle();
                Task::none()
            }),
            Command::Go(step) => {
                let action = self.library.go(step);
                self.library_wants(action)
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
                Zoom::Double => viewer::Message::Zoom200,
                Zoom::In => viewer::Message::ZoomIn,
                Zoom::Out => viewer::Message::ZoomOut,
            })),
            Command::HeatMap => self.update(Message::Viewer(viewer::Message::ToggleHeatMap)),
            Command::Play => self.scrubber_message(scrubber::Message::PlayPressed),
            Command::Aligned => {
                let is_aligned = !self.scrubber.is_aligned && self.kept.is_some();
                self.scrubber_message(scrubber::Message::AlignedToggled(is_aligned))
            }
            Command::Blink => {
                let comparison = match self.viewer.comparison() {
                    Comparison::Slider => Comparison::Blink,
                    Comparison::Blink => Comparison::Slider,
                };
                self.update(Message::Viewer(viewer::Message::Compare(comparison)))
            }
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
            library::Action::Show(_) => {
                self.is_watching = false;
                if matches!(self.mode(), Mode::Result | Mode::DepthMap) {
                    self.stage.mode = Mode::Frame;
                }
                self.other = None;
                self.scrubber.is_playing = false;
                let reveal = self.library.reveal_cursor().map(Message::Library);
                let look = self.look_at_what_is_seen();
                Task::batch([reveal, look, self.show()])
            }
            library::Action::LookAt => self.look_at_what_is_seen(),
            library::Action::Remove(ids) => self.remove(ids),
            library::Action::Trash(ids) => self.ask_trash(&ids),
            library::Action::View(path) => self.open_with(Role::Viewer, path),
            library::Action::Edit(path) => self.open_with(Role::Editor, path),
            library::Action::ShowInFolder(path) => open_folder_of(&path),
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
            results::Action::Focus(id) => iced::widget::operation::focus(id),
            results::Action::Renamed(number) => {
                self.pictures.forget_result(number);
                self.show()
            }
            results::Action::Gone(number) => {
                self.pictures.forget_result(number);
                if let Some(item) = self.results.discarded() {
                    let words = format!("Discarded “{}”", item.name);
                    self.notices.offer(Level::Info, words, Offer::Restore);
                }
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
            stage::Message::ExportPressed => self.export_dialog(None),
            stage::Message::ExportFramesPressed => self.export_frames_dialog(),
        }
    }

    /// The reference that the user chose among the frames that take part.
    pub(super) fn reference(&self) -> Reference {
        self.library
            .reference()
            .map_or(Reference::Auto, Reference::Frame)
    }
}
