//! Where a frame has contrast, and which frame has most, as
//! [`fuse::contrast`](crate::core::fuse::contrast) finds it on the processor.

use std::sync::mpsc::channel;

use opencv::Result;

use super::Rest;
use super::depth::DepthSearch;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::Finish;
use crate::Error;
use crate::core::KeepGoing;
use crate::core::fuse::contrast::settling;
use crate::core::fuse::{Fused, Picture};

/// The energy of the two finest levels of detail, or its root, in soft windows of
/// several sizes about each pixel.
pub struct Spread {
    /// In the smallest.
    pub near: Buffer,
    /// In no window; of no use after [`Self::look`].
    pub energy: Buffer,
    /// In the larger ones together, at half the size.
    pub rest: Buffer,
    /// How far it is beyond noise in the largest.
    pub settled: Buffer,
    /// Scratch of half the size, and of a quarter.
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
            energy: plane(1)?,
            rest: plane(2)?,
            settled: plane(2)?,
            half: plane(2)?,
            quarter: [plane(4)?, plane(4)?],
        })
    }

    /// Looks at the energy, or its root, of frames with this noise.
    pub fn look(&self, session: &Session, noise: f32, is_root: bool) -> Result<()> {
        let Self {
            near,
            energy,
            rest,
            settled,
            half,
            quarter: [small, soft],
        } = self;
        window(session, energy, near)?;
        // Larger windows need no full resolution.
        reduce(session, near, half)?;
        reduce(session, half, small)?;
        window(session, small, soft)?;
        window(session, soft, small)?;
        let [least, middle] = settling(noise);
        let noise = Floats([least, middle, 0.0, 0.0]);
        let args = [
            In(small),
            Size(small),
            In(half),
            Out(rest),
            Out(settled),
            Size(rest),
            noise,
            Int(is_root.into()),
        ];
        session.run("settle", rest.size(), &args)
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

    /// What is known of all frames, beside their `picture`, which is the last to be
    /// downloaded: meanwhile the depth map is made. The alpha is left to the caller.
    pub fn fused(
        self,
        session: &Session,
        picture: impl FnOnce(&Session) -> Result<Picture> + 'static,
    ) -> Result<Finish> {
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
        let (sender, receiver) = channel();
        let rest: Rest = Box::new(move |keep_going: KeepGoing| {
            let depth = kept.map(floor, keep_going)?;
            // When the device fails, it tells why.
            let (picture, index, confidence) = receiver.recv().map_err(|_| Error::Cancelled)?;
            Ok(Fused {
                picture,
                index,
                depth,
                confidence,
                alpha: None,
            })
        });
        let more = Box::new(move |session: &Session| {
            let picture = picture(session)?;
            let (index, confidence) = (session.download(&index)?, session.download(&confidence)?);
            // Who gave up needs none of it.
            let _ = sender.send((picture, index, confidence));
            Ok(())
        });
        Ok(Finish { rest, more })
    }
}
