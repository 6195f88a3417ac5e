//! What the frames themselves tell of a lens, and of which end of the stack is
//! nearest.

use rayon::prelude::*;

use super::cells::Cells;
use super::layers::{Layers, Scene, light};
use super::sheet::{fade, lifted};
use crate::Result;
use crate::core::KeepGoing;
use crate::core::extreme::{disc, greatest, least};
use crate::core::keep_going::check;
use crate::core::plane::Plane;

/// The least and the most a step in depth blurs, as a radius in pixels of the
/// picture, and from one that is tried to the next.
const LEAST: f32 = 0.35;
const MOST: f32 = 60.0;
const COARSE: f32 = 1.7;
/// Frames that differ by less, squared, from a scene that is not blurred at all
/// beside jumps in depth have no veil there.
const FAINT: f32 = 3e-4;
/// A circle is found where it explains frames so much better than none does.
const BETTER: f32 = 0.97;
/// Of the circle that explains frames best, so much is taken: outlines are a
/// little wide, and a veil that is lifted too far shows.
const SHY: f32 = 0.9;
/// Frames that circles are tried on.
const TRIED: usize = 4;
/// How often cells are halved for that.
const HALVED: usize = 2;
/// Pixels about a jump in depth where its blur is looked at, and those where its
/// outline is.
const BLURRED: usize = 12;
const OUTLINE: usize = 10;
/// The surroundings that an outline is compared with, in pixels.
const AROUND: f32 = 24.0;
/// A share of what is lifted that may lie out of range by noise.
const CHANCE: f32 = 0.01;

/// A frame in cells.
pub struct Sample<'a> {
    /// Its place in the stack, in frames from the nearest.
    pub place: f32,
    /// What it shows, full scale is 1.
    pub channels: &'a [Plane; 3],
}

/// The radius of blur for a step in depth, in cells; `None` where none explains
/// the `samples` clearly.
pub fn circle(
    scene: &Scene,
    layers: &Layers,
    samples: &[Sample],
    keep_going: KeepGoing,
) -> Result<Option<f32>> {
    // Blur shows in few pixels.
    let halved = |cells: Cells| (0..HALVED).fold(cells, |cells, _| cells.halved());
    let edges = (0..HALVED).fold(scene.jumps(BLURRED), |jumps, _| jumps.reduced());
    let every = samples.len().div_ceil(TRIED).max(1);
    let frames: Vec<(f32, Cells)> = samples
        .iter()
        .step_by(every)
        .map(|sample| (sample.place, halved(sample.light())))
        .collect();
    let off = |circle: f32| -> f32 {
        let each = frames.par_iter().map(|(place, frame)| {
            let seen = layers.seen(*place, f32::NEG_INFINITY, circle, HALVED);
            let cells = seen.data.iter().zip(&frame.data).zip(&edges.data);
            let cells = cells.filter(|(_, jump)| **jump > scene.gap);
            cells
                .map(|((seen, frame), _)| {
                    let apart = |c: usize| (seen[c] / seen[3].max(1e-3)).sqrt() - frame[c].sqrt();
                    (0..3).map(|c| apart(c).powi(2)).sum::<f32>()
                })
                .sum::<f32>()
        });
        // In one order, whoever is faster.
        each.collect::<Vec<f32>>().into_iter().sum()
    };
    let pixel = 1.0 / (scene.step << HALVED) as f32;
    let try_out = |circle: f32| (off(circle * pixel), circle);
    let none = off(0.0);
    let cells = frames.len() * edges.data.len();
    if none < FAINT * cells as f32 {
        return Ok(None);
    }
    let less = |a: &(f32, f32), b: &(f32, f32)| a.0.total_cmp(&b.0);
    let tried = std::iter::successors(Some(LEAST), |circle| Some(circle * COARSE));
    let tried = tried.take_while(|&circle| circle < MOST);
    let tried = tried.map(|circle| check(keep_going).map(|()| try_out(circle)));
    let tried = tried.collect::<Result<Vec<_>>>()?;
    let Some((rough_off, rough)) = tried.into_iter().min_by(less) else {
        return Ok(None);
    };
    let finer = [rough / COARSE.sqrt(), rough * COARSE.sqrt()].map(try_out);
    let all = finer.into_iter().chain([(rough_off, rough)]);
    let (best_off, best) = all.min_by(less).unwrap_or((rough_off, rough));
    tracing::debug!(none, best_off, best, "the blur of a step in depth");
    let is_clear = rough > LEAST && best_off.sqrt() < BETTER * none.sqrt();
    Ok(is_clear.then(|| SHY * best / scene.step as f32))
}

