//! The jobs of the window: handlers, with what the window keeps of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::store::Full;
use super::viewer::{Extent, Kind, Picture, Sight};
use crate::Result;
use crate::core::Transform;
use crate::core::sharpness::GRID;
use crate::core::thumbnail::Rgba;
use crate::core::warp::{Area, Exposure, Warped, warp};
use crate::handlers::alignment::{self, Aligned, Fuser};
use crate::handlers::import::Entry;
use crate::handlers::opening::Opening;
use crate::handlers::{
    AlignOptions, Job, Report, StackOptions, export, file, stacking, thumbnail, watch,
};
use crate::photo::{self, Limits, Photo};

/// Pixels on the longer side of a result's small picture.
pub const SMALL: u32 = 240;

/// Frames whose poses are known, to be fused again and again.
pub struct Kept {
    /// What they were aligned from.
    pub key: Key,
    /// How each frame in use lies on the reference; known also while the
    /// frames are being fused.
    places: HashMap<PathBuf, Place>,
    /// The size of all frames.
    size: Extent,
    aligned: Mutex<Aligned>,
}

/// How a frame lies on the reference, and how its exposure is matched.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    pose: Transform,
    exposure: Exposure,
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
#[derive(Debug, Clone)]
pub struct Made {
    /// The pixels.
    pub full: Arc<Full>,
    /// The picture for the screen, finished.
    pub shown: Picture,
    /// The same again, small.
    pub small: Rgba,
    /// What was done.
    pub report: Arc<Report>,
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

    /// Whether it is known how this frame lies on the reference.
    pub fn knows(&self, path: &Path) -> bool {
        self.places.contains_key(path)
    }

    /// Lets go of the frames that a device holds, which nobody fuses any more.
    pub fn let_go(&self) {
        self.aligned().held = None;
    }

    /// How many frames lie on the reference.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// The size of the frames.
    pub fn size(&self) -> Extent {
        self.size
    }

    /// Writes the frames as they lie on the reference into `folder`.
    ///
    /// # Errors
    ///
    /// As [`alignment::write`].
    pub fn write(&self, folder: &Path, options: &StackOptions, job: &Job) -> Result<Report> {
        let aligned = self.aligned();
        let inputs: Vec<PathBuf> = self.places.keys().cloned().collect();
        alignment::write(&aligned, &inputs, folder, options, job)
    }

