//! Photographs come and go.

use std::path::PathBuf;

use iced::Task;

use super::{App, Message, undo};
use crate::Result;
use crate::gui::notice::Level;
use crate::gui::stage::Mode;
use crate::gui::{library, scrubber, stage, worker};
use crate::handlers::import::{self, Entry};
use crate::settings::Recent;

impl App {
    /// Opens folders or files in place of what is open.
    pub(super) fn open(&mut self, inputs: Vec<PathBuf>) -> Task<Message> {
        if inputs.is_empty() {
            return Task::none();
        }
        if self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        self.forget_frames();
        self.inputs = inputs;
        self.is_opening = true;
        self.list()
    }

    /// Adds folders or files to what is open.
    pub(super) fn add(&mut self, inputs: Vec<PathBuf>) -> Task<Message> {
        for input in inputs {
            self.removed.remove(&input);
            if !self.inputs.contains(&input) {
                self.inputs.push(input);
            }
        }
        self.list()
    }

    /// Takes photographs out of the library. The files stay.
    pub(super) fn remove(&mut self, ids: Vec<u64>) -> Task<Message> {
        if self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        let paths = ids
            .iter()
            .filter_map(|&id| Some(self.library.frame(id)?.entry.path.clone()));
        self.removed.extend(paths);
        let left: Vec<Entry> = self
            .library
            .frames()
            .iter()
            .map(|frame| frame.entry.clone())
            .filter(|entry| !self.removed.contains(&entry.path))
            .collect();
        self.take_in(left)
    }

    /// Closes what is open; results stay.
    pub(super) fn close_folder(&mut self) -> Task<Message> {
        if self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        self.forget_frames();
        self.inputs.clear();
        self.settings.note_open(&[]);
        self.covers()
    }

    fn forget_frames(&mut self) {
        let gone = self.library.list(Vec::new()).1;
        if let Some(importer) = &self.importer {
            gone.into_iter().for_each(|id| importer.forget(id));
        }
        self.library.forget_away();
        self.removed.clear();
        self.history = undo::History::default();
        worker::let_go(self.kept.take());
        self.pictures.clear();
        self.stage = stage::State::default();
        self.scrubber = scrubber::State::default();
        self.viewer.clear();
    }

    pub(super) fn pick_folder(&mut self) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new().set_title("Open a folder of photographs");
        Task::perform(dialog.pick_folder(), |folder| {
            let paths = folder.map(|folder| folder.path().to_owned());
            Message::Picked(paths.into_iter().collect(), false)
        })
    }

    pub(super) fn pick_files(&mut self) -> Task<Message> {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Add photographs")
            .add_filter("Photographs", &crate::photo::EXTENSIONS);
        Task::perform(dialog.pick_files(), |files| {
            let files = files.unwrap_or_default();
            let paths = files.iter().map(|file| file.path().to_owned()).collect();
            Message::Picked(paths, true)
        })
    }

    /// Lists what is there, for [`Message::Listed`].
    pub(super) fn list(&mut self) -> Task<Message> {
        self.listing += 1;
        self.look_for_changes()
    }

    /// Lists once more; an answer that something overtook is passed over.
    pub(super) fn look_for_changes(&self) -> Task<Message> {
        let (inputs, number) = (self.inputs.clone(), self.listing);
        worker::compute(move || import::list(&inputs))
            .map(move |result| Message::Listed(number, result))
    }

    pub(super) fn listed(&mut self, number: u64, result: Result<Vec<Entry>>) -> Task<Message> {
        if number != self.listing {
            return Task::none();
        }
        let was_opening = std::mem::take(&mut self.is_opening);
        let was_reopening = std::mem::take(&mut self.is_reopening);
        let entries = match result {
            Ok(entries) => entries,
            Err(fault) if was_opening => {
                self.inputs.clear();
                self.settings.note_open(&[]);
                if was_reopening {
                    // A card or a drive that is not there today.
                    let words = format!("What was open last time is not there: {fault}");
                    self.activity.note(Level::Warning, words.clone());
                    self.notices.push(Level::Warning, words, None);
                } else {
                    self.report(&fault);
                }
                return self.covers();
            }
            // Everything went away; what is known of it stays to be seen.
            Err(_) => return Task::none(),
        };
        self.settings.note_open(&self.inputs);
        let entries: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| !self.removed.contains(&entry.path))
            .collect();
        let known = self.library.frames();
        let is_same = known.len() == entries.len()
            && known
                .iter()
                .zip(&entries)
                .all(|(frame, entry)| frame.entry == *entry);
        if is_same {
            return Task::none();
        }
        if !was_opening && !known.is_empty() {
            self.activity
                .note(Level::Info, "the photographs in the folder changed");
        }
        if was_opening {
            self.remember(&entries);
        }
        self.take_in(entries)
    }

    fn remember(&mut self, entries: &[Entry]) {
        let [folder] = &self.inputs[..] else {
            return;
        };
        let cover = entries.get(entries.len() / 2);
        if let Some(cover) =
            cover.filter(|_| folder.is_absolute() || !folder.as_os_str().is_empty())
        {
            self.settings.remember(Recent {
                folder: std::path::absolute(folder).unwrap_or_else(|_| folder.clone()),
                count: entries.len(),
                cover: std::path::absolute(&cover.path).unwrap_or_else(|_| cover.path.clone()),
            });
        }
    }

    pub(super) fn take_in(&mut self, entries: Vec<Entry>) -> Task<Message> {
        let before = self.library.cursor();
        let (fresh, gone) = self.library.list(entries);
        if let Some(importer) = &self.importer {
            gone.iter().for_each(|&id| importer.forget(id));
            importer.add(fresh);
        }
        self.pictures.forget(&gone);
        if self.library.is_empty() {
            if !matches!(self.mode(), Mode::Result | Mode::DepthMap) {
                self.stage.mode = Mode::Frame;
                self.viewer.clear();
            }
            return Task::none();
        }
        let look = self.look_at_what_is_seen();
        if let Some(id) = self.library.cursor() {
            let shows_frame = matches!(self.mode(), Mode::Frame | Mode::Compare);
            return if before == Some(id) || !shows_frame {
                look
            } else {
                self.library_wants(library::Action::Show(id))
            };
        }
        // The middle of the stack shows best what it is of.
        let middle = self.library.frames().len() / 2;
        let action = self.library.update(library::Message::PlotPressed(middle));
        Task::batch([look, self.library_wants(action)])
    }

    /// Tells the importer what is in sight.
    pub(super) fn look_at_what_is_seen(&mut self) -> Task<Message> {
        if let Some(importer) = &self.importer {
            let (visible, missing) = self.library.in_sight();
            importer.look_at(visible);
            importer.show_again(missing);
        }
        Task::none()
    }

    pub(super) fn say_busy(&mut self) {
        let words = "A job is running: wait for it, or cancel it first.";
        self.notices.push(Level::Warning, words, None);
    }
}
