//! Fusion by Laplacian pyramid.
//!
//! Each frame is split into levels of detail (Burt and Adelson, 1983). At each
//! position of each level one frame wins: the one whose detail has the most
//! energy in a small window (Burt and Kolczynski, 1993), or in a larger one
//! where it is as faint as noise. Its detail is taken for all three channels at
//! once, so that no colour arises that no frame has. What is left below the
//! last level is a mean in which frames weigh by the energy they have there:
//! taking a maximum would favour bright frames.

use std::ops::Range;

use rayon::iter::repeat_n;
use rayon::prelude::*;

use super::brought::{Coloured, Source, Subsampled};
use super::contrast::{rise, squares};
use super::cover::Cover;
use super::finest::{Finest, Taker};
use super::levels::{self, Detail, DetailRow};
use super::number::{Number, Root};
use super::prefer::Bias;
use super::ranges::{AllSeen, Ranges};
use super::tiles::{Pane, Tiles};
use super::weighted::Weighted;
use super::work::Spare;
use super::{Accumulator, DepthMap, Fused, OfPlanes, Picture};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::noise::believable;
use crate::core::plane::{BAND, Plane};
use crate::core::rows::Rows;
use crate::core::subsampled::Planes;
use crate::core::warp::{Placed, Warped};
use crate::vector::vectorised;

/// No winner yet: less than any frame's energy, covered or not.
pub const NOBODY: f32 = -2.0;
/// Energy below which a level is taken to show noise: half a level of eight
/// bits, squared.
pub const NOISE: f32 = (0.5 / 255.0) * (0.5 / 255.0);
/// Noise from which the finest level is judged with regard to it: a level of
/// eight bits, squared.
const NOISY: f32 = (1.0 / 255.0) * (1.0 / 255.0);
/// Energy in a larger window at which a small one counts half, for noise of 1.
const CALM: f32 = 30.0;
/// The finest levels, where two depths can both be sharp: a preference counts
/// there. In coarser ones it would take the blur of the preferred depth for
/// detail.
pub const BIASED: usize = 2;

/// The winners so far at one level, whose detail is kept in numbers of this kind.
#[derive(Debug, Clone)]
struct Level<D = f32, const N: usize = 3> {
    detail: [Vec<D>; N],
    energy: Plane,
    index: Vec<u16>,
}

/// Accumulates the sharpest detail of the frames, level by level: of red, green and
/// blue, or of grey at the finest level and of all three below it.
#[derive(Debug, Clone)]
pub struct Pyramid<const N: usize = 3> {
    /// The finest level, which holds most of the memory, where there are more: it is
    /// looked at in strips.
    finest: Option<Level<Root, N>>,
    /// The levels below it, or the only one, which may be the last as well: then all
    /// of it is needed.
    levels: Vec<Level>,
    /// What the frames are below the last level.
    base: Weighted,
    range: Ranges<N>,
    cover: Cover,
    bias: Bias,
    clamp: bool,
    /// See [`windows`].
    windows: usize,
    /// For the finest level, see [`calmness`].
    calm: f32,
    work: Work<N>,
}

/// What is looked at in a frame, kept for the next for its memory.
#[derive(Debug, Default)]
struct Work<const N: usize> {
    strips: Spare<Finest<N>>,
    /// The frame at half the size, a quarter, and so on.
    below: Vec<[Plane; 3]>,
    /// The energy of a level of detail, and the same in a window.
    energies: [Plane; 2],
}

impl<const N: usize> Clone for Work<N> {
    /// There is nothing in it between two frames.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Windows about each position that its energy is gathered from, one in another,
/// for a result that is as many times softer; see
/// [`softness`](super::softness::softness).
pub fn windows(softness: f32) -> usize {
    softness.round() as usize
}

/// The energy at which a small window counts half in the choice of the finest
/// level, for frames with this noise; 0 where it does not matter.
pub fn calmness(noise: f32) -> f32 {
    let noise = believable(noise);
    if noise < NOISY { 0.0 } else { CALM * noise }
}

impl<const N: usize> Pyramid<N> {
    /// Nothing added yet; for `count` see [`levels::count`], for `noise`
    /// [`noise`](crate::core::noise::noise).
    pub fn new(width: usize, height: usize, count: Option<usize>, noise: f32) -> Self {
        let count = levels::count(width, height, count);
        let sizes = levels::sizes(width, height, count);
        let (w, h) = sizes[count];
        let finest = (count > 1).then(|| Level::new(width, height));
        let below = sizes[..count].iter().skip(usize::from(count > 1));
        Self {
            finest,
            levels: below.map(|&(w, h)| Level::new(w, h)).collect(),
            base: Weighted::new(w, h),
            range: Ranges::new(width, height),
            cover: Cover::default(),
            bias: Bias::default(),
            clamp: true,
            windows: 1,
            calm: calmness(noise),
            work: Work::default(),
        }
    }

