//! Finds how the frames of a stack lie on its reference, and writes them
//! aligned.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::choice;
use super::file::{self, Stack};
use super::frames::{self, Frames};
use super::holding;
use super::machine::Budget;
use super::matching;
use super::opening::Opening;
use super::scale::Scale;
use super::shelf::Shelf;
use super::unveiling::{self, Glance};
use super::{
    AlignOptions, AlignmentReport, FrameStatus, Job, Phase, Reference, Report, Sort, StackOptions,
    export, order, reuse, watch,
};
use crate::core::Transform;
use crate::core::align::{self, Aligner, Bounds, Method, Pose, SMALLEST, View};
use crate::core::exposure::{Chain, Light, exposures};
use crate::core::focus;
use crate::core::fuse::{self, Held, Holding};
use crate::core::ghost::{self, Look, Moved};
use crate::core::grey::GreyPyramid;
use crate::core::noise::noise;
use crate::core::pipeline;
use crate::core::sharpness::{GRID, Sharpness};
use crate::core::thumbnail::small;
use crate::core::warp::{Area, Exposure, warp_unless_stopped};
use crate::photo::{self, Decoded, Encoding, Format, Keeping, Photo};
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
    /// Small pictures of some, by which they can be asked for veils.
    pub glances: Vec<Option<Glance>>,
    /// Those that stay on a device until they are fused,
    pub held: Option<Held>,
    /// or in memory.
    pub shelf: Shelf,
    /// Matches the exposure of those that are first looked at when they are fused.
    pub chain: Option<Chain>,
    /// Small pictures of some of these, by which the result can be watched growing.
    pub smalls: Vec<Option<Photo>>,
    /// How sharp each is; `None` where that is not known (yet).
    pub sharpness: Vec<Option<f64>>,
    /// Whether all of them have their colour at half the size.
    pub subsampled: bool,
    /// The noise of the quietest; see [`noise`](crate::core::noise::noise).
    pub noise: Option<f32>,
    /// What was found out about all together; `None` where the frames were
    /// taken as they are.
    pub found: Option<AlignmentReport>,
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
/// that cannot be read, is blurred as a whole or does not lie on the others is
/// marked as failed. Where an earlier alignment is to be used again, frames are
/// read only if what moved in them is asked for.
///
/// # Errors
///
/// If fewer than two of several frames are left, if the reference asked for
/// matches none, if an earlier alignment is of other photographs, and if the
/// job is cancelled.
pub fn analyse(stack: Stack, options: &StackOptions, job: &Job) -> Result<Aligned> {
    analyse_for(None, stack, options, job)
}

/// What fuses the frames once they are aligned.
#[derive(Clone, Copy)]
pub struct Fuser<'a> {
    /// Its device.
    pub opening: &'a Opening,
    /// Whether somebody watches the picture grow, and may have the frames fused once
    /// more in another way.
    pub is_watched: bool,
}

impl Fuser<'_> {
    /// Whether all that is wanted of the frames is to have them fused once.
    fn is_once(this: Option<Self>) -> bool {
        this.is_some_and(|fuser| !fuser.is_watched)
    }
}

