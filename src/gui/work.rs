//! The jobs of the window: handlers, with what the window keeps of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::viewer::{Kind, Picture};
use crate::core::finish::Finish;
use crate::core::sharpness::GRID;
use crate::core::thumbnail::Rgba;
use crate::core::warp::warp;
use crate::handlers::alignment::{self, Aligned};
use crate::handlers::import::Entry;
use crate::handlers::{AlignOptions, Job, Report, StackOptions, export, file, stacking, thumbnail};
use crate::photo::{self, Limits, Photo};
use crate::{Error, Result};

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
    /// The picture, in 16 bits, finished.
    pub picture: Arc<Photo>,
    /// The same before that.
    unfinished: Arc<Photo>,
    origins: Origins,
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

/// Where the pixels of a result come from.
#[derive(Clone)]
struct Origins {
    /// The corner of the reference that it begins at.
    corner: (i32, i32),
    /// For each pixel the number of its frame.
    index: Arc<[u16]>,
    /// The names of the frames.
    names: Arc<[String]>,
}

impl Made {
    /// How the picture was finished.
    pub fn finish(&self) -> Finish {
        self.report.options.finish
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

    let origins = Origins {
        corner: (area.x as i32, area.y as i32),
        index: stacked.index.into(),
        names,
    };
    job.check()?;
    let map = Rgba::of_index(&origins.index, area.width, area.height, count);
    let (width, height) = (area.width as u32, area.height as u32);
    let depth = Picture::new(
        format!("{title}, depth map"),
        Kind::DepthMap,
        width,
        height,
        map.data,
    )?;
    let unfinished = Arc::new(stacked.picture);
    let made = Made {
        picture: Arc::clone(&unfinished),
        shown: origins.shown(title, &unfinished)?,
        small: Rgba::of(&unfinished).reduced(SMALL),
        unfinished,
        depth: origins.told(depth)?,
        origins,
        report: Arc::new(Report {
            options: StackOptions {
                finish: Finish::default(),
                ..options.clone()
            },
            ..report
        }),
    };
    finished(&made, options.finish, job)
}

impl Origins {
    /// A result's picture for the screen.
    fn shown(&self, title: &str, photo: &Photo) -> Result<Picture> {
        if photo.metadata.icc.is_none() {
            return self.told(Picture::of_photo(title, Kind::Result, photo)?);
        }
        let mut converted = photo.clone();
        thumbnail::to_srgb(&mut converted);
        self.told(Picture::of_photo(title, Kind::Result, &converted)?)
    }

    /// A picture that tells where its pixels come from.
    fn told(&self, picture: Picture) -> Result<Picture> {
        let (x, y) = self.corner;
        picture
            .with_origin(x, y)
            .with_sources(Arc::clone(&self.index), Arc::clone(&self.names))
    }
}

/// A result with its picture finished in this way; nothing is fused for it.
///
/// # Errors
///
/// If the job is cancelled.
pub fn finished(made: &Made, steps: Finish, job: &Job) -> Result<Made> {
    if made.finish() == steps {
        return Ok(made.clone());
    }
    let picture = if steps.is_neutral() {
        Arc::clone(&made.unfinished)
    } else {
        let mut picture = Photo::clone(&made.unfinished);
        stacking::finished(&mut picture, &steps, job)?;
        Arc::new(picture)
    };
    job.check()?;
    let report = Report {
        options: StackOptions {
            finish: steps,
            ..made.report.options.clone()
        },
        ..Report::clone(&made.report)
    };
    Ok(Made {
        shown: made.origins.shown(made.shown.name(), &picture)?,
        small: Rgba::of(&picture).reduced(SMALL),
        picture,
        unfinished: Arc::clone(&made.unfinished),
        depth: made.depth.clone(),
        origins: made.origins.clone(),
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

/// Opens a file or folder with the system's program for it.
///
/// # Errors
///
/// If there is none, or it fails.
pub fn open(path: &Path) -> Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(target_os = "windows") {
        "explorer"
    } else {
        "xdg-open"
    };
    let failed = |why: String| {
        Error::file(
            path,
            format!("cannot be opened with {program} ({why})"),
            "open it from your file manager",
        )
    };
    let status = std::process::Command::new(program)
        .arg(path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .map_err(|fault| failed(fault.to_string()))?;
    // Windows' explorer always says 1.
    if status.success() || cfg!(target_os = "windows") {
        Ok(())
    } else {
        Err(failed(status.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{DemoStack, SceneOptions};
    use crate::handlers::import;
    use crate::photo::{Encoding, Samples};

    #[test]
    fn a_result_is_finished_anew_from_what_was_fused() {
        let folder = tempfile::tempdir().unwrap();
        let demo = DemoStack::new(&SceneOptions {
            width: 120,
            height: 80,
            frames: 3,
            ..SceneOptions::default()
        });
        let frames = folder.path().join("frames");
        std::fs::create_dir(&frames).unwrap();
        for index in 0..3 {
            let path = frames.join(format!("{index}.tif"));
            let encoding = Encoding::default();
            photo::write(&path, &demo.frame(index, 16), &encoding, false, &|| true).unwrap();
        }
        let options = StackOptions {
            finish: Finish {
                saturation: -100,
                ..Finish::default()
            },
            ..StackOptions::default()
        };
        let key = Key {
            entries: import::list(&[frames]).unwrap(),
            align: options.align.clone(),
            limits: Limits::default(),
        };
        let job = Job::silent();
        let kept = align(key, &options, &job).unwrap();
        let grey = fuse(&kept, "one", &options, &job, &|_| ()).unwrap();
        let is_grey = |made: &Made| match &made.picture.samples {
            Samples::Sixteen(samples) => {
                let mut pixels = samples.as_chunks::<3>().0.iter();
                pixels.all(|[r, g, b]| r.abs_diff(*g) < 2 && g.abs_diff(*b) < 2)
            }
            Samples::Eight(_) => false,
        };
        assert!(is_grey(&grey));
        assert_eq!(grey.finish(), options.finish);
        // No frame is needed any more.
        std::fs::remove_dir_all(folder.path()).unwrap();
        let plain = finished(&grey, Finish::default(), &job).unwrap();
        assert!(!is_grey(&plain));
        assert_eq!(plain.finish(), Finish::default());
        let again = finished(&plain, options.finish, &job).unwrap();
        assert_eq!(again.picture, grey.picture);
        job.cancel();
        let stopped = finished(&plain, options.finish, &job);
        assert_eq!(stopped.err(), Some(Error::Cancelled));
    }
}
