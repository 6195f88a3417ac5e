//! Finds how the frames of a stack lie on its reference, and writes them
//! aligned.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::file::{self, Stack};
use super::frames::{self, Frames};
use super::machine::Budget;
use super::{AlignOptions, FrameStatus, Job, Phase, Report, StackOptions, export};
use crate::core::Transform;
use crate::core::align::{self, Aligner, Bounds, Method, Pose, SMALLEST};
use crate::core::exposure::{Light, exposures};
use crate::core::ghost::{self, Look, Moved};
use crate::core::grey::{Grey, GreyPyramid};
use crate::core::noise::noise;
use crate::core::pipeline;
use crate::core::sharpness::{GRID, Sharpness};
use crate::core::warp::{Area, Exposure, warp_unless_stopped};
use crate::photo::{Encoding, Format, Photo};
use crate::{Error, Result};

/// Frames whose noise is measured: a camera's noise is the same in all of them,
/// but where nothing is in focus it shows best.
const LISTENED: usize = 7;
/// The report beside aligned frames.
const REPORT: &str = "report.json";
/// The least share of the reference that the frames must have in common.
const LEAST_COMMON: f64 = 0.05;

/// A stack whose frames are known: how each lies on the reference, how bright
/// and how sharp it is. Every list has one entry per frame of the stack.
#[derive(Debug)]
pub struct Aligned {
    /// The photographs, and who is left.
    pub stack: Stack,
    /// Reads them.
    pub frames: Frames,
    /// The frame whose geometry the result has.
    pub reference: usize,
    /// Where the frames in use lie.
    pub poses: Vec<Option<Pose>>,
    /// How their exposure is matched.
    pub exposures: Vec<Exposure>,
    /// Where they show something that moved.
    pub moved: Vec<Option<Moved>>,
    /// How sharp each is; `None` where that is not known (yet).
    pub sharpness: Vec<Option<f64>>,
    /// The noise of the quietest; see [`noise`](crate::core::noise::noise).
    pub noise: Option<f32>,
}

impl Aligned {
    /// The part of the reference that all frames in use cover, or all of it
    /// if `crop` is false.
    ///
    /// # Errors
    ///
    /// If they have next to nothing in common.
    pub fn area(&self, crop: bool) -> Result<Area> {
        let (width, height) = (self.stack.width, self.stack.height);
        let whole = Area {
            x: 0,
            y: 0,
            width,
            height,
        };
        if !crop {
            return Ok(whole);
        }
        let poses: Vec<Transform> = self.poses.iter().flatten().map(|p| p.transform).collect();
        let enough = |area: &Area| {
            (area.width * area.height) as f64 >= LEAST_COMMON * (width * height) as f64
        };
        align::common(&poses, width, height)
            .filter(enough)
            .ok_or_else(|| {
                Error::job(
                    "the frames hardly overlap",
                    "check that they show one scene, or use --no-crop",
                )
            })
    }

    /// The frames in use with their poses.
    pub fn used(&self) -> Vec<(usize, Transform)> {
        self.stack
            .used()
            .filter_map(|i| Some((i, self.poses[i].as_ref()?.transform)))
            .collect()
    }
}

/// Reads every frame once and finds its pose, exposure and sharpness. A frame
/// that cannot be read or does not lie on the others is marked as failed.
///
/// # Errors
///
/// If fewer than two of several frames are left, and if the job is cancelled.
pub fn analyse(stack: Stack, options: &StackOptions, job: &Job) -> Result<Aligned> {
    let wish = &options.align;
    let first = frames::reference(&stack, wish.reference)?;
    let frames = Frames::new(&stack, first, &options.resources)?;
    let count = stack.frames.len();
    let mut aligned = Aligned {
        frames,
        reference: first,
        poses: vec![None; count],
        exposures: vec![Exposure::default(); count],
        moved: vec![None; count],
        sharpness: vec![None; count],
        noise: None,
        stack,
    };
    let used: Vec<usize> = aligned.stack.used().collect();
    let is_too_small = aligned.stack.width.min(aligned.stack.height) < SMALLEST;
    let align = wish.method != Method::None && used.len() > 1;
    if align && is_too_small {
        job.warn(format!(
            "frames of {}×{} pixels are too small to be aligned; they are taken as they are",
            aligned.stack.width, aligned.stack.height
        ));
    }
    let align = align && !is_too_small;
    let match_exposure = wish.match_exposure && used.len() > 1;
    if !align && !match_exposure {
        used.iter()
            .for_each(|&i| aligned.poses[i] = Some(taken_as_it_is()));
        return Ok(aligned);
    }

    let (seen, looks, aligner) = look(&mut aligned, &used, align, options, job)?;
    frames::enough(&aligned.stack)?;
    place(&mut aligned, aligner.as_ref(), &seen, wish, job)?;
    frames::enough(&aligned.stack)?;
    if match_exposure {
        let (members, lights): (Vec<usize>, Vec<&Light>) = seen
            .iter()
            .filter(|(i, _)| aligned.poses[*i].is_some())
            .map(|(i, light)| (*i, light))
            .unzip();
        let poses: Vec<Transform> = members
            .iter()
            .filter_map(|&i| Some(aligned.poses[i].as_ref()?.transform))
            .collect();
        let reference = members
            .iter()
            .position(|&i| i == aligned.reference)
            .unwrap_or(0);
        for (i, exposure) in members
            .into_iter()
            .zip(exposures(&lights, &poses, reference))
        {
            aligned.exposures[i] = exposure;
        }
    }
    let poses = aligned.poses.iter();
    let poses: Vec<_> = poses.map(|pose| Some(pose.as_ref()?.transform)).collect();
    aligned.moved = ghost::find(&looks, &poses, aligned.reference);
    Ok(aligned)
}

