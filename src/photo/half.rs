//! Decodes JPEGs at half their size, where a pixel is the mean of four: as libjpeg does,
//! to the last bit, in about half the time, most of which is to tell one code from the
//! next. Made for the sequential pictures of cameras that have their colour at the full
//! size, or at half the width (ITU-T T.81; JFIF 1.02); all others, and whatever is wrong
//! with a file, are left to libjpeg.

use super::baseline::{Blocks, Component, Picture, Tables, ZIGZAG, range, rgb};
use super::huffman::Scan;
use crate::vector::vectorised;

/// Rows and columns of a block that is decoded.
const SIDE: usize = 4;
/// Blocks that are transformed together.
const TOGETHER: usize = 4;
/// Their coefficients in a row.
const ROW: usize = 8 * TOGETHER;
/// Coefficients further out are none of a picture.
const FARTHEST: i32 = 16_000;

/// Decodes the picture in `data` into `pixels`, `width * height` of 8-bit RGB, which
/// have to be half of its size, rounded up. `None` if the picture is of another kind or
/// size, or not quite as it should be.
pub(super) fn decode(data: &[u8], width: usize, height: usize, pixels: &mut [u8]) -> Option<()> {
    let mut picture = Picture::default();
    let scan = picture.read_header(data)?;
    if (picture.width.div_ceil(2), picture.height.div_ceil(2)) != (width, height) {
        return None;
    }
    let components = picture.components.iter();
    let planes = components.map(|component| Plane::new(&picture, component));
    let mut planes = planes.collect::<Option<Vec<_>>>()?;
    picture.read_blocks(scan, &mut planes)?;
    let rows = pixels.chunks_exact_mut(width * 3).enumerate();
    match &planes[..] {
        [grey] => rows.for_each(|(y, row)| {
            let row = row.as_chunks_mut::<3>().0.iter_mut();
            let pixels = row.zip(grey.row(y));
            pixels.for_each(|(pixel, &value)| *pixel = [value; 3]);
        }),
        [luma, blue, red] => {
            let mut colours = [(); 2].map(|()| vec![0; width.next_multiple_of(2)]);
            for (y, row) in rows {
                let [blues, reds] = &mut colours;
                blue.spread(y, blues);
                red.spread(y, reds);
                vectorised(
                    #[inline(always)]
                    || {
                        let row = row.as_chunks_mut::<3>().0.iter_mut();
                        let values = row.zip(luma.row(y)).zip(&*blues).zip(&*reds);
                        for (((pixel, luma), blue), red) in values {
                            *pixel = rgb(*luma, *blue, *red);
                        }
                    },
                );
            }
        }
        _ => return None,
    }
    Some(())
}

/// A component at half the size that it has in the picture.
#[derive(Debug)]
struct Plane<'a> {
    tables: Tables<'a>,
    /// What each coefficient counts, and where it stands among those of its row of
    /// blocks, in the file's order.
    places: [(i32, usize); 64],
    /// Blocks of a unit in a row.
    across: usize,
    /// Whether it has half the width of luminance.
    is_narrow: bool,
    /// The first coefficient of the last block.
    last: i32,
    /// The coefficients of blocks that are not transformed yet: rows of all of them.
    waiting: Box<[i16; 8 * ROW]>,
    /// How many blocks those are, and where the first belongs.
    count: usize,
    at: (usize, usize),
    /// Blocks in a row.
    blocks: usize,
    width: usize,
    /// Columns that belong to the picture.
    shown: usize,
    data: Vec<u8>,
}

impl<'a> Plane<'a> {
    fn new(picture: &'a Picture, component: &Component) -> Option<Self> {
        let (largest, units) = (picture.largest()?, picture.units()?);
        let (across, down) = component.size;
        let is_narrow = match (across, largest.0) {
            (1, 2) => true,
            (own, all) if own == all => false,
            _ => return None,
        };
        if largest.1 != 1 || down != 1 {
            return None;
        }
        let tables = picture.tables(component)?;
        let blocks = units.0 * across;
        let width = blocks.next_multiple_of(TOGETHER) * SIDE;
        let place = |k: usize| {
            let (row, column) = (usize::from(ZIGZAG[k]) / 8, usize::from(ZIGZAG[k]) % 8);
            (i32::from(tables.quantizer[k]), row * ROW + column)
        };
        Some(Self {
            places: std::array::from_fn(place),
            tables,
            across,
            is_narrow,
            last: 0,
            waiting: Box::new([0; 8 * ROW]),
            count: 0,
            at: (0, 0),
            blocks,
            width,
            shown: picture.width.div_ceil(if is_narrow { 4 } else { 2 }),
            data: vec![0; width * units.1 * SIDE],
        })
    }

    fn row(&self, y: usize) -> &[u8] {
        &self.data[y * self.width..][..self.shown]
    }

