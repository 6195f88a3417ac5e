//! What happens to files: find photographs, read them, write one, keep what
//! the camera wrote about them.

mod compression;
mod limits;
mod pixels;

pub use compression::Compression;
pub use limits::Limits;
pub use pixels::{Photo, Samples};
