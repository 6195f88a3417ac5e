//! How evenly a stack covers its focus range, told from the scores of
//! sharpness of its regions.
//!
//! A region's circle of confusion grows in proportion to its distance from
//! focus, and its score falls with it: between about the first power (far from
//! focus) and the second (near it). A power of the inverse score is therefore
//! close to a parabola over the focus distance, whatever the region shows and
//! wherever it lies, and the slope of a parabola halfway between two others is
//! their mean. So in four frames in a row the change from the second to the
//! third, against the mean of the changes before and after, is how far the
//! focus moved there against its neighbours: 1 in an even stack, 2 where a
//! frame is missing. Every textured region has an opinion; their weighted
//! median is the answer.
//!
//! Two gaps that share a frame hide each other, for each has the other as its
//! neighbour. They show when that frame is passed over.

use std::cmp::Ordering;

/// Power of the inverse score that is taken for a parabola.
const POWER: f64 = 1.5;
/// Scores are followed down to this share of a region's best; what is blurrier
/// tells of noise and neighbours.
const REACH: f64 = 1.0 / 8.0;
/// A region has texture if its best score is this much above its worst, ...
const CONTRAST: f64 = 1.5;
/// ... and at least this share of what a usual region has.
const TEXTURE: f64 = 0.05;
/// Fewer regions than this are no answer.
const REGIONS: usize = 6;
/// A step that is longer than its neighbours by this factor is a gap: halfway
/// between an even stack and one that lacks a frame.
const GAP: f64 = 1.5;
/// Two gaps that share a frame are each longer than their neighbours by 4/3;
/// this much is asked of both.
const HALF_GAP: f64 = 1.15;

/// A place where the focus jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// The frame before it; the next one is the frame after it.
    pub after: usize,
    /// The length of the step against those before and after it; about 2
    /// where one frame is missing.
    pub step: f64,
}

/// The places where the focus jumps by half as much again as just before and
/// just after, or more. Takes the scores of the regions of each frame, in the
/// order of focus: as many regions in each, the same place of the scene.
///
/// The first and the last step have a neighbour on one side only and are not
/// judged, nor are steps in which too few regions come into focus or leave it.
pub fn gaps(frames: &[&[f64]]) -> Vec<Gap> {
    steps(frames)
        .into_iter()
        .enumerate()
        .filter_map(|(after, step)| Some((after, step?)))
        .filter(|&(_, step)| step >= GAP)
        .map(|(after, step)| Gap { after, step })
        .collect()
}

/// How far the focus moves from each frame to the next, against the steps
/// before and after; `None` where that cannot be told.
pub fn steps(frames: &[&[f64]]) -> Vec<Option<f64>> {
    let count = frames.len().saturating_sub(1);
    if frames.iter().any(|frame| frame.len() != frames[0].len()) {
        return vec![None; count];
    }
    let blurs = blurs(frames);
    let step = |four: [usize; 4]| {
        let opinions = blurs
            .iter()
            .filter_map(|blur| opinion(four.map(|i| blur[i])));
        weighted_median(opinions.collect())
    };
    let alone: Vec<Option<f64>> = (0..count)
        .map(|i| (i > 0 && i + 1 < count).then(|| step([i - 1, i, i + 1, i + 2]))?)
        .collect();
    let mut steps = alone.clone();
    for i in 1..count.saturating_sub(2) {
        if [alone[i], alone[i + 1]]
            .iter()
            .all(|&step| step >= Some(HALF_GAP))
        {
            let both = step([i - 1, i, i + 2, i + 3]).map(|both| both / 2.0);
            if both >= Some(GAP) {
                for step in &mut steps[i..=i + 1] {
                    *step = if *step < both { both } else { *step };
                }
            }
        }
    }
    steps
}

/// For each region with texture its blur in every frame: 1 in the best one.
fn blurs(frames: &[&[f64]]) -> Vec<Vec<f64>> {
    let regions = frames.first().map_or(0, |frame| frame.len());
    let best = |region: usize| frames.iter().map(|f| f[region]).fold(0.0, f64::max);
    let mut bests: Vec<f64> = (0..regions).map(best).filter(|&best| best > 0.0).collect();
    bests.sort_by(f64::total_cmp);
    let Some(&usual) = bests.get(bests.len() / 2) else {
        return Vec::new();
    };
    (0..regions)
        .filter_map(|region| {
            let scores = frames.iter().map(|frame| frame[region]);
            let (best, worst) = (best(region), scores.clone().fold(f64::INFINITY, f64::min));
            let has_texture = best > CONTRAST * worst && best > TEXTURE * usual;
            has_texture.then(|| scores.map(|score| (best / score).powf(POWER)).collect())
        })
        .collect()
}