/// The light of frames, each with its number.
type Lights = Vec<(usize, Light)>;
/// What is known of frames for finding what moved, one entry per frame.
type Looks = Vec<Option<Look>>;

/// Reads the frames: the light of each, what is needed to see what moved, and
/// an aligner that has seen them all if they are to be aligned.
fn look(
    aligned: &mut Aligned,
    used: &[usize],
    align: bool,
    options: &StackOptions,
    job: &Job,
) -> Result<(Lights, Looks, Option<Aligner>)> {
    let Aligned {
        stack,
        frames,
        sharpness,
        noise: quietest,
        ..
    } = aligned;
    let wish = &options.align;
    let mut aligner = align.then(|| Aligner::new(wish.model, bounds(wish, stack)));
    let mut seen = Vec::with_capacity(used.len());
    let mut looks: Looks = stack.frames.iter().map(|_| None).collect();
    let pixels = (stack.width * stack.height) as u64;
    let frame = frames::bytes(stack) + 8 * pixels;
    let budget = Budget::of(&options.resources);
    let lanes = pipeline::lanes(budget.for_frames(16 * pixels, frame, job)?, frame);
    job.begin(
        if align {
            Phase::Aligning
        } else {
            Phase::Scoring
        },
        used.len(),
    );
    let step = used.len().div_ceil(LISTENED);
    let paths: Vec<(usize, PathBuf, bool)> = used
        .iter()
        .enumerate()
        .map(|(k, &i)| (i, stack.frames[i].path.clone(), k % step == 0))
        .collect();
    pipeline::ordered(
        &paths,
        lanes,
        |(_, path, is_listened)| {
            let photo = frames.read(path, job)?;
            let noise = is_listened.then(|| noise(&photo)).flatten();
            let grey = Grey::of(&photo);
            let sharpness = Sharpness::of(&grey, GRID).score();
            let light = Light::of(&photo);
            let has_alpha = photo.alpha.is_some();
            drop(photo);
            let pyramid = GreyPyramid::new(grey.into_linear(), SMALLEST);
            // What a frame hides is nothing that moved.
            let look = Look::of(pyramid.levels()).filter(|_| !has_alpha);
            Ok((sharpness, noise, light, look, align.then_some(pyramid)))
        },
        |&(i, ..), result: Result<_>| {
            job.check()?;
            match result {
                Ok((score, noise, light, look, pyramid)) => {
                    sharpness[i] = Some(score);
                    *quietest = [*quietest, noise].into_iter().flatten().reduce(f32::min);
                    looks[i] = look;
                    seen.push((i, light));
                    if let (Some(aligner), Some(pyramid)) = (&mut aligner, pyramid) {
                        aligner.add(vec![(i, pyramid)]);
                    }
                }
                Err(fault) => frames::fail(stack, i, &fault, job)?,
            }
            job.step();
            Ok(())
        },
    )?;
    Ok((seen, looks, aligner))
}

/// Gives every frame that was seen its pose, or the reason why it has none.
fn place(
    aligned: &mut Aligned,
    aligner: Option<&Aligner>,
    seen: &[(usize, Light)],
    wish: &AlignOptions,
    job: &Job,
) -> Result<()> {
    let Some(aligner) = aligner else {
        for &(i, _) in seen {
            aligned.poses[i] = Some(taken_as_it_is());
        }
        aligned.reference = frames::reference(&aligned.stack, wish.reference)?;
        return Ok(());
    };
    let asked = match wish.reference {
        super::Reference::Auto => None,
        super::Reference::Frame(_) => Some(frames::reference(&aligned.stack, wish.reference)?),
    };
    let members: Vec<usize> = seen.iter().map(|&(i, _)| i).collect();
    let alignment = aligner.finish(&members, asked);
    aligned.reference = alignment.reference;
    if alignment.still {
        job.note("the frames lie on each other already; they are taken as they are");
    }
    for i in members {
        match &alignment.poses[i] {
            Ok(pose) => aligned.poses[i] = Some(pose.clone()),
            Err(reason) => {
                let fault = Error::file(
                    &aligned.stack.frames[i].path,
                    format!("could not be aligned: {reason}"),
                    "leave it out, or allow more with --max-shift, --max-scale, --max-rotation",
                );
                frames::fail(&mut aligned.stack, i, &fault, job)?;
            }
        }
    }
    Ok(())
}

