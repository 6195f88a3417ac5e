//! What is kept of a frame to compare it with others.

use std::sync::OnceLock;

use super::features::{Detector, Features};
use super::level::spots;
use super::pair::SMALLEST;
use super::texture::Texture;
use crate::core::Transform;
use crate::core::grey::{self, Grey, GreyPyramid};
use crate::photo::Photo;

/// Structure is looked at from the largest level on that has no more pixels.
const PIXELS: usize = 2_000_000;
/// Less contrast than this, in shares of full scale, is noise or nothing.
const FLAT: f64 = 0.002;

/// A frame's luminance at all sizes, and its key points once they are asked for.
#[derive(Debug)]
pub struct View {
    pyramid: GreyPyramid,
    /// Its levels softened, as windows are compared.
    softened: Vec<Grey>,
    /// How often the largest level is halved whose structure is looked at.
    first: usize,
    /// The structure of that level and those above it.
    textures: Vec<Texture>,
    clahe: bool,
    features: OnceLock<Option<Features>>,
}

impl View {
    /// The view of a frame of this luminance. `clahe` lifts local contrast before
    /// key points are looked for.
    pub fn new(pyramid: GreyPyramid, clahe: bool) -> Self {
        let levels = pyramid.levels();
        let is_small = |level: &Grey| level.width * level.height <= PIXELS;
        let first = levels.iter().position(is_small);
        let first = first.unwrap_or(levels.len() - 1);
        Self {
            first: first + pyramid.halvings() as usize,
            textures: levels[first..].iter().map(Texture::of).collect(),
            softened: levels.iter().map(Grey::softened).collect(),
            pyramid,
            clahe,
            features: OnceLock::new(),
        }
    }

    /// The same of a photograph, at its own size and all below.
    pub fn of(photo: &Photo, clahe: bool) -> Self {
        let size = (photo.width, photo.height);
        Self::new(GreyPyramid::of(photo, size, 0, SMALLEST), clahe)
    }

    /// Its luminance in linear light.
    pub fn pyramid(&self) -> &GreyPyramid {
        &self.pyramid
    }

    /// The levels of that softened, largest first.
    pub fn softened(&self) -> &[Grey] {
        &self.softened
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.pyramid.size()
    }

    /// The places, in pixels of the full size, that are best worth comparing
    /// at a level, about `count`, where `pose` puts `moving` on this frame.
    pub fn spots(
        &self,
        moving: &Self,
        level: usize,
        pose: &Transform,
        count: usize,
    ) -> Vec<[f64; 2]> {
        // Structure of the largest levels is mostly noise.
        let level = level.max(self.first);
        let factor = f64::from(1u32 << level);
        let (own, other) = (level - self.first, level - moving.first);
        let (own, other) = (&self.textures[own], &moving.textures[other]);
        spots(own, other, &pose.reduced(factor), count)
            .into_iter()
            .map(|at| at.map(|v| (v + 0.5) * factor - 0.5))
            .collect()
    }

    /// Its key points, found when they are first asked for; `None` where
    /// OpenCV cannot find any. A view is asked for one kind only.
    pub fn features(&self, detector: Detector) -> Option<&Features> {
        let found = self.features.get_or_init(|| {
            let found = Features::of(&self.pyramid, detector, self.clahe);
            found
                .inspect_err(|fault| tracing::warn!("{detector:?} failed: {fault}"))
                .ok()
        });
        found.as_ref()
    }

    /// Whether there is nothing to be seen in it, such as with a lens cap on.
    pub fn is_flat(&self) -> bool {
        let smallest = self.pyramid.levels().last();
        smallest.is_none_or(|level| {
            let n = level.data.len().max(1) as f64;
            let mean = level.data.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let off = |&v: &u16| (f64::from(v) - mean).powi(2);
            let spread = level.data.iter().map(off).sum::<f64>() / n;
            spread.sqrt() < FLAT * 65535.0
        })
    }
}

impl Drop for View {
    /// The next one is as large.
    fn drop(&mut self) {
        self.pyramid.keep();
        grey::keep(std::mem::take(&mut self.softened));
    }
}
