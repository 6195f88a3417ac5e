//! What happens to pixels. Knows no GUI, no settings file and no path that a
//! user typed.

pub mod align;
pub mod device;
pub mod exposure;
pub mod focus;
pub mod fuse;
pub mod grey;
pub mod linear;
pub mod pipeline;
pub mod plane;
pub mod sharpness;
pub mod thumbnail;
pub mod transform;
pub mod warp;

pub use transform::Transform;
