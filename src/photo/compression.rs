//! How a TIFF's strips are compressed.

use serde::{Deserialize, Serialize};

/// Lossless compression of a TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// As large as the pixels are, quickest to write.
    None,
    /// Adobe deflate with horizontal prediction.
    #[default]
    Deflate,
    /// LZW with horizontal prediction, for readers that know no deflate.
    Lzw,
}
