//! Where a frame has contrast, and which frame has most.

use rayon::prelude::*;
use std::ops::Range;

use super::cover::Cover;
use super::depth::{Clues, DepthSearch};
use super::ends::Ends;
use super::levels::{self, Detail, DetailRow};
use super::number::Number;
use super::tiles::{Pane, Tiles};
use super::{Fused, Picture};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::grey::LUMA;
use crate::core::keep_going::check;
use crate::core::plane::{BAND, Plane};
use crate::core::rolling::Rolling;
use crate::core::rows::{Band, Rows};
use crate::core::window::Window;
use crate::vector::vectorised;

/// Contrast that counts as none: two levels of eight bits, squared. Noise of
/// most cameras stays below it, and choosing by noise would show as mottle.
pub const FLOOR: f32 = (2.0 / 255.0) * (2.0 / 255.0);
/// What detail of two pixels counts beside that of one.
pub const COARSER: f32 = 0.25;
/// What the windows of about 7, 13 and 60 pixels count. Small ones follow hairs
/// and edges, large ones carry a decision across smooth places.
pub const WINDOWS: [f32; 3] = [1.0, 0.3, 0.1];

/// Contrast of the wider surroundings that half settles a place, for noise of
/// 1: chance hardly moves the mean of so many pixels, so it tells faint texture
/// from noise where no pixel can.
const SETTLED: f32 = 1.0;
/// Less than this, for noise of 1, no surroundings have.
const LEAST_FAR: f32 = 0.25;

/// Weights of red, green and blue in the energy of detail.
pub const COLOURS: [f32; 3] = [0.25, 0.5, 0.25];
/// What difference in colour counts beside that in grey: it shows edges between
/// colours of one brightness, and most of the noise, which is another in each
/// channel.
pub const CHROMA: f32 = 0.5;

/// The mean squared contrast of luminance at the finest scales, in soft windows
/// about each pixel, and in no window, at half the size.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn contrast(channels: &[Plane; 3], keep_going: KeepGoing) -> Result<(Plane, Plane)> {
    let mut detail = luminance(channels);
    let mut coarser = detail.reduced();
    check(keep_going)?;
    detail.add_expanded(&coarser, -1.0);
    let coarsest = coarser.reduced();
    coarser.add_expanded(&coarsest, -1.0);
    square(&mut detail);
    square(&mut coarser);
    check(keep_going)?;
    let (mut crisp, mut spread) = (Plane::new(coarser.width, coarser.height), Spread::default());
    crisp_into(&detail, &coarser, crisp.bands_mut());
    let (width, height) = (detail.width, detail.height);
    spread.begin([width, height], height);
    spread.look(&detail, &coarser.windowed(), &Ends::of(height, height));
    check(keep_going)?;
    spread.join(1.0, height);
    Ok((spread.near.into_plane(), crisp))
}

/// Fills bands of the energy of the two finest levels of detail in no window, at
/// half the size; for both levels see [`squares`].
fn crisp_into<'a>(
    finest: &impl Rows,
    coarser: &impl Rows,
    bands: impl ParallelIterator<Item = Band<'a>>,
) {
    let width = coarser.width();
    bands.for_each_init(Vec::new, |padded, (first, rows)| {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            crisp_row(finest, coarser, y, out, padded);
        }
    });
}

/// One row of the same; `padded` is scratch of any length.
pub fn crisp_row(
    finest: &impl Rows,
    coarser: &impl Rows,
    y: usize,
    out: &mut [f32],
    padded: &mut Vec<f32>,
) {
    finest.reduced_row(y, out, padded);
    let both = out.iter_mut().zip(coarser.row(y));
    both.for_each(|(value, coarser)| *value += COARSER * coarser);
}

