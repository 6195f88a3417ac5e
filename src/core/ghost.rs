//! What moved between the frames: an insect's leg, a leaf in the wind.
//!
//! Focus moves light about, but not far from one frame to the next, and blur is
//! a mean: whichever of two neighbouring frames is blurrier at a place, its
//! values there lie within the range that the other shows nearby. Where neither
//! lies within the range of the other, something else came or went. From there
//! on, away from the reference, a frame counts as moved as long as it disagrees
//! with the reference in the same sense. All of this is judged on small
//! luminance pictures, in which noise and the finest detail are gone.

use rayon::prelude::*;

use super::Transform;
use super::extreme::{greatest_within, least_within};
use super::grey::GreyPyramid;
use super::plane::{BAND, Plane};
use super::warp::Area;
use crate::photo::Photo;

/// Pixels of a small picture on its longer side, at most.
const SIDE: usize = 400;
/// Cells each way within which light may move between neighbours.
const NEAR: usize = 2;
/// The least difference that counts, as a share of full scale in the square
/// root of the light: about a tenth of the tones from black to white.
const TOLERANCE: f32 = 0.05;
/// The same in proportion to the value, for what exposure leaves.
const RELATIVE: f32 = 0.04;
/// So many times the usual difference of two frames is needed beside that.
const NOISE: f32 = 4.0;
/// Cells that something moved must cover at least.
const SMALLEST: usize = 12;
/// What is hidden reaches so many cells beyond what is found: the range of the
/// neighbours hides the rim of what moved.
const RIM: usize = NEAR + 2;
/// Share of the picture beyond which a frame does not show something that
/// moved but another scene or another light.
const LARGEST: f64 = 0.3;
/// Cells that two frames must have in common to be compared.
const COMMON: usize = 64;

/// A frame in few pixels, for comparing.
#[derive(Debug, Clone)]
pub struct Look {
    /// Pixels of the frame for one of these, each way.
    factor: usize,
    width: usize,
    height: usize,
    /// The square root of the light, 0 to 65535.
    values: Vec<u16>,
}

impl Look {
    /// Reduces linear luminance.
    pub fn of(pyramid: &GreyPyramid) -> Option<Self> {
        let levels = pyramid.levels();
        let fits = |&at: &usize| levels[at].width.max(levels[at].height) <= SIDE;
        let last = levels.len().checked_sub(1)?;
        let at = (0..=last).find(fits).unwrap_or(last);
        let level = &levels[at];
        let root = |&v: &u16| ((f32::from(v) / 65535.0).sqrt() * 65535.0) as u16;
        Some(Self {
            factor: pyramid.factor(at),
            width: level.width,
            height: level.height,
            values: level.data.iter().map(root).collect(),
        })
    }

    /// The value at (`x`, `y`), between pixels a mean of four; that of the
    /// nearest pixel beyond the border.
    fn at(&self, x: f64, y: f64) -> f32 {
        let clamp = |at: f64, size: usize| at.clamp(0.0, (size - 1) as f64);
        let (x, y) = (clamp(x, self.width), clamp(y, self.height));
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (fx, fy) = ((x - x0 as f64) as f32, (y - y0 as f64) as f32);
        let value = |x: usize, y: usize| f32::from(self.values[y * self.width + x]) / 65535.0;
        let row = |y| value(x0, y) * (1.0 - fx) + value(x1, y) * fx;
        row(y0) * (1.0 - fy) + row(y1) * fy
    }

    /// This frame on the grid of the reference, as bright as it.
    fn laid(&self, reference: &Laid, pose: &Transform) -> Option<Laid> {
        let pose = pose.reduced(self.factor as f64);
        let (width, height) = (reference.values.width, reference.values.height);
        let mut values = Plane::new(width, height);
        let mut shows = vec![false; width * height];
        let rows = values.data.par_chunks_mut(width);
        rows.zip(shows.par_chunks_mut(width))
            .enumerate()
            .for_each(|(y, (values, shows))| {
                for x in 0..width {
                    let [u, v] = pose.apply(x as f64, y as f64);
                    let (right, bottom) = ((self.width - 1) as f64, (self.height - 1) as f64);
                    shows[x] = (0.0..=right).contains(&u) && (0.0..=bottom).contains(&v);
                    values[x] = self.at(u, v);
                }
            });
        let laid = Laid { values, shows };
        let gain = gain(&laid, reference)?;
        Some(laid.finished(gain))
    }
}

