//! Renders a stack whose truth is known, stacks it and says how close it came.

use std::path::{Path, PathBuf};

use super::file::check_output;
use super::stacking::stack;
use super::{FrameStatus, Job, Phase, Report, StackOptions, export};
use crate::demo::{DemoStack, SceneOptions, psnr};
use crate::photo::{self, Encoding, Format};
use crate::{Error, Result};

/// How close the result of a demo came to the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoReport {
    /// The record of the stacking itself.
    pub report: Report,
    /// The folder of the rendered frames.
    pub frames: PathBuf,
    /// Peak signal-to-noise ratio of the result against the truth, in dB.
    pub psnr: f64,
    /// The same for the middle frame, which has the result's geometry.
    pub frame_psnr: f64,
    /// Root mean square error of the poses at corners and centre, in pixels,
    /// over the frames in use.
    pub alignment_error: f64,
}

/// Renders a stack into `folder/frames`, stacks it into `folder/stacked.tif`,
/// writes `folder/truth.tif` beside it, and compares the two. The result has
/// the geometry of the frame whose geometry the truth has.
///
/// # Errors
///
/// If one of these files exists and may not be replaced, or cannot be written;
/// if the stack cannot be stacked; if the job is cancelled.
pub fn demo(
    folder: &Path,
    scene: &SceneOptions,
    options: &StackOptions,
    job: &Job,
) -> Result<DemoReport> {
    let frames = folder.join("frames");
    let overwrite = options.output.overwrite;
    let (out, truth_path) = (folder.join("stacked.tif"), folder.join("truth.tif"));
    let paths = paths(&frames, scene.frames);
    export::make_folder(&frames)?;
    for path in paths.iter().chain([&out, &truth_path]) {
        check_output(path, &[], overwrite)?;
    }

    job.begin(Phase::Rendering, scene.frames + 1);
    let demo = DemoStack::new(scene);
    write_frames(&demo, &paths, overwrite, job)?;
    let truth = demo.truth();
    export::write(&truth_path, &truth, &Encoding::default(), overwrite, job)?;
    job.step();

    let options = StackOptions {
        out: Some(out.clone()),
        ..options.clone()
    };
    let report = stack(&paths, &options, job)?;

    let limits = &options.resources.limits;
    let result = photo::read(&out, limits)?;
    let middle = photo::read(&paths[demo.reference()], limits)?;
    let apart = || {
        let advice = "leave the reference to be chosen automatically";
        Error::job("the result cannot be compared with the truth", advice)
    };
    if report.reference != demo.reference() {
        return Err(apart());
    }
    let origin = [report.crop.x, report.crop.y];
    Ok(DemoReport {
        psnr: psnr(&result, &truth, origin).ok_or_else(apart)?,
        frame_psnr: psnr(&middle, &truth, [0, 0]).ok_or_else(apart)?,
        alignment_error: alignment_error(&demo, &report),
        report,
        frames,
    })
}

/// Renders the frames of a stack into `folder`, unless all of them are there.
///
/// # Errors
///
/// If the folder or a file cannot be written, and if the job is cancelled.
pub fn render(folder: &Path, scene: &SceneOptions, job: &Job) -> Result<()> {
    let paths = paths(folder, scene.frames);
    if paths.iter().all(|path| path.is_file()) {
        return Ok(());
    }
    export::make_folder(folder)?;
    job.begin(Phase::Rendering, scene.frames);
    write_frames(&DemoStack::new(scene), &paths, true, job)
}

fn paths(folder: &Path, count: usize) -> Vec<PathBuf> {
    let digits = (count.max(2) - 1).to_string().len();
    (0..count)
        .map(|i| folder.join(format!("frame_{i:0digits$}.jpg")))
        .collect()
}

fn write_frames(demo: &DemoStack, paths: &[PathBuf], overwrite: bool, job: &Job) -> Result<()> {
    let encoding = Encoding {
        format: Format::Jpeg,
        quality: 95,
        ..Encoding::default()
    };
    job.check()?;
    for (i, path) in paths.iter().enumerate() {
        let frame = demo.frame(i, 8);
        export::write(path, &frame, &encoding, overwrite, job)?;
        job.check()?;
        job.step();
    }
    Ok(())
}

fn alignment_error(demo: &DemoStack, report: &Report) -> f64 {
    let (width, height) = (demo.options().width, demo.options().height);
    let squares: Vec<f64> = report
        .frames
        .iter()
        .zip(demo.transforms())
        .filter(|(frame, _)| frame.status == FrameStatus::Used)
        .filter_map(|(frame, truth)| Some(frame.transform?.distance(truth, width, height).powi(2)))
        .collect();
    (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
}
