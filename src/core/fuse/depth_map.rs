//! The depth of each place of a picture, made whole from what was found of it.
//!
//! A surface shows its depth where it has texture. Beside a hair or an edge the
//! sharpest thing is often that hair's own blur, which tells nothing of what is
//! there: see [`own`]. Such places are carried on from those around them that
//! are sure, and from surfaces rather than from hairs: a hair is as wide as it
//! is.

use std::ops::Range;

use rayon::prelude::*;

use super::own::own;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;

/// Places around a place that smooth it, each way, and the step between them.
const TAPS: isize = 4;
const STEP: f32 = 3.0;
/// Depths that lie further apart than this share of the stack, or than a frame,
/// belong to other surfaces.
const APART: f32 = 0.02;
/// Confidence below which a depth is a guess, and from which it is known.
const GUESS: f32 = 0.52;
const KNOWN: f32 = 0.63;
/// The share of sure depths around a place that are like its own below which it
/// belongs to a hair, and from which to a surface.
const HAIR: f32 = 0.25;
const SURFACE: f32 = 0.35;
/// What a hair counts where depths are carried on: something only where there
/// is nothing else.
const THIN: f32 = 0.002;
/// Depths carried on are looked at again so often: a line drawn on a surface is
/// as thin as a hair, but has the depth that is carried on to it,
const ROUNDS: usize = 3;
/// within so many times the distance of depths that lie apart.
const LIKE: f32 = 2.0;
/// How much more a few sure places count at each coarser level from which
/// depths are carried on: with as much as there are pixels, the nearest alone
/// would tell.
const GAIN: f32 = 2.0;

/// The depth of each place as it was found, at half the size of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthMap {
    /// In frames from the first.
    depth: Plane,
    /// 0 to 1.
    confidence: Plane,
    /// How far what is sharp there is there, and not beside it: 0 to 1.
    own: Plane,
    /// The number of the last frame.
    last: u16,
}

impl DepthMap {
    /// From depths in frames, how sure they are, from 0 to 1, and the most
    /// energy that any frame has in no window, all at half the size of the
    /// picture. `last` is the number of the last frame.
    pub fn new(depth: Plane, confidence: Plane, crisp: &Plane, last: u16) -> Self {
        Self {
            depth,
            confidence,
            own: own(crisp),
            last,
        }
    }

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
            own: Plane::filled(w, h, 1.0),
            last: index.iter().copied().max().unwrap_or(0),
        }
    }

    /// Of a picture of which nothing is known yet, to be filled by
    /// [`take_rows`](Self::take_rows).
    pub fn blank(width: usize, height: usize) -> Self {
        let plane = || Plane::new(width.div_ceil(2), height.div_ceil(2));
        Self {
            depth: plane(),
            confidence: plane(),
            own: plane(),
            last: 0,
        }
    }

    /// Takes the `rows` of the picture from those of `part`, a picture as wide
    /// whose first row is row `first` of this one. All begin at even rows.
    pub fn take_rows(&mut self, part: &Self, rows: Range<usize>, first: usize) {
        let width = self.depth.width;
        let place = |row: usize| row.div_ceil(2) * width;
        let here = place(rows.start)..place(rows.end);
        let there = place(rows.start - first)..place(rows.end - first);
        for (to, from) in [
            (&mut self.depth, &part.depth),
            (&mut self.confidence, &part.confidence),
            (&mut self.own, &part.own),
        ] {
            to.data[here.clone()].copy_from_slice(&from.data[there.clone()]);
        }
        self.last = self.last.max(part.last);
    }

    /// The same for the making of a picture, in which it counts what is sharpest
    /// and not what is there: beside a hair that is the hair's frame, for in
    /// others its blur lies there.
    pub fn of_the_sharpest(mut self) -> Self {
        self.own.data.fill(1.0);
        self
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
        let apart = self.apart();
        let smooth = self.surface(softness, keep_going)?;
        Ok(enlarged(&smooth, width, height, apart))
    }

    /// Depths that lie further apart belong to other surfaces.
    fn apart(&self) -> f32 {
        (APART * f32::from(self.last)).max(1.0)
    }

    /// As [`Self::smooth`], at the size it is known at.
    ///
    /// # Errors
    ///
    /// As [`Self::smooth`].
    pub fn surface(self, softness: f32, keep_going: KeepGoing) -> Result<Plane> {
        let apart = self.apart();
        let step = (STEP * softness).round().max(1.0) as isize;
        let depth = median(&self.depth, keep_going);
        check(keep_going)?;
        let known = |v: f32| ((v - GUESS) / (KNOWN - GUESS)).clamp(0.0, 1.0);
        let mut sure = self.own;
        let values = sure.data.iter_mut().zip(&self.confidence.data);
        values.for_each(|(own, &confidence)| *own *= known(confidence));
        let near = Near {
            depth: &depth,
            confidence: &self.confidence,
            sure: &sure,
            apart: apart * softness,
        };
        let mut smooth = near.smoothed(step, keep_going);
        check(keep_going)?;
        if sure.data.iter().any(|&sure| sure > 0.0) {
            let carried = smooth.carried(&sure, apart, keep_going)?;
            let whole = smooth.depth.data.par_iter_mut().enumerate();
            whole.for_each(|(i, depth)| {
                let sure = sure.data[i];
                let found = sure * smooth.sure.data[i] + (1.0 - sure) * carried.data[i];
                // Where both agree, the one that all places around tell is finer.
                let share = alike(*depth - found, LIKE * apart) * known(self.confidence.data[i]);
                *depth = share * *depth + (1.0 - share) * found;
            });
        }
        check(keep_going)?;
        Ok(smooth.depth)
    }

    /// The places that depth is known at.
    pub fn cells(&self) -> usize {
        self.depth.data.len()
    }

    /// At half the size: of each four places the surest.
    pub fn reduced(&self) -> Self {
        let (width, height) = (self.depth.width, self.depth.height);
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let surest = |i: usize| {
            let (x, y) = (i % w * 2, i / w * 2);
            let (next, below) = ((x + 1).min(width - 1), (y + 1).min(height - 1));
            let four = [(x, y), (next, y), (x, below), (next, below)];
            let four = four.map(|(x, y)| y * width + x);
            let sure = |&at: &usize| self.confidence.data[at] * self.own.data[at];
            four.into_iter().max_by(|a, b| sure(a).total_cmp(&sure(b)))
        };
        let surest: Vec<usize> = (0..w * h).into_par_iter().filter_map(surest).collect();
        let plane = |from: &Plane| Plane {
            width: w,
            height: h,
            data: surest.par_iter().map(|&at| from.data[at]).collect(),
        };
        Self {
            depth: plane(&self.depth),
            confidence: plane(&self.confidence),
            own: plane(&self.own),
            last: self.last,
        }
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

/// How far two depths that differ by `off` are of one surface, 0 to 1, half at
/// about half of `apart`: a bell without an exponential, whose tails hardly
/// matter.
fn alike(off: f32, apart: f32) -> f32 {
    let off = off / apart;
    let share = 1.0 / (1.0 + off * off);
    share * share * share
}

/// What smooths depths.
struct Near<'a> {
    depth: &'a Plane,
    confidence: &'a Plane,
    sure: &'a Plane,
    apart: f32,
}

