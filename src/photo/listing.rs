//! Finds the photographs of a stack and puts them in order.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

use super::fault;

/// The extensions of photographs that Parfocal reads, in lower case.
pub const EXTENSIONS: [&str; 9] = [
    "jpg", "jpeg", "jpe", "jfif", "tif", "tiff", "png", "webp", "bmp",
];

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The photographs, in stack order.
    pub photos: Vec<PathBuf>,
    /// What lay in the folders beside them.
    pub skipped: Vec<Skipped>,
}

/// Something that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, without a full stop.
    pub reason: String,
}

/// Gathers the photographs of `inputs`, which are files or folders.
///
/// Files keep the order they are given in, whatever they are called. A folder
/// gives the photographs that lie directly in it, in natural order of their
/// names (`IMG_9` before `IMG_10`); whatever else lies there is in
/// [`Listing::skipped`] with the reason. A file met twice counts once.
///
/// # Errors
///
/// If an input does not exist or a folder cannot be read, and if nothing is
/// found at all.
pub fn list(inputs: &[PathBuf]) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    for input in inputs {
        let kind = fs::metadata(input).map_err(|error| fault::unreadable(input, &error))?;
        if kind.is_dir() {
            list_folder(input, &mut seen, &mut listing)?;
        } else if kind.is_file() {
            listing.add(input.clone(), &mut seen);
        } else {
            return Err(Error::file(
                input,
                "is neither a file nor a folder",
                "give photographs, or a folder of them",
            ));
        }
    }
    if !listing.photos.is_empty() {
        return Ok(listing);
    }
    let advice = "give JPEG, TIFF, PNG, WebP or BMP files, or a folder of them";
    Err(match inputs {
        [folder] => Error::file(folder, "contains no photographs", advice),
        _ => Error::job("the inputs contain no photographs", advice),
    })
}

fn list_folder(folder: &Path, seen: &mut HashSet<PathBuf>, listing: &mut Listing) -> Result<()> {
    let unreadable = |error| fault::unreadable(folder, &error);
    let mut paths = fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    paths.sort_by(|a, b| {
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        alphanumeric_sort::compare_str(name(a), name(b)).then_with(|| a.cmp(b))
    });
    for path in paths {
        match reason_to_skip(&path) {
            None => listing.add(path, seen),
            Some(reason) => listing.skip(path, reason),
        }
    }
    Ok(())
}

/// Why something in a folder is no photograph, or `None` if it may be one.
fn reason_to_skip(path: &Path) -> Option<&'static str> {
    let name = path.file_name().map(OsStr::to_string_lossy)?;
    let Ok(kind) = fs::metadata(path) else {
        return Some("cannot be opened");
    };
    if kind.is_dir() {
        Some("is a folder")
    } else if name.starts_with('.') {
        Some("is a hidden file")
    } else if !kind.is_file() {
        Some("is not a file")
    } else if !has_photo_extension(path) {
        Some("has no extension of a photograph that Parfocal reads")
    } else {
        None
    }
}

fn has_photo_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|own| {
        EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(own))
    })
}

impl Listing {
    fn add(&mut self, path: PathBuf, seen: &mut HashSet<PathBuf>) {
        let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.insert(identity) {
            self.photos.push(path);
        } else {
            self.skip(path, "is in the stack already");
        }
    }

    fn skip(&mut self, path: PathBuf, reason: &str) {
        self.skipped.push(Skipped {
            path,
            reason: reason.to_owned(),
        });
    }
}
