//! What the user can choose. Every face of the program fills these in; each
//! default is right for most stacks.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::Result;
use crate::core::align::{Method as AlignMethod, Model};
use crate::core::finish::Finish;
use crate::core::fuse::{Method, Prefer, SMOOTHNESS};
use crate::core::veil::Unveil;
use crate::photo::{self, Compression, Limits};

/// Which frame gives the result its geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// The middle of the frames in use.
    #[default]
    Auto,
    /// The frame of this number, counted from 0 in stack order.
    Frame(usize),
}

/// Where the pixels are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A GPU that passes its self-check and is faster than the processor, or else
    /// the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The OpenCL device of this number in `parfocal devices`, or the one that
    /// suits best.
    OpenCl(Option<usize>),
}

/// In which order the frames make the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// As they are given; those of a folder by name
    #[default]
    Given,
    /// By what is sharp in them
    Focus,
}

/// How frames are laid on top of each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlignOptions {
    /// How the pose of a frame is found.
    pub method: AlignMethod,
    /// The report of an earlier run whose alignment is used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse: Option<PathBuf>,
    /// In which order the frames are.
    pub sort: Sort,
    /// Whether local contrast is lifted before key points are looked for.
    pub clahe: bool,
    /// What a pose may do.
    pub model: Model,
    /// Which frame the others are laid upon.
    pub reference: Reference,
    /// Whether brightness and colour are matched to the reference.
    pub match_exposure: bool,
    /// The largest believable shift between a frame and the reference, as a
    /// share of the frame's width.
    pub max_shift: f64,
    /// The largest believable change of size, as a share.
    pub max_scale: f64,
    /// The largest believable turn, in degrees.
    pub max_rotation: f64,
}

impl Default for AlignOptions {
    fn default() -> Self {
        Self {
            method: AlignMethod::Auto,
            reuse: None,
            sort: Sort::Given,
            clahe: false,
            model: Model::Auto,
            reference: Reference::Auto,
            match_exposure: true,
            max_shift: 0.25,
            max_scale: 0.5,
            max_rotation: 20.0,
        }
    }
}

/// How aligned frames become one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FuseOptions {
    /// The way of fusing.
    pub method: Method,
    /// Levels of the pyramid; `None` goes down to about 16 pixels.
    pub levels: Option<usize>,
    /// Whether the result is cut to the area that every used frame covers.
    pub crop: bool,
    /// Which of two depths wins where both are sharp.
    pub prefer: Prefer,
    /// Whether the result is held within the range of values that its sources
    /// show nearby.
    pub clamp: bool,
    /// How softly frames give way to each other, 0 to 100.
    pub smoothness: u8,
    /// How strong noise is taken to be, in percent of what is measured, 0 to
    /// 400. Hybrid and depth map heed it.
    pub noise_strength: u16,
    /// Whether what moved between frames is taken from the reference.
    pub ghost_check: bool,
    /// Whether the blur of near things is taken off what lies behind them, and
    /// which end of the stack is nearest. Hybrid heeds it.
    pub unveil: Unveil,
}

impl Default for FuseOptions {
    fn default() -> Self {
        Self {
            method: Method::default(),
            levels: None,
            crop: true,
            prefer: Prefer::Auto,
            clamp: true,
            smoothness: SMOOTHNESS,
            noise_strength: 100,
            ghost_check: false,
            unveil: Unveil::Auto,
        }
    }
}

/// How the result is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputOptions {
    /// Bits per sample, 8 or 16; JPEG always has 8.
    pub bits: u8,
    /// Compression of a TIFF.
    pub compression: Compression,
    /// Quality of a JPEG, 1 to 100.
    pub quality: u8,
    /// Whether files that exist may be replaced.
    pub overwrite: bool,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self {
            bits: 16,
            compression: Compression::Deflate,
            quality: 95,
            overwrite: false,
        }
    }
}

/// What a job may use of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Where the pixels are worked on.
    pub device: Device,
    /// Worker threads; `None` is one per processor core.
    pub threads: Option<usize>,
    /// Bytes of memory the job may use; `None` is most of what is free.
    pub memory: Option<u64>,
    /// Bytes of an OpenCL device's own memory the job may use; `None` is all
    /// that it has.
    pub device_memory: Option<u64>,
    /// Photographs on their way to an OpenCL device at a time; `None` is
    /// [`Lanes::USUAL`](crate::core::fuse::Lanes::USUAL).
    pub lanes: Option<usize>,
    /// The largest photographs that are opened.
    pub limits: Limits,
}

/// Everything about one run of the main job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StackOptions {
    /// How frames are aligned.
    pub align: AlignOptions,
    /// How they are fused.
    pub fuse: FuseOptions,
    /// What is done to the picture afterwards.
    pub finish: Finish,
    /// How the result is written.
    pub output: OutputOptions,
    /// What may be used of the machine.
    pub resources: Resources,
    /// Where the result goes; `None` puts `<folder>-stacked.tif` beside the
    /// input folder.
    pub out: Option<PathBuf>,
    /// Where the depth map goes, if anywhere.
    pub depth_map: Option<PathBuf>,
    /// Where the map of how sure the depth is goes, if anywhere.
    pub confidence: Option<PathBuf>,
    /// Where the surface goes, if anywhere.
    pub surface: Option<PathBuf>,
    /// How far the last frame lies behind the first in the surface, in pixels
    /// of the picture; `None` is a fifth of its longer side.
    pub surface_depth: Option<f64>,
    /// Where the report goes, if anywhere.
    pub report: Option<PathBuf>,
}

impl StackOptions {
    /// Every file that was asked for by its name.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`](crate::Error::Usage) if the surface has an extension
    /// that is none of a surface.
    pub fn outputs(&self) -> Result<Vec<PathBuf>> {
        let plain = [&self.out, &self.depth_map, &self.confidence, &self.report];
        let mut outputs: Vec<PathBuf> = plain.into_iter().flatten().cloned().collect();
        if let Some(surface) = &self.surface {
            outputs.extend(photo::surface_files(surface)?);
        }
        Ok(outputs)
    }
}
