//! How a picture is written.

use std::path::Path;

use crate::{Error, Result};

use super::Compression;

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// 8 or 16 bits, lossless.
    #[default]
    Tiff,
    /// 8 or 16 bits, lossless.
    Png,
    /// 8 bits, lossy, without alpha.
    Jpeg,
}

impl Format {
    /// The format that a file's name asks for.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for any extension but `tif`, `tiff`, `png`, `jpg` and
    /// `jpeg`, in whatever case.
    pub fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("tif" | "tiff") => Ok(Self::Tiff),
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            _ => Err(Error::Usage(format!(
                "{}: the name of an output must end in .tif, .tiff, .png, .jpg or .jpeg",
                path.display()
            ))),
        }
    }
}

/// Everything that decides how a picture looks in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// The format.
    pub format: Format,
    /// Bits per sample, 8 or 16; JPEG always has 8.
    pub bits: u8,
    /// Compression of a TIFF.
    pub compression: Compression,
    /// Quality of a JPEG, 1 to 100. Above 90 colour has full resolution.
    pub quality: u8,
}

impl Default for Encoding {
    /// A 16-bit TIFF with deflate.
    fn default() -> Self {
        Self {
            format: Format::Tiff,
            bits: 16,
            compression: Compression::Deflate,
            quality: 95,
        }
    }
}

impl Encoding {
    /// Refuses bits and qualities that do not exist.
    pub(super) fn check(&self) -> Result<()> {
        if !matches!(self.bits, 8 | 16) {
            return Err(Error::Usage(format!(
                "{} bits per sample: choose 8 or 16",
                self.bits
            )));
        }
        if !(1..=100).contains(&self.quality) {
            return Err(Error::Usage(format!(
                "a JPEG quality of {}: choose 1 to 100",
                self.quality
            )));
        }
        Ok(())
    }
}
