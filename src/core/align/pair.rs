//! How one frame lies on another, coarse to fine.
//!
//! At each level of the two pyramids a few hundred windows are compared, and
//! one step of the whole pose is taken from what they say together, weighted
//! by what each can know and robust against those that disagree. The last
//! level is the largest that is there, so the pose is as fine as that. Key
//! points that both frames share can take the place of the search, or of the
//! windows' grid.

use super::consensus::THRESHOLD;
use super::features::Match;
use super::fit::{Seen, fit, is_bent};
use super::level::Level;
use super::model::{Model, Normalised};
use super::search::search;
use super::view::View;
use super::window::{Observation, Patch};
use crate::core::Transform;

/// The shortest side, in pixels, of the smallest level that is compared.
pub const SMALLEST: usize = 24;
/// Levels, largest first, that are compared together at the end.
const TOGETHER: usize = 2;
/// Steps per level at most.
const STEPS: usize = 12;
/// Most windows at the end, where all counts that can be known.
const WINDOWS: usize = 800;
/// Most windows of a pair over others between, which only steadies what those say.
const BESIDE: usize = 300;
/// Most windows at a level that only leads to the next.
const ROUGHLY: usize = 100;
/// Each of how many windows leads the others at the end, and fewer than how many
/// lead nowhere.
const LEADING: usize = 7;
const ENOUGH: usize = 60;

/// How a frame lies on another.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPose {
    /// Maps template to moving pixels.
    pub transform: Transform,
    /// Mean correlation of the windows that agree, 0 to 1.
    pub correlation: f64,
    /// Expected error in pixels, root mean square over corners and centre.
    pub error: f64,
    /// Share of the windows with texture that agree with the pose.
    pub agreement: f64,
    /// The information matrix of the pose's freedoms in normal coordinates.
    pub information: Vec<Vec<f64>>,
    /// What the pose may do; never `Auto`.
    pub model: Model,
    /// Where the model was left open: the same in a richer model, if this one
    /// does not explain the pair.
    pub richer: Option<Box<PairPose>>,
}

/// What is known of a pose before it is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Nothing: all shifts that leave half of the frame are tried, small.
    Search,
    /// It is right to within a few pixels.
    Rough(Transform),
    /// It is right to within a pixel.
    Near(Transform),
}

/// Finds how `moving` lies on `template`, as far as `model` allows. `None`
/// where the two have too little in common to tell.
pub fn measure(template: &View, moving: &View, model: Model, start: Start) -> Option<PairPose> {
    let (levels, frame) = (levels(template, moving), normalised(template));
    let (mut pose, top) = match start {
        Start::Near(pose) => (pose, 1),
        Start::Rough(pose) => (pose, levels.len().min(3)),
        Start::Search => {
            let top = levels.len() - 1;
            let [own, other] = [template, moving].map(|view| &view.pyramid().levels()[top]);
            let [dx, dy] = search(own, other).map(|s| s * levels[top].factor());
            (Transform::translation(dx, dy), levels.len())
        }
    };
    // The smallest levels have too few pixels to tell more than shift, turn
    // and size. A level may have no texture where the next one has.
    for level in levels[1..].iter().take(top.saturating_sub(1)).rev() {
        let spots = template.spots(moving, level.level, &pose, ROUGHLY);
        let patches = [level.patches(&spots)];
        let about = model.min(Model::Similarity);
        if let Some(fit) = refine(&[level], &patches, about, frame, pose, COARSE) {
            pose = fit.pose.transform;
        }
    }
    // Who says where a pair lies to within a pixel knows most of it already.
    let count = match start {
        Start::Near(_) => BESIDE,
        Start::Rough(_) | Start::Search => WINDOWS,
    };
    let spots = template.spots(moving, 0, &pose, count);
    conclude(&levels, &spots, model, frame, pose)
}

/// Finds how `moving` lies on `template` from the surroundings of key points:
/// `matches` agree with `pose` to within a few pixels.
pub fn measure_at(
    template: &View,
    moving: &View,
    model: Model,
    pose: Transform,
    matches: &[Match],
) -> Option<PairPose> {
    let (levels, frame) = (levels(template, moving), normalised(template));
    let pose = by_points(matches, model.min(Model::Similarity), frame, pose)?;
    let spots: Vec<[f64; 2]> = matches.iter().take(WINDOWS).map(|m| m.from).collect();
    conclude(&levels, &spots, model, frame, pose)
}

