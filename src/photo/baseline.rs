//! What stands in a sequential JPEG of 8 bits, as cameras write them, before its blocks,
//! and the order in which these come (ITU-T T.81, annexes B and F; JFIF 1.02).

use super::huffman::{Codes, Scan};

/// The order of coefficients in a file: where each stands in its block, row by
/// row (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// What stands before the scan.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
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
pub(super) struct Component {
    id: u8,
    /// Blocks of a unit in a row and in a column.
    pub size: (usize, usize),
    quantizer: usize,
    dc: usize,
    ac: usize,
}

impl Picture {
    /// Reads up to the first scan, and answers what follows its header.
    pub fn read_header<'a>(&mut self, data: &'a [u8]) -> Option<&'a [u8]> {
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

    /// The codes of a component and the steps of its coefficients, in the file's order.
    /// `None` if a step is none.
    pub fn tables(&self, component: &Component) -> Option<Tables<'_>> {
        let quantizer = self.quantizers.get(component.quantizer)?.as_ref()?;
        (!quantizer.contains(&0)).then_some(Tables {
            dc: self.dc.get(component.dc)?.as_ref()?,
            ac: self.ac.get(component.ac)?.as_ref()?,
            quantizer,
        })
    }

    /// Blocks of a unit in a row and in a column of luminance.
    pub fn largest(&self) -> Option<(usize, usize)> {
        self.components.first().map(|component| component.size)
    }

    /// Units in a row and in a column of the picture.
    pub fn units(&self) -> Option<(usize, usize)> {
        let (across, down) = self.largest()?;
        matches!((across, down), (1 | 2, 1 | 2)).then(|| {
            (
                self.width.div_ceil(8 * across),
                self.height.div_ceil(8 * down),
            )
        })
    }

    /// Reads all blocks of the scan in `data`, one unit after another: each of `planes`
    /// reads its own. `None` if something is not as it should be.
    pub fn read_blocks(&self, data: &[u8], planes: &mut [impl Blocks]) -> Option<()> {
        let units = self.units()?;
        let mut scan = Scan::new(data);
        for unit in 0..units.0 * units.1 {
            if self.interval > 0 && unit > 0 && unit % self.interval == 0 {
                let number = (unit / self.interval - 1) % 8;
                scan.pass_marker(0xd0 + number as u8)?;
                planes.iter_mut().for_each(Blocks::restart);
            }
            scan.ready()?;
            for plane in &mut *planes {
                plane.read(&mut scan, unit % units.0, unit / units.0)?;
            }
        }
        scan.pass_marker(0xd9)
    }
}

/// What it takes to read the blocks of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    pub dc: &'a Codes,
    pub ac: &'a Codes,
    pub quantizer: &'a [u16; 64],
}

/// A component whose blocks are read.
pub(super) trait Blocks {
    /// Reads its blocks of the unit at `x`, `y`.
    fn read(&mut self, scan: &mut Scan, x: usize, y: usize) -> Option<()>;

    /// The next mean is told as it is, and not as a difference.
    fn restart(&mut self);
}

/// A first coefficient, if it is one of a picture: further out decoders differ.
pub(super) fn range(coefficient: i32) -> Option<i32> {
    (-4000..4000).contains(&coefficient).then_some(coefficient)
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
