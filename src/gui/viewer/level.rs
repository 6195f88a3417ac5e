//! A picture in RGBA and its halves.

use rayon::prelude::*;
use std::sync::OnceLock;

use super::geometry::Extent;
use crate::core::thumbnail::halved;

/// A picture, four bytes a pixel, red, green, blue (multiplied by alpha) and
/// alpha, row after row; and, once it is asked for, the same at half the size.
pub struct Level {
    /// Its size.
    pub extent: Extent,
    /// Whether alpha is 255 everywhere.
    pub opaque: bool,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
    half: OnceLock<Option<Box<Level>>>,
}

impl Level {
    /// A level of `rgba`, not yet multiplied by alpha, which must hold
    /// `extent.width * extent.height * 4` bytes.
    pub fn new(extent: Extent, mut rgba: Vec<u8>) -> Self {
        let stride = extent.width.max(1) as usize * 4;
        let opaque = rgba
            .par_chunks_mut(stride)
            .map(|row| {
                let opaque = row.chunks_exact(4).all(|pixel| pixel[3] == 255);
                if !opaque {
                    row.chunks_exact_mut(4).for_each(multiply_alpha);
                }
                opaque
            })
            .reduce(|| true, |a, b| a && b);
        Self {
            extent,
            opaque,
            rgba,
            half: OnceLock::new(),
        }
    }

    /// Bytes of a row.
    pub fn stride(&self) -> usize {
        self.extent.width as usize * 4
    }

    /// The picture at half the size, each pixel the mean of four: pixel `i`
    /// stands for the pixels `2 i` and `2 i + 1`, the last of which is taken
    /// twice if the size is odd. `None` if there is but one pixel to halve.
    pub fn half(&self) -> Option<&Self> {
        if self.half.get().is_none() {
            // Two threads may both do this; waiting in a thread pool could
            // block the very thread that is waited for.
            let _ = self.half.set(self.halved().map(Box::new));
        }
        self.half.get()?.as_deref()
    }

    fn halved(&self) -> Option<Self> {
        if self.extent.width < 2 || self.extent.height < 2 {
            return None;
        }
        let extent = Extent {
            width: self.extent.width.div_ceil(2),
            height: self.extent.height.div_ceil(2),
        };
        Some(Self {
            extent,
            opaque: self.opaque,
            rgba: halved(self.extent.width as usize, &self.rgba),
            half: OnceLock::new(),
        })
    }

    /// One row of the picture.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.rgba[y * self.stride()..(y + 1) * self.stride()]
    }
}

fn multiply_alpha(pixel: &mut [u8]) {
    let alpha = u16::from(pixel[3]);
    for sample in &mut pixel[..3] {
        *sample = ((u16::from(*sample) * alpha + 127) / 255) as u8;
    }
}

/// Undoes the multiplication by alpha, as exactly as 8 bits allow.
pub fn divide_alpha(pixel: &mut [u8]) {
    let alpha = u16::from(pixel[3]);
    if alpha != 0 && alpha != 255 {
        for sample in &mut pixel[..3] {
            *sample = ((u16::from(*sample) * 255 + alpha / 2) / alpha).min(255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Level {
        let rgba = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let grey = grey(x, y);
                [grey, grey, grey, 255]
            })
            .collect();
        Level::new(Extent { width, height }, rgba)
    }

    #[test]
    fn halves_are_means_of_four() {
        let level = level(4, 2, |x, y| (10 * x + 100 * y) as u8);
        let half = level.half().expect("a half");
        assert_eq!(
            half.extent,
            Extent {
                width: 2,
                height: 1
            }
        );
        assert_eq!(half.rgba, [55, 55, 55, 255, 75, 75, 75, 255]);
        assert!(half.half().is_none());
    }

    #[test]
    fn odd_sizes_take_the_last_pixels_twice() {
        let level = level(3, 3, |x, y| (10 * x + 50 * y) as u8);
        let half = level.half().expect("a half");
        let greys: Vec<u8> = half.rgba.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(greys, [30, 45, 105, 120]);
    }

    #[test]
    fn what_is_transparent_does_not_darken_its_neighbours() {
        let rgba = vec![
            200, 100, 50, 255, 9, 9, 9, 0, //
            200, 100, 50, 255, 9, 9, 9, 0,
        ];
        let extent = Extent {
            width: 2,
            height: 2,
        };
        let level = Level::new(extent, rgba);
        assert!(!level.opaque);
        let mut pixel = level.half().expect("a half").rgba.clone();
        divide_alpha(&mut pixel);
        assert_eq!(pixel, [199, 100, 50, 128]);
    }
}