/// What a region's blur in four frames in a row tells of the step between the
/// inner two: its length against the outer ones, and how much that counts.
fn opinion([a, b, c, d]: [f64; 4]) -> Option<[f64; 2]> {
    let limit = REACH.powf(-POWER);
    if [a, b, c, d].iter().any(|&blur| blur > limit) {
        return None;
    }
    let (before, within, after) = (b - a, c - b, d - c);
    // Where it is best in between, the changes cancel and tell nothing.
    (before * after > 0.0).then(|| {
        let around = before + after;
        [2.0 * within / around, around.abs() / (a + b + c + d)]
    })
}

/// The value that half of the weight lies below.
fn weighted_median(mut opinions: Vec<[f64; 2]>) -> Option<f64> {
    if opinions.len() < REGIONS {
        return None;
    }
    opinions.sort_by(|a, b| a[0].partial_cmp(&b[0]).unwrap_or(Ordering::Equal));
    let half: f64 = opinions.iter().map(|[_, weight]| weight).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let median = opinions.iter().find(|[_, weight]| {
        sum += weight;
        sum >= half
    });
    median.map(|[value, _]| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sharpness::{GRID, Sharpness};
    use crate::demo::{DemoStack, Noise, Scene, SceneOptions};

    fn scores(options: &SceneOptions) -> Vec<Vec<f64>> {
        let stack = DemoStack::new(options);
        (0..options.frames)
            .map(|index| Sharpness::of(&stack.frame(index, 8), GRID).scores())
            .collect()
    }

    fn gaps_without(scores: &[Vec<f64>], missing: &[usize]) -> Vec<usize> {
        let left: Vec<&[f64]> = scores
            .iter()
            .enumerate()
            .filter(|(index, _)| !missing.contains(index))
            .map(|(_, scores)| &scores[..])
            .collect();
        gaps(&left).iter().map(|gap| gap.after).collect()
    }

    fn scene(scene: Scene, seed: u64) -> SceneOptions {
        SceneOptions {
            width: 600,
            height: 400,
            frames: 14,
            seed,
            ..SceneOptions::new(scene)
        }
    }

    #[test]
    fn a_missing_frame_is_found_and_nothing_else() {
        for (seed, kind) in Scene::ALL.into_iter().enumerate() {
            let scores = scores(&scene(kind, seed as u64));
            let full = gaps_without(&scores, &[]);
            assert!(full.is_empty(), "{kind}: {full:?}");
            for missing in 3..11 {
                let found = gaps_without(&scores, &[missing]);
                assert_eq!(found, [missing - 1], "{kind} without {missing}");
            }
        }
    }

    #[test]
    fn gaps_that_share_a_frame_are_both_found() {
        let scores = scores(&scene(Scene::Plane, 1));
        assert_eq!(gaps_without(&scores, &[5, 7]), [4, 5]);
        assert_eq!(gaps_without(&scores, &[5, 8]), [4, 6]);
    }

    #[test]
    fn noise_and_an_unsteady_hand_hide_no_gap_and_make_none() {
        let options = SceneOptions {
            noise: Noise::High,
            shift: 8.0,
            rotation: 0.3,
            flicker: 0.1,
            ..scene(Scene::Specular, 9)
        };
        let scores = scores(&options);
        assert!(gaps_without(&scores, &[]).is_empty());
        assert_eq!(gaps_without(&scores, &[6, 7]), [5]);
    }

    #[test]
    fn steps_that_grow_are_no_gaps() {
        // Focus at 1, 1.15, 1.15², … as lenses step towards infinity.
        let focus: Vec<f64> = (0..20).map(|i| 1.15f64.powi(i)).collect();
        let frames: Vec<Vec<f64>> = focus
            .iter()
            .map(|focus| {
                let score = |r: i32| 1.0 / (0.3 + (focus - 0.06 * f64::from(r)).abs() / focus);
                (0..256).map(score).collect()
            })
            .collect();
        let frames: Vec<&[f64]> = frames.iter().map(Vec::as_slice).collect();
        assert_eq!(gaps(&frames), []);
    }

    #[test]
    fn without_texture_or_frames_nothing_is_said() {
        let flat = vec![0.0; 256];
        assert_eq!(gaps(&[]), []);
        assert_eq!(steps(&[&flat[..]; 5]), [None; 4]);
        assert_eq!(
            steps(&[&[1.0][..], &[][..], &[2.0][..], &[1.0][..]]),
            [None; 3]
        );
    }
}
