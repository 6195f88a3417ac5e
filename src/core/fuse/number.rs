//! Numbers that are kept for every pixel, in as few bits as do.

use rayon::prelude::*;

/// A number as it is kept.
pub trait Number: Copy + Send + Sync {
    /// The one that is kept of `value`.
    fn of(value: f32) -> Self;

    /// What is kept.
    fn value(self) -> f32;
}

impl Number for f32 {
    #[inline(always)]
    fn of(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn value(self) -> f32 {
        self
    }
}

/// A number to within 0.4 %, and as large or small as any: the upper half of a float
/// (bfloat16). Enough where only ratios count; to more than 256 times as much nothing
/// is added any more.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rough(u16);

impl Number for Rough {
    #[inline(always)]
    fn of(value: f32) -> Self {
        let bits = value.to_bits();
        // The nearest; of two the even one.
        Self((bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

/// A value of detail, which is at most 1 either way, in 16 bits: from [`BEND`] on
/// steps are twice as large, since what is faint needs the finest, and an error
/// beside a strong edge is hidden by the edge. None is so large that a value is
/// rounded to anything but the nearest or the next of 16 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bent(i16);

/// Where steps become larger,
const BEND: f32 = 1.0 / 3.0;
/// and how many of the finer ones make 1.
const FINE: f32 = i16::MAX as f32 / (BEND + (1.0 - BEND) / 2.0);

/// Added to a number of 16 bits, leaves no bits for fractions.
const WHOLE: f32 = (3 << 22) as f32;

impl Number for Bent {
    #[inline(always)]
    fn of(value: f32) -> Self {
        let size = value.abs().min(1.0);
        let steps = (size - 0.5 * (size - BEND).max(0.0)) * FINE;
        // Where a float has no bits for fractions, it ends in the nearest integer.
        Self((steps.copysign(value) + WHOLE).to_bits() as i16)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        let value = f32::from(self.0) * (1.0 / FINE);
        let size = value.abs();
        (size + (size - BEND).max(0.0)).copysign(value)
    }
}

/// The values of numbers.
pub fn values<T: Number>(numbers: Vec<T>) -> Vec<f32> {
    numbers.par_iter().map(|number| number.value()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_is_kept_to_a_level_and_a_half_of_16_bits() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..10_000 {
            let value = 2.0 * random.f32() - 1.0;
            let kept = Bent::of(value).value();
            let steps = if value.abs() > BEND { 2.0 } else { 1.0 };
            let most = 0.51 * steps / FINE;
            assert!((kept - value).abs() <= most, "{value}: {kept}");
            assert!(most < 1.5 / 65535.0);
        }
        let all = (-i16::MAX..=i16::MAX).map(Bent);
        assert!(all.into_iter().all(|kept| Bent::of(kept.value()) == kept));
        for (value, nearest) in [(-7.0, -1.0), (-1.0, -1.0), (0.0, 0.0), (1.1, 1.0)] {
            let off: f32 = Bent::of(value).value() - nearest;
            assert!(off.abs() < 1e-6, "{value}: {off}");
        }
    }

    #[test]
    fn rough_numbers_are_the_nearest() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..10_000 {
            let value = (random.f32() - 0.5) * 10f32.powi(random.i32(-30..30));
            let kept = Rough::of(value).value();
            assert!(
                (kept - value).abs() <= value.abs() / 256.0,
                "{value}: {kept}"
            );
            assert_eq!(Rough::of(kept).value(), kept);
        }
        for value in [0.0, 1.0, -1.0, 0.5, 255.0] {
            assert_eq!(Rough::of(value).value(), value);
        }
        // Two steps of 1/128 lie beside each other.
        assert_eq!(Rough::of(1.0 + 1.0 / 256.0).value(), 1.0);
        assert_eq!(Rough::of(1.0 + 3.0 / 256.0).value(), 1.0 + 2.0 / 128.0);
    }
}
