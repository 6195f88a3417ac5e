//! A picture as encoders want it: row by row, in 8 or 16 bits.

use super::channels::{eight_to_sixteen, sixteen_to_eight};
use super::{Photo, Samples};

/// A picture that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub width: usize,
    pub height: usize,
    source: Source<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Rgb(&'a [u8]),
    Rgb16(&'a [u16]),
    Rgba(&'a [u8], &'a [u8]),
    Rgba16(&'a [u16], &'a [u8]),
    Grey16(&'a [u16]),
}

impl<'a> Rows<'a> {
    pub fn of_photo(photo: &'a Photo) -> Self {
        let source = match (&photo.samples, &photo.alpha) {
            (Samples::Eight(rgb), None) => Source::Rgb(rgb),
            (Samples::Eight(rgb), Some(alpha)) => Source::Rgba(rgb, alpha),
            (Samples::Sixteen(rgb), None) => Source::Rgb16(rgb),
            (Samples::Sixteen(rgb), Some(alpha)) => Source::Rgba16(rgb, alpha),
        };
        Self {
            width: photo.width,
            height: photo.height,
            source,
        }
    }

    pub fn of_grey(width: usize, height: usize, samples: &'a [u16]) -> Self {
        Self {
            width,
            height,
            source: Source::Grey16(samples),
        }
    }

    /// Samples per pixel: grey, RGB, or RGB and alpha.
    pub fn channels(&self) -> usize {
        match self.source {
            Source::Grey16(_) => 1,
            Source::Rgb(_) | Source::Rgb16(_) => 3,
            Source::Rgba(..) | Source::Rgba16(..) => 4,
        }
    }

    /// All samples, if they are 8-bit and interleaved already.
    pub fn as_eight(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Rgb(samples) => Some(samples),
            _ => None,
        }
    }

    /// Row `y` in 8 bits, `width * channels` samples.
    pub fn eight(&self, y: usize, out: &mut [u8]) {
        match self.source {
            Source::Rgb(rgb) => out.copy_from_slice(self.row(rgb, y, 3)),
            Source::Rgb16(rgb) => convert(self.row(rgb, y, 3), out, sixteen_to_eight),
            Source::Grey16(grey) => convert(self.row(grey, y, 1), out, sixteen_to_eight),
            Source::Rgba(rgb, alpha) => {
                weave(
                    self.row(rgb, y, 3),
                    self.row(alpha, y, 1),
                    out,
                    |v| v,
                    |v| v,
                );
            }
            Source::Rgba16(rgb, alpha) => {
                let (rgb, alpha) = (self.row(rgb, y, 3), self.row(alpha, y, 1));
                weave(rgb, alpha, out, sixteen_to_eight, |v| v);
            }
        }
    }

    /// Row `y` in 16 bits, `width * channels` samples.
    pub fn sixteen(&self, y: usize, out: &mut [u16]) {
        match self.source {
            Source::Rgb(rgb) => convert(self.row(rgb, y, 3), out, eight_to_sixteen),
            Source::Rgb16(rgb) => out.copy_from_slice(self.row(rgb, y, 3)),
            Source::Grey16(grey) => out.copy_from_slice(self.row(grey, y, 1)),
            Source::Rgba(rgb, alpha) => {
                let (rgb, alpha) = (self.row(rgb, y, 3), self.row(alpha, y, 1));
                weave(rgb, alpha, out, eight_to_sixteen, eight_to_sixteen);
            }
            Source::Rgba16(rgb, alpha) => {
                let (rgb, alpha) = (self.row(rgb, y, 3), self.row(alpha, y, 1));
                weave(rgb, alpha, out, |v| v, eight_to_sixteen);
            }
        }
    }

    fn row<T>(&self, samples: &'a [T], y: usize, channels: usize) -> &'a [T] {
        let length = self.width * channels;
        &samples[y * length..][..length]
    }
}

fn convert<T: Copy, U>(from: &[T], to: &mut [U], value: impl Fn(T) -> U) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = value(*from);
    }
}

fn weave<T: Copy, U: Copy>(
    rgb: &[T],
    alpha: &[u8],
    out: &mut [U],
    colour: impl Fn(T) -> U,
    opacity: impl Fn(u8) -> U,
) {
    let pixels = rgb.as_chunks::<3>().0.iter().zip(alpha);
    for (out, (&[r, g, b], &alpha)) in out.as_chunks_mut::<4>().0.iter_mut().zip(pixels) {
        *out = [colour(r), colour(g), colour(b), opacity(alpha)];
    }
}
