//! The colours of the heat map.

use iced::Color;

/// How much the heat map covers the picture.
pub const OPACITY: f32 = 0.5;

/// Anchors of the scale, evenly spaced, dark to bright, so that it also reads
/// without colour vision.
const ANCHORS: [[u8; 3]; 5] = [
    [24, 15, 61],
    [106, 28, 110],
    [188, 55, 82],
    [245, 125, 30],
    [252, 245, 150],
];

/// The colour of a share of the sharpest cell, 0 to 1.
pub fn colour(share: f32) -> Color {
    let place = share.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f32;
    let below = (place as usize).min(ANCHORS.len() - 2);
    let part = place - below as f32;
    let [red, green, blue] = [0, 1, 2].map(|c| {
        let (from, to) = (ANCHORS[below][c], ANCHORS[below + 1][c]);
        (f32::from(from) + part * (f32::from(to) - f32::from(from))) / 255.0
    });
    Color::from_rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharper_is_brighter() {
        let luma = |share| {
            let Color { r, g, b, .. } = colour(share);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let shares: Vec<f32> = (0..=20).map(|step| step as f32 / 20.0).collect();
        for pair in shares.windows(2) {
            assert!(luma(pair[0]) < luma(pair[1]), "{pair:?}");
        }
        assert_eq!(colour(-1.0), colour(0.0));
        assert_eq!(colour(2.0), colour(1.0));
    }
}
