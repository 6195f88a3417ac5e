//! What a file says about its picture.

use super::exif::Block;
use super::ifd::Tree;
use super::{Exif, colour};

/// What a photograph carries besides its samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// The ICC profile of the samples, always one for RGB; `None` is sRGB.
    pub icc: Option<Vec<u8>>,
    /// What the camera wrote.
    pub exif: Exif,
    /// Pixels per inch across and down.
    pub resolution: Option<[f64; 2]>,
}

/// A resolution in pixels per inch, from the values and the unit of TIFF
/// (1 none, 2 inch, 3 centimetre; absent is inch). `None` where it says nothing.
pub(super) fn per_inch(values: [f64; 2], unit: Option<u32>) -> Option<[f64; 2]> {
    let factor = match unit {
        None | Some(2) => 1.0,
        Some(3) => 2.54,
        _ => return None,
    };
    let inch = values.map(|value| value * factor);
    inch.iter()
        .all(|value| value.is_finite() && *value > 0.0 && *value < 1e6)
        .then_some(inch)
}

impl Metadata {
    /// What an EXIF block says, with what else the file says: its profile, of
    /// any colour space, and its own resolution, which the block goes before.
    pub(super) fn new(block: Block, icc: Option<Vec<u8>>, resolution: Option<[f64; 2]>) -> Self {
        let named = || block.adobe_rgb.then(colour::adobe_rgb).flatten();
        Self {
            icc: icc.or_else(named),
            resolution: block.resolution.or(resolution),
            exif: block.exif,
        }
    }

    /// The directories that describe an upright picture, but for its pixels.
    pub(super) fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        let had_colour_space = self.exif.get(::exif::Tag::ColorSpace).is_some();
        for field in self.exif.fields() {
            // No profile means sRGB, whatever the camera wrote.
            if !(field.tag == ::exif::Tag::ColorSpace && self.icc.is_none()) {
                tree.push_field(field);
            }
        }
        const SRGB: u16 = 1;
        const UNCALIBRATED: u16 = 0xffff;
        if self.icc.is_none() {
            tree.exif.short(0xa001, &[SRGB]);
        } else if !had_colour_space {
            tree.exif.short(0xa001, &[UNCALIBRATED]);
        }
        tree.exif.undefined(0x9000, b"0232");
        tree.exif.undefined(0xa000, b"0100");
        tree.main.short(274, &[1]);
        if let Some([x, y]) = self.resolution {
            let rational = |value: f64| [(value * 1000.0).round() as u32, 1000];
            tree.main.rational(282, rational(x));
            tree.main.rational(283, rational(y));
            tree.main.short(296, &[2]);
        }
        tree.main
            .ascii(305, concat!("Parfocal ", env!("CARGO_PKG_VERSION")));
        tree
    }

    /// An EXIF block for a JPEG or PNG, without `Exif\0\0`.
    pub(super) fn exif_block(&self, width: usize, height: usize) -> Vec<u8> {
        const HEADER: u64 = 8;
        let mut tree = self.tree();
        const YCBCR_CENTRED: u16 = 1;
        tree.main.short(531, &[YCBCR_CENTRED]);
        tree.exif.undefined(0x9101, &[1, 2, 3, 0]);
        tree.exif.long(0xa002, &[width as u32]);
        tree.exif.long(0xa003, &[height as u32]);
        let (body, root) = tree.encode(HEADER, false);
        let mut block = b"II*\0".to_vec();
        block.extend((root as u32).to_le_bytes());
        block.extend(body);
        block
    }

    /// Drops a profile that is not for RGB samples.
    pub(super) fn keep_rgb_profile(&mut self) {
        self.icc.take_if(|icc| colour::space(icc) != Some(*b"RGB "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_block_reads_back() {
        let field = |tag, value| ::exif::Field {
            tag,
            ifd_num: ::exif::In::PRIMARY,
            value,
        };
        let metadata = Metadata {
            icc: None,
            exif: Exif::from_fields([
                field(
                    ::exif::Tag::Model,
                    ::exif::Value::Ascii(vec![b"Camera".to_vec()]),
                ),
                field(
                    ::exif::Tag::FNumber,
                    ::exif::Value::Rational(vec![(28, 10).into()]),
                ),
                field(
                    ::exif::Tag::GPSVersionID,
                    ::exif::Value::Byte(vec![2, 3, 0, 0]),
                ),
            ]),
            resolution: Some([240.0, 120.0]),
        };
        let mut block = Block::parse(&metadata.exif_block(4000, 3000));
        assert_eq!(block.resolution, Some([240.0, 120.0]));
        assert_eq!(block.orientation.exif(), 1);
        block.exif.remove(::exif::Tag::ColorSpace);
        assert_eq!(block.exif, metadata.exif);
    }

    #[test]
    fn resolutions_are_per_inch() {
        assert_eq!(per_inch([100.0, 100.0], Some(3)), Some([254.0, 254.0]));
        assert_eq!(per_inch([72.0, 72.0], None), Some([72.0, 72.0]));
        assert_eq!(per_inch([1.0, 1.0], Some(1)), None);
        assert_eq!(per_inch([f64::NAN, 1.0], None), None);
    }
}
