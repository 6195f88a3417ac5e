//! What the pixels beside a position between them weigh.

use std::f64::consts::PI;
use std::ops::Range;
use std::sync::OnceLock;

use super::linear::Normal;
use crate::vector::vectorised;

/// Taps of the interpolation, each way.
pub(crate) const TAPS: usize = 6;
/// Coefficients of the weights of a pair of taps that mirror each other: first of
/// what both have, then of by how much one has more.
pub(crate) const COEFFICIENTS: usize = EVEN + ODD;
const EVEN: usize = 4;
const ODD: usize = 3;
/// Pixels before the one that a position lies on that an interpolation needs.
pub(crate) const BEFORE: isize = 2;

/// The weights that err least on pictures with the spectrum of a sharp photograph:
/// power falls with the square of the frequency and is bent down further by lens
/// and sensor. They solve the normal equations of linear prediction (Wiener, 1949),
/// and add up to one. As polynomials of how far a position lies beyond the middle
/// between two pixels, those of the three outer taps on one side; see
/// [`weights`]. They are off by less than a step of 16 bits.
pub(crate) fn curves() -> &'static [[f32; COEFFICIENTS]; TAPS / 2] {
    static CURVES: OnceLock<[[f32; COEFFICIENTS]; TAPS / 2]> = OnceLock::new();
    CURVES.get_or_init(|| {
        let samples = exact_weights();
        let fit = |tap: usize| {
            let pairs = samples
                .iter()
                .map(|(at, w)| (*at, w[tap], w[TAPS - 1 - tap]));
            let even = fitted::<EVEN>(
                pairs
                    .clone()
                    .map(|(at, a, b)| (at * at, 1.0, (a + b) / 2.0)),
            );
            let odd = fitted::<ODD>(pairs.map(|(at, a, b)| (at * at, at, (a - b) / 2.0)));
            let mut all = [0.0; COEFFICIENTS];
            all[..EVEN].copy_from_slice(&even);
            all[EVEN..].copy_from_slice(&odd);
            all
        };
        let [first, second, mut third] = std::array::from_fn(fit);
        // All six make one.
        for k in 0..EVEN {
            let all = if k == 0 { 0.5 } else { 0.0 };
            third[k] = all - first[k] - second[k];
        }
        [first, second, third].map(|curve| curve.map(|value| value as f32))
    })
}

/// Positions from the middle between two pixels, and what weights are best there.
fn exact_weights() -> Vec<(f64, [f64; TAPS])> {
    const STEPS: usize = 512;
    const POSITIONS: usize = 64;
    let correlation = |distance: f64| -> f64 {
        (0..STEPS)
            .map(|step| {
                let w = (step as f64 + 0.5) / STEPS as f64 * PI;
                (-(0.9 * w).powi(2)).exp() / (w * w + 0.01) * (w * distance).cos()
            })
            .sum()
    };
    let grid: [f64; TAPS] = std::array::from_fn(|k| correlation(k as f64));
    let mut normal = Normal::new(TAPS, TAPS);
    for i in 0..TAPS {
        for j in 0..=i {
            // A trace of noise on the diagonal keeps the weights small.
            let noise = if i == j { 1e-7 * grid[0] } else { 0.0 };
            normal.add(i, j, grid[i - j] + noise);
        }
    }
    let inverse = normal.inverse().unwrap_or_default();
    (0..=POSITIONS)
        .map(|position| {
            let part = position as f64 / POSITIONS as f64;
            let right: [f64; TAPS] =
                std::array::from_fn(|k| correlation((k as isize - BEFORE) as f64 - part));
            let row: Vec<f64> = inverse
                .iter()
                .map(|row| row.iter().zip(right).map(|(a, b)| a * b).sum())
                .collect();
            let sum: f64 = row.iter().sum();
            (part - 0.5, std::array::from_fn(|k| row[k] / sum))
        })
        .collect()
}

/// The polynomial in `x` that, times `scale`, comes closest to values; these come
/// as (`x`, `scale`, value).
fn fitted<const N: usize>(values: impl Iterator<Item = (f64, f64, f64)>) -> [f64; N] {
    let mut normal = Normal::new(N, N);
    for (x, scale, value) in values {
        let terms: [f64; N] = std::array::from_fn(|k| scale * x.powi(k as i32));
        for i in 0..N {
            (0..=i).for_each(|j| normal.add(i, j, terms[i] * terms[j]));
            normal.add_right(i, terms[i] * value);
        }
    }
    let solved = normal.solve().unwrap_or_default();
    std::array::from_fn(|k| solved.get(k).copied().unwrap_or_default())
}

/// Values from one channel of a row to the next where several are mixed together.
pub(crate) const STRIDE: usize = 608;
/// Positions that are mixed together, as many as fit into the widest vector.
pub(crate) const LANES: usize = 16;

/// What the taps of a position weigh that lies `part` of a pixel, 0 to 1, beyond one.
pub(crate) fn weights(part: f32) -> [f32; TAPS] {
    let [(a, f), (b, e), (c, d)] = curves().map(|curve| pair(curve, part - 0.5));
    [a, b, c, d, e, f]
}

