//! Photographs as many JPEGs store them: colour has half the size (Y'CbCr 4:2:0;
//! ITU-T T.871). As RGB they are what libjpeg makes of such files, to the last bit.

use rayon::prelude::*;

use super::channels::sixteen_to_eight;
use super::eighth::rgb;
use super::halved::{halve, quarter};
use super::{Metadata, Orientation, Photo, Samples, buffers};
use crate::vector::vectorised;

/// Rows that a thread makes at a time.
const BAND: usize = 16;

/// A decoded photograph as many JPEGs store it, upright: brightness of every pixel, and
/// colour of every square of two by two (Y'CbCr 4:2:0; ITU-T T.871).
#[derive(Debug, Clone, PartialEq)]
pub struct Subsampled {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Y', then Cb, then Cr.
    samples: Vec<u8>,
    /// The ICC profile of what it is as RGB; `None` is sRGB.
    pub icc: Option<Vec<u8>>,
}

impl Subsampled {
    /// Of samples in the order of [`Self::samples`], without a profile.
    pub(super) fn new(width: usize, height: usize, samples: Vec<u8>) -> Self {
        debug_assert_eq!(samples.len(), Self::count(width, height));
        Self {
            width,
            height,
            samples,
            icc: None,
        }
    }

    /// How many samples a photograph of this size has.
    pub(super) fn count(width: usize, height: usize) -> usize {
        6 * width.div_ceil(2) * height.div_ceil(2)
    }

    /// Samples in a row of [`Self::luma`]: the width, made even.
    pub fn pitch(&self) -> usize {
        2 * self.width.div_ceil(2)
    }

    /// Columns and rows of squares.
    pub fn chroma_size(&self) -> [usize; 2] {
        [self.width.div_ceil(2), self.height.div_ceil(2)]
    }

    fn squares(&self) -> usize {
        let [columns, rows] = self.chroma_size();
        columns * rows
    }

    /// Y', of whole squares: where the width or the height is odd, there is a column or a
    /// row more, which is not part of the picture.
    pub fn luma(&self) -> &[u8] {
        &self.samples[..4 * self.squares()]
    }

    /// Cb of each square, and then Cr.
    pub fn chroma(&self) -> &[u8] {
        &self.samples[4 * self.squares()..]
    }

    /// Cb of each square, and Cr apart.
    fn planes(&self) -> [&[u8]; 2] {
        let (blue, red) = self.chroma().split_at(self.squares());
        [blue, red]
    }

    /// All samples: [`Self::luma`], then both planes of [`Self::chroma`].
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Bytes that its samples take in memory.
    pub fn bytes(&self) -> u64 {
        self.samples.len() as u64
    }

    /// The same in 8 bits of RGB. Colour goes over smoothly from square to square, as
    /// libjpeg makes it.
    pub fn to_photo(&self) -> Photo {
        let length = self.width * 3;
        let mut pixels = buffers::values::<u8>(length * self.height);
        let bands = pixels.par_chunks_mut((length * BAND).max(1)).enumerate();
        bands.for_each_init(
            || Scratch::new(self.width.div_ceil(2)),
            |scratch, (band, out)| {
                for (k, out) in out.chunks_exact_mut(length).enumerate() {
                    let y = band * BAND + k;
                    vectorised(
                        #[inline(always)]
                        || self.row_as_rgb(y, scratch, out),
                    );
                }
            },
        );
        self.as_photo([self.width, self.height], pixels)
    }

    /// The same at half the size, rounded up, in 8 bits of RGB: of each square the mean
    /// brightness, and the colour as it is.
    pub fn halved(&self) -> Photo {
        self.reduced(1)
    }

    /// The same halved so many times, at least once.
    pub(super) fn reduced(&self, times: u32) -> Photo {
        let mut size = self.chroma_size();
        let mut pixels = self.squares_as_rgb();
        for _ in 1..times {
            let width = size[0];
            size = size.map(|side| side.div_ceil(2));
            let mut half = buffers::values::<u8>(size[0] * size[1] * 3);
            halve(&pixels, width, &mut half);
            pixels = half;
        }
        self.as_photo(size, pixels)
    }

