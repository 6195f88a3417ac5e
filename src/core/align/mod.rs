//! How frames lie on top of each other.

use serde::{Deserialize, Serialize};

/// How the pose of a frame is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Whatever suits the stack.
    #[default]
    Auto,
    /// Enhanced correlation, coarse to fine (Evangelidis and Psarakis, 2008).
    Ecc,
    /// The frames are taken as they are.
    None,
}

/// What a pose may do to a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// The simplest of the others that explains the frames.
    #[default]
    Auto,
    /// Shift only.
    Translation,
    /// Shift and turn.
    Euclidean,
    /// Shift, turn and change of size.
    Similarity,
    /// Any parallelogram.
    Affine,
    /// Any perspective.
    Homography,
}
