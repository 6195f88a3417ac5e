//! How the light of one frame differs from that of another.

use super::light::Light;
use crate::core::Transform;
use crate::core::median::median;

/// Parts across and down a frame that are compared on their own first.
const TILES: usize = 6;
/// Fewer cells than this do not make a part.
const FEWEST: u32 = 8;
/// Parts that differ by less, as a logarithm, do not differ.
const UNUSUAL: f64 = 0.05;
/// Least mean linear light that says something.
const DARKEST: f64 = 0.001;
/// The encoded value of linear light `l` is `SCALE * l^(1 / GAMMA) - TOE`
/// (IEC 61966-2-1, but for its darkest part).
const SCALE: f64 = 1.055;
pub(super) const GAMMA: f64 = 2.4;
pub(super) const TOE: f64 = 0.055;
/// An offset this many times as large as the doubt about it is there. Defocus
/// that takes contrast from large parts looks like one of up to eight times.
const CERTAIN: f64 = 12.0;
/// Offsets of encoded values nearer to zero than this are not worth applying.
const SLIGHT: f64 = 0.004;
/// Standard deviation of normal values over the median of their distances, and
/// how much more the median varies than their mean.
const NORMAL: [f64; 2] = [1.4826, 1.2533];

/// How the second of two frames differs from the first: its tone is
/// `exp(log) * tone + offset`, where a tone is an encoded value plus [`TOE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// For each channel the logarithm of the gain of tones.
    pub log: [f64; 3],
    /// For each channel what is added to tones, as a share of full scale; 0
    /// where that is not certain.
    pub offset: [f64; 3],
}

impl Change {
    /// From `a` to `b`, where `pose` maps pixels of `a` to pixels of `b`.
    /// `None` where they have too little in common.
    ///
    /// The light of all that both show is compared, tile by tile; tiles that
    /// differ from most, since something moved there, have no say.
    pub fn between(a: &Light, b: &Light, pose: &Transform) -> Option<Self> {
        // Taken both ways: interpolating smooths one of the two, which would
        // count as light and add up over the stack.
        let mut tiles = tiles(a, b, pose);
        tiles.extend(tiles_swapped(a, b, pose)?);
        let mut change = Self {
            log: gains(&tiles)?.map(|log| log / GAMMA),
            offset: [0.0; 3],
        };
        for c in 0..3 {
            if let Some((gain, offset)) = line(&tiles, c) {
                change.log[c] = gain.ln();
                change.offset[c] = offset;
            }
        }
        Some(change)
    }
}

fn tiles_swapped(a: &Light, b: &Light, pose: &Transform) -> Option<Vec<Tile>> {
    let back = tiles(b, a, &pose.inverse()?);
    Some(back.into_iter().map(Tile::swapped).collect())
}

/// The light of two frames in one part of the picture.
#[derive(Debug, Clone, Copy, Default)]
struct Tile {
    /// For each channel the sums of both.
    sums: [[f64; 2]; 3],
    cells: u32,
}

impl Tile {
    fn add(&mut self, a: &[f32; 3], b: &[f32; 3]) {
        for (sums, (a, b)) in self.sums.iter_mut().zip(a.iter().zip(b)) {
            sums[0] += f64::from(*a);
            sums[1] += f64::from(*b);
        }
        self.cells += 1;
    }

    fn swapped(self) -> Self {
        Self {
            sums: self.sums.map(|[a, b]| [b, a]),
            ..self
        }
    }

    /// How much brighter the second is, all channels together.
    fn log(&self) -> f64 {
        let total = |k: usize| self.sums.iter().map(|sums| sums[k]).sum::<f64>();
        (total(1).max(1e-9) / total(0).max(1e-9)).ln()
    }

    /// The tones of a channel in both.
    fn tones(&self, channel: usize) -> [f64; 2] {
        let tone = |sum: f64| SCALE * (sum / f64::from(self.cells)).powf(1.0 / GAMMA);
        self.sums[channel].map(tone)
    }
}

/// The parts of `a` of which enough is seen in `b`, where `pose` maps pixels of
/// `a` to pixels of `b`.
fn tiles(a: &Light, b: &Light, pose: &Transform) -> Vec<Tile> {
    let pose = pose.reduced(a.side as f64);
    let mut tiles = [Tile::default(); TILES * TILES];
    for (i, light) in a.cells.iter().enumerate() {
        if light[0] < 0.0 {
            continue;
        }
        let (column, row) = (i % a.columns, i / a.columns);
        if let Some(other) = b.at(&pose, column, row) {
            let tile = row * TILES / a.rows * TILES + column * TILES / a.columns;
            tiles[tile].add(light, &other);
        }
    }
    tiles
        .into_iter()
        .filter(|tile| tile.cells >= FEWEST)
        .collect()
}

/// For each channel the logarithm of how much brighter the second frame is, in
/// linear light.
fn gains(tiles: &[Tile]) -> Option<[f64; 3]> {
    let logs: Vec<f64> = tiles.iter().map(Tile::log).collect();
    let usual = median(logs.clone())?;
    let spread = median(logs.iter().map(|log| (log - usual).abs()).collect())?;
    let mut all = Tile::default();
    for (tile, log) in tiles.iter().zip(&logs) {
        if (log - usual).abs() <= (5.0 * spread).max(UNUSUAL) {
            (0..3).for_each(|c| all.sums[c] = [0, 1].map(|k| all.sums[c][k] + tile.sums[c][k]));
            all.cells += tile.cells;
        }
    }
    let dark = DARKEST * f64::from(all.cells);
    let is_dark = all.sums.iter().flatten().any(|&sum| sum <= dark);
    (!is_dark).then(|| all.sums.map(|[a, b]| (b / a).ln()))
}

/// The gain and offset of a channel's tones, where the offset is certain: the
/// line through the tiles' tones that a few wild ones do not move (Theil, A
/// rank-invariant method of linear and polynomial regression analysis, 1950;
/// Sen 1968).
fn line(tiles: &[Tile], channel: usize) -> Option<(f64, f64)> {
    let tones: Vec<[f64; 2]> = tiles.iter().map(|tile| tile.tones(channel)).collect();
    let pairs = tones
        .iter()
        .enumerate()
        .flat_map(|(i, p)| tones[..i].iter().map(move |q| (p, q)));
    // Tones next to each other say little of the slope.
    let (least, most) = tones
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), [a, _]| {
            (least.min(*a), most.max(*a))
        });
    let apart = (most - least).max(1e-6) / 4.0;
    let slopes = pairs
        .filter(|(p, q)| (p[0] - q[0]).abs() > apart)
        .map(|(p, q)| (p[1] - q[1]) / (p[0] - q[0]))
        .collect();
    let gain = median(slopes)?;
    let offset = median(tones.iter().map(|[a, b]| b - gain * a).collect())?;
    let miss = |[a, b]: &[f64; 2]| (b - gain * a - offset).abs();
    let spread = median(tones.iter().map(miss).collect())?;
    // Each part was seen twice, once from each frame.
    let count = tones.len() as f64 / 2.0;
    let mean = tones.iter().map(|[a, _]| a).sum::<f64>() / tones.len() as f64;
    let squares = tones.iter().map(|[a, _]| (a - mean).powi(2)).sum::<f64>() / 2.0;
    let doubt = NORMAL[0] * NORMAL[1] * spread * (1.0 / count + mean * mean / squares).sqrt();
    (gain > 0.0 && offset.abs() > (CERTAIN * doubt).max(SLIGHT)).then_some((gain, offset))
}
