//! Measures the frames of a stack against their neighbours, and solves for all.

use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use super::breathing::{self, Size};
use super::consensus::consensus;
use super::features::Detector;
use super::graph::{self, Link};
use super::model::{Model, Normalised};
use super::pair::{PairPose, Start, measure, measure_at};
use super::view::View;
use super::{Alignment, Bounds, Method, Pose, choice};
use crate::core::Transform;

/// A frame that is moved by less, in pixels at corners and centre, is taken to
/// lie where it is.
const STILL: f64 = 0.1;
/// The same, as a multiple of the doubt about its pose: what blur does to
/// edges at other depths errs the same way from frame to frame.
const DOUBTFUL: f64 = 8.0;
/// A frame that is moved by more is never taken to lie where it is.
const VISIBLE: f64 = 0.2;
/// Pairs further apart than this in the stack are measured only where nearer
/// ones fail.
const NEIGHBOURS: usize = 2;
/// Frames kept to be compared with later ones.
const KEPT: usize = 4;
/// A link this far, in pixels, from what all say together disagrees.
const DISAGREES: f64 = 1.5;

/// A frame's number and its view.
type Entry = (usize, Arc<View>);

/// Measures frames against their neighbours as they come.
#[derive(Debug)]
pub struct Aligner {
    method: Method,
    model: Model,
    bounds: Bounds,
    size: Option<(usize, usize)>,
    recent: VecDeque<Entry>,
    /// The last frame that lay on another one.
    anchor: Option<Entry>,
    links: Vec<Link>,
    /// Links in a richer model, where the usual one does not explain a pair.
    richer: Vec<Link>,
    /// Pairs whose pose was measured but not believed, and why.
    refused: Vec<(usize, usize, String)>,
    /// Frames that show nothing.
    flat: Vec<usize>,
    seeded: usize,
}

/// A pair as measured.
struct Measured {
    from: usize,
    to: usize,
    pose: PairPose,
    /// Whether it took key points to find it.
    seeded: bool,
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
    /// Nothing measured yet. Poses are found by `method` and limited to `model`
    /// and to `bounds`.
    pub fn new(method: Method, model: Model, bounds: Bounds) -> Self {
        Self {
            method,
            model,
            bounds,
            size: None,
            recent: VecDeque::new(),
            anchor: None,
            links: Vec::new(),
            richer: Vec::new(),
            refused: Vec::new(),
            flat: Vec::new(),
            seeded: 0,
        }
    }

    /// The measurements so far.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Whether a frame shows nothing.
    pub fn is_flat(&self, index: usize) -> bool {
        self.flat.contains(&index)
    }

