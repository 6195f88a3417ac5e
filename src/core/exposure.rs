//! Brightness and colour matched between frames.
//!
//! Defocus spreads light but loses none: the light of all that two frames show
//! depends on their exposures alone, while ratios of single cells do not, since
//! what is bright spreads over what is dark. Ratios are taken in linear light
//! between neighbours and next neighbours, and solved together like poses.

use rayon::prelude::*;
use std::sync::OnceLock;

use super::Transform;
use super::grey::decode;
use super::linear::Normal;
use super::median::median;
use super::warp::Exposure;
use crate::photo::{Photo, Samples};

/// Cells along the longer side.
const CELLS: usize = 160;
/// Cells about a clipped one that its light may spread to.
const HALO: usize = 2;
/// Parts across and down a frame that are compared on their own first.
const TILES: usize = 6;
/// Fewer cells than this do not make a part.
const FEWEST: u32 = 8;
/// Parts that differ by less, as a logarithm, do not differ.
const UNUSUAL: f64 = 0.05;
/// Least mean linear light that says something.
const DARKEST: f64 = 0.001;
/// Encoded value beyond which a sample may be clipped.
const CLIPPED: f32 = 0.985;
/// Gains nearer to one than this, all of them, are not worth applying.
const INSIGNIFICANT: f64 = 0.004;
/// Largest gain believed, in linear light: two stops.
const LARGEST: f64 = 4.0;

/// The light of a frame in coarse cells.
#[derive(Debug, Clone)]
pub struct Light {
    /// Pixels of the frame across and down one cell.
    side: usize,
    columns: usize,
    rows: usize,
    /// Linear red, green, blue of each cell; negative where it is clipped or
    /// the frame shows nothing.
    cells: Vec<[f32; 3]>,
}

impl Light {
    /// The light of a photograph, taken as sRGB (IEC 61966-2-1).
    pub fn of(photo: &Photo) -> Self {
        let side = photo.width.max(photo.height).div_ceil(CELLS).max(1);
        let (columns, rows) = (photo.width / side, photo.height / side);
        let cell = |i: usize| {
            let (left, top) = (i % columns * side, i / columns * side);
            match &photo.samples {
                Samples::Eight(samples) => cell(photo, samples, table8(), left, top, side),
                Samples::Sixteen(samples) => cell(photo, samples, table16(), left, top, side),
            }
        };
        let cells = (0..columns * rows).into_par_iter().map(cell).collect();
        let mut light = Self {
            side,
            columns,
            rows,
            cells,
        };
        light.leave_out_halos();
        light
    }

    /// Leaves out what lies about clipped cells as well: out of focus their
    /// light spreads there, and more of it than they showed. Where next to
    /// nothing would be left, it counts all the same.
    fn leave_out_halos(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let is_near = |i: usize| {
            let near = |at: usize, size: usize| at.saturating_sub(HALO)..(at + HALO + 1).min(size);
            near(i / columns, rows)
                .any(|y| near(i % columns, columns).any(|x| self.cells[y * columns + x][0] < 0.0))
        };
        let halos: Vec<usize> = (0..self.cells.len()).filter(|&i| is_near(i)).collect();
        if 4 * halos.len() < 3 * self.cells.len() {
            halos.into_iter().for_each(|i| self.cells[i] = [-1.0; 3]);
        }
    }

    /// The light where `pose`, in cells, puts a cell; `None` near the border
    /// and beside clipped cells.
    fn at(&self, pose: &Transform, column: usize, row: usize) -> Option<[f32; 3]> {
        let [x, y] = pose.apply(column as f64, row as f64);
        let (x0, y0) = (x.floor(), y.floor());
        if x0 < 0.0 || y0 < 0.0 || x0 + 1.0 >= self.columns as f64 || y0 + 1.0 >= self.rows as f64 {
            return None;
        }
        let (fx, fy) = ((x - x0) as f32, (y - y0) as f32);
        let at = y0 as usize * self.columns + x0 as usize;
        let corners = [
            (self.cells[at], (1.0 - fx) * (1.0 - fy)),
            (self.cells[at + 1], fx * (1.0 - fy)),
            (self.cells[at + self.columns], (1.0 - fx) * fy),
            (self.cells[at + self.columns + 1], fx * fy),
        ];
        let mut light = [0.0; 3];
        for (cell, weight) in corners {
            if cell[0] < 0.0 {
                return None;
            }
            (0..3).for_each(|c| light[c] += weight * cell[c]);
        }
        Some(light)
    }
}

