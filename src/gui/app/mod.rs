//! The application: it owns the panels, answers what they want, and alone
//! starts work.

mod commands;
mod files;
mod finishing;
mod jobs;
mod keys;
mod pictures;
mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::futures::channel::mpsc;
use iced::theme::Mode as SystemMode;
use iced::{Subscription, Task, Theme, keyboard, system, time, window};

use super::notice::Level;
use super::stage::Mode;
use super::viewer;
use super::work::{Kept, Made};
use super::{
    activity, blurred, export, help, inspector, library, notice, preferences, results, stage,
    theme, welcome, worker,
};
use crate::handlers::Job;
use crate::handlers::cache::Cache;
use crate::handlers::import::{Entry, Found, Importer};
use crate::handlers::thumbnail::{self, Thumbnail};
use crate::settings::{Folders, Settings};
use crate::{Error, Result};

pub use commands::Command;
pub use jobs::{Ended, Told};

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
    inspector: inspector::State,
    activity: activity::State,
    results: results::State,
    notices: notice::State,
    welcome: welcome::State,
    dialog: Option<Dialog>,
    importer: Option<Importer>,
    pictures: pictures::Pictures,
    kept: Option<Arc<Kept>>,
    /// The work of finishing a result anew.
    finishing: Option<Arc<Job>>,
    /// A second result to compare the selected one with.
    other: Option<u64>,
    /// Which listing of files is the last one that was asked for.
    listing: u64,
    is_opening: bool,
    /// Whether the viewer shows the growing result of a job.
    is_watching: bool,
}

/// What lies above the window.
enum Dialog {
    Export(export::State),
    Preferences(preferences::State),
    Help(help::State),
    Blurred(blurred::State),
    Closing,
}

