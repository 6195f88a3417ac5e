//! How frames lie on top of each other.
//!
//! [`Aligner`] takes the frames of a stack one batch after another, measures
//! each against its neighbours and keeps only what later ones need; at the end
//! the poses of all are solved together.

mod aligner;
mod breathing;
mod choice;
mod consensus;
mod cover;
mod features;
mod fit;
mod graph;
mod level;
mod model;
mod pair;
mod search;
mod texture;
mod view;
mod window;

use serde::{Deserialize, Serialize};

use crate::core::Transform;

pub use self::aligner::Aligner;
pub use self::cover::common;
pub use self::features::{Detector, Features, Match, Point};
pub use self::graph::Link;
pub use self::model::Model;
pub use self::pair::{PairPose, SMALLEST, Start, measure};
pub use self::view::View;

/// How the pose of a frame is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// As ecc; pairs that it cannot tell are started from key points
    #[default]
    Auto,
    /// Enhanced correlation of windows, coarse to fine
    // Evangelidis and Psarakis, 2008.
    Ecc,
    /// Key points by ORB, compared at full size: fast
    Orb,
    /// Key points by SIFT, compared at full size: stands blur and turns
    Sift,
    /// Key points by AKAZE, compared at full size: stands noise
    Akaze,
    /// Key points by SIFT as the start of ecc
    Hybrid,
    /// The frames are taken as they are
    None,
}

impl Method {
    /// What finds its key points, if it always looks for them.
    pub fn detector(self) -> Option<Detector> {
        match self {
            Self::Orb => Some(Detector::Orb),
            Self::Sift | Self::Hybrid => Some(Detector::Sift),
            Self::Akaze => Some(Detector::Akaze),
            Self::Auto | Self::Ecc | Self::None => None,
        }
    }
}

/// What is believed of a pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Largest shift of the centre, in pixels.
    pub shift: f64,
    /// Largest change of size, as a share.
    pub scale: f64,
    /// Largest turn, in radians.
    pub rotation: f64,
}

impl Bounds {
    /// Says in which way a pose of a `width`×`height` frame on `what` is
    /// unbelievable.
    fn complaint(
        &self,
        pose: &Transform,
        (width, height): (usize, usize),
        what: &str,
    ) -> Option<String> {
        let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
        let [x, y] = pose.apply(cx, cy);
        let shift = (x - cx).hypot(y - cy);
        let scale = (pose.scale() - 1.0).abs();
        let turn = pose.rotation().abs();
        if !(shift.is_finite() && scale.is_finite()) {
            Some("its pose makes no sense".into())
        } else if shift > self.shift {
            Some(format!(
                "it lies {shift:.0} px off {what}, more than is allowed"
            ))
        } else if scale > self.scale {
            Some(format!(
                "its size differs by {:.1} % from {what}, more than is allowed",
                scale * 100.0
            ))
        } else if turn > self.rotation {
            Some(format!(
                "it is turned by {:.1}° against {what}, more than is allowed",
                turn.to_degrees()
            ))
        } else {
            None
        }
    }
}

/// A frame's place on the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Pose {
    /// Maps reference to frame pixels.
    pub transform: Transform,
    /// Mean correlation with its neighbours, 0 to 1; 1 for a lone frame.
    pub score: f64,
    /// True where it could not be measured against the frame just before it,
    /// but only against others.
    pub bridged: bool,
}

/// The poses of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// The frame whose geometry all are brought to.
    pub reference: usize,
    /// What the poses may do; never `Auto`.
    pub model: Model,
    /// True where the frames lay on each other already.
    pub still: bool,
    /// Pairs that were measured and believed.
    pub pairs: usize,
    /// How many of them needed key points to start from.
    pub seeded: usize,
    /// For each frame its pose, or why it has none.
    pub poses: Vec<Result<Pose, String>>,
}
