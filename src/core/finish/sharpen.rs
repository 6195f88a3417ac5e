//! The finest detail raised, without halos and without noise.
//!
//! An unsharp mask on luminance: what a small blur would take away is added
//! once more. Detail no stronger than the noise is left alone, and the result
//! stays near the range of the pixels around it, so that no bright or dark line
//! arises beside an edge.

use super::level;
use super::noise::{MARGIN, estimate, opponent};
use super::tile::{Source, Tile};
use crate::Result;
use crate::core::KeepGoing;

/// How often the detail is added at full strength.
const MOST: f32 = 2.0;
/// How far beyond its surroundings a pixel may go, as a share of their range.
const OVERSHOOT: f32 = 0.1;
/// Detail of so many times the noise counts half.
const CORING: f32 = 2.0;
/// Pixels each way that count as surroundings.
const NEAR: usize = 2;

/// The picture with its finest detail raised; `strength` is 1 to 100.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn sharpen(
    samples: &[u16],
    alpha: Option<&[u8]>,
    width: usize,
    strength: u8,
    keep_going: KeepGoing,
) -> Result<Vec<u16>> {
    const { assert!(NEAR <= MARGIN) };
    let source = Source {
        samples,
        alpha,
        width,
    };
    let amount = MOST * f32::from(strength.min(100)) / 100.0;
    let noise = CORING * CORING * estimate(&source)[0][0];
    source.mapped(keep_going, |piece, write| {
        let [luma] = source.cut(piece, NEAR, |rgb| [opponent(rgb)[0]]);
        let (mut scratch, mut smooth) = (luma.clone(), luma.clone());
        luma.smooth(1, &mut scratch, &mut smooth);
        let (low, high) = ranges(&luma);
        for j in 0..piece.height {
            for i in 0..piece.width {
                let at = (j + NEAR) * luma.width + i + NEAR;
                let (own, low, high) = (luma.data[at], low.data[at], high.data[at]);
                let detail = own - smooth.data[at];
                let square = detail * detail;
                let raised =
                    own + amount * detail * square / (square + noise).max(f32::MIN_POSITIVE);
                let room = OVERSHOOT * (high - low);
                let change = raised.clamp(low - room, high + room) - own;
                let place = 3 * ((piece.y + j) * width + piece.x + i);
                let rgb = [0, 1, 2].map(|c| level(super::share(samples[place + c]) + change));
                write(i, j, rgb);
            }
        }
    })
}

/// The least and the greatest value within [`NEAR`] pixels of each.
fn ranges(tile: &Tile) -> (Tile, Tile) {
    (extreme(tile, f32::min), extreme(tile, f32::max))
}

fn extreme(tile: &Tile, of: impl Fn(f32, f32) -> f32) -> Tile {
    let (width, height) = (tile.width, tile.height);
    let mut rows = tile.clone();
    for (row, out) in tile
        .data
        .chunks_exact(width)
        .zip(rows.data.chunks_exact_mut(width))
    {
        for (x, out) in out.iter_mut().enumerate() {
            let near = &row[x.saturating_sub(NEAR)..(x + NEAR + 1).min(width)];
            *out = near.iter().copied().fold(*out, &of);
        }
    }
    let mut both = rows.clone();
    for (y, out) in both.data.chunks_exact_mut(width).enumerate() {
        for row in y.saturating_sub(NEAR)..(y + NEAR + 1).min(height) {
            let row = &rows.data[row * width..][..width];
            out.iter_mut()
                .zip(row)
                .for_each(|(out, &v)| *out = of(*out, v));
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Rng;

    const WIDTH: usize = 120;

    /// A soft edge in the middle of a grey picture.
    fn edge(noise: f32) -> Vec<u16> {
        let mut rng = Rng::new(9, 0);
        (0..WIDTH * 80)
            .flat_map(|i| {
                let x = (i % WIDTH) as f32 - 60.0;
                let value = 30_000.0 + 8000.0 * (x / 2.0).tanh() + noise * rng.normals()[0];
                [value as u16; 3]
            })
            .collect()
    }

    fn slope(samples: &[u16]) -> i32 {
        let row = &samples[3 * WIDTH * 40..];
        i32::from(row[3 * 61]) - i32::from(row[3 * 59])
    }

    #[test]
    fn an_edge_becomes_steeper_without_a_line_beside_it() {
        let soft = edge(0.0);
        let sharp = sharpen(&soft, None, WIDTH, 50, &|| true).unwrap();
        let sharper = sharpen(&soft, None, WIDTH, 100, &|| true).unwrap();
        assert!(slope(&sharp) > slope(&soft) * 11 / 10);
        assert!(slope(&sharper) > slope(&sharp));
        let range = |samples: &[u16]| {
            let (low, high) = (samples.iter().min(), samples.iter().max());
            i32::from(*high.unwrap()) - i32::from(*low.unwrap())
        };
        assert!(range(&sharper) < range(&soft) * 102 / 100);
    }

    #[test]
    fn noise_is_hardly_raised() {
        let noisy = edge(200.0);
        let sharp = sharpen(&noisy, None, WIDTH, 100, &|| true).unwrap();
        let spread = |samples: &[u16]| {
            let flat: Vec<f32> = (0..WIDTH * 80)
                .filter(|i| i % WIDTH < 40)
                .map(|i| f32::from(samples[3 * i]))
                .collect();
            let mean = flat.iter().sum::<f32>() / flat.len() as f32;
            (flat.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / flat.len() as f32).sqrt()
        };
        assert!(spread(&sharp) < 1.7 * spread(&noisy));
        assert!(slope(&sharp) > slope(&noisy));
    }
}