    /// Turned so. Where that is not upright already, width and height have to be even, or
    /// squares would not stay whole.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let squares = self.squares();
        let [columns, _] = self.chroma_size();
        let mut samples = buffers::values::<u8>(self.samples.len());
        let (luma, chroma) = samples.split_at_mut(4 * squares);
        orientation.turn::<u8, 1>(self.luma(), self.pitch(), luma);
        let planes = chroma.chunks_exact_mut(squares).zip(self.planes());
        planes.for_each(|(out, plane)| orientation.turn::<u8, 1>(plane, columns, out));
        buffers::keep_values(self.samples);
        let (width, height) = orientation.size(self.width, self.height);
        Self {
            width,
            height,
            samples,
            icc: self.icc,
        }
    }

    /// Fills `out` with the pixels of row `y`.
    #[inline(always)]
    fn row_as_rgb(&self, y: usize, scratch: &mut Scratch, out: &mut [u8]) {
        let [columns, rows] = self.chroma_size();
        let near = y / 2;
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(rows - 1)
        };
        let Scratch { sums, colours } = scratch;
        for (plane, colour) in self.planes().into_iter().zip(colours.iter_mut()) {
            let row = |y: usize| &plane[y * columns..][..columns];
            // Fewer are not interpolated by libjpeg, of which this is to be the same.
            if columns > 2 {
                interpolate(row(near), row(far), sums, colour);
            } else {
                repeat(row(near), colour);
            }
        }
        let [blues, reds] = &*colours;
        let luma = &self.luma()[y * self.pitch()..][..self.width];
        let pixels = out.as_chunks_mut::<3>().0.iter_mut();
        for (((pixel, luma), blue), red) in pixels.zip(luma).zip(blues).zip(reds) {
            *pixel = rgb(*luma, *blue, *red);
        }
    }

    /// A pixel for each square.
    fn squares_as_rgb(&self) -> Vec<u8> {
        let columns = self.width.div_ceil(2);
        let mut pixels = buffers::values::<u8>(self.squares() * 3);
        let (luma, chroma) = (self.luma(), self.planes());
        let bands = pixels
            .par_chunks_mut((columns * 3 * BAND).max(1))
            .enumerate();
        bands.for_each(|(band, out)| {
            for (k, out) in out.chunks_exact_mut(columns * 3).enumerate() {
                let y = band * BAND + k;
                let (above, below) = luma[4 * columns * y..][..4 * columns].split_at(2 * columns);
                let [blues, reds] = chroma.map(|plane| &plane[columns * y..][..columns]);
                vectorised(
                    #[inline(always)]
                    || show_squares(above, below, blues, reds, out),
                );
            }
        });
        pixels
    }

    fn as_photo(&self, [width, height]: [usize; 2], pixels: Vec<u8>) -> Photo {
        Photo {
            width,
            height,
            samples: Samples::Eight(pixels),
            alpha: None,
            metadata: Metadata {
                icc: self.icc.clone(),
                ..Metadata::default()
            },
        }
    }
}

