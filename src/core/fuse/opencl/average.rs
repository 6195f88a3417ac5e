//! Fusion by weighted average on the device, as
//! [`fuse::average`](crate::core::fuse::average) does it on the processor.

use opencv::Result;
use opencv::core::Scalar;

use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::{Accumulator, picture};
use crate::core::fuse::Fused;
use crate::core::fuse::contrast::{COARSER, WINDOWS};

/// Accumulates frames weighted by their local contrast.
pub struct Average {
    /// Red, green and blue by weight, and the weight.
    sum: Buffer,
    best: Buffer,
    index: Buffer,
    /// Scratch: luminance and what follows from it.
    luma: Buffer,
    soft: Buffer,
    wide: Buffer,
    half: [Buffer; 2],
    quarter: [Buffer; 2],
}

impl Average {
    /// Nothing added yet.
    pub fn new(session: &Session, width: usize, height: usize) -> Result<Self> {
        let (w, h) = (i32::try_from(width)?, i32::try_from(height)?);
        let level = |side: i32, factor: i32| (side + factor - 1) / factor;
        let half = || session.blank(level(w, 2), level(h, 2), Kind::Float);
        let quarter = || session.blank(level(w, 4), level(h, 4), Kind::Float);
        Ok(Self {
            sum: session.filled(w, h, Kind::Float4, Scalar::all(0.0))?,
            best: session.filled(w, h, Kind::Float, Scalar::all(-1.0))?,
            index: session.filled(w, h, Kind::Short, Scalar::all(0.0))?,
            luma: session.blank(w, h, Kind::Float)?,
            soft: session.blank(w, h, Kind::Float)?,
            wide: session.blank(w, h, Kind::Float)?,
            half: [half()?, half()?],
            quarter: [quarter()?, quarter()?],
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
            soft,
            wide,
            half: [half, soft_half],
            quarter: [quarter, soft_quarter],
        } = self;
        let size = frame.size();
        let reduce = |fine: &Buffer, coarse: &Buffer| {
            let args = [In(fine), Size(fine), Out(coarse), Size(coarse)];
            session.run("reduce_float", coarse.size(), &args)
        };
        let contrast = |fine: &Buffer, coarse: &Buffer| {
            let args = [Out(fine), Size(fine), In(coarse), Size(coarse)];
            session.run("contrast", fine.size(), &args)
        };
        let window = |plane: &Buffer, soft: &Buffer| {
            session.run("window", plane.size(), &[In(plane), Out(soft), Size(plane)])
        };
        let spread = |fine: &Buffer, coarse: &Buffer, own: f32, more: f32| {
            let factors = Floats([own, more, 0.0, 0.0]);
            let args = [Out(fine), Size(fine), In(coarse), Size(coarse), factors];
            session.run("spread", fine.size(), &args)
        };
        session.run("luma", size, &[In(frame), Out(luma), Size(luma)])?;
        reduce(luma, half)?;
        contrast(luma, half)?;
        reduce(half, quarter)?;
        contrast(half, quarter)?;
        window(half, soft_half)?;
        spread(luma, soft_half, 1.0, COARSER)?;

        let near = soft;
        window(luma, near)?;
        window(near, luma)?;
        window(luma, wide)?;
        reduce(wide, half)?;
        reduce(half, quarter)?;
        window(quarter, soft_quarter)?;
        window(soft_quarter, quarter)?;
        spread(half, quarter, 0.0, WINDOWS[2])?;
        let factors = Floats([WINDOWS[0], WINDOWS[1], 0.0, 0.0]);
        session.run("mix_windows", size, &[Out(near), In(wide), Size(near), factors])?;
        spread(near, half, 1.0, 1.0)?;
        session.run(
            "weigh",
            size,
            &[
                In(frame),
                In(near),
                Size(near),
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
