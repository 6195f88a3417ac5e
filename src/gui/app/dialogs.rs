//! What lies above the window, and what comes of it.

use std::path::PathBuf;

use iced::Task;

use super::outside::open_outside;
use super::{App, Dialog, Message};
use crate::gui::{blurred, export, export_frames, help, worker};

impl App {
    pub(super) fn export_dialog(&mut self, number: Option<u64>) -> Task<Message> {
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

    pub(super) fn export_frames_dialog(&mut self) -> Task<Message> {
        let Some(kept) = &self.kept else {
            return Task::none();
        };
        let folder = self.folder();
        let beside = if folder == self.folders.demo {
            &self.folders.pictures
        } else {
            folder.parent().unwrap_or(&folder)
        };
        let name = format!("{}-aligned", crate::gui::work::name(&folder));
        let size = kept.size();
        let dialog = export_frames::State::new(
            &beside.join(name),
            kept.count(),
            u64::from(size.width) * u64::from(size.height),
            &self.settings.output,
        );
        let folder = dialog.folder();
        self.dialog = Some(Dialog::ExportFrames(dialog));
        look_into(folder)
    }

    pub(super) fn export_frames_message(
        &mut self,
        message: export_frames::Message,
    ) -> Task<Message> {
        let Some(Dialog::ExportFrames(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message) {
            export_frames::Action::None => Task::none(),
            export_frames::Action::Look(folder) => look_into(folder),
            export_frames::Action::Choose(folder) => {
                let dialog = rfd::AsyncFileDialog::new()
                    .set_title("Export the aligned frames")
                    .set_directory(folder.parent().unwrap_or(&folder));
                Task::perform(dialog.pick_folder(), |folder| {
                    let folder = folder.map(|folder| folder.path().to_owned());
                    Message::ExportFrames(export_frames::Message::Chosen(folder))
                })
            }
            export_frames::Action::Export(folder, output) => {
                if self.activity.is_running() {
                    self.say_busy();
                    return Task::none();
                }
                self.dialog = None;
                self.export_frames(folder, output)
            }
            export_frames::Action::Close => {
                self.dialog = None;
                Task::none()
            }
        }
    }

    pub(super) fn open_help(&mut self, page: help::Page) -> Task<Message> {
        self.dialog = Some(Dialog::Help(help::State::new(page)));
        Task::none()
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
            blurred::Action::Exclude(threshold) => {
                self.dialog = None;
                return self.undoable(|app| {
                    app.library.exclude_below(threshold);
                    Task::none()
                });
            }
            blurred::Action::Close => {}
        }
        self.dialog = None;
        Task::none()
    }
}

/// Sees whether there is something in a folder.
fn look_into(folder: PathBuf) -> Task<Message> {
    let looked = folder.clone();
    worker::compute(move || {
        let mut entries = std::fs::read_dir(&folder).into_iter().flatten();
        Ok(entries.next().is_some())
    })
    .map(move |is_filled| {
        let is_filled = is_filled.unwrap_or(false);
        Message::ExportFrames(export_frames::Message::Looked(looked.clone(), is_filled))
    })
}

/// Sees whether there is a file of this name.
fn look_for(path: PathBuf) -> Task<Message> {
    let looked = path.clone();
    worker::compute(move || Ok(path.symlink_metadata().is_ok())).map(move |exists| {
        let exists = exists.unwrap_or(false);
        Message::Export(export::Message::Looked(looked.clone(), exists))
    })
}
