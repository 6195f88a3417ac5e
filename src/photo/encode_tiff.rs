//! Writes TIFF: little-endian, in strips that are compressed in parallel
//! (TIFF 6.0, sections 13 and 14; Adobe's TIFF technical notes for deflate).

use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;

use rayon::prelude::*;
use weezl::BitOrder;

use super::atomic::Stop;
use super::ifd::Tree;
use super::rows::Rows;
use super::{Compression, Encoding, Metadata, deflate};

/// Bytes of a strip before compression, about.
const STRIP: usize = 1 << 18;

/// Strips that are compressed between one write and the next, for each thread.
const BATCH: usize = 4;

/// Whether the file may grow past what 32-bit offsets reach.
pub(super) fn needs_big(rows: &Rows, bits: u8) -> bool {
    let samples = rows.width as u64 * rows.height as u64 * rows.channels() as u64;
    let raw = samples * u64::from(bits / 8);
    // Noise grows a little in compression.
    raw + raw / 2 > u64::from(u32::MAX)
}

/// Writes the picture to `out`, which is empty, as a BigTIFF if `big`.
pub(super) fn encode<W: Write + Seek>(
    out: &mut W,
    rows: &Rows,
    metadata: &Metadata,
    encoding: &Encoding,
    big: bool,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let sample_bytes = usize::from(encoding.bits / 8);
    let row_bytes = rows.width * rows.channels() * sample_bytes;
    let rows_per_strip = (STRIP / row_bytes).clamp(1, rows.height);
    let strips: Vec<Range<usize>> = (0..rows.height)
        .step_by(rows_per_strip)
        .map(|start| start..rows.height.min(start + rows_per_strip))
        .collect();

    let encoder = Strips {
        rows,
        bits: encoding.bits,
        compression: encoding.compression,
    };
    let header_length = if big { 16 } else { 8 };
    out.write_all(&vec![0; header_length])?;
    let mut end = header_length as u64;
    let (mut offsets, mut sizes) = (Vec::new(), Vec::new());
    for batch in strips.chunks(BATCH * rayon::current_num_threads()) {
        if !keep_going() {
            return Err(Stop::Cancelled);
        }
        let encoded: Vec<Vec<u8>> = batch
            .par_iter()
            .map(|range| encoder.encode(range.clone()))
            .collect();
        for strip in encoded {
            out.write_all(&strip)?;
            offsets.push(end);
            sizes.push(strip.len() as u64);
            end += strip.len() as u64;
        }
    }

    let mut tree = metadata.tree();
    describe(&mut tree, rows, metadata, encoding);
    tree.main.long(278, &[rows_per_strip as u32]);
    tree.main.offsets(273, &offsets, big);
    tree.main.offsets(279, &sizes, big);
    let at = end.next_multiple_of(8);
    out.write_all(&vec![0; (at - end) as usize])?;
    let (directories, root) = tree.encode(at, big);
    out.write_all(&directories)?;

    // Last of all, so that a file that was cut off points nowhere.
    out.seek(SeekFrom::Start(0))?;
    if big {
        out.write_all(b"II+\0\x08\0\0\0")?;
        out.write_all(&root.to_le_bytes())?;
    } else {
        out.write_all(b"II*\0")?;
        out.write_all(&(root as u32).to_le_bytes())?;
    }
    Ok(())
}

/// The tags that say how the pixels are stored, but for where.
fn describe(tree: &mut Tree, rows: &Rows, metadata: &Metadata, encoding: &Encoding) {
    let channels = rows.channels();
    let main = &mut tree.main;
    main.long(256, &[rows.width as u32]);
    main.long(257, &[rows.height as u32]);
    main.short(258, &vec![u16::from(encoding.bits); channels]);
    main.short(
        259,
        &[match encoding.compression {
            Compression::None => 1,
            Compression::Deflate => 8,
            Compression::Lzw => 5,
        }],
    );
    const BLACK_IS_ZERO: u16 = 1;
    const RGB: u16 = 2;
    main.short(262, &[if channels == 1 { BLACK_IS_ZERO } else { RGB }]);
    main.short(277, &[channels as u16]);
    main.short(284, &[1]);
    if encoding.compression != Compression::None {
        main.short(317, &[2]);
    }
    if channels == 4 {
        const UNASSOCIATED: u16 = 2;
        main.short(338, &[UNASSOCIATED]);
    }
    main.short(339, &vec![1; channels]);
    if metadata.resolution.is_none() {
        // The format wants one; this is how it is told that there is none.
        main.rational(282, [1, 1]);
        main.rational(283, [1, 1]);
        main.short(296, &[1]);
    }
    if let Some(icc) = &metadata.icc {
        main.undefined(34675, icc);
    }
}

