//! Renders a stack whose truth is known, stacks it and says how close it came.
use std::path::PathBuf;

use super::{Job, Report, StackOptions};
use crate::Result;
use crate::demo::SceneOptions;

/// How close the result of a demo came to the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoReport {
    /// The record of the stacking itself.
    pub report: Report,
    /// The folder of the rendered frames.
    pub frames: PathBuf,
    /// Peak signal-to-noise ratio of the result against the truth, in dB.
    pub psnr: f64,
    /// The same for the best single frame.
    pub best_frame_psnr: f64,
    /// Root mean square error of the poses at corners and centre, in pixels.
    pub alignment_error: f64,
}

/// Renders a stack into `folder/frames`, stacks it into `folder/stacked.tif`,
/// writes the truth beside it, and compares the two.
pub fn demo(
    _folder: &std::path::Path,
    _scene: &SceneOptions,
    _options: &StackOptions,
    _job: &Job,
) -> Result<DemoReport> {
    todo!()
}
