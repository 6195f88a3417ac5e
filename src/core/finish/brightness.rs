//! Brightness: middle tones lifted or lowered, black and white where they are.

/// What an encoded value becomes, both 0 to 1: a power of it, so that nothing
/// clips. At 100 the middle, 0.5, becomes 0.71, at -100 0.25.
pub fn curve(value: f32, strength: i8) -> f32 {
    let strength = f32::from(strength.clamp(-100, 100)) / 100.0;
    value.powf((-strength).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_rise_with_it_in_order_and_ends_stay() {
        for strength in [-100, -20, 0, 20, 100] {
            assert_eq!(curve(0.0, strength), 0.0);
            assert_eq!(curve(1.0, strength), 1.0);
            let tones: Vec<f32> = (0..=100)
                .map(|v| curve(v as f32 / 100.0, strength))
                .collect();
            assert!(tones.windows(2).all(|pair| pair[0] < pair[1]));
            match strength {
                0 => assert_eq!(tones[50], 0.5),
                1.. => assert!(tones[50] > 0.5),
                _ => assert!(tones[50] < 0.5),
            }
        }
        assert!((curve(0.5, 100) - 0.5f32.sqrt()).abs() < 1e-6);
    }
}
