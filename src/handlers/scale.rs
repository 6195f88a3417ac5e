//! The size at which the frames of a stack are looked at before they are fused.

use std::path::Path;

use super::Job;
use super::file::Stack;
use super::frames::Frames;
use crate::Result;
use crate::core::align::SMALLEST;
use crate::core::exposure::Light;
use crate::core::grey::GreyPyramid;
use crate::photo::{Decoded, Photo};

/// Frames are halved as long as they keep so many pixels: those tell where a
/// frame lies to a few hundredths of a pixel of the frame, and lens and sensor
/// leave little in more of them.
const ENOUGH: usize = 5_000_000;
/// So often the quickest decoder halves.
const MOST: u32 = 3;

/// Frames of one size, halved so often that few pixels are left to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    size: (usize, usize),
    /// How often they are halved.
    pub halvings: u32,
}

impl Scale {
    /// For the frames of `stack`.
    pub fn of(stack: &Stack) -> Self {
        Self::of_size(stack.width, stack.height)
    }

    pub(super) fn of_size(width: usize, height: usize) -> Self {
        let is_enough = |halvings: &u32| (width * height) >> (2 * halvings) >= ENOUGH;
        Self {
            size: (width, height),
            halvings: (1..=MOST).take_while(is_enough).last().unwrap_or(0),
        }
    }

    /// Reads a frame, of fewer pixels where that is quicker, but of no fewer than
    /// are looked at.
    ///
    /// # Errors
    ///
    /// As [`Frames::read`].
    pub fn read(&self, frames: &Frames, path: &Path, job: &Job) -> Result<Photo> {
        frames.read_reduced(path, self.side(), job)
    }

    /// Reads a frame in all its pixels, with its colour at half the size if it is
    /// `subsampled` and stored so, and gives what [`Self::read`] gives beside it unless
    /// that would be the same.
    ///
    /// # Errors
    ///
    /// As [`Frames::read`].
    pub fn read_whole(
        &self,
        frames: &Frames,
        path: &Path,
        subsampled: bool,
        job: &Job,
    ) -> Result<(Decoded, Option<Photo>)> {
        if subsampled {
            return frames.read_both_subsampled(path, self.side(), job);
        }
        let (photo, reduced) = frames.read_both(path, self.side(), job)?;
        Ok((Decoded::Photo(photo), reduced))
    }

    /// Pixels on the longer side that are looked at.
    fn side(&self) -> usize {
        let longer = self.size.0.max(self.size.1);
        longer.div_ceil(1 << self.halvings)
    }

    /// Whether `photo` was read in all its pixels.
    pub fn is_whole(&self, photo: &Photo) -> bool {
        (photo.width, photo.height) == self.size
    }

    /// The luminance of a frame that was read.
    pub fn pyramid(&self, photo: &Photo) -> GreyPyramid {
        GreyPyramid::of(photo, self.size, self.halvings, SMALLEST)
    }

    /// The light of a frame that was read.
    pub fn light(&self, photo: &Photo) -> Light {
        match self.is_whole(photo) {
            true => Light::of(photo),
            false => Light::of_halved(photo, self.halvings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_frames_are_halved() {
        let halvings = |width, height| Scale::of_size(width, height).halvings;
        assert_eq!(halvings(1500, 1000), 0);
        assert_eq!(halvings(4000, 3000), 0);
        assert_eq!(halvings(6000, 4000), 1);
        assert_eq!(halvings(7952, 5304), 1);
        assert_eq!(halvings(11_648, 8736), 2);
        assert_eq!(halvings(40_000, 40_000), 3);
    }
}
