//! Which picture is in the viewer, and how it gets there.

use std::collections::VecDeque;
use std::sync::Arc;

use iced::Task;

use super::{App, Message};
use crate::core::finish::Finish;
use crate::gui::results::Item;
use crate::gui::stage::Mode;
use crate::gui::viewer::{Extent, Picture, Sight};
use crate::gui::{work, worker};
use crate::handlers::Job;
use crate::{Error, Result};

/// The most bytes of pictures that are kept for showing.
const KEPT: u64 = 512 << 20;
/// Pictures that are read at a time.
const LANES: usize = 2;

/// A picture that can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A frame.
    Frame {
        /// Its number in the library.
        id: u64,
        /// The alignment by which it lies on the reference; `None` as it is.
        alignment: Option<u64>,
        /// The part of it; `None` is all of it.
        sight: Option<Sight>,
    },
    /// The result of this number, finished in this way.
    Result(u64, Finish),
    /// The depth map of that result.
    Depth(u64),
}

/// A picture on its way.
struct Reading {
    wanted: Wanted,
    /// Stops it.
    job: Arc<Job>,
}

/// Pictures for the screen, those used last at the end.
#[derive(Default)]
pub struct Pictures {
    kept: VecDeque<(Wanted, Picture)>,
    /// What is being read.
    reading: Vec<Reading>,
    /// What to show as soon as all of it is there: a picture, or two to be
    /// compared.
    wanted: Vec<Wanted>,
    /// What could not be read.
    failed: Vec<Wanted>,
}

impl Pictures {
    /// Lets go of everything.
    pub fn clear(&mut self) {
        worker::let_go(std::mem::take(&mut self.kept));
        self.wanted.clear();
        self.failed.clear();
    }

    /// Waits for nothing any more.
    pub fn want_nothing(&mut self) {
        self.wanted.clear();
    }

    /// Lets go of frames that are gone.
    pub fn forget(&mut self, gone: &[u64]) {
        self.let_go(|wanted| matches!(wanted, Wanted::Frame { id, .. } if gone.contains(id)));
    }

    /// Lets go of frames as they lay on a reference.
    pub fn forget_aligned(&mut self) {
        let is_aligned = |wanted: &Wanted| {
            let Wanted::Frame { alignment, .. } = wanted else {
                return false;
            };
            alignment.is_some()
        };
        self.let_go(is_aligned);
    }

    /// Lets go of a result.
    pub fn forget_result(&mut self, number: u64) {
        self.let_go(
            |wanted| matches!(wanted, Wanted::Result(of, _) | Wanted::Depth(of) if *of == number),
        );
    }

    fn let_go(&mut self, is_gone: impl Fn(&Wanted) -> bool) {
        let all = std::mem::take(&mut self.kept);
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            all.into_iter().partition(|(wanted, _)| is_gone(wanted));
        self.kept = kept;
        if !gone.is_empty() {
            worker::let_go(gone);
        }
    }

    /// Gives the pictures of a frame that became known as how sharp it is;
    /// answers whether one of them is wanted.
    pub fn score(&mut self, id: u64, cells: &[f64]) -> bool {
        let is_it = |wanted: &Wanted| matches!(wanted, Wanted::Frame { id: of, .. } if *of == id);
        for (_, picture) in self.kept.iter_mut().filter(|(wanted, _)| is_it(wanted)) {
            if let Ok(scored) = work::scored(picture.clone(), cells) {
                *picture = scored;
            }
        }
        self.wanted.iter().any(is_it)
    }

    /// Stops what finishes a result otherwise than it is wanted by now.
    fn stop_stale(&self) {
        for reading in &self.reading {
            if let Wanted::Result(number, _) = reading.wanted {
                let is_it =
                    |wanted: &Wanted| matches!(wanted, Wanted::Result(of, _) if *of == number);
                let is_stale = |wanted: &Wanted| is_it(wanted) && *wanted != reading.wanted;
                if self.wanted.iter().any(is_stale) {
                    reading.job.cancel();
                }
            }
        }
    }

    /// Keeps a picture.
    pub fn put(&mut self, wanted: Wanted, picture: Picture) {
        self.kept.retain(|(known, _)| *known != wanted);
        self.kept.push_back((wanted, picture));
        let mut total: u64 = self.kept.iter().map(|(_, picture)| picture.bytes()).sum();
        let mut gone = Vec::new();
        while total > KEPT && self.kept.len() > 1 {
            if let Some((_, picture)) = self.kept.pop_front() {
                total -= picture.bytes();
                gone.push(picture);
            }
        }
        if !gone.is_empty() {
            worker::let_go(gone);
        }
    }

    /// Whether a picture is there, or cannot be.
    pub fn is_settled(&self, wanted: &Wanted) -> bool {
        self.kept.iter().any(|(known, _)| known == wanted) || self.has_failed(wanted)
    }

