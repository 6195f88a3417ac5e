//! Moves photographs to the system's trash, and never anywhere else.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Moves a file to the system's trash.
///
/// # Errors
///
/// If it is gone, or the file system has no trash that we may use. The file
/// stays where it is then.
pub fn move_to_trash(file: &Path) -> Result<()> {
    trash::delete(file).map_err(|fault| {
        Error::file(
            file,
            format!("cannot be moved to the trash ({})", words(fault)),
            "it stays where it is; delete it yourself if it must go",
        )
    })
}

/// Moves files to the trash one by one; answers those that went, and what
/// was wrong with the others.
pub fn move_all_to_trash(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<Error>) {
    let mut gone = Vec::new();
    let mut faults = Vec::new();
    for file in files {
        match move_to_trash(file) {
            Ok(()) => gone.push(file.clone()),
            Err(fault) => faults.push(fault),
        }
    }
    (gone, faults)
}

/// A fault of the trash without the name of the file.
fn words(fault: trash::Error) -> String {
    match fault {
        trash::Error::Unknown { description } | trash::Error::Os { description, .. } => description,
        #[cfg(all(
            unix,
            not(any(target_os = "macos", target_os = "ios", target_os = "android"))
        ))]
        trash::Error::FileSystem { source, .. } => source.to_string(),
        trash::Error::CouldNotAccess { .. } => "there is no such file, or no access to it".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_is_named() {
        let file = Path::new("/nowhere/frame.tif");
        let (gone, faults) = move_all_to_trash(&[file.to_owned()]);
        assert!(gone.is_empty());
        let fault = faults[0].to_string();
        assert!(
            fault.contains("/nowhere/frame.tif: cannot be moved to the trash"),
            "{fault}"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn where_there_can_be_no_trash_the_file_stays() {
        let file = Path::new("/proc/version");
        let fault = move_to_trash(file).unwrap_err().to_string();
        assert!(fault.contains("it stays where it is"), "{fault}");
        assert!(file.exists());
    }
}
