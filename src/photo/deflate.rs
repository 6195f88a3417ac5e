//! Compresses the strips of a TIFF in the format of zlib (RFC 1950, 1951).
//!
//! What is left of a photograph once each sample is predicted from the one before it
//! repeats itself in runs of zeros and nowhere else. So nothing but those is looked
//! for, and all other bytes get codes by how often they occur (Huffman, 1952): a
//! quarter of the time that libraries take, who have to look for more, and files of
//! the same size.

/// Symbols of literals and lengths: bytes, the end of the block, lengths of matches.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// The longest code.
const LONGEST: u8 = 15;
/// The longest match, and its symbol.
const MATCH: usize = 258;
const MATCH_SYMBOL: usize = 285;
/// Zeros that are looked for together, and told of as a run.
const WORD: usize = 8;
/// Bits of a code length in the header of a block, in which all 16 are equal.
const LENGTH_BITS: u32 = 4;

/// Bytes that are coded one by one, then zeros of which there are so many.
struct Part<'a> {
    bytes: &'a [u8],
    zeros: usize,
}

/// Compresses `data`.
pub(super) fn zlib(data: &[u8]) -> Vec<u8> {
    let parts = parts(data);
    let mut counts = [0; SYMBOLS];
    count(&parts, &mut counts);
    let lengths = lengths(&counts);
    let codes = codes(&lengths);
    let bits: u64 = counts
        .iter()
        .zip(&lengths)
        .map(|(n, &length)| n * u64::from(length))
        .sum();
    let matches: usize = parts.iter().map(|part| runs(part.zeros).0).sum();
    let room = bits as usize / 8 + matches + SYMBOLS + 64;
    let mut out = Bits::new(room);
    // A window of 32 KB, no dictionary, the quickest way.
    out.put(0x78, 8);
    out.put(0x01, 8);
    header(&lengths, &mut out);
    for part in &parts {
        for three in part.bytes.chunks(3) {
            for &byte in three {
                out.add(codes[usize::from(byte)]);
            }
            out.flush();
        }
        let (matches, rest) = runs(part.zeros);
        for _ in 0..rest {
            out.add(codes[0]);
            out.flush();
        }
        for _ in 0..matches {
            out.add(codes[MATCH_SYMBOL]);
            // The only distance, 1, has the only code.
            out.put(0, 1);
        }
    }
    out.add(codes[END]);
    out.flush();
    let mut all = out.into_bytes();
    all.extend_from_slice(&adler(data).to_be_bytes());
    all
}

/// The data, cut at runs of zeros.
fn parts(data: &[u8]) -> Vec<Part<'_>> {
    let (words, _) = data.as_chunks::<WORD>();
    let mut parts = Vec::new();
    let (mut start, mut k) = (0, 0);
    while k < words.len() {
        let zeros = words[k..].iter().take_while(|word| **word == [0; WORD]);
        let zeros = match words[k] {
            [0, ..] => zeros.count(),
            _ => 0,
        };
        if WORD * zeros > MATCH {
            let bytes = &data[start..WORD * k];
            parts.push(Part {
                bytes,
                zeros: WORD * zeros,
            });
            start = WORD * (k + zeros);
        }
        k += zeros.max(1);
    }
    parts.push(Part {
        bytes: &data[start..],
        zeros: 0,
    });
    parts
}

/// Matches that a run of zeros is told by, and zeros that are coded one by one before
/// them, at least one.
fn runs(zeros: usize) -> (usize, usize) {
    let matches = zeros.saturating_sub(1) / MATCH;
    (matches, zeros - matches * MATCH)
}

/// How often each symbol occurs.
fn count(parts: &[Part], counts: &mut [u64; SYMBOLS]) {
    // Of bytes beside each other in tables of their own: to count one twice takes time.
    let mut tables = [[0u32; 256]; 4];
    for part in parts {
        let (fours, rest) = part.bytes.as_chunks::<4>();
        for four in fours {
            for (table, &byte) in tables.iter_mut().zip(four) {
                table[usize::from(byte)] += 1;
            }
        }
        for &byte in rest {
            tables[0][usize::from(byte)] += 1;
        }
        let (matches, zeros) = runs(part.zeros);
        counts[0] += zeros as u64;
        counts[MATCH_SYMBOL] += matches as u64;
    }
    for table in tables {
        let all = counts.iter_mut().zip(table);
        all.for_each(|(count, own)| *count += u64::from(own));
    }
    counts[END] = 1;
    // One symbol alone would have no code.
    counts[0] = counts[0].max(1);
}

/// The lengths of the codes that take the least room, none longer than may be.
fn lengths(counts: &[u64; SYMBOLS]) -> [u8; SYMBOLS] {
    let mut counts = *counts;
    loop {
        let lengths = unlimited(&counts);
        if lengths.iter().all(|&length| length <= LONGEST) {
            return lengths;
        }
        // The rarer is made more alike to the more frequent.
        let used = counts.iter_mut().filter(|count| **count > 0);
        used.for_each(|count| *count = count.div_ceil(2));
    }
}

/// The same, however long, by joining the two rarest again and again.
fn unlimited(counts: &[u64; SYMBOLS]) -> [u8; SYMBOLS] {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    // Nodes are the symbols, and then what was joined, with the node it went into.
    let mut parents = vec![usize::MAX; SYMBOLS];
    let used = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let mut heap: BinaryHeap<_> = used.map(|(k, &count)| Reverse((count, k))).collect();
    while let (Some(Reverse((a, first))), Some(Reverse((b, second)))) = (heap.pop(), heap.pop()) {
        let joined = parents.len();
        parents.push(usize::MAX);
        (parents[first], parents[second]) = (joined, joined);
        if heap.is_empty() {
            break;
        }
        heap.push(Reverse((a + b, joined)));
    }
    let mut depths = vec![0u8; parents.len()];
    for node in (0..parents.len()).rev() {
        if let Some(depth) = depths.get(parents[node]) {
            depths[node] = depth.saturating_add(1);
        }
    }
    std::array::from_fn(|k| depths[k])
}

