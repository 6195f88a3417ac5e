//! What near things spread over what lies behind them, taken off.
//!
//! Beside the outline of a near thing the scene behind it is sharp only in
//! frames in which that thing is out of focus, and its blur lies over the scene
//! like a veil: no frame shows what is there, and choosing among them leaves a
//! halo. But a fused picture and its depth tell what is in front, in which colour
//! and where: blurred as the lens blurs it, it is the veil, and what is behind
//! can be solved for. A frame is `veil + (1 − cover) · behind` in linear light
//! (Porter and Duff, "Compositing Digital Images", 1984), with the layers of the
//! scene laid over each other from the nearest to the farthest.
//!
//! How much a step in depth blurs is found by trying which blur explains the
//! frames. Which end of the stack is nearest shows twice: the outline between
//! two things belongs to the nearer one and is sharp where that is; and to lift
//! a veil that is none leads beyond what any frame shows.

mod cells;
mod evidence;
mod guided;
mod layers;
mod sheet;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::evidence::Sample;
use self::layers::{FAT, Layers, Scene};
pub use self::sheet::{Sheet, THICK, THIN, VALUES};
use super::KeepGoing;
use super::extreme::{disc, greatest, greatest_within, least_within};
use super::fuse::{Fused, softness};
use super::keep_going::check;
use super::plane::Plane;
use crate::Result;
use crate::vector::vectorised;

/// The most cells that a scene is looked at in.
const CELLS: usize = 1 << 19;
/// Depths that differ by more than these frames, and by more than this share of
/// the stack, belong to things of which one is in front of the other.
const GAP: f32 = 1.5;
const GAP_SHARE: f32 = 0.06;
/// The share of a picture that must be beside a jump in depth.
const EDGES: f32 = 0.01;
/// The least that is lifted, as a mean of linear light, to be worth a second
/// look at all frames.
const WORTH: f32 = 4e-4;
/// To be sure which end is nearest: how much more of what is lifted must lie beyond
/// what any frame shows if it is the other, as a share, and how many times as much;
const MORE: f32 = 0.05;
const TIMES: f32 = 1.5;
/// and how little outlines may say against it, which are easily misled.
const OUTLINE: f32 = 0.9;
/// Values from which light is cut off: of what is brighter no picture tells what
/// its blur is like.
const CLIPPED: f32 = 0.985;
/// The share of what is beside jumps in depth that such blur may reach: with more,
/// the picture that tells of veils is not to be believed.
const BLOOMED: f32 = 0.1;
/// Cells that such blur reaches at most.
const BLOOM: f32 = 10.0;
/// Pixels about a place whose values bound what may be behind a veil there.
const RANGE: usize = 16;

/// Pixels from one cell to the next in which a picture of this size is looked at: a
/// power of two.
pub fn step(width: usize, height: usize) -> usize {
    let mut step = 2;
    while width.div_ceil(step) * height.div_ceil(step) > CELLS {
        step *= 2;
    }
    step
}

/// Which end of a stack is nearest to the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Unveil {
    /// The one that the frames themselves tell, if they do; else nothing is taken off
    #[default]
    Auto,
    /// The first frame
    First,
    /// The last frame
    Last,
    /// Nothing is taken off
    Off,
}

/// The veils over the frames of a stack.
#[derive(Debug)]
pub struct Veil {
    layers: Layers,
    /// Pixels of the picture for a cell.
    step: usize,
    gap: f32,
    circle: f32,
    /// 1 where the blur of highlights may be: nothing is lifted there.
    bloom: Plane,
    /// The number of the last frame, where that is the nearest.
    reversed: Option<u16>,
    /// The least and greatest value about each cell.
    range: [[Plane; 2]; 3],
}

/// A scene in which something is in front of something else.
pub struct Depths {
    picture: [Plane; 3],
    depth: Plane,
    step: usize,
    last: u16,
    range: [[Plane; 2]; 3],
}