    /// The same, as many times softer; see
    /// [`softness`](super::softness::softness).
    pub fn softer(self, softness: f32) -> Self {
        Self {
            windows: windows(softness),
            ..self
        }
    }

    /// The same with a preference, held within the range of its sources or not.
    pub fn tuned(self, bias: Bias, clamp: bool) -> Self {
        Self {
            bias,
            clamp,
            ..self
        }
    }
}

impl<const N: usize> Pyramid<N> {
    /// Adds a frame to the finest level in strips, and to those below, where there are
    /// any.
    fn blend(&mut self, index: u16, frame: &impl Source<N>, keep_going: KeepGoing) -> Result<()> {
        let mask = frame.mask();
        self.cover.add(mask);
        let below_mask = mask.map(Plane::reduced);
        let support = support(mask, below_mask.as_ref());
        check(keep_going)?;
        let Self {
            finest: Some(finest),
            levels,
            range,
            bias,
            clamp,
            calm,
            work: Work { strips, below, .. },
            ..
        } = self
        else {
            return Ok(());
        };
        let Plane { width, height, .. } = finest.energy;
        below.resize_with(1 + levels.len(), Default::default);
        let half = &mut below[0];
        let halved = |plane: &mut Plane| plane.reshape(width.div_ceil(2), height.div_ceil(2));
        half.iter_mut().for_each(halved);
        let tiles = Tiles::of(width, height);
        let slack = frame.colours().map_or(0.0, |planes| planes.tones.slack);
        let ranges = range.tiled(&tiles, slack);
        let halves = half.each_mut().map(|plane| &mut plane.data[..]);
        let halves = tiles.panes_of(halves, 1);
        let parts = finest.tiled(&tiles).into_iter().zip(ranges).zip(halves);
        let (half_mask, support) = (below_mask.as_ref(), support.as_ref());
        let parts = parts.map(|((best, range), half)| Part {
            index,
            bias: *bias,
            masks: [mask, half_mask],
            support,
            best,
            range: clamp.then_some(range),
            half,
        });
        let parts: Vec<_> = parts.collect();
        let ways = (self.windows, *calm);
        let all = tiles.list().into_par_iter().zip(parts);
        all.try_for_each(|(tile, mut part)| {
            strips.with(|strip| strip.look(tile, frame, ways, keep_going, &mut part))
        })?;
        self.blend_from(1, index, &Default::default(), below_mask, keep_going)
    }

    /// Adds a frame to the level `first` and to those below; what it is at half the
    /// size is known unless that is the `finest`.
    fn blend_from(
        &mut self,
        first: usize,
        index: u16,
        finest: &[Plane; 3],
        mut mask: Option<Plane>,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let Work {
            below,
            energies: [energy, soft],
            ..
        } = &mut self.work;
        below.resize_with(first + self.levels.len(), Default::default);
        for (number, level) in (first..).zip(&mut self.levels) {
            check(keep_going)?;
            let (above, coarse) = below.split_at_mut(number);
            let channels = above.last().unwrap_or(finest);
            let pairs = channels.iter().zip(&mut coarse[0]);
            pairs.for_each(|(fine, coarse)| fine.reduce_into(coarse));
            let detail = Detail::new(channels, Some(&coarse[0]));
            check(keep_going)?;
            squares(&detail, energy);
            for _ in 0..self.windows {
                check(keep_going)?;
                energy.window_into(soft);
                std::mem::swap(energy, soft);
            }
            if number == 0 && self.calm > 0.0 {
                calm(energy, self.calm);
            }
            if number < BIASED {
                self.bias.apply(index, &mut energy.data);
            }
            let below_mask = mask.as_ref().map(Plane::reduced);
            let support = support(mask.as_ref(), below_mask.as_ref());
            check(keep_going)?;
            let rank = |y: usize, rank: &mut [f32]| rank.copy_from_slice(energy.row(y));
            level.take(index, &detail, support.as_ref(), rank);
            mask = below_mask;
        }
        let energy = (!self.levels.is_empty()).then(|| energy.reduced());
        let channels = below.last().unwrap_or(finest);
        self.base.add(channels, |i| {
            let shown = match &mask {
                Some(mask) if mask.data[i] < 0.999 => 1e-4 * mask.data[i],
                _ => 1.0,
            };
            let energy = energy
                .as_ref()
                .map_or(0.0, |energy| energy.data[i].max(0.0));
            // A frame that shows hardly anything here still counts where no
            // other shows more.
            (shown + 1e-6) * (energy + NOISE)
        });
        Ok(())
    }

