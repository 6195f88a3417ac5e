//! The pixels of results: the newest in memory, others in files that nobody
//! else sees and that are gone with the window.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::viewer::{Kind, Picture};
use crate::core::finish::Finish;
use crate::core::thumbnail::Rgba;
use crate::core::warp::Area;
use crate::handlers::{Job, export, stacking, thumbnail};
use crate::photo::{Photo, Samples};
use crate::{Error, Result};

/// The most bytes of results that stay in memory, besides the newest one.
pub const LIMIT: u64 = 768 << 20;

/// Everything of a result that is as large as its picture.
#[derive(Debug, Clone)]
pub struct Full {
    /// The picture as it was fused, in 16 bits.
    pub picture: Photo,
    /// For each of its pixels the number of the frame it came from most.
    pub index: Arc<[u16]>,
    /// For each of its pixels the depth in frames from the first.
    pub depth: Arc<[f32]>,
    /// The part of the reference that it shows.
    pub area: Area,
    /// The names of the frames.
    pub names: Arc<[String]>,
}

impl Full {
    /// The bytes that it takes.
    pub fn bytes(&self) -> u64 {
        let pixels = self.picture.pixels() as u64;
        pixels * (6 + 2 + 4 + u64::from(self.picture.alpha.is_some()))
    }

    /// The picture with these steps applied. Takes a moment: not for the thread
    /// that draws.
    ///
    /// # Errors
    ///
    /// If the job is cancelled.
    pub fn finished(&self, steps: &Finish, job: &Job) -> Result<Cow<'_, Photo>> {
        if steps.is_neutral() {
            return Ok(Cow::Borrowed(&self.picture));
        }
        let mut picture = self.picture.clone();
        stacking::finished(&mut picture, steps, job)?;
        Ok(Cow::Owned(picture))
    }

    /// The picture for the screen, with these steps applied.
    ///
    /// # Errors
    ///
    /// If it is larger than any screen can show, and if the job is cancelled.
    pub fn shown(&self, title: &str, steps: &Finish, job: &Job) -> Result<Picture> {
        let mut finished = self.finished(steps, job)?;
        if finished.metadata.icc.is_some() {
            thumbnail::to_srgb(finished.to_mut());
        }
        self.placed(Picture::of_photo(title, Kind::Result, &finished)?)
    }

    /// At which depth each pixel lies, for the screen.
    ///
    /// # Errors
    ///
    /// As [`Self::shown`].
    pub fn depth_map(&self, title: &str) -> Result<Picture> {
        let Area { width, height, .. } = self.area;
        let map = Rgba::of_depth(&self.depth, width, height, self.names.len());
        self.placed(Picture::new(
            format!("{title}, depth map"),
            Kind::DepthMap,
            width as u32,
            height as u32,
            map.data,
        )?)
    }

    fn placed(&self, picture: Picture) -> Result<Picture> {
        picture
            .with_origin(self.area.x as i32, self.area.y as i32)
            .with_sources(Arc::clone(&self.index), Arc::clone(&self.names))
    }
}

/// The pixels of a result, wherever they are. Clones share them.
#[derive(Debug, Clone)]
pub enum Stored {
    /// Here.
    Memory(Arc<Full>),
    /// In a file.
    Disk(Arc<Spilled>),
}

impl Stored {
    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Memory(full) => full.bytes(),
            Self::Disk(_) => 0,
        }
    }

    /// The pixels. Takes a moment if they are in a file: not for the thread
    /// that draws.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn load(&self) -> Result<Arc<Full>> {
        match self {
            Self::Memory(full) => Ok(Arc::clone(full)),
            Self::Disk(spilled) => spilled.load().map(Arc::new),
        }
    }
}

/// A result whose pixels are in a file without a name, which the system
/// removes when nobody has it open, however the program ends.
#[derive(Debug)]
pub struct Spilled {
    /// All but pixels.
    head: Full,
    has_alpha: bool,
    file: Mutex<File>,
}

