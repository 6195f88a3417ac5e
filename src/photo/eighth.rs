//! Decodes JPEGs at an eighth of their size, where a pixel is the mean of a
//! block: of coefficients that tell more than that, only the length is looked at,
//! which is far less work than to decode them. Made for the sequential pictures
//! of cameras (ITU-T T.81, annexes B and F; JFIF 1.02); all others, and whatever
//! is wrong with a file, are left to libjpeg.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use super::huffman::{Codes, Scan};
use crate::vector::vectorised;

/// The order of coefficients in a file: where each stands in its block, row by
/// row (T.81, figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Decodes the picture in `data` into `pixels`, `width * height` of 8-bit RGB,
/// which have to be an eighth of its size, rounded up: to the values of libjpeg,
/// or next to them where colour is subsampled both ways. `None` if the picture
/// is of another kind or size, or not quite as it should be.
pub(super) fn decode(data: &[u8], width: usize, height: usize, pixels: &mut [u8]) -> Option<()> {
    let mut picture = Picture::default();
    let scan = picture.read_header(data)?;
    if (picture.width.div_ceil(8), picture.height.div_ceil(8)) != (width, height) {
        return None;
    }
    let planes = picture.read_scan(scan)?;
    let rows = pixels.chunks_exact_mut(width * 3).enumerate();
    match &planes[..] {
        [grey] => rows.for_each(|(y, row)| {
            let row = row.as_chunks_mut::<3>().0.iter_mut();
            row.zip(grey.row(y))
                .for_each(|(pixel, &value)| *pixel = [value; 3]);
        }),
        [luma, blue, red] => {
            let mut colours = [(); 2].map(|()| vec![0; width + 1]);
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

/// What stands before the scan.
#[derive(Debug, Default)]
struct Picture {
    width: usize,
    height: usize,
    components: Vec<Component>,
    quantizers: [Option<[u16; 64]>; 4],
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    /// Units between restarts; zero for none.
    interval: usize,
    is_jfif: bool,
    /// What Adobe's marker says of the colours.
    transform: Option<u8>,
}

#[derive(Debug)]
struct Component {
    id: u8,
    /// Blocks of a unit in a row and in a column.
    size: (usize, usize),
    quantizer: usize,
    dc: usize,
    ac: usize,
}

impl Picture {
    /// Reads up to the first scan, and answers what follows its header.
    fn read_header<'a>(&mut self, data: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = data.strip_prefix(b"\xff\xd8")?;
        loop {
            let &[0xff, marker, high, low, ref after @ ..] = rest else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
            let (segment, after) = after.split_at_checked(length)?;
            rest = after;
            match marker {
                0xc0 | 0xc1 if self.components.is_empty() => self.take_frame(segment)?,
                0xc4 => self.take_codes(segment)?,
                0xda => {
                    self.take_scan(segment)?;
                    return (self.has_known_colours()).then_some(rest);
                }
                0xdb => self.take_quantizers(segment)?,
                0xdd => self.interval = u16::from_be_bytes(segment.try_into().ok()?).into(),
                0xe0 => self.is_jfif |= segment.starts_with(b"JFIF\0"),
                0xee if segment.starts_with(b"Adobe") => self.transform = segment.get(11).copied(),
                0xe1..=0xef | 0xfe => {}
                _ => return None,
            }
        }
    }

    fn take_frame(&mut self, segment: &[u8]) -> Option<()> {
        let &[8, h1, h0, w1, w0, count, ref components @ ..] = segment else {
            return None;
        };
        self.width = u16::from_be_bytes([w1, w0]).into();
        self.height = u16::from_be_bytes([h1, h0]).into();
        let is_sound = self.width > 0
            && self.height > 0
            && matches!(count, 1 | 3)
            && components.len() == 3 * usize::from(count);
        let component = |&[id, size, quantizer]: &[u8; 3]| Component {
            id,
            size: (usize::from(size >> 4), usize::from(size & 15)),
            quantizer: quantizer.into(),
            dc: 0,
            ac: 0,
        };
        let components = components.as_chunks().0;
        self.components = components.iter().map(component).collect();
        if let [grey] = &mut self.components[..] {
            // A unit of one component is one block (T.81, A.2.2).
            grey.size = (1, 1);
        }
        is_sound.then_some(())
    }

    fn take_quantizers(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let bytes = 64 * usize::from((kind >> 4) + 1);
            let (values, rest) = rest.split_at_checked(bytes)?;
            segment = rest;
            let mut quantizer = [0; 64];
            match kind >> 4 {
                0 => quantizer
                    .iter_mut()
                    .zip(values)
                    .for_each(|(to, &value)| *to = value.into()),
                1 => quantizer
                    .iter_mut()
                    .zip(values.as_chunks().0)
                    .for_each(|(to, &value)| *to = u16::from_be_bytes(value)),
                _ => return None,
            }
            *self.quantizers.get_mut(usize::from(kind & 15))? = Some(quantizer);
        }
        Some(())
    }

    fn take_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            if total > 256 {
                return None;
            }
            let (symbols, rest) = rest.split_at_checked(total)?;
            segment = rest;
            let (table, codes) = match kind >> 4 {
                0 => (&mut self.dc, Codes::dc(counts, symbols)?),
                1 => (&mut self.ac, Codes::ac(counts, symbols)?),
                _ => return None,
            };
            *table.get_mut(usize::from(kind & 15))? = Some(codes);
        }
        Some(())
    }

    /// Takes the header of a scan of all components and all coefficients.
    fn take_scan(&mut self, segment: &[u8]) -> Option<()> {
        let [count, rest @ ..] = segment else {
            return None;
        };
        let (components, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let components = components.as_chunks::<2>().0;
        if components.len() != self.components.len() || rest != [0, 63, 0] {
            return None;
        }
        for (component, &[id, tables]) in self.components.iter_mut().zip(components) {
            if component.id != id {
                return None;
            }
            component.dc = usize::from(tables >> 4);
            component.ac = usize::from(tables & 15);
        }
        Some(())
    }

    /// Whether the colours are grey or Y'CbCr, as far as decoders agree on that.
    fn has_known_colours(&self) -> bool {
        let ids: Vec<u8> = self
            .components
            .iter()
            .map(|component| component.id)
            .collect();
        match (&ids[..], self.transform) {
            ([_], _) => true,
            (_, Some(transform)) => transform == 1,
            ([1, 2, 3], None) => true,
            _ => self.is_jfif && !ids.is_empty(),
        }
    }

    fn read_scan(&self, data: &[u8]) -> Option<Vec<Plane<'_>>> {
        let (across, down) = self.components.first()?.size;
        if !matches!((across, down), (1 | 2, 1 | 2)) {
            return None;
        }
        let units = (
            self.width.div_ceil(8 * across),
            self.height.div_ceil(8 * down),
        );
        let plane = |component| Plane::new(self, component, (across, down), units);
        let mut planes: Vec<Plane<'_>> =
            self.components.iter().map(plane).collect::<Option<_>>()?;
        let mut scan = Scan::new(data);
        for unit in 0..units.0 * units.1 {
            if self.interval > 0 && unit > 0 && unit % self.interval == 0 {
                let number = (unit / self.interval - 1) % 8;
                scan.pass_marker(0xd0 + number as u8)?;
                planes.iter_mut().for_each(|plane| plane.last = 0);
            }
            scan.ready()?;
            for plane in &mut planes {
                plane.read(&mut scan, unit % units.0, unit / units.0)?;
            }
        }
        scan.pass_marker(0xd9)?;
        Some(planes)
    }
}

