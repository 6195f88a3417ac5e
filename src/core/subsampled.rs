//! Frames that have their colour at half the size, in the geometry of the result.
//!
//! Many JPEGs store brightness (Y') for every pixel, and colour (Cb, Cr) for every
//! square of two by two. So at the finest level of detail they have one channel, which
//! red, green and blue share, and the next is where colour begins: there Cb and Cr are
//! sampled at their own size. Nothing is interpolated that the file does not have.

use std::ops::Range;

use super::keep_going::check;
use super::plane::Plane;
use super::resample::Source;
use super::warp::{Area, Exposure, Way, is_covered, rectangle, warp_samples};
use super::{KeepGoing, Transform};
use crate::Result;
use crate::photo::Subsampled;

/// What red, green and blue count in Y' (ITU-T T.871).
const GREY: [f64; 3] = [0.299, 0.587, 0.114];
/// What Cb and Cr add to red, green and blue.
const COLOUR: [[f64; 2]; 3] = [[0.0, 1.402], [-0.344_136, -0.714_136], [1.772, 0.0]];
/// Where Cb and Cr begin, and the full scale of all.
const MIDDLE: f64 = 128.0;
const FULL: f64 = 255.0;

/// How the values of a frame become those of the result, its exposure matched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tones {
    /// Factor and offset by which a sample of Y' becomes grey.
    pub grey: [f32; 2],
    /// For red, green and blue the factors of grey, of samples of Cb and of Cr, and
    /// what is added.
    pub colours: [[f32; 4]; 3],
    /// How far grey may be from that of red, green and blue, where their exposures
    /// differ.
    pub slack: f32,
}

impl Tones {
    /// Of a frame with this exposure.
    pub fn of(exposure: &Exposure) -> Self {
        let Exposure { gain, offset } = exposure;
        let grey_of = |values: &[f64; 3]| -> f64 {
            let each = GREY.iter().zip(values);
            each.map(|(share, value)| share * value).sum()
        };
        let (grey_gain, grey_offset) = (grey_of(gain), grey_of(offset));
        let colours = [0, 1, 2].map(|c| {
            let of_grey = gain[c] / grey_gain;
            let [blue, red] = COLOUR[c].map(|share| gain[c] * share / FULL);
            let more = offset[c] - of_grey * grey_offset - MIDDLE * (blue + red);
            [of_grey, blue, red, more].map(|value| value as f32)
        });
        let most = |k: usize| grey_of(&[0, 1, 2].map(|c| gain[c] * COLOUR[c][k])).abs() / 2.0;
        Self {
            grey: [(grey_gain / FULL) as f32, grey_offset as f32],
            colours,
            slack: (most(0) + most(1)) as f32,
        }
    }

    /// Red, green and blue of a row at half the size.
    #[inline(always)]
    pub fn mix(&self, [grey, blue, red]: [&[f32]; 3], out: [&mut [f32]; 3]) {
        for (out, [of_grey, of_blue, of_red, more]) in out.into_iter().zip(self.colours) {
            let values = out.iter_mut().zip(grey).zip(blue).zip(red);
            for (((out, grey), blue), red) in values {
                *out = of_grey * grey + of_blue * blue + of_red * red + more;
            }
        }
    }
}

/// What red, green and blue count in grey.
pub const SHARES: [f32; 3] = [GREY[0] as f32, GREY[1] as f32, GREY[2] as f32];

/// The grey of a pixel.
#[inline(always)]
pub fn grey_of(red: f32, green: f32, blue: f32) -> f32 {
    SHARES[0] * red + SHARES[1] * green + SHARES[2] * blue
}

/// Where `pose` puts pixels of the result's half size, whose first lies on the first of
/// `area`, among the samples of colour, each in the middle of a square.
pub fn halved(pose: &Transform, area: Area) -> Transform {
    let up = Transform([
        [2.0, 0.0, area.x as f64],
        [0.0, 2.0, area.y as f64],
        [0.0, 0.0, 1.0],
    ]);
    let down = Transform([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]]);
    up.then(pose).then(&down)
}

/// The half size of `area`, whose first pixel lies on its first.
pub fn half_area(area: Area) -> Area {
    Area {
        x: 0,
        y: 0,
        width: area.width.div_ceil(2),
        height: area.height.div_ceil(2),
    }
}

/// A frame, and how it is brought into the geometry of the result.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    photo: &'a Subsampled,
    pose: &'a Transform,
    area: Area,
    /// How its values become those of the result.
    pub tones: Tones,
    half_pose: Transform,
}

impl<'a> Planes<'a> {
    /// A frame, of which the result shows `area`, where `pose` puts it.
    pub fn new(
        photo: &'a Subsampled,
        pose: &'a Transform,
        area: Area,
        exposure: &Exposure,
    ) -> Self {
        Self {
            photo,
            pose,
            area,
            tones: Tones::of(exposure),
            half_pose: halved(pose, area),
        }
    }

    fn size(&self) -> [usize; 2] {
        [self.photo.width, self.photo.height]
    }