    /// Whether a picture could not be read.
    pub fn has_failed(&self, wanted: &Wanted) -> bool {
        self.failed.contains(wanted)
    }

    fn get(&mut self, wanted: Wanted) -> Option<Picture> {
        let at = self.kept.iter().position(|(known, _)| *known == wanted)?;
        let entry = self.kept.remove(at)?;
        let picture = entry.1.clone();
        self.kept.push_back(entry);
        Some(picture)
    }

    /// What is to be read next of `all`, as far as lanes are free.
    fn to_read(&self, all: &[Wanted]) -> Vec<Wanted> {
        let is_missing = |wanted: &&Wanted| {
            !self.is_settled(wanted)
                && !self
                    .reading
                    .iter()
                    .any(|reading| reading.wanted == **wanted)
        };
        let free = LANES.saturating_sub(self.reading.len());
        all.iter().filter(is_missing).take(free).copied().collect()
    }
}

impl App {
    /// Shows what the mode says, as soon as it is there.
    pub(super) fn show(&mut self) -> Task<Message> {
        let shows_frames = matches!(self.mode(), Mode::Frame | Mode::Compare);
        self.scrubber.is_playing &= shows_frames && self.other.is_none();
        self.pictures.wanted = self.scene();
        self.pictures.stop_stale();
        if !self.scrubber.is_playing {
            // What failed once may be mended.
            self.pictures.failed.clear();
        }
        let wanted = self.pictures.wanted.clone();
        Task::batch([self.present(), self.read(&wanted)])
    }

    /// The picture, or two to be compared, that the mode says.
    fn scene(&self) -> Vec<Wanted> {
        let frame = self.library.cursor().and_then(|id| self.frame_wanted(id));
        let wanted = |item: &Item| Wanted::Result(item.number, item.finish);
        match (self.mode(), self.results.selected()) {
            (Mode::Result, Some(item)) => vec![wanted(item)],
            (Mode::DepthMap, Some(item)) => vec![Wanted::Depth(item.number)],
            (Mode::Compare, Some(item)) => {
                let other = self.other.and_then(|number| self.results.get(number));
                let other = other.map(wanted).or(frame);
                [Some(wanted(item)), other].into_iter().flatten().collect()
            }
            _ => frame.into_iter().collect(),
        }
    }

    /// A frame as it is to be shown now: only what is in sight of it while
    /// frames run by.
    pub(super) fn frame_wanted(&self, id: u64) -> Option<Wanted> {
        let frame = self.library.frame(id)?;
        let is_aligned = self.scrubber.is_aligned || self.mode() == Mode::Compare;
        let kept = self.kept.as_ref();
        let kept = kept.filter(|kept| is_aligned && kept.knows(&frame.entry.path));
        let size = match (kept, &frame.facts) {
            (Some(kept), _) => Some(kept.size()),
            (None, Some(facts)) => Some(Extent {
                width: facts.width as u32,
                height: facts.height as u32,
            }),
            (None, None) => None,
        };
        let size = size.filter(|_| self.scrubber.is_moving());
        Some(Wanted::Frame {
            id,
            alignment: kept.map(|_| self.alignments),
            sight: size.and_then(|size| self.viewer.sight(size, (0, 0))),
        })
    }

    /// Shows what is wanted if all of it is there.
    fn present(&mut self) -> Task<Message> {
        let wanted = self.pictures.wanted.clone();
        let pictures: Vec<Picture> = wanted
            .iter()
            .filter_map(|&wanted| self.pictures.get(wanted))
            .collect();
        if pictures.len() < wanted.len() {
            return Task::none();
        }
        let task = match &pictures[..] {
            [picture] => self.viewer.show(picture.clone()),
            [first, second] => self.viewer.compare(first.clone(), second.clone()),
            _ => Task::none(),
        };
        task.map(Message::Viewer)
    }

    /// Reads what is missing of `wanted`, the first ones first.
    pub(super) fn read(&mut self, wanted: &[Wanted]) -> Task<Message> {
        let next = self.pictures.to_read(wanted);
        let tasks: Vec<_> = next
            .into_iter()
            .map(|wanted| self.read_one(wanted))
            .collect();
        Task::batch(tasks)
    }