/// The same for who fuses the frames next: a device holds them, as many as it has
/// memory for, from when they are looked at, or memory does where they are small, so
/// that they are not read again. Where they are only to be matched, and the processor
/// fuses them, they are not read before that at all.
///
/// # Errors
///
/// As [`analyse`].
pub fn analyse_for(
    fuser: Option<Fuser>,
    stack: Stack,
    options: &StackOptions,
    job: &Job,
) -> Result<Aligned> {
    let wish = &options.align;
    if let Some(report) = &wish.reuse {
        let mut aligned = reuse::aligned(stack, report, options, job)?;
        if options.fuse.ghost_check {
            let used: Vec<usize> = aligned.stack.used().collect();
            let (seen, _) = look(&mut aligned, &used, false, None, options, job)?;
            frames::enough(&aligned.stack)?;
            find_moved(&mut aligned, seen);
        }
        return Ok(aligned);
    }
    let mut stack = stack;
    if wish.sort == Sort::Focus {
        order::by_focus(&mut stack, options, job)?;
    }
    let mut aligned = Aligned::unaligned(stack, options)?;
    let used: Vec<usize> = aligned.stack.used().collect();
    let align = used.len() > 1 && can_align(&aligned.stack, wish, job)?;
    let match_exposure = wish.match_exposure && used.len() > 1;
    if !align && !match_exposure && !options.fuse.ghost_check {
        used.iter()
            .for_each(|&i| aligned.poses[i] = Some(taken_as_it_is()));
        return Ok(aligned);
    }
    if !align && !options.fuse.ghost_check && Fuser::is_once(fuser) {
        let is_held = fuser.is_some_and(|fuser| holding::is_expected(fuser.opening, options));
        if !is_held {
            matching::begin(&mut aligned, options, job)?;
            used.iter()
                .for_each(|&i| aligned.poses[i] = Some(taken_as_it_is()));
            return Ok(aligned);
        }
    }

    let (mut seen, aligner) = look(&mut aligned, &used, align, fuser, options, job)?;
    frames::enough(&aligned.stack)?;
    if let Some(mut aligner) = aligner {
        leave_out_blurred(&mut aligned, &aligner, &mut seen, wish, job)?;
        tell_of_order(&aligner, &seen, wish, job);
        bridge(&aligned, &mut aligner, &seen, wish, job)?;
        place(&mut aligned, &aligner, &seen, wish, job)?;
        frames::enough(&aligned.stack)?;
    } else {
        let as_it_is = |seen: &Seen| aligned.poses[seen.frame] = Some(taken_as_it_is());
        seen.iter().for_each(as_it_is);
        aligned.reference = frames::reference(&aligned.stack, wish.reference)?;
    }
    if match_exposure {
        expose(&mut aligned, &seen);
    }
    if is_compared(fuser, options) {
        find_moved(&mut aligned, seen);
    }
    Ok(aligned)
}

/// Whether it may be asked what moved in the frames.
fn is_compared(fuser: Option<Fuser>, options: &StackOptions) -> bool {
    options.fuse.ghost_check || !Fuser::is_once(fuser)
}

impl Aligned {
    /// Frames of which nothing is known yet.
    ///
    /// # Errors
    ///
    /// If the reference asked for takes no part, or cannot be read.
    pub fn unaligned(stack: Stack, options: &StackOptions) -> Result<Self> {
        let count = stack.frames.len();
        let reference = frames::reference(&stack, options.align.reference)?;
        Ok(Self {
            frames: Frames::new(&stack, reference, &options.resources)?,
            reference,
            poses: vec![None; count],
            exposures: vec![Exposure::default(); count],
            moved: vec![None; count],
            glances: vec![None; count],
            held: None,
            shelf: Shelf::default(),
            chain: None,
            smalls: vec![None; count],
            sharpness: vec![None; count],
            subsampled: frames::are_subsampled(&stack),
            noise: None,
            found: None,
            stack,
        })
    }
}

/// Finds what moved in the frames that have a place.
fn find_moved(aligned: &mut Aligned, seen: Vec<Seen>) {
    let poses = aligned.poses.iter();
    let poses: Vec<_> = poses.map(|pose| Some(pose.as_ref()?.transform)).collect();
    let mut looks: Vec<Option<Look>> = poses.iter().map(|_| None).collect();
    for seen in seen {
        looks[seen.frame] = seen.look;
    }
    aligned.moved = ghost::find(&looks, &poses, aligned.reference);
}

/// Whether the frames are to be aligned, and can be.
fn can_align(stack: &Stack, wish: &AlignOptions, job: &Job) -> Result<bool> {
    if wish.method == Method::None {
        return Ok(false);
    }
    if wish.method.detector().is_some_and(|d| !d.is_available()) {
        return Err(Error::job(
            "the installed OpenCV has no AKAZE",
            "take --align sift, or build with OpenCV 4",
        ));
    }
    let is_too_small = stack.width.min(stack.height) < SMALLEST;
    if is_too_small {
        job.warn(format!(
            "frames of {}×{} pixels are too small to be aligned; they are taken as they are",
            stack.width, stack.height
        ));
    }
    Ok(!is_too_small)
}

