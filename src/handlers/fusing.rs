//! Reads the frames of a stack into a fusion: on a device, whole or in bands of
//! rows, and on the processor when the device cannot or does not.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::alignment::Aligned;
use super::frames::{self, Frames};
use super::machine::Budget;
use super::matching::Wanted;
use super::scale::Scale;
use super::steps::Steps;
use super::watch::{Watch, Watched};
use super::{Job, Phase, StackOptions, unveiling};
use crate::core::exposure::Chain;
use crate::core::fuse::{self, Band, Fused, Fusion, Joined, Second, bands};
use crate::core::ghost::Moved;
use crate::core::pipeline;
use crate::core::veil::Veil;
use crate::core::warp::Area;
use crate::core::{KeepGoing, Transform};
use crate::photo::{Decoded, Keeping, Photo};
use crate::{Error, Result};

/// Numbers of bands that are tried where a device cannot hold a picture whole.
/// The frames are read once for each: with more, the processor is sooner done.
const BANDS: [usize; 6] = [1, 2, 3, 4, 6, 8];

/// What fuses in the processor's place.
pub struct Helper<'a> {
    /// What the user knows it by.
    pub name: &'a str,
    /// Begins an empty fusion of a part of the picture.
    pub begin: &'a Begin<'a>,
    /// Begins the second look at the whole of it.
    pub again: &'a Again<'a>,
    /// Lets go of frames that it holds, which may be memory that it needs; tells
    /// whether there were any.
    pub release: &'a (dyn Fn() -> bool + Sync),
}

/// Makes an empty fusion of a part of a picture.
pub type Begin<'a> = dyn Fn(&fuse::Options, Area) -> Result<Box<dyn Fusion>> + Sync + 'a;

/// Makes the fusion of a second look, where there is one to be taken, given what the
/// first one found and what near things lay over the frames.
pub type Again<'a> =
    dyn Fn(&fuse::Options, Fused, Option<Veil>, KeepGoing) -> Result<Second> + Sync + 'a;

/// What there is beside the frames.
#[derive(Default)]
pub struct Beside<'a> {
    /// Is shown the growing picture.
    pub watch: Option<Watch<'a>>,
    /// Memory for the frames, which is let go of once they are read.
    pub keeping: Option<Keeping>,
}

/// Why a helper's work ended early.
enum Stop {
    /// It failed before it had all the memory that it needs: it may have enough
    /// for less.
    Full(Error),
    /// It failed: the processor can do the work.
    Helper(Error),
    /// What would stop the processor as well.
    Job(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Job(error)
    }
}

/// Reads the frames in use and fuses them as `wish` says, by `helper` while it
/// works, else on the processor: when the helper fails, the user is warned once
/// and the frames are read again. Tells whether the picture is the helper's. A
/// frame that cannot be read any more is left out.
///
/// # Errors
///
/// If fewer than two of several frames are left, if memory does not suffice,
/// and if the job is cancelled.
pub fn fuse(
    aligned: &mut Aligned,
    area: Area,
    wish: &fuse::Options,
    helper: Option<&Helper>,
    options: &StackOptions,
    job: &Job,
    Beside { watch, keeping }: Beside,
) -> Result<(Fused, bool)> {
    let frame = frames::bytes(&aligned.stack);
    let fixed = (area.width * area.height) as u64 * fuse::bytes_per_pixel(wish.method);
    let memory = Budget::of(&options.resources).for_frames(fixed, frame, job)?;
    let frames = aligned.stack.frames.len();
    let size = (aligned.stack.width, aligned.stack.height);
    let total = wish.method.looks() * aligned.used().len();
    let readers = pipeline::lanes(memory, frame);
    let mut feeder = Feeder {
        watched: watch.map(|watch| Watched::new(watch, size, area, wish)),
        known: vec![false; frames],
        steps: Steps::begin(job, Phase::Fusing, total),
        keeping,
        lanes: readers,
        readers,
        aligned,
        area,
        wish,
        options,
        job,
    };
    if let Some(helper) = helper {
        job.note(format!("{} fuses", helper.name));
        match feeder.fuse_by(helper) {
            Ok(fused) => return Ok((fused, true)),
            Err(Stop::Job(error)) => return Err(error),
            Err(Stop::Helper(fault) | Stop::Full(fault)) => {
                job.warn(format!("{}; the processor does the work", fault.problem()));
            }
        }
    }
    job.note("The processor fuses");
    // Fusing keeps all threads busy: half of them read fast enough for it.
    let threads = rayon::current_num_threads();
    feeder.lanes = feeder.lanes.min(threads.div_ceil(2));
    match feeder.fuse_here() {
        Ok(fused) => Ok((fused, false)),
        Err(Stop::Full(error) | Stop::Helper(error) | Stop::Job(error)) => Err(error),
    }
}

