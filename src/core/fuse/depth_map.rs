//! The depth of each place of a picture, made whole from what was found of it.
//!
//! A surface shows its depth where it has texture. Beside a hair or an edge the
//! sharpest thing is often that hair's own blur, which tells nothing of what is
//! there: see [`own`]. Such places are carried on from those around them that
//! are sure, and from surfaces rather than from hairs: a hair is as wide as it
//! is.

use std::iter::repeat_n;
use std::ops::Range;

use rayon::prelude::*;

use super::own::own;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::vector::vectorised;

/// Places around a place that smooth it, each way, all of them in a row, and the step
/// between them.
const TAPS: usize = 4;
const SIDE: usize = 2 * TAPS + 1;
const STEP: f32 = 3.0;
/// Places of a row that are smoothed together: what is summed up stays in the cache.
const RUN: usize = 512;
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
        let step = (STEP * softness).round().max(1.0) as usize;
        let depth = median(&self.depth, keep_going);
        check(keep_going)?;
        let mut sure = self.own;
        sure.change_by(
            &self.confidence,
            #[inline(always)]
            |own, confidence| own * known(confidence),
        );
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
    let (width, height) = (depth.width, depth.height);
    let mut out = Plane::new(width, height);
    let bands = out.bands_mut();
    bands.for_each_init(Default::default, |bounds, (first, rows)| {
        if !keep_going() {
            return;
        }
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            let near =
                [0, 1, 2, 3, 4].map(|k| depth.row((y + k).saturating_sub(2).min(height - 1)));
            spread(near, bounds, out);
            for (x, out) in out.iter_mut().enumerate() {
                // Nothing to sort where all are of one surface.
                if *out < 0.25 {
                    *out = near[2][x];
                    continue;
                }
                let at = |k: usize| near[k / 5][(x + k % 5).saturating_sub(2).min(width - 1)];
                let mut near: [f32; 25] = std::array::from_fn(at);
                *out = *near.select_nth_unstable_by(12, f32::total_cmp).1;
            }
        }
    });
    out
}

/// How far the values in 5×5 about each place of the middle one of these rows lie
/// apart; the others are memory of any length.
fn spread(rows: [&[f32]; 5], [low, high]: &mut [Vec<f32>; 2], out: &mut [f32]) {
    let width = out.len();
    vectorised(
        #[inline(always)]
        || {
            // Two values more at either end are as the last one.
            for bound in [&mut *low, &mut *high] {
                bound.resize(width + 4, 0.0);
            }
            let (lows, highs) = (&mut low[2..2 + width], &mut high[2..2 + width]);
            let [a, b, c, d, e] = rows.map(|row| &row[..width]);
            for x in 0..width {
                lows[x] = a[x].min(b[x]).min(c[x]).min(d[x]).min(e[x]);
                highs[x] = a[x].max(b[x]).max(c[x]).max(d[x]).max(e[x]);
            }
            for bound in [&mut *low, &mut *high] {
                let last = bound[width + 1];
                bound[width + 2..].fill(last);
                let first = bound[2];
                bound[..2].fill(first);
            }
            let windows = low.windows(5).zip(high.windows(5));
            for (out, (l, h)) in out.iter_mut().zip(windows) {
                let least = l[0].min(l[1]).min(l[2]).min(l[3]).min(l[4]);
                let most = h[0].max(h[1]).max(h[2]).max(h[3]).max(h[4]);
                *out = most - least;
            }
        },
    );
}

/// How far a depth is known, 0 to 1, by how sure it is.
#[inline(always)]
fn known(confidence: f32) -> f32 {
    ((confidence - GUESS) / (KNOWN - GUESS)).clamp(0.0, 1.0)
}

/// How much a depth counts where depths are carried on, by its [`Smooth::support`]: up to
/// 1 on a surface, and next to nothing on a hair.
#[inline(always)]
fn solid(support: f32) -> f32 {
    ((support - HAIR) / (SURFACE - HAIR)).clamp(THIN, 1.0)
}

