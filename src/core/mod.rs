//! What happens to pixels. Knows no GUI, no settings file and no path that a
//! user typed.

pub mod align;
pub mod device;
pub mod fuse;
pub mod grey;
pub mod transform;

pub use transform::Transform;