/// A small frame on the grid of the reference.
struct Laid {
    values: Plane,
    shows: Vec<bool>,
}

impl Laid {
    fn finished(mut self, gain: f32) -> Self {
        self.values = self.values.windowed();
        self.values.data.iter_mut().for_each(|value| *value *= gain);
        self
    }
}

/// What brings `laid` to the brightness of the reference: the median ratio, in
/// which each cell counts by its light. Blur spreads light into dark cells, so
/// that they tell little.
fn gain(laid: &Laid, reference: &Laid) -> Option<f32> {
    let mut ratios: Vec<(f32, f32)> = laid
        .values
        .data
        .iter()
        .zip(&reference.values.data)
        .zip(&laid.shows)
        .filter(|((own, other), shows)| **shows && **own > 0.05 && **other > 0.05)
        .map(|((own, other), _)| (other / own, own.min(*other).powi(2)))
        .collect();
    if ratios.len() < COMMON {
        return None;
    }
    ratios.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half: f32 = ratios.iter().map(|(_, light)| light).sum::<f32>() / 2.0;
    let mut sum = 0.0;
    let middle = ratios.iter().find(|(_, light)| {
        sum += light;
        sum >= half
    });
    middle.map(|&(ratio, _)| ratio)
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Where a frame shows something that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Pixels of the reference across and down a cell.
    factor: usize,
    columns: usize,
    cells: Vec<bool>,
    /// The share of the reference's area that it covers.
    pub share: f64,
    /// The smallest part of the reference that holds all of it.
    pub region: Area,
}

/// What moved in each frame against the reference. `looks` and `poses`
/// (reference to frame pixels) have one entry per frame of the stack; frames
/// without either are passed over.
pub fn find(
    looks: &[Option<Look>],
    poses: &[Option<Transform>],
    reference: usize,
) -> Vec<Option<Moved>> {
    let mut found: Vec<Option<Moved>> = looks.iter().map(|_| None).collect();
    let Some(Some(look)) = looks.get(reference) else {
        return found;
    };
    let values = Plane {
        width: look.width,
        height: look.height,
        data: look
            .values
            .iter()
            .map(|&v| f32::from(v) / 65535.0)
            .collect(),
    };
    let shows = vec![true; values.data.len()];
    let raw = Laid { values, shows };
    let finished = Laid {
        values: raw.values.windowed(),
        shows: raw.shows.clone(),
    };
    let walk = |order: Vec<usize>| -> Vec<(usize, Moved)> {
        let mut walk = Walk::new(look, &finished);
        let steps = order.into_iter().filter_map(|i| {
            let laid = looks[i].as_ref()?.laid(&raw, poses[i].as_ref()?)?;
            Some((i, walk.step(laid)?))
        });
        steps.collect()
    };
    let (up, down) = rayon::join(
        || walk((reference + 1..looks.len()).collect()),
        || walk((0..reference).rev().collect()),
    );
    for (i, moved) in up.into_iter().chain(down) {
        found[i] = Some(moved);
    }
    found
}

/// From the reference outwards, frame after frame.
struct Walk<'a> {
    look: &'a Look,
    reference: Ranged<'a>,
    /// The frame before.
    last: Option<Laid>,
    /// Where that one disagrees with the reference.
    moved: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn new(look: &'a Look, reference: &'a Laid) -> Self {
        Self {
            look,
            reference: Ranged::of(reference),
            last: None,
            moved: vec![false; reference.shows.len()],
        }
    }

    fn step(&mut self, laid: Laid) -> Option<Moved> {
        let width = self.look.width;
        let own = Ranged::of(&laid);
        let jumped = match &self.last {
            None => self.reference.differs(&own),
            Some(last) => Ranged::of(last).differs(&own),
        };
        let disagrees = self.reference.differs(&own);
        let before = grown(&self.moved, width, 1);
        let cells = jumped.iter().zip(&before).zip(&disagrees);
        let cells = cells.map(|((jumped, before), disagrees)| (*jumped || *before) && *disagrees);
        self.moved = large(cells.collect(), width);
        self.last = Some(laid);
        let cells = grown(&self.moved, width, RIM);
        self.moved_of(cells)
    }

    fn moved_of(&self, cells: Vec<bool>) -> Option<Moved> {
        let Look { factor, width, .. } = *self.look;
        let places = || (0..cells.len()).filter(|&i| cells[i]);
        let share = places().count() as f64 / cells.len() as f64;
        if share == 0.0 || share > LARGEST {
            return None;
        }
        let left = places().map(|i| i % width).min()?;
        let right = places().map(|i| i % width).max()?;
        let (top, bottom) = (places().min()? / width, places().max()? / width);
        Some(Moved {
            factor,
            columns: width,
            share,
            region: Area {
                x: left * factor,
                y: top * factor,
                width: (right + 1 - left) * factor,
                height: (bottom + 1 - top) * factor,
            },
            cells,
        })
    }
}