    /// For each pixel the winner at the finest level that shows more than noise
    /// there, and how far it stands out.
    fn index_map(&self) -> (Vec<u16>, Vec<u8>) {
        let finest = self
            .finest
            .iter()
            .map(|level| (&level.energy, &level.index));
        let below = self
            .levels
            .iter()
            .map(|level| (&level.energy, &level.index));
        let levels: Vec<_> = finest.chain(below).collect();
        let Some((Plane { width, height, .. }, _)) = levels.first() else {
            let (width, height) = self.base.size();
            return (vec![0; width * height], vec![0; width * height]);
        };
        let mut index = vec![0u16; width * height];
        let mut confidence = vec![0u8; width * height];
        index
            .par_chunks_mut(*width)
            .zip(confidence.par_chunks_mut(*width))
            .enumerate()
            .for_each(|(y, (index, confidence))| {
                for x in 0..*width {
                    for (l, (energy, winner)) in levels.iter().enumerate() {
                        let row = (y >> l).min(energy.height - 1);
                        let at = row * energy.width + (x >> l).min(energy.width - 1);
                        let ratio = (energy.data[at].max(0.0) / (16.0 * NOISE)).sqrt();
                        if ratio >= 1.0 || l + 1 == levels.len() {
                            index[x] = winner[at];
                            confidence[x] = (255.0 * (ratio / (1.0 + ratio))) as u8 >> l.min(7);
                            break;
                        }
                    }
                }
            });
        (index, confidence)
    }
}

/// How far what surrounds each pixel is shown: detail leans on pixels around it, and
/// beside hidden ones it is made of whatever lies there.
fn support(mask: Option<&Plane>, below: Option<&Plane>) -> Option<Plane> {
    let (mask, below) = mask.zip(below)?;
    Some(below.expanded(mask.width, mask.height))
}

impl Accumulator for Pyramid {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()> {
        if self.finest.is_some() {
            return self.blend(index, &Coloured::Warped(frame), keep_going);
        }
        let Warped { channels, mask } = frame;
        if self.clamp {
            for (range, channel) in self.range.full.iter_mut().zip(&channels) {
                range.add(channel, mask.as_ref());
            }
        }
        self.cover.add(mask.as_ref());
        self.blend_from(0, index, &channels, mask, keep_going)
    }

