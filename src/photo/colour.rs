//! Colour profiles: from what a file holds to RGB, and from one RGB to another.

use std::sync::{Arc, OnceLock};

use moxcms::{CmsError, ColorProfile, Layout, TransformExecutor, TransformOptions};
use rayon::prelude::*;

use crate::{Error, Result};

use super::{Photo, Samples};

/// Converts the samples of `photo` from its own profile to `to`, where `None`
/// stands for sRGB on either side, and makes `to` its profile. Answers whether
/// any sample was touched: profiles that mean the same colours, to within half
/// an 8-bit step, leave them alone.
///
/// # Errors
///
/// If either profile cannot be used for RGB.
pub fn convert(photo: &mut Photo, to: Option<&[u8]>) -> Result<bool> {
    if photo.metadata.icc.as_deref() == to {
        return Ok(false);
    }
    let source = profile(photo.metadata.icc.as_deref())?;
    let target = profile(to)?;
    let changes = !same_colours(&source, &target).map_err(unusable)?;
    if changes {
        match &mut photo.samples {
            Samples::Eight(samples) => convert_samples(samples, &source, &target),
            Samples::Sixteen(samples) => convert_samples(samples, &source, &target),
        }
        .map_err(unusable)?;
    }
    photo.metadata.icc = to.map(<[u8]>::to_vec);
    // It named the colours of before.
    photo.metadata.exif.remove(::exif::Tag::ColorSpace);
    Ok(changes)
}

/// The profile of Adobe RGB (1998), for files that only name it: the same for all of
/// them, though profiles tell when they were made.
pub(super) fn adobe_rgb() -> Option<Vec<u8>> {
    static PROFILE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let profile = PROFILE.get_or_init(|| ColorProfile::new_adobe_rgb().encode().ok());
    profile.clone()
}

/// The colour space of a profile's samples, such as `RGB `, by its header
/// (ICC.1:2022, 7.2.6).
pub(super) fn space(icc: &[u8]) -> Option<[u8; 4]> {
    icc.get(16..20)?.try_into().ok()
}

/// Puts grey samples, each of them three times in `rgb`, through their grey
/// profile into sRGB. A profile that cannot be used is passed over.
pub(super) fn from_grey(rgb: &mut Samples, icc: &[u8]) {
    match rgb {
        Samples::Eight(samples) => through_grey_table(samples, icc, (0..=u8::MAX).collect()),
        Samples::Sixteen(samples) => through_grey_table(samples, icc, (0..=u16::MAX).collect()),
    }
}

fn through_grey_table<T: Sample>(rgb: &mut [T], icc: &[u8], levels: Vec<T>) {
    let srgb = ColorProfile::new_srgb();
    let mut table = vec![T::default(); levels.len() * 3];
    let built = ColorProfile::new_from_slice(icc)
        .and_then(|grey| T::transform(&grey, Layout::Gray, &srgb))
        .and_then(|transform| transform.transform(&levels, &mut table));
    if built.is_ok() {
        let table = table.as_chunks::<3>().0;
        let pixels = rgb.as_chunks_mut::<3>().0;
        pixels
            .par_iter_mut()
            .with_min_len(1 << 16)
            .for_each(|pixel| *pixel = table[pixel[0].into() as usize]);
    }
}

/// Ink as RGB. `ink` is cyan, magenta, yellow, black, where 0 is no ink. With a
/// profile that can be used the result is sRGB; without one each ink takes away
/// its share of light.
pub(super) fn from_cmyk<T: Sample>(ink: &[T], icc: Option<&[u8]>) -> Vec<T> {
    let srgb = ColorProfile::new_srgb();
    let transform = icc
        .filter(|icc| space(icc) == Some(*b"CMYK"))
        .and_then(|icc| ColorProfile::new_from_slice(icc).ok())
        .and_then(|cmyk| T::transform(&cmyk, Layout::Rgba, &srgb).ok());
    let mut rgb = vec![T::default(); ink.len() / 4 * 3];
    rgb.par_chunks_mut(RUN * 3)
        .zip(ink.par_chunks(RUN * 4))
        .for_each(|(rgb, ink)| {
            let done = transform
                .as_ref()
                .map(|transform| transform.transform(ink, rgb));
            if !matches!(done, Some(Ok(()))) {
                for (rgb, ink) in rgb
                    .as_chunks_mut::<3>()
                    .0
                    .iter_mut()
                    .zip(ink.as_chunks::<4>().0)
                {
                    *rgb = [0, 1, 2].map(|i| T::light(ink[i], ink[3]));
                }
            }
        });
    rgb
}

/// Pixels that are transformed in one call.
const RUN: usize = 1 << 14;

fn convert_samples<T: Sample>(
    samples: &mut [T],
    source: &ColorProfile,
    target: &ColorProfile,
) -> Result<(), CmsError> {
    let transform = T::transform(source, Layout::Rgb, target)?;
    samples
        .par_chunks_mut(RUN * 3)
        .try_for_each_init(Vec::new, |before, run| {
            before.clear();
            before.extend_from_slice(run);
            transform.transform(before, run)
        })
}

/// Whether two profiles give the same colours, tried on a lattice of them.
fn same_colours(a: &ColorProfile, b: &ColorProfile) -> Result<bool, CmsError> {
    const STEPS: u16 = 9;
    let level = |step: u16| step * (u16::MAX / (STEPS - 1));
    let mut lattice = Vec::new();
    for red in 0..STEPS {
        for green in 0..STEPS {
            for blue in 0..STEPS {
                lattice.extend([red, green, blue].map(level));
            }
        }
    }
    let mut converted = vec![0; lattice.len()];
    u16::transform(a, Layout::Rgb, b)?.transform(&lattice, &mut converted)?;
    let half_a_step = u16::MAX / 255 / 2;
    Ok(lattice
        .iter()
        .zip(&converted)
        .all(|(a, b)| a.abs_diff(*b) <= half_a_step))
}

