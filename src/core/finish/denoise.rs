//! Noise taken out, edges and texture kept.
//!
//! The picture is split into scales of detail by the undecimated ("à trous")
//! wavelet transform. At each place of each scale the detail is scaled by how
//! far its energy about that place stands out from the noise (the local Wiener
//! filter: Lee, "Digital image enhancement and noise filtering by use of local
//! statistics", 1980). Colour is filtered more strongly than luminance: its
//! noise shows more and its detail less.

use super::level;
use super::noise::{MARGIN, Noise, SCALES, estimate, opponent, split};
use super::tile::{Source, Tile};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::grey::LUMA;

/// Multiples of the noise's variance that count as noise at full strength.
const MOST: f32 = 6.0;
/// What colour's share of that is.
const COLOUR: f32 = 2.0;

/// The picture with less noise; `strength` is 1 to 100.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn denoise(
    samples: &[u16],
    alpha: Option<&[u8]>,
    width: usize,
    strength: u8,
    keep_going: KeepGoing,
) -> Result<Vec<u16>> {
    let source = Source {
        samples,
        alpha,
        width,
    };
    filtered(
        &source,
        &thresholds(estimate(&source), strength),
        keep_going,
    )
}

fn filtered(source: &Source, threshold: &Noise, keep_going: KeepGoing) -> Result<Vec<u16>> {
    source.mapped(keep_going, |piece, write| {
        let mut tiles = source.cut(piece, MARGIN, opponent);
        for (tile, threshold) in tiles.iter_mut().zip(threshold) {
            filter(tile, threshold);
        }
        let [luma, red, blue] = &tiles;
        for j in 0..piece.height {
            for i in 0..piece.width {
                let at = (j + MARGIN) * luma.width + i + MARGIN;
                let y = luma.data[at];
                let (r, b) = (y + red.data[at], y + blue.data[at]);
                let g = (y - LUMA[0] * r - LUMA[2] * b) / LUMA[1];
                write(i, j, [r, g, b].map(level));
            }
        }
    })
}

/// What energy counts as noise, from the noise itself.
fn thresholds(noise: Noise, strength: u8) -> Noise {
    let strength = MOST * (f32::from(strength.min(100)) / 100.0).powf(1.5);
    let [luma, red, blue] = noise;
    [
        luma.map(|variance| strength * variance),
        red.map(|variance| COLOUR * strength * variance),
        blue.map(|variance| COLOUR * strength * variance),
    ]
}

