//! The surface of the subject, from the depth of each pixel.
//!
//! Depths are finer than frames but err where nothing shows focus. Cells of
//! pixels are reduced to the median of their depths by confidence, and so are
//! those about each cell; unsure cells continue what lies around them; and what
//! differs by less than a few frames is smoothed, over growing distances, so
//! that slopes are even and steps stay steps.

use rayon::prelude::*;

use super::KeepGoing;
use super::fuse::fill::fill;
use super::keep_going::check;
use super::plane::{BAND, Plane};
use crate::Result;
use crate::photo::{Photo, Samples, Surface};

/// Vertices, at most: what three-dimensional programs turn without effort.
const VERTICES: usize = 500_000;
/// Confidence from which a cell keeps its own depth.
const SURE: f32 = 128.0;
/// Distances between the taps of the smoothing, in cells.
const STEPS: [usize; 6] = [32, 16, 8, 4, 2, 1];
/// Frames apart from which two cells hardly count as one surface.
const STEP: f32 = 1.5;

/// How deep each pixel of a picture lies.
#[derive(Debug, Clone, Copy)]
pub struct Depth<'a> {
    /// In frames from the first, for each pixel.
    pub frames: &'a [f32],
    /// How sure that is, 0 to 255.
    pub confidence: &'a [u8],
    /// Frames of the stack.
    pub count: usize,
}

/// The surface of `picture`, whose depth is known. The last frame lies `reach`
/// pixels behind the first, which is nearest to the viewer and has the greatest
/// z; x points right, y up, all in pixels of the picture.
///
/// # Errors
///
/// [`Error::Cancelled`] once `keep_going` says no.
pub fn surface(
    picture: &Photo,
    depth: &Depth,
    reach: f64,
    keep_going: KeepGoing,
) -> Result<Surface> {
    let cells = Cells::new(picture.width, picture.height, VERTICES);
    let (mut frames, sure) = reduced(&cells, depth);
    check(keep_going)?;
    frames = outvoted(&frames, &sure);
    fill(&mut frames, &sure);
    for step in STEPS {
        check(keep_going)?;
        frames = smoothed(&frames, &sure, step);
    }
    check(keep_going)?;
    Ok(assembled(picture, &cells, &frames, depth.count, reach))
}

/// Squares of pixels, of which each becomes a vertex.
struct Cells {
    side: usize,
    columns: usize,
    rows: usize,
    width: usize,
    height: usize,
}

impl Cells {
    fn new(width: usize, height: usize, most: usize) -> Self {
        let fits = |side: &usize| width.div_ceil(*side) * height.div_ceil(*side) <= most;
        let side = (1..).find(fits).unwrap_or(1);
        Self {
            side,
            columns: width.div_ceil(side),
            rows: height.div_ceil(side),
            width,
            height,
        }
    }

    /// The places of the pixels of cell `i`.
    fn pixels(&self, i: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let (left, top) = (i % self.columns * self.side, i / self.columns * self.side);
        let rows = top..(top + self.side).min(self.height);
        let columns = left..(left + self.side).min(self.width);
        rows.flat_map(move |y| columns.clone().map(move |x| y * self.width + x))
    }

    /// The centre of cell `i` in pixels.
    fn centre(&self, i: usize) -> [f32; 2] {
        let middle =
            |first: usize, size: usize| (first + (first + self.side).min(size) - 1) as f32 / 2.0;
        [
            middle(i % self.columns * self.side, self.width),
            middle(i / self.columns * self.side, self.height),
        ]
    }

    fn count(&self) -> usize {
        self.columns * self.rows
    }

    fn plane(&self, data: Vec<f32>) -> Plane {
        Plane {
            width: self.columns,
            height: self.rows,
            data,
        }
    }
}

/// For each cell the median depth by confidence, and how sure it is, 0 to 1.
fn reduced(cells: &Cells, depth: &Depth) -> (Plane, Plane) {
    let (frames, sure) = (0..cells.count())
        .into_par_iter()
        .map_init(Vec::new, |known: &mut Vec<(f32, u32)>, i| {
            known.clear();
            known.extend(
                cells
                    .pixels(i)
                    // Something is known even where nothing is sure.
                    .map(|at| (depth.frames[at], u32::from(depth.confidence[at]) + 1)),
            );
            let total: u32 = known.iter().map(|(_, weight)| weight).sum();
            let mean = total as f32 / known.len().max(1) as f32 - 1.0;
            let sure = (mean / SURE).min(1.0);
            (median(known), sure * sure)
        })
        .unzip();
    (cells.plane(frames), cells.plane(sure))
}