impl From<&Photo> for Subsampled {
    /// Of any photograph; that some of it may be transparent is left out.
    fn from(photo: &Photo) -> Self {
        let (width, height) = (photo.width, photo.height);
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let mut samples = buffers::values::<u8>(Self::count(width, height));
        let (luma, chroma) = samples.split_at_mut(4 * columns * rows);
        let (blue, red) = chroma.split_at_mut(columns * rows);
        let each = columns.max(1);
        let lines = luma
            .par_chunks_mut(4 * each)
            .zip(blue.par_chunks_mut(each))
            .zip(red.par_chunks_mut(each));
        lines.enumerate().with_min_len(BAND).for_each_init(
            || [(); 2].map(|()| vec![0u8; 6 * columns]),
            |[above, below], (y, ((luma, blues), reds))| {
                take_row(photo, 2 * y, above);
                take_row(photo, (2 * y + 1).min(height - 1), below);
                let (first, second) = luma.split_at_mut(2 * columns);
                vectorised(
                    #[inline(always)]
                    || {
                        brightness(above, first);
                        brightness(below, second);
                        colours(above, below, blues, reds);
                    },
                );
            },
        );
        Self {
            width,
            height,
            samples,
            icc: photo.metadata.icc.clone(),
        }
    }
}

/// Keeps the memory of one that nobody needs any more, if there is someone who wants it.
pub fn keep_subsampled(photo: Subsampled) {
    buffers::keep_values(photo.samples);
}

/// Memory to make a row in.
#[derive(Debug)]
struct Scratch {
    /// For squares in a row, and one more at either end.
    sums: Vec<u16>,
    /// Cb and Cr of each pixel.
    colours: [Vec<u8>; 2],
}

impl Scratch {
    fn new(columns: usize) -> Self {
        Self {
            sums: vec![0; columns + 2],
            colours: [(); 2].map(|()| vec![0; 2 * columns]),
        }
    }
}

/// Fills `out` with two pixels for each square of the row `near`, of which the next
/// one is `far`: each is three parts of the nearer square and one of the other, both
/// ways. `sums` is scratch.
#[inline(always)]
fn interpolate(near: &[u8], far: &[u8], sums: &mut [u16], out: &mut [u8]) {
    let columns = near.len();
    for ((sum, near), far) in sums[1..].iter_mut().zip(near).zip(far) {
        *sum = 3 * u16::from(*near) + u16::from(*far);
    }
    sums[0] = sums[1];
    sums[columns + 1] = sums[columns];
    let around = sums.iter().zip(&sums[1..]).zip(&sums[2..]);
    let pairs = out.as_chunks_mut::<2>().0.iter_mut();
    for (pair, ((&before, &this), &after)) in pairs.zip(around) {
        // What lies in the middle of two values becomes the upper and the lower in turn.
        *pair = [
            ((3 * this + before + 8) >> 4) as u8,
            ((3 * this + after + 7) >> 4) as u8,
        ];
    }
}

/// Fills `out` with each value of `row` twice.
#[inline(always)]
fn repeat(row: &[u8], out: &mut [u8]) {
    for (pair, value) in out.as_chunks_mut::<2>().0.iter_mut().zip(row) {
        *pair = [*value; 2];
    }
}

/// Fills `out` with a pixel for each square of a row.
#[inline(always)]
fn show_squares(above: &[u8], below: &[u8], blues: &[u8], reds: &[u8], out: &mut [u8]) {
    let (above, below) = (above.as_chunks::<2>().0, below.as_chunks::<2>().0);
    let squares = above.iter().zip(below).zip(blues).zip(reds);
    let pixels = out.as_chunks_mut::<3>().0.iter_mut();
    for (pixel, (((&[a, b], &[c, d]), blue), red)) in pixels.zip(squares) {
        let sum = u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d);
        *pixel = rgb(quarter(sum), *blue, *red);
    }
}

/// Fills `out` with row `y` of `photo` in 8 bits, and its last pixel once more where
/// that makes it even.
fn take_row(photo: &Photo, y: usize, out: &mut [u8]) {
    let length = photo.width * 3;
    match &photo.samples {
        Samples::Eight(samples) => {
            out[..length].copy_from_slice(&samples[y * length..][..length]);
        }
        Samples::Sixteen(samples) => {
            let row = &samples[y * length..][..length];
            let both = out.iter_mut().zip(row);
            both.for_each(|(out, value)| *out = sixteen_to_eight(*value));
        }
    }
    out.copy_within(length - 3..length, out.len() - 3);
}