/// A code, to be written from its lowest bit on, and its length.
type Code = (u32, u32);

/// The codes of these lengths (RFC 1951, 3.2.2).
fn codes(lengths: &[u8; SYMBOLS]) -> [Code; SYMBOLS] {
    let mut codes = [(0, 0); SYMBOLS];
    let mut next = 0u32;
    for length in 1..=LONGEST {
        next <<= 1;
        for (code, _) in codes
            .iter_mut()
            .zip(lengths)
            .filter(|(_, own)| **own == length)
        {
            *code = reversed(next, length.into());
            next += 1;
        }
    }
    codes
}

fn reversed(code: u32, length: u32) -> Code {
    (code.reverse_bits() >> (32 - length), length)
}

/// The header of the one block (RFC 1951, 3.2.7): each code length is written as it is.
fn header(lengths: &[u8; SYMBOLS], out: &mut Bits) {
    const ORDER: [u8; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    // The last block, with codes of its own: so many symbols, one distance.
    out.put(1, 1);
    out.put(2, 2);
    out.put((SYMBOLS - 257) as u32, 5);
    out.put(0, 5);
    out.put((ORDER.len() - 4) as u32, 4);
    for length in ORDER {
        // All lengths have a code, ways to repeat them have none.
        out.put(if length < 16 { LENGTH_BITS } else { 0 }, 3);
    }
    for &length in lengths.iter().chain(&[1]) {
        out.add(reversed(length.into(), LENGTH_BITS));
        out.flush();
    }
}

/// Bits that are written one after another, from the lowest of each byte on.
struct Bits {
    word: u64,
    /// Bits of the word that count.
    count: u32,
    bytes: Vec<u8>,
    /// Bytes that are written.
    at: usize,
}

impl Bits {
    /// With room for so many bytes, and some more.
    fn new(room: usize) -> Self {
        Self {
            word: 0,
            count: 0,
            bytes: vec![0; room + 8],
            at: 0,
        }
    }

    /// Takes a code; three of them have room between two flushes.
    #[inline(always)]
    fn add(&mut self, (code, length): Code) {
        self.word |= u64::from(code) << self.count;
        self.count += length;
    }

    /// Writes whole bytes.
    #[inline(always)]
    fn flush(&mut self) {
        // Codes were counted: there is room for all of them.
        self.bytes[self.at..self.at + 8].copy_from_slice(&self.word.to_le_bytes());
        let whole = self.count / 8;
        self.at += whole as usize;
        self.word >>= 8 * whole;
        self.count %= 8;
    }

    fn put(&mut self, value: u32, length: u32) {
        self.add((value, length));
        self.flush();
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.put(0, self.count.wrapping_neg() % 8);
        self.bytes.truncate(self.at);
        self.bytes
    }
}

/// The checksum (RFC 1950, 9).
fn adler(data: &[u8]) -> u32 {
    simd_adler32::adler32(&data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn inflated(packed: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        let mut decoder = flate2::read::ZlibDecoder::new(packed);
        decoder.read_to_end(&mut data).unwrap();
        assert_eq!(decoder.total_in() as usize, packed.len());
        data
    }

    #[test]
    fn whatever_is_compressed_comes_back() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut cases: Vec<Vec<u8>> = vec![
            vec![],
            vec![0],
            vec![7],
            vec![0; 5],
            vec![0; 259],
            vec![0; 264],
            vec![0; 100_003],
            (0..=255).collect(),
            (0..70_000).map(|_| random.u8(..)).collect(),
            // Runs between other bytes, at any place in a word.
            (0..90_000usize)
                .map(|i| if i / 777 % 2 == 0 { 0 } else { (i * i) as u8 })
                .collect(),
        ];
        // Frequencies that double: codes would grow longer than they may.
        let doubling = (0..22u8).flat_map(|k| vec![k; 1 << k.min(21)]);
        cases.push(doubling.collect());
        for data in cases {
            let packed = zlib(&data);
            assert!(inflated(&packed) == data, "{} bytes", data.len());
        }
    }

    #[test]
    fn no_code_is_longer_than_it_may_be_and_all_of_them_are_used() {
        let counts = std::array::from_fn(|k| 1u64 << (k % 40));
        let lengths = lengths(&counts);
        assert!(
            lengths
                .iter()
                .all(|&length| (1..=LONGEST).contains(&length))
        );
        let room: f64 = lengths
            .iter()
            .map(|&length| 0.5f64.powi(length.into()))
            .sum();
        assert_eq!(room, 1.0);
    }

    #[test]
    fn size_is_what_frequencies_allow() {
        let mut random = fastrand::Rng::with_seed(6);
        // Two of three are zero, never many beside each other.
        let data: Vec<u8> = (0..300_000)
            .map(|i| if i % 3 == 0 { random.u8(1..) } else { 0 })
            .collect();
        // A bit for a zero, and nearly one and eight for the rest.
        let least = (2.0 * 1.0 + 1.0 + 255f64.log2()) / 3.0 / 8.0 * data.len() as f64;
        let packed = zlib(&data).len() as f64;
        assert!(packed < 1.01 * least + 300.0, "{packed} of {least}");
        assert!(zlib(&[0; 1 << 18]).len() < 500);
    }
}