/// Encodes strips.
struct Strips<'a> {
    rows: &'a Rows<'a>,
    bits: u8,
    compression: Compression,
}

impl Strips<'_> {
    fn encode(&self, range: Range<usize>) -> Vec<u8> {
        let channels = self.rows.channels();
        let length = self.rows.width * channels;
        let predicted = self.compression != Compression::None;
        if self.bits == 8 {
            let mut strip = vec![0u8; length * range.len()];
            for (row, y) in strip.chunks_exact_mut(length).zip(range) {
                self.rows.eight(y, row);
                if predicted {
                    for i in (channels..length).rev() {
                        row[i] = row[i].wrapping_sub(row[i - channels]);
                    }
                }
            }
            self.compress(&strip)
        } else {
            let mut strip = vec![0u16; length * range.len()];
            let mut samples = vec![0u16; length];
            for (row, y) in strip.chunks_exact_mut(length).zip(range) {
                self.rows.sixteen(y, &mut samples);
                row.copy_from_slice(&samples);
                if predicted {
                    let before = row[channels..].iter_mut().zip(&samples);
                    before.for_each(|(value, before)| *value = value.wrapping_sub(*before));
                }
                for value in row {
                    *value = value.to_le();
                }
            }
            self.compress(bytemuck::cast_slice(&strip))
        }
    }

    fn compress(&self, strip: &[u8]) -> Vec<u8> {
        match self.compression {
            Compression::None => strip.to_vec(),
            Compression::Lzw => weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
                .encode(strip)
                .expect("every byte is a symbol of an 8-bit LZW code"),
            Compression::Deflate => deflate::zlib(strip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tiff::decoder::{Decoder, DecodingResult};

    /// A picture of several strips whose values use all bits.
    fn samples(width: usize, height: usize) -> Vec<u16> {
        let mut state = 1u32;
        (0..width * height)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (i * 7) as u16 ^ (state >> 24) as u16
            })
            .collect()
    }

    fn encoded(compression: Compression, big: bool) -> (Vec<u16>, Vec<u8>) {
        let (width, height) = (701, 530);
        let samples = samples(width, height);
        let mut out = Cursor::new(Vec::new());
        let encoding = Encoding {
            compression,
            ..Encoding::default()
        };
        let metadata = Metadata {
            icc: Some(vec![1; 301]),
            ..Metadata::default()
        };
        let rows = Rows::of_grey(width, height, &samples);
        encode(&mut out, &rows, &metadata, &encoding, big, &|| true).unwrap();
        (samples, out.into_inner())
    }

    #[test]
    fn both_kinds_of_file_read_back_with_every_compression() {
        for compression in [Compression::None, Compression::Deflate, Compression::Lzw] {
            for big in [false, true] {
                let (samples, file) = encoded(compression, big);
                assert_eq!(file[2], if big { 43 } else { 42 });
                let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
                assert!(decoder.strip_count().unwrap() > 2);
                let DecodingResult::U16(read) = decoder.read_image().unwrap() else {
                    panic!("not 16 bits");
                };
                assert!(read == samples, "{compression:?}, big: {big}");
                let icc = decoder.get_tag_u8_vec(tiff::tags::Tag::IccProfile);
                assert_eq!(icc.unwrap(), vec![1; 301]);
            }
        }
    }

    #[test]
    fn four_gigabytes_need_wide_offsets() {
        let rows = |width, height| Rows::of_grey(width, height, &[]);
        assert!(!needs_big(&rows(30_000, 40_000), 16));
        assert!(needs_big(&rows(50_000, 50_000), 16));
    }

    #[test]
    fn cancelling_stops_between_strips() {
        let samples = samples(1000, 4000);
        let asked = std::cell::Cell::new(0);
        let stopped = encode(
            &mut Cursor::new(Vec::new()),
            &Rows::of_grey(1000, 4000, &samples),
            &Metadata::default(),
            &Encoding::default(),
            false,
            &|| asked.replace(asked.get() + 1) < 1,
        );
        assert!(matches!(stopped, Err(Stop::Cancelled)));
        assert_eq!(asked.get(), 2);
    }
}
