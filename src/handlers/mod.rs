//! One job each, with progress and cancel: what both faces of the program call.

pub mod alignment;
pub mod bench;
pub mod cache;
pub mod choice;
pub mod demo;
pub mod export;
pub mod file;
pub mod frames;
mod fusing;
mod holding;
pub mod import;
pub mod job;
pub mod machine;
mod matching;
pub mod opening;
pub mod options;
pub mod order;
pub mod report;
pub mod reuse;
mod scale;
pub mod sharpness;
mod shelf;
pub mod stacking;
mod steps;
pub mod thumbnail;
pub mod trash;
pub mod trial;
mod unveiling;
pub mod watch;

pub use job::{Event, Job, Phase};
pub use options::{
    AlignOptions, Device, FuseOptions, OutputOptions, Reference, Resources, Sort, StackOptions,
};
pub use report::{AlignmentReport, FrameReport, FrameStatus, MovedReport, Report, Timing};
