//! How strong the noise of a picture is, scale by scale.

use rayon::prelude::*;

use super::tile::{Piece, Source, Tile};
use crate::core::grey::LUMA;

/// Scales of detail that noise is looked for in: about 1, 2, 4 and 8 pixels.
pub const SCALES: usize = 4;
/// Pixels beyond a piece that its coarsest scale leans on.
pub const MARGIN: usize = 48;
/// Pixels across and down a block, one opinion on the noise.
const BLOCK: usize = 16;
/// Pieces that are looked at, at most.
const PIECES: usize = 48;
/// The share of blocks that are taken to show nothing but noise.
const CALM: f32 = 0.1;
/// How far the calmest blocks are below the mean: they are so by chance too.
const CHANCE: f32 = 0.87;
/// What white noise leaves in each scale of the à trous transform with the
/// binomial kernel, as standard deviations.
const WHITE: [f32; SCALES] = [0.889, 0.2, 0.086, 0.041];
/// How much stronger than white the noise of a coarser scale may be:
/// resampling and fusing shift noise there. What is more is texture.
const COLOURED: [f32; SCALES] = [1.0, 1.4, 1.6, 1.6];
/// How much more variance differences of colour may have than luminance: twice
/// as much if the noise of the channels is independent, more after a camera has
/// put colours together.
const COLOUR: f32 = 6.0;

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

/// What one block says.
#[derive(Clone, Copy, Default)]
struct Energies {
    /// The mean square of each scale.
    scales: [f32; SCALES],
    /// The mean square of the finest diagonal detail, for white noise its
    /// variance.
    diagonal: f32,
}

/// Estimates the noise from the calmest blocks of the picture.
///
/// In texture all blocks have detail, but hardly any photograph has much at the
/// finest diagonal scale (Immerkær, "Fast noise variance estimation", 1996):
/// that bounds the noise of luminance, and thereby of colour.
pub fn estimate(source: &Source) -> Noise {
    let pieces = source.pieces();
    let every = pieces.len().div_ceil(PIECES);
    let looked: Vec<[Vec<Energies>; 3]> = pieces
        .par_iter()
        .step_by(every)
        .map(|piece| blocks(source, piece))
        .collect();
    let of = |channel: usize, value: &dyn Fn(&Energies) -> f32| {
        let blocks = looked.iter().flat_map(|channels| &channels[channel]);
        calm(blocks.map(value).collect()) / CHANCE
    };
    let white = of(0, &|block| block.diagonal);
    let bounds: [f32; SCALES] =
        std::array::from_fn(|scale| white * (WHITE[scale] * COLOURED[scale]).powi(2));
    std::array::from_fn(|channel| {
        std::array::from_fn(|scale| {
            let bound = bounds[scale] * if channel == 0 { 1.0 } else { COLOUR };
            of(channel, &|block| block.scales[scale]).min(bound)
        })
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

/// What the blocks of a piece say, for each channel.
fn blocks(source: &Source, piece: &Piece) -> [Vec<Energies>; 3] {
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
        let mut energies = vec![Energies::default(); blocks.len()];
        let mut scratch = Tile::new(tile.width, tile.height);
        let mut detail = diagonal(&tile);
        let mean = |detail: &Tile, block: &Piece| {
            let left = block.x - piece.x + MARGIN;
            let top = block.y - piece.y + MARGIN;
            let sum: f32 = (top..top + block.height)
                .flat_map(|y| &detail.data[y * detail.width + left..][..block.width])
                .map(|v| v * v)
                .sum();
            sum / (block.width * block.height) as f32
        };
        for (block, energy) in blocks.iter().zip(&mut energies) {
            energy.diagonal = mean(&detail, block);
        }
        for scale in 0..SCALES {
            split(&mut tile, scale, &mut scratch, &mut detail);
            for (block, energy) in blocks.iter().zip(&mut energies) {
                energy.scales[scale] = mean(&detail, block);
            }
        }
        energies
    })
}

/// Second differences across of second differences down, such that white noise
/// keeps its variance; 0 at the border.
fn diagonal(tile: &Tile) -> Tile {
    let mut out = Tile::new(tile.width, tile.height);
    let width = tile.width;
    for y in 1..tile.height - 1 {
        let [above, own, below] = [y - 1, y, y + 1].map(|y| &tile.data[y * width..][..width]);
        let down = |x: usize| above[x] - 2.0 * own[x] + below[x];
        for x in 1..width - 1 {
            out.data[y * width + x] = (down(x - 1) - 2.0 * down(x) + down(x + 1)) / 6.0;
        }
    }
    out
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
