//! `parfocal stack`: photographs in, one picture out.

use clap::Args;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::args::{
    self, AlignArgs, Auto, FinishArgs, FuseArgs, OutputArgs, Overwrite, ResourceArgs, Verbosity,
};
use super::{args::VerbosityArgs, print, session, text};
use crate::handlers::{FrameStatus, Report, StackOptions, stacking};
use crate::photo::Format;
use crate::{Error, Result};

/// The arguments of `parfocal stack`.
#[derive(Debug, Args)]
pub struct Stack {
    /// The photographs in stack order, or folders whose photographs are the stack
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The picture to write, a .tif, .png or .jpg [default: <folder>-stacked.tif
    /// beside the folder of the photographs, numbered on where that exists]
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Also write which frame is sharpest where: a .tif or .png is grey with 16
    /// bits, black for the first frame and white for the last; a .jpg is in
    /// colour, from dark violet for the first to yellow for the last [default:
    /// none]
    #[arg(long, value_name = "FILE")]
    depth_map: Option<PathBuf>,
    /// Also write how sure that is, as a grey .tif, .png or .jpg: white is sure
    /// [default: none]
    #[arg(long, value_name = "FILE")]
    confidence: Option<PathBuf>,
    /// Also write the surface in three dimensions with its colours: a .ply, or
    /// an .obj with its .mtl and .jpg beside it [default: none]
    #[arg(long, value_name = "FILE.ply|obj")]
    surface: Option<PathBuf>,
    /// How far the last frame lies behind the first in the surface, in pixels
    /// of the picture; auto is a fifth of its longer side
    #[arg(long, value_name = "PIXELS|auto", default_value = "auto", value_parser = args::depth)]
    surface_depth: Auto<f64>,
    /// Also write what was done to which frame, as JSON [default: none]
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    #[command(flatten)]
    fuse: FuseArgs,
    #[command(flatten)]
    finish: FinishArgs,
    #[command(flatten)]
    align: AlignArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    overwrite: Overwrite,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Stack {
    /// Stacks and says where the picture is.
    pub fn run(self) -> Result<()> {
        let options = self.options()?;
        let verbosity = self.verbosity.verbosity();
        let started = Instant::now();
        let report = session::run(verbosity, &options.resources, |job| {
            stacking::stack(&self.inputs, &options, job)
        })?;
        if verbosity == Verbosity::Quiet {
            return Ok(());
        }
        print(&result_line(&report, started.elapsed()))
    }

    fn options(&self) -> Result<StackOptions> {
        for picture in [&self.out, &self.depth_map, &self.confidence]
            .into_iter()
            .flatten()
        {
            Format::from_path(picture)?;
        }
        let options = StackOptions {
            align: self.align.options(),
            fuse: self.fuse.options(),
            finish: self.finish.options(),
            output: self.output.options(self.overwrite),
            resources: self.resources.options(),
            out: self.out.clone(),
            depth_map: self.depth_map.clone(),
            confidence: self.confidence.clone(),
            surface: self.surface.clone(),
            surface_depth: self.surface_depth.0,
            report: self.report.clone(),
        };
        let mut seen = HashSet::new();
        for output in options.outputs()? {
            // `./out.tif` is `out.tif`.
            let place = std::path::absolute(&output).unwrap_or_else(|_| output.clone());
            if !seen.insert(place) {
                return Err(Error::Usage(format!(
                    "{} is asked for twice; give each output its own name",
                    output.display()
                )));
            }
        }
        Ok(options)
    }
}

/// `wrote /path (6000×4000, 20 of 21 frames, 12.3 s)`.
pub fn result_line(report: &Report, took: Duration) -> String {
    let used = report
        .frames
        .iter()
        .filter(|frame| frame.status == FrameStatus::Used)
        .count();
    let output = match &report.output {
        Some(path) => path.display().to_string(),
        None => "nothing".into(),
    };
    format!(
        "wrote {output} ({}×{}, {used} of {} frames, {})\n",
        report.size[0],
        report.size[1],
        report.frames.len(),
        text::duration(took)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        stack: Stack,
    }

    fn options(args: &str) -> Result<StackOptions> {
        let args = std::iter::once("stack").chain(args.split_whitespace());
        Only::try_parse_from(args).unwrap().stack.options()
    }

    #[test]
    fn without_options_the_defaults_are_those_of_the_handlers() {
        assert_eq!(options("photos"), Ok(StackOptions::default()));
    }

    #[test]
    fn outputs_reach_the_handlers() {
        let options = options("a b -o out.png --depth-map depth.tif --report r.json").unwrap();
        assert_eq!(options.out, Some("out.png".into()));
        assert_eq!(options.depth_map, Some("depth.tif".into()));
        assert_eq!(options.report, Some("r.json".into()));
        let options = self::options("a --confidence c.png --surface s.ply --surface-depth 40.5");
        let options = options.unwrap();
        assert_eq!(options.confidence, Some("c.png".into()));
        assert_eq!(options.surface, Some("s.ply".into()));
        assert_eq!(options.surface_depth, Some(40.5));
    }

    #[test]
    fn a_name_that_is_no_picture_is_wrong_use() {
        for args in [
            "a -o out.gif",
            "a -o out",
            "a --depth-map depth.json",
            "a --confidence c.bmp",
            "a --surface s.stl",
        ] {
            assert!(matches!(options(args), Err(Error::Usage(_))), "{args}");
        }
    }

    #[test]
    fn two_outputs_need_two_names() {
        for twice in ["out.tif", "./out.tif"] {
            let error = options(&format!("a -o out.tif --depth-map {twice}")).unwrap_err();
            assert!(error.to_string().contains("out.tif is asked for twice"));
        }
        // A surface brings its picture.
        let error = options("a -o out.jpg --surface out.obj").unwrap_err();
        assert!(error.to_string().contains("out.jpg is asked for twice"));
    }

    #[test]
    fn a_stack_needs_an_input() {
        assert!(Only::try_parse_from(["stack"]).is_err());
    }
}
