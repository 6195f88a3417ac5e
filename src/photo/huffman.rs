//! Huffman codes of sequential JPEGs (ITU-T T.81, annexes C and F), read so that
//! coefficients nobody asks for cost next to nothing: what stands in the next
//! bits is looked up, often several of them at once, and passed over.

use memchr::memchr;

/// Bits that are looked up at a time.
const LOOKED_UP: u32 = 12;
/// Coefficients of a block.
const BLOCK: usize = 64;
/// What the end of a block counts: more than a block and all that is looked up
/// at a time.
const END: usize = 160;
/// Bits of the largest difference and the largest coefficient of 8-bit samples.
const LARGEST_DC: u8 = 11;
const LARGEST_AC: u8 = 10;

/// Entropy-coded bytes that are ready to be read at a time.
const READY: usize = 1 << 16;
/// More than the bytes of ten blocks, of which there are never more in a unit.
const MARGIN: usize = 4096;

/// The codes of one table.
#[derive(Debug)]
pub(super) struct Codes {
    /// For each value of the bits looked up, the length of the code that stands
    /// first in them and its symbol; no length if the code is longer.
    one: Vec<(u8, u8)>,
    /// Likewise how many bits there are in as many coefficients as can be told,
    /// and how many coefficients those are, zeros included.
    several: Vec<(u8, u8)>,
    /// Likewise how many bits there are in one coefficient, how many it is with the
    /// zeros before it, and its value.
    valued: Vec<(u8, u8, i16)>,
    /// Per length beyond those looked up: the first code that is too large for
    /// it, and what to add to a code for the place of its symbol.
    longer: Vec<(u32, i32)>,
    symbols: Vec<u8>,
}

impl Codes {
    /// Of differences: `counts` of codes of 1 to 16 bits, and their symbols in
    /// order. `None` if they are none of an 8-bit picture.
    pub fn dc(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let are_known = symbols.iter().all(|&symbol| symbol <= LARGEST_DC);
        are_known.then(|| Self::of(counts, symbols))?
    }

    /// Of coefficients, as [`dc`](Self::dc).
    pub fn ac(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let is_known = |&symbol: &u8| match symbol & 15 {
            0 => matches!(symbol, 0x00 | 0xf0),
            bits => bits <= LARGEST_AC,
        };
        let mut codes = symbols
            .iter()
            .all(is_known)
            .then(|| Self::of(counts, symbols))??;
        let all = 0..1 << LOOKED_UP;
        codes.several = all.clone().map(|bits| codes.foresee(bits)).collect();
        codes.valued = all.map(|bits| codes.value(bits)).collect();
        Some(codes)
    }

    fn of(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut codes = Self {
            one: vec![(0, 0); 1 << LOOKED_UP],
            several: Vec::new(),
            valued: Vec::new(),
            longer: Vec::new(),
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            let first = place as i32 - code as i32;
            for &symbol in symbols.get(place..place + usize::from(count))? {
                if let Some(free) = LOOKED_UP.checked_sub(length) {
                    let same = (code << free) as usize..((code + 1) << free) as usize;
                    codes.one.get_mut(same)?.fill((length as u8, symbol));
                }
                code += 1;
            }
            // No code is all ones (T.81, annex C).
            if code >= 1 << length {
                return None;
            }
            if length > LOOKED_UP {
                codes.longer.push((code, first));
            }
            place += usize::from(count);
            code <<= 1;
        }
        Some(codes)
    }

    /// What [`several`](Self::several) tells of `bits`.
    fn foresee(&self, bits: usize) -> (u8, u8) {
        let (mut read, mut coefficients) = (0, 0);
        while read < LOOKED_UP && coefficients < BLOCK {
            let rest = (bits << read) & ((1 << LOOKED_UP) - 1);
            let (length, symbol) = self.one[rest];
            if length == 0 || u32::from(length) > LOOKED_UP - read {
                break;
            }
            read += u32::from(length + (symbol & 15));
            coefficients += counted(symbol);
            if symbol == 0 {
                break;
            }
        }
        (read as u8, coefficients as u8)
    }

