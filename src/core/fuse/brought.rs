//! The rows of a tile of a frame that were brought into place, and its half size.

use std::ops::Range;

use super::contrast::square_row;
use super::fill::fill;
use super::levels::split_row;
use super::tiles::Tile;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::rolling::Rolling;
use crate::core::rows::{Band, Rows};
use crate::core::subsampled::{Planes, Tones};
use crate::core::veil::Sheet;
use crate::core::warp::{Placed, Warped};
use crate::vector::vectorised;

/// Rows that are brought into place together, which is quicker; a divisor of those
/// of a strip.
pub const TOGETHER: usize = 32;

/// Where the rows of a frame come from, which has `N` channels at its full size: red,
/// green and blue, or grey.
pub trait Source<const N: usize>: Sync {
    /// Where the frame shows the scene, if that is not everywhere.
    fn mask(&self) -> Option<&Plane>;

    /// Finds `columns` of these rows, which `place` has room for.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    fn rows(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        place: [&mut [f32]; N],
        keep_going: KeepGoing,
    ) -> Result<()>;

    /// The frame's own colours at half the size; `None` where it has them at its full
    /// size.
    fn colours(&self) -> Option<&Planes<'_>> {
        None
    }
}

/// A frame that has red, green and blue.
pub enum Coloured<'a> {
    /// Its rows are brought into place as they are needed; all of them show the
    /// scene.
    Placed(&'a Placed<'a>),
    /// They are there.
    Warped(Warped),
}

impl<'a> Coloured<'a> {
    /// Of a frame in its place.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn of(placed: &'a Placed<'a>, keep_going: KeepGoing) -> Result<Self> {
        if placed.is_whole() {
            return Ok(Self::Placed(placed));
        }
        Ok(Self::Warped(placed.warp(keep_going)?))
    }

    /// With what is hidden filled from all around.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub fn filled(mut self, keep_going: KeepGoing) -> Result<Self> {
        if let Self::Warped(Warped {
            channels,
            mask: Some(mask),
        }) = &mut self
        {
            for channel in channels {
                check(keep_going)?;
                fill(channel, mask);
            }
        }
        Ok(self)
    }
}

impl Source<3> for Coloured<'_> {
    fn mask(&self) -> Option<&Plane> {
        match self {
            Self::Placed(_) => None,
            Self::Warped(warped) => warped.mask.as_ref(),
        }
    }

    fn rows(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        place: [&mut [f32]; 3],
        keep_going: KeepGoing,
    ) -> Result<()> {
        match self {
            Self::Placed(placed) => placed.rows(rows, columns, place, keep_going),
            Self::Warped(warped) => {
                for (to, channel) in place.into_iter().zip(&warped.channels) {
                    copy(channel, rows.clone(), columns.clone(), to);
                }
                Ok(())
            }
        }
    }
}

/// A frame that has grey, and its colours at half the size.
pub struct Subsampled<'a> {
    planes: &'a Planes<'a>,
    /// Its grey, and where it shows the scene, if that is not everywhere.
    partly: Option<(Plane, Plane)>,
}

impl<'a> Subsampled<'a> {
    /// Of these planes.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn of(planes: &'a Planes<'a>, keep_going: KeepGoing) -> Result<Self> {
        let partly = planes.partly_shown(keep_going)?;
        Ok(Self { planes, partly })
    }

    /// With what is hidden of its grey filled from all around.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub fn filled(mut self, keep_going: KeepGoing) -> Result<Self> {
        check(keep_going)?;
        if let Some((grey, mask)) = &mut self.partly {
            fill(grey, mask);
        }
        Ok(self)
    }
}

impl Source<1> for Subsampled<'_> {
    fn mask(&self) -> Option<&Plane> {
        self.partly.as_ref().map(|(_, mask)| mask)
    }

    fn rows(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        [place]: [&mut [f32]; 1],
        keep_going: KeepGoing,
    ) -> Result<()> {
        match &self.partly {
            None => self.planes.grey(rows, columns, place, keep_going),
            Some((grey, _)) => {
                copy(grey, rows, columns, place);
                Ok(())
            }
        }
    }

    fn colours(&self) -> Option<&Planes<'_>> {
        Some(self.planes)
    }
}

/// Copies these rows and columns.
fn copy(from: &Plane, rows: Range<usize>, columns: Range<usize>, to: &mut [f32]) {
    let rows = rows.zip(to.chunks_exact_mut(columns.len().max(1)));
    rows.for_each(|(y, to)| to.copy_from_slice(&from.row(y)[columns.clone()]));
}

