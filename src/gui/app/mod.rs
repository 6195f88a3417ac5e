//! The application: it owns the panels, answers what they want, and alone
//! starts work.

mod commands;
mod dialogs;
mod facts;
mod files;
mod finishing;
mod jobs;
mod keys;
mod life;
mod message;
mod outside;
mod panels;
mod pictures;
mod player;
mod settings;
mod undo;
mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use iced::futures::channel::mpsc;
use iced::theme::Mode as SystemMode;
use iced::{Task, system};

use super::notice::Level;
use super::stage::Mode;
use super::work::Kept;
use super::{
    activity, blurred, export, export_frames, help, inspector, library, notice, preferences,
    results, scrubber, stage, store, trash, viewer, welcome, worker,
};
use crate::Error;
use crate::handlers::Device;
use crate::handlers::cache::Cache;
use crate::handlers::import::{Found, Importer};
use crate::handlers::thumbnail;
use crate::settings::{Folders, Settings};

pub use commands::Command;
pub use jobs::{Ended, Told};
pub use message::Message;
pub use panels::Panel;

/// The whole state of the window.
pub struct App {
    folders: Folders,
    settings: Settings,
    /// As they are on the disk.
    saved: Settings,
    system: SystemMode,
    /// What was opened and added: folders and files.
    inputs: Vec<PathBuf>,
    /// Photographs that were taken out by hand.
    removed: BTreeSet<PathBuf>,
    library: library::State,
    viewer: viewer::State,
    stage: stage::State,
    scrubber: scrubber::State,
    inspector: inspector::State,
    activity: activity::State,
    results: results::State,
    notices: notice::State,
    welcome: welcome::State,
    dialog: Option<Dialog>,
    importer: Option<Importer>,
    pictures: pictures::Pictures,
    kept: Option<Arc<Kept>>,
    /// What did the work of the last job, and what was wished for then.
    device: Option<(Device, String)>,
    /// How often it was found out how frames lie on each other.
    alignments: u64,
    /// When the frame that is shown had its turn.
    played: Instant,
    /// Whether a result is being put into a file, or could not be.
    is_spilling: bool,
    /// The most bytes of results in memory.
    results_limit: u64,
    /// A second result to compare the selected one with.
    other: Option<u64>,
    /// Which listing of files is the last one that was asked for.
    listing: u64,
    is_opening: bool,
    /// Whether what is being opened is what was open last time.
    is_reopening: bool,
    history: undo::History,
    /// Whether the viewer shows the growing result of a job.
    is_watching: bool,
}

/// What lies above the window.
enum Dialog {
    Export(export::State),
    ExportFrames(export_frames::State),
    Preferences(preferences::State),
    Help(help::State),
    Blurred(blurred::State),
    Trash(trash::State),
    Closing,
}

impl App {
    /// The window as it opens, with the photographs of `inputs` if there are
    /// some, and a fault of the settings to report.
    pub fn new(
        folders: Folders,
        settings: Settings,
        fault: Option<Error>,
        inputs: &[PathBuf],
    ) -> (Self, Task<Message>) {
        let (found, finds) = mpsc::unbounded();
        let cache = Cache::new(folders.cache.clone(), settings.cache_limit);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let importer = Importer::start(
            processors.saturating_sub(1).max(1),
            cache.clone(),
            settings.resources.limits,
            move |what| {
                // Nobody listens once the window is closed.
                let _ = found.unbounded_send(what);
            },
        );
        let mut app = Self {
            saved: settings.clone(),
            system: SystemMode::None,
            inputs: Vec::new(),
            removed: BTreeSet::new(),
            library: library::State::default(),
            viewer: viewer::State::new(),
            stage: stage::State::default(),
            scrubber: scrubber::State::default(),
            inspector: inspector::State::default(),
            activity: activity::State::default(),
            results: results::State::default(),
            notices: notice::State::default(),
            welcome: welcome::State::default(),
            dialog: None,
            importer: None,
            pictures: pictures::Pictures::default(),
            kept: None,
            device: None,
            alignments: 0,
            played: Instant::now(),
            is_spilling: false,
            results_limit: store::LIMIT,
            other: None,
            listing: 0,
            is_opening: false,
            is_reopening: false,
            history: undo::History::default(),
            is_watching: false,
            folders,
            settings,
        };
        match importer {
            Ok(importer) => app.importer = Some(importer),
            Err(fault) => app.report(&fault),
        }
        if let Some(fault) = fault {
            app.report(&fault);
        }
        let trim = worker::compute(move || {
            cache.trim();
            Ok(())
        });
        let mut tasks = vec![
            Task::run(finds, Message::Found),
            system::theme().map(Message::SystemTheme),
            trim.map(Message::Done),
        ];
        if !inputs.is_empty() {
            tasks.push(app.open(inputs.to_vec()));
        } else if app.settings.reopen && !app.settings.open.is_empty() {
            app.is_reopening = true;
            tasks.push(app.open(app.settings.open.clone()));
        } else {
            tasks.push(app.covers());
        }
        (app, Task::batch(tasks))
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        let task = self.answer(message);
        match self.library.ask_for_jumps() {
            Some(asked) => Task::batch([task, look_for_jumps(asked)]),
            None => task,
        }
    }

