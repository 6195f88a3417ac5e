//! `parfocal align`: photographs in, aligned photographs out.

use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

use super::args::{AlignArgs, Overwrite, ResourceArgs, Verbosity, VerbosityArgs};
use super::{print, session, stack};
use crate::Result;
use crate::handlers::{OutputOptions, StackOptions, alignment};
use crate::photo::Compression;

/// The arguments of `parfocal align`.
#[derive(Debug, Args)]
pub struct Align {
    /// The photographs in stack order, or folders whose photographs are the stack
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The folder for the aligned frames (16-bit TIFF) and the report
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    align: AlignArgs,
    /// How the TIFFs are compressed, always without loss
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    compression: Compression,
    #[command(flatten)]
    overwrite: Overwrite,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Align {
    /// Aligns and says where the frames are.
    pub fn run(self) -> Result<()> {
        let options = StackOptions {
            align: self.align.options(),
            output: OutputOptions {
                compression: self.compression,
                overwrite: self.overwrite.overwrite,
                ..OutputOptions::default()
            },
            resources: self.resources.options(),
            ..StackOptions::default()
        };
        let verbosity = self.verbosity.verbosity();
        let started = Instant::now();
        let report = session::run(verbosity, &options.resources, |job| {
            alignment::align(&self.inputs, &self.out, &options, job)
        })?;
        if verbosity == Verbosity::Quiet {
            return Ok(());
        }
        print(&stack::result_line(&report, started.elapsed()))
    }
}
