//! Everything that can happen in the window.

use std::path::PathBuf;
use std::time::Instant;

use iced::theme::Mode as SystemMode;
use iced::{keyboard, window};

use super::{Command, Ended, Panel, Told, pictures};
use crate::core::finish::Finish;
use crate::core::thumbnail::Rgba;
use crate::gui::{
    activity, blurred, export, export_frames, help, inspector, library, notice, preferences,
    results, scrubber, stage, store, trash, viewer, welcome,
};
use crate::handlers::import::{Entry, Found};
use crate::handlers::thumbnail::Thumbnail;
use crate::settings::Settings;
use crate::{Error, Result};

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
