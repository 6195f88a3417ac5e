//! Brightness and colour matched between frames.
//!
//! Defocus spreads light but loses none: the light of all that two frames show
//! depends on their exposures alone, while ratios of single cells do not, since
//! what is bright spreads over what is dark. Changes are taken between
//! neighbours and next neighbours, and solved together like poses, or added up where
//! frames are fused as they are read.

mod chain;
mod change;
mod light;

use rayon::prelude::*;

use super::Transform;
use super::linear::Normal;
use super::warp::Exposure;
use change::{Change, GAMMA, TOE};

pub use chain::Chain;
pub use light::Light;

/// Gains of linear light nearer to one than this, as a logarithm, are not
/// worth applying when there is nothing else to match.
const INSIGNIFICANT: f64 = 0.004;
/// Largest gain believed, in linear light: two stops.
const LARGEST: f64 = 4.0;
/// Largest offset believed, as a share of full scale.
const FARTHEST: f64 = 0.125;

/// The change from a frame to another.
#[derive(Debug, Clone, Copy)]
struct Pair {
    from: usize,
    to: usize,
    change: Change,
}

/// What each frame's values must be multiplied by, and what added, to match
/// the reference. `lights` and `poses` (reference to frame pixels) belong to
/// the same frames; `reference` is a place among them.
///
/// Frames that differ insignificantly all keep their values. The offset is
/// what a gain of linear light needs of encoded values, unless another one is
/// certain. Gains are limited to two stops, offsets to an eighth of full scale.
pub fn exposures(lights: &[&Light], poses: &[Transform], reference: usize) -> Vec<Exposure> {
    let count = lights.len();
    let pairs: Vec<(usize, usize)> = (1..=2)
        .flat_map(|gap| (gap..count).map(move |to| (to - gap, to)))
        .collect();
    let pairs: Vec<Pair> = pairs
        .into_par_iter()
        .filter_map(|(from, to)| {
            let pose = poses[from].inverse()?.then(&poses[to]);
            let change = Change::between(lights[from], lights[to], &pose)?;
            Some(Pair { from, to, change })
        })
        .collect();
    let logs: [Vec<f64>; 3] = std::array::from_fn(|c| gains(&pairs, c, count, reference));
    let offsets: [Vec<f64>; 3] = std::array::from_fn(|c| offsets(&pairs, c, count, reference));
    let has_offset = |pair: &Pair| pair.change.offset != [0.0; 3];
    if !logs.iter().flatten().any(is_gain) && !pairs.iter().any(has_offset) {
        return vec![Exposure::default(); count];
    }
    let of = |values: &[Vec<f64>; 3], i: usize| values.each_ref().map(|values| values[i]);
    (0..count)
        .map(|i| match i == reference {
            true => Exposure::default(),
            false => exposure(of(&logs, i), of(&offsets, i)),
        })
        .collect()
}

/// Whether this logarithm of a gain of tones is worth applying.
fn is_gain(log: &f64) -> bool {
    log.abs() > INSIGNIFICANT / GAMMA
}

/// What the values of a frame must be multiplied by, and what added, whose tones differ
/// from the reference's by these logarithms of gains and offsets; see [`Change`].
fn exposure(log: [f64; 3], offset: [f64; 3]) -> Exposure {
    let most = LARGEST.powf(1.0 / GAMMA);
    let gain = log.map(|log| (-log).exp().clamp(1.0 / most, most));
    let back = |c: usize| gain[c] * (TOE - offset[c].clamp(-FARTHEST, FARTHEST)) - TOE;
    Exposure {
        gain,
        offset: std::array::from_fn(back),
    }
}

/// The logarithms of the gains of a channel from the reference to each frame.
fn gains(pairs: &[Pair], channel: usize, count: usize, reference: usize) -> Vec<f64> {
    chained(pairs, count, reference, |change| (1.0, change.log[channel]))
}

/// What is added to a channel's tones from the reference to each frame.
fn offsets(pairs: &[Pair], channel: usize, count: usize, reference: usize) -> Vec<f64> {
    // What the first frame of a pair has gained is multiplied once more.
    chained(pairs, count, reference, |change| {
        (change.log[channel].exp(), change.offset[channel])
    })
}

/// A value of each frame, 0 for the reference, from pairs in which that of the
/// second frame is a factor times the first's, and a step, as `change` tells.
fn chained(
    pairs: &[Pair],
    count: usize,
    reference: usize,
    change: impl Fn(&Change) -> (f64, f64),
) -> Vec<f64> {
    let mut normal = tied(count, reference);
    for pair in pairs {
        let (from, to) = (pair.from, pair.to);
        let (factor, step) = change(&pair.change);
        normal.add(from, from, factor * factor);
        normal.add(to, to, 1.0);
        normal.add(to, from, -factor);
        normal.add_right(to, step);
        normal.add_right(from, -factor * step);
    }
    normal.solve().unwrap_or_else(|| vec![0.0; count])
}