fn luminance(channels: &[Plane; 3]) -> Plane {
    let mut grey = Plane::new(channels[0].width, channels[0].height);
    let bands = grey.bands_mut();
    bands.for_each(|(first, out)| {
        let start = first * channels[0].width;
        let [red, green, blue] = [0, 1, 2].map(|c| &channels[c].data[start..start + out.len()]);
        vectorised(
            #[inline(always)]
            || {
                for (((out, red), green), blue) in out.iter_mut().zip(red).zip(green).zip(blue) {
                    *out = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
                }
            },
        );
    });
    grey
}

/// The energy of the two finest levels of detail in soft windows of several sizes
/// about each pixel, from the top down. Kept from one frame to the next for its
/// memory.
#[derive(Debug, Default)]
pub struct Spread {
    /// Whether windows are of its root: these follow outlines more closely, since
    /// a strong edge does not outdo all around it, but the bloom of highlights as
    /// well.
    pub is_root: bool,
    /// In the smallest; in all together as far as they are joined.
    pub near: Rolling,
    /// In the largest, at half the size.
    pub far: Rolling,
    /// Rows that were joined last.
    pub joined: Range<usize>,
    /// In one between them, at half the size,
    wide: Rolling,
    /// and this and the largest together.
    rest: Rolling,
    /// On the way to the largest, at a quarter.
    windows: [Rolling; 3],
}

impl Spread {
    /// Begins a frame of which so many rows are kept.
    pub fn begin(&mut self, size: [usize; 2], kept: usize) {
        let Self {
            near,
            far,
            wide,
            rest,
            windows,
            ..
        } = self;
        near.begin(0, size, kept);
        let halves = [far, wide, rest].into_iter();
        halves.for_each(|plane| plane.begin(1, size, kept));
        let quarters = windows.iter_mut();
        quarters.for_each(|plane| plane.begin(2, size, kept));
        self.joined = 0..0;
    }

    /// Looks at the energy of the finest level, and of the next in a soft window,
    /// as far as `ends` say; see [`squares`].
    pub fn look(&mut self, finest: &impl Rows, coarser: &impl Rows, ends: &Ends) {
        let (width, height, is_root) = (finest.width(), finest.height(), self.is_root);
        let scratch = || (Window::default(), vec![0.0; width], Vec::new());
        let bands = self.near.grow(ends.near);
        bands.for_each_init(scratch, |(window, expanded, sums), (first, rows)| {
            window.begin(width, height, first);
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                window.row(y, out, |y, out| {
                    coarser.expanded_row(y, expanded, sums);
                    add_scaled(finest.row(y), expanded, COARSER, out);
                    if is_root {
                        roots(out);
                    }
                });
            }
        });
        // Larger windows need no full resolution.
        self.near.reduce_to(self.wide.grow(ends.wide));
        let [first, middle, last] = &mut self.windows;
        self.wide.reduce_to(first.grow(ends.windows[0]));
        first.window_to(middle.grow(ends.windows[1]));
        middle.window_to(last.grow(ends.windows[2]));
        last.expand_to(width.div_ceil(2), self.far.grow(ends.far));
        let (wide, far) = (&self.wide, &self.far);
        let bands = self.rest.grow(ends.far);
        bands.for_each(|(first, rows)| {
            let all = (first..).zip(rows.chunks_exact_mut(wide.width()));
            all.for_each(|(y, out)| add_up(wide.row(y), far.row(y), is_root, out));
        });
    }

    /// All windows together, in `near`, each pixel times `factor`, in the rows up
    /// to `end` that were not joined before.
    pub fn join(&mut self, factor: f32, end: usize) {
        self.joined = self.joined.end..end;
        let (rest, is_root) = (&self.rest, self.is_root);
        let width = self.near.width();
        let scratch = || (vec![0.0; width], Vec::new());
        let bands = self.near.bands_mut(self.joined.clone());
        bands.for_each_init(scratch, |(expanded, sums), (first, rows)| {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                rest.expanded_row(y, expanded, sums);
                vectorised(
                    #[inline(always)]
                    || {
                        for (sum, rest) in out.iter_mut().zip(expanded.iter()) {
                            let near = if is_root { *sum * *sum } else { *sum };
                            *sum = factor * (WINDOWS[0] * near + rest);
                        }
                    },
                );
            }
        });
    }
}