/// Depths as the mean of those around them.
struct Smooth {
    /// Of all depths.
    depth: Plane,
    /// Of the sure ones.
    sure: Plane,
    /// The share of the places around that are sure and have a like depth.
    support: Plane,
}

impl Near<'_> {
    /// Each depth as the mean of those around it, weighted by their confidence and
    /// by how near they are, in place and in depth (Tomasi and Manduchi, 1998); of
    /// no use once `keep_going` says no.
    fn smoothed(&self, step: isize, keep_going: KeepGoing) -> Smooth {
        let (width, height) = (self.depth.width, self.depth.height);
        let near: Vec<(isize, isize, f32)> = (-TAPS..=TAPS)
            .flat_map(|dy| (-TAPS..=TAPS).map(move |dx| (dx, dy)))
            .map(|(dx, dy)| {
                let distance = (dx * dx + dy * dy) as f32 / (TAPS * TAPS) as f32;
                (step * dx, step * dy, (-2.0 * distance).exp())
            })
            .collect();
        let all: f32 = near.iter().map(|(_, _, place)| place).sum();
        let mut smooth = Smooth {
            depth: Plane::new(width, height),
            sure: Plane::new(width, height),
            support: Plane::new(width, height),
        };
        let bands = smooth.depth.bands_mut();
        let bands = bands.zip(smooth.sure.bands_mut());
        let bands = bands.zip(smooth.support.bands_mut());
        bands.for_each(|(((first, depth), (_, sure)), (_, support))| {
            if !keep_going() {
                return;
            }
            for i in 0..depth.len() {
                let (x, y) = (i % width, first + i / width);
                (depth[i], sure[i], support[i]) = self.at(x as isize, y as isize, &near);
                support[i] /= all * self.confidence.data[y * width + x].max(0.01);
            }
        });
        smooth
    }

    /// The mean of the depths around a place, that of the sure ones, and their
    /// weight.
    fn at(&self, x: isize, y: isize, near: &[(isize, isize, f32)]) -> (f32, f32, f32) {
        let (width, height) = (self.depth.width as isize, self.depth.height as isize);
        let own = self.depth.data[(y * width + x) as usize];
        let (mut sum, mut total) = (1e-6 * own, 1e-6);
        let (mut sure_sum, mut sure_total) = (1e-6 * own, 1e-6);
        for &(dx, dy, place) in near {
            let (x, y) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
            let at = (y * width + x) as usize;
            let depth = self.depth.data[at];
            let weight = place * alike(depth - own, self.apart) * self.confidence.data[at];
            sum += weight * depth;
            total += weight;
            sure_sum += weight * self.sure.data[at] * depth;
            sure_total += weight * self.sure.data[at];
        }
        (sum / total, sure_sum / sure_total, sure_total)
    }
}

