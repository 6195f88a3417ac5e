//! Fusion by Laplacian pyramid on the device, as
//! [`fuse::pyramid`](crate::core::fuse::pyramid) does it on the processor.

use opencv::Result;
use opencv::core::Scalar;

use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::{Accumulator, picture};
use crate::core::fuse::levels;
use crate::core::fuse::pyramid::{NOBODY, calmness};
use crate::core::fuse::{Fused, range};

/// The winners so far at one level.
struct Level {
    /// Red, green and blue of the detail, and the energy that won.
    best: Buffer,
    index: Buffer,
}

/// Accumulates the sharpest detail of the frames, level by level.
pub struct Pyramid {
    levels: Vec<Level>,
    /// The levels of a frame below its finest, one for each of `levels`.
    coarser: Vec<Buffer>,
    /// Scratch, of the size of the finest level.
    squared: Buffer,
    energy: Buffer,
    /// What the finest level's energy is calmed by: half the size of it, twice,
    /// and the energy at which half is replaced.
    calm: Option<([Buffer; 2], f32)>,
    /// What is left below the last level, weighted, and the weight.
    base: Buffer,
    low: Buffer,
    high: Buffer,
    width: i32,
    height: i32,
}

impl Pyramid {
    /// Nothing added yet; for `noise` see [`noise`](crate::core::noise::noise).
    pub fn new(
        session: &Session,
        width: usize,
        height: usize,
        count: Option<usize>,
        noise: f32,
    ) -> Result<Self> {
        let count = levels::count(width, height, count);
        let (width, height) = (i32::try_from(width)?, i32::try_from(height)?);
        let (mut w, mut h) = (width, height);
        let (mut levels, mut coarser) = (Vec::new(), Vec::new());
        for _ in 0..count {
            levels.push(Level {
                best: session.filled(w, h, Kind::Float4, nobody())?,
                index: session.filled(w, h, Kind::Short, Scalar::all(0.0))?,
            });
            (w, h) = ((w + 1) / 2, (h + 1) / 2);
            coarser.push(session.blank(w, h, Kind::Float4)?);
        }
        let block = range::BLOCK as i32;
        let (columns, rows) = ((width + block - 1) / block, (height + block - 1) / block);
        let most = f64::from(f32::MAX);
        let half = || session.blank((width + 1) / 2, (height + 1) / 2, Kind::Float);
        let calm = match calmness(noise) {
            0.0 => None,
            calmness => Some(([half()?, half()?], calmness)),
        };
        Ok(Self {
            levels,
            coarser,
            squared: session.blank(width, height, Kind::Float)?,
            energy: session.blank(width, height, Kind::Float)?,
            calm,
            base: session.filled(w, h, Kind::Float4, Scalar::all(0.0))?,
            low: session.filled(columns, rows, Kind::Float4, Scalar::all(most))?,
            high: session.filled(columns, rows, Kind::Float4, Scalar::all(-most))?,
            width,
            height,
        })
    }

    /// Replaces faint energy of the finest level by that of its surroundings, if
    /// it is to be calmed.
    fn calm(&self, session: &Session) -> Result<()> {
        let Some(([around, soft], calmness)) = &self.calm else {
            return Ok(());
        };
        let energy = &self.energy;
        let args = [In(energy), Size(energy), Out(around), Size(around)];
        session.run("reduce_float", around.size(), &args)?;
        let args = [In(around), Out(soft), Size(around)];
        session.run("window", around.size(), &args)?;
        let half_at = Floats([*calmness, 0.0, 0.0, 0.0]);
        let args = [Out(energy), Size(energy), In(soft), Size(soft), half_at];
        session.run("calm", energy.size(), &args)
    }
}

fn nobody() -> Scalar {
    Scalar::new(0.0, 0.0, 0.0, f64::from(NOBODY))
}

impl Accumulator for Pyramid {
    fn add(&mut self, session: &Session, index: u16, frame: &Buffer) -> Result<()> {
        session.run(
            "range",
            self.low.size(),
            &[
                In(frame),
                Size(frame),
                Out(&self.low),
                Out(&self.high),
                Size(&self.low),
            ],
        )?;
        let mut fine = frame;
        let mut energy = [0, 0];
        for (number, (level, coarse)) in self.levels.iter().zip(&self.coarser).enumerate() {
            let size = fine.size();
            session.run(
                "reduce_float4",
                coarse.size(),
                &[In(fine), Size(fine), Out(coarse), Size(coarse)],
            )?;
            session.run(
                "split",
                size,
                &[
                    Out(fine),
                    Size(fine),
                    In(coarse),
                    Size(coarse),
                    Out(&self.squared),
                ],
            )?;
            session.run(
                "window",
                size,
                &[In(&self.squared), Out(&self.energy), Size(fine)],
            )?;
            if number == 0 {
                self.calm(session)?;
            }
            session.run(
                "take",
                size,
                &[
                    In(fine),
                    In(&self.energy),
                    Size(fine),
                    Int(index.into()),
                    Out(&level.best),
                    Out(&level.index),
                ],
            )?;
            energy = size;
            fine = coarse;
        }
        session.run(
            "base",
            fine.size(),
            &[
                In(fine),
                Size(fine),
                In(&self.energy),
                Int(energy[0]),
                Int(energy[1]),
                Out(&self.base),
            ],
        )
    }

    fn finish(self, session: &Session) -> Result<Fused> {
        let Self {
            levels,
            coarser,
            squared,
            energy,
            calm,
            base,
            low,
            high,
            width,
            height,
        } = self;
        drop((coarser, energy, calm));
        let index = session.filled(width, height, Kind::Short, Scalar::all(0.0))?;
        let confidence = session.filled(width, height, Kind::Byte, Scalar::all(0.0))?;
        for (number, level) in levels.iter().enumerate().rev() {
            session.run(
                "origin",
                [width, height],
                &[
                    In(&level.best),
                    In(&level.index),
                    Size(&level.best),
                    Int(number.try_into()?),
                    Int((number + 1 == levels.len()).into()),
                    Out(&index),
                    Out(&confidence),
                    Size(&index),
                ],
            )?;
        }
        session.run("normalise", base.size(), &[Out(&base), Size(&base)])?;
        let mut coarse = base;
        for level in levels.into_iter().rev() {
            let fine = level.best;
            session.run(
                "collapse",
                fine.size(),
                &[Out(&fine), Size(&fine), In(&coarse), Size(&coarse)],
            )?;
            coarse = fine;
        }
        session.run(
            "hold",
            coarse.size(),
            &[Out(&coarse), Size(&coarse), In(&low), In(&high), Size(&low)],
        )?;
        picture(session, &coarse, &squared, &index, &confidence)
    }
}