fn profile(icc: Option<&[u8]>) -> Result<ColorProfile> {
    icc.map_or_else(
        || Ok(ColorProfile::new_srgb()),
        ColorProfile::new_from_slice,
    )
    .map_err(unusable)
}

fn unusable(error: CmsError) -> Error {
    Error::job(
        format!("a colour profile cannot be used ({error})"),
        "convert the photographs to sRGB first",
    )
}

type Transform<T> = Arc<dyn TransformExecutor<T> + Send + Sync>;

/// A sample that moxcms transforms.
pub(super) trait Sample: Copy + Default + Send + Sync + Into<u32> + 'static {
    /// A transform from `layout` to RGB.
    fn transform(
        from: &ColorProfile,
        layout: Layout,
        to: &ColorProfile,
    ) -> Result<Transform<Self>, CmsError>;

    /// What is left of the light under an amount of coloured and of black ink.
    fn light(ink: Self, black: Self) -> Self;
}

impl Sample for u8 {
    fn transform(
        from: &ColorProfile,
        layout: Layout,
        to: &ColorProfile,
    ) -> Result<Transform<Self>, CmsError> {
        from.create_transform_8bit(layout, to, Layout::Rgb, TransformOptions::default())
    }

    fn light(ink: Self, black: Self) -> Self {
        ((u32::from(!ink) * u32::from(!black) + 127) / 255) as u8
    }
}

impl Sample for u16 {
    fn transform(
        from: &ColorProfile,
        layout: Layout,
        to: &ColorProfile,
    ) -> Result<Transform<Self>, CmsError> {
        // Fixed point keeps 13 bits, which is less than there are.
        let options = TransformOptions {
            prefer_fixed_point: false,
            ..TransformOptions::default()
        };
        from.create_transform_16bit(layout, to, Layout::Rgb, options)
    }

    fn light(ink: Self, black: Self) -> Self {
        ((u64::from(!ink) * u64::from(!black) + 32767) / 65535) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::Metadata;

    fn photo(samples: Samples, profile: Option<ColorProfile>) -> Photo {
        Photo {
            width: 2,
            height: 1,
            samples,
            alpha: None,
            metadata: Metadata {
                icc: profile.map(|profile| profile.encode().unwrap()),
                ..Metadata::default()
            },
        }
    }

    #[test]
    fn adobe_green_becomes_the_greenest_green() {
        let mut eight = photo(
            Samples::Eight(vec![100, 200, 50, 128, 128, 128]),
            Some(ColorProfile::new_adobe_rgb()),
        );
        assert!(convert(&mut eight, None).unwrap());
        assert_eq!(eight.metadata.icc, None);
        // By the definitions of the two: Adobe (100, 200, 50) lies outside
        // sRGB in red; grey stays grey.
        let Samples::Eight(samples) = &eight.samples else {
            panic!()
        };
        assert_eq!(samples[0], 0);
        assert!(samples[1].abs_diff(202) <= 2, "{samples:?}");
        assert!(
            samples[3..].iter().all(|value| value.abs_diff(128) <= 2),
            "{samples:?}"
        );
    }

    #[test]
    fn there_and_back_in_sixteen_bits_is_close() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let before = vec![20000, 30000, 40000, 51, 12345, 65535];
        let mut sixteen = photo(Samples::Sixteen(before.clone()), None);
        assert!(convert(&mut sixteen, Some(&p3)).unwrap());
        assert_ne!(sixteen.samples, Samples::Sixteen(before.clone()));
        assert_eq!(sixteen.metadata.icc, Some(p3));
        assert!(convert(&mut sixteen, None).unwrap());
        let Samples::Sixteen(after) = &sixteen.samples else {
            panic!()
        };
        for (a, b) in before.iter().zip(after) {
            assert!(a.abs_diff(*b) < 32, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_profile_that_is_named_is_the_same_at_any_time() {
        let early = adobe_rgb().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1100));
        assert_eq!(adobe_rgb().unwrap(), early);
    }

    #[test]
    fn equal_profiles_leave_samples_alone() {
        let samples = Samples::Eight(vec![1, 2, 3, 250, 251, 252]);
        let mut tagged = photo(samples.clone(), Some(ColorProfile::new_srgb()));
        assert!(!convert(&mut tagged, None).unwrap());
        assert_eq!((tagged.samples, tagged.metadata.icc), (samples, None));
    }

    #[test]
    fn a_broken_profile_is_an_error() {
        let mut broken = photo(Samples::Eight(vec![0; 6]), None);
        broken.metadata.icc = Some(vec![7; 200]);
        assert!(matches!(convert(&mut broken, None), Err(Error::Job { .. })));
    }

    #[test]
    fn a_grey_profile_bends_the_greys() {
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let mut samples = Samples::Eight(vec![0, 0, 0, 55, 55, 55, 255, 255, 255]);
        from_grey(&mut samples, &linear);
        let Samples::Eight(samples) = samples else {
            panic!()
        };
        assert_eq!(samples[..3], [0; 3]);
        // 55/255 of the light is 128/255 in sRGB.
        assert!(samples[3].abs_diff(128) <= 2, "{samples:?}");
        assert_eq!(samples[6..], [255; 3]);
    }

    #[test]
    fn ink_takes_light_away() {
        let ink = [0u8, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 51, 0, 0];
        assert_eq!(
            from_cmyk(&ink, None),
            [255, 255, 255, 0, 255, 255, 0, 0, 0, 255, 204, 255]
        );
        assert_eq!(from_cmyk(&[0u16, 65535, 0, 0], None), [65535, 0, 65535]);
    }
}