/// The last rows of the finest level of a tile. All planes begin where what is looked
/// at for the tile begins.
#[derive(Debug)]
pub struct Brought<const N: usize = 3> {
    /// The frame.
    pub channels: [Rolling; N],
    /// Its grey at half the size, where it has no more,
    grey: [Rolling; 1],
    /// and Cb and Cr in samples.
    colours: [Rolling; 2],
}

impl<const N: usize> Default for Brought<N> {
    fn default() -> Self {
        Self {
            channels: std::array::from_fn(|_| Rolling::default()),
            grey: Default::default(),
            colours: Default::default(),
        }
    }
}

impl<const N: usize> Brought<N> {
    /// Begins a tile of which so many rows are kept.
    pub fn begin(&mut self, size: [usize; 2], kept: usize) {
        let channels = self.channels.iter_mut();
        channels.for_each(|plane| plane.begin(0, size, kept));
        if N == 1 {
            let halves = self.grey.iter_mut().chain(&mut self.colours);
            halves.for_each(|plane| plane.begin(1, size, kept));
        }
    }

    /// Brings the rows of a tile up to `end`, and some more, that are not there yet
    /// into place, and lifts what `veil` (if any) lies over them.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn fetch(
        &mut self,
        tile: &Tile,
        (source, veil): (&impl Source<N>, Option<&Sheet>),
        end: usize,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let end = end.next_multiple_of(TOGETHER).min(tile.down.len());
        let width = tile.across.len().max(1);
        let top = tile.down.start;
        grow(&mut self.channels, width, end, |rows, mut place| {
            let (rows, columns) = (top + rows.start..top + rows.end, tile.across.clone());
            let first = rows.start;
            let parts = place.each_mut().map(|rows| &mut **rows);
            source.rows(rows, columns.clone(), parts, keep_going)?;
            if let Some(veil) = veil
                && let Some(place) = three(place)
            {
                veil.lift(first, columns, place);
            }
            Ok(())
        })
    }

    /// Rows that were brought into place.
    pub fn made(&self) -> usize {
        self.channels.first().map_or(0, Rolling::made)
    }

    /// The rows of `tile` among those that were brought into place after the first so
    /// many.
    pub fn since(&self, known: usize, tile: &Tile) -> Range<usize> {
        let Tile { rows, down, .. } = tile;
        let place = |row: usize| (down.start + row).clamp(rows.start, rows.end);
        place(known)..place(self.made())
    }

    /// Finds the energy of the finest detail in these rows, where `half` is the tile at
    /// half the size. The detail takes the place of what the frame shows: of that
    /// nothing else is made any more.
    pub fn split(&mut self, half: &[Rolling; 3], energy: [Band; 2], width: usize) {
        let (mut expanded, mut sums) = (Vec::new(), Vec::new());
        for (first, rows) in energy {
            for (y, out) in (first..).zip(rows.chunks_exact_mut(width)) {
                let (channels, coarser) = self.both(half);
                for (fine, coarse) in channels.iter_mut().zip(coarser) {
                    split_row(fine, coarse, y, &mut expanded, &mut sums);
                }
                square_row(channels.each_ref().map(|channel| channel.row(y)), out);
            }
        }
    }

    /// Finds the rows of `half`, the tile at half the size, up to `end`.
    ///
    /// # Errors
    ///
    /// As [`Self::fetch`].
    pub fn halve(
        &mut self,
        tile: &Tile,
        source: &impl Source<N>,
        half: &mut [Rolling; 3],
        end: usize,
        keep_going: KeepGoing,
    ) -> Result<()> {
        check(keep_going)?;
        let Some(planes) = source.colours() else {
            for (fine, small) in self.channels.iter().zip(half) {
                fine.reduce_to(small.grow(end));
            }
            return Ok(());
        };
        for (fine, small) in self.channels.iter().zip(&mut self.grey) {
            fine.reduce_to(small.grow(end));
        }
        let [height, width] = [tile.down.len(), tile.across.len()].map(|side| side.div_ceil(2));
        let more = end.next_multiple_of(TOGETHER / 2).min(height);
        let [left, top] = [tile.across.start / 2, tile.down.start / 2];
        grow(&mut self.colours, width, more, |rows, place| {
            let rows = top + rows.start..top + rows.end;
            planes.colour(rows, left..left + width, place, keep_going)
        })?;
        let ([grey], [blue, red]) = (&self.grey, &self.colours);
        grow(half, width, end, |rows, place| {
            let mut parts = place.map(|part| part.chunks_exact_mut(width.max(1)));
            for y in rows {
                let out = parts.each_mut().map(|part| part.next().unwrap_or_default());
                mix(&planes.tones, [grey.row(y), blue.row(y), red.row(y)], out);
            }
            Ok(())
        })
    }

    /// Its channels, and the same at half the size; see [`Self::coarser`].
    fn both<'a>(&'a mut self, half: &'a [Rolling; 3]) -> (&'a mut [Rolling; N], &'a [Rolling]) {
        let coarser = match N {
            1 => &self.grey[..],
            _ => half,
        };
        (&mut self.channels, coarser)
    }

    /// What the frame has at half the size of the channels that it has at its full
    /// size; `half` has all three.
    pub fn coarser<'a>(&'a self, half: &'a [Rolling; 3]) -> Option<&'a [Rolling; N]> {
        match N {
            1 => self.grey.first_chunk(),
            _ => half.first_chunk(),
        }
    }
}