    /// What [`valued`](Self::valued) tells of `bits`.
    fn value(&self, bits: usize) -> (u8, u8, i16) {
        let (length, symbol) = self.one[bits];
        let size = symbol & 15;
        if length == 0 || u32::from(length + size) > LOOKED_UP {
            return (0, 0, 0);
        }
        let mut rest = Bits {
            word: ((bits as u64) << (64 - LOOKED_UP)) << length,
            ..Bits::default()
        };
        let value = rest.number(size.into());
        (length + size, counted(symbol) as u8, value as i16)
    }

    /// The next symbol, which is taken from `bits`; at least 16 have to be there.
    #[inline(always)]
    fn symbol(&self, bits: &mut Bits) -> Option<u8> {
        let (length, symbol) = self.one[bits.next(LOOKED_UP) as usize];
        if length == 0 {
            return self.long_symbol(bits);
        }
        bits.pass(length.into());
        Some(symbol)
    }

    #[cold]
    fn long_symbol(&self, bits: &mut Bits) -> Option<u8> {
        let (length, place) = (LOOKED_UP + 1..)
            .zip(&self.longer)
            .find_map(|(length, row)| {
                let code = bits.next(length) as u32;
                (code < row.0).then_some((length, code as i32 + row.1))
            })?;
        bits.pass(length);
        self.symbols.get(usize::try_from(place).ok()?).copied()
    }
}

/// How many coefficients a symbol stands for.
fn counted(symbol: u8) -> usize {
    match symbol {
        0 => END,
        _ => usize::from(symbol >> 4) + 1,
    }
}

/// The bits that come next.
#[derive(Debug, Clone, Copy, Default)]
struct Bits {
    /// They begin at the highest one.
    word: u64,
    /// How many of them count.
    count: u32,
    /// The byte that follows them.
    at: usize,
}

impl Bits {
    /// Makes at least 56 bits ready.
    #[inline(always)]
    fn fill(&mut self, bytes: &[u8]) {
        if let Some(next) = bytes[self.at..].first_chunk() {
            self.word |= u64::from_be_bytes(*next) >> self.count;
            self.at += ((63 - self.count) >> 3) as usize;
            self.count |= 56;
        }
    }

    #[inline(always)]
    fn next(&self, count: u32) -> u64 {
        self.word >> (64 - count)
    }

    #[inline(always)]
    fn pass(&mut self, count: u32) {
        self.word <<= count;
        self.count = self.count.wrapping_sub(count);
    }

    /// The number in the next `size` bits (T.81, F.2.2.1).
    #[inline(always)]
    fn number(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let value = self.next(size) as i32;
        self.pass(size);
        match value >> (size - 1) {
            0 => value - (1 << size) + 1,
            _ => value,
        }
    }

    /// How many bits were taken.
    fn taken(&self) -> usize {
        8 * self.at - self.count as usize
    }
}

/// Reads one scan.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// What was not looked at yet.
    rest: &'a [u8],
    /// Bytes without what was stuffed into them, then zeros.
    ready: Vec<u8>,
    /// How many of those there are.
    count: usize,
    /// The marker after them, once it was found; zero if there is none.
    marker: Option<u8>,
    bits: Bits,
}

