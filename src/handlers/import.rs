//! Finds out about photographs in the background: thumbnails first, then
//! scores, and of each those first that somebody looks at.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::cache::Cache;
use super::sharpness::FrameSharpness;
use super::thumbnail::{self, Thumbnail};
use crate::photo::{self, Limits};
use crate::{Error, Result};

/// A photograph as its folder tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// When it was changed last; `None` where the system does not tell.
    pub changed: Option<SystemTime>,
}

/// The photographs of `inputs` (files or folders), in stack order. An input
/// that is gone is passed over.
///
/// # Errors
///
/// If there are no photographs, or a folder cannot be read.
pub fn list(inputs: &[PathBuf]) -> Result<Vec<Entry>> {
    let there: Vec<PathBuf> = inputs
        .iter()
        .filter(|path| path.exists())
        .cloned()
        .collect();
    let listing = photo::list(if there.is_empty() { inputs } else { &there })?;
    let entry = |path: PathBuf| {
        let facts = path.metadata().ok();
        Entry {
            length: facts.as_ref().map_or(0, Metadata::len),
            changed: facts.and_then(|facts| facts.modified().ok()),
            path,
        }
    };
    Ok(listing.photos.into_iter().map(entry).collect())
}

/// Something that was found out about the photograph of a number.
#[derive(Debug, Clone)]
pub enum Found {
    /// How it looks.
    Thumbnail(u64, Result<Thumbnail>),
    /// How sharp it is.
    Score(u64, Result<FrameSharpness>),
}

/// Works through photographs on threads of its own until it is dropped.
pub struct Importer {
    shared: Arc<Shared>,
}

struct Shared {
    work: Mutex<Work>,
    wake: Condvar,
    cache: Cache,
    limits: Limits,
    tell: Box<dyn Fn(Found) + Send + Sync>,
}

#[derive(Default)]
struct Work {
    thumbnails: BTreeMap<u64, PathBuf>,
    scores: BTreeMap<u64, PathBuf>,
    visible: Vec<u64>,
    paused: bool,
    stopped: bool,
}

enum Step {
    Thumbnail(u64, PathBuf),
    Score(u64, PathBuf),
}

impl Importer {
    /// Starts `threads` threads, which tell `tell` what they find.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn start(
        threads: usize,
        cache: Cache,
        limits: Limits,
        tell: impl Fn(Found) + Send + Sync + 'static,
    ) -> Result<Self> {
        let importer = Self {
            shared: Arc::new(Shared {
                work: Mutex::default(),
                wake: Condvar::new(),
                cache,
                limits,
                tell: Box::new(tell),
            }),
        };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&importer.shared);
            let thread = std::thread::Builder::new().name(format!("import {number}"));
            thread.spawn(move || shared.run()).map_err(|fault| {
                Error::job(
                    format!("photographs cannot be looked at ({fault})"),
                    "close other programs and open the folder again",
                )
            })?;
        }
        Ok(importer)
    }

    /// Looks at photographs too; each has a number of its own.
    pub fn add(&self, photos: impl IntoIterator<Item = (u64, PathBuf)>) {
        let mut work = self.shared.work();
        for (number, path) in photos {
            work.thumbnails.insert(number, path.clone());
            work.scores.insert(number, path);
        }
        drop(work);
        self.shared.wake.notify_all();
    }

    /// Makes thumbnails once more.
    pub fn show_again(&self, photos: impl IntoIterator<Item = (u64, PathBuf)>) {
        self.shared.work().thumbnails.extend(photos);
        self.shared.wake.notify_all();
    }

    /// Looks no more at the photograph of this number.
    pub fn forget(&self, number: u64) {
        let mut work = self.shared.work();
        work.thumbnails.remove(&number);
        work.scores.remove(&number);
    }

    /// Says which photographs somebody looks at, the most wanted first.
    pub fn look_at(&self, visible: Vec<u64>) {
        self.shared.work().visible = visible;
    }

    /// Leaves the scores for later, or goes on with them: a job wants the
    /// machine for itself.
    pub fn pause(&self, paused: bool) {
        self.shared.work().paused = paused;
        self.shared.wake.notify_all();
    }

    /// How many scores are still to come.
    pub fn left(&self) -> usize {
        self.shared.work().scores.len()
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        self.shared.work().stopped = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        // A panic elsewhere leaves lists that are still lists.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some(step) = self.next() {
            let found = match step {
                Step::Thumbnail(number, path) => Found::Thumbnail(
                    number,
                    guarded(&path, || {
                        thumbnail::thumbnail(&path, &self.limits, &self.cache)
                    }),
                ),
                Step::Score(number, path) => Found::Score(
                    number,
                    guarded(&path, || thumbnail::score(&path, &self.limits, &self.cache)),
                ),
            };
            (self.tell)(found);
        }
    }

    /// What is most wanted now; waits while there is nothing to do, and is
    /// `None` at the end.
    fn next(&self) -> Option<Step> {
        let mut work = self.work();
        loop {
            if work.stopped {
                return None;
            }
            if let Some(step) = work.next() {
                return Some(step);
            }
            work = self.wake.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Work {
    fn next(&mut self) -> Option<Step> {
        if let Some((number, path)) = take(&mut self.thumbnails, &self.visible) {
            return Some(Step::Thumbnail(number, path));
        }
        if self.paused {
            return None;
        }
        take(&mut self.scores, &self.visible).map(|(number, path)| Step::Score(number, path))
    }
}

/// The first of `wanted` that is there, or else the first of all.
fn take(from: &mut BTreeMap<u64, PathBuf>, wanted: &[u64]) -> Option<(u64, PathBuf)> {
    wanted
        .iter()
        .find_map(|number| from.remove_entry(number))
        .or_else(|| from.pop_first())
}

/// A fault of the program becomes one of the file it was looking at.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::file(
            path,
            "made the program stumble",
            "leave it out, and report this with the file",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn what_is_looked_at_comes_first() {
        let mut work = Work::default();
        for number in 0..5 {
            work.thumbnails.insert(number, PathBuf::new());
            work.scores.insert(number, PathBuf::new());
        }
        work.visible = vec![3, 2];
        let mut order = Vec::new();
        while let Some(step) = work.next() {
            order.push(match step {
                Step::Thumbnail(number, _) => ('t', number),
                Step::Score(number, _) => ('s', number),
            });
        }
        let numbers = [3, 2, 0, 1, 4];
        let expected: Vec<_> = numbers
            .map(|number| ('t', number))
            .into_iter()
            .chain(numbers.map(|number| ('s', number)))
            .collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn while_paused_there_are_thumbnails_and_no_scores() {
        let mut work = Work {
            paused: true,
            ..Work::default()
        };
        work.thumbnails.insert(1, PathBuf::new());
        work.scores.insert(1, PathBuf::new());
        assert!(matches!(work.next(), Some(Step::Thumbnail(1, _))));
        assert!(work.next().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_has_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"no picture at all").unwrap();
        let (sender, receiver) = mpsc::channel();
        let importer = Importer::start(1, Cache::none(), Limits::default(), move |found| {
            let _ = sender.send(found);
        })
        .unwrap();
        importer.add([(7, path.clone())]);
        for _ in 0..2 {
            let fault = match receiver.recv_timeout(Duration::from_secs(20)).unwrap() {
                Found::Thumbnail(7, Err(fault)) | Found::Score(7, Err(fault)) => fault,
                other => panic!("{other:?}"),
            };
            assert!(matches!(fault, Error::File { path: at, .. } if at == path));
        }
        assert_eq!(importer.left(), 0);
    }
}
