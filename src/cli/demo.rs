//! `parfocal demo`: something to see within seconds, and proof that it is right.

use clap::Args;
use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::args::{AlignArgs, FuseArgs, Overwrite, ResourceArgs, Verbosity, VerbosityArgs};
use super::{print, session, stack};
use crate::Result;
use crate::demo::{Scene, SceneOptions};
use crate::handlers::demo::{DemoReport, demo};
use crate::handlers::{OutputOptions, Phase, StackOptions, Timing};

/// The arguments of `parfocal demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder for the rendered frames, the truth and the stacked picture
    #[arg(short, long, value_name = "FOLDER", default_value = "parfocal-demo")]
    out: PathBuf,
    /// What to render
    #[arg(long, value_name = "NAME", default_value_t, value_parser = scene())]
    scene: Scene,
    /// Width and height of a frame in pixels
    #[arg(long, value_name = "WxH", default_value = "1500x1000")]
    size: Size,
    /// Number of frames
    #[arg(long, value_name = "N", default_value = "12",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    frames: usize,
    /// Decides everything that is random: the same seed, the same stack
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    fuse: FuseArgs,
    #[command(flatten)]
    align: AlignArgs,
    #[command(flatten)]
    overwrite: Overwrite,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Demo {
    /// Renders, stacks, compares and prints how close it came.
    pub fn run(self) -> Result<()> {
        let scene = SceneOptions {
            width: self.size.width,
            height: self.size.height,
            frames: self.frames,
            seed: self.seed,
            ..SceneOptions::new(self.scene)
        };
        let options = StackOptions {
            align: self.align.options(),
            fuse: self.fuse.options(),
            output: OutputOptions {
                overwrite: self.overwrite.overwrite,
                ..OutputOptions::default()
            },
            resources: self.resources.options(),
            ..StackOptions::default()
        };
        let verbosity = self.verbosity.verbosity();
        let result = session::run(verbosity, &options.resources, |job| {
            demo(&self.out, &scene, &options, job)
        })?;
        if verbosity == Verbosity::Quiet {
            return Ok(());
        }
        print(&summary(&result))
    }
}

fn summary(result: &DemoReport) -> String {
    format!(
        "{}from the frames in {}\n\
         the result is {:.1} dB from the truth (PSNR, more is better), the middle frame alone \
         {:.1} dB\n\
         the frames are aligned to {:.3} pixels\n",
        stack::result_line(&result.report, stacking(&result.report.timings)),
        result.frames.display(),
        result.psnr,
        result.frame_psnr,
        result.alignment_error,
    )
}

/// How long it took to stack what was rendered.
fn stacking(timings: &[Timing]) -> Duration {
    let rendering = Phase::Rendering.label().to_lowercase();
    let stacking = timings.iter().filter(|timing| timing.phase != rendering);
    Duration::from_secs_f64(stacking.map(|timing| timing.seconds).sum())
}

/// Reads the name of a scene, and lets the help list them.
fn scene() -> impl TypedValueParser<Value = Scene> {
    PossibleValuesParser::new(Scene::ALL.map(Scene::name)).try_map(|name| name.parse::<Scene>())
}

/// Width and height in pixels, written `1500x1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    width: usize,
    height: usize,
}

impl Size {
    /// Smaller frames have nothing to align, larger ones no memory to be in.
    const BOUNDS: std::ops::RangeInclusive<usize> = 16..=20_000;
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(['x', 'X', '×']);
        let number = |part: &str| part.parse().ok().filter(|n| Self::BOUNDS.contains(n));
        parts
            .and_then(|(width, height)| {
                Some(Self {
                    width: number(width)?,
                    height: number(height)?,
                })
            })
            .ok_or_else(|| {
                format!(
                    "expected a width and a height such as 1500x1000, each from {} to {}",
                    Self::BOUNDS.start(),
                    Self::BOUNDS.end()
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendering_is_no_part_of_stacking() {
        let timing = |(phase, seconds): (&str, f64)| Timing {
            phase: phase.to_owned(),
            seconds,
        };
        let all = [("rendering", 3.9), ("aligning", 0.5), ("fusing", 0.25)].map(timing);
        assert_eq!(stacking(&all), Duration::from_millis(750));
    }

    #[test]
    fn sizes_are_read() {
        let size = |width, height| Ok(Size { width, height });
        assert_eq!("1500x1000".parse(), size(1500, 1000));
        assert_eq!("64×48".parse(), size(64, 48));
        for wrong in ["1500", "x", "0x10", "-5x20", "99999x20", "300x200x100"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong} was taken");
        }
    }
}
