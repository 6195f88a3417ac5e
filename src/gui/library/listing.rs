//! What is known of the photographs: the files come and go, and thumbnails,
//! scores and faults come to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use iced::widget::image::Handle;

use super::{Fault, Frame, Sort, State};
use crate::gui::worker;
use crate::handlers::Report;
use crate::handlers::import::{Entry, Found};

/// Pictures that are kept for showing; others come from the cache again.
const KEPT: usize = 400;

impl State {
    /// Takes over what is in the folders now: new files come in, changed ones
    /// are looked at again, others go. Answers the numbers of those to look at
    /// and of those that went.
    pub fn list(&mut self, entries: Vec<Entry>) -> (Vec<(u64, PathBuf)>, Vec<u64>) {
        let around = self.around_cursor();
        let mut old: BTreeMap<PathBuf, Frame> = std::mem::take(&mut self.frames)
            .into_iter()
            .map(|frame| (frame.entry.path.clone(), frame))
            .collect();
        let mut fresh = Vec::new();
        let mut gone = Vec::new();
        for entry in entries {
            let known = old.remove(&entry.path);
            let was_away = self.away.remove(&entry.path);
            if let Some(frame) = known.as_ref().filter(|frame| frame.entry == entry) {
                self.frames.push(frame.clone());
                continue;
            }
            gone.extend(known.as_ref().map(|frame| frame.id));
            let id = self.next;
            self.next += 1;
            fresh.push((id, entry.path.clone()));
            if let Some(known) = &known {
                self.rename(known.id, id);
            }
            let is_included = known.map_or(!was_away, |known| known.is_included);
            self.frames.push(Frame::new(id, entry, is_included));
        }
        let excluded = old.values().filter(|frame| !frame.is_included);
        self.away
            .extend(excluded.map(|frame| frame.entry.path.clone()));
        gone.extend(old.values().map(|frame| frame.id));
        let is_here = |id: &u64| !gone.contains(id);
        self.selected.retain(is_here);
        self.cursor = self.cursor.filter(is_here);
        self.anchor = self.anchor.filter(is_here);
        self.reference = self.reference.filter(is_here);
        self.menu = None;
        self.arrange();
        self.focus.forget();
        if self.cursor.is_none()
            && let Some(next) = around.into_iter().find(|&id| self.frame(id).is_some())
        {
            self.select(next);
        }
        worker::let_go(old);
        (fresh, gone)
    }

    /// Forgets what was chosen about files that are not here.
    pub fn forget_away(&mut self) {
        self.away.clear();
    }

    /// A changed file keeps its place in the selection.
    fn rename(&mut self, from: u64, to: u64) {
        if self.selected.remove(&from) {
            self.selected.insert(to);
        }
        for place in [&mut self.cursor, &mut self.anchor, &mut self.reference] {
            if *place == Some(from) {
                *place = Some(to);
            }
        }
    }

    /// Takes in what was found out about a photograph.
    pub fn found(&mut self, found: Found) {
        match found {
            Found::Thumbnail(id, result) => {
                self.forget_far_ones();
                let Some(frame) = self.frame_mut(id) else {
                    return;
                };
                match result {
                    Ok(made) => {
                        let picture = made.picture;
                        let (width, height) = (picture.width as u32, picture.height as u32);
                        frame.thumbnail = Some(Handle::from_rgba(width, height, picture.data));
                        frame.facts = Some(made.facts);
                    }
                    Err(fault) => frame.fault = Some(Fault::Unreadable(fault.problem())),
                }
                if self.sort == Sort::Time {
                    self.arrange();
                }
            }
            Found::Score(id, result) => {
                let Some(frame) = self.frame_mut(id) else {
                    return;
                };
                match result {
                    Ok(sharpness) => {
                        frame.score = sharpness.score;
                        frame.cells = Arc::new(sharpness.cells);
                    }
                    Err(fault) => frame.fault = Some(Fault::Unreadable(fault.problem())),
                }
                self.chose();
                if self.sort == Sort::Sharpness {
                    self.arrange();
                }
            }
        }
    }

    /// Lets go of pictures that are far from what is visible, once there are
    /// many.
    fn forget_far_ones(&mut self) {
        let kept = self.frames.iter().filter(|f| f.thumbnail.is_some()).count();
        if kept < KEPT {
            return;
        }
        let near = self.rows(KEPT / 2);
        let near: BTreeSet<usize> = self.order[near].iter().copied().collect();
        let frames = self.frames.iter_mut().enumerate();
        let far = frames.filter(|(place, _)| !near.contains(place));
        let gone: Vec<Handle> = far
            .filter_map(|(_, frame)| frame.thumbnail.take())
            .collect();
        worker::let_go(gone);
    }

    /// The photographs in sight, and those of them whose picture is missing
    /// although it was there once.
    pub fn in_sight(&self) -> (Vec<u64>, Vec<(u64, PathBuf)>) {
        let visible: Vec<&Frame> = self.order[self.rows(0)]
            .iter()
            .map(|&place| &self.frames[place])
            .collect();
        let missing = visible
            .iter()
            .filter(|frame| frame.thumbnail.is_none() && frame.facts.is_some())
            .map(|frame| (frame.id, frame.entry.path.clone()))
            .collect();
        (visible.iter().map(|frame| frame.id).collect(), missing)
    }

    /// Marks what a job did not use.
    pub fn mark(&mut self, report: &Report) {
        for told in &report.frames {
            let place = |frame: &&mut Frame| frame.entry.path == told.path;
            let Some(frame) = self.frames.iter_mut().find(place) else {
                continue;
            };
            if matches!(frame.fault, Some(Fault::Unreadable(_))) {
                continue;
            }
            frame.fault = Fault::of(told);
        }
        self.chose();
    }
}
