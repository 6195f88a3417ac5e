//! Pictures for a screen: 8 bits, four channels, full size or small.

use rayon::prelude::*;

use crate::photo::{Photo, Samples};

/// The photograph in 8 bits and in no more than `side` pixels on the longer side; see
/// [`Rgba::reduced`].
pub fn small(photo: &Photo, side: usize) -> Photo {
    Rgba::of(photo).reduced(side).into_photo()
}

/// A picture for a screen: red, green, blue and alpha, row after row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rgba {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height * 4` values, 0 to 255; alpha is not multiplied in.
    pub data: Vec<u8>,
}

impl Rgba {
    /// All pixels of `photo`, its values as they are: convert them to sRGB
    /// first.
    pub fn of(photo: &Photo) -> Self {
        let width = photo.width.max(1);
        let mut data = vec![255u8; photo.pixels() * 4];
        let rows = data.par_chunks_mut(width * 4).enumerate();
        match &photo.samples {
            Samples::Eight(samples) => rows.for_each(|(y, row)| {
                let from = samples[y * width * 3..].chunks_exact(3);
                for (to, rgb) in row.chunks_exact_mut(4).zip(from) {
                    to[..3].copy_from_slice(rgb);
                }
            }),
            Samples::Sixteen(samples) => rows.for_each(|(y, row)| {
                let from = samples[y * width * 3..].chunks_exact(3);
                for (to, rgb) in row.chunks_exact_mut(4).zip(from) {
                    for (to, &value) in to.iter_mut().zip(rgb) {
                        *to = eight(value);
                    }
                }
            }),
        }
        if let Some(alpha) = &photo.alpha {
            data.par_chunks_mut(4)
                .zip(alpha)
                .for_each(|(pixel, &alpha)| pixel[3] = alpha);
        }
        Self {
            width: photo.width,
            height: photo.height,
            data,
        }
    }

    /// The same as a photograph of 8 bits.
    pub fn into_photo(self) -> Photo {
        let alpha: Vec<u8> = self.data.iter().skip(3).step_by(4).copied().collect();
        let rgb = self.data.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
        Photo {
            width: self.width,
            height: self.height,
            samples: Samples::Eight(rgb.copied().collect()),
            alpha: alpha.iter().any(|&value| value != 255).then_some(alpha),
            ..Photo::default()
        }
    }

    /// A depth map of a stack of `count` frames, from black, the first, to
    /// white, the last. `depth` has `width * height` values, in frames.
    pub fn of_depth(depth: &[f32], width: usize, height: usize, count: usize) -> Self {
        let scale = 255.0 / (count.max(2) - 1) as f32;
        let mut data = vec![255u8; width * height * 4];
        data.par_chunks_mut(4)
            .zip(depth)
            .for_each(|(pixel, depth)| {
                pixel[..3].fill((depth * scale + 0.5) as u8);
            });
        Self {
            width,
            height,
            data,
        }
    }

    /// The same at half the size; see [`halved`].
    pub fn halved(&self) -> Self {
        Self {
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
            data: halved(self.width, &self.data),
        }
    }

    /// The same with no more than `side` pixels on the longer side: each pixel
    /// is the mean of the area it stands for. A smaller picture stays as it is.
    pub fn reduced(self, side: usize) -> Self {
        let longer = self.width.max(self.height);
        if longer <= side || side == 0 {
            return self;
        }
        let fit = |length: usize| (length * side).div_ceil(longer).clamp(1, side);
        let (width, height) = (fit(self.width), fit(self.height));
        let columns = spans(self.width, width);
        let rows = spans(self.height, height);
        let mut data = vec![0u8; width * height * 4];
        data.par_chunks_mut(width * 4)
            .zip(&rows)
            .for_each(|(out, row)| {
                // Row by row first: that is done for many values at once.
                let mut sums = vec![0f32; self.width * 4];
                for (y, share) in row.iter() {
                    let line = &self.data[y * self.width * 4..][..self.width * 4];
                    for (sum, &value) in sums.iter_mut().zip(line) {
                        *sum += share * f32::from(value);
                    }
                }
                let (pixels, _) = sums.as_chunks::<4>();
                let (out, _) = out.as_chunks_mut::<4>();
                for (out, column) in out.iter_mut().zip(&columns) {
                    *out = mean(pixels, column).map(|value| (value + 0.5) as u8);
                }
            });
        Self {
            width,
            height,
            data,
        }
    }
}

