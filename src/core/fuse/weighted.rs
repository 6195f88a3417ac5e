//! Pictures summed up by weight.

use rayon::prelude::*;

use crate::core::plane::{BAND, Plane};

/// The sum of three channels, each pixel weighted, and of the weights.
#[derive(Debug, Clone)]
pub struct Weighted {
    sum: [Plane; 3],
    weight: Plane,
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

    /// The weighted mean.
    pub fn mean(self) -> [Plane; 3] {
        let Self { mut sum, weight } = self;
        sum.iter_mut().for_each(|channel| channel.divide(&weight));
        sum
    }
}
