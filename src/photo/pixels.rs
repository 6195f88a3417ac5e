//! A photograph in memory.

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

/// A decoded photograph, upright, in RGB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
}

impl Photo {
    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.width * self.height
    }
}