/// A component at an eighth of the picture's size.
#[derive(Debug)]
struct Plane<'a> {
    dc: &'a Codes,
    ac: &'a Codes,
    quantizer: i32,
    /// What the coefficients weigh, if each block becomes four pixels.
    quarters: Option<[Weights; 64]>,
    /// Blocks of a unit in a row and in a column.
    size: (usize, usize),
    /// How often it is halved against the picture, in a row and in a column.
    halved: (u32, u32),
    /// The first coefficient of the last block.
    last: i32,
    width: usize,
    data: Vec<u8>,
}

impl<'a> Plane<'a> {
    /// For a component of `picture`, whose luminance has `largest` blocks in a
    /// unit. Libjpeg takes four pixels of a block where it has half the blocks both
    /// ways, so that nothing of the colours is lost.
    fn new(
        picture: &'a Picture,
        component: &Component,
        largest: (usize, usize),
        units: (usize, usize),
    ) -> Option<Self> {
        let quantizer = picture.quantizers.get(component.quantizer)?.as_ref()?;
        if quantizer.contains(&0) {
            return None;
        }
        let halved = |size, largest| match size {
            0 => None,
            _ if size == largest => Some(0),
            _ => (size * 2 == largest).then_some(1),
        };
        let (size, mut halved) = (
            component.size,
            (
                halved(component.size.0, largest.0)?,
                halved(component.size.1, largest.1)?,
            ),
        );
        let mut quarters = None;
        if halved == (1, 1) {
            quarters = Some(weights(quantizer));
            halved = (0, 0);
        }
        let pixels = if quarters.is_some() { 2 } else { 1 };
        let width = units.0 * size.0 * pixels;
        Some(Self {
            dc: picture.dc.get(component.dc)?.as_ref()?,
            ac: picture.ac.get(component.ac)?.as_ref()?,
            quantizer: quantizer[0].into(),
            quarters,
            size,
            halved,
            last: 0,
            width,
            data: vec![0; width * units.1 * size.1 * pixels],
        })
    }

