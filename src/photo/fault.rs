//! Words for what goes wrong with a file.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::{Error, Result};

use super::{Limits, buffers};

/// The advice for a file whose bytes are wrong.
pub(super) const COPY_AGAIN: &str = "copy it from the camera or card again, or leave it out";

/// The advice for a file in a form that is not read.
pub(super) const CONVERT: &str = "convert it to TIFF, PNG or JPEG first";

/// A file that could not be opened or read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::file(path, "does not exist", "check its name and folder"),
        ErrorKind::PermissionDenied => Error::file(
            path,
            "may not be read",
            "change its permissions, or leave it out",
        ),
        ErrorKind::IsADirectory => {
            Error::file(path, "is a folder", "give a photograph in its place")
        }
        ErrorKind::UnexpectedEof => cut_short(path),
        _ => Error::file(
            path,
            format!("cannot be read ({error})"),
            "check the disk and try again",
        ),
    }
}

/// A file that could not be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Error {
    let (problem, advice) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            "cannot be written: the disk is full".to_owned(),
            "make room, or choose another folder",
        ),
        ErrorKind::FileTooLarge => (
            "cannot be written: it is too large for this disk".to_owned(),
            "choose a disk with another file system, or compress the picture",
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            "cannot be written: its folder is read-only".to_owned(),
            "choose another folder, or change the folder's permissions",
        ),
        ErrorKind::NotFound => (
            "cannot be written: its folder does not exist".to_owned(),
            "make the folder first, or choose another",
        ),
        ErrorKind::NotADirectory => (
            "cannot be written: its folder is a file".to_owned(),
            "choose another folder",
        ),
        ErrorKind::AlreadyExists => return exists(path),
        _ => (
            format!("cannot be written ({error})"),
            "check the disk and try again",
        ),
    };
    Error::file(path, problem, advice)
}

/// An output that is already there.
pub(super) fn exists(path: &Path) -> Error {
    Error::file(
        path,
        "exists already",
        "choose another name, or replace it with --overwrite",
    )
}

/// A photograph that ends before its last pixel.
pub(super) fn cut_short(path: &Path) -> Error {
    Error::file(path, "is cut short", COPY_AGAIN)
}

/// A photograph with bytes that make no sense.
pub(super) fn damaged(path: &Path, detail: impl std::fmt::Display) -> Error {
    Error::file(path, format!("is damaged ({detail})"), COPY_AGAIN)
}

/// A photograph of a kind that is not read.
pub(super) fn unsupported(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::file(
        path,
        format!("holds {what}, which Parfocal does not read"),
        CONVERT,
    )
}

/// Refuses a photograph of `width`×`height` pixels that is empty, over the
/// limit or past what this machine can address.
pub(super) fn check_size(path: &Path, width: u64, height: u64, limits: &Limits) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(damaged(path, "it has no pixels"));
    }
    let pixels = width.checked_mul(height);
    if limits.max_pixels > 0 && pixels.is_none_or(|n| n > limits.max_pixels) {
        return Err(Error::file(
            path,
            format!(
                "claims {width}\u{d7}{height} pixels, more than the limit of {}",
                limits.max_pixels
            ),
            "raise the limit with --max-pixels if the file can be trusted; 0 lifts it",
        ));
    }
    // Five 16-bit samples is the most that a pixel takes on its way in.
    let addressable = pixels
        .and_then(|n| n.checked_mul(10))
        .is_some_and(|n| n <= isize::MAX as u64);
    if addressable {
        Ok(())
    } else {
        Err(Error::file(
            path,
            format!("claims {width}\u{d7}{height} pixels, more than memory can hold"),
            COPY_AGAIN,
        ))
    }
}

/// `count` zeroes, or an error where there is no memory for them.
pub(super) fn zeroes<T: Clone + Send + bytemuck::Zeroable + 'static>(
    path: &Path,
    count: usize,
) -> Result<Vec<T>> {
    let Some(mut kept) = buffers::samples(count) else {
        return fresh(path, count);
    };
    kept.fill(T::zeroed());
    Ok(kept)
}

/// The same for one who writes all of them: they may be those of another photograph.
pub(super) fn room<T: Clone + Send + bytemuck::Zeroable + 'static>(
    path: &Path,
    count: usize,
) -> Result<Vec<T>> {
    buffers::samples(count).map_or_else(|| fresh(path, count), Ok)
}

fn fresh<T: Clone + bytemuck::Zeroable>(path: &Path, count: usize) -> Result<Vec<T>> {
    // Ask first: `vec!` would end the program. It is used all the same because
    // the system gives it pages that cost nothing until they are touched.
    if Vec::<T>::new().try_reserve_exact(count).is_err() {
        return Err(Error::file(
            path,
            "is too large for the free memory",
            "close other programs, or make the photographs smaller",
        ));
    }
    Ok(vec![T::zeroed(); count])
}