/// Red, green and blue of a row.
fn mix(tones: &Tones, row: [&[f32]; 3], out: [&mut [f32]; 3]) {
    vectorised(
        #[inline(always)]
        || tones.mix(row, out),
    );
}

/// All three, where there are as many.
fn three<const N: usize>(place: [&mut [f32]; N]) -> Option<[&mut [f32]; 3]> {
    place.into_iter().collect::<Vec<_>>().try_into().ok()
}

/// Has `make` write the rows up to `end` that are not there yet, of as many planes as
/// grow alike; it is given those that lie in one piece.
fn grow<const M: usize>(
    planes: &mut [Rolling; M],
    width: usize,
    end: usize,
    mut make: impl FnMut(Range<usize>, [&mut [f32]; M]) -> Result<()>,
) -> Result<()> {
    let mut parts = planes.each_mut().map(|plane| plane.grown(end).into_iter());
    for _ in 0..2 {
        let mut first = 0;
        let part = parts.each_mut().map(|parts| match parts.next() {
            Some((start, rows)) => {
                first = start;
                rows
            }
            None => Default::default(),
        });
        let count = part.first().map_or(0, |rows| rows.len() / width.max(1));
        if count > 0 {
            make(first..first + count, part)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fuse::{Fused, Fusion, Method, Options};
    use crate::core::subsampled::grey_of;
    use crate::core::warp::{Area, Exposure};
    use crate::core::{ALWAYS, Transform};
    use crate::demo::{DemoStack, Scene, SceneOptions};
    use crate::photo::{self, Samples};

    const FRAMES: usize = 4;
    const AREA: Area = Area {
        x: 15,
        y: 12,
        width: 167,
        height: 121,
    };

    /// A frame, its place and its exposure.
    type Frame = (photo::Subsampled, Transform, Exposure);

    fn frames() -> Vec<Frame> {
        let stack = DemoStack::new(&SceneOptions {
            width: 200,
            height: 150,
            frames: FRAMES,
            ..SceneOptions::new(Scene::Bumpy)
        });
        let frame = |index: usize| {
            let exposure = Exposure {
                gain: [1.0 + 0.01 * index as f64, 1.0, 1.02],
                offset: [0.0, 0.002 * index as f64, 0.0],
            };
            let planes = photo::Subsampled::from(&stack.frame(index, 8));
            (planes, stack.transforms()[index], exposure)
        };
        (0..FRAMES).map(frame).collect()
    }

    fn options(method: Method, clamp: bool) -> Options {
        Options {
            clamp,
            frames: FRAMES,
            noise: (2.0f32 / 255.0).powi(2),
            subsampled: true,
            ..Options::from(method)
        }
    }

    fn fused(mut fusion: Box<dyn Fusion>, frames: &[Frame]) -> Fused {
        for (index, (planes, pose, exposure)) in (0..).zip(frames) {
            fusion
                .take_subsampled(index, planes.clone(), pose, exposure, ALWAYS)
                .unwrap();
        }
        fusion.finish(ALWAYS).unwrap()
    }

    /// What a frame shows in red, green and blue: its colours at half the size,
    /// expanded, and beyond that its grey.
    fn shown((photo, pose, exposure): &Frame) -> [Plane; 3] {
        let planes = Planes::new(photo, pose, AREA, exposure);
        assert!(planes.partly_shown(ALWAYS).unwrap().is_none());
        let (width, height) = (AREA.width, AREA.height);
        let mut detail = Plane::new(width, height);
        planes
            .grey(0..height, 0..width, &mut detail.data, ALWAYS)
            .unwrap();
        let grey = detail.reduced();
        detail.add_expanded(&grey, -1.0);
        let mut colours = [0, 1].map(|_| vec![0.0; grey.data.len()]);
        let out = colours.each_mut().map(|plane| &mut plane[..]);
        planes
            .colour(0..grey.height, 0..grey.width, out, ALWAYS)
            .unwrap();
        let mut half = [0, 1, 2].map(|_| Plane::new(grey.width, grey.height));
        let out = half.each_mut().map(|plane| &mut plane.data[..]);
        mix(&planes.tones, [&grey.data, &colours[0], &colours[1]], out);
        half.map(|half| {
            let mut channel = detail.clone();
            channel.add_expanded(&half, 1.0);
            channel
        })
    }

    #[test]
    fn a_picture_of_grey_frames_is_that_of_all_three_channels() {
        let grey = |(planes, pose, exposure): Frame| {
            let mut photo = planes.to_photo();
            if let Samples::Eight(samples) = &mut photo.samples {
                let pixels = samples.as_chunks_mut::<3>().0.iter_mut();
                pixels.for_each(|pixel| *pixel = [pixel[1]; 3]);
            }
            let gain = [exposure.gain[0]; 3];
            (
                photo::Subsampled::from(&photo),
                pose,
                Exposure { gain, ..exposure },
            )
        };
        let frames: Vec<Frame> = frames().into_iter().map(grey).collect();
        for method in [Method::Hybrid, Method::Pyramid] {
            let options = options(method, false);
            let fused = fused(options.on_cpu(AREA), &frames);
            let options = Options {
                subsampled: false,
                ..options
            };
            let whole = self::fused(options.on_cpu(AREA), &frames);
            let alike = fused.index.iter().zip(&whole.index);
            let apart = alike.filter(|(a, b)| a != b).count();
            assert!(apart <= 2, "{method:?}: {apart} winners are others");
            let pairs = fused.picture.channels().into_iter();
            for (a, b) in pairs.zip(whole.picture.channels()) {
                let values = a.data.into_iter().zip(b.data);
                let far = values.filter(|(a, b)| (a - b).abs() > 2.0 / 65535.0);
                let far = far.count();
                assert!(far <= 20, "{method:?}: {far} values are far");
            }
        }
    }

    #[test]
    fn colours_come_out_as_they_went_in() {
        let frame = frames().swap_remove(1);
        let right = shown(&frame);
        let frames = [frame.clone(), frame];
        for method in [Method::Hybrid, Method::Pyramid] {
            let fused = fused(options(method, true).on_cpu(AREA), &frames);
            for (own, right) in fused.picture.channels().iter().zip(&right) {
                let values = own.data.iter().zip(&right.data);
                let most = values.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(most < 2.0 / 65535.0, "{method:?}: {most}");
            }
        }
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_where_it_is_shown() {
        let (photo, ..) = frames().swap_remove(1);
        let pose = Transform::translation(40.0, -9.0);
        let frames: Vec<Frame> = (0..2)
            .map(|_| (photo.clone(), pose, Exposure::default()))
            .collect();
        for method in [Method::Hybrid, Method::Pyramid] {
            let fused = fused(options(method, true).on_cpu(AREA), &frames);
            let alpha = fused.alpha.unwrap();
            let planes = Planes::new(&photo, &pose, AREA, &Exposure::default());
            let (grey, mask) = planes.partly_shown(ALWAYS).unwrap().unwrap();
            let [red, green, blue] = fused.picture.channels();
            for (i, alpha) in alpha.iter().enumerate() {
                assert_eq!(*alpha > 0, mask.data[i] > 0.0, "{method:?} {i}");
                let (x, y) = (i % AREA.width, i / AREA.width);
                // What is hidden reaches a little into what is shown.
                let near = |x: usize, y: usize| mask.row(y.min(AREA.height - 1))[x];
                let is_inner = near((x + 24).min(AREA.width - 1), y) > 0.0
                    && near(x, y.saturating_sub(24)) > 0.0;
                if is_inner {
                    let own = grey_of(red.data[i], green.data[i], blue.data[i]);
                    let off = (own - grey.data[i]).abs();
                    assert!(off < 2.0 / 255.0, "{method:?} ({x}, {y}): {off}");
                }
            }
        }
    }
}