impl Depths {
    /// Of a picture that was fused of frames whose last number is `last`; `None`
    /// where nothing is clearly in front of anything.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn of(
        fused: &Fused,
        last: u16,
        smoothness: u8,
        keep_going: KeepGoing,
    ) -> Result<Option<Self>> {
        let [width, height] = fused.picture.size();
        let step = step(width, height);
        // It is at half the size already.
        let depth = match step.ilog2() {
            0 | 1 => fused.depth.clone(),
            halvings => (3..=halvings).fold(fused.depth.reduced(), |depth, _| depth.reduced()),
        };
        let depth = depth.surface(softness(smoothness), keep_going)?;
        check(keep_going)?;
        let mut found = Self {
            picture: Default::default(),
            depth,
            step,
            last,
            range: Default::default(),
        };
        let scene = found.scene(false);
        let jumps = scene.jumps(FAT);
        let edges = jumps.data.iter().filter(|&&jump| jump > scene.gap).count();
        let share = edges as f32 / jumps.data.len() as f32;
        tracing::debug!(share, "beside jumps in depth");
        if share < EDGES || last < 2 {
            return Ok(None);
        }
        // New memory takes long: all channels come into the same.
        let mut plane = Plane::default();
        for number in 0..3 {
            check(keep_going)?;
            fused.picture.channel_into(number, &mut plane);
            let mut small = plane.reduced();
            (2..step.ilog2() + 1).for_each(|_| small = small.reduced());
            found.picture[number] = small;
            found.range[number] = bounds(&plane, step);
        }
        Ok(Some(found))
    }

    /// Whether highlights lie beside so many jumps in depth that no frame can tell
    /// of veils.
    pub fn is_dazzled(&self) -> bool {
        self.scene(false).share_of_jumps(&self.bloom(0.0)) > BLOOMED
    }

    /// Columns and rows in which samples are wanted, and how many pixels of the
    /// picture it is from one to the next: the first is the picture's first pixel.
    pub fn grid(&self) -> ([usize; 2], usize) {
        ([self.depth.width, self.depth.height], self.step)
    }

    /// The veils of a lens that some frames of the stack tell of; `None` where
    /// they do not tell, or where there is too little to lift. Frames are given by
    /// their number, first to last.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn veil(
        self,
        nearest: Unveil,
        samples: &[(u16, [Plane; 3])],
        keep_going: KeepGoing,
    ) -> Result<Option<Veil>> {
        let side = |reversed: bool| {
            let scene = self.scene(reversed);
            let layers = scene.layers();
            let place = |index: u16| if reversed { self.last - index } else { index };
            let samples = samples.iter().map(|(index, channels)| Sample {
                place: f32::from(place(*index)),
                channels,
            });
            (scene, layers, samples.collect::<Vec<_>>())
        };
        let first = side(false);
        check(keep_going)?;
        // It is the same from both ends.
        let Some(circle) = evidence::circle(&first.0, &first.1, &first.2, keep_going)? else {
            return Ok(None);
        };
        let bloom = self.bloom(circle);
        let bloomed = first.0.share_of_jumps(&bloom);
        if nearest == Unveil::Auto && bloomed > BLOOMED {
            tracing::debug!(bloomed, "highlights bloom too far");
            return Ok(None);
        }
        let sides = [first, side(true)];
        let mut beyond = [[0.0; 2]; 2];
        for (beyond, (scene, layers, frames)) in beyond.iter_mut().zip(&sides) {
            *beyond = evidence::beyond(scene, layers, &bloom, circle, frames, keep_going)?;
        }
        let outline = evidence::outline(&sides[0].0);
        let [[first, _], [last, _]] = beyond;
        tracing::debug!(?beyond, outline, "which end is nearest");
        let is_sure = |own: f32, other: f32, outline: f32| {
            other - own > MORE && other > TIMES * own && outline > OUTLINE
        };
        let reversed = match nearest {
            Unveil::First => false,
            Unveil::Last => true,
            Unveil::Auto if is_sure(first, last, outline) => false,
            Unveil::Auto if is_sure(last, first, outline.recip()) => true,
            Unveil::Auto | Unveil::Off => return Ok(None),
        };
        let [_, amount] = beyond[usize::from(reversed)];
        let is_worth_it = amount > WORTH || nearest != Unveil::Auto;
        let [first, last] = sides.map(|(_, layers, _)| layers);
        Ok(is_worth_it.then(|| Veil {
            gap: self.gap(),
            step: self.step,
            reversed: reversed.then_some(self.last),
            range: self.range,
            layers: if reversed { last } else { first },
            bloom,
            circle,
        }))
    }

    /// Where highlights are that have no upper end, and what their blur reaches
    /// with this circle: 1, else 0.
    fn bloom(&self, circle: f32) -> Plane {
        let highest = self.range.each_ref().map(|[_, high]| high);
        let is_clipped = |i: usize| highest.iter().any(|high| high.data[i] >= CLIPPED);
        let cells = (0..self.depth.data.len()).map(|i| f32::from(u8::from(is_clipped(i))));
        let clipped = Plane {
            data: cells.collect(),
            ..self.depth
        };
        let reach = (circle * f32::from(self.last) / 2.0).min(BLOOM);
        greatest(&clipped, &disc(reach.round() as usize))
    }

    fn gap(&self) -> f32 {
        (GAP_SHARE * (f32::from(self.last) + 1.0)).max(GAP)
    }

    /// The scene with its depth from the nearest, which is the last frame if it
    /// is `reversed`.
    fn scene(&self, reversed: bool) -> Scene<'_> {
        let mut depth = self.depth.clone();
        if reversed {
            let last = f32::from(self.last);
            depth
                .data
                .iter_mut()
                .for_each(|depth| *depth = last - *depth);
        }
        Scene {
            picture: &self.picture,
            depth,
            step: self.step,
            gap: self.gap(),
            frames: usize::from(self.last) + 1,
        }
    }
}

