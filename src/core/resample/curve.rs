//! The weights of an interpolation as smooth curves, which take no look at a
//! table.

use std::sync::OnceLock;

use super::{PHASES, TAPS, weights};
use crate::core::linear::Normal;

/// Terms of either part of a curve: the weights are met to 2e-7.
const TERMS: usize = 4;

/// The weights of two taps that mirror each other: at a position `s` from the
/// middle between two pixels they are `even(s²) ± s * odd(s²)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    even: [f32; TERMS],
    odd: [f32; TERMS],
}

impl Curve {
    /// The weights at a position from -0.5 to 0.5.
    #[inline(always)]
    pub fn weights(&self, s: f32) -> (f32, f32) {
        let square = s * s;
        let [a, b, c, d] = self.even;
        let even = a + square * (b + square * (c + square * d));
        let [a, b, c, d] = self.odd;
        let odd = s * (a + square * (b + square * (c + square * d)));
        (even + odd, even - odd)
    }
}

/// The curves of the outermost taps, of those within, and of the innermost.
pub(super) fn curves() -> &'static [Curve; TAPS / 2] {
    static CURVES: OnceLock<[Curve; TAPS / 2]> = OnceLock::new();
    CURVES.get_or_init(|| {
        std::array::from_fn(|tap| {
            let other = TAPS - 1 - tap;
            let half = |row: &[f32; TAPS], sign: f64| {
                (f64::from(row[tap]) + sign * f64::from(row[other])) / 2.0
            };
            Curve {
                even: fitted(|_| 1.0, |row| half(row, 1.0)),
                odd: fitted(|s| s, |row| half(row, -1.0)),
            }
        })
    })
}

/// The curve in `s²` that, times `factor(s)`, is nearest to `value` of the weights
/// at `s`.
fn fitted(factor: impl Fn(f64) -> f64, value: impl Fn(&[f32; TAPS]) -> f64) -> [f32; TERMS] {
    let mut normal = Normal::new(TERMS, TERMS);
    for (phase, row) in weights().iter().enumerate() {
        let s = phase as f64 / PHASES as f64 - 0.5;
        // The squares go from 0 to 1.
        let term = |k: usize| factor(s) * (4.0 * s * s).powi(k as i32);
        for i in 0..TERMS {
            (0..=i).for_each(|j| normal.add(i, j, term(i) * term(j)));
            normal.add_right(i, term(i) * value(row));
        }
    }
    let found = normal.solve().unwrap_or(vec![0.0; TERMS]);
    std::array::from_fn(|k| (found[k] * 4f64.powi(k as i32)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_the_weights() {
        for (phase, row) in weights().iter().enumerate() {
            let s = phase as f32 / PHASES as f32 - 0.5;
            for (tap, curve) in curves().iter().enumerate() {
                let (left, right) = curve.weights(s);
                let off = (left - row[tap])
                    .abs()
                    .max((right - row[TAPS - 1 - tap]).abs());
                assert!(off < 1e-6, "{phase}, {tap}: {off}");
            }
        }
    }
}