/// What is kept of a frame that was read.
struct Seen {
    frame: usize,
    light: Light,
    sharpness: Sharpness,
    /// What is needed to see what moved.
    look: Option<Look>,
}

/// What a frame tells.
struct Found {
    seen: Seen,
    view: Option<View>,
    glance: Option<Glance>,
    small: Option<Photo>,
    noise: Option<f32>,
}

/// Reads the frames: what there is to know of each, and an aligner that has
/// seen them all if they are to be aligned.
fn look(
    aligned: &mut Aligned,
    used: &[usize],
    align: bool,
    fuser: Option<Fuser>,
    options: &StackOptions,
    job: &Job,
) -> Result<(Vec<Seen>, Option<Aligner>)> {
    let Aligned {
        stack,
        frames,
        sharpness,
        glances,
        noise: quietest,
        held,
        shelf,
        smalls,
        subsampled,
        ..
    } = aligned;
    let subsampled = *subsampled;
    let is_compared = is_compared(fuser, options);
    let wish = &options.align;
    let mut aligner = align.then(|| Aligner::new(wish.method, wish.model, bounds(wish, stack)));
    let mut seen = Vec::with_capacity(used.len());
    let scale = Scale::of(stack);
    let size = (stack.width, stack.height);
    let pixels = (stack.width * stack.height) as u64;
    let frame = frames::bytes(stack) + 8 * (pixels >> (2 * scale.halvings));
    let budget = Budget::of(&options.resources);
    let lanes = pipeline::lanes(budget.for_frames(16 * pixels, frame, job)?, frame);
    // Half of those that were read are compared while others are read.
    let together = (lanes / 2).max(1);
    job.begin(
        if align {
            Phase::Aligning
        } else {
            Phase::Scoring
        },
        used.len(),
    );
    // Of reduced frames, and of whole ones that are listened to.
    let _keeping = Keeping::of(2 * lanes);
    let asked = unveiling::to_ask(used, &options.fuse);
    let heard = heard(used);
    let paths: Vec<(usize, PathBuf)> = used
        .iter()
        .map(|&i| (i, stack.frames[i].path.clone()))
        .collect();
    let stages = job.stages();
    let begin = |fuser: Fuser| holding::begin(fuser.opening, stack, options, budget, lanes, job);
    let holding = fuser.and_then(begin);
    if fuser.is_some() && holding.is_none() {
        let fusing = pixels * fuse::bytes_per_pixel(options.fuse.method);
        *shelf = Shelf::of(&scale, budget.bytes().saturating_sub(fusing));
    }
    let is_watched = holding.is_some() && fuser.is_some_and(|fuser| fuser.is_watched);
    let watched = match is_watched {
        true => unveiling::some(used),
        false => Vec::new(),
    };
    let side = watch::side(size.0.max(size.1));
    let mut waiting = Vec::new();
    pipeline::ordered(
        &paths,
        lanes,
        |&(frame, ref path)| {
            let is_heard = heard.contains(&frame);
            let is_kept = holding.is_some() || shelf.has_room(pixels);
            let read = || match is_kept || is_heard {
                true => scale.read_whole(frames, path, is_kept && subsampled, job),
                false => Ok((Decoded::Photo(scale.read(frames, path, job)?), None)),
            };
            let (read, reduced) = stages.time("look: read", read)?;
            let whole = OnceCell::new();
            let all = || &**whole.get_or_init(|| read.photo());
            let listen = || stages.time("look: noise", || noise(all()));
            let noise = is_heard.then(listen).flatten();
            let photo = reduced.as_ref().unwrap_or_else(all);
            let has_alpha = photo.alpha.is_some();
            let score = || Sharpness::of(photo, GRID);
            let sharpness = stages.time("look: sharpness", score);
            let light = stages.time("look: light", || scale.light(photo));
            let glance = || stages.time("look: glance", || Glance::of(photo, size));
            let glance = asked.contains(&frame).then(glance);
            let small = || small(photo, side);
            let small = watched.contains(&frame).then(small);
            let pyramid = stages.time("look: luminance", || scale.pyramid(photo));
            if let Some(Cow::Owned(whole)) = whole.into_inner() {
                photo::keep(whole);
            }
            reduced.into_iter().for_each(photo::keep);
            match (&holding, u16::try_from(frame)) {
                (Some(holding), Ok(index)) if read.size() == size => holding.offer(index, read),
                (None, _) if is_kept => shelf.put(frame, read).map_or((), Decoded::keep),
                _ => read.keep(),
            }
            // What a frame hides is nothing that moved.
            let is_compared = is_compared && !has_alpha;
            let look = is_compared.then(|| Look::of(&pyramid)).flatten();
            let view = || stages.time("look: structure", || view(pyramid, wish));
            let view = align.then(view);
            let seen = Seen {
                frame,
                sharpness,
                light,
                look,
            };
            Ok(Found {
                seen,
                view,
                glance,
                small,
                noise,
            })
        },
        |&(i, _), result: Result<_>| {
            job.check()?;
            match result {
                Ok(Found {
                    seen: found,
                    view,
                    glance,
                    small,
                    noise,
                }) => {
                    smalls[i] = small;
                    glances[i] = glance.or(glances[i].take());
                    *quietest = [*quietest, noise].into_iter().flatten().reduce(f32::min);
                    sharpness[i] = Some(found.sharpness.score());
                    seen.push(found);
                    waiting.extend(view.map(|view| (i, view)));
                }
                Err(fault) => frames::fail(stack, i, &fault, job)?,
            }
            if let (Some(aligner), true) = (&mut aligner, waiting.len() >= together) {
                let compare = || aligner.add(std::mem::take(&mut waiting));
                stages.time("look: compare", compare);
            }
            job.step();
            Ok(())
        },
    )?;
    if let Some(aligner) = &mut aligner {
        stages.time("look: compare", || aligner.add(waiting));
    }
    *held = holding.map(Holding::finish);
    Ok((seen, aligner))
}

