//! Fusion by a pyramid weighted by the finest contrast on the device, as
//! [`fuse::hybrid`](crate::core::fuse::hybrid) does it on the processor.

use std::sync::Arc;

use opencv::Result;

use super::contrast::{Sharpest, reduce};
use super::frame::Frame;
use super::range::Ranges;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::work::Work;
use super::worker::{Accumulator, Finish, collapse, download, normalise};
use crate::core::fuse::depth::telling;
use crate::core::fuse::hybrid::{CLEAR, HIDING, OWN_FLOOR, floor, power};
use crate::core::fuse::prefer::Bias;
use crate::core::fuse::softness::softness;
use crate::core::fuse::{Options, levels};
use crate::core::noise::believable;
use crate::core::veil::{VALUES, Veil};

/// Accumulates frames, level by level, weighted by their finest contrast.
pub struct Hybrid {
    /// Full size first; the last one is no detail but the rest.
    levels: Vec<Buffer>,
    /// All below the finest level in one.
    close: Buffer,
    range: Option<Ranges>,
    sharpest: Sharpest,
    work: Work,
    /// What is lifted off the frames first, and memory for that over one.
    veil: Option<Arc<Veil>>,
    sheet: Option<Buffer>,
    /// The standing at each level but the finest.
    standings: Vec<Buffer>,
    noise: f32,
    bias: Bias,
    power: f32,
    floor: f32,
}

impl Hybrid {
    /// Nothing added yet, of frames that what is in front lays this veil over, if any.
    pub fn new(
        session: &Session,
        options: &Options,
        veil: Option<Arc<Veil>>,
        width: usize,
        height: usize,
    ) -> Result<Self> {
        let count = levels::count(width, height, options.levels);
        // Of what lies behind a veil there is no half size before it is lifted.
        let subsampled = veil.is_none() && options.is_subsampled(width, height);
        let (width, height) = (i32::try_from(width)?, i32::try_from(height)?);
        let sum = |w, h| session.filled(w, h, Kind::Float4, [0.0; 4]);
        let mut levels = vec![sum(width, height)?];
        let mut standings = Vec::new();
        let (mut w, mut h) = (width, height);
        for _ in 0..count {
            (w, h) = ((w + 1) / 2, (h + 1) / 2);
            levels.push(sum(w, h)?);
            standings.push(session.blank(w, h, Kind::Float)?);
        }
        let range = || Ranges::new(session, width, height, subsampled);
        Ok(Self {
            levels,
            close: sum((width + 1) / 2, (height + 1) / 2)?,
            range: options.clamp.then(range).transpose()?,
            sharpest: Sharpest::new(session, width, height, telling(options.noise))?,
            work: Work::new(session, width, height, count)?,
            veil,
            sheet: None,
            standings,
            noise: believable(options.noise),
            bias: Bias::new(options.prefer, options.frames),
            power: power(softness(options.smoothness)),
            floor: floor(options.noise_strength),
        })
    }

    /// Lifts the veil off a frame, if there is one.
    fn lift(&mut self, session: &Session, index: u16, frame: &Buffer) -> Result<()> {
        let Some(veil) = &self.veil else {
            return Ok(());
        };
        let sheet = session.stages.time("veil", || veil.over(index));
        let columns = i32::try_from(sheet.width)?;
        let rows = i32::try_from(sheet.places.len() / sheet.width)?;
        let places = sheet.places.as_flattened();
        let width = columns * i32::try_from(VALUES)?;
        let places = session.upload(places, width, rows, self.sheet.take())?;
        session.run(
            "lift",
            frame.size(),
            &[
                Out(frame),
                Size(frame),
                In(&places),
                Int(columns),
                Int(rows),
                Int(i32::try_from(sheet.step)?),
            ],
        )?;
        self.sheet = Some(places);
        Ok(())
    }

