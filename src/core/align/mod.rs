//! How frames lie on top of each other.
//!
//! [`Aligner`] takes the frames of a stack one batch after another, measures
//! each against its neighbours and keeps only what later ones need; at the end
//! the poses of all are solved together.

mod choice;
mod cover;
mod graph;
mod model;
mod pair;
mod window;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

use self::model::Normalised;
use crate::core::Transform;
use crate::core::grey::GreyPyramid;

pub use self::cover::common;
pub use self::graph::Link;
pub use self::model::Model;
pub use self::pair::{PairPose, SMALLEST, measure};

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
    /// Says in which way a pose of a `width`×`height` frame is unbelievable.
    fn complaint(&self, pose: &Transform, width: usize, height: usize) -> Option<String> {
        let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
        let [x, y] = pose.apply(cx, cy);
        let shift = (x - cx).hypot(y - cy);
        let scale = (pose.scale() - 1.0).abs();
        let turn = pose.rotation().abs();
        if !(shift.is_finite() && scale.is_finite()) {
            Some("its pose makes no sense".into())
        } else if shift > self.shift {
            Some(format!(
                "it lies {shift:.0} px off the reference, more than is allowed"
            ))
        } else if scale > self.scale {
            Some(format!(
                "its size differs by {:.1} %, more than is allowed",
                scale * 100.0
            ))
        } else if turn > self.rotation {
            Some(format!(
                "it is turned by {:.1}°, more than is allowed",
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

/// How frames that lie this far apart, in pixels at corners and centre, are
/// taken to lie on each other already.
const STILL: f64 = 0.05;
/// Pairs further apart than this in the stack are measured only where nearer
/// ones fail.
const NEIGHBOURS: usize = 2;
/// Frames kept to be compared with later ones.
const KEPT: usize = 4;

/// Measures frames against their neighbours as they come.
#[derive(Debug)]
pub struct Aligner {
    model: Model,
    bounds: Bounds,
    size: Option<(usize, usize)>,
    recent: VecDeque<(usize, Arc<GreyPyramid>)>,
    /// The last frame that lay on another one.
    anchor: Option<(usize, Arc<GreyPyramid>)>,
    links: Vec<Link>,
    /// Links in a richer model, where the usual one does not explain a pair.
    richer: Vec<Link>,
}

/// A pair as measured.
struct Measured {
    link: Link,
    richer: Option<Link>,
}

fn link(from: usize, to: usize, found: &PairPose) -> Link {
    Link {
        from,
        to,
        transform: found.transform,
        model: found.model,
        information: found.information.clone(),
        error: found.error,
        correlation: found.correlation,
    }
}

impl Aligner {
    /// Nothing measured yet. Poses are limited to `model` and to `bounds`.
    pub fn new(model: Model, bounds: Bounds) -> Self {
        Self {
            model,
            bounds,
            size: None,
            recent: VecDeque::new(),
            anchor: None,
            links: Vec::new(),
            richer: Vec::new(),
        }
    }

    /// The measurements so far.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Takes the next frames in stack order, with their numbers, and measures
    /// each against those before it. All frames have one size.
    pub fn add(&mut self, frames: Vec<(usize, GreyPyramid)>) {
        let first = self.recent.len();
        for (index, pyramid) in frames {
            let full = &pyramid.levels()[0];
            self.size.get_or_insert((full.width, full.height));
            self.recent.push_back((index, Arc::new(pyramid)));
        }
        let added = first..self.recent.len();

        // Next neighbours first: they give the others their seed.
        let next: Vec<(usize, usize)> = added
            .clone()
            .filter(|&to| to > 0)
            .map(|to| (to - 1, to))
            .collect();
        self.measure_all(&next);
        for gap in 2..KEPT {
            let pairs: Vec<(usize, usize)> = added
                .clone()
                .filter(|&to| to >= gap && (gap <= NEIGHBOURS || !self.is_well_linked(to)))
                .map(|to| (to - gap, to))
                .collect();
            self.measure_all(&pairs);
        }
        for to in added {
            self.link_to_anchor(to);
        }
        while self.recent.len() > KEPT {
            self.recent.pop_front();
        }
    }

    fn measure_all(&mut self, places: &[(usize, usize)]) {
        let measured: Vec<Measured> = places
            .par_iter()
            .filter_map(|&(from, to)| {
                let (from, to) = (&self.recent[from], &self.recent[to]);
                self.measured(from, to)
            })
            .collect();
        measured
            .into_iter()
            .for_each(|measured| self.keep(measured));
    }

    fn keep(&mut self, measured: Measured) {
        self.links.push(measured.link);
        self.richer.extend(measured.richer);
    }

    fn measured(
        &self,
        from: &(usize, Arc<GreyPyramid>),
        to: &(usize, Arc<GreyPyramid>),
    ) -> Option<Measured> {
        let (width, height) = self.size?;
        let found = match self.seed(from.0, to.0) {
            Some(seed) => measure(&from.1, &to.1, self.model, Some(seed)),
            None => measure(&from.1, &to.1, self.model, None),
        }?;
        tracing::debug!(
            "{} → {}: ρ {:.3} error {:.3} px agreement {:.2}",
            from.0,
            to.0,
            found.correlation,
            found.error,
            found.agreement
        );
        let believable = found.agreement >= 0.12
            && found.error < 1.0
            && found.correlation > 0.35
            && self
                .bounds
                .complaint(&found.transform, width, height)
                .is_none();
        believable.then(|| Measured {
            link: link(from.0, to.0, &found),
            richer: found
                .richer
                .as_ref()
                .map(|richer| link(from.0, to.0, richer)),
        })
    }

    /// What the links so far say of a pair, over one frame between them.
    fn seed(&self, from: usize, to: usize) -> Option<Transform> {
        let leg = |from, to| {
            self.links
                .iter()
                .find(|link| link.from == from && link.to == to)
        };
        self.links
            .iter()
            .filter(|link| link.from == from)
            .find_map(|first| Some(first.transform.then(&leg(first.to, to)?.transform)))
    }

    fn is_well_linked(&self, place: usize) -> bool {
        let index = self.recent[place].0;
        self.links.iter().filter(|link| link.to == index).count() >= NEIGHBOURS
    }

    /// After a run of bad frames, connects the first good one with what was
    /// good before them.
    fn link_to_anchor(&mut self, place: usize) {
        let frame = self.recent[place].clone();
        let is_linked = |links: &[Link]| links.iter().any(|l| l.to == frame.0);
        if !is_linked(&self.links)
            && let Some(anchor) = self.anchor.clone()
            && let Some(measured) = self.measured(&anchor, &frame)
        {
            self.keep(measured);
        }
        if is_linked(&self.links) {
            self.anchor = Some(frame);
        }
    }

    /// The poses of `count` frames about `reference`; the reason for each that
    /// has none. `reference` of `None` takes the middle of those that lie on
    /// each other.
    pub fn finish(&self, frames: &[usize], reference: Option<usize>) -> Alignment {
        let count = frames.iter().max().map_or(0, |last| last + 1);
        let (width, height) = self.size.unwrap_or((1, 1));
        let component = match reference {
            Some(reference) => graph::connected(count, &self.links, reference),
            None => graph::largest_component(count, &self.links),
        };
        let members: Vec<usize> = frames.iter().copied().filter(|&i| component[i]).collect();
        // Where no two match, the largest set may be a frame that is not among
        // those given: one that could not be read.
        let middle = members.get(members.len() / 2).or(frames.first());
        let reference = reference.or(middle.copied()).unwrap_or(0);
        let frame = Normalised::new(width, height);
        let (model, links) = match self.model {
            Model::Auto => choice::choose(&self.links, &self.richer, frame),
            model => (model, self.links.clone()),
        };
        let poses = graph::solve(count, &links, reference, model, frame);

        let still = poses
            .iter()
            .flatten()
            .all(|pose| pose.distance(&Transform::IDENTITY, width, height) < STILL);
        let entries = (0..count)
            .map(|index| {
                let transform =
                    poses[index].ok_or_else(|| "it matches none of its neighbours".to_owned())?;
                if let Some(complaint) = self.bounds.complaint(&transform, width, height) {
                    return Err(complaint);
                }
                let own: Vec<&Link> = self
                    .links
                    .iter()
                    .filter(|link| link.from == index || link.to == index)
                    .collect();
                let score = match own.len() {
                    0 => 1.0,
                    n => own.iter().map(|link| link.correlation).sum::<f64>() / n as f64,
                };
                let bridged = !own
                    .iter()
                    .any(|link| link.to == index && link.from + 1 == index)
                    && index > 0
                    && index != reference;
                let transform = if still {
                    Transform::IDENTITY
                } else {
                    transform
                };
                Ok(Pose {
                    transform,
                    score,
                    bridged,
                })
            })
            .collect();
        Alignment {
            reference,
            model,
            still,
            poses: entries,
        }
    }
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
    /// For each frame its pose, or why it has none.
    pub poses: Vec<Result<Pose, String>>,
}