/// Everything that can happen.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something was chosen from the toolbar or by its key.
    Command(Command),
    /// In the library.
    Library(library::Message),
    /// In the viewer.
    Viewer(viewer::Message),
    /// Around the picture.
    Stage(stage::Message),
    /// In the inspector.
    Inspector(inspector::Message),
    /// In the bar at the bottom.
    Activity(activity::Message),
    /// In the strip of results.
    Results(results::Message),
    /// On a notice.
    Notice(notice::Message),
    /// In the empty window.
    Welcome(welcome::Message),
    /// In the export dialog.
    Export(export::Message),
    /// In the settings dialog.
    Preferences(preferences::Message),
    /// In the help.
    Help(help::Message),
    /// In the dialog that excludes blurred frames.
    Blurred(blurred::Message),
    /// In the dialog that asks before closing: whether to close.
    Closing(bool),
    /// The system's dialog gave files or a folder; whether to add them.
    Picked(Vec<PathBuf>, bool),
    /// Files were listed.
    Listed(u64, Result<Vec<Entry>>),
    /// Something was found out about a photograph.
    Found(Found),
    /// A picture for a recent folder.
    Cover(PathBuf, Result<Thumbnail>),
    /// A frame was read for the viewer.
    Loaded(pictures::Wanted, Result<Option<viewer::Picture>>),
    /// A job tells something.
    Told(Told),
    /// A job ended.
    Ended(Result<Ended>),
    /// A result was finished anew.
    Finished(u64, Result<Box<Made>>),
    /// Something small was done in the background.
    Done(Result<()>),
    /// How much is in the cache.
    CacheMeasured(u64),
    /// A key was pressed that no control took.
    Key(keyboard::Event),
    /// Something happened to the window.
    Window(window::Event),
    /// The system is light or dark.
    SystemTheme(SystemMode),
    /// Time to look after notices, settings and files.
    Ticked(Instant),
    /// The settings were written, or not.
    Saved(Box<Settings>, Result<()>),
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
            inspector: inspector::State::default(),
            activity: activity::State::default(),
            results: results::State::default(),
            notices: notice::State::default(),
            welcome: welcome::State::default(),
            dialog: None,
            importer: None,
            pictures: pictures::Pictures::default(),
            kept: None,
            finishing: None,
            other: None,
            listing: 0,
            is_opening: false,
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
        if inputs.is_empty() {
            tasks.push(app.covers());
        } else {
            tasks.push(app.open(inputs.to_vec()));
        }
        (app, Task::batch(tasks))
    }

    /// The title of the window.
    pub fn title(&self) -> String {
        match self.inputs.first() {
            Some(input) => format!("{} – Parfocal", super::work::name(input)),
            None => "Parfocal".to_owned(),
        }
    }

    /// The theme that the user or the system wants.
    pub fn theme(&self) -> Theme {
        theme::theme(self.settings.theme, self.system)
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The names of the photographs, and whether each takes part.
    pub fn frames(&self) -> impl Iterator<Item = (&str, bool)> {
        self.library
            .frames()
            .iter()
            .map(|frame| (frame.name.as_str(), frame.is_included))
    }

    /// How many photographs have a score of sharpness.
    pub fn scored(&self) -> usize {
        let frames = self.library.frames();
        frames.iter().filter(|frame| frame.score.is_some()).count()
    }

    /// How many results there are.
    pub fn results(&self) -> usize {
        self.results.items().len()
    }

    /// The phases that made the selected result, in lower case.
    pub fn phases(&self) -> Vec<&str> {
        let timings = self
            .results
            .selected()
            .map(|item| &item.made.report.timings);
        let phases = timings.into_iter().flatten();
        phases.map(|timing| timing.phase.as_str()).collect()
    }

    /// Whether a job runs.
    pub fn is_running(&self) -> bool {
        self.activity.is_running()
    }

    /// The notices in sight.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.notices.words()
    }

    /// The name of the picture in the viewer.
    pub fn shown(&self) -> Option<&str> {
        self.viewer.picture().map(viewer::Picture::name)
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let pace = if self.notices.is_empty() && !self.activity.is_running() {
            Duration::from_secs(2)
        } else {
            Duration::from_millis(500)
        };
        Subscription::batch([
            keyboard::listen().map(Message::Key),
            window::events().filter_map(|(_, event)| match event {
                window::Event::RedrawRequested(_) | window::Event::Moved(_) => None,
                event => Some(Message::Window(event)),
            }),
            system::theme_changes().map(Message::SystemTheme),
            time::every(pace).map(Message::Ticked),
        ])
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Command(command) => self.command(command),
            Message::Key(event) => self.key(event),
            Message::Library(message) => {
                let action = self.library.update(message);
                self.library_wants(action)
            }
            Message::Viewer(message) => match self.viewer.update(message) {
                viewer::Action::None => Task::none(),
                viewer::Action::Run(task) => task.map(Message::Viewer),
            },
            Message::Stage(message) => self.stage_message(message),
            Message::Inspector(message) => {
                self.inspector.update(message, &mut self.settings);
                self.refinish()
            }
            Message::Activity(message) => match self.activity.update(message) {
                activity::Action::None => Task::none(),
                activity::Action::Copy(text) => iced::clipboard::write(text),
            },
            Message::Results(message) => {
                let action = self.results.update(message);
                self.results_want(action)
            }
            Message::Notice(message) => match self.notices.update(message) {
                notice::Action::None => Task::none(),
                notice::Action::Show(file) => open_folder_of(file),
            },
            Message::Welcome(message) => match message {
                welcome::Message::Open => self.command(Command::Open),
                welcome::Message::Demo => self.command(Command::Demo),
                welcome::Message::Reopen(folder) => self.open(vec![folder]),
            },
            Message::Export(message) => self.export_message(message),
            Message::Preferences(message) => self.preferences_message(message),
            Message::Help(message) => self.help_message(message),
            Message::Blurred(message) => self.blurred_message(message),
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
                self.library.found(found);
                Task::none()
            }
            Message::Cover(path, result) => {
                if let Ok(thumbnail) = result {
                    self.welcome.cover(path, thumbnail);
                }
                Task::none()
            }
            Message::Loaded(wanted, result) => self.loaded(wanted, result),
            Message::Told(told) => self.told(told),
            Message::Ended(result) => self.ended(result),
            Message::Finished(number, result) => self.refinished(number, result),
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

    fn window(&mut self, event: window::Event) -> Task<Message> {
        match event {
            window::Event::Resized(size) => {
                self.settings.window.width = size.width;
                self.settings.window.height = size.height;
                Task::none()
            }
            window::Event::CloseRequested => self.command(Command::Close),
            window::Event::FileHovered(_) => {
                self.welcome.hover(true);
                Task::none()
            }
            window::Event::FilesHoveredLeft => {
                self.welcome.hover(false);
                Task::none()
            }
            window::Event::FileDropped(path) => {
                self.welcome.hover(false);
                // Several files come one by one.
                if self.library.is_empty() && !self.is_opening {
                    self.open(vec![path])
                } else {
                    self.add(vec![path])
                }
            }
            _ => Task::none(),
        }
    }

    fn tick(&mut self, now: Instant) -> Task<Message> {
        self.notices.tidy(now);
        let mut tasks = Vec::new();
        if self.settings != self.saved {
            self.saved = self.settings.clone();
            tasks.push(self.save());
        }
        if !self.inputs.is_empty() && !self.is_opening {
            tasks.push(self.look_for_changes());
        }
        Task::batch(tasks)
    }

    fn save(&self) -> Task<Message> {
        let (settings, path) = (self.settings.clone(), self.folders.settings.clone());
        let saved = Box::new(settings.clone());
        worker::compute(move || settings.save(&path))
            .map(move |result| Message::Saved(saved.clone(), result))
    }

    /// Writes the settings and goes.
    fn close_now(&mut self) -> Task<Message> {
        self.activity.cancel();
        let (settings, path) = (self.settings.clone(), self.folders.settings.clone());
        worker::compute(move || settings.save(&path)).then(|_| iced::exit())
    }

    /// Whether photographs, results or a job would be lost now.
    fn has_something_to_lose(&self) -> bool {
        self.settings.confirm_close && (self.activity.is_running() || self.results.unsaved() > 0)
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

fn open_folder_of(file: PathBuf) -> Task<Message> {
    let folder = file.parent().unwrap_or(&file).to_owned();
    open_outside(folder)
}

/// Opens a file, folder or address with the system's program for it.
fn open_outside(path: PathBuf) -> Task<Message> {
    worker::compute(move || super::work::open(&path)).map(Message::Done)
}