/// A frame with the range of values about each cell.
struct Ranged<'a> {
    laid: &'a Laid,
    low: Vec<f32>,
    high: Vec<f32>,
}

impl<'a> Ranged<'a> {
    fn of(laid: &'a Laid) -> Self {
        Self {
            laid,
            low: least_within(&laid.values, NEAR).data,
            high: greatest_within(&laid.values, NEAR).data,
        }
    }

    /// Where neither frame lies within the range of the other.
    fn differs(&self, other: &Ranged) -> Vec<bool> {
        let (a, b) = (&self.laid.values.data, &other.laid.values.data);
        let both = |i: usize| self.laid.shows[i] && other.laid.shows[i];
        let mut differences: Vec<f32> = (0..a.len())
            .filter(|&i| both(i))
            .map(|i| (a[i] - b[i]).abs())
            .collect();
        if differences.len() < COMMON {
            return vec![false; a.len()];
        }
        let tolerance = TOLERANCE + NOISE * median(&mut differences);
        let outside = |value: f32, ranged: &Ranged, i: usize| {
            let tolerance = tolerance + RELATIVE * value;
            value < ranged.low[i] - tolerance || value > ranged.high[i] + tolerance
        };
        (0..a.len())
            .into_par_iter()
            .map(|i| both(i) && outside(a[i], other, i) && outside(b[i], self, i))
            .collect()
    }
}

/// The cells within `by` cells of one that is set.
fn grown(cells: &[bool], width: usize, by: usize) -> Vec<bool> {
    let height = cells.len() / width.max(1);
    let near = |at: usize, size: usize| at.saturating_sub(by)..(at + by + 1).min(size);
    let mut rows = vec![false; cells.len()];
    for (row, out) in cells.chunks(width).zip(rows.chunks_mut(width)) {
        for (x, out) in out.iter_mut().enumerate() {
            *out = row[near(x, width)].contains(&true);
        }
    }
    let any = |i: usize| near(i / width, height).any(|y| rows[y * width + i % width]);
    (0..cells.len()).map(any).collect()
}

/// The cells that hang together with at least [`SMALLEST`] others.
fn large(mut cells: Vec<bool>, width: usize) -> Vec<bool> {
    let height = cells.len() / width.max(1);
    let mut kept = vec![false; cells.len()];
    for start in 0..cells.len() {
        if !std::mem::take(&mut cells[start]) {
            continue;
        }
        let (mut group, mut next) = (vec![start], 0);
        while let Some(&at) = group.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            for v in y.saturating_sub(1)..(y + 2).min(height) {
                for u in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::take(&mut cells[v * width + u]) {
                        group.push(v * width + u);
                    }
                }
            }
        }
        if group.len() >= SMALLEST {
            group.into_iter().for_each(|at| kept[at] = true);
        }
    }
    kept
}

