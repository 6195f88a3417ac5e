//! A picture rendered from its depth map.
//!
//! Where the depth of each pixel is known, the frames next to it are all that a
//! picture needs: colours stay those of the frames, and nothing builds up with
//! their number. Where depths jump, the picture is as good as the map is.

use super::brought::{Coloured, Source};
use super::contrast::Sharpest;
use super::depth::telling;
use super::prefer::Bias;
use super::range::Range;
use super::ranges::Ranges;
use super::tiles::Tiles;
use super::weighted::Weighted;
use super::work::{Given, Work};
use super::{Accumulator, Fused, Picture};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::noise::believable;
use crate::core::plane::Plane;
use crate::core::warp::{Placed, Warped};

/// Frames on either side of a depth that share in its picture.
pub const REACH: f32 = 1.25;
/// What all other frames count: where those next to the depth were left out or
/// show nothing, the nearest that is there takes their place.
pub const FAR: f32 = 1e-4;
/// What a frame counts where it shows nothing.
pub const HIDDEN: f32 = 1e-12;

/// The focus measure that tells nothing of depth in frames with this noise, taken
/// to be `strength` times as strong.
pub fn floor(noise: f32, strength: f32) -> f32 {
    telling(noise) * strength.max(0.1).powi(2)
}

/// The depth of each pixel for the making of a picture of what was found; for
/// `softness` see [`softness`](super::softness::softness).
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn depth(found: &Fused, softness: f32, keep_going: KeepGoing) -> Result<Vec<f32>> {
    let [width, height] = found.picture.size();
    let depth = found.depth.clone().of_the_sharpest();
    depth.smooth(width, height, softness, keep_going)
}

/// Accumulates frames, each pixel weighted by how near it is in depth.
#[derive(Debug, Clone)]
pub struct Render {
    depth: Vec<f32>,
    sum: Weighted,
    range: Option<[Range; 3]>,
    /// What is known of the picture but its channels.
    found: Fused,
}

impl Render {
    /// Nothing added yet; `found` tells the depth of each pixel. With `clamp`
    /// the picture is held within the range of its sources; for `softness` see
    /// [`softness`](super::softness::softness).
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn new(found: Fused, clamp: bool, softness: f32, keep_going: KeepGoing) -> Result<Self> {
        let [width, height] = found.picture.size();
        Ok(Self {
            depth: depth(&found, softness, keep_going)?,
            sum: Weighted::new(width, height),
            range: clamp.then(|| std::array::from_fn(|_| Range::new(width, height))),
            found,
        })
    }
}

impl Accumulator for Render {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()> {
        let Warped { channels, mask } = frame;
        if let Some(range) = &mut self.range {
            for (range, channel) in range.iter_mut().zip(&channels) {
                range.add(channel, mask.as_ref());
            }
        }
        check(keep_going)?;
        let frame = f32::from(index);
        self.sum.add(&channels, |i| {
            let off = (frame - self.depth[i]).abs();
            let near = (1.0 - off / REACH).max(0.0) + FAR / (1.0 + off * off * off * off);
            let is_shown = mask.as_ref().is_none_or(|mask| mask.data[i] > 0.999);
            if is_shown { near } else { HIDDEN * near }
        });
        Ok(())
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        check(keep_going)?;
        let mut picture = Picture::from(self.sum.mean());
        if let Some(range) = self.range {
            picture = picture.within(Ranges::from(range));
        }
        Ok(Fused {
            picture,
            ..self.found
        })
    }
}

/// Looks for the depth of each pixel, and for no picture.
#[derive(Debug, Clone)]
pub struct Search {
    sharpest: Sharpest,
    noise: f32,
    bias: Bias,
    width: usize,
    height: usize,
    work: Work,
}

