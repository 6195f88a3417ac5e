//! Pictures summed up by weight.

use rayon::iter::repeat_n;
use rayon::prelude::*;

use super::levels::{Detail, DetailRow};
use super::number::{Number, Root};
use super::tiles::{Pane, Tiles};
use crate::core::plane::{BAND, Plane};
use crate::core::rows::Rows;
use crate::vector::vectorised;

/// The weighted sum, or mean, of all channels, and the sum of the weights.
#[derive(Debug, Clone)]
pub struct Weighted<S = f32, const N: usize = 3> {
    sum: [Vec<S>; N],
    weight: Plane,
}

/// What is kept of the values of a pixel.
pub trait Kept: Copy + Default + Send + Sync {
    /// Takes in a value that weighs `own`, which is `share` of all so far.
    fn add(self, value: f32, own: f32, share: f32) -> Self;
}

/// The sum.
impl Kept for f32 {
    #[inline(always)]
    fn add(self, value: f32, own: f32, _: f32) -> Self {
        self + own * value
    }
}

/// The mean.
impl Kept for Root {
    #[inline(always)]
    fn add(self, value: f32, _: f32, share: f32) -> Self {
        let before = self.value();
        Self::of(before + share * (value - before))
    }
}

impl<S: Kept, const N: usize> Weighted<S, N> {
    /// Nothing added yet to `width`×`height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            // New memory takes long: all threads write to it.
            sum: std::array::from_fn(|_| repeat_n(S::default(), width * height).collect()),
            weight: Plane::new(width, height),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.weight.width, self.weight.height)
    }

    /// The parts that are in these tiles, of a picture halved as often as is said.
    pub fn tiled(&mut self, tiles: &Tiles, halvings: u32) -> Vec<Sums<'_, S, N>> {
        let weight = tiles.panes(&mut self.weight.data, halvings);
        let sum = self.sum.each_mut().map(|sum| &mut sum[..]);
        let both = tiles.panes_of(sum, halvings).into_iter().zip(weight);
        both.map(|(sum, weight)| Sums { sum, weight }).collect()
    }

    /// What is kept of the channels.
    pub fn into_kept(self) -> [Vec<S>; N] {
        self.sum
    }
}