/// Fills `out` with Y' of a row of RGB (ITU-T T.871), in 16 bits behind the point.
#[inline(always)]
fn brightness(row: &[u8], out: &mut [u8]) {
    for (out, &[red, green, blue]) in out.iter_mut().zip(row.as_chunks::<3>().0) {
        let (red, green, blue) = (u32::from(red), u32::from(green), u32::from(blue));
        *out = ((19_595 * red + 38_470 * green + 7_471 * blue + (1 << 15)) >> 16) as u8;
    }
}

/// Finds Cb and Cr of the squares in two rows of RGB (ITU-T T.871), in 16 bits behind
/// the point.
#[inline(always)]
fn colours(above: &[u8], below: &[u8], blues: &mut [u8], reds: &mut [u8]) {
    let (above, below) = (above.as_chunks::<6>().0, below.as_chunks::<6>().0);
    let out = blues.iter_mut().zip(reds);
    for ((to_blue, to_red), (a, b)) in out.zip(above.iter().zip(below)) {
        let sum = |c: usize| -> i32 {
            let four = [a[c], a[c + 3], b[c], b[c + 3]];
            four.into_iter().map(i32::from).sum()
        };
        let (red, green, blue) = (sum(0), sum(1), sum(2));
        *to_blue = difference(-11_058 * red - 21_710 * green + 32_768 * blue);
        *to_red = difference(32_768 * red - 27_439 * green - 5_329 * blue);
    }
}