    /// Takes the next frames in stack order, with their numbers, and measures
    /// each against those before it: pairs of many frames side by side, with the
    /// same result as one after another. All frames have one size.
    pub fn add(&mut self, frames: Vec<(usize, View)>) {
        let first = self.recent.len();
        let known = [self.links.len(), self.richer.len()];
        for (index, view) in frames {
            self.size.get_or_insert(view.size());
            if view.is_flat() {
                self.flat.push(index);
            }
            self.recent.push_back((index, Arc::new(view)));
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
        // Sums of them are rounded alike, however many come at a time.
        for (links, known) in [&mut self.links, &mut self.richer].into_iter().zip(known) {
            links[known..].sort_by_key(|link| (link.to, Reverse(link.from)));
        }
        while self.recent.len() > KEPT {
            self.recent.pop_front();
        }
    }

    /// Measures one more pair, of which the first comes first in the stack.
    pub fn bridge(&mut self, from: (usize, View), to: (usize, View)) {
        let [from, to] = [from, to].map(|(index, view)| (index, Arc::new(view)));
        let measured = self.measured(&from, &to);
        self.keep(measured);
    }

    /// The largest part of `members` that links connect.
    pub fn linked(&self, members: &[usize]) -> Vec<usize> {
        let count = members.iter().max().map_or(0, |last| last + 1);
        let largest = graph::largest_component(count, &among(&self.links, members));
        members.iter().copied().filter(|&i| largest[i]).collect()
    }

    /// Pairs of neighbours among `members` that nothing connects. Frames that
    /// matched none at all are passed over.
    pub fn gaps(&self, members: &[usize]) -> Vec<(usize, usize)> {
        let links = among(&self.links, members);
        let count = members.iter().max().map_or(0, |last| last + 1);
        let mut reached = vec![false; count];
        let mut gaps = Vec::new();
        let mut last = None;
        let ever_linked = |&&member: &&usize| {
            let is_own = |link: &Link| link.from == member || link.to == member;
            self.links.iter().any(is_own)
        };
        for &member in members.iter().filter(ever_linked) {
            if let Some(last) = last
                && !reached[member]
            {
                gaps.push((last, member));
            }
            if !reached[member] {
                let set = graph::connected(count, &links, member);
                reached
                    .iter_mut()
                    .zip(set)
                    .for_each(|(r, is_in)| *r |= is_in);
            }
            last = Some(member);
        }
        gaps
    }

    fn measure_all(&mut self, places: &[(usize, usize)]) {
        let measured: Vec<Result<Measured, Refusal>> = places
            .par_iter()
            .map(|&(from, to)| self.measured(&self.recent[from], &self.recent[to]))
            .collect();
        measured
            .into_iter()
            .for_each(|measured| self.keep(measured));
    }

    fn keep(&mut self, measured: Result<Measured, Refusal>) {
        match measured {
            Ok(Measured {
                from,
                to,
                pose,
                seeded,
            }) => {
                self.links.push(link(from, to, &pose));
                let richer = pose.richer.as_deref();
                self.richer.extend(richer.map(|pose| link(from, to, pose)));
                self.seeded += usize::from(seeded);
            }
            Err(Refusal { from, to, why }) => {
                self.refused.extend(why.map(|why| (from, to, why)));
            }
        }
    }

    fn measured(&self, from: &Entry, to: &Entry) -> Result<Measured, Refusal> {
        let mut why = None;
        for attempt in self.attempts(from.0, to.0) {
            let Some(pose) = self.attempt(attempt, &from.1, &to.1) else {
                continue;
            };
            tracing::debug!(
                "{} → {}: ρ {:.3} error {:.3} px agreement {:.2} ({attempt:?})",
                from.0,
                to.0,
                pose.correlation,
                pose.error,
                pose.agreement
            );
            match self.doubt(&pose) {
                None => {
                    return Ok(Measured {
                        from: from.0,
                        to: to.0,
                        pose,
                        seeded: matches!(attempt, Attempt::Points(_) | Attempt::Seeded(_)),
                    });
                }
                Some(doubt) => why = why.or(doubt),
            }
        }
        Err(Refusal {
            from: from.0,
            to: to.0,
            why,
        })
    }

    /// The ways to find a pair's pose, to be tried in turn.
    fn attempts(&self, from: usize, to: usize) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        if matches!(self.method, Method::Auto | Method::Ecc) {
            attempts.extend(self.seed(from, to).map(Attempt::Near));
            attempts.push(Attempt::Search);
        }
        match (self.method, self.method.detector()) {
            (Method::Auto, _) => attempts.push(Attempt::Seeded(Detector::Sift)),
            (Method::Hybrid, Some(detector)) => attempts.push(Attempt::Seeded(detector)),
            (_, Some(detector)) => attempts.push(Attempt::Points(detector)),
            _ => {}
        }
        attempts
    }

    fn attempt(&self, attempt: Attempt, from: &View, to: &View) -> Option<PairPose> {
        let shared = |detector| {
            let matches = from.features(detector)?.matches(to.features(detector)?);
            let matches = matches
                .inspect_err(|fault| tracing::warn!("key points were not compared: {fault}"))
                .ok()?;
            consensus(&matches)
        };
        match attempt {
            Attempt::Near(pose) => measure(from, to, self.model, Start::Near(pose)),
            Attempt::Search => measure(from, to, self.model, Start::Search),
            Attempt::Seeded(detector) => {
                let (pose, _) = shared(detector)?;
                measure(from, to, self.model, Start::Rough(pose))
            }
            Attempt::Points(detector) => {
                let (pose, matches) = shared(detector)?;
                measure_at(from, to, self.model, pose, &matches)
            }
        }
    }

    /// Why a pose is not believed, if it is not; `Some(None)` where the frames
    /// simply do not match.
    fn doubt(&self, pose: &PairPose) -> Option<Option<String>> {
        let matches = pose.agreement >= 0.12 && pose.error < 1.0 && pose.correlation > 0.35;
        if !matches {
            return Some(None);
        }
        let size = self.size?;
        let complaint = self
            .bounds
            .complaint(&pose.transform, size, "its neighbour")?;
        // What lies far off by chance alone is not told of as far off.
        let is_sure = pose.agreement >= 0.5 && pose.correlation > 0.6;
        Some(is_sure.then_some(complaint))
    }

