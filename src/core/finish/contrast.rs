//! Contrast: tones steeper or flatter about the middle, black and white where
//! they are.

/// What an encoded value becomes, both 0 to 1: two powers that meet in the
/// middle, so that nothing clips. The slope there is 2 at 100 and ½ at -100.
pub fn curve(value: f32, strength: i8) -> f32 {
    let slope = (f32::from(strength.clamp(-100, 100)) / 100.0).exp2();
    if value <= 0.5 {
        0.5 * (2.0 * value).powf(slope)
    } else {
        1.0 - 0.5 * (2.0 - 2.0 * value).powf(slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_steeper_or_flatter_and_ends_stay() {
        for strength in [-100, -20, 0, 20, 100] {
            assert_eq!(curve(0.0, strength), 0.0);
            assert_eq!(curve(0.5, strength), 0.5);
            assert_eq!(curve(1.0, strength), 1.0);
            let tones: Vec<f32> = (0..=100)
                .map(|v| curve(v as f32 / 100.0, strength))
                .collect();
            assert!(tones.windows(2).all(|pair| pair[0] < pair[1]));
            let slope = (curve(0.51, strength) - curve(0.49, strength)) / 0.02;
            let expected = (f32::from(strength) / 100.0).exp2();
            assert!((slope - expected).abs() < 0.03, "{strength}: {slope}");
        }
    }
}
