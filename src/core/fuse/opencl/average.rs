//! Fusion by weighted average on the device, as
//! [`fuse::average`](crate::core::fuse::average) does it on the processor.

use opencv::Result;

use super::contrast::{Sharpest, Spread, reduce, window};
use super::frame::Frame;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::{Accumulator, Finish, download, normalise};
use crate::core::fuse::Options;
use crate::core::fuse::average::power;
use crate::core::fuse::contrast::FLOOR;
use crate::core::fuse::prefer::Bias;
use crate::core::fuse::softness::softness;

/// Accumulates frames weighted by their local contrast.
pub struct Average {
    /// Red, green and blue by weight, and the weight.
    sum: Buffer,
    sharpest: Sharpest,
    bias: Bias,
    power: f32,
    /// Scratch: luminance and what follows from it.
    spread: Spread,
    half: [Buffer; 2],
    quarter: Buffer,
    /// The frame at half the size, for its mask.
    below: Buffer,
}

impl Average {
    /// Nothing added yet.
    pub fn new(session: &Session, options: &Options, width: usize, height: usize) -> Result<Self> {
        let (w, h) = (i32::try_from(width)?, i32::try_from(height)?);
        let half = |kind| session.blank((w + 1) / 2, (h + 1) / 2, kind);
        Ok(Self {
            sum: session.filled(w, h, Kind::Float4, [0.0; 4])?,
            sharpest: Sharpest::new(session, w, h, FLOOR)?,
            bias: Bias::new(options.prefer, options.frames),
            power: power(softness(options.smoothness)),
            spread: Spread::new(session, w, h)?,
            half: [half(Kind::Float)?, half(Kind::Float)?],
            quarter: session.blank((w + 3) / 4, (h + 3) / 4, Kind::Float)?,
            below: half(Kind::Float4)?,
        })
    }

    /// Finds the energy of the two finest levels of a frame's luminance, and its
    /// spread.
    fn look(&self, session: &Session, frame: &Buffer) -> Result<()> {
        let Self {
            sharpest,
            spread,
            half: [half, soft_half],
            quarter,
            ..
        } = self;
        let luma = &spread.energy;
        let contrast = |fine: &Buffer, coarse: &Buffer| {
            let args = [Out(fine), Size(fine), In(coarse), Size(coarse)];
            session.run("contrast", fine.size(), &args)
        };
        session.run("luma", luma.size(), &[In(frame), Out(luma), Size(luma)])?;
        reduce(session, luma, half)?;
        contrast(luma, half)?;
        reduce(session, half, quarter)?;
        contrast(half, quarter)?;
        sharpest.depth.look(session, luma, half)?;
        window(session, half, soft_half)?;
        let args = [Out(luma), Size(luma), In(soft_half), Size(soft_half)];
        session.run("spread", luma.size(), &args)?;
        spread.look(session, FLOOR, false)
    }
}

impl Accumulator for Average {
    fn add(&mut self, session: &Session, index: u16, frame: &Frame, whole: bool) -> Result<()> {
        let frame = &frame.pixels;
        self.look(session, frame)?;
        let Spread { near, rest, .. } = &self.spread;
        session.run(
            "weigh",
            frame.size(),
            &[
                In(frame),
                Out(near),
                Size(near),
                In(rest),
                Size(rest),
                Int(index.into()),
                Floats([self.bias.factor(index), self.power, 0.0, 0.0]),
                Out(&self.sum),
                Out(&self.sharpest.best),
                Out(&self.sharpest.index),
            ],
        )?;
        let below = &self.below;
        if !whole {
            let args = [In(frame), Size(frame), Out(below), Size(below)];
            session.run("reduce_float4", below.size(), &args)?;
        }
        let mask = (!whole).then_some(below);
        self.sharpest.depth.add(session, index, near, None, mask)
    }

    fn finish(self, session: &Session) -> Result<Finish> {
        let Self {
            sum,
            spread,
            sharpest,
            ..
        } = self;
        normalise(session, &sum)?;
        drop(spread);
        sharpest.fused(session, move |session| download(session, &sum))
    }
}
