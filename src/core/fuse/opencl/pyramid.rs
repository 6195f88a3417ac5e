//! Fusion by Laplacian pyramid on the device, as
//! [`fuse::pyramid`](crate::core::fuse::pyramid) does it on the processor.

use opencv::Result;

use super::Rest;
use super::contrast::{reduce, window};
use super::frame::Frame;
use super::range::Ranges;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::worker::{Accumulator, Finish, collapse, download, normalise};
use crate::core::KeepGoing;
use crate::core::fuse::prefer::Bias;
use crate::core::fuse::pyramid::{BIASED, NOBODY, calmness, windows};
use crate::core::fuse::softness::softness;
use crate::core::fuse::{DepthMap, Fused, Options, levels};

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
    /// Scratch, of the size of the finest level: energy, and in one more window.
    energy: [Buffer; 2],
    /// What the finest level's energy is calmed by: half the size of it, twice,
    /// and the energy at which half is replaced.
    calm: Option<([Buffer; 2], f32)>,
    /// What is left below the last level, weighted, and the weight.
    base: Buffer,
    range: Option<Ranges>,
    bias: Bias,
    windows: usize,
    width: i32,
    height: i32,
}

impl Pyramid {
    /// Nothing added yet.
    pub fn new(session: &Session, options: &Options, width: usize, height: usize) -> Result<Self> {
        let count = levels::count(width, height, options.levels);
        let subsampled = options.is_subsampled(width, height);
        let (width, height) = (i32::try_from(width)?, i32::try_from(height)?);
        let (mut w, mut h) = (width, height);
        let (mut levels, mut coarser) = (Vec::new(), Vec::new());
        for _ in 0..count {
            levels.push(Level {
                best: session.filled(w, h, Kind::Float4, nobody())?,
                index: session.filled(w, h, Kind::Short, [0.0; 4])?,
            });
            (w, h) = ((w + 1) / 2, (h + 1) / 2);
            coarser.push(session.blank(w, h, Kind::Float4)?);
        }
        let half = || session.blank((width + 1) / 2, (height + 1) / 2, Kind::Float);
        let calm = match calmness(options.noise) {
            0.0 => None,
            calmness => Some(([half()?, half()?], calmness)),
        };
        let plane = || session.blank(width, height, Kind::Float);
        let range = || Ranges::new(session, width, height, subsampled);
        Ok(Self {
            levels,
            coarser,
            energy: [plane()?, plane()?],
            calm,
            base: session.filled(w, h, Kind::Float4, [0.0; 4])?,
            range: options.clamp.then(range).transpose()?,
            bias: Bias::new(options.prefer, options.frames),
            windows: windows(softness(options.smoothness)),
            width,
            height,
        })
    }

    /// Gathers the energy of a level from the windows about each position. Where
    /// it is squared comes first; gives where it is then.
    fn gather(&self, session: &Session, number: usize, size: &Buffer) -> Result<&Buffer> {
        let [mut energy, mut soft] = self.energy.each_ref();
        for _ in 0..self.windows {
            let args = [In(energy), Out(soft), Size(size)];
            session.run("window", size.size(), &args)?;
            (energy, soft) = (soft, energy);
        }
        if number == 0 {
            self.calm(session, energy)?;
        }
        Ok(energy)
    }

    /// Replaces faint energy of the finest level by that of its surroundings, if
    /// it is to be calmed.
    fn calm(&self, session: &Session, energy: &Buffer) -> Result<()> {
        let Some(([around, soft], calmness)) = &self.calm else {
            return Ok(());
        };
        reduce(session, energy, around)?;
        window(session, around, soft)?;
        let half_at = Floats([*calmness, 0.0, 0.0, 0.0]);
        let args = [Out(energy), Size(energy), In(soft), Size(soft), half_at];
        session.run("calm", energy.size(), &args)
    }
}

fn nobody() -> [f32; 4] {
    [0.0, 0.0, 0.0, NOBODY]
}

impl Accumulator for Pyramid {
    fn add(&mut self, session: &Session, index: u16, frame: &Frame, _whole: bool) -> Result<()> {
        if let Some(range) = &self.range {
            range.add(session, frame)?;
        }
        let mut fine = &frame.pixels;
        let mut energy = (&self.energy[0], [0, 0]);
        let mut factor = Floats([1.0, 0.0, 0.0, 0.0]);
        for (number, (level, coarse)) in self.levels.iter().zip(&self.coarser).enumerate() {
            let size = fine.size();
            if number == 0 {
                frame.halve(session, coarse)?;
                if let Some(range) = &self.range {
                    range.add_half(session, coarse)?;
                }
            } else {
                let args = [In(fine), Size(fine), Out(coarse), Size(coarse)];
                session.run("reduce_float4", coarse.size(), &args)?;
            }
            session.run(
                "split",
                size,
                &[
                    Out(fine),
                    Size(fine),
                    In(coarse),
                    Size(coarse),
                    Out(&self.energy[0]),
                ],
            )?;
            energy = (self.gather(session, number, fine)?, size);
            let is_biased = number < BIASED;
            let own = if is_biased {
                self.bias.factor(index)
            } else {
                1.0
            };
            factor = Floats([own, 0.0, 0.0, 0.0]);
            session.run(
                "take",
                size,
                &[
                    In(fine),
                    In(energy.0),
                    Size(fine),
                    Int(index.into()),
                    factor,
                    Out(&level.best),
                    Out(&level.index),
                ],
            )?;
            fine = coarse;
        }
        let (energy, [width, height]) = energy;
        session.run(
            "base",
            fine.size(),
            &[
                In(fine),
                Size(fine),
                In(energy),
                Int(width),
                Int(height),
                factor,
                Out(&self.base),
            ],
        )
    }

    fn finish(self, session: &Session) -> Result<Finish> {
        let Self {
            levels,
            coarser,
            energy,
            calm,
            base,
            range,
            width,
            height,
            ..
        } = self;
        drop((coarser, energy, calm));
        let index = session.filled(width, height, Kind::Short, [0.0; 4])?;
        let confidence = session.filled(width, height, Kind::Byte, [0.0; 4])?;
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
        normalise(session, &base)?;
        let mut coarse = base;
        for (number, level) in levels.into_iter().enumerate().rev() {
            collapse(session, &level.best, &coarse)?;
            coarse = level.best;
            if let (1, Some(range)) = (number, &range) {
                range.hold_half(session, &coarse)?;
            }
        }
        if let Some(range) = &range {
            range.hold(session, &coarse)?;
        }
        let picture = download(session, &coarse)?;
        let index: Vec<u16> = session.download(&index)?;
        let confidence: Vec<u8> = session.download(&confidence)?;
        let [width, height] = picture.size();
        let rest: Rest = Box::new(move |_: KeepGoing| {
            Ok(Fused {
                picture,
                depth: DepthMap::of_index(&index, &confidence, width, height),
                index,
                confidence,
                alpha: None,
            })
        });
        Ok(rest.into())
    }
}