impl<'a> Scan<'a> {
    /// Of `data`, which begins behind the header of the scan.
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            ready: vec![0; READY + 8 + MARGIN],
            count: 0,
            marker: None,
            bits: Bits::default(),
        }
    }

    /// Makes the bytes of a unit ready. `None` if more were taken than there are.
    pub fn ready(&mut self) -> Option<()> {
        if self.marker.is_some() {
            return (self.bits.taken() <= 8 * self.count).then_some(());
        }
        if self.count < self.bits.at + MARGIN {
            self.ready.copy_within(self.bits.at..self.count, 0);
            self.count -= self.bits.at;
            self.bits.at = 0;
            self.unstuff();
        }
        Some(())
    }

    /// Takes bytes up to the next marker, as many as there is room for (T.81,
    /// B.1.1.5).
    fn unstuff(&mut self) {
        while self.count < READY {
            let room = READY - self.count;
            let most = &self.rest[..room.min(self.rest.len())];
            let plain = memchr(0xff, most).unwrap_or(most.len());
            self.ready[self.count..][..plain].copy_from_slice(&most[..plain]);
            self.count += plain;
            self.rest = &self.rest[plain..];
            if plain == room {
                break;
            }
            match self.rest {
                [0xff, 0, after @ ..] => {
                    self.rest = after;
                    self.ready[self.count] = 0xff;
                    self.count += 1;
                }
                &[0xff, marker, ref after @ ..] => {
                    self.rest = after;
                    self.marker = Some(marker);
                    break;
                }
                _ => {
                    self.marker = Some(0);
                    break;
                }
            }
        }
        self.ready[self.count..][..MARGIN].fill(0);
    }

    /// Goes behind the next marker, if it is `marker` and all bits before it were
    /// taken, but for those that fill the last byte.
    pub fn pass_marker(&mut self, marker: u8) -> Option<()> {
        self.ready()?;
        let left = (8 * self.count).checked_sub(self.bits.taken())?;
        if left >= 8 || self.marker != Some(marker) {
            return None;
        }
        self.marker = None;
        self.count = 0;
        self.bits = Bits::default();
        Some(())
    }

    /// Reads a block of which only the mean is asked for: its difference to that
    /// of the block before.
    #[inline]
    pub fn mean(&mut self, dc: &Codes, ac: &Codes) -> Option<i32> {
        let mut bits = self.bits;
        bits.fill(&self.ready);
        let size = dc.symbol(&mut bits)?;
        let difference = bits.number(size.into());
        let mut coefficient = 1;
        while coefficient < BLOCK {
            bits.fill(&self.ready);
            coefficient = pass_several(ac, &mut bits, coefficient)?;
            // Bits for a second time are there.
            if coefficient < BLOCK {
                coefficient = pass_several(ac, &mut bits, coefficient)?;
            }
        }
        self.bits = bits;
        is_whole(coefficient).then_some(difference)
    }

    /// Reads a block: as [`mean`](Self::mean), and gives each coefficient behind
    /// the first that is not zero to `take`, with its place in the file's order.
    #[inline]
    pub fn block(
        &mut self,
        dc: &Codes,
        ac: &Codes,
        mut take: impl FnMut(usize, i32),
    ) -> Option<i32> {
        let mut bits = self.bits;
        bits.fill(&self.ready);
        let size = dc.symbol(&mut bits)?;
        let difference = bits.number(size.into());
        let mut coefficient = 1;
        while coefficient < BLOCK {
            bits.fill(&self.ready);
            let (length, count, value) = ac.valued[bits.next(LOOKED_UP) as usize];
            let value = if length > 0 {
                bits.pass(length.into());
                coefficient += usize::from(count);
                value.into()
            } else {
                let symbol = ac.symbol(&mut bits)?;
                coefficient += counted(symbol);
                bits.number(u32::from(symbol & 15))
            };
            if value != 0 && coefficient <= BLOCK {
                take(coefficient - 1, value);
            }
        }
        self.bits = bits;
        is_whole(coefficient).then_some(difference)
    }
}

/// Whether a block ended where it may.
fn is_whole(coefficient: usize) -> bool {
    coefficient == BLOCK || coefficient > END
}

/// Passes over several coefficients of a block, and answers where that ends.
#[inline(always)]
fn pass_several(ac: &Codes, bits: &mut Bits, coefficient: usize) -> Option<usize> {
    let (length, coefficients) = ac.several[bits.next(LOOKED_UP) as usize];
    let end = coefficient + usize::from(coefficients);
    // Codes behind the last coefficient of a block are another's.
    let are_others = (BLOCK + 1..END).contains(&end) || end >= END + BLOCK;
    if length == 0 || are_others {
        return Some(coefficient + pass_one(ac, bits)?);
    }
    bits.pass(length.into());
    Some(end)
}

