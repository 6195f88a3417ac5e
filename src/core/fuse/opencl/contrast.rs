//! Where a frame has contrast, and which frame has most, as
//! [`fuse::contrast`](crate::core::fuse::contrast) finds it on the processor.

use opencv::Result;

use super::Rest;
use super::depth::DepthSearch;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::fuse::Fused;
use crate::core::fuse::contrast::settling;
use crate::core::plane::Plane;

/// The energy of the two finest levels of detail, or its root, in soft windows of
/// several sizes about each pixel.
pub struct Spread {
    /// In the smallest.
    pub near: Buffer,
    /// In a larger one; before [`Self::look`] in none.
    pub wide: Buffer,
    /// In the largest, at half the size.
    pub far: Buffer,
    /// How far that is beyond noise.
    pub settled: Buffer,
    /// Scratch of the whole size, of half of it, and of a quarter.
    full: Buffer,
    half: Buffer,
    quarter: [Buffer; 2],
}

impl Spread {
    /// Room for a picture of this size.
    pub fn new(session: &Session, width: i32, height: i32) -> Result<Self> {
        let plane = |factor: i32| {
            let side = |side: i32| (side + factor - 1) / factor;
            session.blank(side(width), side(height), Kind::Float)
        };
        Ok(Self {
            near: plane(1)?,
            wide: plane(1)?,
            far: plane(2)?,
            settled: plane(2)?,
            full: plane(1)?,
            half: plane(2)?,
            quarter: [plane(4)?, plane(4)?],
        })
    }

    /// Looks at the energy in `wide`, or its root, of frames with this noise.
    pub fn look(&self, session: &Session, noise: f32, is_root: bool) -> Result<()> {
        let Self {
            near,
            wide,
            far,
            settled,
            full,
            half,
            quarter: [small, soft],
        } = self;
        window(session, wide, near)?;
        window(session, near, full)?;
        window(session, full, wide)?;
        // Far windows need no full resolution.
        reduce(session, wide, half)?;
        reduce(session, half, small)?;
        window(session, small, soft)?;
        window(session, soft, small)?;
        let [least, half] = settling(noise);
        let noise = Floats([least, half, 0.0, 0.0]);
        let args = [
            In(small),
            Size(small),
            Out(far),
            Out(settled),
            Size(far),
            noise,
            Int(is_root.into()),
        ];
        session.run("settle", far.size(), &args)
    }
}

/// Makes `soft` what `plane` is in a soft window.
pub fn window(session: &Session, plane: &Buffer, soft: &Buffer) -> Result<()> {
    let args = [In(plane), Out(soft), Size(plane)];
    session.run("window", plane.size(), &args)
}

/// Makes `coarse` the next level of the Gaussian pyramid of a plane.
pub fn reduce(session: &Session, fine: &Buffer, coarse: &Buffer) -> Result<()> {
    let args = [In(fine), Size(fine), Out(coarse), Size(coarse)];
    session.run("reduce_float", coarse.size(), &args)
}

/// Which of the frames so far has the most contrast at each pixel.
pub struct Sharpest {
    /// For kernels that find it, with the winner.
    pub best: Buffer,
    pub index: Buffer,
    pub depth: DepthSearch,
    floor: f32,
}

impl Sharpest {
    /// No frame yet. `floor` is the contrast that counts as none.
    pub fn new(session: &Session, width: i32, height: i32, floor: f32) -> Result<Self> {
        Ok(Self {
            best: session.filled(width, height, Kind::Float, [-1.0; 4])?,
            index: session.filled(width, height, Kind::Short, [0.0; 4])?,
            depth: DepthSearch::new(session, width, height)?,
            floor,
        })
    }

    /// How far the most contrast is beyond `level`, half at it and up to 1, at
    /// half the size, in a soft window; the second is scratch.
    pub fn beyond(&self, session: &Session, level: f32, share: [&Buffer; 2]) -> Result<()> {
        let [share, scratch] = share;
        reduce(session, &self.best, scratch)?;
        let level = Floats([level, 0.0, 0.0, 0.0]);
        let args = [Out(scratch), Size(scratch), level];
        session.run("beyond", scratch.size(), &args)?;
        window(session, scratch, share)
    }

    /// The picture of all frames, given its channels; its alpha is left to the
    /// caller.
    pub fn fused(self, session: &Session, channels: [Plane; 3]) -> Result<Rest> {
        let Self {
            best,
            index,
            depth,
            floor,
        } = self;
        let confidence = session.blank(best.width, best.height, Kind::Byte)?;
        let none = Floats([floor, 0.0, 0.0, 0.0]);
        let args = [In(&best), Out(&confidence), Size(&best), none];
        session.run("certainty", best.size(), &args)?;
        let kept = depth.finish(session)?;
        let index = session.download(&index)?;
        let confidence = session.download(&confidence)?;
        Ok(Box::new(move || Fused {
            channels,
            index,
            depth: kept.map(floor),
            confidence,
            alpha: None,
        }))
    }
}
