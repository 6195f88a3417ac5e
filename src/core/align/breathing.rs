//! How the size of what is seen goes along a stack.
//!
//! Focusing changes the size of the picture by about as much from each frame
//! to the next. A frame that matches its neighbours poorly and whose size does
//! not fit in with theirs was measured wrong. A frame that matches well is
//! believed whatever its size: a hand comes nearer and goes back.

use crate::core::median::median;

/// Frames on each side that a frame's size is held against.
const REACH: usize = 3;
/// A size that is off by less, in pixels at the corners, is no fault.
const VISIBLE: f64 = 3.0;
/// A size is off where it is so by this many times what is usual in the stack.
const UNUSUAL: f64 = 8.0;
/// A frame matches poorly below this share of the usual correlation.
const POOR: f64 = 0.8;

/// A frame's size against the reference, and how well it matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// The frame's number.
    pub frame: usize,
    /// How much larger it shows things, as a factor.
    pub scale: f64,
    /// Mean correlation with its neighbours, 0 to 1.
    pub correlation: f64,
}

/// The frame whose size fits in worst with its neighbours' and which matches
/// poorly, and by how many pixels it is off at the corners, `half` the
/// diagonal from the centre. `sizes` are in stack order.
pub fn odd(sizes: &[Size], half: f64) -> Option<(usize, f64)> {
    let offs: Vec<f64> = (0..sizes.len())
        .map(|place| half * off(sizes, place).unwrap_or(0.0).abs())
        .collect();
    let usual = median(offs.clone())?;
    let matching = median(sizes.iter().map(|size| size.correlation).collect())?;
    sizes
        .iter()
        .zip(offs)
        .filter(|(size, off)| {
            *off > VISIBLE.max(UNUSUAL * usual) && size.correlation < POOR * matching
        })
        .map(|(size, off)| (size.frame, off))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// How far the logarithm of a size is from the line that its neighbours make:
/// the median over the lines through any two of them (Theil, 1950).
fn off(sizes: &[Size], place: usize) -> Option<f64> {
    let first = place.saturating_sub(REACH);
    let near: Vec<&Size> = sizes[first..(place + REACH + 1).min(sizes.len())]
        .iter()
        .filter(|size| size.frame != sizes[place].frame)
        .collect();
    let own = sizes[place];
    let mut lines = Vec::new();
    for (k, a) in near.iter().enumerate() {
        for b in &near[k + 1..] {
            let slope = (b.scale / a.scale).ln() / (b.frame as f64 - a.frame as f64);
            let expected = a.scale.ln() + slope * (own.frame as f64 - a.frame as f64);
            lines.push(own.scale.ln() - expected);
        }
    }
    (near.len() >= REACH).then(|| median(lines)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: f64 = 900.0;

    /// Ten frames that grow by half a percent each, but for `wrong`.
    fn sizes(wrong: Option<(usize, f64, f64)>) -> Vec<Size> {
        (0..10)
            .map(|frame| {
                let usual = 1.005f64.powi(frame as i32 - 5);
                let (factor, correlation) = match wrong {
                    Some((at, factor, correlation)) if at == frame => (factor, correlation),
                    _ => (1.0, 0.9),
                };
                Size {
                    frame,
                    scale: usual * factor,
                    correlation,
                }
            })
            .collect()
    }

    #[test]
    fn a_size_that_does_not_fit_in_is_found() {
        assert_eq!(odd(&sizes(None), HALF), None);
        for at in [0, 4, 9] {
            let (frame, off) = odd(&sizes(Some((at, 0.98, 0.5))), HALF).unwrap();
            assert_eq!(frame, at);
            assert!((15.0..40.0).contains(&off), "{off}");
        }
    }

    #[test]
    fn a_frame_that_matches_is_believed() {
        assert_eq!(odd(&sizes(Some((4, 0.98, 0.88))), HALF), None);
        // A pixel does not matter.
        assert_eq!(odd(&sizes(Some((4, 0.999, 0.5))), HALF), None);
        assert_eq!(odd(&sizes(None)[..2], HALF), None);
    }

    #[test]
    fn a_hand_may_come_and_go() {
        let mut unsteady = sizes(None);
        for (i, size) in unsteady.iter_mut().enumerate() {
            size.scale *= [1.0, 1.01, 0.99, 1.004][i * 7 % 4];
            size.correlation = if i == 6 { 0.5 } else { 0.9 };
        }
        assert_eq!(odd(&unsteady, HALF), None);
    }
}
