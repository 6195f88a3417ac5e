//! Asks a few frames of a stack what near things lay over what is behind them.

use super::alignment::Aligned;
use super::{FuseOptions, Job};
use crate::Result;
use crate::core::fuse::{Fused, Method};
use crate::core::pipeline;
use crate::core::plane::Plane;
use crate::core::thumbnail::shrunk;
use crate::core::transform::Transform;
use crate::core::veil::{self, Depths, Unveil, Veil};
use crate::core::warp::{Area, Exposure, warp};
use crate::photo::Photo;

/// Frames that are asked: enough to see every part of a scene sharp and blurred.
const ASKED: usize = 12;

/// A small picture of a frame, kept from when it was read, so that it need not be
/// read again to be asked.
#[derive(Debug, Clone)]
pub struct Glance {
    photo: Photo,
    /// Pixels of the frame across and down that one of it stands for.
    step: usize,
}

impl Glance {
    /// Of a frame of this width and height that was read in all its pixels, or halved
    /// once or more.
    pub fn of(photo: &Photo, (width, height): (usize, usize)) -> Self {
        Self::of_step(photo, width, veil::step(width, height))
    }

    fn of_step(photo: &Photo, width: usize, step: usize) -> Self {
        let mut times = 1;
        while times < step && width.div_ceil(times) > photo.width {
            times *= 2;
        }
        let photo = shrunk(photo, step / times);
        Self { photo, step }
    }

    /// What the frame shows in `cells` of the result, each as large as a pixel of this.
    fn sample(&self, pose: &Transform, area: Area, exposure: &Exposure, cells: Area) -> [Plane; 3] {
        let step = self.step as f64;
        // A cell begins at a pixel; a reduced pixel lies in the middle of a block.
        let first = |at: usize| (at as f64 + 0.5) / step - 0.5;
        let place = Transform::translation(first(area.x), first(area.y));
        warp(
            &self.photo,
            &place.then(&pose.reduced(step)),
            cells,
            exposure,
        )
        .channels
    }
}

/// The frames that may be asked for veils, of those in use.
pub fn to_ask(used: &[usize], options: &FuseOptions) -> Vec<usize> {
    match is_wanted(options) {
        true => some(used),
        false => Vec::new(),
    }
}

fn is_wanted(options: &FuseOptions) -> bool {
    options.unveil != Unveil::Off && options.method == Method::Hybrid
}

/// So many of all as are asked, the first and the last among them.
pub fn some<T: Copy>(all: &[T]) -> Vec<T> {
    let asked = ASKED.min(all.len());
    let places = (0..asked).map(|k| k * (all.len() - 1) / (asked - 1).max(1));
    places.map(|k| all[k]).collect()
}

/// The veils over the frames of a stack, whose picture was fused in `area`; `None`
/// where they are not wanted or there are none. Frames of which no glance is kept are
/// read again, `lanes` at a time, in few pixels.
///
/// # Errors
///
/// If the job is cancelled. A frame that cannot be read is not asked.
pub fn veil(
    aligned: &Aligned,
    area: Area,
    found: &Fused,
    options: &FuseOptions,
    lanes: usize,
    job: &Job,
) -> Result<Option<Veil>> {
    if !is_wanted(options) {
        return Ok(None);
    }
    let veil = search(aligned, area, found, options, lanes, job)?;
    if veil.is_none() && options.unveil != Unveil::Auto {
        job.note("Nothing blurs over what lies behind it: there is nothing to lift");
    }
    Ok(veil)
}

fn search(
    aligned: &Aligned,
    area: Area,
    found: &Fused,
    options: &FuseOptions,
    lanes: usize,
    job: &Job,
) -> Result<Option<Veil>> {
    let keep_going = || !job.is_cancelled();
    let used = aligned.used();
    let Some(last) = used.last().and_then(|(i, _)| u16::try_from(*i).ok()) else {
        return Ok(None);
    };
    let stages = job.stages();
    let depths = || Depths::of(found, last, options.smoothness, &keep_going);
    let Some(depths) = stages.time("look for what is in front", depths)? else {
        return Ok(None);
    };
    if options.unveil == Unveil::Auto && depths.is_dazzled() {
        return Ok(None);
    }
    let ([columns, rows], step) = depths.grid();
    let cells = Area {
        x: 0,
        y: 0,
        width: columns,
        height: rows,
    };
    let mut samples = Vec::new();
    pipeline::ordered(
        &some(&used),
        lanes,
        |&(i, pose)| {
            let exposure = &aligned.exposures[i];
            let known = aligned.glances[i].as_ref();
            if let Some(glance) = known.filter(|glance| glance.step == step) {
                return Ok(glance.sample(&pose, area, exposure, cells));
            }
            let glance = read_again(aligned, i, step, job);
            glance.map(|glance| glance.sample(&pose, area, exposure, cells))
        },
        |&(i, _), sample: Result<_>| {
            job.check()?;
            if let (Ok(sample), Ok(index)) = (sample, u16::try_from(i)) {
                samples.push((index, sample));
            }
            Ok(())
        },
    )?;
    let veil = || depths.veil(options.unveil, &samples, &keep_going);
    stages.time("look for veils", veil)
}

/// Reads a frame again for a glance of this step.
fn read_again(aligned: &Aligned, frame: usize, step: usize, job: &Job) -> Result<Glance> {
    let stack = &aligned.stack;
    let side = stack.width.max(stack.height).div_ceil(step);
    let path = &stack.frames[frame].path;
    let photo = aligned.frames.read_reduced(path, side, job)?;
    Ok(Glance::of_step(&photo, stack.width, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::Samples;

    #[test]
    fn a_glance_shows_at_each_cell_what_the_frame_shows_there() {
        let (width, height, step) = (240, 160, 4);
        let value = |x: usize, y: usize, c: usize| (20 + x / 2 + y / 3 + 10 * c) as u8;
        let samples = 0..width * height * 3;
        let samples = samples.map(|i| value(i / 3 % width, i / 3 / width, i % 3));
        let frame = Photo {
            width,
            height,
            samples: Samples::Eight(samples.collect()),
            ..Photo::default()
        };
        let pose = Transform::similarity(1.01, 0.02, [120.0, 80.0], [1.5, -2.0]);
        let area = Area {
            x: 22,
            y: 14,
            width: 180,
            height: 120,
        };
        let cells = Area {
            x: 0,
            y: 0,
            width: area.width / step,
            height: area.height / step,
        };
        let exposure = Exposure::default();
        let whole = warp(&frame, &pose, area, &exposure).channels;
        for read in [frame.clone(), shrunk(&frame, 2)] {
            let glance = Glance::of_step(&read, width, step);
            assert_eq!((glance.photo.width, glance.photo.height), (60, 40));
            let seen = glance.sample(&pose, area, &exposure, cells);
            for (seen, whole) in seen.iter().zip(&whole) {
                for (at, value) in seen.data.iter().enumerate() {
                    let (x, y) = (at % cells.width * step, at / cells.width * step);
                    let there = whole.row(y)[x];
                    assert!(
                        (value - there).abs() < 2.0 / 255.0,
                        "{x} {y}: {value} {there}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_and_the_last_are_asked() {
        assert!(some(&[0usize; 0]).is_empty());
        assert_eq!(some(&[3]), [3]);
        let all: Vec<usize> = (0..100).collect();
        let asked = some(&all);
        assert_eq!((asked.len(), asked[0], asked[11]), (ASKED, 0, 99));
    }
}
