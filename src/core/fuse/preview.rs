//! A small fusion that can be looked at while it grows.

use super::{Accumulator, Fused, Growing, Method, Options};
use crate::Result;
use crate::core::thumbnail::small;
use crate::core::warp::{Area, Exposure, warp};
use crate::core::{KeepGoing, Transform};
use crate::photo::Photo;

/// What a fusion will look like, as far as frames were added, in few pixels:
/// the same method on reduced frames.
pub struct Preview {
    /// Pixels of a frame for one of the preview, each way.
    factor: f64,
    side: usize,
    area: Area,
    growing: Growing,
}

impl Preview {
    /// Nothing added yet, for frames of `width`×`height` pixels and a result
    /// that shows `area`. Frames are reduced to `side` pixels on the longer
    /// side.
    pub fn new(options: &Options, width: usize, height: usize, area: Area, side: usize) -> Self {
        let factor = (width.max(height) as f64 / side.max(1) as f64).max(1.0);
        let small = |length: usize| (length as f64 / factor).floor() as usize;
        let area = Area {
            x: small(area.x),
            y: small(area.y),
            width: small(area.width).max(1),
            height: small(area.height).max(1),
        };
        let method = match options.method {
            // The first look at the frames makes no picture.
            Method::Depth => Method::Average,
            other => other,
        };
        let options = Options {
            method,
            levels: None,
            ..*options
        };
        let growing = options.accumulator(area.width, area.height);
        Self {
            factor,
            side,
            area,
            growing,
        }
    }

    /// Adds a frame; as [`Fusion::add`](super::Fusion::add).
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let small = small(photo, self.side);
        let warped = warp(&small, &pose.reduced(self.factor), self.area, exposure);
        match &mut self.growing {
            Growing::Hybrid(hybrid) => hybrid.add(index, warped, keep_going),
            Growing::Pyramid(pyramid) => pyramid.add(index, warped, keep_going),
            Growing::Depth(search) => search.add(index, warped, keep_going),
            Growing::Average(average) => average.add(index, warped, keep_going),
        }
    }

    /// The picture so far.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn picture(&self, keep_going: KeepGoing) -> Result<Fused> {
        match self.growing.clone() {
            Growing::Hybrid(hybrid) => hybrid.finish(keep_going),
            Growing::Pyramid(pyramid) => pyramid.finish(keep_going),
            Growing::Depth(search) => search.finish(keep_going),
            Growing::Average(average) => average.finish(keep_going),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::photo::Samples;

    fn frame(shift: usize) -> Photo {
        let (width, height) = (400usize, 240usize);
        let value = |i: usize| (((i % width + shift) / 25 + i / width / 25) % 2 * 200) as u8;
        Photo {
            width,
            height,
            samples: Samples::Eight((0..width * height).flat_map(|i| [value(i); 3]).collect()),
            ..Photo::default()
        }
    }

    #[test]
    fn it_can_be_looked_at_again_and_again_while_it_grows() {
        let area = Area {
            x: 40,
            y: 20,
            width: 320,
            height: 200,
        };
        for method in [
            Method::Hybrid,
            Method::Pyramid,
            Method::Depth,
            Method::Average,
        ] {
            let mut preview = Preview::new(&method.into(), 400, 240, area, 100);
            let exposure = Exposure::default();
            let first = &Transform::IDENTITY;
            preview.add(0, &frame(0), first, &exposure, ALWAYS).unwrap();
            let first = preview.picture(ALWAYS).unwrap();
            assert_eq!(first.picture.size(), [80, 50]);
            assert_eq!(preview.picture(ALWAYS).unwrap(), first);
            // Reference pixels lie 8 to the left in this frame: it shows the same.
            let pose = Transform::translation(-8.0, 0.0);
            preview.add(1, &frame(8), &pose, &exposure, ALWAYS).unwrap();
            let second = preview.picture(ALWAYS).unwrap();
            let apart = |a: &[f32], b: &[f32]| {
                let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
                sum / a.len() as f32
            };
            let apart = apart(
                &first.picture.channel(0).data,
                &second.picture.channel(0).data,
            );
            assert!(apart < 0.03, "{method:?}: {apart}");
        }
    }
}
