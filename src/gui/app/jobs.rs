//! Jobs: one at a time, on threads of their own.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Task;
use iced::futures::channel::mpsc;

use super::pictures::Wanted;
use super::{App, Message};
use crate::demo::SceneOptions;
use crate::gui::export::Order;
use crate::gui::inspector::method_name;
use crate::gui::notice::{Level, Offer};
use crate::gui::stage::Mode;
use crate::gui::store::{Spilled, Stored};
use crate::gui::viewer::Picture;
use crate::gui::work::{self, Kept, Key, Made};
use crate::gui::worker;
use crate::handlers::machine::{on_threads, used_memory};
use crate::handlers::{AlignOptions, Event, FrameStatus, Job, OutputOptions, Report, StackOptions};
use crate::handlers::{demo, export};
use crate::{Error, Result, text};

/// What a job tells while it runs.
#[derive(Debug, Clone)]
pub enum Told {
    /// How far the job of this number is, and the bytes of memory in use.
    Event(u64, Event, Option<u64>),
    /// How the frames lie on each other is known.
    Aligned(Arc<Kept>),
    /// What the result looks like so far.
    Growing(Picture),
}

/// What comes of a job.
#[derive(Debug, Clone)]
pub enum Ended {
    /// A result.
    Stacked(Box<Made>),
    /// Poses.
    Aligned(Arc<Report>),
    /// A result was written to a file.
    Exported(u64, PathBuf),
    /// Aligned frames were written into a folder.
    ExportedFrames(Arc<Report>, PathBuf),
    /// A demo stack was rendered into a folder.
    Rendered(PathBuf),
}

/// A job, and a way to tell what it does.
type Tell<'a> = &'a (dyn Fn(Told) + Send + Sync);

