//! Files that are either written whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::Builder;

use crate::{Error, Result};

use super::fault;

/// Why writing stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The user wanted it.
    Cancelled,
    /// The disk did not take it.
    Io(io::Error),
    /// The picture cannot be written in this format: the problem and the advice.
    Picture(String, &'static str),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Creates the file `path` with what `fill` writes. It comes into being only
/// when all of it has reached the disk; a file that exists is replaced only if
/// `overwrite` is set. On any fault nothing is left behind.
pub(super) fn write(
    path: &Path,
    overwrite: bool,
    fill: impl FnOnce(&mut File) -> Result<(), Stop>,
) -> Result<()> {
    let unwritable = |error: io::Error| fault::unwritable(path, &error);
    check_target(path, overwrite)?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(".parfocal-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the system would give a new file, less the user's umask.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(unwritable)?;
    fill(file.as_file_mut()).map_err(|stop| match stop {
        Stop::Cancelled => Error::Cancelled,
        Stop::Io(error) => unwritable(error),
        Stop::Picture(problem, advice) => Error::file(path, problem, advice),
    })?;
    file.as_file().sync_all().map_err(unwritable)?;
    let kept = if overwrite {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    kept.map_err(|error| unwritable(error.error))?;
    // Makes the name last through a power cut; some file systems refuse it,
    // and the file is whole without.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Refuses a target that cannot become the file.
pub(super) fn check_target(path: &Path, overwrite: bool) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) if path.is_dir() => Err(Error::file(
            path,
            "cannot be written: it is a folder",
            "give the name of a file",
        )),
        Ok(_) if !overwrite => Err(fault::exists(path)),
        _ => Ok(()),
    }
}

/// Writes a text, such as a report, whole or not at all.
///
/// # Errors
///
/// As [`write`](super::write()).
pub fn write_text(path: &Path, text: &str, overwrite: bool) -> Result<()> {
    write(path, overwrite, |file| Ok(file.write_all(text.as_bytes())?))
}

/// Whether both paths lead to one file, by links of either kind and by names
/// that only look different. Files that do not exist are no file.
pub fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |path: &Path| path.metadata().map(|own| (own.dev(), own.ino()));
        if let (Ok(a), Ok(b)) = (identity(a), identity(b)) {
            return a == b;
        }
    }
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
