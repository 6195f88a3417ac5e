//! The colours of the heat map, and what they mean.

use iced::{Color, Element};

use super::legend;

/// How much the softest and the sharpest cells are covered.
const OPACITY: [f32; 2] = [0.4, 0.6];

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

/// What is laid over a cell with a share of the sharpest cell.
pub fn veil(share: f32) -> Color {
    let [soft, sharp] = OPACITY;
    colour(share).scale_alpha(soft + share.clamp(0.0, 1.0) * (sharp - soft))
}

/// The scale with its ends in words.
pub fn legend<'a, Message: 'a>() -> Element<'a, Message> {
    let last = (ANCHORS.len() - 1) as f32;
    let colours = (0..ANCHORS.len()).map(|stop| colour(stop as f32 / last));
    legend::legend(colours, "soft", "sharp")
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