    /// What the links so far say of a pair, over one frame between them.
    fn seed(&self, from: usize, to: usize) -> Option<Transform> {
        let leg = |from, to| {
            self.links
                .iter()
                .rev()
                .find(|link| link.from == from && link.to == to)
        };
        self.links
            .iter()
            .rev()
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
        {
            let measured = self.measured(&anchor, &frame);
            self.keep(measured);
        }
        if is_linked(&self.links) {
            self.anchor = Some(frame);
        }
    }

    /// The poses of `frames` about `reference`; the reason for each that
    /// has none. `reference` of `None` takes the middle of those that lie on
    /// each other.
    pub fn finish(&self, frames: &[usize], reference: Option<usize>) -> Alignment {
        let count = frames.iter().max().map_or(0, |last| last + 1);
        let (width, height) = self.size.unwrap_or((1, 1));
        let usual = among(&self.links, frames);
        let component = match reference {
            Some(reference) => graph::connected(count, &usual, reference),
            None => graph::largest_component(count, &usual),
        };
        let members: Vec<usize> = frames.iter().copied().filter(|&i| component[i]).collect();
        // Where no two match, the largest set may be a frame that is not among
        // those given: one that could not be read.
        let middle = members.get(members.len() / 2).or(frames.first());
        let reference = reference.or(middle.copied()).unwrap_or(0);
        let frame = Normalised::new(width, height);
        let (model, mut links) = match self.model {
            Model::Auto => choice::choose(&usual, &among(&self.richer, frames), frame),
            model => (model, usual),
        };
        let mut poses = graph::solve(count, &links, reference, model, frame);
        let mut left_out = Vec::new();
        for find in [Self::torn, Self::odd] {
            while let Some((worst, why)) = find(self, &links, &poses, reference) {
                links.retain(|link| link.from != worst && link.to != worst);
                left_out.push((worst, why));
                poses = graph::solve(count, &links, reference, model, frame);
            }
        }

        let doubts = graph::doubts(count, &links, reference);
        let still = poses.iter().zip(&doubts).all(|(pose, doubt)| {
            pose.is_none_or(|pose| {
                let moved = pose.distance(&Transform::IDENTITY, width, height);
                moved < (DOUBTFUL * doubt).clamp(STILL, VISIBLE)
            })
        });
        let entries = (0..count)
            .map(|index| {
                let transform =
                    poses[index].ok_or_else(|| self.why_not(index, &left_out, reference))?;
                if let Some(complaint) =
                    self.bounds
                        .complaint(&transform, (width, height), "the reference")
                {
                    return Err(complaint);
                }
                let transform = if still {
                    Transform::IDENTITY
                } else {
                    transform
                };
                Ok(pose(index, transform, &links, reference))
            })
            .collect();
        Alignment {
            reference,
            model,
            still,
            pairs: links.len(),
            seeded: self.seeded,
            poses: entries,
        }
    }

