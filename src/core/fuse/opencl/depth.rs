//! The search of each place's depth, as
//! [`fuse::depth`](crate::core::fuse::depth) does it on the processor.

use opencv::Result;

use super::contrast::{reduce, window};
use super::session::Arg::{In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::fuse::depth::Kept;
use crate::core::plane::Plane;

/// What tells, beside the focus measure, whether a place is sharp in a frame.
pub struct Clues<'a> {
    /// How far surroundings are settled, at half the size.
    pub settled: &'a Buffer,
    /// The energy of detail of four pixels in a soft window, at a quarter of the
    /// size.
    pub coarse: &'a Buffer,
}

/// Searches the depth of each place, frame by frame, at half the size.
pub struct DepthSearch {
    best: Buffer,
    winner: Buffer,
    peak: Buffer,
    before: Buffer,
    after: Buffer,
    /// Focus measures of the last frame, of the one before it, and of the next.
    recent: [Buffer; 3],
    crisp: Buffer,
    /// Scratch.
    soft: [Buffer; 2],
    coarse: Buffer,
    /// The numbers of the frames as they came.
    frames: Vec<u16>,
}

impl DepthSearch {
    /// No frame yet, for a picture of `width`×`height` pixels.
    pub fn new(session: &Session, width: i32, height: i32) -> Result<Self> {
        let (w, h) = ((width + 1) / 2, (height + 1) / 2);
        let plane = |kind, value| session.filled(w, h, kind, [value; 4]);
        let zeros = || plane(Kind::Float, 0.0);
        let blank = || session.blank(w, h, Kind::Float);
        Ok(Self {
            best: plane(Kind::Float, -1.0)?,
            winner: plane(Kind::Short, 0.0)?,
            peak: zeros()?,
            before: zeros()?,
            after: zeros()?,
            recent: [zeros()?, zeros()?, blank()?],
            crisp: zeros()?,
            soft: [blank()?, blank()?],
            coarse: session.blank((w + 1) / 2, (h + 1) / 2, Kind::Float)?,
            frames: Vec::new(),
        })
    }

    /// Takes in the energy of the two finest levels of a frame's detail.
    pub fn look(&self, session: &Session, finest: &Buffer, coarser: &Buffer) -> Result<()> {
        let crisp = &self.crisp;
        let args = [
            In(finest),
            Size(finest),
            In(coarser),
            Out(crisp),
            Size(crisp),
        ];
        session.run("crisp", crisp.size(), &args)
    }

    /// Takes in the focus measure of the frame `index`, at full size. `mask` is
    /// the frame at half the size, unless it shows the scene everywhere.
    pub fn add(
        &mut self,
        session: &Session,
        index: u16,
        focus: &Buffer,
        clues: Option<&Clues>,
        mask: Option<&Buffer>,
    ) -> Result<()> {
        let [small, soft] = &self.soft;
        reduce(session, focus, small)?;
        window(session, small, soft)?;
        if let Some(clues) = clues {
            window(session, clues.coarse, &self.coarse)?;
        }
        let [last, last_but_one, next] = &self.recent;
        session.run(
            "keep",
            soft.size(),
            &[
                In(soft),
                Size(soft),
                In(&self.coarse),
                Size(&self.coarse),
                In(clues.map_or(soft, |clues| clues.settled)),
                Int(clues.is_some().into()),
                In(mask.unwrap_or(soft)),
                Int(mask.is_some().into()),
                Int(self.frames.len().try_into()?),
                Out(next),
                In(last),
                In(last_but_one),
                Out(&self.best),
                Out(&self.winner),
                Out(&self.peak),
                Out(&self.before),
                Out(&self.after),
            ],
        )?;
        self.frames.push(index);
        self.recent.rotate_right(1);
        Ok(())
    }

    /// What tells the depth of each place.
    pub fn finish(self, session: &Session) -> Result<Kept> {
        let plane = |buffer: &Buffer| -> Result<Plane> {
            Ok(Plane {
                width: buffer.width.try_into()?,
                height: buffer.height.try_into()?,
                data: session.download(buffer)?,
            })
        };
        Ok(Kept {
            winner: session.download(&self.winner)?,
            peak: plane(&self.peak)?,
            before: session.download(&self.before)?,
            after: session.download(&self.after)?,
            crisp: plane(&self.crisp)?,
            frames: self.frames,
        })
    }
}
