//! `parfocal sharpness`: a table of how sharp each photograph is.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde::Serialize;
use std::path::PathBuf;

use super::args::{Overwrite, ResourceArgs, Verbosity, VerbosityArgs};
use super::{print, session, text};
use crate::handlers::sharpness::{FrameSharpness, SharpnessOptions, score};
use crate::{Error, Result, photo};

/// The arguments of `parfocal sharpness`.
#[derive(Debug, Args)]
pub struct Sharpness {
    /// The photographs, or folders of photographs
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Cells across and down that are scored by themselves
    #[arg(long, value_name = "N", default_value = "16",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=256))]
    grid: usize,
    /// Also write the scores of all cells, as JSON [default: none]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

/// What `--json` writes.
#[derive(Serialize)]
struct Scores<'a> {
    version: &'a str,
    grid: usize,
    frames: &'a [FrameSharpness],
}

impl Sharpness {
    /// Scores, writes the JSON and prints the table. The table alone is what was
    /// asked for, so it comes even where `--quiet` is given without `--json`.
    pub fn run(self) -> Result<()> {
        let options = SharpnessOptions {
            grid: self.grid,
            resources: self.resources.options(),
        };
        let verbosity = self.verbosity.verbosity();
        let frames = session::run(verbosity, &options.resources, |job| {
            if let Some(json) = &self.json {
                crate::handlers::file::check_output(json, &self.inputs, self.overwrite.overwrite)?;
            }
            score(&self.inputs, &options, job)
        })?;
        if let Some(json) = &self.json {
            let scores = Scores {
                version: env!("CARGO_PKG_VERSION"),
                grid: self.grid,
                frames: &frames,
            };
            let text = serde_json::to_string_pretty(&scores).map_err(|error| {
                Error::file(
                    json,
                    format!("could not be written: {error}"),
                    "leave --json out",
                )
            })?;
            photo::write_text(json, &text, self.overwrite.overwrite)?;
        }
        if verbosity != Verbosity::Quiet || self.json.is_none() {
            print(&table(&frames))?;
        }
        if frames.iter().all(|frame| frame.score.is_none()) {
            return Err(Error::job(
                "none of the photographs could be scored",
                "see the reasons above",
            ));
        }
        Ok(())
    }
}

/// File, score and a bar as long as the score's share of the best one.
fn table(frames: &[FrameSharpness]) -> String {
    const WIDTH: usize = 30;
    let best = frames
        .iter()
        .filter_map(|frame| frame.score)
        .max_by(f64::total_cmp);
    let same_folder = frames
        .windows(2)
        .all(|pair| pair[0].path.parent() == pair[1].path.parent());
    let mut rows = vec![vec!["FILE".to_owned(), "SCORE".to_owned()]];
    for frame in frames {
        let name = match frame.path.file_name() {
            Some(name) if same_folder => name.display().to_string(),
            _ => frame.path.display().to_string(),
        };
        let (score, remark) = match (frame.score, best) {
            (Some(score), Some(best)) => {
                let bar = text::bar(if best > 0.0 { score / best } else { 0.0 }, WIDTH);
                let mark = if score == best { " sharpest" } else { "" };
                (text::figures(score), format!("{bar}{mark}"))
            }
            _ => ("-".into(), frame.reason.clone().unwrap_or_default()),
        };
        rows.push(vec![name, score, remark]);
    }
    text::table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(path: &str, score: Option<f64>, reason: Option<&str>) -> FrameSharpness {
        FrameSharpness {
            path: path.into(),
            score,
            cells: Vec::new(),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn the_table_marks_the_sharpest_and_explains_the_unreadable() {
        let frames = [
            frame("in/a.jpg", Some(1.0), None),
            frame("in/long-name.jpg", Some(2.0), None),
            frame("in/c.jpg", None, Some("is cut short")),
        ];
        let expected = format!(
            "FILE           SCORE\n\
             a.jpg          1.000  {}\n\
             long-name.jpg  2.000  {} sharpest\n\
             c.jpg          -      is cut short\n",
            "█".repeat(15),
            "█".repeat(30)
        );
        assert_eq!(table(&frames), expected);
    }

    #[test]
    fn frames_of_several_folders_are_told_apart() {
        let frames = [
            frame("x/a.jpg", Some(0.0), None),
            frame("y/a.jpg", Some(0.0), None),
        ];
        let table = table(&frames);
        assert!(table.contains("x/a.jpg") && table.contains("y/a.jpg"));
    }
}