    fn aligned(&self) -> std::sync::MutexGuard<'_, Aligned> {
        // Poses stay poses when fusing them fails.
        self.aligned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds how the frames of `key` lie on each other. If they are to be fused next, a
/// device may hold them until then: see [`Kept::let_go`].
///
/// # Errors
///
/// If the device that is asked for is missing, which fusing them would find out
/// later, and as [`alignment::analyse`].
pub fn align(key: Key, then_fuse: bool, options: &StackOptions, job: &Job) -> Result<Arc<Kept>> {
    let inputs: Vec<PathBuf> = key.entries.iter().map(|entry| entry.path.clone()).collect();
    // Ready for those who fuse the frames next.
    let opening = Opening::begin(options.resources.device)?;
    let stack = file::gather(&inputs, &options.resources.limits, job)?;
    let fuser = Fuser {
        opening: &opening,
        is_watched: true,
    };
    let fuser = then_fuse.then_some(fuser);
    let aligned = alignment::analyse_for(fuser, stack, options, job)?;
    let places = aligned.used().into_iter().map(|(i, pose)| {
        let exposure = aligned.exposures[i];
        let path = aligned.stack.frames[i].path.clone();
        (path, Place { pose, exposure })
    });
    Ok(Arc::new(Kept {
        key,
        places: places.collect(),
        size: Extent {
            width: aligned.stack.width as u32,
            height: aligned.stack.height as u32,
        },
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
    let area = aligned.area(options.fuse.crop)?;
    let longer = aligned.stack.width.max(aligned.stack.height);
    let whole = Extent {
        width: area.width as u32,
        height: area.height as u32,
    };
    let sight = Sight {
        whole,
        halvings: watch::halvings(longer),
        left: 0,
        top: 0,
        part: whole,
    };
    let look = |mut photo: Photo| {
        photo.metadata.icc = icc.clone();
        thumbnail::to_srgb(&mut photo);
        let part = Extent {
            width: photo.width as u32,
            height: photo.height as u32,
        };
        // In the place of the result, so that the view stays where it is.
        let growing = Picture::of_photo(title, Kind::Preview, &photo)
            .and_then(|picture| picture.as_part(Sight { part, ..sight }))
            .map(|picture| picture.with_origin(area.x as i32, area.y as i32));
        if let Ok(picture) = growing {
            watch(picture);
        }
    };
    let stacked = stacking::fuse_aligned(&mut aligned, options, job, Some(&look))?;
    let area = stacked.area;
    let report = export::report(&aligned, options, area, None, &stacked.device, job);
    let frames = &aligned.stack.frames;
    let names: Arc<[String]> = frames.iter().map(|frame| name(&frame.path)).collect();
    drop(aligned);
    job.check()?;
    let full = Full {
        picture: stacked.picture,
        index: stacked.index.into(),
        depth: stacked.depth.into(),
        area,
        names,
    };
    let shown = full.shown(title, &options.finish, job)?;
    Ok(Made {
        small: shown.small(SMALL),
        shown,
        full: Arc::new(full),
        report: Arc::new(report),
    })
}

/// Reads a photograph for the viewer: as it lies on the reference if `kept`
/// knows that.
///
/// # Errors
///
/// As [`photo::read`].
pub fn frame(path: &Path, limits: &Limits, kept: Option<&Kept>) -> Result<Picture> {
    let mut photo = photo::read(path, limits)?;
    if let Some((place, size)) = kept.and_then(|kept| Some((kept.places.get(path)?, kept.size))) {
        let icc = photo.metadata.icc.take();
        let area = Area {
            x: 0,
            y: 0,
            width: size.width as usize,
            height: size.height as usize,
        };
        photo = laid(warp(&photo, &place.pose, area, &place.exposure), icc);
    }
    thumbnail::to_srgb(&mut photo);
    Picture::of_photo(name(path), Kind::Frame, &photo)
}

/// A picture with its scores, if there are any.
///
/// # Errors
///
/// As [`Picture::with_scores`].
pub fn scored(picture: Picture, cells: &[f64]) -> Result<Picture> {
    if cells.len() == GRID * GRID {
        picture.with_scores(GRID, cells)
    } else {
        Ok(picture)
    }
}

/// As [`frame`], but only what `sight` says of it, which takes less time and
/// memory. All of it, if the photograph has another size than was thought.
///
/// # Errors
///
/// As [`photo::read`].
pub fn part(path: &Path, limits: &Limits, kept: Option<&Kept>, sight: Sight) -> Result<Picture> {
    let probe = photo::probe(path, limits)?;
    let Extent { width, height } = sight.whole;
    if (probe.width, probe.height) != (width as usize, height as usize) {
        return frame(path, limits, kept);
    }
    let size = sight.halved();
    let (width, height) = (size.width as usize, size.height as usize);
    let photo = if sight.halvings == 0 {
        photo::read(path, limits)?
    } else {
        let mut photo = photo::read_reduced(path, limits, width.max(height))?;
        let icc = photo.metadata.icc.take();
        let mut small = Rgba::of(&photo);
        while small.width > width {
            small = small.halved();
        }
        let mut small = small.into_photo();
        small.metadata.icc = icc;
        small
    };
    if (photo.width, photo.height) != (width, height) {
        return frame(path, limits, kept);
    }
    let place = kept.and_then(|kept| kept.places.get(path));
    let place = place.copied().unwrap_or_default();
    let area = Area {
        x: sight.left as usize,
        y: sight.top as usize,
        width: sight.part.width as usize,
        height: sight.part.height as usize,
    };
    let pose = match sight.halvings {
        0 => place.pose,
        halvings => place.pose.reduced(f64::from(1u32 << halvings)),
    };
    let icc = photo.metadata.icc.clone();
    let mut part = laid(warp(&photo, &pose, area, &place.exposure), icc);
    thumbnail::to_srgb(&mut part);
    Picture::of_photo(name(path), Kind::Frame, &part)?.as_part(sight)
}

/// A warped frame as a photograph.
fn laid(warped: Warped, icc: Option<Vec<u8>>) -> Photo {
    let alpha = warped
        .mask
        .map(|mask| mask.data.iter().map(|&share| export::byte(share)).collect());
    let mut photo = export::picture(warped.channels.into(), alpha);
    photo.metadata.icc = icc;
    photo
}

/// A file's name without its folder.
pub fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::finish::Finish;
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
        let kept = align(key, true, &options, &job).unwrap();
        let grey = fuse(&kept, "one", &options, &job, &|_| ()).unwrap();
        let is_grey = |picture: &Photo| match &picture.samples {
            Samples::Sixteen(samples) => {
                let mut pixels = samples.as_chunks::<3>().0.iter();
                pixels.all(|[r, g, b]| r.abs_diff(*g) < 2 && g.abs_diff(*b) < 2)
            }
            Samples::Eight(_) => false,
        };
        let shown = grey.shown.read(60, 40).unwrap().rgb.unwrap();
        assert!(shown.iter().all(|value| value.abs_diff(shown[0]) < 2));
        // No frame is needed any more.
        std::fs::remove_dir_all(folder.path()).unwrap();
        let plain = grey.full.finished(&Finish::default(), &job).unwrap();
        assert!(!is_grey(&plain));
        let again = grey.full.finished(&options.finish, &job).unwrap();
        assert!(is_grey(&again));
        job.cancel();
        let stopped = grey.full.finished(&options.finish, &job);
        assert_eq!(stopped.err(), Some(crate::Error::Cancelled));
    }
}
