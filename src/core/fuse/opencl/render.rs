//! A picture rendered from its depth map on the device, as
//! [`fuse::render`](crate::core::fuse::render) does it on the processor.

use opencv::Result;

use super::Rest;
use super::contrast::Sharpest;
use super::frame::Frame;
use super::range::Ranges;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::work::Work;
use super::worker::{Accumulator, Finish, download, normalise};
use crate::core::KeepGoing;
use crate::core::fuse::prefer::Bias;
use crate::core::fuse::render::floor;
use crate::core::fuse::{Fused, Options};
use crate::core::noise::believable;
use crate::core::plane::Plane;

/// Looks for the depth of each pixel, and for no picture.
pub struct Search {
    sharpest: Sharpest,
    work: Work,
    noise: f32,
    bias: Bias,
}

impl Search {
    /// Nothing added yet.
    pub fn new(session: &Session, options: &Options, width: usize, height: usize) -> Result<Self> {
        let (width, height) = (i32::try_from(width)?, i32::try_from(height)?);
        let floor = floor(options.noise, options.noise_strength);
        Ok(Self {
            sharpest: Sharpest::new(session, width, height, floor)?,
            work: Work::new(session, width, height, 0)?,
            noise: believable(options.noise),
            bias: Bias::new(options.prefer, options.frames),
        })
    }
}

impl Accumulator for Search {
    fn add(&mut self, session: &Session, index: u16, frame: &Frame, whole: bool) -> Result<()> {
        let Self {
            sharpest,
            work,
            noise,
            bias,
        } = self;
        work.look(session, frame, whole, *noise, false)?;
        let frame = &frame.pixels;
        let (spread, below) = (&work.spread, &work.below[0]);
        session.run(
            "rank",
            frame.size(),
            &[
                Out(&spread.near),
                Size(frame),
                In(&spread.rest),
                In(frame),
                In(below),
                Size(below),
                Int((!whole).into()),
                Int(index.into()),
                Floats([bias.factor(index), 0.0, 0.0, 0.0]),
                Out(&sharpest.best),
                Out(&sharpest.index),
            ],
        )?;
        let (clues, mask) = (work.clues(), work.mask(whole));
        let [finest, coarser, ..] = &work.energies[..] else {
            return Ok(());
        };
        sharpest.depth.look(session, finest, coarser)?;
        let focus = &spread.near;
        sharpest
            .depth
            .add(session, index, focus, Some(&clues), mask)
    }

    /// All that is known, under a black picture.
    fn finish(self, session: &Session) -> Result<Finish> {
        let near = &self.work.spread.near;
        let (width, height) = (near.width.try_into()?, near.height.try_into()?);
        let black = || Plane::new(width, height);
        let black = [black(), black(), black()].into();
        self.sharpest.fused(session, |_| Ok(black))
    }
}

/// Accumulates frames, each pixel weighted by how near it is in depth.
pub struct Render {
    depth: Buffer,
    sum: Buffer,
    range: Option<Ranges>,
    found: Fused,
}

impl Render {
    /// Nothing added yet; `found` is what is known of the picture but its
    /// channels, and `depth` tells the depth of each pixel.
    pub fn new(session: &Session, found: Fused, depth: &[f32], clamp: bool) -> Result<Self> {
        let [width, height] = found.picture.size();
        let (width, height) = (width.try_into()?, height.try_into()?);
        let range = || Ranges::new(session, width, height, false);
        Ok(Self {
            depth: session.upload(depth, width, height, None)?,
            sum: session.filled(width, height, Kind::Float4, [0.0; 4])?,
            range: clamp.then(range).transpose()?,
            found,
        })
    }
}

impl Accumulator for Render {
    fn add(&mut self, session: &Session, index: u16, frame: &Frame, _whole: bool) -> Result<()> {
        let Self { depth, sum, .. } = self;
        if let Some(range) = &self.range {
            range.add(session, frame)?;
        }
        let frame = &frame.pixels;
        let args = [
            In(frame),
            In(depth),
            Size(depth),
            Int(index.into()),
            Out(sum),
        ];
        session.run("render", frame.size(), &args)
    }

    fn finish(self, session: &Session) -> Result<Finish> {
        let Self {
            depth, sum, range, ..
        } = self;
        normalise(session, &sum)?;
        if let Some(range) = &range {
            range.hold(session, &sum)?;
        }
        drop(depth);
        let (picture, found) = (download(session, &sum)?, self.found);
        let rest: Rest = Box::new(|_: KeepGoing| Ok(Fused { picture, ..found }));
        Ok(rest.into())
    }
}