#[inline(always)]
fn pass_one(ac: &Codes, bits: &mut Bits) -> Option<usize> {
    let symbol = ac.symbol(bits)?;
    bits.pass(u32::from(symbol & 15));
    Some(counted(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One code of each length: 0, 10, 110 and so on.
    fn counts() -> [u8; 16] {
        [1; 16]
    }

    #[test]
    fn codes_are_found_whatever_their_length() {
        let symbols: Vec<u8> = (0..16).map(|i| i << 4 | 1).collect();
        let codes = Codes::ac(&counts(), &symbols).unwrap();
        for length in 1..=16u32 {
            let code = (1u64 << length) - 2;
            let mut bits = Bits {
                word: code << (64 - length),
                count: 56,
                at: 0,
            };
            assert_eq!(codes.symbol(&mut bits), Some(symbols[length as usize - 1]));
            assert_eq!(bits.count, 56 - length);
        }
        let mut none = Bits {
            word: u64::MAX,
            count: 56,
            at: 0,
        };
        assert_eq!(codes.symbol(&mut none), None);
    }

    #[test]
    fn several_are_told_at_once() {
        let codes = Codes::ac(
            &counts(),
            &[
                0x01, 0x12, 0x00, 0xf0, 5, 6, 7, 8, 9, 0x21, 0x31, 0x41, 0x51, 0x61, 0x71, 0x81,
            ],
        )
        .unwrap();
        // 0 and one bit, 10 and two bits, then 110, or 10 and two bits and 0.
        let (last, more) = (0b0110_0111_0000, 0b0110_0110_0000);
        assert_eq!(codes.several[last], (2 + 4 + 3, 1 + 2 + END as u8));
        assert_eq!(codes.several[more], (2 + 4 + 4 + 2, 1 + 2 + 2 + 1));
        assert_eq!(codes.several[0b1111_1111_1111], (0, 0));
    }

    #[test]
    fn values_are_told_with_their_codes() {
        let mut symbols = [0x21; 16];
        symbols[..4].copy_from_slice(&[0x01, 0x12, 0x00, 0xf0]);
        symbols[6] = 0x25;
        let codes = Codes::ac(&counts(), &symbols).unwrap();
        for (bits, told) in [
            (0b0100_0000_0000, (2, 1, 1)),
            (0b0000_0000_0000, (2, 1, -1)),
            (0b1011_0000_0000, (4, 2, 3)),
            (0b1001_0000_0000, (4, 2, -2)),
            (0b1100_0000_0000, (3, END as u8, 0)),
            (0b1110_0000_0000, (4, 16, 0)),
            (0b1111_1101_0110, (12, 3, 22)),
            // The value begins behind these bits.
            (0b1111_1111_1110, (0, 0, 0)),
            (0b1111_1111_1111, (0, 0, 0)),
        ] {
            assert_eq!(codes.valued[bits], told, "{bits:b}");
        }
    }

    #[test]
    fn a_full_block_ends_before_the_next_one() {
        // A code of one bit, 0, and longer ones.
        let mut counts = [1; 16];
        counts[1] = 0;
        let dc = Codes::dc(&counts, &[0; 15]).unwrap();
        let ac = Codes::ac(&counts, &[0x01; 15]).unwrap();
        // No difference, 63 times 0 and a bit, and what looks like more of these.
        let mut data = vec![0b0010_1010];
        data.extend([0b1010_1010; 14]);
        data.extend([0b1010_1011, 0b0010_1010, 0xff, 0xd9]);
        let mut scan = Scan::new(&data);
        scan.ready().unwrap();
        assert_eq!(scan.mean(&dc, &ac), Some(0));
        assert_eq!(scan.bits.taken(), 1 + 63 * 2);
    }

    #[test]
    fn too_many_codes_are_none() {
        let mut counts = [0; 16];
        counts[1] = 4;
        assert!(Codes::dc(&counts, &[1, 2, 3, 4]).is_none());
        counts[1] = 3;
        assert!(Codes::dc(&counts, &[1, 2]).is_none());
        assert!(Codes::dc(&counts, &[1, 2, 12]).is_none());
        assert!(Codes::dc(&counts, &[1, 2, 3]).is_some());
    }

    #[test]
    fn stuffed_bytes_are_left_out_and_markers_found() {
        let data = b"\x01\xff\x00\x02\x03\x04\x05\x06\x07\x08\x09\xff\x00\xff\xd3\x0a";
        let mut scan = Scan::new(data);
        scan.ready().unwrap();
        assert_eq!(
            scan.ready[..scan.count],
            *b"\x01\xff\x02\x03\x04\x05\x06\x07\x08\x09\xff"
        );
        assert_eq!((scan.marker, scan.rest), (Some(0xd3), &b"\x0a"[..]));
    }
}
