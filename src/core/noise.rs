//! How strong the noise of a photograph is.

use rayon::prelude::*;

use super::fuse::contrast::energy;
use super::plane::Plane;
use crate::photo::{Photo, Samples};

/// Pixels of a patch each way, and of the border around it that is looked at
/// but not counted.
const PATCH: usize = 24;
const BORDER: usize = 8;
/// Patches across and down.
const GRID: usize = 16;
/// The share of patches that are taken to show nothing: even a frame full of
/// texture has some that are out of focus.
const QUIET: f64 = 0.1;

/// No camera has less noise than this: a quarter of a level of eight bits,
/// squared.
const LEAST: f32 = (0.25 / 255.0) * (0.25 / 255.0);
/// Frames with more have texture all over, or the noise would be unbearable:
/// six levels, squared.
const MOST: f32 = (6.0 / 255.0) * (6.0 / 255.0);

/// The noise, within what is believable of a camera.
pub fn believable(noise: f32) -> f32 {
    noise.clamp(LEAST, MOST)
}

/// The noise of a photograph, as [`energy`] sees it: the mean squared detail
/// of one and two pixels, of full scale, where the frame shows least. `None`
/// for a photograph too small to tell.
pub fn noise(photo: &Photo) -> Option<f32> {
    let whole = PATCH + 2 * BORDER;
    if photo.width < whole || photo.height < whole {
        return None;
    }
    let place = |k: usize, size: usize| k * (size - whole) / (GRID - 1);
    let mut quiet: Vec<f32> = (0..GRID * GRID)
        .into_par_iter()
        .map(|k| {
            let (x, y) = (place(k % GRID, photo.width), place(k / GRID, photo.height));
            let energy = energy(&patch(photo, x, y, whole));
            let rows = (BORDER..BORDER + PATCH).map(|y| &energy.row(y)[BORDER..BORDER + PATCH]);
            rows.flatten().sum::<f32>() / (PATCH * PATCH) as f32
        })
        .collect();
    quiet.sort_by(f32::total_cmp);
    let at = (QUIET * (quiet.len() - 1) as f64).round() as usize;
    quiet.get(at).copied()
}

/// A square part of a photograph.
fn patch(photo: &Photo, x: usize, y: usize, side: usize) -> [Plane; 3] {
    std::array::from_fn(|channel| {
        let value = |i: usize| {
            let at = ((y + i / side) * photo.width + x + i % side) * 3 + channel;
            match &photo.samples {
                Samples::Eight(samples) => f32::from(samples[at]) / 255.0,
                Samples::Sixteen(samples) => f32::from(samples[at]) / 65535.0,
            }
        };
        Plane {
            width: side,
            height: side,
            data: (0..side * side).map(value).collect(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half grey with a fixed sequence of noise: uniform, `levels` of eight
    /// bits wide, and checks of 16 pixels in the left half.
    fn photo(levels: f64) -> Photo {
        let (width, height) = (320usize, 240usize);
        let mut seed = 1u64;
        let samples = (0..width * height * 3)
            .map(|i| {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                let (x, y) = (i / 3 % width, i / 3 / width);
                let check = if x < 160 && (x / 16 + y / 16) % 2 == 0 {
                    60.0
                } else {
                    0.0
                };
                let random = (seed >> 33) as f64 / (1u64 << 31) as f64 - 0.5;
                ((127.0 + check + levels * random) * 257.0) as u16
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
    fn noise_is_seen_beside_texture() {
        let [weak, strong] = [2.0, 8.0].map(|levels| noise(&photo(levels)).unwrap());
        assert!((strong / weak - 16.0).abs() < 1.5, "{}", strong / weak);
        // Uniform noise has a twelfth of its width, squared; most of that is
        // finer than two pixels.
        let own = strong / ((8.0f32 / 255.0).powi(2) / 12.0);
        assert!((0.5..1.1).contains(&own), "{own}");
        assert!(noise(&photo(0.0)).unwrap() < 1e-9);
    }

    #[test]
    fn a_small_photograph_tells_nothing() {
        let small = Photo {
            width: 8,
            height: 8,
            samples: Samples::Eight(vec![0; 192]),
            ..Photo::default()
        };
        assert_eq!(noise(&small), None);
    }
}