    fn place(&mut self, index: u16, frame: &Placed, keep_going: KeepGoing) -> Result<()> {
        if self.finest.is_some() {
            return self.blend(index, &Coloured::of(frame, keep_going)?, keep_going);
        }
        self.add(index, frame.warp(keep_going)?, keep_going)
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        self.fused(keep_going)
    }
}

impl OfPlanes for Pyramid<1> {
    fn place_planes(&mut self, index: u16, frame: &Planes, keep_going: KeepGoing) -> Result<()> {
        let frame = Subsampled::of(frame, keep_going)?;
        self.blend(index, &frame, keep_going)
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused> {
        self.fused(keep_going)
    }
}

impl<const N: usize> Pyramid<N> {
    fn fused(self, keep_going: KeepGoing) -> Result<Fused> {
        let (index, confidence) = self.index_map();
        check(keep_going)?;
        let Self {
            finest,
            levels,
            base,
            range,
            cover,
            clamp,
            ..
        } = self;
        let details = levels.into_iter().rev().map(Level::planes);
        let channels = levels::collapse(base.mean(), details, keep_going)?;
        let mut picture = match finest {
            Some(Level { detail, energy, .. }) => {
                Picture::with_finest((energy.width, energy.height), channels, detail)
            }
            None => channels.into(),
        };
        if clamp {
            picture = picture.within(range);
        }
        let [width, height] = picture.size();
        let depth = DepthMap::of_index(&index, &confidence, width, height);
        Ok(Fused {
            picture,
            index,
            depth,
            confidence,
            alpha: cover.alpha(),
        })
    }
}

impl Level {
    /// The detail of the winners.
    fn planes(self) -> [Plane; 3] {
        let Plane { width, height, .. } = self.energy;
        self.detail.map(|data| Plane {
            width,
            height,
            data,
        })
    }
}

impl<D: Number + Default, const N: usize> Level<D, N> {
    /// Nobody won yet.
    fn new(width: usize, height: usize) -> Self {
        let count = width * height;
        Self {
            // New memory takes long: all threads write to it.
            detail: std::array::from_fn(|_| repeat_n(D::default(), count).collect()),
            energy: Plane::filled(width, height, NOBODY),
            index: vec![0; count],
        }
    }

    /// The parts that are in these tiles.
    fn tiled(&mut self, tiles: &Tiles) -> Vec<BestRows<'_, D, N>> {
        let energy = tiles.panes(&mut self.energy.data, 0);
        let winner = tiles.panes(&mut self.index, 0);
        let detail = self.detail.each_mut().map(|detail| &mut detail[..]);
        let all = energy.into_iter().zip(winner);
        let all = all.zip(tiles.panes_of(detail, 0));
        let each = all.map(|((energy, winner), detail)| BestRows {
            energy,
            winner,
            detail,
        });
        each.collect()
    }
}

impl<D: Number> Level<D> {
    /// Lets the frame `index` win wherever it has the most energy, which `rank` finds
    /// for a row; see [`Best::take`].
    fn take(
        &mut self,
        index: u16,
        detail: &Detail<impl Rows>,
        mask: Option<&Plane>,
        rank: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        let width = self.energy.width;
        let length = (width * BAND).max(1);
        let [red, green, blue] = &mut self.detail;
        self.energy
            .data
            .par_chunks_mut(length)
            .zip(self.index.par_chunks_mut(length))
            .zip(red.par_chunks_mut(length))
            .zip(green.par_chunks_mut(length))
            .zip(blue.par_chunks_mut(length))
            .enumerate()
            .for_each_init(
                || (DetailRow::new(width), vec![0.0; width], Vec::new()),
                |(row, own, sums), (band, ((((energy, winner), red), green), blue))| {
                    for k in 0..energy.len() / width {
                        let (y, part) = (band * BAND + k, k * width..(k + 1) * width);
                        rank(y, own);
                        detail.row(y, row, sums);
                        let detail = [&mut *red, &mut *green, &mut *blue];
                        let best = Best {
                            energy: &mut energy[part.clone()],
                            winner: &mut winner[part.clone()],
                            detail: detail.map(|plane| &mut plane[part.clone()]),
                        };
                        best.take(index, own, row.channels(), mask.map(|mask| mask.row(y)));
                    }
                },
            );
    }
}

/// What is accumulated in a tile.
struct Part<'a, const N: usize> {
    /// The number of the frame that is added.
    index: u16,
    bias: Bias,
    /// What it shows, at the full size and at half of it,
    masks: [Option<&'a Plane>; 2],
    /// and how far that is so around each pixel; see [`support`].
    support: Option<&'a Plane>,
    best: BestRows<'a, Root, N>,
    range: Option<AllSeen<'a, N>>,
    /// The frame at half the size.
    half: [Pane<'a>; 3],
}

impl<const N: usize> Taker<N> for Part<'_, N> {
    fn see(&mut self, strip: &Finest<N>, rows: Range<usize>) {
        if let Some(range) = &mut self.range {
            range.add_rows(&strip.tile, &strip.brought.channels, &rows, self.masks[0]);
        }
    }

    fn take(&mut self, strip: &Finest<N>) {
        let tile = &strip.tile;
        for (half, own) in self.half.iter_mut().zip(&strip.below) {
            tile.copy(own, 1, &strip.rows, half);
        }
        let (own, above, width) = (tile.own(0), tile.above(0), tile.across.len());
        let (mut rank, mut scratch) = (vec![0.0; width], Default::default());
        let detail = &strip.brought.channels;
        if let Some(range) = &mut self.range {
            range.add_half_rows(tile, &strip.below, &strip.rows, self.masks[1]);
        }
        for y in strip.rows.clone() {
            strip.energy(y - above, &mut rank, &mut scratch);
            self.bias.apply(self.index, &mut rank);
            let values = detail.each_ref();
            let values = values.map(|detail| &detail.row(y - above)[own.clone()]);
            let support = self.support.map(|support| tile.part(support, y));
            let best = self.best.row(y);
            best.take(self.index, &mut rank[own.clone()], values, support);
        }
    }
}

/// The part of a level that is in a tile.
struct BestRows<'a, D, const N: usize = 3> {
    energy: Pane<'a>,
    winner: Pane<'a, u16>,
    detail: [Pane<'a, D>; N],
}

impl<D, const N: usize> BestRows<'_, D, N> {
    fn row(&mut self, y: usize) -> Best<'_, D, N> {
        Best {
            energy: self.energy.row(y),
            winner: self.winner.row(y),
            detail: self.detail.each_mut().map(|pane| pane.row(y)),
        }
    }
}

