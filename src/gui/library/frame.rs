//! One photograph of the library, and what may be wrong with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::image::Handle;

use crate::gui::icon::Icon;
use crate::handlers::import::Entry;
use crate::handlers::thumbnail::Facts;
use crate::handlers::{FrameReport, FrameStatus};

/// One photograph.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its number, which stays the same as long as it is in the library.
    pub id: u64,
    /// The file.
    pub entry: Entry,
    /// Its name without the folder.
    pub name: String,
    /// Its picture, where that is known and kept.
    pub thumbnail: Option<Handle>,
    /// What is known of it.
    pub facts: Option<Facts>,
    /// How sharp it is.
    pub score: Option<f64>,
    /// How sharp its parts are, row by row of a square grid.
    pub cells: Arc<Vec<f64>>,
    /// Whether it takes part.
    pub is_included: bool,
    /// What went wrong with it.
    pub fault: Option<Fault>,
}

impl Frame {
    /// A photograph of which nothing is known yet.
    pub fn new(id: u64, entry: Entry, is_included: bool) -> Self {
        Self {
            id,
            name: name(&entry.path),
            entry,
            thumbnail: None,
            facts: None,
            score: None,
            cells: Arc::default(),
            is_included,
            fault: None,
        }
    }

    /// Whether the next job will try it.
    pub fn takes_part(&self) -> bool {
        self.is_included && !matches!(self.fault, Some(Fault::Unreadable(_)))
    }
}

/// Why a photograph is of no use, each with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be read.
    Unreadable(String),
    /// The last job could not read it.
    Failed(String),
    /// The last job could not lay it on the others.
    NotAligned(String),
    /// The last job left it out, for its size.
    LeftOut(String),
}

impl Fault {
    /// What a job tells of a photograph, where it did not use it.
    pub fn of(told: &FrameReport) -> Option<Self> {
        let reason = || told.reason.clone().unwrap_or_else(|| "left out".into());
        match told.status {
            FrameStatus::Used => None,
            FrameStatus::Excluded => Some(Self::LeftOut(reason())),
            FrameStatus::Failed if told.is_unaligned() => {
                let reason = reason();
                // The badge says that much.
                let why = reason.strip_prefix("could not be aligned: ");
                Some(Self::NotAligned(why.unwrap_or(&reason).to_owned()))
            }
            FrameStatus::Failed => Some(Self::Failed(reason())),
        }
    }

    /// What happened, in two words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "Cannot be read",
            Self::Failed(_) => "Failed",
            Self::NotAligned(_) => "Not aligned",
            Self::LeftOut(_) => "Left out",
        }
    }

    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unreadable(reason)
            | Self::Failed(reason)
            | Self::NotAligned(reason)
            | Self::LeftOut(reason) => reason,
        }
    }

    /// Its badge.
    pub fn icon(&self) -> Icon {
        match self {
            Self::Unreadable(_) | Self::Failed(_) => Icon::FileWarning,
            Self::NotAligned(_) => Icon::Unlink,
            Self::LeftOut(_) => Icon::CircleMinus,
        }
    }
}

/// A file's name without its folder.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What a user chose about the photographs: which take no part, and which one
/// the others are laid upon.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// The files that take no part.
    pub excluded: std::collections::BTreeSet<PathBuf>,
    /// The file that was made the reference.
    pub reference: Option<PathBuf>,
}