/// A quarter of a difference of colours, in 16 bits behind the point, as a sample.
#[inline(always)]
fn difference(sum: i32) -> u8 {
    (128 + ((sum + (1 << 17)) >> 18)).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use turbojpeg::{ScalingFactor, Subsamp};

    use super::super::compressed::{compressed, decoded, planes};
    use super::*;

    const SIZES: [(usize, usize); 15] = [
        (1, 1),
        (2, 2),
        (3, 1),
        (1, 9),
        (4, 21),
        (5, 4),
        (6, 6),
        (17, 5),
        (16, 16),
        (33, 47),
        (8, 200),
        (100, 2),
        (130, 129),
        (640, 480),
        (641, 479),
    ];

    /// Blots of strong colours, whose values are `low` or `high`, and fine noise.
    fn picture((width, height): (usize, usize), low: u8, high: u8) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(3);
        (0..width * height * 3)
            .map(|i| {
                let (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
                let colour = (x / 7 + y / 5 * 3) % 8;
                let value = if colour >> channel & 1 == 0 {
                    low
                } else {
                    high
                };
                value + random.u8(..20)
            })
            .collect()
    }

    fn photo((width, height): (usize, usize), samples: Samples) -> Photo {
        Photo {
            width,
            height,
            samples,
            ..Photo::default()
        }
    }

    fn eight(photo: &Photo) -> &[u8] {
        match &photo.samples {
            Samples::Eight(samples) => samples,
            Samples::Sixteen(_) => panic!("16 bits"),
        }
    }

    fn apart(a: &[u8], b: &[u8]) -> u8 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn pixels_are_those_of_libjpeg() {
        for size in SIZES {
            for (quality, progressive) in [(30, false), (98, false), (90, true)] {
                let pixels = picture(size, 5, 230);
                let data = compressed(&pixels, size, Subsamp::Sub2x2, |compressor| {
                    compressor.set_quality(quality).unwrap();
                    compressor.set_progressive(progressive).unwrap();
                });
                let photo = planes(&data).unwrap().to_photo();
                let theirs = decoded(&data, size, ScalingFactor::ONE).unwrap();
                assert_eq!((photo.width, photo.height), size);
                let apart = apart(eight(&photo), &theirs);
                assert_eq!(apart, 0, "{size:?} {quality}");
            }
        }
    }

    #[test]
    fn half_the_size_is_that_of_a_decoder_that_makes_fewer_pixels() {
        for size in SIZES {
            // Away from the ends of the scale, which are kept to before the mean is taken.
            let pixels = picture(size, 80, 150);
            let data = compressed(&pixels, size, Subsamp::Sub2x2, |compressor| {
                compressor.set_quality(95).unwrap();
            });
            let photo = planes(&data).unwrap().halved();
            let theirs = decoded(&data, size, ScalingFactor::ONE_HALF).unwrap();
            assert_eq!(
                [photo.width, photo.height],
                [size.0, size.1].map(|side| side.div_ceil(2))
            );
            let apart = apart(eight(&photo), &theirs);
            assert!(apart <= 3, "{size:?}: {apart}");
        }
    }

    #[test]
    fn other_kinds_have_no_planes() {
        let size = (40, 30);
        for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Gray] {
            let data = compressed(&picture(size, 5, 230), size, subsamp, |_| ());
            assert_eq!(planes(&data), None, "{subsamp:?}");
        }
    }

    #[test]
    fn grey_stays_as_it_is() {
        for size in SIZES {
            let greys = picture(size, 5, 230);
            let samples: Vec<u8> = greys.chunks(3).flat_map(|pixel| [pixel[0]; 3]).collect();
            let planes = Subsampled::from(&photo(size, Samples::Eight(samples.clone())));
            let bytes = Subsampled::count(size.0, size.1) as u64;
            assert_eq!(planes.bytes(), bytes);
            assert!(eight(&planes.to_photo()) == samples, "{size:?}");
        }
    }

    #[test]
    fn smooth_colours_stay_nearly_as_they_are() {
        for size in SIZES {
            let wave = |x: f64, y: f64| (128.0 + 60.0 * (x + y).sin()) as u8;
            let colour = |i: usize| {
                let (x, y) = ((i % size.0) as f64, (i / size.0) as f64);
                [
                    wave(0.012 * x, 0.008 * y),
                    wave(0.006 * x, -0.011 * y),
                    wave(-0.01 * x, 0.007 * y),
                ]
            };
            let samples: Vec<u8> = (0..size.0 * size.1).flat_map(colour).collect();
            let sixteen = samples.iter().map(|value| u16::from(*value) * 257);
            let planes = Subsampled::from(&photo(size, Samples::Eight(samples.clone())));
            let apart = apart(eight(&planes.to_photo()), &samples);
            assert!(apart <= 3, "{size:?}: {apart}");
            assert!(planes == Subsampled::from(&photo(size, Samples::Sixteen(sixteen.collect()))));
        }
    }

    #[test]
    fn all_is_turned_alike() {
        let size = (46, 30);
        let pixels = picture(size, 60, 170);
        let planes = Subsampled::from(&photo(size, Samples::Eight(pixels)));
        let upright = planes.to_photo();
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value);
            let turned = planes.clone().turned(orientation).to_photo();
            let right = orientation.apply::<u8, 3>(eight(&upright).to_vec(), size.0);
            let right_size = orientation.size(size.0, size.1);
            assert_eq!((turned.width, turned.height), right_size);
            // What lies in the middle is rounded by where it is.
            let apart = apart(eight(&turned), &right);
            assert!(apart <= 2, "{value}: {apart}");
        }
    }

    #[test]
    fn a_profile_stays_with_it() {
        let mut grey = photo((3, 2), Samples::Eight(vec![9; 18]));
        grey.metadata.icc = Some(vec![1, 2, 3]);
        let planes = Subsampled::from(&grey);
        assert_eq!(planes.icc, grey.metadata.icc);
        assert_eq!(planes.to_photo(), grey);
        assert_eq!(planes.halved().metadata, grey.metadata);
    }

    #[test]
    fn one_without_pixels_is_that_in_any_form() {
        let planes = Subsampled::from(&Photo::default());
        assert_eq!(planes.to_photo(), Photo::default());
        assert_eq!(planes.halved(), Photo::default());
    }
}