/// The depth that half of the weight lies below.
fn median(known: &mut [(f32, u32)]) -> f32 {
    known.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let total: u32 = known.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0;
    let middle = known.iter().find(|(_, weight)| {
        sum += weight;
        2 * sum >= total
    });
    middle.map_or(0.0, |&(frames, _)| frames)
}

/// Each cell the median of 5×5, weighted by how sure they are: a lone cell that
/// errs would stay as a spike.
fn outvoted(frames: &Plane, sure: &Plane) -> Plane {
    let (width, height) = (frames.width, frames.height);
    let near = |at: usize, size: usize| at.saturating_sub(2)..(at + 3).min(size);
    let vote = |known: &mut Vec<(f32, u32)>, i: usize| {
        known.clear();
        for y in near(i / width, height) {
            known.extend(near(i % width, width).map(|x| {
                let at = y * width + x;
                (frames.data[at], (256.0 * sure.data[at]) as u32 + 1)
            }));
        }
        median(known)
    };
    let cells = (0..width * height).into_par_iter();
    Plane {
        width,
        height,
        data: cells.map_init(Vec::new, vote).collect(),
    }
}

/// Each cell the mean of 5×5 cells `step` apart, weighted by how sure they are
/// and how near their frames (a bilateral filter: Tomasi and Manduchi, 1998).
fn smoothed(frames: &Plane, sure: &Plane, step: usize) -> Plane {
    const KERNEL: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    let (width, height) = (frames.width, frames.height);
    let mut out = Plane::new(width, height);
    let length = (width * BAND).max(1);
    out.data
        .par_chunks_mut(length)
        .enumerate()
        .for_each(|(band, rows)| {
            for (i, out) in rows.iter_mut().enumerate() {
                let at = band * length + i;
                let (x, y, own) = (at % width, at / width, frames.data[at]);
                let (mut sum, mut total) = (0.0, 0.0);
                for (j, down) in KERNEL.iter().enumerate() {
                    let Some(v) = balanced(y, j, step, height) else {
                        continue;
                    };
                    for (i, across) in KERNEL.iter().enumerate() {
                        let Some(u) = balanced(x, i, step, width) else {
                            continue;
                        };
                        let other = v * width + u;
                        let apart = (frames.data[other] - own) / STEP;
                        let near = 1.0 / (1.0 + apart.powi(4));
                        let weight = down * across * near * (sure.data[other] + 0.02);
                        sum += weight * frames.data[other];
                        total += weight;
                    }
                }
                *out = sum / total;
            }
        });
    out
}

/// The place of tap `k` of five that lie `step` apart about `at`, if the one on
/// the other side is there as well: else slopes would bend at the border.
fn balanced(at: usize, k: usize, step: usize, size: usize) -> Option<usize> {
    let reach = k.abs_diff(2) * step;
    let inside = reach <= at && at + reach < size;
    inside.then(|| at + k * step - 2 * step)
}

fn assembled(picture: &Photo, cells: &Cells, frames: &Plane, count: usize, reach: f64) -> Surface {
    let last = (count.max(2) - 1) as f32;
    let places: Vec<[f32; 3]> = (0..cells.count())
        .into_par_iter()
        .map(|i| {
            let [x, y] = cells.centre(i);
            let height = 1.0 - (frames.data[i] / last).clamp(0.0, 1.0);
            [x, (picture.height - 1) as f32 - y, height * reach as f32]
        })
        .collect();
    let colours = (0..cells.count())
        .into_par_iter()
        .map(|i| colour(picture, cells.pixels(i)))
        .collect();
    let shown = (0..cells.count())
        .into_par_iter()
        .map(|i| {
            let alpha = picture.alpha.as_ref();
            alpha.is_none_or(|alpha| cells.pixels(i).any(|at| alpha[at] > 0))
        })
        .collect();
    Surface {
        columns: cells.columns,
        rows: cells.rows,
        places,
        colours,
        shown,
        size: [picture.width, picture.height],
    }
}