/// No equations yet, but that the reference stays as it is; a trace of belief
/// that nothing differs ties loose frames down.
fn tied(count: usize, reference: usize) -> Normal {
    let mut normal = Normal::new(count, 2);
    (0..count).for_each(|i| normal.add(i, i, if i == reference { 1e6 } else { 1e-6 }));
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Photo, Samples};

    fn encode(light: f64) -> f64 {
        if light <= 0.003_130_8 {
            12.92 * light
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        }
    }

    fn scene(x: f64, y: f64) -> f64 {
        0.25 + 0.1 * (x / 31.0).sin() + 0.1 * (y / 23.0).cos()
    }

    fn photo(shift: f64, gains: [f64; 3]) -> Photo {
        let (width, height) = (320, 240);
        let samples = (0..width * height)
            .flat_map(|i| {
                let light = scene((i % width) as f64 - shift, (i / width) as f64);
                gains.map(|gain| (encode(light * gain) * 65535.0).round() as u16)
            })
            .collect();
        Photo {
            width,
            height,
            samples: Samples::Sixteen(samples),
            ..Photo::default()
        }
    }

    #[test]
    fn gains_bring_a_frame_back_to_the_reference() {
        let gains = [[1.0; 3], [1.1, 0.95, 1.02], [0.8, 1.3, 1.0]];
        let lights: Vec<Light> = gains
            .iter()
            .enumerate()
            .map(|(i, g)| Light::of(&photo(4.0 * i as f64, *g)))
            .collect();
        let poses: Vec<Transform> = (0..3)
            .map(|i| Transform::translation(4.0 * f64::from(i), 0.0))
            .collect();
        let found = exposures(&lights.iter().collect::<Vec<_>>(), &poses, 0);
        for (found, gains) in found.iter().zip(gains) {
            for (c, gain) in gains.iter().enumerate() {
                let seen = encode(0.3 * gain);
                let matched = seen * found.gain[c] + found.offset[c];
                assert!((matched - encode(0.3)).abs() < 0.002, "{matched}");
            }
        }
    }

    #[test]
    fn frames_are_matched_one_after_another_as_all_at_once() {
        // Each has a cast of its own; the lights of the room come and go.
        let gains: Vec<[f64; 3]> = (0..9)
            .map(|i| {
                let wave = 1.0 + 0.15 * (f64::from(i) * 0.9).sin();
                [wave, wave * (1.0 + 0.01 * f64::from(i)), 1.0]
            })
            .collect();
        let lights: Vec<Light> = gains.iter().map(|g| Light::of(&photo(0.0, *g))).collect();
        let reference = 5;
        let all = lights.iter().collect::<Vec<_>>();
        let at_once = exposures(&all, &[Transform::IDENTITY; 9], reference);
        let mut chain = Chain::default();
        let order = Chain::order((0..9).collect(), |&i: &usize| i == reference);
        assert_eq!(order, [5, 6, 7, 8, 4, 3, 2, 1, 0]);
        for i in order {
            let found = chain.next(lights[i].clone(), i < reference);
            for (c, &gain) in gains[i].iter().enumerate() {
                for value in [0.1, 0.3, 0.5] {
                    let matched = |e: &Exposure| encode(value * gain) * e.gain[c] + e.offset[c];
                    let right = encode(value * gains[reference][c]);
                    let off = [&found, &at_once[i]].map(|e| (matched(e) - right).abs());
                    assert!(
                        off.iter().all(|off| *off < 0.002),
                        "{i} {c} {value}: {off:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_chain_finds_its_way_over_a_frame_that_shows_nothing() {
        let light = |gain: f64| Light::of(&photo(0.0, [gain; 3]));
        let mut chain = Chain::default();
        let frames = [
            (1.0, false),
            (0.8, false),
            (1.3, true),
            (0.0, true),
            (0.9, true),
        ];
        for (gain, is_before) in frames {
            let found = chain.next(light(gain), is_before);
            if gain > 0.0 {
                let right = 1.0 / gain.powf(1.0 / 2.4);
                let off = (found.gain[1] - right).abs();
                assert!(off < 0.002, "{gain}: {found:?}");
            }
        }
    }

    #[test]
    fn frames_in_a_chain_keep_their_values_until_one_differs() {
        let light = |gain: f64| Light::of(&photo(0.0, [gain; 3]));
        let mut chain = Chain::default();
        for gain in [1.0, 1.001, 0.999, 1.0] {
            assert_eq!(chain.next(light(gain), false), Exposure::default());
        }
        let brighter = chain.next(light(1.3), false);
        assert!(
            brighter.gain.iter().all(|&gain| gain < 0.95),
            "{brighter:?}"
        );
        let back = chain.next(light(1.0), true);
        assert!(
            back.gain.iter().all(|&gain| (gain - 1.0).abs() < 0.001),
            "{back:?}"
        );
    }

    #[test]
    fn equal_frames_keep_their_values() {
        let light = Light::of(&photo(0.0, [1.0; 3]));
        let found = exposures(&[&light, &light], &[Transform::IDENTITY; 2], 1);
        assert_eq!(found, vec![Exposure::default(); 2]);
    }
}
