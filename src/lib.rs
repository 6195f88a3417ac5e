//! Parfocal turns a folder of photographs, each focused at another distance,
//! into one photograph that is sharp everywhere.
//!
//! The crate is a house with a street side and a back; a room calls only what
//! stands below it:
//!
//! ```text
//!  main          arguments in; opens one of the two faces
//!  gui   cli     panels and pictures · the same work from a shell
//!  handlers      file · sharpness · alignment · stacking · export: one job each, and the
//!                background work of the window: import, thumbnail, cache
//!  core          what happens to pixels: sharpness, alignment, fusion, the pipeline
//!  photo         what happens to files: find, read, write, metadata
//! ```
//!
//! Both `core` and `photo` run their loops by `vector`.
//!
//! [`demo`] renders stacks whose truth is known, for `parfocal demo`, tests and
//! benches.

pub mod cli;
pub mod core;
pub mod demo;
pub mod error;
pub mod gui;
pub mod handlers;
pub mod photo;
pub mod settings;
mod text;
mod vector;

pub use error::{Error, Result};
