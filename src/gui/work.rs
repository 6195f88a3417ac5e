//! The jobs of the window: handlers, with what the window keeps of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::viewer::{Kind, Picture};
use crate::Result;
use crate::core::sharpness::GRID;
use crate::core::thumbnail::Rgba;
use crate::core::warp::warp;
use crate::handlers::alignment::{self, Aligned};
use crate::handlers::import::Entry;
use crate::handlers::{AlignOptions, Job, Report, StackOptions, export, file, stacking, thumbnail};
use crate::photo::{self, Limits, Photo};

/// Pixels on the longer side of a result's small picture.
const SMALL: usize = 240;

/// Frames whose poses are known, to be fused again and again.
pub struct Kept {
    /// What they were aligned from.
    pub key: Key,
    aligned: Mutex<Aligned>,
}

/// What an alignment depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The frames, as they were.
    pub entries: Vec<Entry>,
    /// How they were aligned.
    pub align: AlignOptions,
    /// What may be opened.
    pub limits: Limits,
}

/// What comes of stacking.
#[derive(Clone)]
pub struct Made {
    /// The picture, in 16 bits.
    pub picture: Arc<Photo>,
    /// The same for the screen.
    pub shown: Picture,
    /// Which frame each pixel came from.
    pub depth: Picture,
    /// The same again, small.
    pub small: Rgba,
    /// What was done.
    pub report: Arc<Report>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made {:?}", self.shown)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept {} frames", self.key.entries.len())
    }
}

impl Kept {
    /// What is known of the frames.
    pub fn report(&self, options: &StackOptions, job: &Job) -> Result<Report> {
        let aligned = self.aligned();
        let area = aligned.area(false)?;
        Ok(export::report(&aligned, options, area, None, "cpu", job))
    }

    /// A frame as it lies on the reference, for the screen; `None` if it has
    /// no pose.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn frame(&self, path: &Path, limits: &Limits) -> Result<Option<Picture>> {
        let (pose, exposure, area) = {
            let aligned = self.aligned();
            let place = aligned
                .stack
                .frames
                .iter()
                .position(|frame| frame.path == path);
            let Some(place) = place else {
                return Ok(None);
            };
            let Some(pose) = &aligned.poses[place] else {
                return Ok(None);
            };
            (
                pose.transform,
                aligned.exposures[place],
                aligned.area(false)?,
            )
        };
        let mut photo = photo::read(path, limits)?;
        thumbnail::to_srgb(&mut photo);
        let warped = warp(&photo, &pose, area, &exposure);
        let alpha = warped
            .mask
            .map(|mask| mask.data.iter().map(|&share| export::byte(share)).collect());
        let laid = export::picture(&warped.channels, alpha);
        Picture::of_photo(name(path), Kind::Frame, &laid).map(Some)
    }

    fn aligned(&self) -> std::sync::MutexGuard<'_, Aligned> {
        // Poses stay poses when fusing them fails.
        self.aligned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds how the frames of `key` lie on each other.
///
/// # Errors
///
/// As [`alignment::analyse`].
pub fn align(key: Key, options: &StackOptions, job: &Job) -> Result<Arc<Kept>> {
    let inputs: Vec<PathBuf> = key.entries.iter().map(|entry| entry.path.clone()).collect();
    let stack = file::gather(&inputs, &options.resources.limits, job)?;
    let aligned = alignment::analyse(stack, options, job)?;
    Ok(Arc::new(Kept {
        key,
        aligned: Mutex::new(aligned),
    }))
}

/// Fuses frames whose poses are known; `watch` gets the growing picture.
///
/// # Errors
///
/// As [`stacking::fuse_aligned`].
pub fn fuse(
    kept: &Kept,
    title: &str,
    options: &StackOptions,
    job: &Job,
    watch: &(dyn Fn(Picture) + Sync),
) -> Result<Made> {
    let mut aligned = kept.aligned();
    let icc = aligned.frames.metadata.icc.clone();
    let look = |mut photo: Photo| {
        photo.metadata.icc = icc.clone();
        thumbnail::to_srgb(&mut photo);
        if let Ok(picture) = Picture::of_photo(title, Kind::Preview, &photo) {
            watch(picture);
        }
    };
    let stacked = stacking::fuse_aligned(&mut aligned, options, job, Some(&look))?;
    let area = stacked.area;
    let report = export::report(&aligned, options, area, None, &stacked.device, job);
    let frames = &aligned.stack.frames;
    let names: Arc<[String]> = frames.iter().map(|frame| name(&frame.path)).collect();
    let count = frames.len();
    drop(aligned);

    let index: Arc<[u16]> = stacked.index.into();
    let (x, y) = (area.x as i32, area.y as i32);
    let shown = {
        let mut converted;
        let photo = if stacked.picture.metadata.icc.is_none() {
            &stacked.picture
        } else {
            converted = stacked.picture.clone();
            thumbnail::to_srgb(&mut converted);
            &converted
        };
        Picture::of_photo(title, Kind::Result, photo)?
            .with_origin(x, y)
            .with_sources(Arc::clone(&index), Arc::clone(&names))?
    };
    job.check()?;
    let map = Rgba::of_depth(&stacked.depth, area.width, area.height, count);
    let (width, height) = (area.width as u32, area.height as u32);
    let depth = Picture::new(
        format!("{title}, depth map"),
        Kind::DepthMap,
        width,
        height,
        map.data,
    )?
    .with_origin(x, y)
    .with_sources(index, names)?;
    Ok(Made {
        small: Rgba::of(&stacked.picture).reduced(SMALL),
        picture: Arc::new(stacked.picture),
        shown,
        depth,
        report: Arc::new(report),
    })
}

/// Reads a photograph for the viewer, with its scores if they are known.
///
/// # Errors
///
/// As [`photo::read`].
pub fn frame(path: &Path, limits: &Limits, cells: &[f64]) -> Result<Picture> {
    let mut photo = photo::read(path, limits)?;
    thumbnail::to_srgb(&mut photo);
    let picture = Picture::of_photo(name(path), Kind::Frame, &photo)?;
    if cells.len() == GRID * GRID {
        picture.with_scores(GRID, cells)
    } else {
        Ok(picture)
    }
}

/// A file's name without its folder.
pub fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
