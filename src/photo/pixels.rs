//! A photograph in memory.

use super::Metadata;

/// The samples of a photograph: interleaved red, green, blue, row after row,
/// as the file encodes them (sRGB or what the ICC profile says).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// 0 to 255.
    Eight(Vec<u8>),
    /// 0 to 65535.
    Sixteen(Vec<u16>),
}

impl Default for Samples {
    fn default() -> Self {
        Self::Eight(Vec::new())
    }
}

impl Samples {
    /// Bits per sample, 8 or 16.
    pub fn bits(&self) -> u8 {
        match self {
            Self::Eight(_) => 8,
            Self::Sixteen(_) => 16,
        }
    }
}

/// A decoded photograph, upright, in RGB.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Photo {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height * 3` samples.
    pub samples: Samples,
    /// `width * height` values, 0 where the photograph shows nothing and 255
    /// where it is valid; `None` where all of it is.
    pub alpha: Option<Vec<u8>>,
    /// What the file says about the picture.
    pub metadata: Metadata,
}

impl Photo {
    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// Bytes that its pixels take in memory.
    pub fn bytes(&self) -> u64 {
        let samples = match &self.samples {
            Samples::Eight(samples) => samples.len(),
            Samples::Sixteen(samples) => 2 * samples.len(),
        };
        (samples + self.alpha.as_ref().map_or(0, Vec::len)) as u64
    }
}
