//! How strong the noise of a picture is, scale by scale.

use rayon::prelude::*;

use super::tile::{Piece, Source, Tile};
use crate::core::grey::LUMA;

/// Scales of detail that noise is looked for in: about 1, 2, 4 and 8 pixels.
pub const SCALES: usize = 4;
/// Pixels beyond a piece that its coarsest scale leans on.
pub const MARGIN: usize = 48;
/// Pixels across and down a block, one opinion on the noise.
const BLOCK: usize = 32;
/// Pieces that are looked at, at most.
const PIECES: usize = 48;
/// The share of blocks that are taken to show nothing but noise.
const CALM: f32 = 0.2;
/// What white noise of the finest scale leaves in each scale of the à trous
/// transform with the binomial kernel, as standard deviations.
const WHITE: [f32; SCALES] = [0.889, 0.2, 0.086, 0.041];
/// How much more than white noise a coarse scale may have: resampling and
/// fusing shift noise there. What is more is texture.
const COLOURED: f32 = 2.5;
/// The variance of the noise in luminance and two differences of colour, for
/// each scale, as shares of full scale.
pub type Noise = [[f32; SCALES]; 3];

/// Luminance, and how far red and blue are from it, of an encoded colour.
pub fn opponent(rgb: [u16; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(super::share);
    let luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
    [luma, r - luma, b - luma]
}

/// Splits the detail of a scale off `tile`: what is left in it is smooth, the
/// detail is in `detail`.
pub fn split(tile: &mut Tile, scale: usize, scratch: &mut Tile, detail: &mut Tile) {
    tile.smooth(1 << scale, scratch, detail);
    for (value, smooth) in tile.data.iter_mut().zip(&mut detail.data) {
        let own = *value;
        *value = *smooth;
        *smooth = own - *smooth;
    }
}

/// Estimates the noise from the calmest blocks of the picture.
pub fn estimate(source: &Source) -> Noise {
    let pieces = source.pieces();
    let every = pieces.len().div_ceil(PIECES);
    let looked: Vec<[Vec<[f32; SCALES]>; 3]> = pieces
        .par_iter()
        .step_by(every)
        .map(|piece| blocks(source, piece))
        .collect();
    std::array::from_fn(|channel| {
        let mut noise: [f32; SCALES] = std::array::from_fn(|scale| {
            let energies = looked.iter().flat_map(|channels| &channels[channel]);
            calm(energies.map(|block| block[scale]).collect())
        });
        for scale in 1..SCALES {
            let white = noise[0] * (WHITE[scale] / WHITE[0]).powi(2);
            noise[scale] = noise[scale].min(white * COLOURED * COLOURED);
        }
        noise
    })
}

/// The value below which [`CALM`] of the blocks lie.
fn calm(mut energies: Vec<f32>) -> f32 {
    if energies.is_empty() {
        return 0.0;
    }
    let place = (CALM * (energies.len() - 1) as f32) as usize;
    *energies.select_nth_unstable_by(place, f32::total_cmp).1
}

/// The mean square of each scale in the blocks of a piece, for each channel.
fn blocks(source: &Source, piece: &Piece) -> [Vec<[f32; SCALES]>; 3] {
    let blocks: Vec<Piece> = (piece.y..piece.y + piece.height)
        .step_by(BLOCK)
        .flat_map(|y| {
            (piece.x..piece.x + piece.width)
                .step_by(BLOCK)
                .map(move |x| Piece {
                    x,
                    y,
                    width: BLOCK.min(piece.x + piece.width - x),
                    height: BLOCK.min(piece.y + piece.height - y),
                })
        })
        .filter(|block| !is_clipped(source, block))
        .collect();
    source.cut(piece, MARGIN, opponent).map(|mut tile| {
        let mut energies = vec![[0.0; SCALES]; blocks.len()];
        let (mut scratch, mut detail) = (tile.clone(), tile.clone());
        for scale in 0..SCALES {
            split(&mut tile, scale, &mut scratch, &mut detail);
            for (block, energy) in blocks.iter().zip(&mut energies) {
                let left = block.x - piece.x + MARGIN;
                let top = block.y - piece.y + MARGIN;
                let sum: f32 = (top..top + block.height)
                    .flat_map(|y| &detail.data[y * detail.width + left..][..block.width])
                    .map(|v| v * v)
                    .sum();
                energy[scale] = sum / (block.width * block.height) as f32;
            }
        }
        energies
    })
}

/// Whether a block says nothing of the noise: one in twenty of its samples is
/// black or white, or it shows nothing.
fn is_clipped(source: &Source, block: &Piece) -> bool {
    let rows = block.y..block.y + block.height;
    let clipped: usize = rows
        .map(|y| {
            let start = y * source.width + block.x;
            let hidden = source.alpha.map_or(0, |alpha| {
                let row = &alpha[start..start + block.width];
                3 * row.iter().filter(|&&alpha| alpha == 0).count()
            });
            let row = &source.samples[3 * start..3 * (start + block.width)];
            hidden + row.iter().filter(|&&v| v == 0 || v == u16::MAX).count()
        })
        .sum();
    20 * clipped > 3 * block.width * block.height
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Rng;

    #[test]
    fn known_noise_is_found_beside_texture() {
        let (width, height) = (600, 400);
        let mut rng = Rng::new(3, 0);
        let mut samples = Vec::new();
        for i in 0..width * height {
            // Stripes in the left half.
            let stripe = if i % width < 300 && i % width / 3 % 2 == 0 {
                8000.0
            } else {
                0.0
            };
            for _ in 0..3 {
                let [noise, _] = rng.normals();
                samples.push((30_000.0 + stripe + 300.0 * noise) as u16);
            }
        }
        let source = Source {
            samples: &samples,
            alpha: None,
            width,
        };
        let noise = estimate(&source);
        let weight: f32 = LUMA.iter().map(|w| w * w).sum::<f32>().sqrt();
        let luma = noise[0][0].sqrt() * 65535.0 / WHITE[0];
        assert!((luma / (300.0 * weight) - 1.0).abs() < 0.1, "{luma}");
    }
}
