//! The area that all frames cover.

use crate::core::Transform;
use crate::core::warp::Area;

/// The largest upright rectangle about the middle of the reference, in its
/// whole pixels, that every frame covers: `poses` map reference to frame
/// pixels, and all frames are `width`×`height`. `None` where there is none.
///
/// The four sides move inwards in turn until each frame's edges are outside,
/// then outwards again as far as the others leave room.
pub fn common(poses: &[Transform], width: usize, height: usize) -> Option<Area> {
    let lines: Vec<Line> = poses
        .iter()
        .map(|pose| edges(pose, width, height))
        .collect::<Option<Vec<_>>>()?
        .concat();
    let (right, bottom) = (width as f64 - 1.0, height as f64 - 1.0);
    let mut area = [0.0, 0.0, right, bottom];
    // Each round knows better how long the other sides are.
    for _ in 0..20 {
        let mut next = [0.0, 0.0, right, bottom];
        for line in &lines {
            line.limit(&area, &mut next);
        }
        if next[0] > next[2] || next[1] > next[3] {
            return None;
        }
        area = next;
    }
    let slack = 1e-6;
    let (x0, y0) = ((area[0] - slack).ceil(), (area[1] - slack).ceil());
    let (x1, y1) = ((area[2] + slack).floor(), (area[3] + slack).floor());
    (x1 >= x0 && y1 >= y0).then(|| Area {
        x: x0.max(0.0) as usize,
        y: y0.max(0.0) as usize,
        width: (x1 - x0.max(0.0)) as usize + 1,
        height: (y1 - y0.max(0.0)) as usize + 1,
    })
}

/// One edge of a frame in reference coordinates: inside is `n · p ≥ c`.
#[derive(Debug, Clone, Copy)]
struct Line {
    normal: [f64; 2],
    offset: f64,
}

impl Line {
    /// Moves the side of `next` that this edge bounds, given how far the
    /// rectangle `area` (left, top, right, bottom) reaches along the edge.
    fn limit(&self, area: &[f64; 4], next: &mut [f64; 4]) {
        let [nx, ny] = self.normal;
        let (main, other) = if nx.abs() > ny.abs() { (0, 1) } else { (1, 0) };
        let (along, across) = (self.normal[main], self.normal[other]);
        // The worse end of the side that runs along the edge.
        let worst = (across * area[other]).min(across * area[other + 2]);
        let bound = (self.offset - worst) / along;
        if along > 0.0 {
            next[main] = next[main].max(bound);
        } else {
            next[main + 2] = next[main + 2].min(bound);
        }
    }
}

/// The four edges of a frame, seen from the reference.
fn edges(pose: &Transform, width: usize, height: usize) -> Option<Vec<Line>> {
    let back = pose.inverse()?;
    let (x, y) = (width as f64 - 1.0, height as f64 - 1.0);
    let corners = [[0.0, 0.0], [x, 0.0], [x, y], [0.0, y]].map(|[x, y]| back.apply(x, y));
    let centre = back.apply(x / 2.0, y / 2.0);
    let line = |i: usize| {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        let mut normal = [a[1] - b[1], b[0] - a[0]];
        let side = normal[0] * (centre[0] - a[0]) + normal[1] * (centre[1] - a[1]);
        if side < 0.0 {
            normal = normal.map(|n| -n);
        }
        let offset = normal[0] * a[0] + normal[1] * a[1];
        Line { normal, offset }
    };
    Some((0..4).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(area: Area, pose: &Transform, width: f64, height: f64) -> bool {
        let (x0, y0) = (area.x as f64, area.y as f64);
        let (x1, y1) = (x0 + area.width as f64 - 1.0, y0 + area.height as f64 - 1.0);
        [[x0, y0], [x1, y0], [x0, y1], [x1, y1]]
            .iter()
            .all(|&[x, y]| {
                let [u, v] = pose.apply(x, y);
                u >= -1e-3 && v >= -1e-3 && u <= width - 1.0 + 1e-3 && v <= height - 1.0 + 1e-3
            })
    }

    #[test]
    fn identity_covers_all() {
        let area = common(&[Transform::IDENTITY], 300, 200).unwrap();
        assert_eq!((area.x, area.y, area.width, area.height), (0, 0, 300, 200));
    }

    #[test]
    fn shifts_cut_both_sides() {
        let poses = [
            Transform::translation(10.0, 0.0),
            Transform::translation(-5.0, 3.5),
        ];
        let area = common(&poses, 300, 200).unwrap();
        assert_eq!((area.x, area.y, area.width, area.height), (5, 0, 285, 196));
    }

    #[test]
    fn turned_and_scaled_frames_cover_what_is_left_and_little_is_lost() {
        let poses: Vec<Transform> = [(1.01, 0.02), (0.98, -0.03), (1.0, 0.0)]
            .iter()
            .map(|&(s, a)| Transform::similarity(s, a, [149.5, 99.5], [2.0, -1.0]))
            .collect();
        let area = common(&poses, 300, 200).unwrap();
        for pose in &poses {
            assert!(covers(area, pose, 300.0, 200.0));
        }
        assert!(area.width * area.height > 300 * 200 * 90 / 100, "{area:?}");
    }

    #[test]
    fn frames_apart_have_nothing_in_common() {
        let poses = [Transform::IDENTITY, Transform::translation(400.0, 0.0)];
        assert_eq!(common(&poses, 300, 200), None);
    }
}
