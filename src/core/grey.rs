//! The luminance of a frame, at full size and at halves of it.

use rayon::prelude::*;
use std::sync::OnceLock;

use crate::photo::{self, Photo, Samples};
use crate::vector::vectorised;

/// Rec. 709 weights of red, green and blue.
pub const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// Linear light of an sRGB-encoded value, both 0 to 1 (IEC 61966-2-1).
pub fn decode(encoded: f32) -> f32 {
    if encoded <= 0.04045 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

/// The sRGB encoding of linear light, both 0 to 1 (IEC 61966-2-1).
pub fn encode(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// Finds the luminance of row `y` of a photograph, in its own encoding, 0 to
/// 65535.
pub fn luminance(photo: &Photo, y: usize, out: &mut [u16]) {
    let row = y * photo.width * 3..(y + 1) * photo.width * 3;
    vectorised(
        #[inline(always)]
        || match &photo.samples {
            Samples::Eight(samples) => weigh(&samples[row], 257, out),
            Samples::Sixteen(samples) => weigh(&samples[row], 1, out),
        },
    );
}

/// Weighs the samples of a row, of which each counts `scale`.
#[inline(always)]
fn weigh<T: Copy + Into<u32>>(row: &[T], scale: u32, out: &mut [u16]) {
    // In 16.16 fixed point; they add up to one exactly, so that no sum is more
    // than 32 bits hold.
    let [red, green, blue] = [13933, 46871, 4732].map(|weight: u32| weight * scale);
    for (out, [r, g, b]) in out.iter_mut().zip(row.as_chunks::<3>().0) {
        let sum = (red.wrapping_mul((*r).into()))
            .wrapping_add(green.wrapping_mul((*g).into()))
            .wrapping_add(blue.wrapping_mul((*b).into()));
        *out = (sum.wrapping_add(1 << 15) >> 16) as u16;
    }
}

/// A plane of luminance, 0 to 65535, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` values.
    pub data: Vec<u16>,
}

impl Grey {
    /// The luminance of a photograph, in its own encoding.
    pub fn of(photo: &Photo) -> Self {
        Self::by_rows(photo, |y, row| luminance(photo, y, row))
    }

    /// The same in linear light, taken as sRGB (IEC 61966-2-1). Defocus
    /// spreads light, not its encoding: an edge keeps its place in linear
    /// light and wanders towards the dark side in the encoding.
    pub fn linear_of(photo: &Photo) -> Self {
        static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
        let table = TABLE.get_or_init(|| {
            (0..=u16::MAX)
                .map(|v| (decode(f32::from(v) / 65535.0) * 65535.0).round() as u16)
                .collect()
        });
        Self::by_rows(photo, |y, row| {
            luminance(photo, y, row);
            row.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
        })
    }

    /// A plane of the size of `photo`, whose rows `fill` finds.
    fn by_rows(photo: &Photo, fill: impl Fn(usize, &mut [u16]) + Sync) -> Self {
        let (width, height) = (photo.width, photo.height);
        let mut data = photo::values(width * height);
        let rows = data.par_chunks_mut(width.max(1)).enumerate();
        rows.for_each(|(y, row)| fill(y, row));
        Self {
            width,
            height,
            data,
        }
    }

    /// The same without the last columns and rows beyond `width` and `height`.
    fn trimmed(mut self, width: usize, height: usize) -> Self {
        if self.width > width {
            let rows = self.data.chunks_exact(self.width);
            self.data = rows.flat_map(|row| &row[..width]).copied().collect();
            self.width = width;
        }
        self.height = self.height.min(height);
        self.data.truncate(self.width * self.height);
        self
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[u16] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// Half the size: a pixel is the mean about the centre of a 2×2 block,
    /// weighted 1 3 3 1 each way, so that nothing shifts. A last odd row or
    /// column is left out.
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut data: Vec<u16> = photo::values(width * height);
        if data.is_empty() {
            return Self {
                width,
                height,
                data,
            };
        }
        data.par_chunks_mut(width.max(1)).enumerate().for_each_init(
            || vec![0u32; self.width],
            |sums, (y, out)| {
                let at = |dy: isize| {
                    let y = (2 * y as isize + dy).clamp(0, self.height as isize - 1);
                    self.row(y as usize)
                };
                let (above, first, second, below) = (at(-1), at(0), at(1), at(2));
                for (x, sum) in sums.iter_mut().enumerate() {
                    let outer = u32::from(above[x]) + u32::from(below[x]);
                    let inner = u32::from(first[x]) + u32::from(second[x]);
                    *sum = outer + 3 * inner;
                }
                // The first pixel repeats the border, and so does the last of
                // an even row.
                let mix = |a: u32, b: u32, c: u32, d: u32| ((a + d + 3 * (b + c) + 32) >> 6) as u16;
                let last = self.width - 1;
                let edge = |x: usize| {
                    let (b, c) = (2 * x, 2 * x + 1);
                    mix(
                        sums[b.saturating_sub(1)],
                        sums[b],
                        sums[c],
                        sums[(c + 1).min(last)],
                    )
                };
                let (pairs, _) = sums[1..].as_chunks::<2>();
                for (out, near) in out[1..].iter_mut().zip(pairs.windows(2)) {
                    *out = mix(near[0][0], near[0][1], near[1][0], near[1][1]);
                }
                out[0] = edge(0);
                out[width - 1] = edge(width - 1);
            },
        );
        Self {
            width,
            height,
            data,
        }
    }
}

/// Keeps the memory of planes that nobody needs any more, if there is someone who
/// wants it.
pub(in crate::core) fn keep(planes: Vec<Grey>) {
    planes
        .into_iter()
        .for_each(|plane| photo::keep_values(plane.data));
}

/// How far, in pixels, [`Grey::softened`] carries what a pixel shows.
pub const SOFTENED: usize = 2;

impl Grey {
    /// The same blurred by the binomial 1 4 6 4 1 each way, whose standard
    /// deviation is one pixel. The border is repeated.
    pub fn softened(&self) -> Self {
        let (width, height) = (self.width, self.height);
        let mut data = photo::values(width * height);
        let rows = data.par_chunks_mut(width.max(1)).enumerate();
        let scratch = || [(); 2].map(|()| vec![0; width + 2 * SOFTENED]);
        rows.for_each_init(scratch, |[first, second], (y, out)| {
            let row = |k: usize| self.row((y + k).saturating_sub(SOFTENED).min(height - 1));
            vectorised(
                #[inline(always)]
                || soften([0, 1, 2, 3, 4].map(row), first, second, out),
            );
        });
        Self {
            width,
            height,
            data,
        }
    }
}

/// Makes a row of five: means of neighbours, taken four times each way, which
/// vector units do in 16 bits. The two others are scratch, longer by the reach of
/// the blur at both ends.
#[inline(always)]
fn soften([a, b, c, d, e]: [&[u16]; 5], first: &mut [u16], second: &mut [u16], out: &mut [u16]) {
    let width = out.len();
    let inner = &mut first[SOFTENED..SOFTENED + width];
    let rows = inner.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e);
    for (((((out, &a), &b), &c), &d), &e) in rows {
        let (ab, bc, cd, de) = (mean(a, b), mean(b, c), mean(c, d), mean(d, e));
        let (abc, bcd, cde) = (mean(ab, bc), mean(bc, cd), mean(cd, de));
        *out = mean(mean(abc, bcd), mean(bcd, cde));
    }
    let (left, right) = (inner[0], inner[width - 1]);
    first[..SOFTENED].fill(left);
    first[SOFTENED + width..].fill(right);
    means(first, second);
    means(second, first);
    means(first, second);
    means(&second[..=width], out);
}