/// Mean linear light of a block of pixels, every other one of large blocks.
fn cell<T: Copy + Into<usize>>(
    photo: &Photo,
    samples: &[T],
    table: &[f32],
    left: usize,
    top: usize,
    side: usize,
) -> [f32; 3] {
    let step = (side / 8).max(1);
    let clipped = (CLIPPED * (table.len() - 1) as f32) as usize;
    let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
    for y in (top..top + side).step_by(step) {
        for x in (left..left + side).step_by(step) {
            let at = y * photo.width + x;
            if photo.alpha.as_ref().is_some_and(|alpha| alpha[at] < 255) {
                return [-1.0; 3];
            }
            for (c, sum) in sum.iter_mut().enumerate() {
                let sample: usize = samples[3 * at + c].into();
                if sample > clipped {
                    return [-1.0; 3];
                }
                *sum += table[sample];
            }
            count += 1.0;
        }
    }
    sum.map(|sum| sum / count)
}

fn table8() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| (0..256).map(|v| decode(v as f32 / 255.0)).collect())
}

fn table16() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| (0..65536).map(|v| decode(v as f32 / 65535.0)).collect())
}

/// For each channel the logarithm of how much brighter `b` is than `a`, where
/// `pose` maps pixels of `a` to pixels of `b`. `None` where they have too
/// little in common.
///
/// The light of all that both show is compared, tile by tile; tiles that
/// differ from most, since something moved there, have no say.
fn ratio(a: &Light, b: &Light, pose: &Transform) -> Option<[f64; 3]> {
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
    let told: Vec<&Tile> = tiles.iter().filter(|tile| tile.cells >= FEWEST).collect();
    let logs: Vec<f64> = told.iter().map(|tile| tile.log()).collect();
    let usual = median(logs.clone())?;
    let spread = median(logs.iter().map(|log| (log - usual).abs()).collect())?;
    let mut all = Tile::default();
    for (tile, log) in told.iter().zip(&logs) {
        if (log - usual).abs() <= (5.0 * spread).max(UNUSUAL) {
            (0..3).for_each(|c| all.sums[c] = [0, 1].map(|k| all.sums[c][k] + tile.sums[c][k]));
            all.cells += tile.cells;
        }
    }
    let dark = DARKEST * f64::from(all.cells);
    let is_dark = all.sums.iter().flatten().any(|&sum| sum <= dark);
    (!is_dark).then(|| all.sums.map(|[a, b]| (b / a).ln()))
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

    /// How much brighter the second is, all channels together.
    fn log(&self) -> f64 {
        let total = |k: usize| self.sums.iter().map(|sums| sums[k]).sum::<f64>();
        (total(1).max(1e-9) / total(0).max(1e-9)).ln()
    }
}