/// How far two depths that differ by `off` are of one surface, 0 to 1, half at
/// about half of `apart`: a bell without an exponential, whose tails hardly
/// matter.
#[inline(always)]
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
    fn smoothed(&self, step: usize, keep_going: KeepGoing) -> Smooth {
        let (width, height) = (self.depth.width, self.depth.height);
        let places: [[f32; SIDE]; SIDE] = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let squares = row.abs_diff(TAPS).pow(2) + column.abs_diff(TAPS).pow(2);
                (-2.0 * squares as f32 / (TAPS * TAPS) as f32).exp()
            })
        });
        let all: f32 = places.iter().flatten().sum();
        let mut smooth = Smooth {
            depth: Plane::new(width, height),
            sure: Plane::new(width, height),
            support: Plane::new(width, height),
        };
        let bands = smooth.depth.bands_mut();
        let bands = bands.zip(smooth.sure.bands_mut());
        let bands = bands.zip(smooth.support.bands_mut());
        bands.for_each_init(
            Around::default,
            |around, (((first, depth), (_, sure)), (_, support))| {
                if !keep_going() {
                    return;
                }
                let rows = depth.chunks_exact_mut(width);
                let rows = rows.zip(sure.chunks_exact_mut(width));
                let rows = rows.zip(support.chunks_exact_mut(width));
                for (y, ((depth, sure), support)) in (first..).zip(rows) {
                    around.fetch(self, y, step);
                    let runs = depth.chunks_mut(RUN).zip(sure.chunks_mut(RUN));
                    let runs = runs.zip(support.chunks_mut(RUN)).enumerate();
                    for (run, ((depth, sure), support)) in runs {
                        let own = &self.depth.row(y)[run * RUN..][..depth.len()];
                        let sums = Sums {
                            depth,
                            sure,
                            support,
                        };
                        sums.of(own, around, run * RUN, &places, self.apart);
                    }
                    let values = support.iter_mut().zip(self.confidence.row(y));
                    values.for_each(|(support, confidence)| *support /= all * confidence.max(0.01));
                }
            },
        );
        smooth
    }
}

/// The rows from which a row is smoothed, with as many places more at either end as
/// are looked at there: those outside are as the last one.
#[derive(Debug, Default)]
struct Around {
    step: usize,
    /// Depth, confidence, and how sure it is.
    rows: [[Vec<f32>; 3]; SIDE],
}

impl Around {
    fn fetch(&mut self, near: &Near, y: usize, step: usize) {
        let (reach, last) = (TAPS * step, near.depth.height - 1);
        self.step = step;
        for (k, rows) in self.rows.iter_mut().enumerate() {
            let y = (y + k * step).saturating_sub(reach).min(last);
            let planes = [near.depth, near.confidence, near.sure];
            for (row, plane) in rows.iter_mut().zip(planes) {
                let own = plane.row(y);
                row.clear();
                row.extend(repeat_n(own[0], reach));
                row.extend_from_slice(own);
                row.extend(repeat_n(own[own.len() - 1], reach));
            }
        }
    }
}

/// What some places of a row become.
struct Sums<'a> {
    /// The mean of the depths around a place,
    depth: &'a mut [f32],
    /// that of the sure ones,
    sure: &'a mut [f32],
    /// and their weight.
    support: &'a mut [f32],
}

impl Sums<'_> {
    /// Finds them for places from `first` on, whose depths are their `own`.
    fn of(
        self,
        own: &[f32],
        around: &Around,
        first: usize,
        places: &[[f32; SIDE]; SIDE],
        apart: f32,
    ) {
        let length = own.len();
        let (sum, sure_sum) = (&mut self.depth[..length], &mut self.sure[..length]);
        let sure_total = &mut self.support[..length];
        let mut totals = [1e-6; RUN];
        let total = &mut totals[..length];
        vectorised(
            #[inline(always)]
            || {
                for i in 0..length {
                    (sum[i], sure_sum[i], sure_total[i]) = (1e-6 * own[i], 1e-6 * own[i], 1e-6);
                }
                for (rows, places) in around.rows.iter().zip(places) {
                    for (k, &place) in places.iter().enumerate() {
                        let start = first + k * around.step;
                        let [depth, confidence, sure] =
                            rows.each_ref().map(|row| &row[start..start + length]);
                        for i in 0..length {
                            let like = alike(depth[i] - own[i], apart);
                            let weight = place * like * confidence[i];
                            let sure = weight * sure[i];
                            sum[i] += weight * depth[i];
                            total[i] += weight;
                            sure_sum[i] += sure * depth[i];
                            sure_total[i] += sure;
                        }
                    }
                }
                for i in 0..length {
                    sum[i] /= total[i];
                    sure_sum[i] /= sure_total[i];
                }
            },
        );
    }
}

