//! Something harmless where a frame shows nothing.

use rayon::prelude::*;

use crate::core::plane::Plane;

/// A share of known values below which there is none.
pub const HARDLY: f32 = 1e-3;

/// Replaces what lies under a mask of 0 by a smooth continuation of what lies
/// around it, so that nothing hidden spreads to coarser levels: known values
/// are averaged from level to level and flow back (pull-push, Gortler et al.,
/// "The Lumigraph", 1996).
pub fn fill(plane: &mut Plane, mask: &Plane) {
    if plane.width.max(plane.height) <= 2 {
        let known: f32 = mask.data.iter().sum();
        let sum: f32 = plane.data.iter().zip(&mask.data).map(|(v, m)| v * m).sum();
        if known > 0.0 {
            blend(plane, mask, |_| sum / known);
        }
        return;
    }
    let mut weighted = plane.clone();
    weighted
        .data
        .par_iter_mut()
        .zip(&mask.data)
        .for_each(|(value, mask)| *value *= mask);
    let (mut small, small_mask) = (weighted.reduced(), mask.reduced());
    small.divide(&small_mask);
    let known = Plane {
        data: small_mask
            .data
            .iter()
            .map(|&m| if m > HARDLY { 1.0 } else { 0.0 })
            .collect(),
        ..small_mask
    };
    fill(&mut small, &known);
    let smooth = small.expanded(plane.width, plane.height);
    blend(plane, mask, |i| smooth.data[i]);
}

fn blend(plane: &mut Plane, mask: &Plane, other: impl Fn(usize) -> f32 + Sync) {
    plane
        .data
        .par_iter_mut()
        .zip(&mask.data)
        .enumerate()
        .for_each(|(i, (value, &mask))| {
            if mask < 1.0 {
                *value = mask * *value + (1.0 - mask) * other(i);
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_continues_what_is_not() {
        let (width, height) = (61, 40);
        let mut plane = Plane::filled(width, height, 0.25);
        let mut mask = Plane::filled(width, height, 1.0);
        for y in 0..height {
            for x in 30..width {
                plane.data[y * width + x] = 9.0;
                mask.data[y * width + x] = 0.0;
            }
        }
        fill(&mut plane, &mask);
        for value in &plane.data {
            assert!((value - 0.25).abs() < 1e-4, "{value}");
        }
    }

    #[test]
    fn what_is_shown_stays_and_nothing_known_does_no_harm() {
        let mut plane = Plane::filled(9, 7, 0.5);
        plane.data[20] = 0.75;
        let original = plane.clone();
        fill(&mut plane, &Plane::filled(9, 7, 1.0));
        assert_eq!(plane, original);
        fill(&mut plane, &Plane::new(9, 7));
        assert!(plane.data.iter().all(|v| v.is_finite()));
    }
}
