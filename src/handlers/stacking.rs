//! Stacks photographs: the main job.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::alignment::{self, Aligned};
use super::file;
use super::frames;
use super::machine::Budget;
use super::{Device, FuseOptions, Job, Phase, Report, StackOptions, export};
use crate::core::device::{self, OpenClDevice};
use crate::core::finish::{self, Finish};
use crate::core::fuse::{self, Fused, Fusion, Preview, Second};
use crate::core::ghost::Moved;
use crate::core::grey::Grey;
use crate::core::pipeline;
use crate::core::sharpness::{GRID, Sharpness};
use crate::core::warp::{Area, Exposure};
use crate::core::{KeepGoing, Transform};
use crate::photo::{Encoding, Format, Photo};
use crate::{Error, Result};

/// Reads the photographs of `inputs` (files, or folders whose photographs are
/// the stack), aligns, fuses and finishes them, and writes the picture, and the
/// depth map, its confidence, the surface and the report if they are asked for.
///
/// # Errors
///
/// If an output may not be written (found out before any work), if fewer than
/// two of several frames are left, if memory does not suffice, and if the job
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
    let overwrite = options.output.overwrite;
    let outputs = StackOptions {
        out: Some(out.clone()),
        ..options.clone()
    };
    for path in outputs.outputs()? {
        file::check_output(&path, inputs, overwrite)?;
    }
    let stack = file::gather(inputs, &options.resources.limits, job)?;
    let mut aligned = alignment::analyse(stack, options, job)?;
    let mut stacked = fuse_aligned(&mut aligned, options, job, None)?;
    finished(&mut stacked.picture, &options.finish, job)?;

    let count = aligned.stack.frames.len();
    let maps = [&options.depth_map, &options.confidence, &options.surface];
    job.begin(Phase::Writing, 1 + maps.into_iter().flatten().count());
    export::write(&out, &stacked.picture, &encoding, overwrite, job)?;
    job.step();
    if let Some(path) = &options.depth_map {
        export::write_depth_map(path, &stacked, count, overwrite, job)?;
        job.step();
    }
    if let Some(path) = &options.confidence {
        export::write_confidence(path, &stacked, overwrite, job)?;
        job.step();
    }
    if let Some(path) = &options.surface {
        let depth = options.surface_depth;
        export::write_surface(path, &stacked, count, depth, overwrite, job)?;
        job.step();
    }
    let report = export::report(
        &aligned,
        options,
        stacked.area,
        Some(out),
        &stacked.device,
        job,
    );
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
    /// For each of its pixels the depth in frames from the first.
    pub depth: Vec<f32>,
    /// The part of the reference that it shows.
    pub area: Area,
    /// The name of the device that fused it.
    pub device: String,
}

/// How often the growing picture is halved that a [`Watch`] is shown, for
/// frames of `longer` pixels on the longer side: often enough for a screen, and
/// for being no burden.
pub fn watched_halvings(longer: usize) -> u32 {
    const SIDE: usize = 1600;
    (1..16)
        .find(|halvings| longer >> halvings <= SIDE)
        .unwrap_or(16)
}

/// Someone who looks at the picture while it grows, in few pixels.
pub type Watch<'a> = &'a (dyn Fn(Photo) + Sync);

/// Fuses frames whose poses are known; they can be fused again with another
/// method. A frame that cannot be read any more is marked as failed. `watch`
/// is shown the growing picture about twice a second.
///
/// # Errors
///
/// If fewer than two of several frames are left, if they hardly overlap, if
/// memory does not suffice, and if the job is cancelled.
pub fn fuse_aligned(
    aligned: &mut Aligned,
    options: &StackOptions,
    job: &Job,
    watch: Option<Watch>,
) -> Result<Stacked> {
    let area = aligned.area(options.fuse.crop)?;
    let device = chosen(options, job)?;
    if options.fuse.ghost_check {
        warn_of_moved(aligned, job);
    }
    job.note(match &device {
        Some(device) => format!("{} fuses", device.name),
        None => "The processor fuses".to_owned(),
    });
    let fused = fuse(aligned, area, device.as_ref(), options, job, watch);
    let (fused, device) = match (fused, device) {
        // What was chosen automatically is replaced automatically.
        (Err(fault @ Error::Job { .. }), Some(_)) if options.resources.device == Device::Auto => {
            job.warn(format!("{}; the processor does the work", fault.problem()));
            let fused = fuse(aligned, area, None, options, job, watch)?;
            (fused, "cpu".to_owned())
        }
        (fused, device) => (
            fused?,
            device.map_or("cpu".to_owned(), |device| device.name),
        ),
    };
    job.check()?;
    let keep_going = || !job.is_cancelled();
    let softness = fuse::softness(options.fuse.smoothness);
    Ok(Stacked {
        picture: Photo {
            metadata: aligned.frames.metadata.clone(),
            ..export::picture(&fused.channels, fused.alpha)
        },
        depth: fused
            .depth
            .smooth(area.width, area.height, softness, &keep_going)?,
        index: fused.index,
        confidence: fused.confidence,
        area,
        device,
    })
}