/// The larger windows together.
fn add_up(wide: &[f32], far: &[f32], is_root: bool, out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for ((out, &wide), &far) in out.iter_mut().zip(wide).zip(far) {
                let [wide, far] = [wide, far].map(|v| if is_root { v * v } else { v });
                *out = WINDOWS[1] * wide + WINDOWS[2] * far;
            }
        },
    );
}

fn add_scaled(a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = a + scale * b;
            }
        },
    );
}

fn roots(row: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || row.iter_mut().for_each(|v| *v = v.sqrt()),
    );
}

/// The least contrast that surroundings have in frames with this noise, and that
/// which half settles a place.
pub fn settling(noise: f32) -> [f32; 2] {
    [LEAST_FAR * noise, SETTLED * noise]
}

/// Fills bands of how far the surroundings of each place are beyond `noise`, up
/// to 1, from their contrast, or its root; see [`Spread::far`].
pub fn settle_into<'a>(
    far: &impl Rows,
    noise: f32,
    is_root: bool,
    bands: impl ParallelIterator<Item = Band<'a>>,
) {
    let [least, half] = settling(noise);
    let width = far.width();
    bands.for_each(|(first, rows)| {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            vectorised(
                #[inline(always)]
                || {
                    for (share, far) in out.iter_mut().zip(far.row(y)) {
                        let far = if is_root { far * far } else { *far }.max(least);
                        let beyond = far / (far + half);
                        *share = beyond * beyond;
                    }
                },
            );
        }
    });
}

/// The energy of a level of detail: the square of its grey, and a share of those
/// of its channels.
pub fn squares(detail: &Detail, energy: &mut Plane) {
    let (width, height) = detail.size();
    energy.reshape(width, height);
    squares_into(detail, energy.bands_mut());
}

/// Fills bands of the energy of a level of detail; see [`squares`].
pub fn squares_into<'a, const N: usize>(
    detail: &Detail<impl Rows, N>,
    bands: impl ParallelIterator<Item = Band<'a>>,
) {
    let (width, _) = detail.size();
    let scratch = || (DetailRow::new(width), Vec::new());
    bands.for_each_init(scratch, |(row, sums), (first, rows)| {
        for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
            detail.row(y, row, sums);
            square_row(row.channels(), out);
        }
    });
}

/// The energy of a row of detail, of red, green and blue or of grey, which is that of
/// all three; see [`squares`].
pub fn square_row<const N: usize>(channels: [&[f32]; N], out: &mut [f32]) {
    match channels[..] {
        [red, green, blue] => square_row_of_three([red, green, blue], out),
        [grey, ..] => vectorised(
            #[inline(always)]
            || {
                let values = out.iter_mut().zip(grey);
                values.for_each(|(out, grey)| *out = grey * grey);
            },
        ),
        [] => (),
    }
}

fn square_row_of_three([red, green, blue]: [&[f32]; 3], out: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (((out, red), green), blue) in out.iter_mut().zip(red).zip(green).zip(blue) {
                let grey = COLOURS[0] * red + COLOURS[1] * green + COLOURS[2] * blue;
                let each =
                    COLOURS[0] * red * red + COLOURS[1] * green * green + COLOURS[2] * blue * blue;
                *out = CHROMA * each + (1.0 - CHROMA) * grey * grey;
            }
        },
    );
}

/// The energy of the two finest levels of detail of a picture, in no window.
pub fn energy(channels: &[Plane; 3]) -> Plane {
    let half = levels::reduced(channels);
    let quarter = levels::reduced(&half);
    let (mut finest, mut coarser) = (Plane::default(), Plane::default());
    squares(&Detail::new(channels, Some(&half)), &mut finest);
    squares(&Detail::new(&half, Some(&quarter)), &mut coarser);
    finest.add_expanded(&coarser.windowed(), COARSER);
    finest
}

