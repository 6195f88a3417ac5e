//! Linear light and its sRGB encoding (IEC 61966-2-1).

/// Red, green and blue in linear light, 1 is full scale.
pub(super) type Rgb = [f32; 3];

/// The linear colour of an sRGB colour written `0xrrggbb`.
pub(super) fn linear(colour: u32) -> Rgb {
    std::array::from_fn(|c| {
        let v = ((colour >> (16 - 8 * c)) & 0xff) as f32 / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// `a` and `b` mixed: `a` at 0, `b` at 1.
pub(super) fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|c| a[c] + share * (b[c] - a[c]))
}

/// `colour` made brighter or darker.
pub(super) fn scaled(colour: Rgb, factor: f32) -> Rgb {
    colour.map(|v| v * factor)
}

/// The sRGB encoding as a table over the square root of the light, which is
/// fine enough in the shadows to interpolate linearly.
pub(super) struct Encoder(Vec<f32>);

impl Encoder {
    const STEPS: usize = 4096;

    pub fn new() -> Self {
        let encode = |x: f64| {
            if x <= 0.003_130_8 {
                12.92 * x
            } else {
                1.055 * x.powf(1.0 / 2.4) - 0.055
            }
        };
        Self(
            (0..=Self::STEPS + 1)
                .map(|i| encode((i as f64 / Self::STEPS as f64).powi(2)) as f32)
                .collect(),
        )
    }

    /// The encoded value, 0 to 1, of linear light, which is clipped to 0 to 1.
    pub fn encode(&self, light: f32) -> f32 {
        let t = light.clamp(0.0, 1.0).sqrt() * Self::STEPS as f32;
        let i = t as usize;
        let share = t - i as f32;
        self.0[i] + share * (self.0[i + 1] - self.0[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_undoes_decoding() {
        let encoder = Encoder::new();
        for v in 0..=255u32 {
            let light = linear(v << 16)[0];
            assert!((encoder.encode(light) * 255.0 - v as f32).abs() < 1e-3);
        }
        assert_eq!(encoder.encode(-1.0), 0.0);
        assert!((encoder.encode(40.0) - 1.0).abs() < 1e-6);
    }
}