/// A row of a level.
struct Best<'a, D, const N: usize = 3> {
    energy: &'a mut [f32],
    winner: &'a mut [u16],
    detail: [&'a mut [D]; N],
}

impl<D: Number, const N: usize> Best<'_, D, N> {
    /// Lets the frame `index`, which has this energy and detail, win wherever it has
    /// the most. Where its mask is not whole it wins only over frames that show even
    /// less.
    fn take(self, index: u16, own: &mut [f32], detail: [&[f32]; N], mask: Option<&[f32]>) {
        if let Some(mask) = mask {
            let shown = own.iter_mut().zip(mask);
            let hidden = shown.filter(|(_, mask)| **mask < 0.999);
            hidden.for_each(|(own, mask)| *own = mask - 1.0);
        }
        let mut detail = detail.into_iter();
        let pairs = self
            .detail
            .map(|kept| (kept, detail.next().unwrap_or_default()));
        vectorised(
            #[inline(always)]
            || rise(own, index, self.energy, self.winner, pairs),
        );
    }
}

/// Where the energy of the surroundings is as low as `half`, replaces half of
/// the energy by theirs, and more where it is lower: chance moves them less.
fn calm(energy: &mut Plane, half: f32) {
    let around = energy.reduced().windowed();
    let around = around.expanded(energy.width, energy.height);
    energy.change_by(
        &around,
        #[inline(always)]
        |energy, around| calmed(energy, around, half),
    );
}