impl Search {
    /// Nothing added yet; for `noise` see [`noise`](crate::core::noise::noise).
    /// Depths tell nothing where contrast is less than that of noise `strength`
    /// times as strong.
    pub fn new(width: usize, height: usize, noise: f32, strength: f32, bias: Bias) -> Self {
        Self {
            sharpest: Sharpest::new(width, height, floor(noise, strength)),
            noise: believable(noise),
            bias,
            width,
            height,
            work: Work::default(),
        }
    }
}

impl Search {
    fn look(&mut self, index: u16, frame: Coloured, keep_going: KeepGoing) -> Result<()> {
        let Self { work, sharpest, .. } = self;
        let tiles = Tiles::of(self.width, self.height);
        let frame = frame.filled(keep_going)?;
        let mask = frame.mask();
        let given = Given {
            tiles: &tiles,
            frame: &frame,
            veil: None,
            count: 0,
            factor: self.bias.factor(index),
            noise: self.noise,
        };
        work.look(
            &given,
            keep_going,
            sharpest.tiled(&tiles),
            |_, _, _| (),
            |strip, winners| {
                if let Some(winners) = winners {
                    strip.tell(winners, index, mask);
                }
            },
        )?;
        sharpest.add_depth(index, &work.focus, &work.clues(), mask);
        Ok(())
    }
}

impl Accumulator for Search {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()> {
        self.look(index, Coloured::Warped(frame), keep_going)
    }

    fn place(&mut self, index: u16, frame: &Placed, keep_going: KeepGoing) -> Result<()> {
        self.look(index, Coloured::of(frame, keep_going)?, keep_going)
    }

    /// All that is known, under a black picture.
    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        check(keep_going)?;
        let black = || Plane::new(self.width, self.height);
        self.sharpest
            .fused([black(), black(), black()].into(), keep_going)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::fuse::samples::{checks, frame};

    /// Fuses frames of which each is checked in one band and flat elsewhere.
    fn bands(clamp: bool) -> Fused {
        let frames: Vec<(u16, Warped)> = (0..4)
            .map(|band| {
                let shows = move |x: usize, y| if x / 32 == band { checks(x, y) } else { 0.5 };
                (4 * band as u16, frame(128, 64, shows))
            })
            .collect();
        let mut search = Search::new(128, 64, 1e-4, 1.0, Bias::default());
        for (index, frame) in &frames {
            search.add(*index, frame.clone(), ALWAYS).unwrap();
        }
        let found = search.finish(ALWAYS).unwrap();
        let mut render = Render::new(found, clamp, 1.0, ALWAYS).unwrap();
        for (index, frame) in frames {
            render.add(index, frame, ALWAYS).unwrap();
        }
        render.finish(ALWAYS).unwrap()
    }

    #[test]
    fn each_band_comes_from_the_frame_that_is_sharp_there() {
        for clamp in [false, true] {
            let fused = bands(clamp);
            let red = fused.picture.channel(0);
            for y in 0..64 {
                for x in (0..128).filter(|x| (10..22).contains(&(x % 32))) {
                    let value = red.row(y)[x];
                    let truth = checks(x, y);
                    assert!((value - truth).abs() < 0.02, "({x}, {y}): {value}");
                    assert_eq!(fused.index[y * 128 + x], (x / 32 * 4) as u16);
                }
            }
        }
    }

    #[test]
    fn identical_frames_come_out_as_they_went_in() {
        let one = frame(64, 48, checks);
        let mut search = Search::new(64, 48, 1e-4, 1.0, Bias::default());
        (0..3).for_each(|index| search.add(index, one.clone(), ALWAYS).unwrap());
        let found = search.finish(ALWAYS).unwrap();
        let mut render = Render::new(found, true, 1.0, ALWAYS).unwrap();
        (0..3).for_each(|index| render.add(index, one.clone(), ALWAYS).unwrap());
        let fused = render.finish(ALWAYS).unwrap().picture.channels();
        for (fused, one) in fused.iter().zip(&one.channels) {
            for (a, b) in fused.data.iter().zip(&one.data) {
                assert!((a - b).abs() < 1.0 / 65535.0);
            }
        }
    }
}
