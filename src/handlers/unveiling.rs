//! Asks a few frames of a stack what near things lay over what is behind them.

use super::alignment::Aligned;
use super::{FuseOptions, Job};
use crate::Result;
use crate::core::fuse::{Fused, Method};
use crate::core::pipeline;
use crate::core::plane::Plane;
use crate::core::thumbnail::Rgba;
use crate::core::transform::Transform;
use crate::core::veil::{Depths, Unveil, Veil};
use crate::core::warp::{Area, Exposure, warp};
use crate::photo::Photo;

/// Frames that are asked: enough to see every part of a scene sharp and blurred.
const ASKED: usize = 12;

/// The veils over the frames of a stack, whose picture was fused in `area`; `None`
/// where they are not wanted or there are none. Frames are read again, `lanes` at
/// a time, in few pixels.
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
    if options.unveil == Unveil::Off || options.method != Method::Hybrid {
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
    let grid = depths.grid();
    let asked = ASKED.min(used.len());
    let places = (0..asked).map(|k| k * (used.len() - 1) / (asked - 1).max(1));
    let asked: Vec<_> = places.map(|k| used[k]).collect();
    let mut samples = Vec::new();
    let longer = aligned.stack.width.max(aligned.stack.height);
    pipeline::ordered(
        &asked,
        lanes,
        |&(i, pose)| {
            let path = &aligned.stack.frames[i].path;
            let photo = aligned
                .frames
                .read_reduced(path, longer.div_ceil(grid.1), job);
            photo.map(|photo| sample(&photo, longer, &pose, area, &aligned.exposures[i], grid))
        },
        |&(i, _), sample| {
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

/// What a frame shows in cells of `step` pixels of the result, `columns` and `rows`
/// of them. `longer` is its longer side when it is not reduced.
fn sample(
    photo: &Photo,
    longer: usize,
    pose: &Transform,
    area: Area,
    exposure: &Exposure,
    ([columns, rows], step): ([usize; 2], usize),
) -> [Plane; 3] {
    let small = Rgba::of(photo).reduced(longer.div_ceil(step)).into_photo();
    let factor = longer as f64 / small.width.max(small.height) as f64;
    // A cell begins at a pixel; a reduced pixel lies in the middle of a block.
    let first = |at: usize| (at as f64 + 0.5) / factor - 0.5;
    let scale = step as f64 / factor;
    let cells = Transform([
        [scale, 0.0, first(area.x)],
        [0.0, scale, first(area.y)],
        [0.0, 0.0, 1.0],
    ]);
    let whole = Area {
        x: 0,
        y: 0,
        width: columns,
        height: rows,
    };
    warp(&small, &cells.then(&pose.reduced(factor)), whole, exposure).channels
}