fn square(plane: &mut Plane) {
    plane.change(
        #[inline(always)]
        |v| v * v,
    );
}

/// Which of the frames so far has the most contrast at each pixel.
#[derive(Debug, Clone)]
pub struct Sharpest {
    best: Plane,
    index: Vec<u16>,
    cover: Cover,
    depth: DepthSearch,
    floor: f32,
}

impl Sharpest {
    /// No frame yet. `floor` is the contrast that counts as none.
    pub fn new(width: usize, height: usize, floor: f32) -> Self {
        Self {
            best: Plane::filled(width, height, -1.0),
            index: vec![0; width * height],
            cover: Cover::default(),
            depth: DepthSearch::new(width, height, floor),
            floor,
        }
    }

    /// Takes in the frame `index`. A tie goes to the earlier frame. `clues` are
    /// for its depth.
    pub fn add(&mut self, index: u16, contrast: &Plane, clues: &Clues, mask: Option<&Plane>) {
        let (width, height) = (contrast.width, contrast.height);
        let tiles = Tiles::of(width, height);
        let winners = self.tiled(&tiles).into_par_iter().zip(tiles.list());
        winners.for_each(|(mut winners, tile)| {
            for y in tile.rows.clone() {
                let mask = mask.map(|mask| tile.part(mask, y));
                winners.add_row(index, y, tile.part(contrast, y), mask);
            }
        });
        self.add_depth(index, &contrast.reduced(), clues, mask);
    }

    /// Takes in the depth of a frame, given its contrast at half the size.
    pub fn add_depth(&mut self, index: u16, focus: &Plane, clues: &Clues, mask: Option<&Plane>) {
        self.depth.add(index, focus, clues, mask);
        self.cover.add(mask);
    }

    /// The parts that are in these tiles.
    pub fn tiled(&mut self, tiles: &Tiles) -> Vec<Winners<'_>> {
        let best = tiles.panes(&mut self.best.data, 0);
        let index = tiles.panes(&mut self.index, 0);
        let crisp = tiles.panes(self.depth.crisp_mut(), 1);
        let all = best.into_iter().zip(index).zip(crisp);
        let each = all.map(|((best, index), crisp)| Winners { best, index, crisp });
        each.collect()
    }

    /// Lets go of what is only needed for the next frame: none comes any more.
    pub fn close(&mut self) {
        self.depth.close();
    }

    /// How far the most contrast is beyond `level`, half at it and up to 1, in
    /// soft windows at half the size.
    pub fn beyond(&self, level: f32) -> Plane {
        let mut share = self.best.reduced();
        share.change(
            #[inline(always)]
            |best| {
                let best = best.max(0.0);
                best / (best + level)
            },
        );
        share.windowed().windowed()
    }

    /// What is known of the picture of all frames, beside it.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn fused(self, picture: Picture, keep_going: KeepGoing) -> Result<Fused> {
        let Self { best, floor, .. } = &self;
        let mut confidence = vec![0; best.data.len()];
        let length = (best.width * BAND).max(1);
        let bands = confidence.par_chunks_mut(length);
        let bands = bands.zip(best.data.par_chunks(length));
        bands.for_each(|(confidence, best)| {
            vectorised(
                #[inline(always)]
                || {
                    for (confidence, best) in confidence.iter_mut().zip(best) {
                        let ratio = (best.max(0.0) / floor).sqrt();
                        *confidence = (255.0 * ratio / (1.0 + ratio)) as u8;
                    }
                },
            );
        });
        check(keep_going)?;
        Ok(Fused {
            picture,
            index: self.index,
            depth: self.depth.finish(keep_going)?,
            confidence,
            alpha: self.cover.alpha(),
        })
    }
}