/// Makes the values of `out` the sums of what taps show, for `count` positions, and
/// for fewer than [`LANES`] more, whose sums mean nothing. The first lies `part` of a
/// pixel, 0 to 1, beyond one, and each one after that `step` more beyond its own.
///
/// `from` begins with the first tap of the first position, and the next tap is in the
/// next row where positions are mixed down, and beside it where they are not. Each has
/// `N` channels, and so has `out`, which are [`STRIDE`] values from each other.
pub(crate) fn mix<const DOWN: bool, const N: usize>(
    (part, step): (f32, f32),
    count: usize,
    from: &[f32],
    out: &mut [f32],
) {
    let curves = *curves();
    // The compiler leaves at least one to single steps: one more than whole vectors
    // leaves no more than that.
    let count = (count - 1).next_multiple_of(LANES) + 1;
    let apart = tap_distance::<DOWN, N>();
    let from = &from[..(N - 1) * STRIDE + (TAPS - 1) * apart + count];
    let out = &mut out[..(N - 1) * STRIDE + count];
    vectorised(
        #[inline(always)]
        || {
            // Known here, and not a value from outside: that would keep single steps.
            let apart = tap_distance::<DOWN, N>();
            if step == 0.0 {
                let weights = curves.map(|curve| pair(curve, part - 0.5));
                for channel in 0..N {
                    let first = channel * STRIDE;
                    for (i, out) in out[first..first + count].iter_mut().enumerate() {
                        *out = sum(weights, from, first + i, apart);
                    }
                }
                return;
            }
            for (i, place) in (0..count).zip(0i32..) {
                let at = part + place as f32 * step - 0.5;
                let weights = curves.map(
                    #[inline(always)]
                    |curve| pair(curve, at),
                );
                // A loop over channels would not be made of vectors.
                out[i] = sum(weights, from, i, apart);
                if N > 1 {
                    out[STRIDE + i] = sum(weights, from, STRIDE + i, apart);
                }
                if N > 2 {
                    out[2 * STRIDE + i] = sum(weights, from, 2 * STRIDE + i, apart);
                }
            }
        },
    );
}

/// Values from one tap to the next.
#[inline(always)]
const fn tap_distance<const DOWN: bool, const N: usize>() -> usize {
    if DOWN { N * STRIDE } else { 1 }
}

/// What the taps show of which the first is `at`, by the weights of pairs of them.
#[inline(always)]
fn sum(
    [(a, f), (b, e), (c, d)]: [(f32, f32); TAPS / 2],
    from: &[f32],
    at: usize,
    apart: usize,
) -> f32 {
    let outer = a * from[at] + f * from[at + 5 * apart];
    let middle = b * from[at + apart] + e * from[at + 4 * apart];
    c * from[at + 2 * apart] + d * from[at + 3 * apart] + middle + outer
}

/// What two taps that mirror each other weigh for a position so far from the middle
/// between two pixels.
#[inline(always)]
fn pair([a, b, c, d, p, q, r]: [f32; COEFFICIENTS], at: f32) -> (f32, f32) {
    let square = at * at;
    let even = ((d * square + c) * square + b) * square + a;
    let odd = ((r * square + q) * square + p) * at;
    (even + odd, even - odd)
}

/// Calls `each` with positions that lie beyond the same pixel, or each beyond its
/// own, with that pixel, and how far the first lies beyond it.
/// Of `count` positions, the first lies at `at`, and each one after that `step` more
/// beyond its own.
pub(crate) fn runs(
    at: f64,
    step: f64,
    count: usize,
    mut each: impl FnMut(Range<usize>, isize, f32),
) {
    let mut start = 0;
    while start < count {
        let first = at + start as f64 * step;
        let pixel = first.floor();
        let part = first - pixel;
        // A hair more than nothing, so that there is always one.
        let room = if step < 0.0 { part + 1e-9 } else { 1.0 - part };
        let more = (room / step.abs()).min(count as f64).ceil();
        let end = count.min(start + more as usize);
        each(start..end, pixel as isize, part as f32);
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_best_within_a_step_of_16_bits() {
        for (at, exact) in exact_weights() {
            let weights = weights(at as f32 + 0.5);
            for (weight, exact) in weights.iter().zip(exact) {
                assert!((f64::from(*weight) - exact).abs() < 1.0 / 65535.0, "{at}");
            }
            let all: f32 = weights.iter().sum();
            assert!((all - 1.0).abs() < 1e-6, "{at}: {all}");
        }
    }
    #[test]
    fn a_pixel_is_left_alone() {
        let own = weights(0.0)[BEFORE as usize];
        assert!((own - 1.0).abs() < 1e-3, "{own}");
    }

    #[test]
    fn runs_end_where_the_next_pixel_begins() {
        for (at, step) in [
            (3.7, 0.0),
            (3.7, 0.01),
            (3.0, -0.01),
            (-2.2, 0.3),
            (9.99, -0.5),
        ] {
            let mut next = 0;
            runs(at, step, 1000, |range, pixel, part| {
                assert_eq!(range.start, next, "{at} {step}");
                assert!(!range.is_empty());
                for k in range.clone() {
                    let beyond = at + k as f64 * step - pixel as f64;
                    assert!(
                        (-1e-6..1.0 + 1e-6).contains(&beyond),
                        "{at} {step}: {beyond}"
                    );
                }
                let first = at + next as f64 * step;
                assert!((pixel as f64 + f64::from(part) - first).abs() < 1e-6);
                next = range.end;
            });
            assert_eq!(next, 1000);
        }
    }
}
