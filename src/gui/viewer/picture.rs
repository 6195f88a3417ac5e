//! What the viewer shows.

use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::geometry::Extent;
use super::level::{Level, divide_alpha};
use crate::core::thumbnail::Rgba;
use crate::photo::{Photo, Samples};
use crate::{Error, Result};

/// What a picture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One photograph of the stack.
    Frame,
    /// A stacked picture.
    Result,
    /// From which frame, so how far away, each pixel of a result is.
    DepthMap,
    /// A small picture of a result that is not finished: shown smooth where
    /// it is enlarged.
    Preview,
}

/// Decoded pixels for display with what is known about them. Clones share the
/// pixels.
#[derive(Clone)]
pub struct Picture {
    id: u64,
    name: Arc<str>,
    kind: Kind,
    origin: (i32, i32),
    whole: Extent,
    sight: Option<Sight>,
    pixels: Arc<Level>,
    sources: Option<Sources>,
    scores: Option<Scores>,
}

/// A part of a picture, and how finely it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The size of all of the picture, in its own pixels.
    pub whole: Extent,
    /// How often it is halved.
    pub halvings: u32,
    /// The left edge of the part, in pixels of the halved picture.
    pub left: u32,
    /// Its top edge.
    pub top: u32,
    /// Its size.
    pub part: Extent,
}

impl Sight {
    /// The size of all of the picture after halving.
    pub fn halved(&self) -> Extent {
        let side = |side: u32| side.div_ceil(1 << self.halvings);
        Extent {
            width: side(self.whole.width),
            height: side(self.whole.height),
        }
    }
}

/// Which frame each pixel of a result came from.
#[derive(Clone)]
struct Sources {
    index: Arc<[u16]>,
    names: Arc<[String]>,
}

/// How sharp each cell of a picture is.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Cells across and down.
    pub grid: usize,
    /// `grid * grid` shares of the sharpest cell, 0 to 1, row by row.
    pub shares: Arc<[f32]>,
}

/// What one pixel of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Red, green and blue, 0 to 255; `None` where the picture shows nothing.
    pub rgb: Option<[u8; 3]>,
    /// The frame it came from, where that is known.
    pub frame: Option<&'a str>,
}

