//! What a blend of levels looks at in a frame, as
//! [`fuse::work`](crate::core::fuse::work) does it on the processor.

use opencv::Result;

use super::contrast::{Spread, window};
use super::depth::Clues;
use super::fill::fill;
use super::frame::Frame;
use super::session::Arg::{In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};

/// Levels of detail that are looked at, whatever the fusion has: depth needs them.
const LEAST: usize = 3;

/// Room for what is found in one frame, used for all of them in turn.
pub struct Work {
    /// The frame at half the size, a quarter, and so on; the mask with it.
    pub below: Vec<Buffer>,
    /// The energy of each level of detail.
    pub energies: Vec<Buffer>,
    /// That of the second level and of the third in a soft window.
    soft: [Buffer; 2],
    /// The contrast in windows of several sizes.
    pub spread: Spread,
}

impl Work {
    /// Room for a picture of this size with `count` levels of detail.
    pub fn new(session: &Session, width: i32, height: i32, count: usize) -> Result<Self> {
        let count = count.max(LEAST);
        let (mut w, mut h) = (width, height);
        let (mut below, mut energies) = (Vec::new(), Vec::new());
        // What is hidden is filled from levels that end later.
        while below.len() < count || w.max(h) > 2 {
            if below.len() < count {
                energies.push(session.blank(w, h, Kind::Float)?);
            }
            (w, h) = ((w + 1) / 2, (h + 1) / 2);
            below.push(session.blank(w, h, Kind::Float4)?);
        }
        let like = |plane: &Buffer| session.blank(plane.width, plane.height, Kind::Float);
        Ok(Self {
            soft: [like(&energies[1])?, like(&energies[2])?],
            below,
            energies,
            spread: Spread::new(session, width, height)?,
        })
    }

    /// Looks at all levels of a frame with this noise, and fills what it does not
    /// show unless it is `whole`. Windows are of the root of the energy where
    /// `is_root` says so.
    pub fn look(
        &self,
        session: &Session,
        frame: &Frame,
        whole: bool,
        noise: f32,
        is_root: bool,
    ) -> Result<()> {
        let pixels = &frame.pixels;
        if !whole {
            fill(session, pixels, &self.below)?;
        }
        frame.halve(session, &self.below[0])?;
        let levels = || std::iter::once(pixels).chain(&self.below).zip(&self.below);
        for (fine, coarse) in levels().take(self.energies.len()).skip(1) {
            let args = [In(fine), Size(fine), Out(coarse), Size(coarse)];
            session.run("reduce_float4", coarse.size(), &args)?;
        }
        for ((fine, coarse), energy) in levels().zip(&self.energies).skip(1) {
            let args = [In(fine), Size(fine), In(coarse), Size(coarse), Out(energy)];
            session.run("energy", fine.size(), &args)?;
        }
        for (energy, soft) in self.energies[1..].iter().zip(&self.soft) {
            window(session, energy, soft)?;
        }
        let (half, finest) = (&self.below[0], &self.energies[0]);
        session.run(
            "finest",
            pixels.size(),
            &[
                In(pixels),
                Size(pixels),
                In(half),
                Size(half),
                In(&self.soft[0]),
                Out(finest),
                Out(&self.spread.energy),
                Int(is_root.into()),
            ],
        )?;
        self.spread.look(session, noise, is_root)
    }

    /// What tells of the depth of the frame looked at.
    pub fn clues(&self) -> Clues<'_> {
        Clues {
            settled: &self.spread.settled,
            coarse: &self.soft[1],
        }
    }

    /// The mask of the frame looked at, at half the size, unless it is `whole`.
    pub fn mask(&self, whole: bool) -> Option<&Buffer> {
        self.below.first().filter(|_| !whole)
    }
}
