//! Fusion by weighted average on the device, as
//! [`fuse::average`](crate::core::fuse::average) does it on the processor.

use opencv::Result;
use opencv::core::Scalar;

use super::session::Arg::{In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::{Accumulator, picture};
use crate::core::fuse::Fused;

/// Accumulates frames weighted by their local contrast.
pub struct Average {
    /// Red, green and blue by weight, and the weight.
    sum: Buffer,
    best: Buffer,
    index: Buffer,
    /// Scratch: luminance and what follows from it.
    luma: Buffer,
    coarse: Buffer,
    soft: Buffer,
}

impl Average {
    /// Nothing added yet.
    pub fn new(session: &Session, width: usize, height: usize) -> Result<Self> {
        let (w, h) = (i32::try_from(width)?, i32::try_from(height)?);
        Ok(Self {
            sum: session.filled(w, h, Kind::Float4, Scalar::all(0.0))?,
            best: session.filled(w, h, Kind::Float, Scalar::all(-1.0))?,
            index: session.filled(w, h, Kind::Short, Scalar::all(0.0))?,
            luma: session.blank(w, h, Kind::Float)?,
            coarse: session.blank((w + 1) / 2, (h + 1) / 2, Kind::Float)?,
            soft: session.blank(w, h, Kind::Float)?,
        })
    }
}

impl Accumulator for Average {
    fn add(&mut self, session: &Session, index: u16, frame: &Buffer) -> Result<()> {
        let Self {
            sum,
            best,
            index: winner,
            luma,
            coarse,
            soft,
        } = self;
        let size = frame.size();
        session.run("luma", size, &[In(frame), Out(luma), Size(luma)])?;
        session.run(
            "reduce_float",
            coarse.size(),
            &[In(luma), Size(luma), Out(coarse), Size(coarse)],
        )?;
        session.run(
            "contrast",
            size,
            &[Out(luma), Size(luma), In(coarse), Size(coarse)],
        )?;
        session.run("window", size, &[In(luma), Out(soft), Size(luma)])?;
        session.run("window", size, &[In(soft), Out(luma), Size(luma)])?;
        session.run(
            "weigh",
            size,
            &[
                In(frame),
                In(luma),
                Size(luma),
                Int(index.into()),
                Out(sum),
                Out(best),
                Out(winner),
            ],
        )
    }

    fn finish(self, session: &Session) -> Result<Fused> {
        let Self {
            sum,
            best,
            index,
            luma,
            ..
        } = self;
        let confidence = session.blank(sum.width, sum.height, Kind::Byte)?;
        session.run(
            "certainty",
            sum.size(),
            &[In(&best), Out(&confidence), Size(&best)],
        )?;
        session.run("normalise", sum.size(), &[Out(&sum), Size(&sum)])?;
        picture(session, &sum, &luma, &index, &confidence)
    }
}
