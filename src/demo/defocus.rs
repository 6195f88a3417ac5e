//! What a lens out of focus does to a point of light.

use std::f32::consts::{FRAC_PI_2, PI};

use super::Psf;

/// Radii above this are worked on at half the size, and again, and again.
const LARGEST: f32 = 8.0;

/// The image of a point, as weights that add up to one.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    /// How often the picture is halved before the weights are applied.
    pub halvings: usize,
    /// The weights reach this far in x and y.
    pub reach: usize,
    /// Row by row from the middle outwards, each from the left end to the
    /// right; the rows above the middle are those below it.
    pub rows: Vec<Vec<f32>>,
}

impl Kernel {
    /// For a circle of confusion of `radius` pixels.
    pub fn new(radius: f32, psf: Psf) -> Self {
        let halvings = halvings(radius, psf);
        let radius = if halvings == 0 {
            radius
        } else {
            // Averaging blocks and interpolating between them blur as well.
            let block = (1u64 << halvings) as f32;
            let spread = (block * block - 1.0) / 3.0 + block * block * 2.0 / 3.0;
            (radius * radius - spread).max(0.0).sqrt() / block
        };
        let mut rows = match psf {
            Psf::Disc => disc(radius),
            Psf::Gaussian => gaussian(radius / 2.0),
        };
        let sum: f32 = rows
            .iter()
            .enumerate()
            .map(|(dy, row)| row.iter().sum::<f32>() * if dy == 0 { 1.0 } else { 2.0 })
            .sum();
        rows.iter_mut().flatten().for_each(|w| *w /= sum);
        Self {
            halvings,
            reach: rows.len() - 1,
            rows,
        }
    }
}

/// How often a picture is halved for a blur of `radius` pixels.
pub(super) fn halvings(radius: f32, psf: Psf) -> usize {
    // A Gaussian reaches further than a disc and has no rim to lose.
    let largest = match psf {
        Psf::Disc => LARGEST,
        Psf::Gaussian => LARGEST / 2.0,
    };
    let mut count = 0;
    while radius > largest * (1u64 << count) as f32 {
        count += 1;
    }
    count
}

/// A disc with a slightly soft rim, each weight the mean over its pixel.
fn disc(radius: f32) -> Vec<Vec<f32>> {
    const SAMPLES: usize = 8;
    if radius < 0.02 {
        return vec![vec![1.0]];
    }
    let soft = (0.08 * radius).max(0.05);
    let reach = (radius + soft / 2.0 + 0.5).ceil() as usize;
    let offset = |i: usize| (i as f32 + 0.5) / SAMPLES as f32 - 0.5;
    (0..=reach)
        .map(|dy| {
            (0..=2 * reach)
                .map(|dx| {
                    let mut sum = 0.0;
                    for sy in 0..SAMPLES {
                        for sx in 0..SAMPLES {
                            let x = dx as f32 - reach as f32 + offset(sx);
                            let y = dy as f32 + offset(sy);
                            sum += ((radius - x.hypot(y)) / soft + 0.5).clamp(0.0, 1.0);
                        }
                    }
                    sum
                })
                .collect()
        })
        .collect()
}

fn gaussian(sigma: f32) -> Vec<Vec<f32>> {
    if sigma < 0.02 {
        return vec![vec![1.0]];
    }
    let reach = (3.3 * sigma).ceil() as usize;
    let weight = |d: f32| (-d * d / (2.0 * sigma * sigma)).exp();
    (0..=reach)
        .map(|dy| {
            (0..=2 * reach)
                .map(|dx| weight(dy as f32) * weight(dx as f32 - reach as f32))
                .collect()
        })
        .collect()
}

/// Radii between which blurred pictures are mixed, from 0 to at least `largest`.
pub(super) fn ladder(largest: f32) -> Vec<f32> {
    let mut radii = vec![0.0f32];
    while radii[radii.len() - 1] < largest {
        let last = radii[radii.len() - 1];
        radii.push(last + (0.13 * last).max(0.5));
    }
    radii
}

/// Discs that together make up the image of a point: any image that falls off
/// with the distance is a sum of discs. Multiples of the radius, equal weights.
pub(super) fn discs(psf: Psf) -> &'static [f32] {
    match psf {
        Psf::Disc => &[1.0],
        // With t = ρ²/2σ² the discs of a Gaussian have the density t·exp(−t);
        // these are its four middle octiles for σ = radius / 2.
        Psf::Gaussian => &[0.548, 0.808, 1.030, 1.344],
    }
}

