//! Numbers that are kept for every pixel, in as few bits as do.

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

/// A value of detail, which is at most 1 either way, in 16 bits: about the root
/// of it, since what is faint needs the finest steps, and an error beside a strong
/// edge is hidden by the edge. No step is so large that a value is rounded to
/// anything but the nearest or the next of 16 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Root(i16);

/// What is kept is the `kept` of which `STRAIGHT * kept + BENT * kept²` is the value.
const STRAIGHT: f32 = 0.55;
const BENT: f32 = 1.0 - STRAIGHT;

/// Added to a number of 16 bits, leaves no bits for fractions.
const WHOLE: f32 = (3 << 22) as f32;

impl Number for Root {
    #[inline(always)]
    fn of(value: f32) -> Self {
        let root = (STRAIGHT * STRAIGHT + 4.0 * BENT * value.abs()).sqrt() - STRAIGHT;
        let root = (root * (0.5 / BENT)).min(1.0).copysign(value) * f32::from(i16::MAX);
        // Where a float has no bits for fractions, it ends in the nearest integer.
        Self((root + WHOLE).to_bits() as i16)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        let root = f32::from(self.0) * (1.0 / f32::from(i16::MAX));
        root * (STRAIGHT + BENT * root.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_near_and_the_same_again() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..10_000 {
            let value = (random.f32() - 0.5) * 2.0 * 10f32.powi(random.i32(-5..1));
            let kept = Root::of(value);
            let off = (kept.value() - value).abs() * 65535.0;
            assert!(off < 0.56 + 0.9 * value.abs().sqrt(), "{value}: {off}");
            assert_eq!(Root::of(kept.value()), kept);
        }
        for value in [0.0, 1.0, -1.0] {
            assert_eq!(Root::of(value).value(), value);
        }
    }
}
