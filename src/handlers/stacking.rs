//! Stacks photographs: the main job.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::alignment::{self, Aligned, Fuser};
use super::choice;
use super::file;
use super::frames;
use super::fusing::{self, Beside, Helper};
use super::opening::Opening;
use super::watch::Watch;
use super::{FuseOptions, Job, Phase, Report, Resources, StackOptions, export};
use crate::core::KeepGoing;
use crate::core::device::OpenClDevice;
use crate::core::finish::{self, Finish};
use crate::core::fuse::{self, Lanes};
use crate::core::ghost::Moved;
use crate::core::stages::Stage;
use crate::core::warp::Area;
use crate::photo::{Encoding, Format, Keeping, Photo};
use crate::{Error, Result};

/// Reads the photographs of `inputs` (files, or folders whose photographs are
/// the stack), aligns, fuses and finishes them, and writes the picture, and the
/// depth map, its confidence, the surface and the report if they are asked for.
///
/// # Errors
///
/// If an output may not be written or the device that is asked for is missing
/// (found out before any work) or does not work, if fewer than two of several
/// frames are left, if memory does not suffice, and if the job
/// is cancelled. Nothing is left behind then.
pub fn stack(inputs: &[PathBuf], options: &StackOptions, job: &Job) -> Result<Report> {
    let out = match &options.out {
        Some(out) => out.clone(),
        None => file::default_output(inputs)?,
    };
    let encoding = Encoding {
        format: Format::from_path(&out)?,
        bits: options.output.bits,
        compression: options.output.compression,
        quality: options.output.quality,
    };
    let outputs = StackOptions {
        out: Some(out.clone()),
        ..options.clone()
    };
    for path in outputs.outputs()? {
        file::check_output(&path, inputs, options.output.overwrite)?;
    }
    let opening = Opening::begin(options.resources.device)?;
    // Frames that are fused come into the memory of those that were looked at.
    let keeping = Keeping::of(rayon::current_num_threads());
    let stack = file::gather(inputs, &options.resources.limits, job)?;
    let fuser = Fuser {
        opening: &opening,
        is_watched: false,
    };
    let mut aligned = alignment::analyse_for(Some(fuser), stack, options, job)?;
    let device = opening.finish(job)?;
    let is_depth_wanted = options.depth_map.is_some() || options.surface.is_some();
    let beside = Beside {
        watch: None,
        keeping: Some(keeping),
    };
    let mut stacked = fuse_on(device, &mut aligned, options, is_depth_wanted, job, beside)?;
    finished(&mut stacked.picture, &options.finish, job)?;

    let files = outputs.outputs()?;
    // Of those that are there already the user has said what becomes of them.
    let new: Vec<_> = files.into_iter().filter(|file| !file.exists()).collect();
    let report = write(&aligned, &stacked, options, &out, &encoding, job);
    if matches!(report, Err(Error::Cancelled)) {
        // Each file is whole, but nobody wants some of them without the rest.
        new.iter().for_each(|file| drop(std::fs::remove_file(file)));
    }
    report
}

/// Writes the picture to `out`, and all that is wanted beside it.
fn write(
    aligned: &Aligned,
    stacked: &Stacked,
    options: &StackOptions,
    out: &Path,
    encoding: &Encoding,
    job: &Job,
) -> Result<Report> {
    let (count, overwrite) = (aligned.stack.frames.len(), options.output.overwrite);
    let maps = [&options.depth_map, &options.confidence, &options.surface];
    job.begin(Phase::Writing, 1 + maps.into_iter().flatten().count());
    export::write(out, &stacked.picture, encoding, overwrite, job)?;
    job.step();
    if let Some(path) = &options.depth_map {
        export::write_depth_map(path, stacked, count, overwrite, job)?;
        job.step();
    }
    if let Some(path) = &options.confidence {
        export::write_confidence(path, stacked, overwrite, job)?;
        job.step();
    }
    if let Some(path) = &options.surface {
        let depth = options.surface_depth;
        export::write_surface(path, stacked, count, depth, overwrite, job)?;
        job.step();
    }
    let out = Some(out.to_owned());
    let report = export::report(aligned, options, stacked.area, out, &stacked.device, job);
    if let Some(path) = &options.report {
        export::write_report(path, &report, overwrite)?;
    }
    Ok(report)
}

