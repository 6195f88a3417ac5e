//! Aligns a stack.
use std::path::{Path, PathBuf};

use super::{Job, Report, StackOptions};
use crate::Result;

/// Writes the aligned frames of a stack into `folder`, as 16-bit TIFF, with
/// the report beside them.
pub fn align(
    _inputs: &[PathBuf],
    _folder: &Path,
    _options: &StackOptions,
    _job: &Job,
) -> Result<Report> {
    todo!()
}
