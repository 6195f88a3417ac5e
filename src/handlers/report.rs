//! What a job did, for people and scripts to read afterwards.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use super::options::StackOptions;
use crate::core::Transform;
use crate::core::align::{Method, Model};
use crate::core::stages::Stage;
use crate::core::warp::Area;

/// The record of one run, written as JSON by `--report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// The options in force.
    pub options: StackOptions,
    /// The device that did the work.
    pub device: String,
    /// The number of the frame whose geometry the result has, in stack order
    /// from 0.
    pub reference: usize,
    /// The files written: for `stack` the picture, for `align` the folder.
    pub output: Option<PathBuf>,
    /// Width and height of the result in pixels.
    pub size: [usize; 2],
    /// The part of the reference frame that the result shows.
    pub crop: Area,
    /// Seconds of wall-clock time per phase, in the order they ran.
    pub timings: Vec<Timing>,
    /// What threads did meanwhile, and how long: the sum of all of them, so that
    /// it may be more than the phases took.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// The most memory the process has used, in bytes; absent where the system
    /// does not tell.
    pub peak_memory: Option<u64>,
    /// What was found out about all frames together; absent where they were
    /// taken as they are.
    #[serde(default)]
    pub alignment: Option<AlignmentReport>,
    /// The mean squared fine detail of the quietest frame where it shows
    /// nothing, of full scale; absent where it was not measured.
    #[serde(default)]
    pub noise: Option<f32>,
    /// Each frame of the stack, in stack order.
    pub frames: Vec<FrameReport>,
    /// What the user was warned of.
    pub warnings: Vec<String>,
}

/// How long a phase took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The phase's name, in lower case.
    pub phase: String,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What was found out about how the frames of a stack lie on each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlignmentReport {
    /// How poses were looked for.
    pub method: Method,
    /// What the poses may do: the simplest that explains the frames, where it
    /// was left open.
    pub model: Model,
    /// Whether the frames lay on each other already.
    pub still: bool,
    /// Pairs of frames that the poses rest on.
    pub pairs: usize,
    /// How many of them were started from key points.
    pub seeded: usize,
}

impl Display for AlignmentReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.still {
            return write!(
                f,
                "the frames lie on each other already, as {} pairs say; they are taken as they are",
                self.pairs
            );
        }
        let (model, method) = (word(self.model), word(self.method));
        write!(
            f,
            "{} pairs of frames, by {method}, are explained by ",
            self.pairs
        )?;
        match self.model {
            Model::Affine | Model::Euclidean | Model::Auto => write!(f, "an {model} transform")?,
            _ => write!(f, "a {model}")?,
        }
        match self.seeded {
            0 => Ok(()),
            n => write!(f, "; {n} of them took key points to start from"),
        }
    }
}

/// The word for it on the command line.
fn word(value: impl clap::ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// What became of one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameReport {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes, by which it is known again; absent where the
    /// system does not tell.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Whether it is part of the result.
    pub status: FrameStatus,
    /// Why it is not, or what was done to keep it.
    pub reason: Option<String>,
    /// Its global sharpness; see [`crate::core::sharpness`].
    pub sharpness: Option<f64>,
    /// Maps reference pixel coordinates to this frame's (3×3, row by row);
    /// none where none was found.
    pub transform: Option<Transform>,
    /// What moved in it against the reference and was taken from there; absent
    /// where nothing did.
    #[serde(default)]
    pub moved: Option<MovedReport>,
    /// How well it lies on its neighbours: the correlation of the two in the
    /// windows that were compared, 0 to 1.
    pub alignment_score: Option<f64>,
    /// Whether it was measured over its neighbour, which failed it.
    #[serde(default)]
    pub bridged: bool,
    /// What its red, green and blue were multiplied by.
    pub gain: [f64; 3],
    /// What was then added to them, as a share of full scale.
    pub offset: [f64; 3],
}

/// What moved in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MovedReport {
    /// How much of the reference frame's area it covers.
    pub percent: f64,
    /// The smallest part of the reference frame that holds it, in its pixels.
    pub region: Area,
}

impl FrameReport {
    /// Whether it was read but could not be laid on the others.
    pub fn is_unaligned(&self) -> bool {
        self.status == FrameStatus::Failed && self.sharpness.is_some() && self.transform.is_none()
    }
}

/// Whether a frame is part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameStatus {
    /// It was fused.
    Used,
    /// It was left out on purpose: another size, or asked for by the user.
    Excluded,
    /// It could not be read or aligned.
    Failed,
}