    /// Fills `out` with row `y` at the width of luminance, or one more. Where it has half
    /// of that, a pixel is three parts of the nearest and one of the next.
    fn spread(&self, y: usize, out: &mut [u8]) {
        let row = self.row(y);
        if !self.is_narrow {
            return out[..row.len()].copy_from_slice(row);
        }
        let pairs = out.as_chunks_mut::<2>().0;
        // libjpeg does so with few columns.
        if row.len() <= 2 {
            let pairs = pairs.iter_mut().zip(row);
            return pairs.for_each(|(pair, &value)| *pair = [value; 2]);
        }
        let mix = |own: u8, next: u8, more: u16| {
            ((3 * u16::from(own) + u16::from(next) + more) >> 2) as u8
        };
        vectorised(
            #[inline(always)]
            || {
                let places = row.windows(3).zip(&mut pairs[1..]);
                places.for_each(|(near, pair)| {
                    *pair = [mix(near[1], near[0], 1), mix(near[1], near[2], 2)];
                });
            },
        );
        let last = row.len() - 1;
        pairs[0] = [row[0], mix(row[0], row[1], 2)];
        pairs[last] = [mix(row[last], row[last - 1], 1), row[last]];
    }

    /// Transforms the blocks that wait.
    fn transform(&mut self) {
        let (x, y) = self.at;
        let (waiting, count) = (&mut self.waiting, self.count);
        let start = y * SIDE * self.width + x * SIDE;
        let (data, width) = (&mut self.data[start..], self.width);
        let mut out = [[0; SIDE * TOGETHER]; SIDE];
        vectorised(
            #[inline(always)]
            || transform(waiting, &mut out),
        );
        for (row, out) in data.chunks_mut(width).zip(out) {
            row[..count * SIDE].copy_from_slice(&out[..count * SIDE]);
        }
        waiting.fill(0);
        self.count = 0;
    }
}

impl Blocks for Plane<'_> {
    #[inline]
    fn read(&mut self, scan: &mut Scan, x: usize, y: usize) -> Option<()> {
        for block in 0..self.across {
            let x = x * self.across + block;
            if self.count == 0 {
                self.at = (x, y);
            }
            let first = 8 * self.count;
            let (places, waiting) = (&self.places, &mut self.waiting);
            let mut farthest = 0;
            let take = |k: usize, value: i32| {
                let (step, place) = places[k];
                let value = value * step;
                farthest = value.abs().max(farthest);
                waiting[(first + place) % (8 * ROW)] = value as i16;
            };
            self.last += scan.block(self.tables.dc, self.tables.ac, take)?;
            if farthest > FARTHEST {
                return None;
            }
            waiting[first] = range(self.last * places[0].0)? as i16;
            self.count += 1;
            if self.count == TOGETHER || x + 1 == self.blocks {
                self.transform();
            }
        }
        Some(())
    }

    fn restart(&mut self) {
        self.last = 0;
    }
}

/// Bits behind the point of what coefficients are multiplied by, and of what is kept
/// between the two ways.
const BITS: i32 = 13;
const KEPT: i32 = 2;

/// The inverse cosine transform of rows of coefficients to means of two values, down
/// and then across, in the steps and the integers of libjpeg.
#[inline(always)]
fn transform(coefficients: &[i16; 8 * ROW], out: &mut [[u8; SIDE * TOGETHER]; SIDE]) {
    let mut columns = [[0i32; ROW]; SIDE];
    for x in 0..ROW {
        let at = |row: usize| i32::from(coefficients[row * ROW + x]);
        let values = means(
            [at(0), at(1), at(2), at(3), at(5), at(6), at(7)],
            BITS - KEPT + 1,
        );
        for (column, value) in columns.iter_mut().zip(values) {
            column[x] = value;
        }
    }
    // The rows of all blocks beside each other.
    let mut turned = [[0i32; SIDE * TOGETHER]; 8];
    for (column, turned) in turned.iter_mut().enumerate() {
        for (at, value) in turned.iter_mut().enumerate() {
            *value = columns[at % SIDE][at / SIDE * 8 + column];
        }
    }
    let mut values = [[0i32; SIDE * TOGETHER]; SIDE];
    for at in 0..SIDE * TOGETHER {
        let own = |column: usize| turned[column][at];
        let row = [own(0), own(1), own(2), own(3), own(5), own(6), own(7)];
        let row = means(row, BITS + KEPT + 4);
        for (values, value) in values.iter_mut().zip(row) {
            values[at] = value;
        }
    }
    for (y, out) in out.iter_mut().enumerate() {
        for (x, out) in out.iter_mut().enumerate() {
            let value = values[x % SIDE][x / SIDE * SIDE + y];
            *out = (value + 128).clamp(0, 255) as u8;
        }
    }
}

