//! What the sharpness of cells along a stack tells of its frames.
//!
//! As focus wanders through a scene, each cell becomes sharper, then blurs
//! again. A frame that is less sharp than those before and after it almost
//! everywhere was shaken or missed; frames between which sharpness jumps about
//! are out of order.

use super::sharpness::Sharpness;

/// Fewer frames than this tell nothing.
const FEWEST: usize = 4;
/// A cell whose sharpness varies by less than this factor shows no focus.
const TEXTURED: f64 = 1.5;
/// Fewer cells with texture than this tell nothing.
const CELLS: usize = 8;
/// Frames on each side that a frame is held against.
const NEAREST: usize = 2;
/// Below this share of its neighbours' sharpness a cell is blurred.
const DROP: f64 = 0.6;
/// The share of the cells that tell most which must be blurred.
const MOST: f64 = 0.8;
/// From this share of the best sharpness of a cell on, a frame is sharp there.
const SHARP: f64 = 0.85;
/// A blurred frame may be sharp in this share of the cells: by chance.
const CHANCE: f64 = 0.03;
/// Frames are out of order where another order makes the way of focus shorter
/// by this factor.
const SHORTER: f64 = 1.4;

/// The scores of the cells of each frame.
struct Profiles {
    scores: Vec<Vec<f64>>,
}

impl Profiles {
    /// Those of the cells in which focus shows; `None` where too little does.
    fn of(stack: &[&Sharpness]) -> Option<Self> {
        if stack.len() < FEWEST {
            return None;
        }
        let all: Vec<Vec<f64>> = stack.iter().map(|frame| frame.scores()).collect();
        let textured: Vec<usize> = (0..all[0].len())
            .filter(|&cell| {
                let scores = || all.iter().map(|frame| frame[cell]);
                let most = scores().fold(0.0, f64::max);
                most > 0.0 && most > TEXTURED * scores().fold(f64::INFINITY, f64::min)
            })
            .collect();
        (textured.len() >= CELLS).then(|| Self {
            scores: all
                .iter()
                .map(|frame| textured.iter().map(|&cell| frame[cell]).collect())
                .collect(),
        })
    }

    /// What a cell of a frame would show at least if focus wandered on, given
    /// the frames of `kept`, of which the frame is number `place`.
    fn expected(&self, kept: &[usize], place: usize, cell: usize) -> f64 {
        let at = |place: usize| self.scores[kept[place]][cell];
        let side = |places: &mut dyn Iterator<Item = usize>| {
            places.take(NEAREST).map(at).fold(0.0, f64::max)
        };
        let last = kept.len() - 1;
        match place {
            // At the ends the trend goes on.
            0 => at(1).min(at(1) * at(1) / at(2).max(1e-9)),
            _ if place == last => at(last - 1).min(at(last - 1).powi(2) / at(last - 2).max(1e-9)),
            _ => side(&mut (0..place).rev()).min(side(&mut (place + 1..=last))),
        }
    }

    /// Whether a frame of `kept` is blurred, and how sharp it is against what
    /// was to be expected.
    fn blur(&self, kept: &[usize], place: usize) -> Option<f64> {
        let own = &self.scores[kept[place]];
        let others = || kept.iter().filter(|&&frame| frame != kept[place]);
        let (mut sharp, mut drops) = (0, Vec::new());
        for (cell, &score) in own.iter().enumerate() {
            let rest = || others().map(|&frame| self.scores[frame][cell]);
            let (most, least) = rest().fold((0.0f64, f64::INFINITY), |(most, least), s| {
                (most.max(s), least.min(s))
            });
            sharp += usize::from(score >= SHARP * most);
            let expected = self.expected(kept, place, cell);
            drops.push((expected / least.max(1e-9), score / expected.max(1e-9)));
        }
        if sharp as f64 > CHANCE * own.len() as f64 {
            return None;
        }
        // Where the neighbours are hardly sharper than the blurriest frame, a
        // blur does not show.
        drops.sort_by(|a, b| b.0.total_cmp(&a.0));
        drops.truncate(drops.len().div_ceil(2));
        let blurred = drops.iter().filter(|(_, share)| *share < DROP).count();
        (blurred as f64 >= MOST * drops.len() as f64)
            .then(|| drops.iter().map(|(_, share)| share).sum::<f64>() / drops.len() as f64)
    }
}