    fn row(&self, y: usize) -> &[u8] {
        &self.data[y * self.width..][..self.width]
    }

    /// Fills `out`, as long as a row of the picture or one more, with what it is there
    /// in row `y`.
    fn spread(&self, y: usize, out: &mut [u8]) {
        let row = self.row(y >> self.halved.1);
        if self.halved.0 == 0 {
            let both = out.iter_mut().zip(row);
            return both.for_each(|(out, value)| *out = *value);
        }
        let pairs = out.as_chunks_mut::<2>().0.iter_mut().zip(row);
        pairs.for_each(|(pair, value)| *pair = [*value; 2]);
    }

    /// Reads its blocks of the unit at `x`, `y`.
    #[inline]
    fn read(&mut self, scan: &mut Scan, x: usize, y: usize) -> Option<()> {
        for down in 0..self.size.1 {
            for across in 0..self.size.0 {
                let (x, y) = (x * self.size.0 + across, y * self.size.1 + down);
                match &self.quarters {
                    None => {
                        self.last += scan.mean(self.dc, self.ac)?;
                        let mean = range(self.last * self.quantizer)?;
                        self.data[y * self.width + x] = sample((mean + 4) >> 3)?;
                    }
                    Some(weights) => {
                        let mut means = [0.0; 4];
                        let mut add = |place: usize, value: i32| {
                            let all = means.iter_mut().zip(weights[place]);
                            all.for_each(|(mean, weight)| *mean += weight * value as f32);
                        };
                        self.last += scan.block(self.dc, self.ac, &mut add)?;
                        range(self.last * self.quantizer)?;
                        add(0, self.last);
                        let at = 2 * (y * self.width + x);
                        let (above, below) = self.data[at..].split_at_mut(self.width);
                        let means = means.map(rounded);
                        for (to, mean) in above.iter_mut().zip(&means[..2]) {
                            *to = sample(*mean)?;
                        }
                        for (to, mean) in below.iter_mut().zip(&means[2..]) {
                            *to = sample(*mean)?;
                        }
                    }
                }
            }
        }
        Some(())
    }
}

/// What a coefficient weighs in the means of a block's quarters, in reading order, in
/// samples.
type Weights = [f32; 4];