    /// The frame about whose place most of its links disagree with what all
    /// say together, and why it is left out.
    fn torn(
        &self,
        links: &[Link],
        poses: &[Option<Transform>],
        reference: usize,
    ) -> Option<(usize, String)> {
        let (width, height) = self.size?;
        let mut offs: Vec<Vec<f64>> = vec![Vec::new(); poses.len()];
        for link in links {
            let (Some(from), Some(to)) = (poses[link.from], poses[link.to]) else {
                continue;
            };
            let off = from.then(&link.transform).distance(&to, width, height);
            offs[link.from].push(off);
            offs[link.to].push(off);
        }
        offs.iter()
            .enumerate()
            .filter(|(index, offs)| {
                let disagree = offs.iter().filter(|&&off| off > DISAGREES).count();
                *index != reference && 2 * disagree > offs.len()
            })
            .map(|(index, offs)| (index, offs.iter().sum::<f64>() / offs.len() as f64))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, off)| {
                let why = format!("its neighbours disagree by {off:.1} px about where it lies");
                (index, why)
            })
    }

    /// The frame whose size fits in worst with its neighbours', where that
    /// makes its pose unbelievable, and why it is left out.
    fn odd(
        &self,
        links: &[Link],
        poses: &[Option<Transform>],
        reference: usize,
    ) -> Option<(usize, String)> {
        let (width, height) = self.size?;
        let sizes: Vec<Size> = poses
            .iter()
            .enumerate()
            .filter_map(|(frame, pose)| {
                Some(Size {
                    frame,
                    scale: (*pose)?.scale(),
                    correlation: score(frame, links),
                })
            })
            .collect();
        let half = (width as f64).hypot(height as f64) / 2.0;
        let (worst, off) = breathing::odd(&sizes, half)?;
        let why = format!("its size is {off:.1} px off what its neighbours lead to expect");
        (worst != reference).then_some((worst, why))
    }

    /// Why a frame has no pose.
    fn why_not(&self, index: usize, left_out: &[(usize, String)], reference: usize) -> String {
        if self.is_flat(index) {
            return "it shows nothing that could be compared".into();
        }
        if let Some((_, why)) = left_out.iter().find(|(frame, _)| *frame == index) {
            return why.clone();
        }
        let refusal = self
            .refused
            .iter()
            .find(|(from, to, _)| *from == index || *to == index);
        if let Some((_, _, why)) = refusal {
            return why.clone();
        }
        let is_linked = |link: &Link| link.from == index || link.to == index;
        if self.links.iter().any(is_linked) {
            return format!("nothing connects it with the reference, frame {reference}");
        }
        "it matches none of its neighbours".into()
    }
}

/// A way to find how one frame lies on another.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Attempt {
    /// From a pose that is right to within a pixel.
    Near(Transform),
    /// From nothing.
    Search,
    /// From key points.
    Seeded(Detector),
    /// From key points, and only there.
    Points(Detector),
}

/// A pair without a pose.
struct Refusal {
    from: usize,
    to: usize,
    /// What was wrong with the pose, where there was one.
    why: Option<String>,
}

/// The links between frames of `members`.
fn among(links: &[Link], members: &[usize]) -> Vec<Link> {
    let is_in = |frame| members.binary_search(&frame).is_ok();
    links
        .iter()
        .filter(|link| is_in(link.from) && is_in(link.to))
        .cloned()
        .collect()
}

/// How well a frame matches those that it was compared with; 1 for a lone one.
fn score(index: usize, links: &[Link]) -> f64 {
    let own = links
        .iter()
        .filter(|link| link.from == index || link.to == index);
    let (sum, count) = own.fold((0.0, 0), |(sum, count), link| {
        (sum + link.correlation, count + 1)
    });
    if count == 0 {
        1.0
    } else {
        sum / f64::from(count)
    }
}

fn pose(index: usize, transform: Transform, links: &[Link], reference: usize) -> Pose {
    let is_next = |link: &Link| link.to == index && link.from + 1 == index;
    Pose {
        transform,
        score: score(index, links),
        bridged: index > 0 && index != reference && !links.iter().any(is_next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Photo, Samples};

    /// Frame `number` of a stack that drifts over a scene; one of them shows nothing.
    fn view(number: usize) -> View {
        let (width, height) = (240, 180);
        // Speckles of 4 pixels.
        let light = |x: usize, y: usize| {
            let (x, y) = ((x + 2 * number) / 4, (y + number) / 4);
            fastrand::Rng::with_seed((x * 1000 + y) as u64).u8(40..200)
        };
        let value = |i: usize| match number {
            5 => 90,
            _ => light(i / 3 % width, i / 3 / width),
        };
        let photo = Photo {
            width,
            height,
            samples: Samples::Eight((0..width * height * 3).map(value).collect()),
            ..Photo::default()
        };
        View::of(&photo, true)
    }

    #[test]
    fn frames_that_come_together_are_linked_as_those_that_come_one_by_one() {
        let bounds = Bounds {
            shift: 60.0,
            scale: 0.1,
            rotation: 0.1,
        };
        let links = |together: usize| {
            let mut aligner = Aligner::new(Method::Ecc, Model::Auto, bounds);
            let numbers: Vec<usize> = (0..9).collect();
            for some in numbers.chunks(together) {
                aligner.add(some.iter().map(|&number| (number, view(number))).collect());
            }
            (aligner.links, aligner.richer, aligner.flat)
        };
        let one_by_one = links(1);
        assert!(one_by_one.0.len() > 8, "{}", one_by_one.0.len());
        for together in [2, 3, 9] {
            assert_eq!(links(together), one_by_one, "{together} together");
        }
    }
}
