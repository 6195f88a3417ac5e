//! Pictures summed up by weight.

use rayon::iter::repeat_n;
use rayon::prelude::*;

use super::levels::{Detail, DetailRow};
use super::number::{Number, Root, Rough, values};
use super::tiles::{Pane, Tiles};
use crate::core::plane::{BAND, Plane};
use crate::core::rows::Rows;
use crate::vector::vectorised;

/// The weighted sum, or mean, of three channels, and the sum of the weights.
#[derive(Debug, Clone)]
pub struct Weighted<S: Kept = f32> {
    width: usize,
    height: usize,
    sum: [Vec<S>; 3],
    weight: Vec<S::Weight>,
}

/// What is kept of the values of a pixel.
pub trait Kept: Copy + Default + Send + Sync {
    /// The sum of the weights.
    type Weight: Number + Default;

    /// Takes in a value that weighs `own`, which is `share` of all so far.
    fn add(self, value: f32, own: f32, share: f32) -> Self;

    /// The weighted means of all values of a channel.
    fn means(kept: Vec<Self>, weight: &[Self::Weight]) -> Vec<f32>;
}

/// The sum.
impl Kept for f32 {
    type Weight = f32;

    #[inline(always)]
    fn add(self, value: f32, own: f32, _: f32) -> Self {
        self + own * value
    }

    fn means(mut kept: Vec<Self>, weight: &[f32]) -> Vec<f32> {
        let values = kept.par_iter_mut().zip(weight);
        values.for_each(|(value, weight)| *value /= weight.max(f32::MIN_POSITIVE));
        kept
    }
}

/// The mean.
impl Kept for Root {
    /// Weights only tell the share of what is added.
    type Weight = Rough;

    #[inline(always)]
    fn add(self, value: f32, _: f32, share: f32) -> Self {
        let before = self.value();
        Self::of(before + share * (value - before))
    }

    fn means(kept: Vec<Self>, _: &[Rough]) -> Vec<f32> {
        values(kept)
    }
}

impl<S: Kept> Weighted<S> {
    /// Nothing added yet to `width`×`height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        let count = width * height;
        Self {
            width,
            height,
            // New memory takes long: all threads write to it.
            sum: std::array::from_fn(|_| repeat_n(S::default(), count).collect()),
            weight: repeat_n(S::Weight::default(), count).collect(),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Adds a picture, whose pixel at place `i` weighs `weight(i)`.
    pub fn add(&mut self, channels: &[Plane; 3], weight: impl Fn(usize) -> f32 + Sync) {
        let length = (self.width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
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
                    let all = total[i].value() + own;
                    total[i] = Number::of(all);
                    let share = own / all.max(f32::MIN_POSITIVE);
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
        let width = self.width;
        let length = (width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
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

    /// The parts that are in these tiles, of a picture halved as often as is said.
    pub fn tiled(&mut self, tiles: &Tiles, halvings: u32) -> Vec<Sums<'_, S>> {
        let weight = tiles.panes(&mut self.weight, halvings);
        let sum = self.sum.each_mut().map(|sum| &mut sum[..]);
        let both = tiles.panes_of_three(sum, halvings).into_iter().zip(weight);
        both.map(|(sum, weight)| Sums { sum, weight }).collect()
    }

    /// The weighted mean.
    pub fn mean(self) -> [Plane; 3] {
        let Self {
            width,
            height,
            sum,
            weight,
        } = self;
        sum.map(|kept| Plane {
            width,
            height,
            data: S::means(kept, &weight),
        })
    }
}

/// The part of a sum that is in a tile.
#[derive(Debug)]
pub struct Sums<'a, S: Kept = f32> {
    sum: [Pane<'a, S>; 3],
    weight: Pane<'a, S::Weight>,
}

impl<S: Kept> Sums<'_, S> {
    /// Adds row `y` of a picture, whose pixels weigh `weights`.
    pub fn add_row(&mut self, y: usize, weights: &[f32], values: [&[f32]; 3]) {
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
fn add_row<S: Kept>(
    weights: &[f32],
    values: [&[f32]; 3],
    total: &mut [S::Weight],
    sum: [&mut [S]; 3],
) {
    let (weights, last_weights) = weights.as_chunks::<RUN>();
    let (totals, last_total) = total.as_chunks_mut::<RUN>();
    let [reds, greens, blues] = values.map(|values| values.as_chunks::<RUN>());
    let sums = sum.map(|sum| sum.as_chunks_mut::<RUN>());
    let [
        (red_sums, last_red),
        (green_sums, last_green),
        (blue_sums, last_blue),
    ] = sums;
    let runs = weights.iter().zip(totals).enumerate();
    for (k, (own, total)) in runs {
        let sum = [&mut red_sums[k][..], &mut green_sums[k], &mut blue_sums[k]];
        let values = [&reds.0[k][..], &greens.0[k], &blues.0[k]];
        add_run(own, values, total, sum);
    }
    let values = [reds.1, greens.1, blues.1];
    add_run(
        last_weights,
        values,
        last_total,
        [last_red, last_green, last_blue],
    );
}

/// The same of at most [`RUN`] pixels.
#[inline(always)]
fn add_run<S: Kept>(own: &[f32], values: [&[f32]; 3], total: &mut [S::Weight], sum: [&mut [S]; 3]) {
    let adds = own.iter().zip(&*total);
    let adds = adds.map(|(own, total)| *own > NOTHING * total.value());
    if !adds.fold(false, |any, adds| any | adds) {
        return;
    }
    let mut shares = [0.0; RUN];
    for ((share, own), total) in shares.iter_mut().zip(own).zip(total) {
        let all = total.value() + own;
        *total = Number::of(all);
        *share = own / all.max(f32::MIN_POSITIVE);
    }
    for (sum, values) in sum.into_iter().zip(values) {
        let values = sum.iter_mut().zip(values).zip(own).zip(&shares);
        for (((sum, value), own), share) in values {
            *sum = sum.add(*value, *own, *share);
        }
    }
}
