//! Bounds that keep a hostile or broken file from exhausting the machine.

use serde::{Deserialize, Serialize};

/// The largest photographs that are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Most pixels in one photograph; 0 lifts the limit.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// Half a gigapixel: more than any camera takes, and 3 GB in 16 bits.
    fn default() -> Self {
        Self {
            max_pixels: 500_000_000,
        }
    }
}
