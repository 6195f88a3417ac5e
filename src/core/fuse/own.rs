//! Whether what is sharp at a place is there.
//!
//! The blur of a hair or an edge is a disc with a rim, and the rim passes over
//! every place around as focus goes by. Where nothing else is, the sharpest
//! frame is the one in which it does. But a rim is faint: its energy falls with
//! about the third power of the radius, for the light of an edge is spread along
//! it and its slope over it. Less energy than that, for what is sharp nearby,
//! tells nothing of a place.

use rayon::prelude::*;

use crate::core::plane::Plane;
use crate::vector::vectorised;

/// The share of an edge's energy that its blur can have so far away. Radii are
/// in places of half the size of the picture, and each is twice the one before.
const RIMS: [(usize, f32); 5] = [(1, 0.44), (2, 0.26), (4, 0.053), (8, 0.009), (16, 0.0018)];
/// Of that, less is none of a place's own, and more is its own.
const NOT: f32 = 0.7;
const ALL: f32 = 1.3;

/// How far the most energy that each place has, in no window, is its own: 0 to 1.
pub fn own(crisp: &Plane) -> Plane {
    let mut rims = Plane::new(crisp.width, crisp.height);
    let (mut most, mut wider) = (crisp.clone(), Plane::default());
    let (mut along, mut reach) = (Plane::default(), 0);
    for (radius, share) in RIMS {
        // Two windows of half the reach make one of the whole.
        farthest(&most, radius - reach, &mut along, &mut wider);
        std::mem::swap(&mut most, &mut wider);
        reach = radius;
        rims.change_by(
            &most,
            #[inline(always)]
            |rim, most| rim.max(share * most),
        );
    }
    rims.change_by(
        crisp,
        #[inline(always)]
        |rim, crisp| {
            let ratio = crisp / rim.max(f32::MIN_POSITIVE);
            ((ratio - NOT) / (ALL - NOT)).clamp(0.0, 1.0)
        },
    );
    rims
}

/// Fills `most` with the most of what is `shift` places away each way, and along both;
/// with a shift of 1 of the place itself, too. `along` is scratch.
fn farthest(plane: &Plane, shift: usize, along: &mut Plane, most: &mut Plane) {
    let (width, height) = (plane.width, plane.height);
    for plane in [&mut *along, &mut *most] {
        plane.reshape(width, height);
    }
    along.bands_mut().for_each(|(first, rows)| {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            let row = plane.row(y);
            let far = |x: usize| {
                let right = row[(x + shift).min(width - 1)];
                let left = row[x.saturating_sub(shift)];
                let middle = if shift == 1 { row[x] } else { left };
                left.max(right).max(middle)
            };
            let inner = shift.min(width)..width.saturating_sub(shift).max(shift.min(width));
            let edges = (0..inner.start).chain(inner.end..width);
            edges.for_each(|x| out[x] = far(x));
            if !inner.is_empty() {
                let (left, right) = (&row[..inner.len()], &row[2 * shift..]);
                let middle = if shift == 1 {
                    &row[inner.clone()]
                } else {
                    left
                };
                greatest(&mut out[inner], [left, right, middle]);
            }
        }
    });
    most.bands_mut().for_each(|(first, rows)| {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            let (above, below) = (
                along.row(y.saturating_sub(shift)),
                along.row((y + shift).min(height - 1)),
            );
            let middle = if shift == 1 { along.row(y) } else { above };
            greatest(out, [above, below, middle]);
        }
    });
}

/// Fills a row with the greatest of three.
fn greatest(out: &mut [f32], [a, b, c]: [&[f32]; 3]) {
    vectorised(
        #[inline(always)]
        || {
            for (((out, a), b), c) in out.iter_mut().zip(a).zip(b).zip(c) {
                *out = a.max(*b).max(*c);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rim_of_blur_is_not_its_own_but_texture_is() {
        let (width, height) = (96, 64);
        // A bright line whose blur spreads on the left, faint texture on the right.
        let value = |i: usize| match i % width {
            16 => 1.0,
            x if x < 56 => 0.4 / (x.abs_diff(16) as f32).powi(3),
            x => 0.002 * (1.0 + 0.3 * (x as f32).sin()),
        };
        let own = own(&Plane {
            width,
            height,
            data: (0..width * height).map(value).collect(),
        });
        for y in 0..height {
            let row = own.row(y);
            assert_eq!(row[16], 1.0);
            assert!((18..32).chain(0..15).all(|x| row[x] == 0.0), "{row:?}");
            assert!((60..width).all(|x| row[x] == 1.0), "{row:?}");
        }
    }

    #[test]
    fn any_size_has_its_own() {
        for (width, height) in [(1, 1), (2, 1), (3, 40)] {
            let own = own(&Plane::filled(width, height, 0.5));
            assert!(own.data.iter().all(|&own| own == 1.0));
        }
    }
}
