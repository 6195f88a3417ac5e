//! Pictures summed up by weight.

use rayon::prelude::*;

use super::levels::{Detail, DetailRow};
use crate::core::plane::{BAND, Plane};
use crate::core::vector::vectorised;

/// The sum of three channels, each pixel weighted, and of the weights.
#[derive(Debug, Clone)]
pub struct Weighted {
    sum: [Plane; 3],
    weight: Plane,
}

/// Memory for a row's weights on their way; of any length.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For energies.
    pub own: Vec<f32>,
    /// For sums.
    pub sums: Vec<f32>,
}

impl Weighted {
    /// Nothing added yet to `width`×`height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            sum: std::array::from_fn(|_| Plane::new(width, height)),
            weight: Plane::new(width, height),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.weight.width, self.weight.height)
    }

    /// Adds a picture, whose pixel at place `i` weighs `weight(i)`.
    pub fn add(&mut self, channels: &[Plane; 3], weight: impl Fn(usize) -> f32 + Sync) {
        let length = (self.weight.width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        self.weight
            .data
            .par_chunks_mut(length)
            .zip(red.data.par_chunks_mut(length))
            .zip(green.data.par_chunks_mut(length))
            .zip(blue.data.par_chunks_mut(length))
            .enumerate()
            .for_each(|(band, (((total, red), green), blue))| {
                let start = band * length;
                for i in 0..total.len() {
                    let at = start + i;
                    let own = weight(at);
                    total[i] += own;
                    red[i] += own * channels[0].data[at];
                    green[i] += own * channels[1].data[at];
                    blue[i] += own * channels[2].data[at];
                }
            });
    }

    /// Adds a level of detail; `weigh(y, weights)` finds what the pixels of row
    /// `y` weigh, given scratch.
    pub fn add_detail(
        &mut self,
        detail: Detail,
        weigh: impl Fn(usize, &mut [f32], &mut Scratch) + Sync,
    ) {
        let width = self.weight.width;
        let length = (width * BAND).max(1);
        let [red, green, blue] = &mut self.sum;
        let rows = self.weight.data.par_chunks_mut(length);
        rows.zip(red.data.par_chunks_mut(length))
            .zip(green.data.par_chunks_mut(length))
            .zip(blue.data.par_chunks_mut(length))
            .enumerate()
            .for_each_init(
                || (DetailRow::new(width), vec![0.0; width], Scratch::default()),
                |(row, weights, scratch), (band, (((total, red), green), blue))| {
                    for (k, total) in total.chunks_exact_mut(width).enumerate() {
                        let y = band * BAND + k;
                        weigh(y, weights, scratch);
                        detail.row(y, row, &mut scratch.sums);
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

    /// The weighted mean.
    pub fn mean(self) -> [Plane; 3] {
        let Self { mut sum, weight } = self;
        sum.iter_mut().for_each(|channel| channel.divide(&weight));
        sum
    }
}

/// Pixels that are left alone together.
const RUN: usize = 32;
/// The share of what is there already that changes no sum in floating point.
pub const NOTHING: f32 = 1.0 / (1 << 26) as f32;

/// Adds a row, weighted. Where it weighs nothing beside what is there, nothing is
/// read or written.
#[inline(always)]
fn add_row(weights: &[f32], values: [&[f32]; 3], total: &mut [f32], sum: [&mut [f32]; 3]) {
    let [red, green, blue] = sum;
    let runs = weights.chunks(RUN).zip(total.chunks_mut(RUN));
    for (k, (own, total)) in runs.enumerate() {
        let adds = own
            .iter()
            .zip(&*total)
            .map(|(own, total)| *own > NOTHING * total);
        if !adds.fold(false, |any, adds| any | adds) {
            continue;
        }
        let range = k * RUN..k * RUN + own.len();
        own.iter().zip(total).for_each(|(own, total)| *total += own);
        for (sum, values) in [&mut *red, &mut *green, &mut *blue].into_iter().zip(values) {
            let values = sum[range.clone()]
                .iter_mut()
                .zip(&values[range.clone()])
                .zip(own);
            values.for_each(|((sum, value), own)| *sum += own * value);
        }
    }
}
