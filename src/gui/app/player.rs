//! Frames run by, as fast as they are wanted and can be shown.

use iced::Task;
use std::time::Instant;

use super::pictures::Wanted;
use super::{App, Message};
use crate::gui::library::Fault;
use crate::gui::scrubber::{self, Action};
use crate::gui::stage::Mode;

/// The most frames that are read before their turn.
const AHEAD: usize = 6;
/// The most bytes that these may take.
const AHEAD_BYTES: u64 = 192 << 20;

impl App {
    pub(super) fn scrubber_message(&mut self, message: scrubber::Message) -> Task<Message> {
        match self.scrubber.update(message) {
            Action::None => Task::none(),
            Action::Go(place) => {
                let action = self
                    .library
                    .update(crate::gui::library::Message::PlotPressed(place as usize));
                self.library_wants(action)
            }
            Action::Play(true) => self.play(),
            Action::Play(false) => self.pause(),
            Action::Show => self.show(),
        }
    }

    /// Frames begin to run by, from the first one if the last one is shown.
    pub(super) fn play(&mut self) -> Task<Message> {
        if self.library.frames().len() < 2 {
            return Task::none();
        }
        if !matches!(self.mode(), Mode::Frame | Mode::Compare) {
            self.stage.mode = Mode::Frame;
        }
        self.is_watching = false;
        self.other = None;
        self.scrubber.is_playing = true;
        self.played = Instant::now();
        if self.following(1).is_empty()
            && let Some(first) = self.library.frames().first()
        {
            self.library.select(first.id);
        }
        Task::batch([self.show(), self.read_ahead()])
    }

    /// The frame that is shown stays.
    pub(super) fn pause(&mut self) -> Task<Message> {
        self.scrubber.is_playing = false;
        self.show()
    }

    /// Shows the next frame if it is time and if it is there. What the screen
    /// cannot keep up with comes later, but comes.
    pub(super) fn play_on(&mut self) -> Task<Message> {
        if !self.scrubber.is_playing {
            return Task::none();
        }
        let pause = self.scrubber.pace.pause();
        let is_due = self.played.elapsed() >= pause.mul_f32(0.9);
        let next = self.following(1).first().copied();
        let ready = next.and_then(|id| self.frame_wanted(id));
        match (next, ready) {
            (Some(id), Some(wanted))
                if is_due && self.pictures.is_settled(&wanted) && !self.viewer.is_rendering() =>
            {
                // A turn that came late does not make the next one late.
                let now = Instant::now();
                let lag = now.duration_since(self.played + pause);
                self.played = now - lag.min(pause);
                self.library.select(id);
                Task::batch([self.show(), self.read_ahead()])
            }
            (None, _) if is_due => self.pause(),
            _ => self.read_ahead(),
        }
    }

    fn read_ahead(&mut self) -> Task<Message> {
        let mut bytes = 0;
        let ahead: Vec<Wanted> = self
            .following(AHEAD)
            .into_iter()
            .filter_map(|id| self.frame_wanted(id))
            .take_while(|wanted| {
                let fits = bytes < AHEAD_BYTES;
                bytes += match wanted {
                    Wanted::Frame {
                        sight: Some(sight), ..
                    } => u64::from(sight.part.width) * u64::from(sight.part.height) * 6,
                    _ => AHEAD_BYTES,
                };
                fits
            })
            .collect();
        self.read(&ahead)
    }

    /// The frames that come next, no more than `count`: of those aligned only
    /// where frames are shown so.
    fn following(&self, count: usize) -> Vec<u64> {
        let frames = self.library.frames();
        let at = self.library.cursor();
        let at = at.and_then(|id| frames.iter().position(|frame| frame.id == id));
        let after = at.map_or(0, |at| at + 1);
        let again = if self.scrubber.is_loop { after } else { 0 };
        let kept = self.kept.as_ref().filter(|_| self.scrubber.is_aligned);
        frames[after..]
            .iter()
            .chain(&frames[..again])
            .filter(|frame| match kept {
                Some(kept) => kept.knows(&frame.entry.path),
                None => !matches!(frame.fault, Some(Fault::Unreadable(_))),
            })
            .map(|frame| frame.id)
            .take(count)
            .collect()
    }
}
