//! Patterns without an end: noise of many scales and the colours it takes.

use super::colour::{Rgb, linear};

/// Gradient noise of one scale (after Perlin, "Improving noise", 2002), about
/// −1 to 1, with features one unit across.
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (x, y) = (x - ix as f32, y - iy as f32);
    let slope = |dx: i32, dy: i32| {
        let bits = hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed);
        // A gradient anywhere in the square has no preferred direction to speak of.
        let gx = (bits & 0xffff) as f32 * (2.0 / 65535.0) - 1.0;
        let gy = (bits >> 16) as f32 * (2.0 / 65535.0) - 1.0;
        gx * (x - dx as f32) + gy * (y - dy as f32)
    };
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (u, v) = (fade(x), fade(y));
    let top = slope(0, 0) + u * (slope(1, 0) - slope(0, 0));
    let bottom = slope(0, 1) + u * (slope(1, 1) - slope(0, 1));
    1.7 * (top + v * (bottom - top))
}

/// A random number in 0..1 for each cell of a grid one unit wide.
pub(super) fn speckle(x: f32, y: f32, seed: u32) -> f32 {
    (hash(floor(x), floor(y), seed) >> 8) as f32 / (1u32 << 24) as f32
}

/// Distance to the nearest of the points strewn one to a cell of a unit grid,
/// and the distance to the second nearest (Worley, 1996).
pub(super) fn cells(x: f32, y: f32, seed: u32) -> [f32; 2] {
    let (ix, iy) = (floor(x), floor(y));
    let mut nearest = [f32::MAX; 2];
    for dy in -1..=1 {
        for dx in -1..=1 {
            let bits = hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed);
            let px = ix as f32 + dx as f32 + (bits & 0xffff) as f32 / 65536.0 - x;
            let py = iy as f32 + dy as f32 + (bits >> 16) as f32 / 65536.0 - y;
            let distance = px * px + py * py;
            if distance < nearest[0] {
                nearest = [distance, nearest[0]];
            } else if distance < nearest[1] {
                nearest[1] = distance;
            }
        }
    }
    nearest.map(f32::sqrt)
}

/// Noise of many scales added up, with a standard deviation of about one half.
#[derive(Debug, Clone)]
pub(super) struct Fractal {
    octaves: Vec<(f32, f32, u32)>,
}

impl Fractal {
    /// Features from `coarsest` down to `finest` across, halving in size and
    /// shrinking in strength by `persistence`.
    pub fn new(seed: u64, coarsest: f32, finest: f32, persistence: f32) -> Self {
        let (mut size, mut strength, mut power) = (coarsest, 1.0f32, 0.0f32);
        let mut octaves = Vec::new();
        while size >= finest || octaves.is_empty() {
            let seed = (seed as u32).wrapping_mul(0x9e37_79b9) ^ (octaves.len() as u32) << 20;
            octaves.push((1.0 / size, strength, seed));
            power += strength * strength;
            strength *= persistence;
            size /= 2.0;
        }
        for octave in &mut octaves {
            octave.1 *= 1.6 / power.sqrt();
        }
        Self { octaves }
    }

    /// The sum at a point.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        self.octaves
            .iter()
            .map(|&(frequency, strength, seed)| {
                strength * noise(x * frequency, y * frequency, seed)
            })
            .sum()
    }

    /// The sum of crests: positive on thin winding lines, negative between.
    pub fn ridges(&self, x: f32, y: f32) -> f32 {
        self.octaves
            .iter()
            .map(|&(frequency, strength, seed)| {
                strength * (0.5 - 2.0 * noise(x * frequency, y * frequency, seed).abs())
            })
            .sum()
    }
}

/// A row of colours with even steps between them.
#[derive(Debug, Clone)]
pub(super) struct Palette(Vec<Rgb>);

impl Palette {
    /// From sRGB colours as `0xrrggbb`.
    pub fn new(colours: &[u32]) -> Self {
        Self(colours.iter().map(|&c| linear(c)).collect())
    }

    /// The colour at `t`: the first at 0 and below, the last at 1 and above.
    pub fn at(&self, t: f32) -> Rgb {
        let last = self.0.len() - 1;
        let t = t.clamp(0.0, 1.0) * last as f32;
        let i = (t as usize).min(last.saturating_sub(1));
        let share = t - i as f32;
        let (a, b) = (self.0[i], self.0[(i + 1).min(last)]);
        std::array::from_fn(|c| a[c] + share * (b[c] - a[c]))
    }
}

/// The whole number at or below `x`; the standard library's goes through a
/// function call on processors of the oldest kind.
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(whole as f32 > x)
}

/// Mixes the bits of a grid position (multiply and shift, after Mueller and
/// Wellons).
fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841) ^ seed;
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_continuous_and_centred() {
        let mut sum = 0.0;
        for i in 0..4000 {
            let x = i as f32 * 0.173;
            let step = noise(x + 1e-3, 0.4 * x, 9) - noise(x, 0.4 * x, 9);
            assert!(step.abs() < 0.02);
            sum += noise(x, 0.4 * x, 9);
        }
        assert!((sum / 4000.0f32).abs() < 0.05);
    }

    #[test]
    fn a_fractal_has_the_promised_contrast() {
        let fractal = Fractal::new(3, 64.0, 1.5, 0.7);
        let values: Vec<f32> = (0..10_000)
            .map(|i| fractal.at((i % 100) as f32 * 7.3, (i / 100) as f32 * 7.9))
            .collect();
        let variance = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!((0.3..0.8).contains(&variance.sqrt()), "{}", variance.sqrt());
    }

    #[test]
    fn a_palette_begins_and_ends_with_its_colours() {
        let palette = Palette::new(&[0x000000, 0x808080, 0xffffff]);
        assert_eq!(palette.at(-1.0), [0.0; 3]);
        assert_eq!(palette.at(0.5), linear(0x808080));
        assert_eq!(palette.at(2.0), linear(0xffffff));
    }
}