/// The frames in use whose noise is measured.
fn heard(used: &[usize]) -> Vec<usize> {
    let step = used.len().div_ceil(LISTENED).max(1);
    used.iter().step_by(step).copied().collect()
}

/// What the aligner is to see of a frame. Key points are found here, where
/// frames are made ready side by side.
fn view(pyramid: GreyPyramid, wish: &AlignOptions) -> View {
    let view = View::new(pyramid, wish.clahe);
    if let Some(detector) = wish.method.detector() {
        view.features(detector);
    }
    view
}

/// Marks the frames that are blurred as a whole as failed; a reference that
/// was asked for stays.
fn leave_out_blurred(
    aligned: &mut Aligned,
    aligner: &Aligner,
    seen: &mut Vec<Seen>,
    wish: &AlignOptions,
    job: &Job,
) -> Result<()> {
    let mut blurred = blurred(aligner, seen);
    blurred.retain(|&frame| wish.reference != Reference::Frame(frame));
    for &frame in &blurred {
        let fault = Error::file(
            &aligned.stack.frames[frame].path,
            "is blurred as a whole against the frames beside it",
            "leave it out, or take all frames as they are with --align none",
        );
        frames::fail(&mut aligned.stack, frame, &fault, job)?;
    }
    seen.retain(|seen| !blurred.contains(&seen.frame));
    Ok(())
}

/// The frames that are blurred as a whole. Those that match others are held
/// against each other, the rest each against those: a photograph of something
/// else says nothing about the sharpness of its neighbours.
fn blurred(aligner: &Aligner, seen: &[Seen]) -> Vec<usize> {
    let frames: Vec<usize> = seen.iter().map(|seen| seen.frame).collect();
    let linked = aligner.linked(&frames);
    let among = |members: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let members: Vec<&Seen> = seen.iter().filter(|seen| members(seen.frame)).collect();
        let sharpness: Vec<&Sharpness> = members.iter().map(|seen| &seen.sharpness).collect();
        let places = focus::blurred(&sharpness).into_iter();
        places.map(|place| members[place].frame).collect()
    };
    let first = among(&|frame| linked.contains(&frame));
    let is_sound = |frame| linked.contains(&frame) && !first.contains(&frame);
    let rest = frames
        .iter()
        .filter(|&&frame| !linked.contains(&frame) && !aligner.is_flat(frame))
        .filter(|&&own| among(&|frame| frame == own || is_sound(frame)).contains(&own));
    let rest: Vec<usize> = rest.copied().collect();
    first.iter().copied().chain(rest).collect()
}