impl Smooth {
    /// Depths carried on from where they are `sure`, over places where they are
    /// not; for `apart` see [`APART`].
    fn carried(&self, sure: &Plane, apart: f32, keep_going: KeepGoing) -> Result<Plane> {
        let mut weight = sure.clone();
        weight.change_by(
            &self.support,
            #[inline(always)]
            |weight, support| weight * solid(support),
        );
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
    weighted.change_by(
        weight,
        #[inline(always)]
        |value, weight| value * weight,
    );
    if values.width.max(values.height) <= 2 {
        let total: f32 = weight.data.iter().sum();
        let mean = weighted.data.iter().sum::<f32>() / total.max(f32::MIN_POSITIVE);
        return Plane::filled(values.width, values.height, mean);
    }
    let (mut coarse, mut share) = (weighted.reduced(), weight.reduced());
    coarse.divide(&share);
    share.change(
        #[inline(always)]
        |share| (GAIN * share).min(1.0),
    );
    let carried = carried_on(&coarse, &share);
    let mut carried = carried.expanded(values.width, values.height);
    carried.mix(values, weight);
    carried
}

/// To the full size: between depths of one surface evenly, between others by
/// the nearest.
fn enlarged(depth: &Plane, width: usize, height: usize, apart: f32) -> Vec<f32> {
    let mut full = vec![0.0; width * height];
    let rows = full.par_chunks_mut(width.max(1)).enumerate();
    rows.for_each(|(y, row)| {
        let next = y.div_ceil(2).min(depth.height - 1);
        let (upper, lower) = (depth.row(y / 2), depth.row(next));
        vectorised(
            #[inline(always)]
            || enlarge_row(upper, lower, apart, row),
        );
    });
    full
}

/// A row between those above and below it, which may be the same.
#[inline(always)]
fn enlarge_row(upper: &[f32], lower: &[f32], apart: f32, row: &mut [f32]) {
    let (pairs, single) = row.as_chunks_mut::<2>();
    let near = upper.windows(2).zip(lower.windows(2));
    for (pair, (u, l)) in pairs.iter_mut().zip(near) {
        *pair = [
            between([u[0], u[0], l[0], l[0]], apart),
            between([u[0], u[1], l[0], l[1]], apart),
        ];
    }
    // Nothing is to the right of the last one.
    let last = upper.len() - 1;
    let (u, l) = (upper[last], lower[last]);
    let end = between([u, u, l, l], apart);
    if let Some(pair) = pairs.get_mut(last) {
        *pair = [end; 2];
    }
    single.fill(end);
}

/// The mean of four depths, or the first where they are not of one surface.
#[inline(always)]
fn between(four: [f32; 4], apart: f32) -> f32 {
    let [a, b, c, d] = four;
    let least = a.min(b).min(c).min(d);
    let most = a.max(b).max(c).max(d);
    match most - least <= apart {
        true => (a + b + c + d) / 4.0,
        false => a,
    }
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

    #[test]
    fn places_are_smoothed_by_those_around_them_up_to_the_border() {
        let (width, height, step, apart) = (RUN + 50, 30, 2, 1.5);
        let mut random = fastrand::Rng::with_seed(7);
        let mut plane = |most: f32| Plane {
            width,
            height,
            data: (0..width * height).map(|_| most * random.f32()).collect(),
        };
        let (depth, confidence, sure) = (plane(9.0), plane(1.0), plane(1.0));
        let near = Near {
            depth: &depth,
            confidence: &confidence,
            sure: &sure,
            apart,
        };
        let found = near.smoothed(step, ALWAYS);
        let taps = TAPS as isize;
        for at in (0..width * height).step_by(97) {
            let (x, y) = ((at % width) as isize, (at / width) as isize);
            let [mut sum, mut total, mut sure_sum, mut sure_total, mut all] = [0.0f64; 5];
            for (dx, dy) in (-taps..=taps).flat_map(|dy| (-taps..=taps).map(move |dx| (dx, dy))) {
                let clamped = |at: isize, off: isize, size: usize| {
                    (at + step as isize * off).clamp(0, size as isize - 1) as usize
                };
                let other = clamped(y, dy, height) * width + clamped(x, dx, width);
                let place = (-2.0 * (dx * dx + dy * dy) as f64 / (taps * taps) as f64).exp();
                let off = f64::from((depth.data[other] - depth.data[at]) / apart);
                let weight = place * f64::from(confidence.data[other]) / (1.0 + off * off).powi(3);
                sum += weight * f64::from(depth.data[other]);
                total += weight;
                sure_sum += weight * f64::from(sure.data[other] * depth.data[other]);
                sure_total += weight * f64::from(sure.data[other]);
                all += place;
            }
            let support = sure_total / (all * f64::from(confidence.data[at].max(0.01)));
            for (found, right) in [
                (found.depth.data[at], sum / total),
                (found.sure.data[at], sure_sum / sure_total),
                (found.support.data[at], support),
            ] {
                let off = (f64::from(found) - right).abs();
                assert!(off < 1e-3 * right.max(1.0), "({x}, {y}): {found}, {right}");
            }
        }
    }

    #[test]
    fn a_lone_depth_that_errs_gives_way_and_a_surface_stays() {
        let (width, height) = (40, 30);
        let slope = |i: usize| (i % width) as f32 * 0.02 + (i / width) as f32 * 0.01;
        let mut depth = Plane {
            width,
            height,
            data: (0..width * height).map(slope).collect(),
        };
        let truth = depth.clone();
        for at in [0, width - 1, 15 * width + 20, 29 * width, 30 * width - 1] {
            depth.data[at] += 5.0;
        }
        let found = median(&depth, ALWAYS);
        for (i, (found, truth)) in found.data.iter().zip(&truth.data).enumerate() {
            assert!((found - truth).abs() < 0.1, "{i}: {found}, {truth}");
        }
        // What is even to a quarter of a frame is not touched.
        assert_eq!(median(&truth, ALWAYS).data, truth.data);
    }
}
