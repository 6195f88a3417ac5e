//! What happens to files: find photographs, read them, write one, keep what
//! the camera wrote about them.

mod atomic;
mod buffers;
mod channels;
mod colour;
#[cfg(test)]
mod compressed;
mod compression;
mod decoded;
mod deflate;
mod eighth;
mod encode_jpeg;
mod encode_png;
mod encode_tiff;
mod encoding;
mod exif;
mod fault;
mod halved;
mod huffman;
mod ifd;
mod jpeg;
mod limits;
mod listing;
mod metadata;
mod orientation;
mod other;
mod pixels;
mod png;
mod read;
mod rows;
mod subsampled;
mod surface;
mod tiff;
mod write;

pub use atomic::{same_file, write_text};
pub use buffers::{Keeping, keep, keep_values, values};
pub use colour::convert;
pub use compression::Compression;
pub use decoded::Decoded;
pub use encoding::{Encoding, Format};
pub use exif::{CaptureTime, Exif};
pub use limits::Limits;
pub use listing::{EXTENSIONS, Listing, Skipped, list};
pub use metadata::Metadata;
pub use orientation::Orientation;
pub use pixels::{Photo, Samples};
pub use read::{
    Colour, Probe, probe, read, read_both, read_metadata, read_reduced, read_subsampled,
    read_subsampled_both,
};
pub use subsampled::{Subsampled, keep_subsampled};
pub use surface::{Surface, surface_files, write_surface};
pub use write::{jpeg, write, write_grey16};
