//! Halves what was decoded from a JPEG as libjpeg does that decodes it at half its
//! size: its reduced transforms give the mean of each square of pixels. So one decoding
//! shows both sizes, equal to within rounding but at sharp edges of subsampled colour.

use rayon::prelude::*;

use crate::vector::vectorised;

/// Rows that a thread makes at a time.
const BAND: usize = 16;

/// Halves rows of `width` pixels of 8-bit RGB: a pixel is the mean of two by two, of
/// which the last column and row count twice where they are odd. `half` has as many
/// pixels as are left, rounded up.
pub(super) fn halve(pixels: &[u8], width: usize, half: &mut [u8]) {
    let height = pixels.len() / 3 / width.max(1);
    let columns = width.div_ceil(2);
    if columns == 0 {
        return;
    }
    let bands = half.par_chunks_mut(columns * 3 * BAND).enumerate();
    bands.for_each_init(
        || vec![0; 6 * columns],
        |sums, (band, out)| {
            for (k, out) in out.chunks_exact_mut(columns * 3).enumerate() {
                let y = 2 * (band * BAND + k);
                let row = |y: usize| &pixels[y.min(height - 1) * width * 3..][..width * 3];
                vectorised(
                    #[inline(always)]
                    || mean(row(y), row(y + 1), sums, out),
                );
            }
        },
    );
}

/// The means of two rows; `sums` is scratch, for a pixel more where they are odd.
#[inline(always)]
fn mean(above: &[u8], below: &[u8], sums: &mut [u16], out: &mut [u8]) {
    for ((sum, a), b) in sums.iter_mut().zip(above).zip(below) {
        *sum = u16::from(*a) + u16::from(*b);
    }
    let whole = above.len();
    sums.copy_within(whole - 3..whole, sums.len() - 3);
    let pairs = sums.as_chunks::<6>().0;
    for (out, [a, b, c, d, e, f]) in out.as_chunks_mut::<3>().0.iter_mut().zip(pairs) {
        *out = [quarter(a + d), quarter(b + e), quarter(c + f)];
    }
}

/// A quarter, of two that are as near the even one: to take the upper one would make
/// pictures brighter by an eighth of a level, which their exposure tells.
#[inline(always)]
pub(super) fn quarter(sum: u16) -> u8 {
    ((sum + 1 + (sum >> 2 & 1)) >> 2) as u8
}

#[cfg(test)]
mod tests {
    use turbojpeg::{ScalingFactor, Subsamp};

    use super::super::compressed::{compressed, decoded};
    use super::*;

    /// Slopes, edges and fine noise.
    fn picture((width, height): (usize, usize)) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(7);
        (0..width * height)
            .flat_map(|i| {
                let (x, y) = (i % width, i / width);
                let slope = x * 60 / width + y * 50 / height;
                let value = slope + (x / 20 + y / 12) % 3 * 40 + random.usize(..20);
                // Edges without colour, which may be subsampled.
                [value as u8, (value + x * 30 / width) as u8, value as u8]
            })
            .collect()
    }

    #[test]
    fn pixels_are_those_of_a_decoder_that_makes_fewer() {
        for size in [(640, 480), (257, 131), (90, 9), (1000, 17), (8, 8), (2, 2)] {
            for (subsamp, most) in [(Subsamp::None, 4), (Subsamp::Gray, 3), (Subsamp::Sub2x2, 8)] {
                let data = compressed(&picture(size), size, subsamp, |compressor| {
                    compressor.set_quality(95).unwrap();
                });
                let mut own = decoded(&data, size, ScalingFactor::ONE).unwrap();
                let mut width = size.0;
                for factor in [
                    ScalingFactor::ONE_HALF,
                    ScalingFactor::ONE_QUARTER,
                    ScalingFactor::ONE_EIGHTH,
                ] {
                    let theirs = decoded(&data, size, factor).unwrap();
                    let mut half = vec![0; theirs.len()];
                    halve(&own, width, &mut half);
                    (own, width) = (half, width.div_ceil(2));
                    // Of blocks at the rim the encoder made up a part.
                    let (columns, rows) = (factor.scale(size.0), factor.scale(size.1));
                    let inner = |length: usize, left: usize| length / 8 * 8 * left / length;
                    let (right, bottom) = (inner(size.0, columns), inner(size.1, rows));
                    let is_inner = |i: usize| {
                        i / 3 % columns < right.saturating_sub(1)
                            && i / 3 / columns < bottom.saturating_sub(1)
                    };
                    let values = own.iter().zip(&theirs).enumerate();
                    let more = values.filter(|(i, _)| is_inner(*i));
                    let more: Vec<i32> = more
                        .map(|(_, (&own, &other))| i32::from(own) - i32::from(other))
                        .collect();
                    let count = more.len().max(1) as f64;
                    let apart = f64::from(more.iter().map(|more| more.abs()).sum::<i32>()) / count;
                    let brighter = f64::from(more.iter().sum::<i32>()) / count;
                    let worst = more.into_iter().map(i32::abs).max().unwrap_or(0);
                    let what = format!(
                        "{size:?} {subsamp:?} {factor:?}: {worst}, {apart:.2}, {brighter:+.3}"
                    );
                    println!("{what}");
                    assert!(worst <= most && apart < 0.7, "{what}");
                    // Few pixels tell nothing of the mean; of an eighth others take
                    // the upper one of two that are as near.
                    let tells = count > 1e4 && factor != ScalingFactor::ONE_EIGHTH;
                    assert!(!tells || brighter.abs() < 0.02, "{what}");
                }
            }
        }
    }

    #[test]
    fn an_odd_end_counts_twice() {
        let pixels: Vec<u8> = [10, 20, 30, 50, 60, 70]
            .iter()
            .flat_map(|&v| [v; 3])
            .collect();
        let mut half = [0; 6];
        halve(&pixels, 3, &mut half);
        assert_eq!(half, [35, 35, 35, 50, 50, 50]);
        halve(&pixels[..9], 3, &mut half);
        assert_eq!(half, [15, 15, 15, 30, 30, 30]);
    }
}