/// What each frame's values must be multiplied by, and what added, to match
/// the reference. `lights` and `poses` (reference to frame pixels) belong to
/// the same frames; `reference` is a place among them.
///
/// Frames that differ insignificantly all keep their values. Gains are limited
/// to two stops.
pub fn exposures(lights: &[&Light], poses: &[Transform], reference: usize) -> Vec<Exposure> {
    let count = lights.len();
    let pairs: Vec<(usize, usize)> = (1..=2)
        .flat_map(|gap| (gap..count).map(move |to| (to - gap, to)))
        .collect();
    let ratios: Vec<(usize, usize, [f64; 3])> = pairs
        .into_par_iter()
        .filter_map(|(from, to)| {
            let pose = poses[from].inverse()?.then(&poses[to]);
            // Taken both ways: interpolating smooths one of the two, which
            // would count as light and add up over the stack.
            let there = ratio(lights[from], lights[to], &pose)?;
            let back = ratio(lights[to], lights[from], &pose.inverse()?)?;
            let ratio = std::array::from_fn(|c| (there[c] - back[c]) / 2.0);
            Some((from, to, ratio))
        })
        .collect();
    let channels: [Vec<f64>; 3] = std::array::from_fn(|c| {
        let mut normal = Normal::new(count, 2);
        // A trace of belief that nothing differs ties loose frames down.
        (0..count).for_each(|i| normal.add(i, i, if i == reference { 1e6 } else { 1e-6 }));
        for &(from, to, ratio) in &ratios {
            normal.add(from, from, 1.0);
            normal.add(to, to, 1.0);
            normal.add(to, from, -1.0);
            normal.add_right(to, ratio[c]);
            normal.add_right(from, -ratio[c]);
        }
        normal.solve().unwrap_or_else(|| vec![0.0; count])
    });
    let matter = channels
        .iter()
        .flatten()
        .any(|log| log.abs() > INSIGNIFICANT);
    if !matter {
        return vec![Exposure::default(); count];
    }
    (0..count)
        .map(|i| {
            if i == reference {
                return Exposure::default();
            }
            // A factor g of linear light is a factor g^(1/2.4) of the encoded
            // value with its offset of 0.055 (IEC 61966-2-1).
            let gain = std::array::from_fn(|c| {
                let light = (-channels[c][i]).exp().clamp(1.0 / LARGEST, LARGEST);
                light.powf(1.0 / 2.4)
            });
            Exposure {
                gain,
                offset: gain.map(|gain| 0.055 * (gain - 1.0)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(light: f64) -> f64 {
        if light <= 0.003_130_8 {
            12.92 * light
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        }
    }

    fn scene(x: f64, y: f64) -> f64 {
        0.25 + 0.1 * (x / 31.0).sin() + 0.1 * (y / 23.0).cos()
    }

    fn photo(shift: f64, gains: [f64; 3]) -> Photo {
        let (width, height) = (320, 240);
        let samples = (0..width * height)
            .flat_map(|i| {
                let light = scene((i % width) as f64 - shift, (i / width) as f64);
                gains.map(|gain| (encode(light * gain) * 65535.0).round() as u16)
            })
            .collect();
        Photo {
            width,
            height,
            samples: Samples::Sixteen(samples),
            ..Photo::default()
        }
    }

    #[test]
    fn gains_bring_a_frame_back_to_the_reference() {
        let gains = [[1.0; 3], [1.1, 0.95, 1.02], [0.8, 1.3, 1.0]];
        let lights: Vec<Light> = gains
            .iter()
            .enumerate()
            .map(|(i, g)| Light::of(&photo(4.0 * i as f64, *g)))
            .collect();
        let poses: Vec<Transform> = (0..3)
            .map(|i| Transform::translation(4.0 * f64::from(i), 0.0))
            .collect();
        let found = exposures(&lights.iter().collect::<Vec<_>>(), &poses, 0);
        for (found, gains) in found.iter().zip(gains) {
            for (c, gain) in gains.iter().enumerate() {
                let seen = encode(0.3 * gain);
                let matched = seen * found.gain[c] + found.offset[c];
                assert!((matched - encode(0.3)).abs() < 0.002, "{matched}");
            }
        }
    }

    #[test]
    fn equal_frames_keep_their_values() {
        let light = Light::of(&photo(0.0, [1.0; 3]));
        let found = exposures(&[&light, &light], &[Transform::IDENTITY; 2], 1);
        assert_eq!(found, vec![Exposure::default(); 2]);
    }
}
