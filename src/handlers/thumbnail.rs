//! Photographs at a glance: small pictures, and scores of sharpness, kept in
//! the cache.

use serde::{Deserialize, Serialize};
use std::path::Path;

use super::cache::Cache;
use super::sharpness::FrameSharpness;
use crate::Result;
use crate::core::sharpness::{GRID, Sharpness, WORKING_SIDE};
use crate::core::thumbnail::Rgba;
use crate::photo::{self, Limits, Photo};

/// Pixels on the longer side of a thumbnail.
pub const SIDE: usize = 400;

/// Of the JPEG that is kept of it.
const QUALITY: u8 = 88;

/// Changes whenever what is kept would no longer be what is made.
const THUMBNAIL: &str = "thumbnail 400 v1";
const SCORE: &str = "sharpness 16 v2";

/// A photograph at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    /// The picture, in sRGB.
    pub picture: Rgba,
    /// What is known of the photograph.
    pub facts: Facts,
}

/// What a library tells of a photograph.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Pixels in a row, upright.
    pub width: usize,
    /// Rows, upright.
    pub height: usize,
    /// When it was taken, such that later moments compare greater; `None`
    /// where the file does not tell.
    pub taken: Option<String>,
}

/// Makes a thumbnail, or takes it from the cache.
///
/// # Errors
///
/// As [`photo::read`].
pub fn thumbnail(path: &Path, limits: &Limits, cache: &Cache) -> Result<Thumbnail> {
    if let Some(kept) = cache.get(THUMBNAIL, path).and_then(|bytes| unpack(&bytes)) {
        return Ok(kept);
    }
    let probe = photo::probe(path, limits)?;
    let mut reduced = photo::read_reduced(path, limits, SIDE)?;
    to_srgb(&mut reduced);
    let thumbnail = Thumbnail {
        picture: Rgba::of(&reduced).reduced(SIDE),
        facts: Facts {
            width: probe.width,
            height: probe.height,
            taken: probe.capture_time.map(|time| time.to_string()),
        },
    };
    if let Some(bytes) = pack(&thumbnail) {
        cache.put(THUMBNAIL, path, &bytes);
    }
    Ok(thumbnail)
}

/// Scores a photograph's sharpness, or takes the scores from the cache.
///
/// # Errors
///
/// As [`photo::read`].
pub fn score(path: &Path, limits: &Limits, cache: &Cache) -> Result<FrameSharpness> {
    let kept = cache.get(SCORE, path);
    if let Some(kept) = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(FrameSharpness {
            path: path.to_owned(),
            ..kept
        });
    }
    let photo = photo::read_reduced(path, limits, WORKING_SIDE)?;
    let sharpness = Sharpness::of(&photo, GRID);
    let score = FrameSharpness {
        path: path.to_owned(),
        score: Some(sharpness.score()),
        cells: sharpness.scores(),
        reason: None,
    };
    if let Ok(text) = serde_json::to_vec(&score) {
        cache.put(SCORE, path, &text);
    }
    Ok(score)
}

/// Converts a photograph for a screen. A profile that cannot be used is no
/// reason to show nothing: its values are then taken as sRGB.
pub fn to_srgb(photo: &mut Photo) {
    if let Err(fault) = photo::convert(photo, None) {
        tracing::info!("shown without its colour profile: {fault}");
    }
}

/// A line of facts, then a JPEG.
fn pack(thumbnail: &Thumbnail) -> Option<Vec<u8>> {
    let picture = thumbnail.picture.clone().into_photo();
    if picture.alpha.is_some() {
        return None;
    }
    let mut bytes = serde_json::to_vec(&thumbnail.facts).ok()?;
    bytes.push(b'\n');
    bytes.extend(photo::jpeg(&picture, QUALITY).ok()?);
    Some(bytes)
}

fn unpack(bytes: &[u8]) -> Option<Thumbnail> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let facts = serde_json::from_slice(&bytes[..end]).ok()?;
    let image = image::load_from_memory_with_format(&bytes[end + 1..], image::ImageFormat::Jpeg);
    let image = image.ok()?.into_rgba8();
    let (width, height) = image.dimensions();
    Some(Thumbnail {
        picture: Rgba {
            width: width as usize,
            height: height as usize,
            data: image.into_raw(),
        },
        facts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Encoding, Format, Samples};

    fn written(folder: &Path, name: &str, format: Format) -> std::path::PathBuf {
        let (width, height) = (1600usize, 1000usize);
        let value = |i: usize| (i % width * 255 / width) as u8;
        let photo = Photo {
            width,
            height,
            samples: Samples::Eight(
                (0..width * height)
                    .flat_map(|i| [value(i), 90, 40])
                    .collect(),
            ),
            ..Photo::default()
        };
        let path = folder.join(name);
        let encoding = Encoding {
            format,
            bits: 8,
            ..Encoding::default()
        };
        photo::write(&path, &photo, &encoding, false, &|| true).unwrap();
        path
    }

    #[test]
    fn a_reduced_decode_shows_what_a_full_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let thumbnails = [("a.jpg", Format::Jpeg), ("a.png", Format::Png)].map(|(name, format)| {
            let path = written(folder.path(), name, format);
            thumbnail(&path, &Limits::default(), &Cache::none()).unwrap()
        });
        for made in &thumbnails {
            assert_eq!((made.picture.width, made.picture.height), (400, 250));
            assert_eq!((made.facts.width, made.facts.height), (1600, 1000));
        }
        let apart = thumbnails[0]
            .picture
            .data
            .iter()
            .zip(&thumbnails[1].picture.data)
            .map(|(&a, &b)| a.abs_diff(b))
            .max();
        assert!(apart.unwrap() <= 6, "{apart:?}");
    }

    #[test]
    fn the_second_time_it_comes_from_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "a.jpg", Format::Jpeg);
        let cache = Cache::new(folder.path().join("cache"), 1 << 20);
        let limits = Limits::default();
        let first = thumbnail(&path, &limits, &cache).unwrap();
        let scored = score(&path, &limits, &cache).unwrap();
        assert!(cache.size() > 1000);
        // A limit that no photograph passes: what comes now was kept.
        let none = Limits { max_pixels: 1 };
        assert!(thumbnail(&path, &none, &Cache::none()).is_err());
        let second = thumbnail(&path, &none, &cache).unwrap();
        assert_eq!(second.facts, first.facts);
        assert_eq!(second.picture.width, first.picture.width);
        let kept = score(&path, &none, &cache).unwrap();
        assert_eq!(kept.cells.len(), GRID * GRID);
        for (kept, scored) in kept.cells.iter().zip(&scored.cells) {
            // JSON may change the last digit.
            assert!((kept - scored).abs() < 1e-9, "{kept} {scored}");
        }
    }
}