/// The weights of all coefficients. The mean of the cosine of frequency f over the
/// first half of a block is sin(fπ/2) / (8 sin(fπ/16)), over the second half the same
/// with the other sign, and nothing of even f is left.
fn weights(quantizer: &[u16; 64]) -> [Weights; 64] {
    let halves = |frequency: u8| match (frequency, f32::from(frequency)) {
        (0, _) => [FRAC_1_SQRT_2 / 2.0; 2],
        (even, _) if even % 2 == 0 => [0.0; 2],
        (_, f) => {
            let half = (f * PI / 2.0).sin() / (16.0 * (f * PI / 16.0).sin());
            [half, -half]
        }
    };
    std::array::from_fn(|at| {
        let (place, step) = (ZIGZAG[at], f32::from(quantizer[at]));
        let ([left, right], [above, below]) = (halves(place % 8), halves(place / 8));
        [
            left * above * step,
            right * above * step,
            left * below * step,
            right * below * step,
        ]
    })
}

/// More than any mean of a picture is below zero.
const LIFT: i32 = 1024;

/// The nearest integer.
fn rounded(mean: f32) -> i32 {
    // Rounded down, since it is lifted to where all are positive.
    (mean + (0.5 + LIFT as f32)) as i32 - LIFT
}

/// A first coefficient, if it is one of a picture: further out decoders differ.
fn range(coefficient: i32) -> Option<i32> {
    (-4000..4000).contains(&coefficient).then_some(coefficient)
}

/// A sample of a mean around zero.
fn sample(mean: i32) -> Option<u8> {
    let is_sound = (-512..512).contains(&mean);
    is_sound.then(|| (mean + 128).clamp(0, 255) as u8)
}