    fn answer(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Command(command) => self.command(command),
            Message::Key(event) => self.key(event),
            Message::Library(message) => self.undoable(|app| {
                let action = app.library.update(message);
                app.library_wants(action)
            }),
            Message::Viewer(message) => {
                let task = match self.viewer.update(message) {
                    viewer::Action::None => Task::none(),
                    viewer::Action::Run(task) => task.map(Message::Viewer),
                };
                Task::batch([task, self.play_on()])
            }
            Message::Stage(message) => self.stage_message(message),
            Message::Scrubber(message) => self.scrubber_message(message),
            Message::Played => self.play_on(),
            Message::Inspector(message) => {
                self.inspector.update(message, &mut self.settings);
                self.refinish()
            }
            Message::Activity(message) => match self.activity.update(message) {
                activity::Action::None => Task::none(),
                activity::Action::Copy(text) => iced::clipboard::write(text),
                activity::Action::Scroll(what, to) => iced::widget::operation::scroll_to(what, to),
            },
            Message::Results(message) => {
                let action = self.results.update(message);
                self.results_want(action)
            }
            Message::Notice(message) => match self.notices.update(message) {
                notice::Action::None => Task::none(),
                notice::Action::Show(file) => outside::open_folder_of(&file),
                notice::Action::Open(path) => outside::open_outside(path),
                notice::Action::Restore => {
                    let action = self.results.restore();
                    self.results_want(action)
                }
            },
            Message::Welcome(message) => match message {
                welcome::Message::Open => self.command(Command::Open),
                welcome::Message::Demo => self.command(Command::Demo),
                welcome::Message::Reopen(folder) => self.open(vec![folder]),
            },
            Message::Export(message) => self.export_message(message),
            Message::ExportFrames(message) => self.export_frames_message(message),
            Message::Preferences(message) => self.preferences_message(message),
            Message::Help(message) => self.help_message(message),
            Message::Blurred(message) => self.blurred_message(message),
            Message::Trash(message) => self.trash_message(message),
            Message::Trashed(gone, faults) => self.trashed(&gone, &faults),
            Message::Jumps(number, jumps) => {
                self.library.take_jumps(number, jumps.unwrap_or_default());
                Task::none()
            }
            Message::Widened(panel, width) => {
                self.widen(panel, width);
                Task::none()
            }
            Message::Closing(true) => self.close_now(),
            Message::Closing(false) => {
                self.dialog = None;
                Task::none()
            }
            Message::Picked(paths, false) => self.open(paths),
            Message::Picked(paths, true) => self.add(paths),
            Message::Listed(number, result) => self.listed(number, result),
            Message::Found(found) => {
                if let Found::Thumbnail(_, Err(fault)) = &found {
                    self.activity.note(Level::Warning, fault.to_string());
                }
                let scored = match &found {
                    Found::Score(id, Ok(score)) => self.pictures.score(*id, &score.cells),
                    _ => false,
                };
                self.library.found(found);
                if scored { self.show() } else { Task::none() }
            }
            Message::Cover(path, result) => {
                if let Ok(thumbnail) = result {
                    self.welcome.cover(path, thumbnail);
                }
                Task::none()
            }
            Message::Loaded(wanted, result) => self.loaded(wanted, result),
            Message::Depicted(number, finish, small) => {
                if let Ok(small) = small {
                    self.results.depict(number, finish, small);
                }
                Task::none()
            }
            Message::Spilled(number, result) => self.spilled(number, result),
            Message::Told(told) => self.told(told),
            Message::Ended(result) => self.ended(result),
            Message::Done(result) => {
                if let Err(fault) = result {
                    self.report(&fault);
                }
                Task::none()
            }
            Message::CacheMeasured(bytes) => {
                if let Some(Dialog::Preferences(dialog)) = &mut self.dialog {
                    dialog.cached = Some(bytes);
                }
                Task::none()
            }
            Message::Window(event) => self.window(event),
            Message::SystemTheme(mode) => {
                self.system = mode;
                self.library.repaint();
                Task::none()
            }
            Message::Ticked(now) => self.tick(now),
            Message::Saved(settings, result) => {
                self.saved = *settings;
                if let Err(fault) = result {
                    self.report(&fault);
                }
                Task::none()
            }
        }
    }

    /// Puts up a fault as a notice, and into the log.
    fn report(&mut self, fault: &Error) {
        let words = fault.to_string();
        self.activity.note(Level::Error, words.clone());
        self.notices.push(Level::Error, words, None);
    }

    fn covers(&self) -> Task<Message> {
        let limits = self.settings.resources.limits;
        let recent = self.settings.recent.iter();
        Task::batch(recent.map(|recent| {
            let (path, cache) = (recent.cover.clone(), self.cache());
            let cover = path.clone();
            worker::compute(move || thumbnail::thumbnail(&path, &limits, &cache))
                .map(move |result| Message::Cover(cover.clone(), result))
        }))
    }

    fn cache(&self) -> Cache {
        Cache::new(self.folders.cache.clone(), self.settings.cache_limit)
    }

    fn mode(&self) -> Mode {
        self.stage.mode
    }
}

fn look_for_jumps(asked: library::Asked) -> Task<Message> {
    let number = asked.number;
    worker::compute(move || Ok(asked.look())).map(move |jumps| Message::Jumps(number, jumps))
}
