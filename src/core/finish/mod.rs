//! What is done to the finished picture, if the user wants it: denoise,
//! brightness, contrast, saturation, sharpen, in this order.
//!
//! Every step works on 16 bits, leaves alpha alone, and is off at 0. Noise and
//! edges are judged in the encoding of the file, in which the noise of photons
//! is about equally strong in light and dark, and in which the eye judges tones;
//! colour is mixed in linear light, where luminance is a weighted sum.

mod brightness;
mod contrast;
mod denoise;
mod noise;
mod saturation;
mod sharpen;
mod tile;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::KeepGoing;
use super::keep_going::check;
use crate::Result;
use crate::photo::{Photo, Samples};

/// How strong each step is; 0 leaves the picture as it is. Values beyond the
/// range count as its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Finish {
    /// How much of the noise goes, 0 to 100. 50 removes about all that is
    /// estimated to be noise and keeps what stands out from it.
    pub denoise: u8,
    /// How much the finest detail is raised, 0 to 100.
    pub sharpen: u8,
    /// Lifts (to 100) or lowers (to -100) the middle tones; black and white
    /// stay.
    pub brightness: i8,
    /// Steepens (to 100) or flattens (to -100) tones about the middle; black
    /// and white stay.
    pub contrast: i8,
    /// From grey (-100) to twice the colour (100); luminance stays.
    pub saturation: i8,
}

impl Finish {
    /// Whether it changes nothing.
    pub fn is_neutral(&self) -> bool {
        *self == Self::default()
    }
}

/// Applies the steps to a picture, which has 16 bits afterwards; without a step
/// it stays as it is, to the bit.
///
/// # Errors
///
/// [`Error::Cancelled`] once `keep_going` says no; the picture is then of no
/// use.
pub fn finish(photo: &mut Photo, steps: &Finish, keep_going: KeepGoing) -> Result<()> {
    if steps.is_neutral() || photo.pixels() == 0 {
        return Ok(());
    }
    let mut samples = match std::mem::take(&mut photo.samples) {
        Samples::Eight(samples) => samples.into_iter().map(|v| u16::from(v) * 257).collect(),
        Samples::Sixteen(samples) => samples,
    };
    let (width, alpha) = (photo.width, photo.alpha.as_deref());
    check(keep_going)?;
    if steps.denoise > 0 {
        samples = denoise::denoise(&samples, alpha, width, steps.denoise, keep_going)?;
    }
    if steps.brightness != 0 {
        apply(&mut samples, |v| brightness::curve(v, steps.brightness));
        check(keep_going)?;
    }
    if steps.contrast != 0 {
        apply(&mut samples, |v| contrast::curve(v, steps.contrast));
        check(keep_going)?;
    }
    if steps.saturation != 0 {
        saturation::saturate(&mut samples, steps.saturation);
        check(keep_going)?;
    }
    if steps.sharpen > 0 {
        samples = sharpen::sharpen(&samples, alpha, width, steps.sharpen, keep_going)?;
    }
    photo.samples = Samples::Sixteen(samples);
    Ok(())
}

/// Changes each sample by a curve from and to shares of full scale.
fn apply(samples: &mut [u16], curve: impl Fn(f32) -> f32) {
    let table: Vec<u16> = (0..=u16::MAX).map(|v| level(curve(share(v)))).collect();
    samples
        .par_chunks_mut(1 << 16)
        .for_each(|chunk| chunk.iter_mut().for_each(|v| *v = table[usize::from(*v)]));
}

/// A level of 16 bits as a share of full scale.
fn share(level: u16) -> f32 {
    f32::from(level) / 65535.0
}

/// The level of 16 bits nearest to a share of full scale.
fn level(share: f32) -> u16 {
    (share * 65535.0 + 0.5).clamp(0.0, 65535.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::demo::Rng;

    fn photo() -> Photo {
        let (width, height) = (70, 50);
        let mut rng = Rng::new(4, 0);
        let mut value = |i: usize| {
            let tone = [20_000.0, 30_000.0, 25_000.0][i % 3];
            (tone + 900.0 * rng.normals()[0]) as u16
        };
        Photo {
            width,
            height,
            samples: Samples::Sixteen((0..width * height * 3).map(&mut value).collect()),
            alpha: Some((0..width * height).map(|i| (i % 7 * 40) as u8).collect()),
            ..Photo::default()
        }
    }

    #[test]
    fn without_a_step_every_bit_stays() {
        let mut finished = photo();
        finish(&mut finished, &Finish::default(), &|| true).unwrap();
        assert!(finished == photo());
    }

    #[test]
    fn every_step_changes_the_picture_and_none_its_alpha() {
        let steps = [
            Finish {
                denoise: 80,
                ..Finish::default()
            },
            Finish {
                sharpen: 80,
                ..Finish::default()
            },
            Finish {
                brightness: -30,
                ..Finish::default()
            },
            Finish {
                contrast: 30,
                ..Finish::default()
            },
            Finish {
                saturation: 100,
                ..Finish::default()
            },
        ];
        for steps in steps {
            let mut finished = photo();
            finish(&mut finished, &steps, &|| true).unwrap();
            assert!(finished.samples != photo().samples, "{steps:?}");
            assert!(finished.alpha == photo().alpha, "{steps:?}");
        }
    }

    #[test]
    fn it_stops_when_told_to() {
        let steps = Finish {
            denoise: 50,
            ..Finish::default()
        };
        let stopped = finish(&mut photo(), &steps, &|| false);
        assert_eq!(stopped, Err(Error::Cancelled));
    }

    #[test]
    fn any_size_is_finished() {
        let steps = Finish {
            denoise: 100,
            sharpen: 100,
            brightness: 100,
            contrast: 100,
            saturation: 100,
        };
        for (width, height) in [(1, 1), (2, 2), (3, 1), (1, 90), (300, 2), (513, 257)] {
            let mut flat = Photo {
                width,
                height,
                samples: Samples::Eight(vec![128; width * height * 3]),
                ..Photo::default()
            };
            finish(&mut flat, &steps, &|| true).unwrap();
            let Samples::Sixteen(samples) = &flat.samples else {
                panic!("not 16 bits");
            };
            assert_eq!(samples.len(), width * height * 3);
            let off = samples.iter().map(|v| v.abs_diff(samples[0])).max();
            assert!(off <= Some(1), "{width}×{height}: {off:?}");
        }
    }
}