fn bounds(wish: &AlignOptions, stack: &Stack) -> Bounds {
    Bounds {
        shift: wish.max_shift * stack.width as f64,
        scale: wish.max_scale,
        rotation: wish.max_rotation.to_radians(),
    }
}

fn taken_as_it_is() -> Pose {
    Pose {
        transform: Transform::IDENTITY,
        score: 1.0,
        bridged: false,
    }
}

/// Writes the aligned frames of a stack into `folder`, as 16-bit TIFF with
/// alpha where a frame shows nothing, and the report beside them.
///
/// # Errors
///
/// If the folder cannot be made or written, if a file in it exists and may not
/// be replaced, if fewer than two of several frames can be aligned, and if the
/// job is cancelled.
pub fn align(
    inputs: &[PathBuf],
    folder: &Path,
    options: &StackOptions,
    job: &Job,
) -> Result<Report> {
    let stack = file::gather(inputs, &options.resources.limits, job)?;
    prepare(&stack, inputs, folder, options.output.overwrite)?;
    let aligned = analyse(stack, options, job)?;
    write(&aligned, inputs, folder, options, job)
}

/// Writes the frames of `aligned` into `folder` as [`align`] does; `inputs`
/// are not to be written over.
///
/// # Errors
///
/// If the folder cannot be made or written, if a file in it exists and may not
/// be replaced, and if the job is cancelled.
pub fn write(
    aligned: &Aligned,
    inputs: &[PathBuf],
    folder: &Path,
    options: &StackOptions,
    job: &Job,
) -> Result<Report> {
    let names = prepare(&aligned.stack, inputs, folder, options.output.overwrite)?;
    let area = aligned.area(false)?;
    let used = aligned.used();
    job.begin(Phase::Writing, used.len());
    let encoding = Encoding {
        format: Format::Tiff,
        bits: 16,
        compression: options.output.compression,
        quality: options.output.quality,
    };
    for (i, pose) in used {
        let Some(name) = &names[i] else { continue };
        let photo = aligned.frames.read(&aligned.stack.frames[i].path, job)?;
        let keep_going = || !job.is_cancelled();
        let exposure = &aligned.exposures[i];
        let warped = warp_unless_stopped(&photo, &pose, area, exposure, &keep_going)?;
        let metadata = photo.metadata;
        let alpha = warped
            .mask
            .map(|mask| mask.data.iter().map(|&m| export::byte(m)).collect());
        let picture = Photo {
            metadata: crate::photo::Metadata {
                icc: aligned.frames.metadata.icc.clone(),
                ..metadata
            },
            ..export::picture(&warped.channels, alpha)
        };
        export::write(
            &folder.join(name),
            &picture,
            &encoding,
            options.output.overwrite,
            job,
        )?;
        job.step();
    }
    let report = export::report(aligned, options, area, Some(folder.to_owned()), "cpu", job);
    export::write_report(&folder.join(REPORT), &report, options.output.overwrite)?;
    Ok(report)
}

/// Makes the folder and sees that nothing in it would be replaced; answers
/// the names of the copies.
fn prepare(
    stack: &Stack,
    inputs: &[PathBuf],
    folder: &Path,
    overwrite: bool,
) -> Result<Vec<Option<String>>> {
    export::make_folder(folder)?;
    let names = names(stack);
    let report = REPORT.to_owned();
    for name in names.iter().flatten().chain([&report]) {
        file::check_output(&folder.join(name), inputs, overwrite)?;
    }
    Ok(names)
}

/// The name of each frame's aligned copy: that of the frame, made unique.
fn names(stack: &Stack) -> Vec<Option<String>> {
    let mut taken = HashSet::new();
    let mut unique = |stem: &str| {
        (1..)
            .map(|n| {
                if n == 1 {
                    format!("{stem}.tif")
                } else {
                    format!("{stem}-{n}.tif")
                }
            })
            .find(|name| taken.insert(name.to_lowercase()))
    };
    stack
        .frames
        .iter()
        .map(|frame| {
            let stem = frame.path.file_stem().unwrap_or_default().to_string_lossy();
            (frame.status == FrameStatus::Used)
                .then(|| unique(&stem))
                .flatten()
        })
        .collect()
}
