//! Colours that stand for a value.

/// Anchors of the scale, evenly spaced: their lightness rises, so that the
/// picture also reads in grey and without colour vision.
const ANCHORS: [[u8; 3]; 6] = [
    [42, 10, 82],
    [52, 62, 148],
    [30, 118, 150],
    [40, 166, 122],
    [142, 208, 70],
    [252, 238, 70],
];

/// The colour of a share, 0 (dark violet) to 1 (yellow), in sRGB.
pub fn colour(share: f32) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f32;
    let below = (place as usize).min(ANCHORS.len() - 2);
    let part = place - below as f32;
    [0, 1, 2].map(|c| {
        let (from, to) = (
            f32::from(ANCHORS[below][c]),
            f32::from(ANCHORS[below + 1][c]),
        );
        (from + part * (to - from)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::grey::LUMA;

    #[test]
    fn lightness_rises_all_the_way() {
        let luma = |step: u8| {
            let colour = colour(f32::from(step) / 50.0);
            (0..3).map(|c| LUMA[c] * f32::from(colour[c])).sum::<f32>()
        };
        for step in 0..50 {
            assert!(luma(step) + 1.0 < luma(step + 1), "{step}");
        }
        assert_eq!(colour(-1.0), ANCHORS[0]);
        assert_eq!(colour(2.0), ANCHORS[5]);
    }
}
