//! At which depth, counted in frames, each place is sharp.
//!
//! The focus measure of a place has one peak along the stack. Its centre is
//! found finer than a frame as the mean of the frames about the largest measure,
//! weighted by a power of it. Half the size of the picture is enough: a focus
//! measure is gathered from windows that are larger than that.

use rayon::prelude::*;

use super::fill::fill;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::{BAND, Plane};

/// Frames on either side of the sharpest that tell the centre of the peak.
const REACH: u16 = 2;
/// A frame tells by this power of its focus measure.
const POWER: i32 = 3;
/// Places around a place that smooth it, each way, and the step between them.
const TAPS: isize = 4;
const STEP: f32 = 2.0;
/// Depths that lie further apart than this share of the stack, or than a frame,
/// belong to other surfaces.
const APART: f32 = 0.02;
/// Confidence below which a depth is a guess, and from which it is known.
const GUESS: f32 = 0.52;
const KNOWN: f32 = 0.63;

/// Searches the depth of each place, frame by frame, at half the size.
#[derive(Debug, Clone)]
pub struct DepthSearch {
    best: Plane,
    index: Vec<u16>,
    /// The largest focus measure, in whatever surroundings.
    clearest: Plane,
    /// Weights of the frames about the best, and frame numbers by weight.
    weight: Vec<f32>,
    sum: Vec<f32>,
    floor: f32,
    last: u16,
}

impl DepthSearch {
    /// No frame yet, for a picture of `width`×`height` pixels. `floor` is the
    /// focus measure that tells nothing.
    pub fn new(width: usize, height: usize, floor: f32) -> Self {
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        Self {
            best: Plane::filled(width, height, -1.0),
            index: vec![0; width * height],
            clearest: Plane::new(width, height),
            weight: vec![0.0; width * height],
            sum: vec![0.0; width * height],
            floor,
            last: 0,
        }
    }

    /// Takes in the focus measure of the frame `index`, at full size, and at half
    /// the size how far the surroundings are
    /// [`settled`](super::contrast::settled). Frames that come in the order of
    /// the stack are weighed best.
    pub fn add(
        &mut self,
        index: u16,
        focus: &Plane,
        settled: Option<&Plane>,
        mask: Option<&Plane>,
    ) {
        self.last = self.last.max(index);
        let mut focus = match mask {
            None => focus.reduced(),
            Some(mask) => {
                let mut shown = focus.clone();
                shown
                    .data
                    .par_iter_mut()
                    .zip(&mask.data)
                    .for_each(|(v, mask)| *v *= mask);
                shown.reduced()
            }
        }
        .windowed()
        .windowed();
        let clearest = self.clearest.data.par_iter_mut();
        clearest
            .zip(&focus.data)
            .for_each(|(clearest, focus)| *clearest = clearest.max(*focus));
        if let Some(settled) = settled {
            let values = focus.data.par_iter_mut().zip(&settled.data);
            values.for_each(|(focus, settled)| *focus *= settled);
        }
        let floor = self.floor;
        let length = (focus.width * BAND).max(1);
        self.best
            .data
            .par_chunks_mut(length)
            .zip(self.index.par_chunks_mut(length))
            .zip(self.weight.par_chunks_mut(length))
            .zip(self.sum.par_chunks_mut(length))
            .zip(focus.data.par_chunks(length))
            .for_each(|((((best, winner), weight), sum), focus)| {
                for i in 0..best.len() {
                    let is_near = index.abs_diff(winner[i]) <= REACH;
                    if focus[i] > best[i] {
                        best[i] = focus[i];
                        winner[i] = index;
                        if !is_near {
                            (weight[i], sum[i]) = (0.0, 0.0);
                        }
                    } else if !is_near {
                        continue;
                    }
                    let own = (focus[i] / floor + 1.0).powi(POWER);
                    weight[i] += own;
                    sum[i] += own * f32::from(index);
                }
            });
    }

    /// The depth of each place, and how sure it is.
    pub fn finish(self) -> DepthMap {
        let (width, height) = (self.best.width, self.best.height);
        let confidence = self.clearest.data.par_iter().map(|best| {
            let ratio = (best.max(0.0) / self.floor).sqrt();
            ratio / (1.0 + ratio)
        });
        let depth = self.sum.par_iter().zip(&self.weight);
        DepthMap {
            confidence: Plane {
                width,
                height,
                data: confidence.collect(),
            },
            depth: Plane {
                width,
                height,
                data: depth
                    .map(|(sum, w)| sum / w.max(f32::MIN_POSITIVE))
                    .collect(),
            },
            last: self.last,
        }
    }
}