/// A frame to be fused.
struct Work {
    frame: usize,
    pose: Transform,
    path: PathBuf,
    /// Whether nobody has looked at it yet.
    is_unseen: bool,
}

/// What it takes to read the frames, once or again.
struct Feeder<'a> {
    aligned: &'a mut Aligned,
    area: Area,
    wish: &'a fuse::Options,
    options: &'a StackOptions,
    job: &'a Job,
    /// Frames that are read at a time,
    lanes: usize,
    /// and when nothing else is done.
    readers: usize,
    watched: Option<Watched<'a>>,
    keeping: Option<Keeping>,
    /// Which frames were fused before, whatever became of that.
    known: Vec<bool>,
    steps: Steps<'a>,
}

impl Feeder<'_> {
    /// Fuses on the processor.
    fn fuse_here(&mut self) -> Result<Fused, Stop> {
        let (wish, area, job) = (self.wish, self.area, self.job);
        // New memory takes long, and so does the first frame, for which all wait.
        let begin = || rayon::join(|| wish.on_cpu(area), || self.read_first());
        let (mut fusion, first) = job.stages().time("begin to fuse", begin);
        if let Some((frame, photo)) = first {
            self.aligned.shelf.put_first(frame, photo);
        }
        self.feed(fusion.as_mut(), wish.method.looks())?;
        let finish = || fusion.finish(&|| !job.is_cancelled());
        let found = job.stages().time("put picture together", finish)?;
        self.look_again_here(found)
    }

    /// Reads the first frame, unless it is to be looked at as well, or kept already, or
    /// cannot be read.
    fn read_first(&self) -> Option<(usize, Decoded)> {
        let Self { aligned, job, .. } = self;
        let frame = aligned.stack.used().find(|&i| aligned.poses[i].is_some())?;
        if aligned.sharpness[frame].is_none() || aligned.shelf.has(frame) {
            return None;
        }
        let path = &aligned.stack.frames[frame].path;
        let read = || read(&aligned.frames, path, self.wish.subsampled, job);
        let photo = job.stages().time("read frames", read);
        Some((frame, photo.ok()?))
    }

    /// Fuses by a helper, in as few bands as it has memory for.
    fn fuse_by(&mut self, helper: &Helper) -> Result<Fused, Stop> {
        let mut first_fault = None;
        let height = self.area.height;
        for bands in BANDS.iter().filter_map(|&count| bands(height, count)) {
            let end = match self.fuse_in(bands.clone(), helper, first_fault.as_ref()) {
                // There may be enough without the frames that it holds.
                Err(Stop::Full(_)) if (helper.release)() => {
                    self.fuse_in(bands, helper, first_fault.as_ref())
                }
                end => end,
            };
            match end {
                Err(Stop::Full(fault)) => {
                    first_fault.get_or_insert(fault);
                }
                end => return end,
            }
        }
        Err(first_fault.map_or(Stop::Job(Error::Cancelled), Stop::Helper))
    }

    /// Fuses in these bands by a helper, which could not in fewer.
    fn fuse_in(
        &mut self,
        mut bands: Vec<Band>,
        helper: &Helper,
        fault: Option<&Error>,
    ) -> Result<Fused, Stop> {
        let (whole, job, count) = (self.area, self.job, bands.len());
        let wish = match count {
            1 => *self.wish,
            _ => self.wish.of_part(whole),
        };
        // Where the tallest fits, all do.
        bands.sort_by_key(|band| Reverse(band.rows.len()));
        let more = self.wish.method.looks() - 1;
        let mut joined = Joined::new(whole);
        for (number, band) in bands.iter().enumerate() {
            let full = |is_full: bool, stop| match stop {
                Stop::Helper(fault) if number == 0 && is_full => Stop::Full(fault),
                stop => stop,
            };
            let begin = || (helper.begin)(&wish, band.of(whole));
            let fusion = job.stages().time("begin to fuse", begin);
            let fusion = fusion.map_err(Stop::of_helper);
            let mut fusion = fusion.map_err(|stop| full(true, stop))?;
            if let (0, Some(fault)) = (number, fault) {
                let (name, problem) = (helper.name, fault.problem());
                job.note(format!(
                    "{problem}; {name} fuses the picture in {count} bands"
                ));
            }
            let fed = self.feed(fusion.as_mut(), count - number + more);
            fed.map_err(|stop| full(!fusion.is_settled(), stop))?;
            let part = fusion.finish(&|| !job.is_cancelled());
            joined.add(band, part.map_err(Stop::of_helper)?);
        }
        let found = joined.into_fused().ok_or(Error::Cancelled)?;
        match count {
            1 => self.look_again(found, helper.again),
            // No band tells what is in the others.
            _ => self.look_again_here(found),
        }
    }

    /// Takes the second look that some methods take, or some stacks need.
    fn look_again(&mut self, found: Fused, again: &Again) -> Result<Fused, Stop> {
        let job = self.job;
        let keep_going = || !job.is_cancelled();
        let veil = self.veil(&found)?;
        if veil.is_some() {
            self.steps = Steps::begin(job, Phase::Unveiling, self.aligned.used().len());
        }
        let second = again(self.wish, found, veil, &keep_going);
        match second.map_err(Stop::of_helper)? {
            Second::Look(mut second) => {
                self.feed(second.as_mut(), 1)?;
                second.finish(&keep_going).map_err(Stop::of_helper)
            }
            Second::None(fused) => Ok(*fused),
        }
    }

    /// What near things lay over what is behind them, if they do.
    fn veil(&self, found: &Fused) -> Result<Option<Veil>> {
        let (options, job) = (&self.options.fuse, self.job);
        let veil = unveiling::veil(self.aligned, self.area, found, options, self.readers, job)?;
        if let Some(veil) = &veil {
            let end = if veil.is_reversed() { "last" } else { "first" };
            job.note(format!(
                "Near things blur over what lies behind them, by {:.1} pixels from frame to \
                 frame, nearest in the {end}: the frames are looked at once more",
                veil.circle()
            ));
        }
        Ok(veil)
    }

    /// The same on the processor.
    fn look_again_here(&mut self, found: Fused) -> Result<Fused, Stop> {
        let area = self.area;
        self.look_again(found, &|wish, found, veil, keep_going| {
            wish.second(found, veil, area, None, keep_going)
        })
    }

    /// Reads the frames in use and adds each to `fusion`: the first of `passes`
    /// that are left.
    fn feed(&mut self, fusion: &mut dyn Fusion, passes: usize) -> Result<(), Stop> {
        let Self {
            aligned,
            wish,
            options,
            job,
            lanes,
            watched,
            known,
            steps,
            keeping,
            ..
        } = self;
        let job: &Job = job;
        let stages = job.stages();
        let keep_going = || !job.is_cancelled();
        let used = aligned.used();
        steps.plan(passes * used.len());
        let scale = Scale::of(&aligned.stack);
        let wanted = Wanted::of(aligned, aligned.chain.is_some(), &options.fuse);
        let reference = aligned.reference;
        let Aligned {
            stack,
            frames,
            exposures,
            moved,
            sharpness,
            glances,
            shelf,
            chain,
            smalls,
            ..
        } = &mut **aligned;
        let moved = |i: usize| moved[i].as_ref().filter(|_| options.fuse.ghost_check);
        let work: Vec<_> = used
            .into_iter()
            .map(|(i, pose)| Work {
                frame: i,
                pose,
                path: stack.frames[i].path.clone(),
                is_unseen: sharpness[i].is_none(),
            })
            .collect();
        // Any order will do, but for those that are matched meanwhile.
        let work = match chain {
            Some(_) => Chain::order(work, |work| work.frame == reference),
            None => work,
        };
        let held = fusion.held();
        let is_held = |frame: usize| {
            let index = u16::try_from(frame).ok();
            index
                .zip(held.as_ref())
                .is_some_and(|(index, held)| held.has(index))
        };
        let mut fault = None;
        let keeping = keeping.take().unwrap_or_else(|| Keeping::of(*lanes));
        let samples = if wish.subsampled { 3 } else { 6 };
        keeping.let_go_below(samples * stack.width * stack.height / 2);
        let fed = pipeline::ordered(
            &work,
            *lanes,
            |work| {
                if is_held(work.frame) {
                    return Ok((None, None));
                }
                let (path, subsampled) = (&work.path, wish.subsampled);
                let read = || match work.is_unseen {
                    true => scale.read_whole(frames, path, subsampled, job),
                    false => Ok((read(frames, path, subsampled, job)?, None)),
                };
                let (photo, reduced) = match shelf.take(work.frame) {
                    Some(photo) => (photo, None),
                    None => stages.time("read frames", read)?,
                };
                let look = || wanted.look(work.frame, &photo, reduced, job);
                let seen = work.is_unseen.then(look);
                let hide = |mut photo: Photo, moved: &Moved| {
                    moved.hide(&mut photo, &work.pose);
                    Decoded::Photo(photo)
                };
                let photo = match moved(work.frame) {
                    Some(moved) => hide(photo.into_photo(), moved),
                    None => photo,
                };
                Ok((Some(photo), seen))
            },
            |work, result: Result<_>| {
                job.check()?;
                let (i, pose) = (work.frame, &work.pose);
                let is_new = !std::mem::replace(&mut known[i], true);
                match result {
                    Ok((photo, seen)) => {
                        if let Some(seen) = seen {
                            sharpness[i] = Some(seen.score);
                            glances[i] = seen.glance;
                            if let (Some(chain), Some(light)) = (&mut *chain, seen.light) {
                                exposures[i] = chain.next(light, i < reference);
                            }
                        }
                        let index = u16::try_from(i).map_err(|_| too_many())?;
                        let exposure = &exposures[i];
                        // Who watches is shown each frame once, and of those that
                        // are not read some.
                        let small = smalls[i].take();
                        if let (true, Some(watched)) = (is_new, watched.as_mut()) {
                            let shown = photo.as_ref().map(Decoded::half_or_more);
                            if let Some(shown) = shown.as_deref().or(small.as_ref()) {
                                watched.add(index, shown, pose, exposure, &keep_going)?;
                            }
                        }
                        let take = || match photo {
                            Some(Decoded::Photo(photo)) => {
                                fusion.take(index, photo, pose, exposure, &keep_going)
                            }
                            Some(Decoded::Subsampled(planes)) => {
                                fusion.take_subsampled(index, planes, pose, exposure, &keep_going)
                            }
                            None => fusion.take_held(index, pose, exposure, &keep_going),
                        };
                        let added = stages.time("fuse frames", take);
                        added.inspect_err(|error| fault = Some(error.clone()))?;
                    }
                    Err(fault) => frames::fail(stack, i, &fault, job)?,
                }
                steps.step();
                Ok(())
            },
        );
        match fault {
            Some(fault) => return Err(Stop::of_helper(fault)),
            None => fed?,
        }
        shelf.clear();
        Ok(frames::enough(stack)?)
    }
}

/// Reads a frame in all its pixels, with its colour at half the size if it is
/// `subsampled` and stored so.
fn read(frames: &Frames, path: &Path, subsampled: bool, job: &Job) -> Result<Decoded> {
    match subsampled {
        true => frames.read_subsampled(path, job),
        false => Ok(Decoded::Photo(frames.read(path, job)?)),
    }
}

impl Stop {
    /// As `error` of a helper, whom nobody blames for being cancelled.
    fn of_helper(error: Error) -> Self {
        match error {
            Error::Cancelled => Self::Job(Error::Cancelled),
            error => Self::Helper(error),
        }
    }
}

fn too_many() -> Error {
    Error::job("a stack has at most 65536 frames", "stack it in parts")
}

#[cfg(test)]
mod tests;