/// Reads the frames in use once more and fuses them on an OpenCL device, or on
/// the processor. A frame that cannot be read any more is left out.
fn fuse(
    aligned: &mut Aligned,
    area: Area,
    device: Option<&OpenClDevice>,
    options: &StackOptions,
    job: &Job,
    watch: Option<Watch>,
) -> Result<Fused> {
    let frame = frames::bytes(&aligned.stack);
    let fixed = (area.width * area.height) as u64 * fuse::bytes_per_pixel(options.fuse.method);
    let budget = Budget::of(&options.resources);
    let mut lanes = pipeline::lanes(budget.for_frames(fixed, frame, job)?, frame);
    if device.is_none() {
        // Fusing keeps all threads busy: half of them read fast enough for it.
        lanes = lanes.min(rayon::current_num_threads().div_ceil(2));
    }
    let wish = wish(options, aligned.stack.frames.len(), aligned.noise);
    let mut fusion = match device {
        Some(device) => fuse::on_opencl(&wish, area, device)?,
        None => wish.on_cpu(area),
    };
    let mut watched = watch.map(|watch| Watched::new(watch, aligned, area, &wish));
    job.begin(Phase::Fusing, wish.method.looks() * aligned.used().len());
    feed(
        aligned,
        lanes,
        fusion.as_mut(),
        watched.as_mut(),
        options,
        job,
    )?;
    let keep_going = || !job.is_cancelled();
    let found = fusion.finish(&keep_going)?;
    match wish.second(found, area, device, &keep_going)? {
        Second::Look(mut second) => {
            feed(aligned, lanes, second.as_mut(), None, options, job)?;
            second.finish(&keep_going)
        }
        Second::None(fused) => Ok(*fused),
    }
}

/// Reads the frames in use and adds each to `fusion`.
fn feed(
    aligned: &mut Aligned,
    lanes: usize,
    fusion: &mut dyn Fusion,
    mut watched: Option<&mut Watched>,
    options: &StackOptions,
    job: &Job,
) -> Result<()> {
    let keep_going = || !job.is_cancelled();
    let used = aligned.used();
    let Aligned {
        stack,
        frames,
        exposures,
        moved,
        sharpness,
        ..
    } = aligned;
    let moved = |i: usize| moved[i].as_ref().filter(|_| options.fuse.ghost_check);
    let work: Vec<_> = used
        .into_iter()
        .map(|(i, pose)| {
            (
                i,
                pose,
                stack.frames[i].path.clone(),
                sharpness[i].is_none(),
            )
        })
        .collect();
    pipeline::ordered(
        &work,
        lanes,
        |(i, pose, path, is_unscored)| {
            let mut photo = frames.read(path, job)?;
            let score = is_unscored.then(|| Sharpness::of(&Grey::of(&photo), GRID).score());
            if let Some(moved) = moved(*i) {
                moved.hide(&mut photo, pose);
            }
            Ok((photo, score))
        },
        |(i, pose, ..), result: Result<_>| {
            job.check()?;
            match result {
                Ok((photo, score)) => {
                    sharpness[*i] = sharpness[*i].or(score);
                    let index = u16::try_from(*i).map_err(|_| too_many())?;
                    fusion.add(index, &photo, pose, &exposures[*i], &keep_going)?;
                    if let Some(watched) = &mut watched {
                        watched.add(index, &photo, pose, &exposures[*i], &keep_going)?;
                    }
                }
                Err(fault) => frames::fail(stack, *i, &fault, job)?,
            }
            job.step();
            Ok(())
        },
    )?;
    frames::enough(stack)
}

/// How the frames are to be fused.
fn wish(options: &StackOptions, frames: usize, noise: Option<f32>) -> fuse::Options {
    let FuseOptions {
        method,
        levels,
        prefer,
        clamp,
        smoothness,
        noise_strength,
        ..
    } = options.fuse;
    fuse::Options {
        method,
        levels,
        prefer,
        clamp,
        frames,
        noise: noise.unwrap_or(fuse::NOISE),
        noise_strength: f32::from(noise_strength) / 100.0,
        smoothness,
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

/// A small fusion beside the real one, for someone who looks at it.
struct Watched<'a> {
    watch: Watch<'a>,
    preview: Preview,
    last: Instant,
}

impl<'a> Watched<'a> {
    /// From one look to the next.
    const PACE: Duration = Duration::from_millis(500);

    fn new(watch: Watch<'a>, aligned: &Aligned, area: Area, options: &fuse::Options) -> Self {
        let (width, height) = (aligned.stack.width, aligned.stack.height);
        let longer = width.max(height);
        let side = longer.div_ceil(1 << watched_halvings(longer));
        Self {
            watch,
            preview: Preview::new(options, width, height, area, side),
            last: Instant::now(),
        }
    }

    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        self.preview.add(index, photo, pose, exposure, keep_going)?;
        if self.last.elapsed() >= Self::PACE {
            let fused = self.preview.picture(keep_going)?;
            (self.watch)(export::picture(&fused.channels, fused.alpha));
            self.last = Instant::now();
        }
        Ok(())
    }
}

/// The OpenCL device to use; `None` is the processor. A device that is chosen
/// automatically must pass its self-check first.
fn chosen(options: &StackOptions, job: &Job) -> Result<Option<OpenClDevice>> {
    let wish = options.resources.device;
    let devices = device::opencl_devices();
    match wish {
        Device::Cpu => Ok(None),
        Device::Auto => {
            let Some(gpu) = device::automatic(&devices) else {
                return Ok(None);
            };
            match device::self_check(gpu) {
                Ok(()) => Ok(Some(gpu.clone())),
                Err(fault) => {
                    job.warn(format!("{fault}; the processor does the work"));
                    Ok(None)
                }
            }
        }
        Device::OpenCl(number) => {
            let found = match number {
                Some(number) => devices.get(number),
                None => device::preferred(&devices),
            };
            let found = found.ok_or_else(|| {
                let name = number.map_or("opencl".into(), |number| format!("opencl:{number}"));
                let problem = format!("there is no device {name}");
                Error::job(problem, "`parfocal devices` lists those there are")
            })?;
            device::self_check(found)?;
            Ok(Some(found.clone()))
        }
    }
}

fn too_many() -> Error {
    Error::job("a stack has at most 65536 frames", "stack it in parts")
}
