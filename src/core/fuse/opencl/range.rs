//! The range of values that frames show, as
//! [`fuse::range`](crate::core::fuse::range) finds it on the processor.

use opencv::Result;

use super::frame::Frame;
use super::session::Arg::{Floats, In, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::fuse::range::BLOCK;

/// What a picture is held within; see
/// [`Ranges`](crate::core::fuse::ranges::Ranges).
pub struct Ranges {
    full: Range,
    /// Of the half size, where frames have their colour there.
    half: Option<Range>,
}

impl Ranges {
    /// Nothing seen yet of pictures of this size.
    pub fn new(session: &Session, width: i32, height: i32, subsampled: bool) -> Result<Self> {
        let half = || Range::new(session, (width + 1) / 2, (height + 1) / 2);
        Ok(Self {
            full: Range::new(session, width, height)?,
            half: subsampled.then(half).transpose()?,
        })
    }

    /// Takes in a frame, where its mask is not zero, before it is looked at.
    pub fn add(&self, session: &Session, frame: &Frame) -> Result<()> {
        self.full.add(session, &frame.pixels, frame.slack())
    }

    /// Takes in what it is at half the size, if there are ranges of that.
    pub fn add_half(&self, session: &Session, half: &Buffer) -> Result<()> {
        match &self.half {
            Some(range) => range.add(session, half, 0.0),
            None => Ok(()),
        }
    }

    /// Holds what is below the finest detail, if there are ranges of that.
    pub fn hold_half(&self, session: &Session, half: &Buffer) -> Result<()> {
        match &self.half {
            Some(range) => range.hold(session, half, "hold"),
            None => Ok(()),
        }
    }

    /// Holds all of a picture.
    pub fn hold(&self, session: &Session, picture: &Buffer) -> Result<()> {
        let kernel = match &self.half {
            Some(_) => "hold_grey",
            None => "hold",
        };
        self.full.hold(session, picture, kernel)
    }
}

/// The least and greatest values of each block over all frames.
struct Range {
    low: Buffer,
    high: Buffer,
}

impl Range {
    /// Nothing seen yet of pictures of this size.
    fn new(session: &Session, width: i32, height: i32) -> Result<Self> {
        let block = BLOCK as i32;
        let (columns, rows) = ((width + block - 1) / block, (height + block - 1) / block);
        let most = f32::MAX;
        let blocks = |value| session.filled(columns, rows, Kind::Float4, [value; 4]);
        Ok(Self {
            low: blocks(most)?,
            high: blocks(-most)?,
        })
    }

    /// Takes in a frame, where its mask is not zero.
    fn add(&self, session: &Session, frame: &Buffer, slack: f32) -> Result<()> {
        let Self { low, high } = self;
        let slack = Floats([slack, 0.0, 0.0, 0.0]);
        let args = [In(frame), Size(frame), slack, Out(low), Out(high), Size(low)];
        session.run("range", low.size(), &args)
    }

    /// Holds `picture` within the range of each pixel's block and the blocks
    /// around it.
    fn hold(&self, session: &Session, picture: &Buffer, kernel: &'static str) -> Result<()> {
        let Self { low, high } = self;
        let args = [Out(picture), Size(picture), In(low), In(high), Size(low)];
        session.run(kernel, picture.size(), &args)
    }
}
