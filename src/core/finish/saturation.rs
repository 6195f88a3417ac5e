//! Saturation: colour farther from or nearer to grey of the same luminance.

use rayon::prelude::*;
use std::sync::OnceLock;

use super::{level, share};
use crate::core::grey::{LUMA, decode};

/// Moves each colour away from the grey of its luminance (strength to 100) or
/// towards it (to -100, which is grey), in linear light. Where a channel would
/// leave full scale the colour goes only as far as it can, so that luminance
/// stays.
pub fn saturate(samples: &mut [u16], strength: i8) {
    let factor = 1.0 + f32::from(strength.clamp(-100, 100)) / 100.0;
    let linear = table();
    samples.par_chunks_mut(3 << 14).for_each(|chunk| {
        for pixel in chunk.as_chunks_mut::<3>().0 {
            let [r, g, b] = *pixel;
            // Grey has no colour to change.
            if r == g && g == b {
                continue;
            }
            let light = pixel.map(|v| linear[usize::from(v)]);
            let grey: f32 = (0..3).map(|c| LUMA[c] * light[c]).sum();
            let factor = light
                .iter()
                .map(|&light| limit(light - grey, grey))
                .fold(factor, f32::min);
            *pixel = light.map(|light| level(encode(grey + factor * (light - grey))));
        }
    });
}

/// How often `colour` may be added to `grey` within 0 and 1; at least once.
fn limit(colour: f32, grey: f32) -> f32 {
    if colour > 0.0 {
        ((1.0 - grey) / colour).max(1.0)
    } else if colour < 0.0 {
        (grey / -colour).max(1.0)
    } else {
        f32::INFINITY
    }
}

/// The inverse of [`decode`] (IEC 61966-2-1).
fn encode(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        12.92 * linear.max(0.0)
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

fn table() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| (0..=u16::MAX).map(|v| decode(share(v))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(pixel: &[u16]) -> f32 {
        (0..3).map(|c| LUMA[c] * decode(share(pixel[c]))).sum()
    }

    fn colours() -> Vec<u16> {
        (0..3000)
            .map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 5) as u16)
            .collect()
    }

    #[test]
    fn luminance_stays_at_every_strength() {
        for strength in [-100, -40, 30, 100] {
            let mut changed = colours();
            saturate(&mut changed, strength);
            for (before, after) in colours().chunks(3).zip(changed.chunks(3)) {
                let off = (luminance(before) - luminance(after)).abs();
                assert!(off < 3e-5, "{strength}: {before:?} {after:?}");
            }
        }
    }

    #[test]
    fn the_least_is_grey_and_the_most_is_more_colour() {
        let spread = |pixel: &[u16]| pixel.iter().max().unwrap() - pixel.iter().min().unwrap();
        let (mut grey, mut rich) = (colours(), colours());
        saturate(&mut grey, -100);
        saturate(&mut rich, 100);
        for ((before, grey), rich) in colours().chunks(3).zip(grey.chunks(3)).zip(rich.chunks(3)) {
            assert!(spread(grey) <= 1, "{grey:?}");
            assert!(spread(rich) + 1 >= spread(before));
        }
        let mut calm = [30_000, 32_000, 28_000];
        saturate(&mut calm, 100);
        assert!(spread(&calm) > 6000, "{calm:?}");
    }

    #[test]
    fn grey_stays_grey_to_the_bit() {
        let mut grey = [12_345, 12_345, 12_345, 0, 0, 0, 65_535, 65_535, 65_535];
        let before = grey;
        saturate(&mut grey, 70);
        assert_eq!(grey, before);
    }
}
