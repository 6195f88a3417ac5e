//! Photographs in whichever way they were decoded.

use std::borrow::Cow;

use super::{Photo, Subsampled, buffers, keep_subsampled};

/// A photograph as it was decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// All pixels in red, green and blue.
    Photo(Photo),
    /// Its colour at half the size.
    Subsampled(Subsampled),
}

impl Decoded {
    /// All pixels.
    pub fn photo(&self) -> Cow<'_, Photo> {
        match self {
            Self::Photo(photo) => Cow::Borrowed(photo),
            Self::Subsampled(planes) => Cow::Owned(planes.to_photo()),
        }
    }

    /// The same of one that nobody needs any more.
    pub fn into_photo(self) -> Photo {
        match self {
            Self::Photo(photo) => photo,
            Self::Subsampled(planes) => {
                let photo = planes.to_photo();
                keep_subsampled(planes);
                photo
            }
        }
    }

    /// No fewer pixels than half as many each way, whichever are there sooner.
    pub fn half_or_more(&self) -> Cow<'_, Photo> {
        match self {
            Self::Photo(photo) => Cow::Borrowed(photo),
            Self::Subsampled(planes) => Cow::Owned(planes.halved()),
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Photo(photo) => (photo.width, photo.height),
            Self::Subsampled(planes) => (planes.width, planes.height),
        }
    }

    /// Bytes that its pixels take in memory.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Photo(photo) => photo.bytes(),
            Self::Subsampled(planes) => planes.bytes(),
        }
    }

    /// Keeps its memory for the next ones; see [`keep`](super::keep).
    pub fn keep(self) {
        match self {
            Self::Photo(photo) => buffers::keep(photo),
            Self::Subsampled(planes) => keep_subsampled(planes),
        }
    }
}