/// Warns where the frames are not in the order of their focus.
fn tell_of_order(aligner: &Aligner, seen: &[Seen], wish: &AlignOptions, job: &Job) {
    let sharpness: Vec<&Sharpness> = seen
        .iter()
        .filter(|seen| !aligner.is_flat(seen.frame))
        .map(|seen| &seen.sharpness)
        .collect();
    if wish.sort == Sort::Given && focus::better_order(&sharpness).is_some() {
        job.warn(
            "the frames seem to be out of order: focus jumps to and fro between them; \
             --sort focus puts them in order",
        );
    }
}

/// Compares the frames on both sides of each gap that bad frames have left.
fn bridge(
    aligned: &Aligned,
    aligner: &mut Aligner,
    seen: &[Seen],
    wish: &AlignOptions,
    job: &Job,
) -> Result<()> {
    let members: Vec<usize> = seen.iter().map(|seen| seen.frame).collect();
    let scale = Scale::of(&aligned.stack);
    for (from, to) in aligner.gaps(&members) {
        let read = |frame: usize| -> Result<(usize, View)> {
            let path = &aligned.stack.frames[frame].path;
            let photo = scale.read(&aligned.frames, path, job)?;
            Ok((frame, view(scale.pyramid(&photo), wish)))
        };
        aligner.bridge(read(from)?, read(to)?);
    }
    Ok(())
}

/// Gives every frame that was seen its pose, or the reason why it has none.
fn place(
    aligned: &mut Aligned,
    aligner: &Aligner,
    seen: &[Seen],
    wish: &AlignOptions,
    job: &Job,
) -> Result<()> {
    let asked = match wish.reference {
        Reference::Auto => None,
        Reference::Frame(_) => Some(frames::reference(&aligned.stack, wish.reference)?),
    };
    let members: Vec<usize> = seen.iter().map(|seen| seen.frame).collect();
    let alignment = aligner.finish(&members, asked);
    aligned.reference = alignment.reference;
    let placed = members.iter().filter(|&&i| alignment.poses[i].is_ok());
    if let (Some(reference), 1, true) = (asked, placed.count(), members.len() > 1) {
        return Err(Error::file(
            &aligned.stack.frames[reference].path,
            if aligner.is_flat(reference) {
                "the reference frame shows nothing that the others could be laid upon"
            } else {
                "the reference frame matches none of the others"
            },
            "choose another one with --reference",
        ));
    }
    let found = AlignmentReport {
        method: wish.method,
        model: alignment.model,
        still: alignment.still,
        pairs: alignment.pairs,
        seeded: alignment.seeded,
    };
    job.note(found.to_string());
    aligned.found = Some(found);
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

/// Matches the exposure of the frames that have a place.
fn expose(aligned: &mut Aligned, seen: &[Seen]) {
    let members: Vec<(usize, &Light, Transform)> = seen
        .iter()
        .filter_map(|seen| {
            let pose = aligned.poses[seen.frame].as_ref()?;
            Some((seen.frame, &seen.light, pose.transform))
        })
        .collect();
    let lights: Vec<&Light> = members.iter().map(|(_, light, _)| *light).collect();
    let poses: Vec<Transform> = members.iter().map(|(.., pose)| *pose).collect();
    let is_reference = |member: &(usize, &Light, Transform)| member.0 == aligned.reference;
    let reference = members.iter().position(is_reference).unwrap_or(0);
    for ((i, ..), exposure) in members.iter().zip(exposures(&lights, &poses, reference)) {
        aligned.exposures[*i] = exposure;
    }
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
/// If the device that is asked for is missing, if the folder cannot be made or
/// written, if a file in it exists and may not be replaced, if fewer than two of
/// several frames can be aligned, and if the job is cancelled.
pub fn align(
    inputs: &[PathBuf],
    folder: &Path,
    options: &StackOptions,
    job: &Job,
) -> Result<Report> {
    choice::check(options.resources.device)?;
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
            ..export::picture(warped.channels.into(), alpha)
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
