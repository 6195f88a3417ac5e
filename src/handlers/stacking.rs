//! Stacks photographs.
use std::path::PathBuf;

use super::{Job, Report, StackOptions};
use crate::Result;

/// The main job: reads the photographs of `inputs` (files, or folders whose
/// photographs are the stack), aligns and fuses them, and writes the picture.
pub fn stack(_inputs: &[PathBuf], _options: &StackOptions, _job: &Job) -> Result<Report> {
    todo!()
}
