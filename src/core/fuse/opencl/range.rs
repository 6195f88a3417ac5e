//! The range of values that frames show, as
//! [`fuse::range`](crate::core::fuse::range) finds it on the processor.

use opencv::Result;

use super::session::Arg::{In, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::fuse::range::BLOCK;

/// The least and greatest values of each block over all frames.
pub struct Range {
    low: Buffer,
    high: Buffer,
}

impl Range {
    /// Nothing seen yet of pictures of this size.
    pub fn new(session: &Session, width: i32, height: i32) -> Result<Self> {
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
    pub fn add(&self, session: &Session, frame: &Buffer) -> Result<()> {
        let Self { low, high } = self;
        let args = [In(frame), Size(frame), Out(low), Out(high), Size(low)];
        session.run("range", low.size(), &args)
    }

    /// Holds `picture` within the range of each pixel's block and the blocks
    /// around it.
    pub fn hold(&self, session: &Session, picture: &Buffer) -> Result<()> {
        let Self { low, high } = self;
        let args = [Out(picture), Size(picture), In(low), In(high), Size(low)];
        session.run("hold", picture.size(), &args)
    }
}