    /// Finds the contrast of the frame looked at, which is `index`, lets it win,
    /// and finds its standing at all levels.
    fn stand(&mut self, session: &Session, index: u16, frame: &Buffer, whole: bool) -> Result<()> {
        let Work {
            below,
            energies,
            spread,
            ..
        } = &self.work;
        let Sharpest {
            best,
            index: winner,
            depth,
            ..
        } = &mut self.sharpest;
        let factor = self.bias.factor(index);
        let scale = 1.0 / (self.floor * self.noise);
        session.run(
            "stand",
            frame.size(),
            &[
                Out(&spread.near),
                Out(&spread.energy),
                Size(frame),
                In(&spread.rest),
                In(&spread.settled),
                In(frame),
                In(&below[0]),
                Size(&below[0]),
                Int((!whole).into()),
                Int(index.into()),
                Floats([factor, scale, 0.0, 0.0]),
                Int(self.veil.is_some().into()),
                Out(best),
                Out(winner),
            ],
        )?;
        depth.look(session, &energies[0], &energies[1])?;
        let (clues, mask) = (self.work.clues(), self.work.mask(whole));
        depth.add(session, index, &spread.near, Some(&clues), mask)?;
        let mut fine = &spread.energy;
        for coarse in &self.standings {
            reduce(session, fine, coarse)?;
            fine = coarse;
        }
        Ok(())
    }
}

impl Accumulator for Hybrid {
    fn add(&mut self, session: &Session, index: u16, frame: &Frame, whole: bool) -> Result<()> {
        self.lift(session, index, &frame.pixels)?;
        if let Some(range) = &self.range {
            range.add(session, frame)?;
        }
        let is_root = self.veil.is_some();
        self.work.look(session, frame, whole, self.noise, is_root)?;
        if let Some(range) = &self.range {
            range.add_half(session, &self.work.below[0])?;
        }
        let frame = &frame.pixels;
        self.stand(session, index, frame, whole)?;
        let Work {
            below,
            energies,
            spread,
            ..
        } = &self.work;
        let own = 1.0 / (OWN_FLOOR * self.noise);
        let fine = std::iter::once(frame).chain(below);
        let standings = std::iter::once(&spread.energy).chain(&self.standings);
        for (number, ((sum, fine), standing)) in
            self.levels.iter().zip(fine).zip(standings).enumerate()
        {
            let is_detail = number + 1 < self.levels.len();
            // There are as many energies as details, and three at least: the rest
            // below all detail may have none.
            let energy = energies.get(number).unwrap_or(standing);
            let coarse = below.get(number).unwrap_or(fine);
            session.run(
                "gather",
                fine.size(),
                &[
                    In(fine),
                    In(standing),
                    In(energy),
                    Size(fine),
                    In(coarse),
                    Size(coarse),
                    Int(is_detail.into()),
                    Floats([self.floor / CLEAR, self.power, own, 0.0]),
                    Out(sum),
                    Out(&self.close),
                    Int((number == 1).into()),
                ],
            )?;
        }
        Ok(())
    }

    fn finish(self, session: &Session) -> Result<Finish> {
        let Self {
            mut levels,
            close,
            range,
            sharpest,
            work,
            noise,
            ..
        } = self;
        let [share, scratch] = [&work.spread.rest, &work.spread.settled];
        let mut coarse: Option<&Buffer> = None;
        for (number, fine) in levels.iter().enumerate().rev() {
            normalise(session, fine)?;
            if let Some(coarse) = coarse {
                collapse(session, fine, coarse)?;
            }
            if number == 1 {
                normalise(session, &close)?;
                sharpest.beyond(session, HIDING * noise, [share, scratch])?;
                let args = [Out(fine), In(&close), In(share), Size(fine)];
                session.run("mix_in", fine.size(), &args)?;
                if let Some(range) = &range {
                    range.hold_half(session, fine)?;
                }
            }
            coarse = Some(fine);
        }
        let picture = levels.swap_remove(0);
        if let Some(range) = &range {
            range.hold(session, &picture)?;
        }
        drop(work);
        sharpest.fused(session, move |session| download(session, &picture))
    }
}
