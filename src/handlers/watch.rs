//! The picture while it grows, for someone who looks at it.

use std::time::{Duration, Instant};

use super::export;
use crate::Result;
use crate::core::fuse::{self, Preview};
use crate::core::warp::{Area, Exposure};
use crate::core::{KeepGoing, Transform};
use crate::photo::Photo;

/// Someone who looks at the picture while it grows, in few pixels.
pub type Watch<'a> = &'a (dyn Fn(Photo) + Sync);

/// How often the growing picture is halved that a [`Watch`] is shown, for
/// frames of `longer` pixels on the longer side: often enough for a screen, and
/// for being no burden.
pub fn halvings(longer: usize) -> u32 {
    const SIDE: usize = 1600;
    (1..16)
        .find(|halvings| longer >> halvings <= SIDE)
        .unwrap_or(16)
}

/// Pixels on the longer side of frames that are halved so often.
pub fn side(longer: usize) -> usize {
    longer.div_ceil(1 << halvings(longer))
}

/// A small fusion beside the real one, for someone who looks at it.
pub struct Watched<'a> {
    watch: Watch<'a>,
    preview: Preview,
    last: Instant,
}

impl<'a> Watched<'a> {
    /// From one look to the next.
    const PACE: Duration = Duration::from_millis(500);

    /// Nothing added yet, for frames of this width and height and a result that shows
    /// `area`.
    pub fn new(
        watch: Watch<'a>,
        (width, height): (usize, usize),
        area: Area,
        options: &fuse::Options,
    ) -> Self {
        let side = side(width.max(height));
        Self {
            watch,
            preview: Preview::new(options, width, height, area, side),
            last: Instant::now(),
        }
    }

    /// Adds a frame, in all its pixels or as few as it is shown in, and shows the
    /// picture if it is time.
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
        self.preview.add(index, photo, pose, exposure, keep_going)?;
        if self.last.elapsed() >= Self::PACE {
            let fused = self.preview.picture(keep_going)?;
            (self.watch)(export::picture(fused.picture, fused.alpha));
            self.last = Instant::now();
        }
        Ok(())
    }
}