/// How much of a straight band, `half` to either side of its middle line, is
/// seen from the distance `d` through a disc of `radius`.
pub(super) fn band(d: f32, half: f32, radius: f32) -> f32 {
    if d.abs() >= half + radius {
        return 0.0;
    }
    let below = |t: f32| {
        let t = t.clamp(-1.0, 1.0);
        0.5 + (t * (1.0 - t * t).sqrt() + t.asin()) / PI
    };
    below((d + half) / radius) - below((d - half) / radius)
}

/// How much of a round spot is seen from the distance `d` of its centre
/// through a disc of `radius`: the area that two circles share.
pub(super) fn spot(d: f32, spot: f32, radius: f32) -> f32 {
    let (small, large) = (spot.min(radius), spot.max(radius));
    let shared = if d >= small + large {
        0.0
    } else if d <= large - small {
        PI * small * small
    } else {
        let angle = |near: f32, far: f32| {
            let cos = (d * d + near * near - far * far) / (2.0 * d * near);
            cos.clamp(-1.0, 1.0).acos()
        };
        let (a, b) = (angle(small, large), angle(large, small));
        small * small * (a - a.sin() * a.cos()) + large * large * (b - b.sin() * b.cos())
    };
    shared / (PI * radius * radius)
}

/// A step that is smooth over `soft` units either side of `edge`.
pub(super) fn step(edge: f32, soft: f32, x: f32) -> f32 {
    let t = ((x - edge) / (2.0 * soft) + 0.5).clamp(0.0, 1.0);
    0.5 - 0.5 * (2.0 * FRAC_PI_2 * t).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(kernel: &Kernel) -> f32 {
        let block = (1u64 << kernel.halvings) as f32;
        let mut sum = 0.0;
        for row in kernel.rows.iter().enumerate() {
            let twice = if row.0 == 0 { 1.0 } else { 2.0 };
            for (dx, w) in row.1.iter().enumerate() {
                sum += twice * w * (dx as f32 - kernel.reach as f32).powi(2);
            }
        }
        let halved = if kernel.halvings > 0 {
            (block * block - 1.0) / 12.0 + block * block / 6.0
        } else {
            0.0
        };
        sum * block * block + halved
    }

    #[test]
    fn blur_spreads_by_half_its_radius_at_every_size() {
        for psf in [Psf::Disc, Psf::Gaussian] {
            for radius in [1.5, 3.0, 6.0, 7.9, 8.1, 15.0, 17.0, 40.0] {
                let spread = variance(&Kernel::new(radius, psf)).sqrt();
                assert!(
                    (spread / (radius / 2.0) - 1.0).abs() < 0.07,
                    "{psf:?} {radius}: {spread}"
                );
            }
        }
    }

    #[test]
    fn weights_add_up_to_one() {
        for radius in [0.0, 0.1, 0.7, 5.0, 21.0] {
            let kernel = Kernel::new(radius, Psf::Disc);
            let sum: f32 = (kernel.rows.iter().enumerate())
                .map(|(dy, row)| row.iter().sum::<f32>() * if dy == 0 { 1.0 } else { 2.0 })
                .sum();
            assert!((sum - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn bands_and_spots_keep_their_light() {
        let step = 0.01;
        for radius in [0.5, 2.0, 6.0] {
            let light: f32 = (-1000..1000)
                .map(|i| band(i as f32 * step, 1.5, radius) * step)
                .sum();
            assert!((light - 3.0).abs() < 0.02, "{light}");
            let light: f32 = (0..1000)
                .map(|i| i as f32 * step)
                .map(|d| spot(d, 1.5, radius) * 2.0 * PI * d * step)
                .sum();
            assert!((light / (PI * 2.25) - 1.0).abs() < 0.01, "{light}");
        }
    }

    #[test]
    fn the_ladder_reaches_the_largest_radius() {
        let radii = ladder(30.0);
        assert!(radii[0] == 0.0 && *radii.last().unwrap() >= 30.0);
        assert_eq!(ladder(0.0), [0.0]);
    }
}
