//! What happens to pixels. Knows no GUI, no settings file and no path that a
//! user typed.

pub mod align;
pub mod device;
pub mod exposure;
mod extreme;
pub mod finish;
pub mod focus;
pub mod focus_range;
pub mod fuse;
pub mod ghost;
pub mod grey;
mod keep_going;
pub mod linear;
mod median;
pub mod noise;
pub mod palette;
pub mod pipeline;
pub mod plane;
mod resample;
mod rolling;
mod rows;
pub mod sharpness;
pub mod stages;
mod subsampled;
pub mod surface;
mod taps;
pub mod thumbnail;
pub mod transform;
pub mod trial;
pub mod veil;
pub mod warp;
mod window;

pub use keep_going::{ALWAYS, KeepGoing};
pub use transform::Transform;