impl<S: Kept> Weighted<S> {
    /// Adds a picture, whose pixel at place `i` weighs `weight(i)`.
    pub fn add(&mut self, channels: &[Plane; 3], weight: impl Fn(usize) -> f32 + Sync) {
        let length = (self.weight.width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
            .data
            .par_chunks_mut(length)
            .zip(red.par_chunks_mut(length))
            .zip(green.par_chunks_mut(length))
            .zip(blue.par_chunks_mut(length))
            .enumerate()
            .for_each(|(band, (((total, red), green), blue))| {
                let start = band * length;
                for i in 0..total.len() {
                    let at = start + i;
                    let own = weight(at);
                    total[i] += own;
                    let share = own / total[i].max(f32::MIN_POSITIVE);
                    red[i] = red[i].add(channels[0].data[at], own, share);
                    green[i] = green[i].add(channels[1].data[at], own, share);
                    blue[i] = blue[i].add(channels[2].data[at], own, share);
                }
            });
    }

    /// Adds a level of detail; `weigh(y, weights)` finds what the pixels of row `y`
    /// weigh.
    pub fn add_detail(
        &mut self,
        detail: &Detail<impl Rows>,
        weigh: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        let width = self.weight.width;
        let length = (width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
            .data
            .par_chunks_mut(length)
            .zip(red.par_chunks_mut(length))
            .zip(green.par_chunks_mut(length))
            .zip(blue.par_chunks_mut(length))
            .enumerate()
            .for_each_init(
                || (DetailRow::new(width), vec![0.0; width], Vec::new()),
                |(row, weights, sums), (band, (((total, red), green), blue))| {
                    for (k, total) in total.chunks_exact_mut(width).enumerate() {
                        let y = band * BAND + k;
                        weigh(y, weights);
                        detail.row(y, row, sums);
                        let range = k * width..(k + 1) * width;
                        let sum = [&mut *red, &mut *green, &mut *blue];
                        let sum = sum.map(|rows| &mut rows[range.clone()]);
                        vectorised(
                            #[inline(always)]
                            || add_row(weights, row.channels(), total, sum),
                        );
                    }
                },
            );
    }
}

impl Weighted {
    /// The weighted mean.
    pub fn mean(self) -> [Plane; 3] {
        let Self { sum, weight } = self;
        sum.map(|data| {
            let mut means = Plane {
                width: weight.width,
                height: weight.height,
                data,
            };
            means.divide(&weight);
            means
        })
    }
}

/// The part of a sum that is in a tile.
#[derive(Debug)]
pub struct Sums<'a, S = f32, const N: usize = 3> {
    sum: [Pane<'a, S>; N],
    weight: Pane<'a>,
}

impl<S: Kept, const N: usize> Sums<'_, S, N> {
    /// Adds row `y` of a picture, whose pixels weigh `weights`.
    pub fn add_row(&mut self, y: usize, weights: &[f32], values: [&[f32]; N]) {
        let sum = self.sum.each_mut().map(|pane| pane.row(y));
        let total = self.weight.row(y);
        vectorised(
            #[inline(always)]
            || add_row(weights, values, total, sum),
        );
    }
}

/// Pixels that are left alone together.
const RUN: usize = 32;
/// The share of what is there already that changes no sum in floating point.
pub const NOTHING: f32 = 1.0 / (1 << 26) as f32;

/// Adds a row, weighted. Where it weighs nothing beside what is there, nothing is
/// read or written.
#[inline(always)]
fn add_row<S: Kept, const N: usize>(
    weights: &[f32],
    values: [&[f32]; N],
    total: &mut [f32],
    sum: [&mut [S]; N],
) {
    let (weights, last_weights) = weights.as_chunks::<RUN>();
    let (totals, last_total) = total.as_chunks_mut::<RUN>();
    let values = values.map(|values| values.as_chunks::<RUN>());
    let mut sums = sum.map(|sum| sum.as_chunks_mut::<RUN>());
    let runs = weights.iter().zip(totals).enumerate();
    for (k, (own, total)) in runs {
        let sum = sums.each_mut().map(|(runs, _)| &mut runs[k][..]);
        let values = values.map(|(runs, _)| &runs[k][..]);
        add_run(own, values, total, sum);
    }
    let (values, sum) = (values.map(|(_, last)| last), sums.map(|(_, last)| last));
    add_run(last_weights, values, last_total, sum);
}

/// The same of at most [`RUN`] pixels.
#[inline(always)]
fn add_run<S: Kept, const N: usize>(
    own: &[f32],
    values: [&[f32]; N],
    total: &mut [f32],
    sum: [&mut [S]; N],
) {
    let adds = own.iter().zip(&*total);
    let adds = adds.map(|(own, total)| *own > NOTHING * total);
    if !adds.fold(false, |any, adds| any | adds) {
        return;
    }
    let mut shares = [0.0; RUN];
    for ((share, own), total) in shares.iter_mut().zip(own).zip(total) {
        *total += own;
        *share = own / total.max(f32::MIN_POSITIVE);
    }
    for (sum, values) in sum.into_iter().zip(values) {
        let values = sum.iter_mut().zip(values).zip(own).zip(&shares);
        for (((sum, value), own), share) in values {
            *sum = sum.add(*value, *own, *share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_that_weigh_little_count_as_much_as_they_weigh() {
        let plane = |value: f32| [0, 1, 2].map(|_| Plane::filled(4, 1, value));
        let mut kept = Weighted::<Root>::new(4, 1);
        kept.add(&plane(0.3), |_| 1.0);
        for _ in 0..1000 {
            kept.add(&plane(0.0), |_| 1.0 / 300.0);
        }
        let right = 0.3 / (1.0 + 1000.0 / 300.0);
        for value in kept.into_kept().iter().flatten() {
            let off = (value.value() - right).abs();
            assert!(off < 0.05 * right, "{value:?}: {off}");
        }
    }
}