/// The mean of each value and the next.
#[inline(always)]
fn means(values: &[u16], out: &mut [u16]) {
    for ((out, &a), &b) in out.iter_mut().zip(values).zip(&values[1..]) {
        *out = mean(a, b);
    }
}

#[inline(always)]
fn mean(a: u16, b: u16) -> u16 {
    ((u32::from(a) + u32::from(b) + 1) >> 1) as u16
}

/// A frame's luminance in linear light, and halves of it down to a few dozen
/// pixels.
#[derive(Debug, Clone)]
pub struct GreyPyramid {
    size: (usize, usize),
    halvings: u32,
    levels: Vec<Grey>,
}

impl GreyPyramid {
    /// Of a frame of `size`, from its half on, or from a quarter, if `halvings`
    /// is 1, or 2, until the shorter side would fall under `smallest` pixels.
    /// `photo` shows the frame at its own size or as often halved.
    pub fn of(photo: &Photo, size: (usize, usize), halvings: u32, smallest: usize) -> Self {
        let (width, height) = (size.0 >> halvings, size.1 >> halvings);
        let mut largest = Grey::linear_of(photo);
        // A last odd column counts where a decoder halves, and not here.
        while largest.width > width + 1 {
            largest = largest.halved();
        }
        Self::new(largest.trimmed(width, height), size, halvings, smallest)
    }

