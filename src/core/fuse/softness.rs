//! How softly frames give way to each other.

/// The usual smoothness, of 0 to 100.
pub const SMOOTHNESS: u8 = 50;

/// How much softer than usual a `smoothness` of 0 to 100 is: 1 at
/// [`SMOOTHNESS`], from a quarter to four times.
pub fn softness(smoothness: u8) -> f32 {
    ((f32::from(smoothness) - f32::from(SMOOTHNESS)) / 25.0).exp2()
}

/// `value` to a power: fast for the one that is usual.
#[inline(always)]
pub fn raised(value: f32, power: f32, usual: i32) -> f32 {
    if power == usual as f32 {
        value.powi(usual)
    } else {
        value.powf(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_usual_and_the_ends_are_four_times_that() {
        assert_eq!([0, 50, 75, 100].map(softness), [0.25, 1.0, 2.0, 4.0]);
    }

    #[test]
    fn powers_are_the_same_both_ways() {
        assert!((raised(1.7, 4.0, 4) - raised(1.7, 4.0, 3)).abs() < 1e-4);
    }
}