/// The pose that fits matched points best.
fn by_points(
    matches: &[Match],
    model: Model,
    frame: Normalised,
    mut pose: Transform,
) -> Option<Transform> {
    for _ in 0..3 {
        let back = pose.inverse()?;
        let seen: Vec<Seen> = matches
            .iter()
            .map(|m| {
                let [x, y] = back.apply(m.to[0], m.to[1]);
                // A point is known to a fraction of its size.
                let sure = (0.05 * m.size).clamp(0.3, THRESHOLD).powi(-2);
                Seen {
                    level: 0,
                    observation: Observation {
                        centre: m.from,
                        shift: [x - m.from[0], y - m.from[1]],
                        information: [sure, 0.0, sure],
                        correlation: 1.0,
                    },
                }
            })
            .collect();
        pose = model
            .small(&fit(&seen, model, frame)?.step, frame)
            .then(&pose);
    }
    Some(pose)
}

/// The last steps, about places of the full size, in the simplest model that
/// explains what is seen, and in a richer one where that is open and helps.
///
/// The largest, where focus is sharp, has its say together with those above it,
/// where it is not.
fn conclude(
    levels: &[Level],
    spots: &[[f64; 2]],
    model: Model,
    frame: Normalised,
    pose: Transform,
) -> Option<PairPose> {
    let last: Vec<&Level> = levels.iter().take(TOGETHER).collect();
    let patches: Vec<Vec<Patch>> = last.iter().map(|level| level.patches(spots)).collect();
    let (last, patches) = (&last[..], &patches[..]);
    let pose = led(last, patches, model, frame, pose);
    if model != Model::Auto {
        return refine(last, patches, model, frame, pose, FINE).map(|refined| refined.pose);
    }
    let mut found = refine(last, patches, Model::Similarity, frame, pose, FINE)?;
    for richer in [Model::Affine, Model::Homography] {
        if is_bent(&found.seen, richer, frame) {
            let from = found.pose.transform;
            let bent = refine(last, patches, richer, frame, from, FINE);
            found.pose.richer = bent.map(|refined| Box::new(refined.pose));
            break;
        }
    }
    Some(found.pose)
}

fn levels<'a>(template: &'a View, moving: &'a View) -> Vec<Level<'a>> {
    let pairs = template.softened().iter().zip(moving.softened());
    (template.pyramid().halvings() as usize..)
        .zip(pairs)
        .map(|(level, (template, moving))| Level {
            template,
            moving,
            level,
        })
        .collect()
}

fn normalised(view: &View) -> Normalised {
    let (width, height) = view.size();
    Normalised::new(width, height)
}

/// A pose, and what the windows say when it is in force.
struct Refined {
    pose: PairPose,
    seen: Vec<Seen>,
}

/// A pose rests when the next step would be shorter than this, in pixels of its
/// level: where finer levels follow, where some windows lead the rest, and where
/// nothing follows.
const COARSE: f64 = 0.1;
const LED: f64 = 0.02;
const FINE: f64 = 0.02;
/// How much shorter the second step is taken to be than the first.
const SHORTER: f64 = 0.3;

/// The pose that some of the windows lead to, so that all have to be asked once
/// only, or twice.
fn led(
    levels: &[&Level],
    patches: &[Vec<Patch>],
    model: Model,
    frame: Normalised,
    pose: Transform,
) -> Transform {
    let some = |all: &Vec<Patch>| all.iter().step_by(LEADING).cloned().collect();
    let some: Vec<Vec<Patch>> = patches.iter().map(some).collect();
    if some.iter().map(Vec::len).sum::<usize>() < ENOUGH {
        return pose;
    }
    let about = model.min(Model::Similarity);
    refine(levels, &some, about, frame, pose, LED).map_or(pose, |led| led.pose.transform)
}

/// Takes steps at the given levels together until the pose rests.
fn refine(
    levels: &[&Level],
    patches: &[Vec<Patch>],
    model: Model,
    frame: Normalised,
    mut pose: Transform,
    rest: f64,
) -> Option<Refined> {
    let finest = levels.first()?.factor();
    let mut before = None;
    for step in 0..STEPS {
        let seen: Vec<Seen> = levels
            .iter()
            .zip(patches)
            .flat_map(|(level, patches)| level.observe(patches, &pose))
            .collect();
        let fit = fit(&seen, model, frame)?;
        pose = model.small(&fit.step, frame).then(&pose);
        let moved = fit.step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
        // Steps shorten by about the same from one to the next.
        let shorter = before.map_or(SHORTER, |before| moved / before);
        before = Some(moved);
        if shorter * moved < rest * finest || step + 1 == STEPS {
            let textured = patches.iter().map(Vec::len).sum();
            let pose = fit.judge(pose, &seen, textured, model, frame)?;
            return Some(Refined { pose, seen });
        }
    }
    None
}
