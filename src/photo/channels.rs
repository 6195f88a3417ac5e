//! From the channels that files hold to RGB and alpha.

use rayon::prelude::*;

use super::Samples;
use super::read::Pixels;

/// What the interleaved samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    RgbAlpha,
}

impl Layout {
    pub fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::RgbAlpha => 4,
        }
    }
}

/// A sample of 8 or 16 bits.
pub(super) trait Depth: Copy + Default + Send + Sync + 'static {
    fn samples(values: Vec<Self>) -> Samples;
    /// As 8 bits, rounded.
    fn to_eight(self) -> u8;
    /// `self` without the alpha that it was multiplied by.
    fn divided_by(self, alpha: Self) -> Self;
}

impl Depth for u8 {
    fn samples(values: Vec<Self>) -> Samples {
        Samples::Eight(values)
    }

    fn to_eight(self) -> u8 {
        self
    }

    fn divided_by(self, alpha: Self) -> Self {
        let (value, alpha) = (u32::from(self), u32::from(alpha));
        (value * 255 + alpha / 2)
            .checked_div(alpha)
            .map_or(0, |value| value.min(255) as u8)
    }
}

impl Depth for u16 {
    fn samples(values: Vec<Self>) -> Samples {
        Samples::Sixteen(values)
    }

    fn to_eight(self) -> u8 {
        sixteen_to_eight(self)
    }

    fn divided_by(self, alpha: Self) -> Self {
        let (value, alpha) = (u64::from(self), u64::from(alpha));
        (value * 65535 + alpha / 2)
            .checked_div(alpha)
            .map_or(0, |value| value.min(65535) as u16)
    }
}

/// The nearest 8-bit value.
pub(super) fn sixteen_to_eight(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32767) / 65535) as u8
}

/// The same brightness in 16 bits.
pub(super) fn eight_to_sixteen(value: u8) -> u16 {
    u16::from(value) * 257
}

/// Pixels of the given layout as RGB, with alpha apart.
pub(super) fn to_rgb<T: Depth>(pixels: Vec<T>, layout: Layout) -> Pixels {
    let (rgb, alpha) = match layout {
        Layout::Rgb => (pixels, None),
        Layout::Grey => (spread(&pixels, |&[grey]: &[T; 1]| [grey; 3]), None),
        Layout::GreyAlpha => (
            spread(&pixels, |&[grey, _]: &[T; 2]| [grey; 3]),
            Some(spread(&pixels, |&[_, alpha]: &[T; 2]| [alpha.to_eight()])),
        ),
        Layout::RgbAlpha => (
            spread(&pixels, |&[r, g, b, _]: &[T; 4]| [r, g, b]),
            Some(spread(&pixels, |&[_, _, _, alpha]: &[T; 4]| {
                [alpha.to_eight()]
            })),
        ),
    };
    Pixels {
        samples: T::samples(rgb),
        alpha,
    }
}

/// Divides interleaved pixels of `channels` samples, the last of them alpha, by
/// their alpha.
pub(super) fn divide_by_alpha<T: Depth>(pixels: &mut [T], channels: usize) {
    pixels.par_chunks_mut(channels * RUN).for_each(|run| {
        for pixel in run.chunks_exact_mut(channels) {
            if let Some((alpha, colours)) = pixel.split_last_mut() {
                for value in colours {
                    *value = value.divided_by(*alpha);
                }
            }
        }
    });
}

const RUN: usize = 1 << 16;

/// Makes `M` values out of every `N`.
pub(super) fn spread<T: Copy + Sync, U: Copy + Default + Send, const N: usize, const M: usize>(
    values: &[T],
    make: impl Fn(&[T; N]) -> [U; M] + Sync,
) -> Vec<U> {
    let mut made = vec![U::default(); values.len() / N * M];
    made.par_chunks_mut(RUN * M)
        .zip(values.par_chunks(RUN * N))
        .for_each(|(made, values)| {
            let (made, values) = (made.as_chunks_mut::<M>().0, values.as_chunks::<N>().0);
            for (made, value) in made.iter_mut().zip(values) {
                *made = make(value);
            }
        });
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_round_to_the_nearest_eight() {
        for value in 0..=u16::MAX {
            let exact = f64::from(value) / 257.0;
            assert_eq!(sixteen_to_eight(value), exact.round() as u8, "{value}");
        }
        for value in 0..=u8::MAX {
            assert_eq!(sixteen_to_eight(eight_to_sixteen(value)), value);
        }
    }

    #[test]
    fn alpha_is_divided_out() {
        let mut pixels = [50u8, 100, 200, 100, 9, 9, 9, 0, 7, 8, 9, 255];
        divide_by_alpha(&mut pixels, 4);
        assert_eq!(pixels, [128, 255, 255, 100, 0, 0, 0, 0, 7, 8, 9, 255]);
        let mut grey = [1000u16, 2000];
        divide_by_alpha(&mut grey, 2);
        assert_eq!(grey, [32768, 2000]);
    }
}