/// Applies what the user wants done to the finished picture.
///
/// # Errors
///
/// If the job is cancelled.
pub fn finished(picture: &mut Photo, steps: &Finish, job: &Job) -> Result<()> {
    if !steps.is_neutral() {
        job.begin(Phase::Finishing, 0);
    }
    finish::finish(picture, steps, &|| !job.is_cancelled())
}

/// The result of a stack before it is finished and written.
#[derive(Debug)]
pub struct Stacked {
    /// The picture, with the metadata of the reference.
    pub picture: Photo,
    /// For each of its pixels the number of the frame it came from most.
    pub index: Vec<u16>,
    /// How sure that is, 0 to 255.
    pub confidence: Vec<u8>,
    /// For each of its pixels the depth in frames from the first; nothing where
    /// [`stack`] has no use for it.
    pub depth: Vec<f32>,
    /// The part of the reference that it shows.
    pub area: Area,
    /// The name of the device that fused it.
    pub device: String,
}

/// Fuses frames whose poses are known; they can be fused again with another
/// method. A frame that cannot be read any more is marked as failed. `watch`
/// is shown the growing picture about twice a second.
///
/// # Errors
///
/// If the device that is asked for is missing or does not work, if fewer than
/// two of several frames are left, if they hardly overlap, if memory does not
/// suffice, and if the job is cancelled.
pub fn fuse_aligned(
    aligned: &mut Aligned,
    options: &StackOptions,
    job: &Job,
    watch: Option<Watch>,
) -> Result<Stacked> {
    let device = choice::choose(options.resources.device, job)?;
    let beside = Beside {
        watch,
        keeping: None,
    };
    fuse_on(device, aligned, options, true, job, beside)
}

/// The same on a device that was chosen before, or on the processor.
fn fuse_on(
    device: Option<OpenClDevice>,
    aligned: &mut Aligned,
    options: &StackOptions,
    is_depth_wanted: bool,
    job: &Job,
    beside: Beside,
) -> Result<Stacked> {
    let area = aligned.area(options.fuse.crop)?;
    let wish = wish(options, aligned);
    if options.fuse.ghost_check {
        warn_of_moved(aligned, job);
    }
    let photo = frames::bytes(&aligned.stack);
    let resources = &options.resources;
    // Of another device they are of no use.
    let held = aligned.held.take().filter(|held| held.device() == device);
    let held = Mutex::new(held.map(Arc::new));
    let held = || held.lock().unwrap_or_else(PoisonError::into_inner);
    let lanes = |device, wish: &fuse::Options, part| {
        let lanes = lanes(device, wish, part, photo, resources, job)?;
        let held = held().clone();
        Ok(Lanes { held, ..lanes })
    };
    let begin = device.as_ref().map(|device| {
        move |wish: &fuse::Options, part: Area| {
            fuse::on_opencl(wish, part, lanes(device, wish, part)?)
        }
    });
    let again = |wish: &fuse::Options, found, veil, keep_going: KeepGoing| {
        let lanes = |device| lanes(device, wish, area);
        let lanes = device.as_ref().map(lanes).transpose()?;
        wish.second(found, veil, area, lanes, keep_going)
    };
    let release = || held().take().is_some();
    let helper = device.as_ref().zip(begin.as_ref());
    let helper = helper.map(|(device, begin)| Helper {
        name: &device.name,
        begin,
        again: &again,
        release: &release,
    });
    let helper = helper.as_ref();
    let (fused, by_device) = fusing::fuse(aligned, area, &wish, helper, options, job, beside)?;
    job.stages().time("let go of frames", release);
    let device = device.filter(|_| by_device);
    let device = device.map_or("cpu".to_owned(), |device| device.name);
    job.check()?;
    let keep_going = || !job.is_cancelled();
    let softness = fuse::softness(options.fuse.smoothness);
    let (found, stages) = (fused.depth, job.stages());
    let smooth = || found.smooth(area.width, area.height, softness, &keep_going);
    let depth = match is_depth_wanted {
        true => stages.time("smooth depth", smooth)?,
        false => Vec::new(),
    };
    let convert = || export::picture(fused.picture, fused.alpha);
    let picture = stages.time("convert picture", convert);
    tell_of_stages(job);
    Ok(Stacked {
        picture: Photo {
            metadata: aligned.frames.metadata.clone(),
            ..picture
        },
        depth,
        index: fused.index,
        confidence: fused.confidence,
        area,
        device,
    })
}