impl Veil {
    /// Of a bright bar on the left before a dark ground, in `frames` frames: to
    /// measure with what lifting takes.
    pub fn of_a_bar(width: usize, height: usize, frames: u16) -> Self {
        let step = 2;
        let (columns, rows) = (width.div_ceil(step), height.div_ceil(step));
        let plane = |left: f32, right: f32| {
            let value = |i: usize| {
                if i % columns < columns / 2 {
                    left
                } else {
                    right
                }
            };
            Plane {
                width: columns,
                height: rows,
                data: (0..columns * rows).map(value).collect(),
            }
        };
        let last = f32::from(frames.saturating_sub(1));
        let scene = Scene {
            picture: &[0, 1, 2].map(|_| plane(0.8, 0.2)),
            depth: plane(0.0, last),
            step,
            gap: GAP,
            frames: usize::from(frames),
        };
        let range = || [plane(0.0, 0.0), plane(1.0, 1.0)];
        Self {
            layers: scene.layers(),
            step,
            gap: GAP,
            circle: 1.0,
            bloom: plane(0.0, 0.0),
            reversed: None,
            range: [range(), range(), range()],
        }
    }

    /// The radius that a step in depth blurs by, in pixels of the picture.
    pub fn circle(&self) -> f32 {
        self.circle * self.step as f32
    }

    /// Whether the last frame is the nearest.
    pub fn is_reversed(&self) -> bool {
        self.reversed.is_some()
    }

    /// The veil over the frame of this number.
    pub fn over(&self, index: u16) -> Sheet {
        let depth = match self.reversed {
            Some(last) => last.saturating_sub(index),
            None => index,
        };
        let depth = f32::from(depth);
        let veil = self.layers.seen(depth, self.gap, self.circle, 0);
        let mut cover = self.layers.cover(depth, self.gap);
        let cells = cover.data.iter_mut().zip(&self.bloom.data);
        cells.for_each(|(cover, bloom)| *cover = cover.max(*bloom));
        Sheet::new(&veil, &cover, &self.range, self.step)
    }
}

/// The least and greatest value of a plane about each cell of `step` pixels.
fn bounds(plane: &Plane, step: usize) -> [Plane; 2] {
    let (width, height) = (plane.width.div_ceil(step), plane.height.div_ceil(step));
    let near = (RANGE / step).max(1);
    let [mut low, mut high] = [0, 1].map(|_| Plane::new(width, height));
    let cells = low.data.par_chunks_mut(width);
    let cells = cells.zip(high.data.par_chunks_mut(width)).enumerate();
    let scratch = || [vec![0.0; plane.width], vec![0.0; plane.width]];
    cells.for_each_init(scratch, |[least, most], (y, (low, high))| {
        let rows = y * step..((y + 1) * step).min(plane.height);
        least.copy_from_slice(plane.row(rows.start));
        most.copy_from_slice(plane.row(rows.start));
        for row in rows.skip(1) {
            widen(plane.row(row), least, most);
        }
        for (x, part) in least.chunks(step).enumerate() {
            low[x] = part.iter().copied().fold(f32::INFINITY, f32::min);
        }
        for (x, part) in most.chunks(step).enumerate() {
            high[x] = part.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        }
    });
    [least_within(&low, near), greatest_within(&high, near)]
}

/// Makes room for these values between the least and the most.
fn widen(values: &[f32], least: &mut [f32], most: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for ((value, least), most) in values.iter().zip(least).zip(most) {
                *least = least.min(*value);
                *most = most.max(*value);
            }
        },
    );
}
