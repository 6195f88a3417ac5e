//! What leaves the window: other programs, and the trash.

use std::path::{Path, PathBuf};

use iced::Task;

use super::{App, Dialog, Message};
use crate::Error;
use crate::gui::notice::Level;
use crate::gui::preferences::{self, Role};
use crate::gui::{outside, trash, worker};
use crate::handlers::import::Entry;
use crate::handlers::trash::move_all_to_trash;

/// Notices that are put up for the files that could not go to the trash.
const TOLD: usize = 3;

impl App {
    /// Opens a file with the program that the user chose for that.
    pub(super) fn open_with(&mut self, role: Role, file: PathBuf) -> Task<Message> {
        let program = role.program(&mut self.settings).clone();
        worker::compute(move || outside::open_with(&program, &file)).map(Message::Done)
    }

    /// Lets the user choose a program.
    pub(super) fn pick_program(&self, role: Role) -> Task<Message> {
        let title = match role {
            Role::Viewer => "The program that shows photographs",
            Role::Editor => "The program that edits photographs",
        };
        let dialog = rfd::AsyncFileDialog::new().set_title(title);
        let dialog = if cfg!(target_os = "macos") {
            dialog.set_directory("/Applications")
        } else if cfg!(unix) {
            dialog.set_directory("/usr/bin")
        } else {
            dialog
        };
        Task::future(dialog.pick_file()).then(move |file| match file {
            Some(file) => {
                let path = file.path().display().to_string();
                let message = preferences::Message::ProgramChanged(role, path);
                Task::done(Message::Preferences(message))
            }
            None => Task::none(),
        })
    }

    /// Asks whether these photographs are to go to the trash.
    pub(super) fn ask_trash(&mut self, ids: &[u64]) -> Task<Message> {
        if self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        let frames = self.library.frames().iter();
        let files: Vec<PathBuf> = frames
            .filter(|frame| ids.contains(&frame.id))
            .map(|frame| frame.entry.path.clone())
            .collect();
        if !files.is_empty() {
            self.dialog = Some(Dialog::Trash(trash::State { files }));
        }
        Task::none()
    }

    pub(super) fn trash_message(&mut self, message: trash::Message) -> Task<Message> {
        let Some(Dialog::Trash(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        let files = std::mem::take(&mut dialog.files);
        self.dialog = None;
        if message == trash::Message::Cancelled {
            return Task::none();
        }
        worker::compute(move || Ok(move_all_to_trash(&files))).map(|result| {
            let (gone, faults) = result.unwrap_or_else(|fault| (Vec::new(), vec![fault]));
            Message::Trashed(gone, faults)
        })
    }

    /// The library follows what went to the trash.
    pub(super) fn trashed(&mut self, gone: &[PathBuf], faults: &[Error]) -> Task<Message> {
        for fault in faults {
            self.activity.note(Level::Error, fault.to_string());
        }
        for fault in faults.iter().take(TOLD) {
            self.notices.push(Level::Error, fault.to_string(), None);
        }
        if faults.len() > TOLD {
            let words = format!(
                "{} more photographs could not be moved to the trash; the log says why.",
                faults.len() - TOLD
            );
            self.notices.push(Level::Error, words, None);
        }
        let words = match gone {
            [] => return Task::none(),
            [file] => format!("{} is in the trash now.", crate::gui::work::name(file)),
            files => format!("{} photographs are in the trash now.", files.len()),
        };
        self.activity.note(Level::Info, words.clone());
        self.notices.push(Level::Info, words, None);
        // A listing that began before knows them still.
        self.listing += 1;
        let is_left = |entry: &Entry| !gone.contains(&entry.path);
        let frames = self.library.frames().iter();
        let left = frames.map(|frame| frame.entry.clone()).filter(is_left);
        self.take_in(left.collect())
    }
}

/// Shows a file in its folder.
pub(super) fn open_folder_of(file: &Path) -> Task<Message> {
    open_outside(file.parent().unwrap_or(file).to_owned())
}

/// Opens a file, folder or address with the system's program for it.
pub(super) fn open_outside(path: PathBuf) -> Task<Message> {
    worker::compute(move || outside::open(&path)).map(Message::Done)
}