/// Takes out of each scale what does not stand out from its threshold.
fn filter(tile: &mut Tile, threshold: &[f32; SCALES]) {
    let blank = || Tile::new(tile.width, tile.height);
    let (mut scratch, mut detail, mut kept) = (blank(), blank(), blank());
    let (mut squared, mut energy) = (blank(), blank());
    for (scale, &threshold) in threshold.iter().enumerate() {
        split(tile, scale, &mut scratch, &mut detail);
        // Where there is no noise to take out all stays.
        if threshold > 0.0 {
            for (squared, detail) in squared.data.iter_mut().zip(&detail.data) {
                *squared = detail * detail;
            }
            squared.smooth(1 << scale, &mut scratch, &mut energy);
            for (detail, &energy) in detail.data.iter_mut().zip(&energy.data) {
                *detail *= (1.0 - threshold / energy.max(threshold)).max(0.0);
            }
        }
        for (kept, detail) in kept.data.iter_mut().zip(&detail.data) {
            *kept += detail;
        }
    }
    for (value, kept) in tile.data.iter_mut().zip(&kept.data) {
        *value += kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Rng;

    const WIDTH: usize = 400;
    const HEIGHT: usize = 300;
    const LEVEL: f32 = 600.0;

    /// A step of brightness and colour in the middle, with fine stripes at the
    /// bottom, without and with noise.
    fn pictures() -> (Vec<u16>, Vec<u16>) {
        let mut rng = Rng::new(5, 0);
        let mut clean = Vec::new();
        for i in 0..WIDTH * HEIGHT {
            let (x, y) = (i % WIDTH, i / WIDTH);
            let side = if x < WIDTH / 2 { 20_000 } else { 40_000 };
            let stripe = if y >= 200 && y % 4 < 2 { 6000 } else { 0 };
            clean.extend([side + stripe, side + stripe + 3000, 30_000 + stripe]);
        }
        let noisy = clean
            .iter()
            .map(|&v: &u16| (f32::from(v) + LEVEL * rng.normals()[0]) as u16)
            .collect();
        (clean, noisy)
    }

    /// The root mean square error of green in a part of the picture.
    fn error(a: &[u16], b: &[u16], inside: impl Fn(usize, usize) -> bool) -> f32 {
        let squares: Vec<f32> = (0..WIDTH * HEIGHT)
            .filter(|i| inside(i % WIDTH, i / WIDTH))
            .map(|i| (f32::from(a[3 * i + 1]) - f32::from(b[3 * i + 1])).powi(2))
            .collect();
        (squares.iter().sum::<f32>() / squares.len() as f32).sqrt()
    }

    fn is_flat(x: usize, y: usize) -> bool {
        y < 180 && x.abs_diff(WIDTH / 2) > 20
    }

    #[test]
    fn noise_falls_with_strength_and_edges_stay() {
        let (clean, noisy) = pictures();
        let run = |strength| denoise(&noisy, None, WIDTH, strength, &|| true).unwrap();
        let [weak, usual, strong] = [15, 50, 100].map(|strength| {
            let result = run(strength);
            let flat = error(&result, &clean, is_flat) / LEVEL;
            let edge = error(&result, &clean, |x, y| {
                y < 180 && x.abs_diff(WIDTH / 2) <= 3
            }) / LEVEL;
            let stripes = error(&result, &clean, |x, y| {
                (205..290).contains(&y) && x.abs_diff(WIDTH / 2) > 20
            }) / LEVEL;
            println!("{strength}: flat {flat:.3}, edge {edge:.3}, stripes {stripes:.3}");
            (flat, edge, stripes)
        });
        assert!(weak.0 < 0.95 && usual.0 < 0.3 && strong.0 <= usual.0);
        // An edge is 33 times as strong as the noise, a stripe 10 times: neither
        // may come out worse than it went in.
        for (_, edge, stripes) in [weak, usual, strong] {
            assert!(edge < 1.05, "{edge}");
            assert!(stripes < 1.05, "{stripes}");
        }
    }

    #[test]
    fn a_picture_without_noise_stays_nearly_as_it_is() {
        let (clean, _) = pictures();
        let result = denoise(&clean, None, WIDTH, 100, &|| true).unwrap();
        let off = clean.iter().zip(&result).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(1), "{off:?}");
    }

    #[test]
    fn pieces_leave_no_seam() {
        // The seam of two pieces lies at row 256 of the whole.
        let (_, noisy) = pictures();
        let threshold = [[4e-5; SCALES]; 3];
        let run = |samples| {
            let source = Source {
                samples,
                alpha: None,
                width: WIDTH,
            };
            filtered(&source, &threshold, &|| true).unwrap()
        };
        let whole = run(&noisy);
        let part = run(&noisy[3 * WIDTH * 150..]);
        let (from, to) = (3 * WIDTH * 200, 3 * WIDTH * 300);
        let off = whole[from..to]
            .iter()
            .zip(&part[3 * WIDTH * 50..])
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(off <= Some(1), "{off:?}");
    }

    #[test]
    fn what_shows_nothing_stays_to_the_bit() {
        let (_, noisy) = pictures();
        let alpha: Vec<u8> = (0..WIDTH * HEIGHT)
            .map(|i| if i % WIDTH < 50 { 0 } else { 255 })
            .collect();
        let result = denoise(&noisy, Some(&alpha), WIDTH, 100, &|| true).unwrap();
        for (i, (before, after)) in noisy.chunks(3).zip(result.chunks(3)).enumerate() {
            if i % WIDTH < 50 {
                assert_eq!(before, after);
            }
        }
    }
}