    fn read_one(&mut self, wanted: Wanted) -> Task<Message> {
        let job = Arc::new(Job::silent());
        let reading = Reading {
            wanted,
            job: Arc::clone(&job),
        };
        let task = match wanted {
            Wanted::Frame {
                id,
                alignment,
                sight,
            } => {
                let Some(frame) = self.library.frame(id) else {
                    return Task::none();
                };
                let path = frame.entry.path.clone();
                let limits = self.settings.resources.limits;
                let kept = self.kept.clone().filter(|_| alignment.is_some());
                worker::compute(move || match sight {
                    Some(sight) => work::part(&path, &limits, kept.as_deref(), sight),
                    None => work::frame(&path, &limits, kept.as_deref()),
                })
            }
            Wanted::Result(number, _) | Wanted::Depth(number) => {
                let Some(item) = self.results.get(number) else {
                    return Task::none();
                };
                let (stored, name) = (item.stored.clone(), item.name.clone());
                worker::compute(move || {
                    let full = stored.load()?;
                    match wanted {
                        Wanted::Result(_, finish) => full.shown(&name, &finish, &job),
                        _ => full.depth_map(&name),
                    }
                })
            }
        };
        self.pictures.reading.push(reading);
        task.map(move |result| Message::Loaded(wanted, result))
    }

    pub(super) fn loaded(&mut self, read: Wanted, result: Result<Picture>) -> Task<Message> {
        self.pictures
            .reading
            .retain(|reading| reading.wanted != read);
        let is_wanted = self.pictures.wanted.contains(&read);
        let mut task = Task::none();
        let mut small = Task::none();
        match result {
            Ok(picture) => {
                let picture = self.with_scores(read, picture);
                self.pictures.put(read, picture.clone());
                if let Wanted::Result(number, finish) = read {
                    small = depict(number, finish, picture.clone());
                }
                if is_wanted {
                    task = self.present();
                } else if self.is_worth_a_glance(&read) {
                    task = self.viewer.show(picture).map(Message::Viewer);
                }
            }
            Err(Error::Cancelled) => {}
            Err(fault) => {
                self.pictures.failed.push(read);
                if is_wanted {
                    self.report(&fault);
                }
                // Nothing else is shown in its place.
                if is_wanted && !self.scrubber.is_playing {
                    self.viewer.hide();
                }
            }
        }
        let wanted = self.pictures.wanted.clone();
        Task::batch([task, small, self.read(&wanted), self.play_on()])
    }

    /// With the scores of a frame, if they are known by now: they may have come
    /// while it was being read.
    fn with_scores(&self, read: Wanted, picture: Picture) -> Picture {
        let Wanted::Frame { id, .. } = read else {
            return picture;
        };
        let cells = self.library.frame(id).map(|frame| &frame.cells);
        let scored = cells.and_then(|cells| work::scored(picture.clone(), cells).ok());
        scored.unwrap_or(picture)
    }

    /// While the slider is dragged, frames that were passed over are shown
    /// as they come.
    fn is_worth_a_glance(&self, read: &Wanted) -> bool {
        let is_frame = |wanted: &Wanted| matches!(wanted, Wanted::Frame { .. });
        self.scrubber.is_dragged
            && is_frame(read)
            && self.pictures.wanted.len() == 1
            && self.pictures.wanted.iter().all(is_frame)
    }
}

/// Makes the small picture of a result.
fn depict(number: u64, finish: Finish, picture: Picture) -> Task<Message> {
    worker::compute(move || Ok(picture.small(work::SMALL)))
        .map(move |small| Message::Depicted(number, finish, small))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::viewer::Kind;

    fn picture(side: u32) -> Picture {
        let rgba = vec![255; (side * side * 4) as usize];
        Picture::new("p", Kind::Frame, side, side, rgba).unwrap()
    }

    fn frame(id: u64) -> Wanted {
        Wanted::Frame {
            id,
            alignment: None,
            sight: None,
        }
    }

    #[test]
    fn pictures_are_bounded_by_bytes_and_the_last_one_always_stays() {
        let mut pictures = Pictures::default();
        let large = picture(4096);
        assert!(large.bytes() > 85 << 20, "halves count too");
        for id in 0..10 {
            pictures.put(frame(id), large.clone());
        }
        let total: u64 = pictures
            .kept
            .iter()
            .map(|(_, picture)| picture.bytes())
            .sum();
        assert!(total <= KEPT, "{total}");
        assert!(pictures.get(frame(9)).is_some() && pictures.get(frame(0)).is_none());
        // One that was used again outlives those that were not.
        let oldest = pictures.kept[0].0;
        pictures.get(oldest);
        pictures.put(frame(10), large);
        assert!(pictures.is_settled(&oldest));
    }

    #[test]
    fn no_more_is_read_at_a_time_than_there_are_lanes() {
        let mut pictures = Pictures::default();
        let all: Vec<Wanted> = (0..5).map(frame).collect();
        pictures.put(frame(1), picture(1));
        assert_eq!(pictures.to_read(&all), [frame(0), frame(2)]);
        pictures.reading = vec![Reading {
            wanted: frame(0),
            job: Arc::new(Job::silent()),
        }];
        pictures.failed = vec![frame(2)];
        assert_eq!(pictures.to_read(&all), [frame(3)]);
    }
}