/// How much of what is lifted off the `samples` where they are sharp, and free of
/// the `bloom` of highlights, no frame shows, as a share, and how much is lifted,
/// as a mean over all cells.
pub fn beyond(
    scene: &Scene,
    layers: &Layers,
    bloom: &Plane,
    circle: f32,
    samples: &[Sample],
    keep_going: KeepGoing,
) -> Result<[f32; 2]> {
    // It shows at half the size as well.
    let frames = samples.par_iter().map(|sample| sample.light().halved());
    let frames: Vec<Cells> = frames.collect();
    let Some(first) = frames.first() else {
        return Ok([1.0, 0.0]);
    };
    let about = disc(1);
    let bloom = bloom.reduced();
    let range = [0, 1, 2].map(|c| {
        let bound = |more: fn(f32, f32) -> f32| {
            let value = |i: usize| frames.iter().map(|frame| frame.data[i][c]).reduce(more);
            Plane {
                width: first.width,
                height: first.height,
                data: (0..first.data.len())
                    .into_par_iter()
                    .map(|i| value(i).unwrap_or(0.0))
                    .collect(),
            }
        };
        [
            least(&bound(f32::min), &about),
            greatest(&bound(f32::max), &about),
        ]
    });
    let near = (scene.frames as f32 / 32.0).max(1.0);
    let each = samples.par_iter().zip(&frames).map(|(sample, frame)| {
        check(keep_going)?;
        let (mut out, mut all) = (0.0f64, 0.0f64);
        let veil = layers.seen(sample.place, scene.gap, circle / 2.0, 1);
        let cover = layers.covered(1, |at| sample.place - at > scene.gap);
        let own = layers.covered(1, |at| (sample.place - at).abs() <= near);
        for (i, (cell, veil)) in frame.data.iter().zip(&veil.data).enumerate() {
            let bare = (1.0 - cover.data[i].min(1.0)) * (1.0 - bloom.data[i].min(1.0));
            let share = fade(veil[3]) * bare * own.data[i];
            for c in 0..3 {
                let change = share * (lifted(cell[c], veil[c], veil[3]) - cell[c]);
                let [low, high] = [range[c][0].data[i], range[c][1].data[i]];
                let value = cell[c] + change;
                out += f64::from((value - value.clamp(low, high)).abs());
                all += f64::from(change.abs());
            }
        }
        Ok((out, all))
    });
    let each = each.collect::<Result<Vec<_>>>()?;
    // In one order, whoever is faster.
    let (out, all) =
        (each.into_iter()).fold((0.0, 0.0), |(out, all), (more, of)| (out + more, all + of));
    let cells = (samples.len() * first.data.len()) as f64;
    Ok([(out / all.max(1e-9)) as f32 + CHANCE, (all / cells) as f32])
}

/// How much more contrast outlines have on the near side of a jump in depth than
/// on the other, as a ratio: an outline is that of the nearer thing, and sharp
/// where that is.
pub fn outline(scene: &Scene) -> f32 {
    let disc = disc((OUTLINE / scene.step).max(1));
    let most = greatest(&scene.depth, &disc);
    let least = least(&scene.depth, &disc);
    let contrast = contrast(scene.picture);
    let cells = |i: usize| [contrast.data[i], 0.0, 0.0, 1.0];
    let around = Cells::from_fn(contrast.width, contrast.height, cells);
    let around = around.softened(AROUND / scene.step as f32);
    let (mut near, mut far) = ([0.0f64; 2], [0.0f64; 2]);
    for (i, &depth) in scene.depth.data.iter().enumerate() {
        let (least, most) = (least.data[i], most.data[i]);
        if most - least <= scene.gap {
            continue;
        }
        let off = depth - (least + most) / 2.0;
        let side = match off {
            _ if off < -scene.gap / 4.0 => &mut near,
            _ if off > scene.gap / 4.0 => &mut far,
            _ => continue,
        };
        side[0] += f64::from(contrast.data[i] / (around.data[i][0] + 1e-5));
        side[1] += 1.0;
    }
    let [near, far] = [near, far].map(|[sum, count]| (sum + 1e-3) / (count + 1e-3));
    (near / far) as f32
}

/// The squared gradient of grey.
fn contrast(picture: &[Plane; 3]) -> Plane {
    let [red, green, blue] = picture;
    let (width, height) = (red.width, red.height);
    let grey = |x: usize, y: usize| {
        let at = y.min(height - 1) * width + x.min(width - 1);
        0.25 * red.data[at] + 0.5 * green.data[at] + 0.25 * blue.data[at]
    };
    let value = |i: usize| {
        let (x, y) = (i % width, i / width);
        let (left, above) = (x.saturating_sub(1), y.saturating_sub(1));
        let across = (grey(x + 1, y) - grey(left, y)) / 2.0;
        let down = (grey(x, y + 1) - grey(x, above)) / 2.0;
        across * across + down * down
    };
    Plane {
        width,
        height,
        data: (0..width * height).map(value).collect(),
    }
}

impl Sample<'_> {
    fn light(&self) -> Cells {
        let [red, green, blue] = self.channels;
        Cells::from_fn(red.width, red.height, |i| {
            let [r, g, b] = [red, green, blue].map(|plane| light(plane.data[i]));
            [r, g, b, 1.0]
        })
    }
}
