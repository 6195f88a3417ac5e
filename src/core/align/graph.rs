//! Poses of all frames from what pairs of them say.
//!
//! Frames are nodes, measured pairs are links. The poses are those that fit
//! all links best, each weighted by what it can know; links that the others
//! contradict lose their say (iteratively re-weighted least squares with
//! Cauchy's weights).

use super::model::{Model, Normalised};
use crate::core::Transform;
use crate::core::linear::Normal;

/// A measured pair of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The template's number.
    pub from: usize,
    /// The moving frame's number.
    pub to: usize,
    /// Maps pixels of `from` to those of `to`.
    pub transform: Transform,
    /// What the transform may do.
    pub model: Model,
    /// Information matrix of the model's freedoms, in normal coordinates.
    pub information: Vec<Vec<f64>>,
    /// Expected error in pixels.
    pub error: f64,
    /// Mean correlation of the windows that agree.
    pub correlation: f64,
}

/// The frames connected with `start` by links, itself included.
pub fn connected(count: usize, links: &[Link], start: usize) -> Vec<bool> {
    let mut reached = vec![false; count];
    reached[start] = true;
    loop {
        let mut grown = false;
        for link in links {
            if reached[link.from] != reached[link.to] {
                reached[link.from] = true;
                reached[link.to] = true;
                grown = true;
            }
        }
        if !grown {
            return reached;
        }
    }
}

/// The largest set of frames that links connect.
pub fn largest_component(count: usize, links: &[Link]) -> Vec<bool> {
    let size = |set: &Vec<bool>| set.iter().filter(|&&is_in| is_in).count();
    let mut best = vec![false; count];
    let mut seen = vec![false; count];
    for start in 0..count {
        if seen[start] {
            continue;
        }
        let component = connected(count, links, start);
        seen.iter_mut()
            .zip(&component)
            .for_each(|(seen, is_in)| *seen |= is_in);
        if size(&component) > size(&best) {
            best = component;
        }
    }
    best
}

/// Solves for the poses (reference to frame pixels) of all frames connected
/// with `reference`; `None` for the others.
pub fn solve(
    count: usize,
    links: &[Link],
    reference: usize,
    model: Model,
    frame: Normalised,
) -> Vec<Option<Transform>> {
    let mut poses = spanning_tree(count, links, reference);
    let nodes: Vec<usize> = (0..count).filter(|&i| poses[i].is_some()).collect();
    let place = |frame: usize| nodes.binary_search(&frame).ok();
    let used: Vec<(&Link, usize, usize)> = links
        .iter()
        .filter_map(|link| Some((link, place(link.from)?, place(link.to)?)))
        .collect();
    let n = model.freedoms();
    let reach = used
        .iter()
        .map(|&(_, a, b)| a.abs_diff(b))
        .max()
        .unwrap_or(0);
    // Doubt grows slowly: at first every link has its say, so that a wrong one
    // cannot shut out the right ones.
    let mut forgive = f64::INFINITY;
    for round in 0..24 {
        let rests: Vec<[f64; 8]> = used
            .iter()
            .map(|(link, ..)| residual(link, &poses, model, frame))
            .collect();
        let squares: Vec<f64> = used
            .iter()
            .zip(&rests)
            .map(|((link, ..), rest)| squared(&link.information, rest) / n as f64)
            .collect();
        if round >= 2 {
            let mut sorted = squares.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
            let most = sorted.last().copied().unwrap_or(0.0);
            forgive = (forgive.min(most) / 3.0).max(4.0 * middle).max(4.0);
        }
        let mut normal = Normal::new(nodes.len() * n, reach * n + n - 1);
        for ((&(link, a, b), rest), square) in used.iter().zip(&rests).zip(&squares) {
            let weight = 1.0 / (1.0 + square / forgive);
            for i in 0..n {
                let pull: f64 = (0..n).map(|j| link.information[i][j] * rest[j]).sum();
                normal.add_right(b * n + i, -weight * pull);
                normal.add_right(a * n + i, weight * pull);
                for j in 0..n {
                    let value = weight * link.information[i][j];
                    if j <= i {
                        normal.add(a * n + i, a * n + j, value);
                        normal.add(b * n + i, b * n + j, value);
                    }
                    let (low, high) = (a.min(b) * n + j, a.max(b) * n + i);
                    normal.add(high, low, -value);
                }
            }
        }
        // The reference stays where it is.
        if let Some(fixed) = place(reference) {
            (0..n).for_each(|i| normal.add(fixed * n + i, fixed * n + i, 1e12));
        }
        let Some(step) = normal.solve() else { break };
        for (k, &node) in nodes.iter().enumerate() {
            if node != reference
                && let Some(pose) = &mut poses[node]
            {
                *pose = model.small(&step[k * n..(k + 1) * n], frame).then(pose);
            }
        }
    }
    poses
}