/// The frames, by place, that are blurred as a whole: less sharp than those
/// before and after them almost everywhere, and the sharpest nowhere.
pub fn blurred(stack: &[&Sharpness]) -> Vec<usize> {
    let Some(profiles) = Profiles::of(stack) else {
        return Vec::new();
    };
    let mut kept: Vec<usize> = (0..stack.len()).collect();
    let mut blurred = Vec::new();
    // The worst goes first: it may be what its neighbours are held against.
    while kept.len() >= FEWEST {
        let worst = (0..kept.len())
            .filter_map(|place| Some((profiles.blur(&kept, place)?, place)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match worst {
            Some((_, place)) => blurred.push(kept.remove(place)),
            None => break,
        }
    }
    blurred.sort_unstable();
    blurred
}

/// The order, by place, in which focus wanders the shortest way, in the
/// direction that is nearer to the order given. `None` where that one is as
/// good, or where it cannot be told.
pub fn better_order(stack: &[&Sharpness]) -> Option<Vec<usize>> {
    let way = Way::new(&Profiles::of(stack)?);
    let given: Vec<usize> = (0..stack.len()).collect();
    let mut best = way.shortest();
    if way.length(&given) < SHORTER * way.length(&best) {
        return None;
    }
    let rising = best.windows(2).filter(|pair| pair[0] < pair[1]).count();
    if 2 * rising < best.len() - 1 {
        best.reverse();
    }
    Some(best)
}

/// How far focus wanders between any two frames.
struct Way {
    count: usize,
    distances: Vec<f64>,
}

impl Way {
    fn new(profiles: &Profiles) -> Self {
        let frames: Vec<Vec<f64>> = profiles
            .scores
            .iter()
            .map(|scores| {
                // Less the mean: exposure changes all cells alike.
                let logs: Vec<f64> = scores.iter().map(|s| s.max(1e-6).ln()).collect();
                let mean = logs.iter().sum::<f64>() / logs.len() as f64;
                logs.iter().map(|log| log - mean).collect()
            })
            .collect();
        let distance = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64
        };
        Self {
            count: frames.len(),
            distances: frames
                .iter()
                .flat_map(|a| frames.iter().map(move |b| distance(a, b)))
                .collect(),
        }
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        self.distances[a * self.count + b]
    }

    fn length(&self, order: &[usize]) -> f64 {
        order
            .windows(2)
            .map(|pair| self.between(pair[0], pair[1]))
            .sum()
    }

    /// A short way through all frames: from one of the two that differ most
    /// always on to the nearest, then straightened (2-opt, Croes, 1958).
    fn shortest(&self) -> Vec<usize> {
        let all = || (0..self.count).flat_map(|a| (0..a).map(move |b| (a, b)));
        let ends = all().max_by(|x, y| self.between(x.0, x.1).total_cmp(&self.between(y.0, y.1)));
        let mut order = vec![ends.map_or(0, |(_, b)| b)];
        let mut left: Vec<usize> = (0..self.count).filter(|&i| i != order[0]).collect();
        while !left.is_empty() {
            let last = order[order.len() - 1];
            let nearest = (0..left.len()).min_by(|&a, &b| {
                self.between(last, left[a])
                    .total_cmp(&self.between(last, left[b]))
            });
            order.push(left.remove(nearest.unwrap_or(0)));
        }
        while self.straighten(&mut order) {}
        order
    }

    /// Turns parts of the way round where that makes it shorter.
    fn straighten(&self, order: &mut [usize]) -> bool {
        let mut changed = false;
        for first in 0..order.len() {
            for last in first + 1..order.len() {
                let step = |a: Option<&usize>, b: Option<&usize>| match (a, b) {
                    (Some(&a), Some(&b)) => self.between(a, b),
                    _ => 0.0,
                };
                let before = first.checked_sub(1).and_then(|i| order.get(i));
                let after = order.get(last + 1);
                let now = step(before, order.get(first)) + step(order.get(last), after);
                let then = step(before, order.get(last)) + step(order.get(first), after);
                if then < now - 1e-9 {
                    order[first..=last].reverse();
                    changed = true;
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sharpness::Measures;

    /// A stack of `count` frames of a slope: cell after cell comes into focus.
    /// `factor` is what else happens to a frame's sharpness.
    fn slope(count: usize, factor: impl Fn(usize) -> f64) -> Vec<Sharpness> {
        let cell = |frame: usize, cell: usize| {
            let depth = cell as f64 / 63.0 * (count as f64 - 1.0);
            let score = factor(frame) / (1.0 + ((frame as f64 - depth) / 2.0).powi(2)) + 0.01;
            Measures {
                laplacian_variance: score * score,
                tenengrad: score * score,
                modified_laplacian: score,
            }
        };
        (0..count)
            .map(|frame| Sharpness {
                grid: 8,
                cells: (0..64).map(|c| cell(frame, c)).collect(),
            })
            .collect()
    }

    fn blurred_of(stack: &[Sharpness]) -> Vec<usize> {
        blurred(&stack.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_sound_stack_has_no_blurred_frame() {
        for count in [2, 4, 9, 40] {
            assert_eq!(blurred_of(&slope(count, |_| 1.0)), [0; 0]);
            // Nor one whose light flickers.
            let flicker = |frame| if frame % 2 == 0 { 1.0 } else { 0.8 };
            assert_eq!(blurred_of(&slope(count, flicker)), [0; 0]);
        }
    }

    #[test]
    fn blurred_frames_are_found_wherever_they_are() {
        for bad in [vec![0], vec![4], vec![8], vec![3, 4], vec![0, 5]] {
            let factor = |frame| if bad.contains(&frame) { 0.1 } else { 1.0 };
            assert_eq!(blurred_of(&slope(9, factor)), bad);
        }
    }

    #[test]
    fn the_order_of_focus_is_found_again() {
        let sorted = slope(12, |_| 1.0);
        let places = [7, 2, 9, 0, 11, 5, 3, 10, 1, 8, 4, 6];
        let shuffled: Vec<&Sharpness> = places.iter().map(|&i| &sorted[i]).collect();
        let order = better_order(&shuffled).unwrap();
        let mut found: Vec<usize> = order.iter().map(|&i| places[i]).collect();
        if found[0] > found[11] {
            found.reverse();
        }
        assert_eq!(found, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn a_sorted_stack_stays_so_either_way() {
        let sorted = slope(12, |_| 1.0);
        assert_eq!(better_order(&sorted.iter().collect::<Vec<_>>()), None);
        assert_eq!(better_order(&sorted.iter().rev().collect::<Vec<_>>()), None);
        assert_eq!(better_order(&[]), None);
    }
}