/// The energy of a place in these surroundings; see [`calm`].
#[inline(always)]
pub fn calmed(energy: f32, around: f32, half: f32) -> f32 {
    let share = around / (around + half);
    share * energy + (1.0 - share) * around
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::fuse::samples::{checks, frame};

    fn fuse(frames: &[(u16, Warped)], width: usize, height: usize) -> Fused {
        let mut fusion = Pyramid::new(width, height, None, 0.0);
        for (index, frame) in frames {
            fusion.add(*index, frame.clone(), ALWAYS).unwrap();
        }
        fusion.finish(ALWAYS).unwrap()
    }

    fn largest_difference(a: &Plane, b: &Plane) -> f32 {
        a.data
            .iter()
            .zip(&b.data)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn identical_frames_come_out_as_they_went_in() {
        for (width, height) in [(2, 2), (3, 5), (37, 21), (64, 48)] {
            let one = frame(width, height, checks);
            let fused = fuse(&[(0, one.clone()), (1, one.clone())], width, height);
            for c in 0..3 {
                let off = largest_difference(&fused.picture.channel(c), &one.channels[c]);
                assert!(off < 1.0 / 65535.0, "{width}×{height}: {off}");
            }
            assert!(fused.index.iter().all(|&index| index == 0));
        }
    }

    #[test]
    fn each_half_comes_from_the_frame_that_is_sharp_there() {
        let (width, height) = (128, 96);
        let left = frame(
            width,
            height,
            |x, y| if x < 64 { checks(x, y) } else { 0.5 },
        );
        let right = frame(
            width,
            height,
            |x, y| if x < 64 { 0.5 } else { checks(x, y) },
        );
        let fused = fuse(&[(0, left.clone()), (1, right.clone())], width, height);
        let red = fused.picture.channel(0);
        for y in 8..88 {
            for x in 4..124 {
                let value = red.row(y)[x];
                if !(52..76).contains(&x) {
                    assert!((value - checks(x, y)).abs() < 0.06, "({x}, {y}): {value}");
                    assert_eq!(fused.index[y * width + x], u16::from(x >= 64));
                }
            }
        }
    }

    #[test]
    fn noise_is_not_taken_for_detail() {
        let (width, height) = (128, 96);
        // Faint checks in one frame, and noise about as strong in both.
        let noisy = |seed: usize, strength: f32| {
            frame(width, height, move |x, y| {
                // A hash of the place (SplitMix64).
                let place = (x * 7919 + y * 104_729 + seed * 1_299_709) as u64;
                let mut bits = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                bits = (bits ^ (bits >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                let noise = ((bits ^ (bits >> 32)) >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
                0.5 + 0.03 * strength * (checks(x, y) - 0.5) + 0.06 * noise
            })
        };
        let right = |noise: f32| {
            let mut fusion = Pyramid::new(width, height, None, noise);
            for (index, strength) in [(0, 0.0), (1, 1.0)] {
                let frame = noisy(usize::from(index), strength);
                fusion.add(index, frame, ALWAYS).unwrap();
            }
            let index = fusion.finest.unwrap().index;
            index.iter().filter(|&&index| index == 1).count() as f64 / index.len() as f64
        };
        let (told, untold) = (right(3e-4), right(0.0));
        println!("{told:.3} of the finest level is right, {untold:.3} without a regard to noise");
        assert!(1.0 - told < 0.7 * (1.0 - untold), "{told} {untold}");
    }

    #[test]
    fn the_order_of_frames_does_not_matter() {
        let frames: Vec<(u16, Warped)> = (0..4)
            .map(|k| {
                let sharp = move |x: usize, y: usize| {
                    if (x + 7 * y) % 4 == usize::from(k) {
                        checks(x, y)
                    } else {
                        0.5
                    }
                };
                (k, frame(40, 30, sharp))
            })
            .collect();
        let mut backwards = frames.clone();
        backwards.reverse();
        let (a, b) = (fuse(&frames, 40, 30), fuse(&backwards, 40, 30));
        assert_eq!(a.index, b.index);
        for c in 0..3 {
            assert!(largest_difference(&a.picture.channel(c), &b.picture.channel(c)) < 1e-5);
        }
    }

    #[test]
    fn what_a_mask_hides_never_wins() {
        let (width, height) = (64, 48);
        let calm = frame(width, height, |_, _| 0.5);
        let mut loud = frame(
            width,
            height,
            |x, y| if x < 32 { 0.5 } else { checks(x, y) },
        );
        let data = (0..width * height)
            .map(|i| if i % width < 32 { 1.0 } else { 0.0 })
            .collect();
        loud.mask = Some(Plane {
            width,
            height,
            data,
        });
        let fused = fuse(&[(0, calm), (1, loud)], width, height);
        assert_eq!(fused.alpha, None);
        for value in fused.picture.channel(0).data {
            assert!((value - 0.5).abs() < 1e-3, "{value}");
        }
    }

    #[test]
    fn pixels_that_no_frame_shows_are_transparent() {
        let mut part = frame(8, 8, |_, _| 0.5);
        let data = (0..64).map(|i| if i % 8 < 4 { 1.0 } else { 0.0 }).collect();
        part.mask = Some(Plane {
            width: 8,
            height: 8,
            data,
        });
        let alpha = fuse(&[(0, part.clone()), (1, part)], 8, 8).alpha.unwrap();
        assert_eq!((alpha[3], alpha[4]), (255, 0));
    }
}