/// How far, in pixels, the pose of each frame may be off if all links on the
/// shortest way to `reference` err the same way; infinite where there is none.
pub fn doubts(count: usize, links: &[Link], reference: usize) -> Vec<f64> {
    let mut doubts = vec![f64::INFINITY; count];
    doubts[reference] = 0.0;
    loop {
        let mut changed = false;
        for link in links {
            for (near, far) in [(link.from, link.to), (link.to, link.from)] {
                let doubt = doubts[near] + link.error;
                if doubt < doubts[far] {
                    doubts[far] = doubt;
                    changed = true;
                }
            }
        }
        if !changed {
            return doubts;
        }
    }
}

/// How far a link's own measurement is from what the poses say, in freedoms.
fn residual(link: &Link, poses: &[Option<Transform>], model: Model, frame: Normalised) -> [f64; 8] {
    let expected = poses[link.from]
        .and_then(|from| from.inverse())
        .zip(poses[link.to])
        .map(|(back, to)| back.then(&to));
    match (expected, link.transform.inverse()) {
        (Some(expected), Some(back)) => model.step(&expected.then(&back), frame),
        _ => [0.0; 8],
    }
}

fn squared(information: &[Vec<f64>], v: &[f64; 8]) -> f64 {
    information
        .iter()
        .enumerate()
        .map(|(i, row)| v[i] * row.iter().zip(v).map(|(a, b)| a * b).sum::<f64>())
        .sum()
}

/// First poses: along the most certain links outwards from the reference.
fn spanning_tree(count: usize, links: &[Link], reference: usize) -> Vec<Option<Transform>> {
    let mut poses = vec![None; count];
    poses[reference] = Some(Transform::IDENTITY);
    loop {
        let best = links
            .iter()
            .filter(|link| poses[link.from].is_some() != poses[link.to].is_some())
            .min_by(|a, b| a.error.total_cmp(&b.error));
        let Some(link) = best else { return poses };
        match (poses[link.from], poses[link.to], link.transform.inverse()) {
            (Some(from), None, _) => poses[link.to] = Some(from.then(&link.transform)),
            (None, Some(to), Some(back)) => poses[link.from] = Some(to.then(&back)),
            _ => return poses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (600, 400);

    fn truth(i: usize) -> Transform {
        let k = i as f64 - 3.0;
        Transform::similarity(1.0 + 0.01 * k, 0.005 * k, [300.0, 200.0], [2.0 * k, -k])
    }

    fn link(from: usize, to: usize, error: f64) -> Link {
        let exact = truth(from).inverse().unwrap().then(&truth(to));
        let wrong = Transform::translation(error, 0.0);
        let information =
            (0..4).map(|i| (0..4).map(|j| f64::from(u8::from(i == j)) * 1e4).collect());
        Link {
            from,
            to,
            transform: exact.then(&wrong),
            model: Model::Similarity,
            information: information.collect(),
            error: 0.01,
            correlation: 0.9,
        }
    }

    fn worst(poses: &[Option<Transform>]) -> f64 {
        poses
            .iter()
            .enumerate()
            .map(|(i, pose)| pose.unwrap().distance(&truth(i), SIZE.0, SIZE.1))
            .fold(0.0, f64::max)
    }

    fn solved(links: &[Link]) -> Vec<Option<Transform>> {
        let frame = Normalised::new(SIZE.0, SIZE.1);
        solve(7, links, 3, Model::Similarity, frame)
    }

    #[test]
    fn exact_links_give_exact_poses() {
        let mut links: Vec<Link> = (1..7).map(|i| link(i - 1, i, 0.0)).collect();
        links.extend((2..7).map(|i| link(i - 2, i, 0.0)));
        assert!(worst(&solved(&links)) < 1e-6);
    }

    #[test]
    fn a_wrong_link_is_outvoted() {
        let mut links: Vec<Link> = (1..7).map(|i| link(i - 1, i, 0.0)).collect();
        links.extend((2..7).map(|i| link(i - 2, i, 0.0)));
        links[4] = link(4, 5, 8.0);
        assert!(worst(&solved(&links)) < 0.05, "{}", worst(&solved(&links)));
    }

    #[test]
    fn doubt_grows_with_the_way_to_the_reference() {
        let links: Vec<Link> = (1..6).map(|i| link(i - 1, i, 0.0)).collect();
        let doubts = doubts(7, &links, 3);
        let expected = [0.03, 0.02, 0.01, 0.0, 0.01, 0.02];
        for (doubt, expected) in doubts.iter().zip(expected) {
            assert!((doubt - expected).abs() < 1e-9, "{doubts:?}");
        }
        assert!(doubts[6].is_infinite());
    }

    #[test]
    fn frames_without_links_have_no_pose() {
        let links: Vec<Link> = (1..6).map(|i| link(i - 1, i, 0.0)).collect();
        let poses = solved(&links);
        assert!(poses[5].is_some() && poses[6].is_none());
        assert_eq!(
            largest_component(7, &links)
                .iter()
                .filter(|&&is_in| is_in)
                .count(),
            6
        );
    }
}