/// The depth of each place as it was found, at half the size of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthMap {
    /// In frames from the first.
    depth: Plane,
    /// 0 to 1.
    confidence: Plane,
    /// The number of the last frame.
    last: u16,
}

impl DepthMap {
    /// From the frame that each pixel of a picture came from, and how sure that
    /// is, 0 to 255.
    pub fn of_index(index: &[u16], confidence: &[u8], width: usize, height: usize) -> Self {
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let at = |i: usize| (i / w * 2) * width + i % w * 2;
        let plane = |value: &(dyn Fn(usize) -> f32 + Sync)| Plane {
            width: w,
            height: h,
            data: (0..w * h).into_par_iter().map(|i| value(at(i))).collect(),
        };
        Self {
            depth: plane(&|at| f32::from(index[at])),
            confidence: plane(&|at| f32::from(confidence[at]) / 255.0),
            last: index.iter().copied().max().unwrap_or(0),
        }
    }

    /// The depth of each pixel of a picture of `width`×`height` pixels, in
    /// frames from the first: smooth on surfaces, with jumps where one ends, and
    /// carried on from what is around it where nothing shows it. For `softness`
    /// see [`softness`](super::softness::softness).
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn smooth(
        self,
        width: usize,
        height: usize,
        softness: f32,
        keep_going: KeepGoing,
    ) -> Result<Vec<f32>> {
        let apart = (APART * f32::from(self.last)).max(1.0);
        let step = (STEP * softness).round().max(1.0) as isize;
        let depth = median(&self.depth, keep_going);
        check(keep_going)?;
        let mut depth = bilateral(&depth, &self.confidence, apart * softness, step, keep_going);
        check(keep_going)?;
        let mut known = self.confidence;
        known
            .data
            .iter_mut()
            .for_each(|v| *v = ((*v - GUESS) / (KNOWN - GUESS)).clamp(0.0, 1.0));
        if known.data.iter().any(|&v| v > 0.0) {
            fill(&mut depth, &known);
        }
        check(keep_going)?;
        Ok(enlarged(&depth, width, height, apart))
    }
}

/// Each depth as the median of 5×5: a lone one that errs would stay as a speck.
/// Of no use once `keep_going` says no.
fn median(depth: &Plane, keep_going: KeepGoing) -> Plane {
    let (width, height) = (depth.width as isize, depth.height as isize);
    let mut out = Plane::new(depth.width, depth.height);
    out.bands_mut().for_each(|(first, rows)| {
        if !keep_going() {
            return;
        }
        for (i, out) in rows.iter_mut().enumerate() {
            let (x, y) = (i as isize % width, first as isize + i as isize / width);
            let mut near: [f32; 25] = std::array::from_fn(|k| {
                let (dx, dy) = (k as isize % 5 - 2, k as isize / 5 - 2);
                let x = (x + dx).clamp(0, width - 1);
                depth.data[((y + dy).clamp(0, height - 1) * width + x) as usize]
            });
            let least = near.iter().copied().fold(f32::INFINITY, f32::min);
            let most = near.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            // Nothing to sort where all are of one surface.
            *out = if most - least < 0.25 {
                near[12]
            } else {
                *near.select_nth_unstable_by(12, f32::total_cmp).1
            };
        }
    });
    out
}

/// Each depth as the mean of those around it, weighted by their confidence and
/// by how near they are, in place and in depth (Tomasi and Manduchi, 1998); of
/// no use once `keep_going` says no.
fn bilateral(
    depth: &Plane,
    confidence: &Plane,
    apart: f32,
    step: isize,
    keep_going: KeepGoing,
) -> Plane {
    let (width, height) = (depth.width as isize, depth.height as isize);
    let near: Vec<(isize, isize, f32)> = (-TAPS..=TAPS)
        .flat_map(|dy| (-TAPS..=TAPS).map(move |dx| (dx, dy)))
        .map(|(dx, dy)| {
            let distance = (dx * dx + dy * dy) as f32 / (TAPS * TAPS) as f32;
            (step * dx, step * dy, (-2.0 * distance).exp())
        })
        .collect();
    let mut out = Plane::new(depth.width, depth.height);
    let bands = out.bands_mut().filter(|_| keep_going());
    bands.for_each(|(first, rows)| {
        for (i, out) in rows.iter_mut().enumerate() {
            let (x, y) = (i as isize % width, first as isize + i as isize / width);
            let own = depth.data[(y * width + x) as usize];
            let (mut sum, mut total) = (1e-6 * own, 1e-6);
            for &(dx, dy, place) in &near {
                let (x, y) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
                let at = (y * width + x) as usize;
                let off = (depth.data[at] - own) / apart;
                // A bell without an exponential: its tails hardly matter.
                let alike = 1.0 / (1.0 + off * off);
                let weight = place * alike * alike * alike * confidence.data[at];
                sum += weight * depth.data[at];
                total += weight;
            }
            *out = sum / total;
        }
    });
    out
}