/// Y'CbCr as RGB (JFIF 1.02), in 16 bits behind the point, to the values of libjpeg.
#[inline(always)]
pub(super) fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let scaled = |factor: f64| (factor * 65536.0 + 0.5) as i32;
    let (luma, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    // 1.402, -0.34414 and -0.71414, and 1.772: without whole parts, each fits 16 bits,
    // which are multiplied faster.
    [
        luma + red + ((scaled(0.402) * red + HALF) >> 16),
        luma - red + ((scaled(0.285_86) * red - scaled(0.344_14) * blue + HALF) >> 16),
        luma + 2 * blue + ((HALF - scaled(0.228) * blue) >> 16),
    ]
    .map(|value| value.clamp(0, 255) as u8)
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

    fn eighth(data: &[u8], (width, height): (usize, usize)) -> Option<Vec<u8>> {
        let (width, height) = (width.div_ceil(8), height.div_ceil(8));
        let mut pixels = vec![0; width * height * 3];
        decode(data, width, height, &mut pixels).map(|()| pixels)
    }

    /// What libjpeg makes of it, unless it complains.
    fn truth(data: &[u8], size: (usize, usize)) -> crate::Result<Vec<u8>> {
        decoded(data, size, ScalingFactor::ONE_EIGHTH)
    }

    fn apart(a: &[u8], b: &[u8]) -> u8 {
        a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    const SIZES: [(usize, usize); 6] = [(1, 1), (8, 8), (64, 48), (257, 131), (90, 9), (640, 16)];

    #[test]
    fn pixels_are_those_of_libjpeg() {
        for size in SIZES {
            let pixels = picture(size.0, size.1);
            for quality in [5, 40, 90, 100] {
                for (subsamp, most) in [
                    (Subsamp::None, 0),
                    (Subsamp::Sub2x1, 0),
                    (Subsamp::Sub1x2, 0),
                    (Subsamp::Gray, 0),
                    (Subsamp::Sub2x2, 2),
                ] {
                    for optimize in [false, true] {
                        let data = compressed(&pixels, size, subsamp, |compressor| {
                            compressor.set_quality(quality).unwrap();
                            compressor.set_optimize(optimize).unwrap();
                        });
                        let (own, theirs) = (eighth(&data, size), truth(&data, size).unwrap());
                        let apart = apart(&own.unwrap(), &theirs);
                        assert!(apart <= most, "{size:?} {quality} {subsamp:?}: {apart}");
                    }
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
        let arithmetic = compressed(&pixels, size, Subsamp::None, |compressor| {
            compressor.set_arithmetic(true).unwrap();
        });
        let uncommon = compressed(&pixels, size, Subsamp::Sub4x1, |_| ());
        for data in [progressive, arithmetic, uncommon] {
            assert_eq!(eighth(&data, size), None);
        }
    }

    fn find(data: &[u8], marker: u8) -> usize {
        data.windows(2)
            .position(|pair| pair == [0xff, marker])
            .unwrap()
    }

    /// Strips of 16 rows that were compressed alone are what stands between the
    /// restarts of a picture.
    fn with_restarts((width, height): (usize, usize), subsamp: Subsamp) -> Vec<u8> {
        let pixels = picture(width, height);
        let strips = pixels.chunks(width * 16 * 3);
        let strips: Vec<Vec<u8>> = strips
            .map(|strip| compressed(strip, (width, strip.len() / width / 3), subsamp, |_| ()))
            .collect();
        let scan = find(&strips[0], 0xda);
        let units = width.div_ceil(subsamp.mcu_width()) * (16 / subsamp.mcu_height());
        let mut data = strips[0][..scan].to_vec();
        let frame = find(&data, 0xc0);
        data[frame + 5..frame + 7].copy_from_slice(&(height as u16).to_be_bytes());
        data.extend([0xff, 0xdd, 0, 4]);
        data.extend((units as u16).to_be_bytes());
        for (number, strip) in strips.iter().enumerate() {
            let begin = find(strip, 0xda);
            let header = if number == 0 {
                0
            } else {
                2 + usize::from(strip[begin + 3])
            };
            data.extend(&strip[begin + header..strip.len() - 2]);
            data.extend([0xff, 0xd0 + (number % 8) as u8]);
        }
        let last = data.len() - 1;
        data[last] = 0xd9;
        data
    }

    #[test]
    fn restarts_are_followed() {
        let size = (200, 230);
        for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2] {
            let data = with_restarts(size, subsamp);
            let own = eighth(&data, size).expect("restarts");
            let theirs = truth(&data, size).unwrap();
            assert!(apart(&own, &theirs) <= 2, "{subsamp:?}");
            // One in place of another.
            let mut wrong = data.clone();
            let second = find(&data, 0xd1);
            wrong[second + 1] = 0xd2;
            assert_eq!(eighth(&wrong, size), None);
        }
    }

    #[test]
    fn a_file_cut_short_is_left_to_libjpeg() {
        let size = (200, 130);
        let data = compressed(&picture(200, 130), size, Subsamp::Sub2x2, |_| ());
        assert!(eighth(&data, size).is_some());
        for length in 0..data.len() {
            assert_eq!(eighth(&data[..length], size), None, "{length}");
        }
    }

    #[test]
    fn what_libjpeg_complains_of_is_left_to_it() {
        let size = (130, 90);
        let mut random = fastrand::Rng::with_seed(11);
        let (mut taken, mut left) = (0, 0);
        for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2] {
            let whole = compressed(&picture(130, 90), size, subsamp, |_| ());
            for _ in 0..3000 {
                let mut data = whole.clone();
                for _ in 0..random.usize(1..4) {
                    let at = random.usize(2..data.len());
                    data[at] ^= 1 << random.u8(..8);
                }
                let Some(own) = eighth(&data, size) else {
                    left += 1;
                    continue;
                };
                let theirs = truth(&data, size).expect("libjpeg complains");
                let apart = apart(&own, &theirs);
                assert!(apart <= 3, "{subsamp:?}: {apart}");
                taken += 1;
            }
        }
        // Most of the changed values still are codes.
        assert!(taken > 500 && left > 500, "{taken} taken, {left} left");
    }
}