impl Spilled {
    /// Writes the pixels of a result into a file in `folder`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written or is full.
    pub fn write(full: &Full, folder: &Path) -> Result<Self> {
        let failed = |fault: &dyn std::fmt::Display| {
            Error::file(
                folder,
                format!("results cannot be put here ({fault}), so they stay in memory"),
                "make room on the disk, or export and discard results that you do not need",
            )
        };
        let Samples::Sixteen(samples) = &full.picture.samples else {
            return Err(failed(&"it is not of 16 bits"));
        };
        export::make_folder(folder)?;
        let write = || -> std::io::Result<File> {
            let mut file = tempfile::tempfile_in(folder)?;
            file.write_all(bytemuck::cast_slice(samples))?;
            file.write_all(bytemuck::cast_slice(&full.index))?;
            file.write_all(bytemuck::cast_slice(&full.depth))?;
            file.write_all(full.picture.alpha.as_deref().unwrap_or_default())?;
            Ok(file)
        };
        let file = write().map_err(|fault| failed(&fault))?;
        Ok(Self {
            head: Full {
                picture: Photo {
                    width: full.picture.width,
                    height: full.picture.height,
                    metadata: full.picture.metadata.clone(),
                    ..Photo::default()
                },
                index: Arc::from([]),
                depth: Arc::from([]),
                area: full.area,
                names: Arc::clone(&full.names),
            },
            has_alpha: full.picture.alpha.is_some(),
            file: Mutex::new(file),
        })
    }

    fn load(&self) -> Result<Full> {
        let pixels = self.head.picture.pixels();
        let mut samples = vec![0u16; pixels * 3];
        let mut index = vec![0u16; pixels];
        let mut depth = vec![0f32; pixels];
        let mut alpha = self.has_alpha.then(|| vec![0; pixels]);
        let mut read = || -> std::io::Result<()> {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(0))?;
            file.read_exact(bytemuck::cast_slice_mut(&mut samples))?;
            file.read_exact(bytemuck::cast_slice_mut(&mut index))?;
            file.read_exact(bytemuck::cast_slice_mut(&mut depth))?;
            alpha
                .as_mut()
                .map_or(Ok(()), |alpha| file.read_exact(alpha))
        };
        read().map_err(|fault| {
            Error::job(
                format!("the result cannot be read back from the cache folder ({fault})"),
                "stack again",
            )
        })?;
        Ok(Full {
            picture: Photo {
                samples: Samples::Sixteen(samples),
                alpha,
                ..self.head.picture.clone()
            },
            index: index.into(),
            depth: depth.into(),
            ..self.head.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(alpha: Option<Vec<u8>>) -> Full {
        let (width, height) = (30usize, 20usize);
        let pixels = width * height;
        Full {
            picture: Photo {
                width,
                height,
                samples: Samples::Sixteen((0..pixels * 3).map(|i| (i * 31) as u16).collect()),
                alpha,
                ..Photo::default()
            },
            index: (0..pixels).map(|i| (i % 2) as u16).collect(),
            depth: (0..pixels).map(|i| (i % 2) as f32).collect(),
            area: Area {
                x: 4,
                y: 5,
                width,
                height,
            },
            names: vec!["a.tif".to_owned(), "b.tif".to_owned()].into(),
        }
    }

    #[test]
    fn what_was_put_into_a_file_comes_back_to_the_last_bit_and_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("results");
        for alpha in [None, Some((0..600).map(|i| (i % 256) as u8).collect())] {
            let full = result(alpha);
            let spilled = Stored::Disk(Arc::new(Spilled::write(&full, &place).unwrap()));
            assert_eq!(spilled.bytes(), 0);
            for _ in 0..2 {
                let back = spilled.load().unwrap();
                assert_eq!(back.picture, full.picture);
                assert_eq!(back.index, full.index);
                assert_eq!(back.depth, full.depth);
                assert_eq!((back.area, &back.names), (full.area, &full.names));
            }
        }
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let fault = Spilled::write(&result(None), &file.join("results")).unwrap_err();
        assert!(fault.to_string().contains("file"), "{fault}");
    }

    #[test]
    fn pixels_tell_their_frame_and_their_place() {
        let full = result(None);
        let shown = full.shown("r", &Finish::default(), &Job::silent()).unwrap();
        assert_eq!(shown.origin(), (4, 5));
        assert_eq!(shown.read(1, 0).unwrap().frame, Some("b.tif"));
        let depth = full.depth_map("r").unwrap();
        assert_eq!(depth.name(), "r, depth map");
        assert_eq!(depth.read(1, 0).unwrap().rgb, Some([255; 3]));
        assert_eq!(depth.read(0, 0).unwrap().rgb, Some([0; 3]));
    }
}