/// Four means of two values, of all eight coefficients but the fifth, which says nothing
/// of them, rounded by `shift` bits. Factors are sums of cosines.
#[inline(always)]
fn means([a, b, c, d, f, g, h]: [i32; 7], shift: i32) -> [i32; 4] {
    let scaled = |factor: f64| (factor * f64::from(1 << BITS) + 0.5) as i32;
    let mean = a << (BITS + 1);
    let even = c * scaled(1.847_759_065) - g * scaled(0.765_366_865);
    let inner = b * scaled(1.061_594_337) - d * scaled(2.172_734_803) + f * scaled(1.451_774_981)
        - h * scaled(0.211_164_243);
    let outer = b * scaled(2.562_915_447) + d * scaled(0.899_976_223)
        - f * scaled(0.601_344_887)
        - h * scaled(0.509_795_579);
    let rounded = |sum: i32| (sum + (1 << (shift - 1))) >> shift;
    [
        rounded(mean + even + outer),
        rounded(mean - even + inner),
        rounded(mean - even - inner),
        rounded(mean + even - outer),
    ]
}

#[cfg(test)]
mod tests {
    use turbojpeg::{ScalingFactor, Subsamp};

    use super::super::compressed::{compressed, decoded};
    use super::*;

    /// Slopes, edges, coarse blots of colour and fine noise.
    fn picture(width: usize, height: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(5);
        (0..width * height * 3)
            .map(|i| {
                let (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
                let slope = x * 90 / width + y * 50 / height;
                let blot = (x / 20 * 7 + y / 12 * (channel * 5 + 3)) % 4 * 25;
                (slope + blot) as u8 + random.u8(..30)
            })
            .collect()
    }

    fn half(data: &[u8], (width, height): (usize, usize)) -> Option<Vec<u8>> {
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let mut pixels = vec![0; width * height * 3];
        decode(data, width, height, &mut pixels).map(|()| pixels)
    }

    const KINDS: [Subsamp; 3] = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Gray];

    #[test]
    fn pixels_are_those_of_libjpeg() {
        for size in [
            (1, 1),
            (2, 2),
            (5, 3),
            (8, 8),
            (9, 17),
            (64, 48),
            (257, 131),
            (90, 9),
            (641, 16),
        ] {
            let pixels = picture(size.0, size.1);
            for quality in [5, 40, 90, 100] {
                for (subsamp, optimize) in KINDS.into_iter().flat_map(|s| [(s, false), (s, true)]) {
                    let data = compressed(&pixels, size, subsamp, |compressor| {
                        compressor.set_quality(quality).unwrap();
                        compressor.set_optimize(optimize).unwrap();
                    });
                    let own = half(&data, size).expect("a picture of this kind");
                    let theirs = decoded(&data, size, ScalingFactor::ONE_HALF).unwrap();
                    let apart = own.iter().zip(&theirs).filter(|(a, b)| a != b).count();
                    assert_eq!(apart, 0, "{size:?} {quality} {subsamp:?}");
                }
            }
        }
    }

    #[test]
    fn other_kinds_are_left_to_libjpeg() {
        let size = (64, 48);
        let pixels = picture(size.0, size.1);
        let progressive = compressed(&pixels, size, Subsamp::None, |compressor| {
            compressor.set_progressive(true).unwrap();
        });
        assert_eq!(half(&progressive, size), None);
        for subsamp in [Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1] {
            let data = compressed(&pixels, size, subsamp, |_| ());
            assert_eq!(half(&data, size), None, "{subsamp:?}");
        }
        let other = compressed(&pixels, size, Subsamp::None, |_| ());
        assert_eq!(half(&other, (66, 48)), None);
    }

    #[test]
    fn a_file_cut_short_is_left_to_libjpeg() {
        let size = (100, 70);
        let data = compressed(&picture(100, 70), size, Subsamp::Sub2x1, |_| ());
        assert!(half(&data, size).is_some());
        for length in 0..data.len() {
            assert_eq!(half(&data[..length], size), None, "{length}");
        }
    }

    #[test]
    fn what_libjpeg_complains_of_is_left_to_it() {
        let size = (130, 90);
        let mut random = fastrand::Rng::with_seed(11);
        let (mut taken, mut left, mut apart) = (0, 0, 0);
        for subsamp in KINDS {
            let whole = compressed(&picture(130, 90), size, subsamp, |_| ());
            for _ in 0..3000 {
                let mut data = whole.clone();
                for _ in 0..random.usize(1..4) {
                    let at = random.usize(2..data.len());
                    data[at] ^= 1 << random.u8(..8);
                }
                let Some(own) = half(&data, size) else {
                    left += 1;
                    continue;
                };
                let theirs = decoded(&data, size, ScalingFactor::ONE_HALF);
                let theirs = theirs.expect("libjpeg complains");
                apart += usize::from(own != theirs);
                taken += 1;
            }
        }
        // Most of the changed values still are codes; what is far out of any range
        // others end elsewhere.
        assert!(taken > 500 && left > 500, "{taken} taken, {left} left");
        assert!(20 * apart < taken, "{apart} of {taken}");
    }
}