impl Smooth {
    /// Depths carried on from where they are `sure`, over places where they are
    /// not; for `apart` see [`APART`].
    fn carried(&self, sure: &Plane, apart: f32, keep_going: KeepGoing) -> Result<Plane> {
        let solid = |support: f32| ((support - HAIR) / (SURFACE - HAIR)).clamp(THIN, 1.0);
        let mut weight = sure.clone();
        let values = weight.data.par_iter_mut().zip(&self.support.data);
        values.for_each(|(weight, &support)| *weight *= solid(support));
        let mut carried = carried_on(&self.sure, &weight);
        for _ in 0..ROUNDS {
            check(keep_going)?;
            weight
                .data
                .par_iter_mut()
                .enumerate()
                .for_each(|(i, weight)| {
                    let like = alike(self.sure.data[i] - carried.data[i], LIKE * apart);
                    *weight = sure.data[i] * solid(self.support.data[i]).max(like);
                });
            carried = carried_on(&self.sure, &weight);
        }
        Ok(carried)
    }
}

/// Values as far as they have weight, up to 1, and what is around them as far as
/// they have none (pull-push, Gortler et al., "The Lumigraph", 1996).
fn carried_on(values: &Plane, weight: &Plane) -> Plane {
    let mut weighted = values.clone();
    let each = weighted.data.par_iter_mut().zip(&weight.data);
    each.for_each(|(value, weight)| *value *= weight);
    if values.width.max(values.height) <= 2 {
        let total: f32 = weight.data.iter().sum();
        let mean = weighted.data.iter().sum::<f32>() / total.max(f32::MIN_POSITIVE);
        return Plane::filled(values.width, values.height, mean);
    }
    let (mut coarse, mut share) = (weighted.reduced(), weight.reduced());
    coarse.divide(&share);
    share
        .data
        .iter_mut()
        .for_each(|v| *v = (GAIN * *v).min(1.0));
    let carried = carried_on(&coarse, &share);
    let mut carried = carried.expanded(values.width, values.height);
    let each = carried.data.par_iter_mut().enumerate();
    each.for_each(|(i, carried)| *carried += weight.data[i] * (values.data[i] - *carried));
    carried
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

    const SIZE: (usize, usize) = (160, 120);

    /// The depths of a picture, row after row, whose places have a depth and
    /// some energy in no window. All are sure.
    fn smooth(depth: impl Fn(usize, usize) -> (f32, f32)) -> Vec<f32> {
        let (width, height) = SIZE;
        let plane = |value: &dyn Fn(usize, usize) -> f32| Plane {
            width,
            height,
            data: (0..width * height)
                .map(|i| value(i % width, i / width))
                .collect(),
        };
        let map = DepthMap::new(
            plane(&|x, y| depth(x, y).0),
            Plane::filled(width, height, 0.9),
            &plane(&|x, y| depth(x, y).1),
            12,
        );
        map.smooth(2 * width, 2 * height, 1.0, ALWAYS).unwrap()
    }

    #[test]
    fn a_hair_is_no_wider_than_it_is() {
        // Windows and blur make what is around a hair look like it.
        let hair = |x: usize| x.abs_diff(60);
        let found = smooth(|x, _| match hair(x) {
            0 => (2.0, 1.0),
            off if off < 12 => (2.0 + off as f32 / 4.0, 0.3 / (off as f32).powi(3)),
            _ => (10.0, 0.004),
        });
        let row = &found[120 * 320..121 * 320];
        assert!((row[120] - 2.0).abs() < 1.0, "{row:?}");
        let beside = (60..116).chain(126..200);
        let most = |x: usize| (row[x] - 10.0).abs();
        assert!(beside.map(most).fold(0.0, f32::max) < 0.5, "{row:?}");
    }

    #[test]
    fn a_line_on_a_surface_lies_on_it() {
        // A slope, textured at both ends, with thin lines where it is blank. What
        // is found there for want of anything is wrong.
        let truth = |x: usize| x as f32 / 16.0;
        let found = smooth(|x, _| match x {
            0..20 | 140.. => (truth(x), 0.5),
            _ if x % 20 < 5 => (truth(x), if x % 20 == 2 { 1.0 } else { 0.01 }),
            _ => (0.0, 0.0001),
        });
        let row = &found[120 * 320..121 * 320];
        let off = (0..320).map(|x| (row[x] - truth(x / 2)).abs());
        assert!(off.fold(0.0, f32::max) < 1.0, "{row:?}");
    }
}