/// Tells where the time went so far.
fn tell_of_stages(job: &Job) {
    for Stage {
        stage,
        seconds,
        times,
    } in job.stages().list()
    {
        let each = 1e3 * seconds / times.max(1) as f64;
        // Three digits tell enough of what takes long, and of what does not.
        let digits = if each < 10.0 { 3 } else { 1 };
        job.note(format!(
            "{}: {seconds:.3} s, {times} × {each:.digits$} ms",
            sentence(&stage)
        ));
    }
}

/// The name of a stage as the beginning of a sentence.
fn sentence(stage: &str) -> String {
    let stage = stage.replace(": ", ", ");
    let mut letters = stage.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// As many lanes of a device as are asked for and as it has memory for, beside a
/// picture of `area`, where each has a photograph of `photo` bytes.
///
/// # Errors
///
/// If it has too little for one.
fn lanes(
    device: &OpenClDevice,
    wish: &fuse::Options,
    area: Area,
    photo: u64,
    resources: &Resources,
    job: &Job,
) -> Result<Lanes> {
    let allowed = resources.device_memory.unwrap_or(u64::MAX);
    let fits = |count: usize| {
        // However many lanes there are, one uploads while one is fused.
        let photos = photo.saturating_mul(count.min(2) as u64);
        fuse::enough_memory(wish, area, photos, allowed, device)
    };
    let wished = resources.lanes.unwrap_or(Lanes::USUAL);
    let count = (2..=wished).rev().find(|&count| fits(count).is_ok());
    let count = match count {
        Some(count) => count,
        None => fits(1).map(|()| 1)?,
    };
    Ok(Lanes {
        count,
        stages: job.stages().clone(),
        ..Lanes::from(device)
    })
}

/// How the frames are to be fused.
fn wish(options: &StackOptions, aligned: &Aligned) -> fuse::Options {
    let FuseOptions {
        method,
        levels,
        prefer,
        clamp,
        smoothness,
        noise_strength,
        ghost_check,
        ..
    } = options.fuse;
    fuse::Options {
        method,
        levels,
        prefer,
        clamp,
        frames: aligned.stack.frames.len(),
        noise: aligned.noise.unwrap_or(fuse::NOISE),
        noise_strength: f32::from(noise_strength) / 100.0,
        smoothness,
        // What moved is hidden pixel by pixel.
        subsampled: aligned.subsampled && !ghost_check,
    }
}

/// Tells the user what moved.
fn warn_of_moved(aligned: &Aligned, job: &Job) {
    let moved: Vec<&Moved> = aligned
        .used()
        .iter()
        .filter_map(|&(i, _)| aligned.moved[i].as_ref())
        .collect();
    let Some(most) = moved.iter().max_by(|a, b| a.share.total_cmp(&b.share)) else {
        return;
    };
    let Area {
        x,
        y,
        width,
        height,
    } = most.region;
    job.warn(format!(
        "something moved in {} of the frames, at most {:.1} % of the picture (x {x} to {}, y {y} \
         to {}); the reference frame is shown there, another --reference may show it better",
        moved.len(),
        100.0 * most.share,
        x + width,
        y + height
    ));
}
