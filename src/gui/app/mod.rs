//! The application: it owns the panels, answers what they want, and alone
//! starts work.

mod commands;
mod files;
mod finishing;
mod jobs;
mod keys;
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
use std::time::{Duration, Instant};

use iced::futures::channel::mpsc;
use iced::theme::Mode as SystemMode;
use iced::{Subscription, Task, Theme, keyboard, system, time, window};

use super::notice::Level;
use super::stage::Mode;
use super::viewer;
use super::work::Kept;
use super::{
    activity, blurred, export, export_frames, help, inspector, library, notice, preferences,
    results, scrubber, stage, store, theme, trash, welcome, worker,
};
use crate::core::finish::Finish;
use crate::core::thumbnail::Rgba;
use crate::handlers::Device;
use crate::handlers::Phase;
use crate::handlers::cache::Cache;
use crate::handlers::import::{Entry, Found, Importer};
use crate::handlers::thumbnail::{self, Thumbnail};
use crate::settings::{Folders, Settings};
use crate::{Error, Result};

pub use commands::Command;
pub use jobs::{Ended, Told};
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

/// Everything that can happen.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something was chosen from the toolbar or by its key.
    Command(Command),
    /// In the library.
    Library(library::Message),
    /// In the viewer.
    Viewer(viewer::Message),
    /// Above the picture.
    Stage(stage::Message),
    /// In the bar that runs through the frames.
    Scrubber(scrubber::Message),
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
    /// In the dialog that exports aligned frames.
    ExportFrames(export_frames::Message),
    /// In the settings dialog.
    Preferences(preferences::Message),
    /// In the help.
    Help(help::Message),
    /// In the dialog that excludes blurred frames.
    Blurred(blurred::Message),
    /// In the dialog that asks before photographs go to the trash.
    Trash(trash::Message),
    /// These files went to the trash, and the others did not.
    Trashed(Vec<PathBuf>, Vec<Error>),
    /// Gaps were looked for in the focus range of this state of the library.
    Jumps(u64, Result<Vec<library::Jump>>),
    /// The edge of a panel was dragged; `None` for the usual width.
    Widened(Panel, Option<f32>),
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
    /// A picture was made ready for the viewer.
    Loaded(pictures::Wanted, Result<viewer::Picture>),
    /// A result, finished in this way, was made small for the strip.
    Depicted(u64, Finish, Result<Rgba>),
    /// It may be time for the next frame.
    Played,
    /// The pixels of a result were put into a file, or not.
    Spilled(u64, Result<store::Stored>),
    /// A job tells something.
    Told(Told),
    /// A job ended.
    Ended(Result<Ended>),
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

    /// The names of the photographs before each gap in the focus range.
    pub fn jumps(&self) -> Vec<&str> {
        let name = |jump: &library::Jump| self.library.frame(jump.before);
        let frames = self.library.jumps().iter().filter_map(name);
        frames.map(|frame| frame.name.as_str()).collect()
    }

    /// How many photographs have had a thumbnail.
    pub fn thumbnails(&self) -> usize {
        let frames = self.library.frames();
        frames.iter().filter(|frame| frame.facts.is_some()).count()
    }

    /// How many results there are.
    pub fn results(&self) -> usize {
        self.results.items().len()
    }

    /// The phases that made the selected result, in lower case.
    pub fn phases(&self) -> Vec<&str> {
        let timings = self.results.selected().map(|item| &item.report.timings);
        let phases = timings.into_iter().flatten();
        phases.map(|timing| timing.phase.as_str()).collect()
    }

    /// Lets no more than these bytes of results stay in memory, besides the
    /// newest one.
    pub fn bound_results(&mut self, bytes: u64) {
        self.results_limit = bytes;
    }

    /// How many results are in memory and how many in files.
    pub fn stored(&self) -> (usize, usize) {
        let items = self.results.items().iter();
        let (memory, disk): (Vec<_>, Vec<_>) =
            items.partition(|item| matches!(item.stored, store::Stored::Memory(_)));
        (memory.len(), disk.len())
    }

    /// Whether frames run by themselves.
    pub fn is_playing(&self) -> bool {
        self.scrubber.is_playing
    }

    /// Whether a job runs.
    pub fn is_running(&self) -> bool {
        self.activity.is_running()
    }

    /// The phase of the running job, and how many of its steps are done.
    pub fn progress(&self) -> Option<(Phase, usize)> {
        self.activity.progress()
    }

    /// The notices in sight.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.notices.words()
    }

    /// The name of the picture in the viewer.
    pub fn shown(&self) -> Option<&str> {
        self.viewer.picture().map(viewer::Picture::name)
    }

    /// The picture in the viewer, or the first of two.
    pub fn picture(&self) -> Option<&viewer::Picture> {
        self.viewer.picture()
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
            if self.scrubber.is_playing {
                time::every(self.scrubber.pace.pause()).map(|_| Message::Played)
            } else {
                Subscription::none()
            },
        ])
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
        if !self.notices.offers_to_restore() {
            self.results.forget_discarded();
        }
        let mut tasks = Vec::new();
        if self.scrubber.rest(now) {
            tasks.push(self.show());
        }
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

fn look_for_jumps(asked: library::Asked) -> Task<Message> {
    let number = asked.number;
    worker::compute(move || Ok(asked.look())).map(move |jumps| Message::Jumps(number, jumps))
}
