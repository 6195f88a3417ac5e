//! How aligned frames become one picture.

use serde::{Deserialize, Serialize};

/// The way of fusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Laplacian pyramid, the sharpest frame wins at each position and scale.
    #[default]
    Pyramid,
    /// Average weighted by sharpness: soft and quiet.
    Average,
}