    pub(in crate::core) fn new(
        largest: Grey,
        size: (usize, usize),
        halvings: u32,
        smallest: usize,
    ) -> Self {
        let mut levels = vec![largest];
        while let Some(last) = levels.last()
            && last.width.min(last.height) / 2 >= smallest.max(1)
        {
            levels.push(last.halved());
        }
        Self {
            size,
            halvings,
            levels,
        }
    }

    /// Keeps its memory for others.
    pub(in crate::core) fn keep(&mut self) {
        keep(std::mem::take(&mut self.levels));
    }

    /// Pixels of the frame across and down.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The levels, largest first.
    pub fn levels(&self) -> &[Grey] {
        &self.levels
    }

    /// How often the frame is halved for the largest level.
    pub fn halvings(&self) -> u32 {
        self.halvings
    }

    /// Pixels of the frame across one of level `number`.
    pub fn factor(&self, number: usize) -> usize {
        1 << (number + self.halvings as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize, value: impl Fn(usize, usize) -> u16) -> Grey {
        let data = (0..width * height)
            .map(|i| value(i % width, i / width))
            .collect();
        Grey {
            width,
            height,
            data,
        }
    }

    #[test]
    fn white_and_grey_keep_their_value() {
        let photo = |samples| Photo {
            width: 1,
            height: 1,
            samples,
            ..Photo::default()
        };
        assert_eq!(Grey::of(&photo(Samples::Eight(vec![255; 3]))).data, [65535]);
        assert_eq!(
            Grey::of(&photo(Samples::Sixteen(vec![1234; 3]))).data,
            [1234]
        );
    }

    #[test]
    fn halving_a_slope_does_not_shift_it() {
        let half = grey(40, 30, |x, y| (100 * x + 50 * y) as u16).halved();
        // The centre of block (5, 5) is full-size (10.5, 10.5).
        assert_eq!(half.data[5 * half.width + 5], 1050 + 525);
    }

    #[test]
    fn softening_shifts_nothing_and_keeps_light() {
        let even = grey(40, 30, |_, _| 40_000);
        assert_eq!(even.softened(), even);
        let slope = grey(40, 30, |x, y| (100 * x + 50 * y) as u16);
        let soft = slope.softened();
        for (x, y) in [(2, 2), (20, 15), (37, 27)] {
            let off = soft.row(y)[x].abs_diff(slope.row(y)[x]);
            assert!(off <= 3, "{x} {y}: {off}");
        }
        // A point becomes the products of 1 4 6 4 1, of 256.
        let point = grey(11, 9, |x, y| u16::from((x, y) == (5, 4)) * 25_600);
        let soft = point.softened();
        for (y, down) in (2..7).zip([1, 4, 6, 4, 1]) {
            for (x, across) in (3..8).zip([1, 4, 6, 4, 1]) {
                let off = soft.row(y)[x].abs_diff(100 * down * across);
                assert!(off <= 4, "{x} {y}: {}", soft.row(y)[x]);
            }
        }
        assert_eq!(soft.row(4)[2] + soft.row(1)[5], 0);
        assert_eq!(grey(1, 1, |_, _| 7).softened().data, [7]);
    }

    #[test]
    fn pyramids_stop_at_the_smallest_side() {
        let sizes: Vec<_> = GreyPyramid::new(grey(200, 101, |_, _| 7), (200, 101), 0, 24)
            .levels()
            .iter()
            .map(|level| (level.width, level.height))
            .collect();
        assert_eq!(sizes, [(200, 101), (100, 50), (50, 25)]);
    }
}
