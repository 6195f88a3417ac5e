//! The motion that most matches agree on.
//!
//! Matches of key points hold many that are wrong. Pairs of them are drawn at
//! random, each giving a similarity; the one that most others agree with, by
//! how well, wins (MSAC, Torr and Zisserman, 2000) and is fitted to all who
//! agree after each improvement (Chum, Matas and Kittler, 2003).

use super::features::Match;
use crate::core::Transform;

/// How far, in pixels of the full size, a match may lie from the motion.
pub const THRESHOLD: f64 = 3.0;
/// Fewer matches than this agree by chance.
const LEAST: usize = 12;
/// Most draws.
const DRAWS: usize = 4000;
/// The doubt left that a better motion was missed.
const DOUBT: f64 = 1e-4;
/// The same draws in every run.
const SEED: u64 = 0x5eed;

/// The similarity that most matches agree on, from template to moving pixels,
/// and the matches that do. `None` where too few agree to mean anything.
pub fn consensus(matches: &[Match]) -> Option<(Transform, Vec<Match>)> {
    if matches.len() < LEAST {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut best = (f64::INFINITY, Transform::IDENTITY);
    let (mut draw, mut enough) = (0, DRAWS);
    while draw < enough {
        draw += 1;
        let pair = [
            matches[random.usize(..matches.len())],
            matches[random.usize(..matches.len())],
        ];
        let Some(mut pose) = similarity(&pair) else {
            continue;
        };
        let mut loss = self::loss(matches, &pose);
        if loss >= best.0 {
            continue;
        }
        for _ in 0..4 {
            let Some(fitted) = similarity(&agreeing(matches, &pose)) else {
                break;
            };
            let fitted_loss = self::loss(matches, &fitted);
            if fitted_loss >= loss {
                break;
            }
            (loss, pose) = (fitted_loss, fitted);
        }
        best = (loss, pose);
        let share = agreeing(matches, &pose).len() as f64 / matches.len() as f64;
        let needed = DOUBT.ln() / (1.0 - share * share).max(f64::MIN_POSITIVE).ln();
        enough = enough.min(needed.max(20.0).min(DRAWS as f64) as usize);
    }
    let agreeing = agreeing(matches, &best.1);
    // Among many matches some agree by chance.
    let least = LEAST.max(matches.len() / 20);
    (agreeing.len() >= least && best.0.is_finite()).then_some((best.1, agreeing))
}

fn agreeing(matches: &[Match], pose: &Transform) -> Vec<Match> {
    let near = |m: &&Match| square(m, pose) < THRESHOLD * THRESHOLD;
    matches.iter().filter(near).copied().collect()
}

/// The sum of squared distances, those beyond the threshold counted as there.
fn loss(matches: &[Match], pose: &Transform) -> f64 {
    let most = THRESHOLD * THRESHOLD;
    matches.iter().map(|m| square(m, pose).min(most)).sum()
}

fn square(m: &Match, pose: &Transform) -> f64 {
    let [x, y] = pose.apply(m.from[0], m.from[1]);
    (x - m.to[0]).powi(2) + (y - m.to[1]).powi(2)
}

/// The similarity of least squares (Umeyama, 1991; in the plane it needs no
/// decomposition). `None` for matches at one place.
pub fn similarity(matches: &[Match]) -> Option<Transform> {
    let n = matches.len() as f64;
    let mean = |of: fn(&Match) -> [f64; 2]| -> [f64; 2] {
        std::array::from_fn(|k| matches.iter().map(|m| of(m)[k]).sum::<f64>() / n)
    };
    let (a, b) = (mean(|m| m.from), mean(|m| m.to));
    let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
    for m in matches {
        let p = [m.from[0] - a[0], m.from[1] - a[1]];
        let q = [m.to[0] - b[0], m.to[1] - b[1]];
        along += p[0] * q[0] + p[1] * q[1];
        across += p[0] * q[1] - p[1] * q[0];
        spread += p[0] * p[0] + p[1] * p[1];
    }
    // Two matches a few pixels apart say nothing about size and turn.
    if matches.len() < 2 || spread < 32.0 * n {
        return None;
    }
    let (scale, angle) = (along.hypot(across) / spread, across.atan2(along));
    (0.2..5.0)
        .contains(&scale)
        .then(|| Transform::similarity(scale, angle, a, [b[0] - a[0], b[1] - a[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `good` matches that follow `pose` to within half a pixel, and `bad`
    /// ones that follow nothing.
    fn matches(pose: &Transform, good: usize, bad: usize) -> Vec<Match> {
        let mut random = fastrand::Rng::with_seed(3);
        let mut place = || [600.0 * random.f64(), 400.0 * random.f64()];
        let mut all = Vec::new();
        for _ in 0..good {
            let (from, noise) = (place(), place());
            let [x, y] = pose.apply(from[0], from[1]);
            let to = [x + noise[0] / 600.0 - 0.5, y + noise[1] / 400.0 - 0.5];
            all.push(Match {
                from,
                to,
                size: 7.0,
            });
        }
        for _ in 0..bad {
            let (from, to) = (place(), place());
            all.push(Match {
                from,
                to,
                size: 7.0,
            });
        }
        all
    }

    #[test]
    fn one_in_five_is_enough_to_agree() {
        let pose = Transform::similarity(1.03, 0.2, [300.0, 200.0], [40.0, -25.0]);
        let (found, agreeing) = consensus(&matches(&pose, 60, 240)).unwrap();
        assert!(found.distance(&pose, 600, 400) < 0.2);
        assert!((60..70).contains(&agreeing.len()), "{}", agreeing.len());
    }

    #[test]
    fn matches_by_chance_agree_on_nothing() {
        for count in [5, 40, 400, 1500] {
            assert_eq!(consensus(&matches(&Transform::IDENTITY, 0, count)), None);
        }
    }

    #[test]
    fn exact_matches_give_the_exact_similarity() {
        let pose = Transform::similarity(0.9, -0.4, [10.0, 20.0], [3.0, 4.0]);
        let exact: Vec<Match> = [[0.0, 0.0], [500.0, 3.0], [20.0, 390.0]]
            .into_iter()
            .map(|from| Match {
                from,
                to: pose.apply(from[0], from[1]),
                size: 5.0,
            })
            .collect();
        let found = similarity(&exact).unwrap();
        assert!(found.distance(&pose, 600, 400) < 1e-9);
        assert_eq!(similarity(&exact[..1]), None);
    }
}