/// The mean of some of the pixels of a row.
fn mean(pixels: &[[f32; 4]], span: &Span) -> [f32; 4] {
    let mut mean = [0.0; 4];
    for (x, share) in span.iter() {
        for (mean, value) in mean.iter_mut().zip(pixels[x]) {
            *mean += share * value;
        }
    }
    mean
}

/// The values of a picture, four to a pixel and `width` pixels to a row, at
/// half the size: each pixel is the mean of four. Where the size is odd the
/// last column or row counts twice.
pub fn halved(width: usize, data: &[u8]) -> Vec<u8> {
    let stride = width * 4;
    let height = data.len() / stride.max(1);
    let small = width.div_ceil(2) * 4;
    let mut half = vec![0; small * height.div_ceil(2)];
    half.par_chunks_mut(small.max(1))
        .enumerate()
        .for_each(|(y, row)| {
            let line = |y: usize| &data[y * stride..][..stride];
            halve_row(line(2 * y), line((2 * y + 1).min(height - 1)), row);
        });
    half
}

fn halve_row(upper: &[u8], lower: &[u8], half: &mut [u8]) {
    let mean = |a: u8, b: u8, c: u8, d: u8| {
        ((u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d) + 2) / 4) as u8
    };
    let pairs = upper.chunks_exact(8).zip(lower.chunks_exact(8));
    for ((upper, lower), half) in pairs.zip(half.chunks_exact_mut(4)) {
        for c in 0..4 {
            half[c] = mean(upper[c], upper[c + 4], lower[c], lower[c + 4]);
        }
    }
    if upper.len() % 8 == 4 {
        let (at, last) = (half.len() - 4, upper.len() - 4);
        for c in 0..4 {
            let (upper, lower) = (upper[last + c], lower[last + c]);
            half[at + c] = mean(upper, upper, lower, lower);
        }
    }
}