/// The mean of pixels, in 8 bits.
fn colour(picture: &Photo, pixels: impl Iterator<Item = usize> + Clone) -> [u8; 3] {
    let count = pixels.clone().count().max(1) as u64;
    [0, 1, 2].map(|c| {
        let sum: u64 = pixels
            .clone()
            .map(|at| match &picture.samples {
                Samples::Eight(samples) => u64::from(samples[3 * at + c]) * 257,
                Samples::Sixteen(samples) => u64::from(samples[3 * at + c]),
            })
            .sum();
        ((sum / count + 128) / 257) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 200;
    const HEIGHT: usize = 120;

    fn picture() -> Photo {
        Photo {
            width: WIDTH,
            height: HEIGHT,
            samples: Samples::Sixteen(vec![257 * 100; WIDTH * HEIGHT * 3]),
            ..Photo::default()
        }
    }

    /// The frame at each pixel of the surface of a depth map of eleven frames.
    fn found(
        frames: impl Fn(usize, usize) -> f32,
        confidence: impl Fn(usize, usize) -> u8,
    ) -> Vec<f32> {
        let pixels = || (0..WIDTH * HEIGHT).map(|i| (i % WIDTH, i / WIDTH));
        let depth = Depth {
            frames: &pixels().map(|(x, y)| frames(x, y)).collect::<Vec<_>>(),
            confidence: &pixels().map(|(x, y)| confidence(x, y)).collect::<Vec<_>>(),
            count: 11,
        };
        let surface = surface(&picture(), &depth, 100.0, &|| true).unwrap();
        assert_eq!((surface.columns, surface.rows), (WIDTH, HEIGHT));
        surface
            .places
            .iter()
            .map(|place| 10.0 - place[2] / 10.0)
            .collect()
    }

    #[test]
    fn terraces_become_a_slope() {
        let truth = |x: usize| 10.0 * x as f32 / (WIDTH - 1) as f32;
        let frames = found(|x, _| truth(x).round(), |_, _| 255);
        for (i, frame) in frames.iter().enumerate() {
            let x = i % WIDTH;
            if (20..180).contains(&x) {
                assert!((frame - truth(x)).abs() < 0.2, "{x}: {frame}");
            }
        }
    }

    #[test]
    fn depths_finer_than_frames_stay_as_they_are() {
        // So gentle that whole frames would be one terrace.
        let truth = |x: usize| 4.6 + 0.8 * x as f32 / (WIDTH - 1) as f32;
        let frames = found(|x, _| truth(x), |_, _| 255);
        for (i, frame) in frames.iter().enumerate() {
            let x = i % WIDTH;
            if (20..180).contains(&x) {
                assert!((frame - truth(x)).abs() < 0.01, "{x}: {frame}");
            }
        }
    }

    #[test]
    fn a_step_stays_a_step() {
        let frames = found(|x, _| if x < 100 { 1.0 } else { 8.0 }, |_, _| 255);
        for row in frames.chunks(WIDTH) {
            assert!(row[..100].iter().all(|frame| (frame - 1.0).abs() < 0.3));
            assert!(row[100..].iter().all(|frame| (frame - 8.0).abs() < 0.3));
        }
    }

    #[test]
    fn what_is_unsure_continues_what_is_sure() {
        let hole = |x: usize, y: usize| (80..120).contains(&x) && (40..80).contains(&y);
        let wild = |x: usize, y: usize| ((x * 7 + y * 13) % 11) as f32;
        let frames = found(
            |x, y| if hole(x, y) { wild(x, y) } else { 4.0 },
            |x, y| if hole(x, y) { 3 } else { 200 },
        );
        for frame in frames {
            assert!((frame - 4.0).abs() < 0.1, "{frame}");
        }
    }

    #[test]
    fn a_lone_error_leaves_no_spike() {
        let frames = found(
            |x, y| if (x, y) == (90, 60) { 10.0 } else { 2.0 },
            |_, _| 255,
        );
        assert!(frames.iter().all(|frame| (frame - 2.0).abs() < 0.01));
    }

    #[test]
    fn large_pictures_are_thinned_out_and_their_cells_stay_in_place() {
        let cells = Cells::new(6000, 4000, VERTICES);
        assert!(cells.count() <= VERTICES && cells.count() > VERTICES / 2);
        assert_eq!(cells.side, 7);
        assert_eq!(cells.centre(0), [3.0, 3.0]);
        // The last column is one pixel wide.
        assert_eq!(cells.centre(cells.columns - 1), [5999.0, 3.0]);
        assert_eq!(cells.pixels(cells.columns - 1).count(), 7);
    }

    #[test]
    fn the_first_frame_is_in_front_and_what_shows_nothing_is_left_out() {
        let mut picture = picture();
        picture.alpha = Some(
            (0..WIDTH * HEIGHT)
                .map(|i| if i % WIDTH < 50 { 0 } else { 255 })
                .collect(),
        );
        let depth = Depth {
            frames: &vec![0.0; WIDTH * HEIGHT],
            confidence: &vec![255; WIDTH * HEIGHT],
            count: 11,
        };
        let surface = surface(&picture, &depth, 40.0, &|| true).unwrap();
        assert!(surface.places.iter().all(|place| place[2] == 40.0));
        assert_eq!(surface.places[WIDTH], [0.0, 118.0, 40.0]);
        assert_eq!(surface.colours[0], [100; 3]);
        assert_eq!(
            surface.shown.iter().filter(|shown| !**shown).count(),
            50 * HEIGHT
        );
    }
}