/// To the full size: between depths of one surface evenly, between others by
/// the nearest.
fn enlarged(depth: &Plane, width: usize, height: usize, apart: f32) -> Vec<f32> {
    let mut full = vec![0.0; width * height];
    full.par_chunks_mut(width.max(1))
        .enumerate()
        .for_each(|(y, row)| {
            let next = (y.div_ceil(2)).min(depth.height - 1);
            let (upper, lower) = (depth.row(y / 2), depth.row(next));
            for (x, out) in row.iter_mut().enumerate() {
                let (left, right) = (x / 2, x.div_ceil(2).min(depth.width - 1));
                let four = [upper[left], upper[right], lower[left], lower[right]];
                let least = four.iter().copied().fold(f32::INFINITY, f32::min);
                let most = four.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                *out = if most - least <= apart {
                    four.iter().sum::<f32>() / 4.0
                } else {
                    four[0]
                };
            }
        });
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;

    const SIZE: (usize, usize) = (96, 64);

    /// Searches a scene whose focus measure falls off evenly about `depth`, in
    /// frames.
    fn search(frames: u16, depth: impl Fn(usize, usize) -> f32, strength: f32) -> Vec<f32> {
        let (width, height) = SIZE;
        let mut search = DepthSearch::new(width, height, 1e-4);
        for index in 0..frames {
            let focus = (0..width * height).map(|i| {
                let off = f32::from(index) - depth(i % width, i / width);
                strength / (1.0 + off * off).powi(2)
            });
            let focus = Plane {
                width,
                height,
                data: focus.collect(),
            };
            search.add(index, &focus, None, None);
        }
        search.finish().smooth(width, height, 1.0, ALWAYS).unwrap()
    }

    #[test]
    fn a_slope_is_found_finer_than_a_frame() {
        let truth = |x: usize, _: usize| 2.0 + x as f32 / 24.0;
        let found = search(9, truth, 1.0);
        for (i, found) in found.iter().enumerate() {
            let x = i % SIZE.0;
            let inside = (12..84).contains(&x);
            assert!(!inside || (found - truth(x, 0)).abs() < 0.2, "{x}: {found}");
        }
    }

    #[test]
    fn a_step_stays_a_step() {
        let truth = |x: usize, _: usize| if x < 48 { 2.0 } else { 7.0 };
        let found = search(10, truth, 1.0);
        for (i, found) in found.iter().enumerate() {
            let x = i % SIZE.0;
            let away = !(40..56).contains(&x);
            assert!(!away || (found - truth(x, 0)).abs() < 0.2, "{x}: {found}");
        }
    }

    #[test]
    fn where_nothing_shows_it_depth_is_carried_on() {
        let (width, height) = SIZE;
        let mut search = DepthSearch::new(width, height, 1e-4);
        for index in 0..8u16 {
            let focus = (0..width * height).map(|i| {
                let textured = !(32..64).contains(&(i % width));
                let off = f32::from(index) - 5.0;
                // Chance alone would have the first frame win.
                let chance = 1e-6 / (1.0 + f32::from(index));
                if textured {
                    1.0 / (1.0 + off * off)
                } else {
                    chance
                }
            });
            let data = focus.collect();
            let focus = Plane {
                width,
                height,
                data,
            };
            search.add(index, &focus, None, None);
        }
        let found = search.finish().smooth(width, height, 1.0, ALWAYS).unwrap();
        assert!(found.iter().all(|depth| (depth - 5.0).abs() < 0.3));
    }

    #[test]
    fn any_size_has_a_depth() {
        for (width, height) in [(1, 1), (2, 2), (3, 5), (17, 2)] {
            let mut search = DepthSearch::new(width, height, 1e-4);
            search.add(0, &Plane::filled(width, height, 0.0), None, None);
            search.add(1, &Plane::filled(width, height, 1.0), None, None);
            let depth = search.finish().smooth(width, height, 1.0, ALWAYS).unwrap();
            assert_eq!(depth.len(), width * height);
            assert!(depth.iter().all(|depth| (depth - 1.0).abs() < 0.01));
        }
    }
}
