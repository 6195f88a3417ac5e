//! Which picture is in the viewer, and how it gets there.

use std::collections::VecDeque;

use iced::Task;

use super::{App, Message};
use crate::Result;
use crate::gui::stage::Mode;
use crate::gui::viewer::Picture;
use crate::gui::{work, worker};

/// The most bytes of decoded frames that are kept for showing.
const KEPT: u64 = 512 << 20;

/// A frame to be read: its number, and whether as it lies on the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    id: u64,
    is_aligned: bool,
}

/// Decoded frames, those used last at the end.
#[derive(Default)]
pub struct Pictures {
    kept: VecDeque<(Wanted, Picture)>,
    /// What is being read.
    reading: Option<Wanted>,
    /// What to show as soon as it is there.
    wanted: Option<Wanted>,
}

impl Pictures {
    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.wanted = None;
    }

    /// Lets go of frames that are gone.
    pub fn forget(&mut self, gone: &[u64]) {
        self.kept.retain(|(wanted, _)| !gone.contains(&wanted.id));
    }

    /// Lets go of frames as they lay on a reference.
    pub fn forget_aligned(&mut self) {
        self.kept.retain(|(wanted, _)| !wanted.is_aligned);
    }

    fn get(&mut self, wanted: Wanted) -> Option<Picture> {
        let at = self.kept.iter().position(|(known, _)| *known == wanted)?;
        let entry = self.kept.remove(at)?;
        let picture = entry.1.clone();
        self.kept.push_back(entry);
        Some(picture)
    }

    fn put(&mut self, wanted: Wanted, picture: Picture) {
        self.kept.push_back((wanted, picture));
        let bytes = |picture: &Picture| {
            let extent = picture.extent();
            u64::from(extent.width) * u64::from(extent.height) * 4
        };
        let mut total: u64 = self.kept.iter().map(|(_, picture)| bytes(picture)).sum();
        while total > KEPT && self.kept.len() > 1 {
            if let Some((_, picture)) = self.kept.pop_front() {
                total -= bytes(&picture);
            }
        }
    }
}

impl App {
    /// Shows what the mode says.
    pub(super) fn show(&mut self) -> Task<Message> {
        let result = self.results.selected().map(|item| item.made.clone());
        match (self.mode(), result) {
            (Mode::Result, Some(made)) => self.viewer.show(made.shown).map(Message::Viewer),
            (Mode::DepthMap, Some(made)) => self.viewer.show(made.depth).map(Message::Viewer),
            (Mode::Compare, Some(made)) if self.other.is_some() => {
                let other = self.other.and_then(|number| self.results.get(number));
                match other.map(|item| item.made.shown.clone()) {
                    Some(other) => self.viewer.compare(made.shown, other).map(Message::Viewer),
                    None => Task::none(),
                }
            }
            _ => match self.library.cursor() {
                Some(id) => self.show_frame(id),
                None => Task::none(),
            },
        }
    }

    /// Shows a frame, as soon as it is read. Only one is read at a time: while
    /// the slider moves, those in between are passed over.
    pub(super) fn show_frame(&mut self, id: u64) -> Task<Message> {
        let wanted = Wanted {
            id,
            is_aligned: self.stage.is_aligned && self.kept.is_some()
                || self.mode() == Mode::Compare && self.kept.is_some(),
        };
        self.pictures.wanted = Some(wanted);
        if let Some(picture) = self.pictures.get(wanted) {
            return self.show_picture(picture);
        }
        if self.pictures.reading.is_some() {
            return Task::none();
        }
        self.read(wanted)
    }

    fn read(&mut self, wanted: Wanted) -> Task<Message> {
        let Some(frame) = self.library.frame(wanted.id) else {
            return Task::none();
        };
        let path = frame.entry.path.clone();
        let cells = std::sync::Arc::clone(&frame.cells);
        let limits = self.settings.resources.limits;
        let kept = self.kept.clone().filter(|_| wanted.is_aligned);
        self.pictures.reading = Some(wanted);
        worker::compute(move || {
            if let Some(kept) = kept
                && let Some(picture) = kept.frame(&path, &limits)?
            {
                return Ok(Some(picture));
            }
            work::frame(&path, &limits, &cells).map(Some)
        })
        .map(move |result| Message::Loaded(wanted, result))
    }

    pub(super) fn loaded(
        &mut self,
        read: Wanted,
        result: Result<Option<Picture>>,
    ) -> Task<Message> {
        self.pictures.reading = None;
        let wanted = self.pictures.wanted;
        let mut task = Task::none();
        match result {
            Ok(Some(picture)) => {
                self.pictures.put(read, picture.clone());
                // One that was passed over is still worth a glance.
                let shows_frames = matches!(self.mode(), Mode::Frame | Mode::Compare);
                if shows_frames && self.other.is_none() && wanted.is_some() {
                    task = self.show_picture(picture);
                }
            }
            Ok(None) => {}
            Err(fault) if wanted == Some(read) => self.report(&fault),
            Err(_) => {}
        }
        match wanted {
            Some(wanted) if wanted != read => Task::batch([task, self.show_frame(wanted.id)]),
            _ => task,
        }
    }

    fn show_picture(&mut self, picture: Picture) -> Task<Message> {
        let result = self.results.selected().map(|item| item.made.shown.clone());
        let task = match result {
            Some(result) if self.mode() == Mode::Compare => self.viewer.compare(result, picture),
            _ => self.viewer.show(picture),
        };
        task.map(Message::Viewer)
    }
}