impl App {
    /// Starts a job of that name, if none runs.
    fn start(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Job, Tell) -> Result<Ended> + Send + 'static,
    ) -> Task<Message> {
        if self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        let (sender, events) = mpsc::unbounded();
        let job = Arc::new(Job::new(move |event| {
            // Nobody listens once the window is closed.
            let _ = sender.unbounded_send((event, used_memory()));
        }));
        let number = self.activity.begin(name, Arc::clone(&job));
        self.notices.forget_news();
        if let Some(importer) = &self.importer {
            importer.pause(true);
        }
        let run = worker::follow(
            move |tell: &(dyn Fn(Told) + Send + Sync)| work(&job, tell),
            Message::Told,
            Message::Ended,
        );
        let events = Task::run(events, move |(event, memory)| {
            Message::Told(Told::Event(number, event, memory))
        });
        Task::batch([events, run])
    }

    /// Everything about a run, as it is chosen now.
    fn options(&self) -> StackOptions {
        let settings = &self.settings;
        StackOptions {
            align: AlignOptions {
                reference: self.reference(),
                ..settings.align.clone()
            },
            fuse: settings.fuse.clone(),
            finish: settings.finish,
            output: settings.output.clone(),
            resources: settings.resources.clone(),
            ..StackOptions::default()
        }
    }

    /// What an alignment would depend on now; `None` with fewer than two
    /// frames, and then the user is told.
    fn basis(&mut self, options: &StackOptions) -> Option<Key> {
        let included = self.library.included();
        if included.len() < 2 {
            let words = "A stack needs at least two frames that take part.";
            self.notices.push(Level::Warning, words, None);
            return None;
        }
        Some(Key {
            entries: included,
            align: options.align.clone(),
            limits: options.resources.limits,
        })
    }

    /// What the next job works with, unless one runs already or there is
    /// nothing to work on; the user is told then.
    fn ready(&mut self) -> Option<(StackOptions, Key)> {
        if self.activity.is_running() {
            self.say_busy();
            return None;
        }
        let options = self.options();
        let key = self.basis(&options)?;
        Some((options, key))
    }

    /// Fuses, and aligns before that unless it is known how the frames lie.
    pub(super) fn stack(&mut self) -> Task<Message> {
        let Some((options, key)) = self.ready() else {
            return Task::none();
        };
        let kept = self.kept.clone().filter(|kept| kept.key == key);
        self.is_watching = true;
        self.scrubber.is_playing = false;
        self.pictures.want_nothing();
        let number = self.results.upcoming();
        let title = format!("Result {number}, {}", method_name(options.fuse.method));
        self.start("Stacking", move |job, tell| {
            on_threads(&options.resources, || {
                let kept = match kept {
                    Some(kept) => kept,
                    None => {
                        let kept = work::align(key, true, &options, job)?;
                        tell(Told::Aligned(Arc::clone(&kept)));
                        kept
                    }
                };
                let watch = |picture| tell(Told::Growing(picture));
                let made = work::fuse(&kept, &title, &options, job, &watch);
                kept.let_go();
                made.map(|made| Ended::Stacked(Box::new(made)))
            })
        })
    }

    /// Finds how the frames lie on each other and keeps that.
    pub(super) fn align(&mut self) -> Task<Message> {
        let Some((options, key)) = self.ready() else {
            return Task::none();
        };
        self.start("Aligning", move |job, tell| {
            on_threads(&options.resources, || {
                let kept = work::align(key, false, &options, job)?;
                let report = kept.report(&options, job)?;
                tell(Told::Aligned(kept));
                Ok(Ended::Aligned(Arc::new(report)))
            })
        })
    }

    /// Writes a result to a file.
    pub(super) fn export(&mut self, number: u64, order: Order) -> Task<Message> {
        let Some(item) = self.results.get(number) else {
            return Task::none();
        };
        let (stored, steps) = (item.stored.clone(), item.finish);
        let frames: Vec<PathBuf> = item
            .report
            .frames
            .iter()
            .map(|frame| frame.path.clone())
            .collect();
        self.start("Exporting", move |job, _| {
            let Order {
                path,
                encoding,
                overwrite,
            } = order;
            job.begin(crate::handlers::Phase::Writing, 1);
            crate::handlers::file::check_output(&path, &frames, overwrite)?;
            let full = stored.load()?;
            job.check()?;
            let picture = full.finished(&steps, job)?;
            export::write(&path, &picture, &encoding, overwrite, job)?;
            Ok(Ended::Exported(number, path))
        })
    }

    /// Writes the frames as they lie on the reference into a folder.
    pub(super) fn export_frames(
        &mut self,
        folder: PathBuf,
        output: OutputOptions,
    ) -> Task<Message> {
        let Some(kept) = self.kept.clone() else {
            return Task::none();
        };
        let options = StackOptions {
            output,
            ..self.options()
        };
        self.start("Exporting the aligned frames", move |job, _| {
            on_threads(&options.resources, || {
                let report = kept.write(&folder, &options, job)?;
                Ok(Ended::ExportedFrames(Arc::new(report), folder))
            })
        })
    }

    /// Renders the demo stack, unless it is there, and opens it.
    pub(super) fn demo(&mut self) -> Task<Message> {
        let folder = self.folders.demo.clone();
        self.start("Rendering the demo stack", move |job, _| {
            demo::render(&folder, &SceneOptions::default(), job)?;
            Ok(Ended::Rendered(folder))
        })
    }

    pub(super) fn told(&mut self, told: Told) -> Task<Message> {
        match told {
            Told::Event(number, event, memory) => self.activity.observe(number, event, memory),
            Told::Aligned(kept) => {
                worker::let_go(self.kept.replace(kept));
                self.alignments += 1;
                self.pictures.forget_aligned();
            }
            // Whoever looks at something else meanwhile is not disturbed.
            Told::Growing(picture) => {
                if self.activity.is_running() && self.is_watching {
                    return self.viewer.show(picture).map(Message::Viewer);
                }
            }
        }
        Task::none()
    }

    pub(super) fn ended(&mut self, result: Result<Ended>) -> Task<Message> {
        if let Some(importer) = &self.importer {
            importer.pause(false);
        }
        match result {
            Ok(Ended::Stacked(made)) => self.stacked(*made),
            Ok(Ended::Aligned(report)) => {
                self.library.mark(&report);
                self.worked_on(&report);
                let words = format!("Aligned {}", used(&report));
                self.activity.end(Level::Info, words.clone());
                self.notices.push(Level::Info, words, None);
                self.scrubber.is_aligned = true;
                self.stage.mode = Mode::Frame;
                self.show()
            }
            Ok(Ended::Exported(number, path)) => {
                let words = format!("Exported {}", path.display());
                self.activity.end(Level::Info, words.clone());
                self.notices.push(Level::Info, words, Some(path.clone()));
                self.results.exported(number, path);
                Task::none()
            }
            Ok(Ended::ExportedFrames(report, folder)) => {
                let words = format!("Exported {} to {}", used(&report), folder.display());
                self.activity.end(Level::Info, words.clone());
                self.notices
                    .offer(Level::Info, words, Offer::Folder(folder));
                Task::none()
            }
            Ok(Ended::Rendered(folder)) => {
                self.activity.end(Level::Info, "The demo stack is ready");
                self.open(vec![folder])
            }
            Err(Error::Cancelled) => {
                self.activity.end(Level::Info, "Stopped");
                self.look_again()
            }
            Err(fault) => {
                self.activity.end(Level::Error, fault.problem());
                self.report(&fault);
                self.look_again()
            }
        }
    }

    /// Shows what was shown before the job that came to nothing.
    fn look_again(&mut self) -> Task<Message> {
        self.is_watching = false;
        Task::batch([self.refinish(), self.show()])
    }

    fn stacked(&mut self, made: Made) -> Task<Message> {
        self.library.mark(&made.report);
        let report = Arc::clone(&made.report);
        self.worked_on(&report);
        let method = method_name(report.options.fuse.method);
        let folder = self.folder();
        let took = self.activity.elapsed();
        let words = format!("Stacked {} in {}", used(&report), text::duration(took));
        self.activity.end(Level::Info, words.clone());
        let level = if report.frames.iter().all(|f| f.status == FrameStatus::Used) {
            Level::Info
        } else {
            Level::Warning
        };
        self.notices.push(level, words, None);
        let shown = made.shown.clone();
        let number = self.results.push(method.to_owned(), folder, took, made);
        self.pictures
            .put(Wanted::Result(number, report.options.finish), shown);
        self.is_watching = false;
        self.stage.mode = Mode::Result;
        self.other = None;
        self.is_spilling = false;
        // The options may have changed meanwhile.
        self.results.finish(self.settings.finish);
        Task::batch([self.show(), self.spill()])
    }

    /// Remembers where the work was done.
    fn worked_on(&mut self, report: &Report) {
        let wished = report.options.resources.device;
        self.device = Some((wished, report.device.clone()));
    }

    /// Puts the oldest results into files as long as all together take too
    /// much memory.
    fn spill(&mut self) -> Task<Message> {
        if self.is_spilling {
            return Task::none();
        }
        let Some(item) = self.results.to_spill(self.results_limit) else {
            return Task::none();
        };
        let Stored::Memory(full) = item.stored.clone() else {
            return Task::none();
        };
        let (number, folder) = (item.number, self.folders.cache.with_file_name("results"));
        self.is_spilling = true;
        worker::compute(move || Ok(Stored::Disk(Arc::new(Spilled::write(&full, &folder)?))))
            .map(move |result| Message::Spilled(number, result))
    }

    pub(super) fn spilled(&mut self, number: u64, result: Result<Stored>) -> Task<Message> {
        match result {
            Ok(stored) => {
                self.results.moved(number, stored);
                self.is_spilling = false;
                self.spill()
            }
            // Tried again with the next result.
            Err(fault) => {
                self.report(&fault);
                Task::none()
            }
        }
    }

    /// The folder of the photographs.
    pub(super) fn folder(&self) -> PathBuf {
        let first = self.library.frames().first();
        let folder = first.and_then(|frame| frame.entry.path.parent());
        let folder = folder.map(std::path::Path::to_owned).unwrap_or_default();
        std::path::absolute(&folder).unwrap_or(folder)
    }
}

/// `12 frames`, or `10 of 12 frames` where the job left some out.
fn used(report: &Report) -> String {
    let total = report.frames.len();
    let used = report
        .frames
        .iter()
        .filter(|frame| frame.status == FrameStatus::Used)
        .count();
    if used == total {
        format!("{total} frames")
    } else {
        format!("{used} of {total} frames; the library says why")
    }
}