/// The nearest 8-bit value.
fn eight(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// A photograph of 8 bits that is so many times smaller: each pixel is the mean of as
/// many each way, or of those that are there at the right and at the bottom.
pub fn shrunk(photo: &Photo, times: usize) -> Photo {
    let samples = match &photo.samples {
        Samples::Eight(samples) => means(samples, photo.width, times, |mean| mean as u8),
        Samples::Sixteen(samples) => means(samples, photo.width, times, |mean| eight(mean as u16)),
    };
    let alpha = photo.alpha.as_ref();
    Photo {
        width: photo.width.div_ceil(times),
        height: photo.height.div_ceil(times),
        samples: Samples::Eight(samples),
        alpha: alpha.map(|alpha| means_of::<1, _>(alpha, photo.width, times, |mean| mean as u8)),
        ..Photo::default()
    }
}

fn means<T: Copy + Into<u32>>(
    samples: &[T],
    width: usize,
    times: usize,
    value: impl Fn(u32) -> u8,
) -> Vec<u8> {
    means_of::<3, T>(samples, width, times, value)
}

/// The means of blocks of pixels of so many `CHANNELS`, row after row.
fn means_of<const CHANNELS: usize, T: Copy + Into<u32>>(
    samples: &[T],
    width: usize,
    times: usize,
    value: impl Fn(u32) -> u8,
) -> Vec<u8> {
    let length = width * CHANNELS;
    let mut means = Vec::new();
    let mut sums = vec![0u32; length];
    for block in samples.chunks(length * times) {
        sums.fill(0);
        for row in block.chunks_exact(length) {
            let both = sums.iter_mut().zip(row);
            both.for_each(|(sum, &value)| *sum += value.into());
        }
        for columns in sums.chunks(CHANNELS * times) {
            let (pixels, _) = columns.as_chunks::<CHANNELS>();
            let count = (pixels.len() * (block.len() / length)) as u32;
            for channel in 0..CHANNELS {
                let sum: u32 = pixels.iter().map(|pixel| pixel[channel]).sum();
                means.push(value((sum + count / 2) / count));
            }
        }
    }
    means
}

/// The pixels that one reduced pixel stands for, and the share of each.
struct Span {
    first: usize,
    shares: Vec<f32>,
}

impl Span {
    fn iter(&self) -> impl Iterator<Item = (usize, f32)> {
        (self.first..).zip(self.shares.iter().copied())
    }
}

/// How `from` pixels are divided among `to`, fewer.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let step = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
            let first = start.floor() as usize;
            let last = (end.ceil() as usize).min(from);
            let shares = (first..last)
                .map(|at| {
                    let overlap = end.min((at + 1) as f64) - start.max(at as f64);
                    (overlap / step).max(0.0) as f32
                })
                .collect();
            Span { first, shares }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chequered(width: usize, height: usize) -> Rgba {
        let value = |i: usize| 255 * ((i % width + i / width) % 2) as u8;
        Rgba {
            width,
            height,
            data: (0..width * height)
                .flat_map(|i| [value(i), value(i), value(i), 255])
                .collect(),
        }
    }

    #[test]
    fn a_chequered_picture_shrinks_to_grey_and_not_to_a_pattern() {
        let small = chequered(300, 200).reduced(50);
        assert_eq!((small.width, small.height), (50, 34));
        for pixel in small.data.chunks_exact(4) {
            assert!((126..=130).contains(&pixel[0]), "{}", pixel[0]);
            assert_eq!(pixel[3], 255);
        }
    }

    #[test]
    fn shares_of_every_span_add_up_to_one() {
        for (from, to) in [(7, 3), (100, 99), (4000, 300), (5, 5)] {
            for span in spans(from, to) {
                let sum: f32 = span.shares.iter().sum();
                assert!((sum - 1.0).abs() < 1e-4, "{from} to {to}: {sum}");
                assert!(span.first + span.shares.len() <= from);
            }
        }
    }

    #[test]
    fn small_pictures_stay_as_they_are() {
        let picture = chequered(20, 10);
        assert_eq!(picture.clone().reduced(20), picture);
    }

    #[test]
    fn sixteen_bits_become_the_nearest_eight_with_alpha() {
        let photo = Photo {
            width: 2,
            height: 1,
            samples: Samples::Sixteen(vec![0, 65535, 32896, 257, 128, 129]),
            alpha: Some(vec![255, 7]),
            ..Photo::default()
        };
        assert_eq!(Rgba::of(&photo).data, [0, 255, 128, 255, 1, 0, 1, 7]);
    }

    #[test]
    fn a_shrunk_photograph_shows_the_means_of_its_blocks() {
        let (width, height, times) = (10, 7, 4);
        let value = |x: usize, y: usize, c: usize| (20 * x + 3 * y + c) as u16;
        let pixels = (0..width * height * 3).map(|i| value(i / 3 % width, i / 3 / width, i % 3));
        let deep = Photo {
            width,
            height,
            samples: Samples::Sixteen(pixels.clone().map(|v| v * 257).collect()),
            alpha: Some((0..width * height).map(|i| (i % width) as u8).collect()),
            ..Photo::default()
        };
        let flat = Photo {
            samples: Samples::Eight(pixels.map(|v| v as u8).collect()),
            ..deep.clone()
        };
        let small = shrunk(&flat, times);
        assert_eq!((small.width, small.height), (3, 2));
        // The last column stands for two pixels, the last row for three.
        let mean = |from: usize, to: usize| (from..to).sum::<usize>() as f32 / (to - from) as f32;
        let Samples::Eight(samples) = &small.samples else {
            unreachable!()
        };
        for (at, &sample) in samples.iter().enumerate() {
            let (x, y) = (at / 3 % 3 * times, at / 9 * times);
            let [x, y] = [mean(x, (x + 4).min(width)), mean(y, (y + 4).min(height))];
            let expected = 20.0 * x + 3.0 * y + (at % 3) as f32;
            assert!(
                (f32::from(sample) - expected).abs() <= 0.5,
                "{at}: {sample}"
            );
        }
        assert_eq!(small.alpha, Some(vec![2, 6, 9, 2, 6, 9]));
        assert_eq!(shrunk(&deep, times), small);
    }

    #[test]
    fn the_last_frame_of_a_depth_map_is_white() {
        let map = Rgba::of_depth(&[0.0, 2.0, 4.0], 3, 1, 5);
        let values: Vec<u8> = map.data.chunks_exact(4).map(|pixel| pixel[0]).collect();
        assert_eq!(values, [0, 128, 255]);
    }
}