/// Which of the frames so far has the most contrast at each pixel of a tile.
#[derive(Debug)]
pub struct Winners<'a> {
    best: Pane<'a>,
    index: Pane<'a, u16>,
    crisp: Pane<'a>,
}

impl Winners<'_> {
    /// Takes in row `y` of the contrast of the frame `index`, as far as `mask` (if any)
    /// shows it.
    pub fn add_row(&mut self, index: u16, y: usize, contrast: &[f32], mask: Option<&[f32]>) {
        let masked: Vec<f32>;
        let mut rank = contrast;
        if let Some(mask) = mask {
            let both = contrast.iter().zip(mask);
            masked = both.map(|(contrast, mask)| contrast * mask).collect();
            rank = &masked;
        }
        let (best, winner) = (self.best.row(y), self.index.row(y));
        vectorised(
            #[inline(always)]
            || rise::<f32, 0>(rank, index, best, winner, []),
        );
    }

    /// Takes in row `y`, at half the size, of the energy of the finest detail in no
    /// window; see [`crisp_into`].
    pub fn add_crisp_row(&mut self, y: usize, crisp: &[f32]) {
        let most = self.crisp.row(y);
        vectorised(
            #[inline(always)]
            || {
                let both = most.iter_mut().zip(crisp);
                both.for_each(|(most, crisp)| *most = most.max(*crisp));
            },
        );
    }
}

/// Pixels that are looked at together.
const RUN: usize = 32;

/// Lets the frame `index` win where its rank is the best, and lets its values, the
/// second of each of `pairs`, take the place of the first there. A tie goes to the
/// earlier frame, in whichever order they come.
#[inline(always)]
pub fn rise<K: Number, const N: usize>(
    rank: &[f32],
    index: u16,
    best: &mut [f32],
    winner: &mut [u16],
    pairs: [(&mut [K], &[f32]); N],
) {
    let (ranks, last_rank) = rank.as_chunks::<RUN>();
    let (bests, last_best) = best.as_chunks_mut::<RUN>();
    let (winners, last_winner) = winner.as_chunks_mut::<RUN>();
    let mut pairs = pairs.map(|(kept, own)| {
        let (kept, last_kept) = kept.as_chunks_mut::<RUN>();
        let (own, last_own) = own.as_chunks::<RUN>();
        ((kept, own), (last_kept, last_own))
    });
    let runs = ranks.iter().zip(bests).zip(winners).enumerate();
    for (k, ((rank, best), winner)) in runs {
        let pairs = pairs.each_mut();
        let pairs = pairs.map(|((kept, own), _)| (&mut kept[k][..], &own[k][..]));
        rise_run(rank, index, best, winner, pairs);
    }
    let pairs = pairs.map(|(_, last)| last);
    rise_run(last_rank, index, last_best, last_winner, pairs);
}

/// The same of at most [`RUN`] pixels.
#[inline(always)]
fn rise_run<K: Number, const N: usize>(
    rank: &[f32],
    index: u16,
    best: &mut [f32],
    winner: &mut [u16],
    pairs: [(&mut [K], &[f32]); N],
) {
    // Most frames win nowhere nearby.
    let may = rank.iter().zip(&*best).map(|(rank, best)| rank >= best);
    if !may.fold(false, |any, may| any | may) {
        return;
    }
    let mut wins = [false; RUN];
    let places = wins.iter_mut().zip(rank).zip(&mut *best).zip(winner);
    for (((wins, rank), best), winner) in places {
        *wins = (*rank > *best) | ((*rank == *best) & (index < *winner));
        *best = if *wins { *rank } else { *best };
        *winner = if *wins { index } else { *winner };
    }
    for (kept, own) in pairs {
        let values = kept.iter_mut().zip(own).zip(&wins);
        values.for_each(|((kept, own), wins)| *kept = if *wins { K::of(*own) } else { *kept });
    }
}