impl Moved {
    /// Makes what moved transparent in the frame, which `pose` (reference to
    /// frame pixels) lays on the reference.
    pub fn hide(&self, photo: &mut Photo, pose: &Transform) {
        let (Some(back), width) = (pose.inverse(), photo.width) else {
            return;
        };
        let rows = self.cells.len() / self.columns.max(1);
        let cell = |at: f64| ((at + 0.5) / self.factor as f64).floor();
        let pixels = photo.pixels();
        let alpha = photo.alpha.get_or_insert_with(|| vec![255; pixels]);
        alpha
            .par_chunks_mut((width * BAND).max(1))
            .enumerate()
            .for_each(|(band, alpha)| {
                for (i, alpha) in alpha.iter_mut().enumerate() {
                    let (x, y) = (i % width, band * BAND + i / width);
                    let [u, v] = back.apply(x as f64, y as f64);
                    let (u, v) = (cell(u), cell(v));
                    let inside =
                        (0.0..self.columns as f64).contains(&u) && (0.0..rows as f64).contains(&v);
                    if inside && self.cells[v as usize * self.columns + u as usize] {
                        *alpha = 0;
                    }
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::grey::Grey;

    const WIDTH: usize = 600;
    const HEIGHT: usize = 400;
    const SQUARE: usize = 60;

    /// Linear luminance of soft blobs with a dark square at `x`, 150, if any.
    fn pyramid(x: Option<usize>, light: f64) -> GreyPyramid {
        let data = (0..WIDTH * HEIGHT)
            .map(|i| {
                let (u, v) = (i % WIDTH, i / WIDTH);
                let square = x.is_some_and(|x| {
                    (x..x + SQUARE).contains(&u) && (150..150 + SQUARE).contains(&v)
                });
                let blob = 0.4 + 0.2 * (u as f64 / 40.0).sin() * (v as f64 / 30.0).cos();
                let value = if square { 0.03 } else { blob };
                (light * value * 65535.0) as u16
            })
            .collect();
        let full = Grey {
            width: WIDTH,
            height: HEIGHT,
            data,
        };
        GreyPyramid::new(full, (WIDTH, HEIGHT), 0, 24)
    }

    fn found(places: &[Option<usize>], lights: &[f64]) -> Vec<Option<Moved>> {
        let looks: Vec<_> = places
            .iter()
            .zip(lights)
            .map(|(&place, &light)| Look::of(&pyramid(place, light)))
            .collect();
        let poses = vec![Some(Transform::IDENTITY); places.len()];
        find(&looks, &poses, places.len() / 2)
    }

    #[test]
    fn what_stays_is_not_found_whatever_the_light() {
        let found = found(&[Some(200); 5], &[0.7, 1.0, 1.2, 0.9, 1.3]);
        assert!(found.iter().all(Option::is_none), "{found:?}");
    }

    #[test]
    fn what_moved_is_hidden_at_both_of_its_places_and_little_else() {
        let places = [Some(100), Some(100), Some(300), Some(300), Some(300)];
        let moved = found(&places, &[1.0; 5]);
        assert!(moved[2..].iter().all(Option::is_none), "{moved:?}");
        for moved in moved[..2].iter().flatten() {
            let area = (2 * SQUARE * SQUARE) as f64 / (WIDTH * HEIGHT) as f64;
            assert!(
                (1.0..2.2).contains(&(moved.share / area)),
                "{}",
                moved.share
            );
            let mut photo = Photo {
                width: WIDTH,
                height: HEIGHT,
                ..Photo::default()
            };
            moved.hide(&mut photo, &Transform::IDENTITY);
            let alpha = photo.alpha.unwrap();
            for (i, alpha) in alpha.into_iter().enumerate() {
                let (x, y) = (i % WIDTH, i / WIDTH);
                let within = |grow: usize| {
                    [100, 300].iter().any(|left| {
                        (left - grow..left + SQUARE + grow).contains(&x)
                            && (150 - grow..150 + SQUARE + grow).contains(&y)
                    })
                };
                assert!(!within(0) || alpha == 0, "{x}, {y}");
                assert!(within(24) || alpha == 255, "{x}, {y}");
            }
        }
        assert_eq!(moved.iter().flatten().count(), 2);
    }

    #[test]
    fn what_only_passes_is_hidden_where_it_passes() {
        let places = [None, None, None, Some(300), None, None];
        let found = found(&places, &[1.0; 6]);
        assert!(found[4].is_some() || found[3].is_some());
        let hidden: Vec<bool> = found.iter().map(Option::is_some).collect();
        // The reference is the frame that it passes in.
        assert_eq!(hidden, [true, true, true, false, true, true]);
    }

    #[test]
    fn frames_that_cannot_be_compared_are_passed_over() {
        let look = Look::of(&pyramid(Some(100), 1.0));
        let other = Look::of(&pyramid(Some(300), 1.0));
        let far = Transform::translation(10_000.0, 0.0);
        let poses = [Some(far), Some(Transform::IDENTITY), None];
        let found = find(&[other.clone(), look, other], &poses, 1);
        assert_eq!(found, [None, None, None]);
    }
}