impl Picture {
    /// A picture of `width * height * 4` bytes, red, green, blue and alpha,
    /// 0 to 255, encoded as sRGB, row after row. Takes a moment for large
    /// pictures: not for the thread that draws.
    ///
    /// # Errors
    ///
    /// If `rgba` has another length or there is no pixel.
    pub fn new(
        name: impl Into<Arc<str>>,
        kind: Kind,
        width: u32,
        height: u32,
        rgba: Vec<u8>,
    ) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = name.into();
        let extent = Extent { width, height };
        let bytes = u64::from(width) * u64::from(height) * 4;
        if extent.is_empty() || rgba.len() as u64 != bytes {
            return Err(Error::job(
                format!("“{name}” has not the pixels that it should have"),
                "open the folder again",
            ));
        }
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            kind,
            origin: (0, 0),
            whole: extent,
            sight: None,
            pixels: Arc::new(Level::new(extent, rgba)),
            sources: None,
            scores: None,
        })
    }

    /// The same pixels as the part of a larger picture that `sight` says; the
    /// rest shows nothing.
    ///
    /// # Errors
    ///
    /// If the part has another size.
    pub fn as_part(mut self, sight: Sight) -> Result<Self> {
        if self.pixels.extent != sight.part {
            return Err(Error::job(
                format!("a part of “{}” has another size", self.name),
                "open the folder again",
            ));
        }
        self.whole = sight.whole;
        self.sight = Some(sight);
        Ok(self)
    }

    /// The picture of a photograph, whose samples are taken as sRGB (see
    /// [`crate::photo::Metadata`] for its profile). Takes a moment for large
    /// photographs: not for the thread that draws.
    ///
    /// # Errors
    ///
    /// If the photograph has no pixels or is wider or higher than `u32::MAX`.
    pub fn of_photo(name: impl Into<Arc<str>>, kind: Kind, photo: &Photo) -> Result<Self> {
        let name = name.into();
        let side = |side: usize| u32::try_from(side).unwrap_or(0);
        let alpha = |row: usize| {
            let alpha = photo.alpha.as_deref();
            alpha.map(|alpha| &alpha[row * photo.width..(row + 1) * photo.width])
        };
        let mut rgba = vec![255; photo.pixels() * 4];
        let rows = rgba.par_chunks_mut(photo.width.max(1) * 4).enumerate();
        let length = photo.width * 3;
        rows.for_each(|(y, row)| {
            match &photo.samples {
                Samples::Eight(samples) => {
                    let rgb = samples[y * length..(y + 1) * length].chunks_exact(3);
                    for (pixel, rgb) in row.chunks_exact_mut(4).zip(rgb) {
                        pixel[..3].copy_from_slice(rgb);
                    }
                }
                Samples::Sixteen(samples) => {
                    let rgb = samples[y * length..(y + 1) * length].chunks_exact(3);
                    for (pixel, rgb) in row.chunks_exact_mut(4).zip(rgb) {
                        for (byte, &sample) in pixel.iter_mut().zip(rgb) {
                            *byte = ((u32::from(sample) + 128) / 257) as u8;
                        }
                    }
                }
            }
            for (pixel, &alpha) in row.chunks_exact_mut(4).zip(alpha(y).unwrap_or_default()) {
                pixel[3] = alpha;
            }
        });
        Self::new(name, kind, side(photo.width), side(photo.height), rgba)
    }

    /// The same picture, whose top left pixel lies at (`x`, `y`) of the
    /// reference frame: two pictures with origins are compared place by place.
    pub fn with_origin(mut self, x: i32, y: i32) -> Self {
        self.origin = (x, y);
        self
    }

    /// The same picture that knows which frame each pixel came from:
    /// `index[y * width + x]` counts in `names`.
    ///
    /// # Errors
    ///
    /// If `index` has not one value for each pixel.
    pub fn with_sources(
        mut self,
        index: impl Into<Arc<[u16]>>,
        names: impl Into<Arc<[String]>>,
    ) -> Result<Self> {
        let (index, names) = (index.into(), names.into());
        if index.len() * 4 != self.pixels.rgba.len() || self.sight.is_some() {
            return Err(Error::job(
                format!("the frame map of “{}” has another size", self.name),
                "stack again",
            ));
        }
        self.sources = Some(Sources { index, names });
        Ok(self)
    }

    /// The same picture with `grid * grid` scores of sharpness, 0 and more,
    /// row by row, for the heat map.
    ///
    /// # Errors
    ///
    /// If there is another number of scores.
    pub fn with_scores(mut self, grid: usize, scores: &[f64]) -> Result<Self> {
        if grid == 0 || scores.len() != grid * grid {
            return Err(Error::job(
                format!("the sharpness of “{}” is incomplete", self.name),
                "measure the sharpness again",
            ));
        }
        let best = scores.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let shares = scores
            .iter()
            .map(|score| (score / best).clamp(0.0, 1.0) as f32);
        self.scores = Some(Scores {
            grid,
            shares: shares.collect(),
        });
        Ok(self)
    }

    /// A number that no other picture has, but clones have.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it is called in the window.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The size of all of it.
    pub fn extent(&self) -> Extent {
        self.whole
    }

    /// The part of it that is there; `None` if that is all.
    pub fn sight(&self) -> Option<Sight> {
        self.sight
    }

    /// The bytes that it takes, with those of its halves.
    pub fn bytes(&self) -> u64 {
        let sources = self.sources.as_ref().map_or(0, |s| s.index.len() * 2);
        (self.pixels.rgba.len() / 3 * 4 + sources) as u64
    }

    /// Where its top left pixel lies in the reference frame.
    pub fn origin(&self) -> (i32, i32) {
        self.origin
    }

    /// Its sharpness, if that was given.
    pub fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// All of it that is there with no more than `side` pixels on the longer
    /// side. Takes a moment: not for the thread that draws.
    pub fn small(&self, side: u32) -> Rgba {
        let mut level = &*self.pixels;
        while level.extent.width.max(level.extent.height) >= 2 * side.max(1)
            && let Some(half) = level.half()
        {
            level = half;
        }
        let mut data = level.rgba.clone();
        if !level.opaque {
            data.chunks_exact_mut(4).for_each(divide_alpha);
        }
        let small = Rgba {
            width: level.extent.width as usize,
            height: level.extent.height as usize,
            data,
        };
        small.reduced(side as usize)
    }

    /// Its pixels.
    pub(super) fn level(&self) -> &Level {
        &self.pixels
    }

    /// What the pixel in column `x` of row `y` says; `None` where it is not
    /// there in full size.
    pub fn read(&self, x: u32, y: u32) -> Option<Reading<'_>> {
        let (x, y) = match self.sight {
            None => (x, y),
            Some(sight) if sight.halvings == 0 => {
                (x.checked_sub(sight.left)?, y.checked_sub(sight.top)?)
            }
            Some(_) => return None,
        };
        let Extent { width, height } = self.pixels.extent;
        if x >= width || y >= height {
            return None;
        }
        let at = y as usize * width as usize + x as usize;
        let mut pixel = [0; 4];
        pixel.copy_from_slice(&self.pixels.rgba[at * 4..at * 4 + 4]);
        divide_alpha(&mut pixel);
        let [red, green, blue, alpha] = pixel;
        let frame = self
            .sources
            .as_ref()
            .filter(|_| alpha > 0)
            .and_then(|sources| {
                let name = sources.names.get(usize::from(sources.index[at]))?;
                Some(name.as_str())
            });
        Some(Reading {
            rgb: (alpha > 0).then_some([red, green, blue]),
            frame,
        })
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Extent { width, height } = self.extent();
        write!(f, "{:?} “{}” {width} × {height}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_become_pictures_of_8_bits() {
        let photo = Photo {
            width: 2,
            height: 1,
            samples: Samples::Sixteen(vec![0, 128, 129, 65535, 32768, 257]),
            alpha: Some(vec![255, 0]),
            ..Photo::default()
        };
        let picture = Picture::of_photo("a", Kind::Frame, &photo).expect("a picture");
        let reading = picture.read(0, 0).expect("a pixel");
        assert_eq!(reading.rgb, Some([0, 0, 1]));
        assert_eq!(picture.read(1, 0).expect("a pixel").rgb, None);
        assert_eq!(picture.read(2, 0), None);

        let photo = Photo {
            width: 1,
            height: 2,
            samples: Samples::Eight(vec![1, 2, 3, 4, 5, 6]),
            ..Photo::default()
        };
        let picture = Picture::of_photo("b", Kind::Frame, &photo).expect("a picture");
        assert_eq!(picture.read(0, 1).expect("a pixel").rgb, Some([4, 5, 6]));
    }

    #[test]
    fn a_small_picture_shows_the_same() {
        let rgba = (0..1000 * 600u32).flat_map(|i| {
            let bright = if i % 1000 < 500 { 40 } else { 200 };
            [bright, 100, 0, if i < 300 * 1000 { 255 } else { 128 }]
        });
        let picture = Picture::new("p", Kind::Result, 1000, 600, rgba.collect()).unwrap();
        let small = picture.small(100);
        assert_eq!((small.width, small.height), (100, 60));
        let at = |x: usize, y: usize| &small.data[(y * 100 + x) * 4..][..4];
        assert_eq!(at(20, 10), [40, 100, 0, 255]);
        assert_eq!(at(80, 10), [200, 100, 0, 255]);
        assert_eq!(at(80, 50)[3], 128);
        assert!(at(80, 50)[0].abs_diff(200) < 3);
    }

    #[test]
    fn wrong_sizes_are_errors() {
        assert!(Picture::new("a", Kind::Frame, 2, 2, vec![0; 15]).is_err());
        assert!(Picture::new("a", Kind::Frame, 0, 2, Vec::new()).is_err());
        assert!(Picture::of_photo("a", Kind::Frame, &Photo::default()).is_err());
        let picture = Picture::new("a", Kind::Result, 1, 1, vec![255; 4]).expect("a picture");
        assert!(picture.clone().with_sources(vec![0, 0], vec![]).is_err());
        assert!(picture.with_scores(2, &[1.0]).is_err());
    }

    #[test]
    fn a_result_tells_the_frame_of_a_pixel() {
        let picture = Picture::new("r", Kind::Result, 3, 1, vec![255; 12])
            .and_then(|picture| {
                let names = vec!["one.jpg".to_owned(), "two.jpg".to_owned()];
                picture.with_sources(vec![1, 0, 7], names)
            })
            .expect("a picture");
        let frames = [0, 1, 2].map(|x| picture.read(x, 0).expect("a pixel").frame);
        assert_eq!(frames, [Some("two.jpg"), Some("one.jpg"), None]);
    }

    #[test]
    fn scores_become_shares_of_the_best() {
        let picture = Picture::new("f", Kind::Frame, 1, 1, vec![255; 4])
            .and_then(|picture| picture.with_scores(2, &[0.0, 5.0, 10.0, 2.5]))
            .expect("a picture");
        let shares = &picture.scores().expect("scores").shares;
        assert_eq!(shares[..], [0.0, 0.5, 1.0, 0.25]);
    }
}