    /// Finds the grey of `columns` of `rows` of the result, for which `out` has room.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn grey(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        out: &mut [f32],
        keep_going: KeepGoing,
    ) -> Result<()> {
        let Self { photo, pose, .. } = *self;
        let [gain, offset] = self.tones.grey;
        let source = Source::new(self.size(), photo.luma(), [gain], [offset]);
        let source = source.pitched(photo.pitch());
        let way = Way::of(self.size(), pose, self.area);
        let part = self.area.part(rows, columns);
        warp_samples(&source, pose, part, way, [out], keep_going);
        check(keep_going)
    }

    /// Finds Cb and Cr, in samples, of `columns` of `rows` of the result's half size,
    /// for which both of `out` have room.
    ///
    /// # Errors
    ///
    /// As [`Self::grey`].
    pub fn colour(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        out: [&mut [f32]; 2],
        keep_going: KeepGoing,
    ) -> Result<()> {
        let (size, area) = (self.photo.chroma_size(), half_area(self.area));
        let way = Way::of(size, &self.half_pose, area);
        let part = area.part(rows, columns);
        let source = Source::new(size, self.photo.chroma(), [1.0; 2], [0.0; 2]);
        let source = source.in_planes();
        warp_samples(&source, &self.half_pose, part, way, out, keep_going);
        check(keep_going)
    }

    /// The grey of all of the result, and where the frame shows it; `None` where it
    /// shows all.
    ///
    /// # Errors
    ///
    /// As [`Self::grey`].
    pub fn partly_shown(&self, keep_going: KeepGoing) -> Result<Option<(Plane, Plane)>> {
        let Self { pose, area, .. } = *self;
        if is_covered(self.size(), pose, area) {
            return Ok(None);
        }
        let mut grey = Plane::new(area.width, area.height);
        self.grey(0..area.height, 0..area.width, &mut grey.data, keep_going)?;
        Ok(Some((grey, rectangle(self.size(), pose, area))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::warp::warp;
    use crate::photo::{Photo, Samples};

    /// Smooth colours, which half the size shows as well.
    fn photo() -> Photo {
        let (width, height) = (120usize, 90usize);
        let values = (0..width * height).flat_map(|i| {
            let (x, y) = ((i % width) as f64, (i / width) as f64);
            let wave = |a: f64, b: f64| (128.0 + 90.0 * (a * x + b * y).sin()) as u8;
            [wave(0.11, 0.05), wave(0.03, -0.09), wave(-0.06, 0.08)]
        });
        Photo {
            width,
            height,
            samples: Samples::Eight(values.collect()),
            ..Photo::default()
        }
    }

    #[test]
    fn half_the_size_is_that_of_what_all_pixels_show() {
        let photo = photo();
        let planes = Subsampled::from(&photo);
        let exposure = Exposure {
            gain: [1.1, 1.0, 0.9],
            offset: [0.01, 0.0, -0.02],
        };
        let pose = Transform::similarity(1.01, 0.03, [60.0, 40.0], [1.3, -0.7]);
        let area = Area {
            x: 11,
            y: 8,
            width: 95,
            height: 70,
        };
        let whole = warp(&photo, &pose, area, &exposure);
        let planes = Planes::new(&planes, &pose, area, &exposure);
        let mut grey = Plane::new(area.width, area.height);
        let rows = 0..area.height;
        planes
            .grey(rows, 0..area.width, &mut grey.data, ALWAYS)
            .unwrap();
        let [red, green, blue] = &whole.channels;
        let slack = planes.tones.slack;
        for (i, grey) in grey.data.iter().enumerate() {
            let right = grey_of(red.data[i], green.data[i], blue.data[i]);
            assert!((grey - right).abs() < slack + 0.01, "{i}: {grey} {right}");
        }
        let half = half_area(area);
        let mut colour = [0, 1].map(|_| vec![0.0; half.width * half.height]);
        let out = colour.each_mut().map(|plane| &mut plane[..]);
        planes
            .colour(0..half.height, 0..half.width, out, ALWAYS)
            .unwrap();
        let [cb, cr] = &colour;
        let grey = grey.reduced();
        let mut mixed = [0, 1, 2].map(|_| vec![0.0; cb.len()]);
        let out = mixed.each_mut().map(|plane| &mut plane[..]);
        planes.tones.mix([&grey.data, cb, cr], out);
        for (mixed, whole) in mixed.iter().zip(&whole.channels) {
            let reduced = whole.reduced();
            let inner = |i: &usize| {
                let (x, y) = (i % half.width, i / half.width);
                (2..half.width - 2).contains(&x) && (2..half.height - 2).contains(&y)
            };
            for i in (0..mixed.len()).filter(inner) {
                let off = (mixed[i] - reduced.data[i]).abs();
                assert!(off < 0.02, "{i}: {} {}", mixed[i], reduced.data[i]);
            }
        }
    }

    #[test]
    fn equal_exposures_leave_no_slack() {
        let brighter = Exposure {
            gain: [1.3; 3],
            offset: [0.02; 3],
        };
        let tones = Tones::of(&brighter);
        assert!(tones.slack < 1e-5, "{tones:?}");
        let [red, ..] = tones.colours;
        assert!((red[0] - 1.0).abs() < 1e-6 && red[3].abs() < 1.3, "{red:?}");
    }

    #[test]
    fn what_lies_beyond_a_frame_is_not_shown() {
        let photo = Subsampled::from(&photo());
        let area = Area {
            x: 0,
            y: 0,
            width: 120,
            height: 90,
        };
        let (here, away) = (Transform::IDENTITY, Transform::translation(10.0, 0.0));
        let shown = |pose| {
            Planes::new(&photo, pose, area, &Exposure::default())
                .partly_shown(ALWAYS)
                .unwrap()
        };
        assert!(shown(&here).is_none());
        let (_, mask) = shown(&away).unwrap();
        assert_eq!((mask.row(5)[109], mask.row(5)[110]), (1.0, 0.0));
    }
}
