//! The shift of one small frame on another, from nothing.

use rayon::prelude::*;

use crate::core::grey::Grey;
use crate::vector::{dot, vectorised};

/// Less spread than this share of a frame's own is none.
const FLAT: f64 = 1e-6;

/// The shift, in whole pixels, at which two small frames correlate best, among
/// those that leave half of the frame in common each way.
pub fn search(template: &Grey, moving: &Grey) -> [f64; 2] {
    let (template, moving) = (Even::of(template), Even::of(moving));
    let (width, height) = (
        template.width.min(moving.width) as isize,
        template.height.min(moving.height) as isize,
    );
    let (reach_x, reach_y) = (width / 2, height / 2);
    let best = (-reach_y..=reach_y)
        .into_par_iter()
        .flat_map_iter(|dy| (-reach_x..=reach_x).map(move |dx| (dx, dy)))
        .map(|(dx, dy)| {
            let (own, other) = ([0.max(-dx), 0.max(-dy)], [0.max(dx), 0.max(dy)]);
            let [own, other] = [own, other].map(|start| start.map(|v| v as usize));
            let size = [width - dx.abs(), height - dy.abs()].map(|v| v as usize);
            (template.correlation(&moving, own, other, size), dx, dy)
        })
        .max_by(|a, b| {
            // Among equals the smallest shift.
            a.0.total_cmp(&b.0)
                .then((b.1.abs() + b.2.abs()).cmp(&(a.1.abs() + a.2.abs())))
        });
    best.map_or([0.0, 0.0], |(_, dx, dy)| [dx as f64, dy as f64])
}

/// A frame of zero mean and unit variance, and what it adds up to.
struct Even {
    width: usize,
    height: usize,
    values: Vec<f32>,
    /// Sums of the values and of their squares above and left of each corner of
    /// a pixel, `(width + 1) * (height + 1)` of them (Crow, 1984).
    sums: Vec<[f64; 2]>,
}

impl Even {
    fn of(grey: &Grey) -> Self {
        let (width, height) = (grey.width, grey.height);
        let n = grey.data.len().max(1) as f64;
        let mean = grey.data.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let off = |&v: &u16| (f64::from(v) - mean).powi(2);
        let spread = (grey.data.iter().map(off).sum::<f64>() / n).sqrt();
        let scale = 1.0 / spread.max(f64::MIN_POSITIVE);
        let value = |&v: &u16| ((f64::from(v) - mean) * scale) as f32;
        let values: Vec<f32> = match spread > 0.0 {
            true => grey.data.iter().map(value).collect(),
            false => vec![0.0; grey.data.len()],
        };
        let mut sums = vec![[0.0; 2]; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = [0.0; 2];
            for x in 0..width {
                let value = f64::from(values[y * width + x]);
                row = [row[0] + value, row[1] + value * value];
                let above = sums[y * (width + 1) + x + 1];
                let below = &mut sums[(y + 1) * (width + 1) + x + 1];
                *below = [above[0] + row[0], above[1] + row[1]];
            }
        }
        Self {
            width,
            height,
            values,
            sums,
        }
    }

    /// The sum of the values of a part, and of their squares.
    fn total(&self, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> [f64; 2] {
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let [a, b] = [at(x, y), at(x + width, y)];
        let [c, d] = [at(x, y + height), at(x + width, y + height)];
        [0, 1].map(|k| a[k] + d[k] - b[k] - c[k])
    }

    /// How well a part of this one, from `own` on, correlates with the part of
    /// `other` from `its` on; -1 where one of the two is flat.
    fn correlation(&self, other: &Self, own: [usize; 2], its: [usize; 2], size: [usize; 2]) -> f64 {
        let [width, height] = size;
        let n = (width * height) as f64;
        let [a, aa] = self.total(own, size);
        let [b, bb] = other.total(its, size);
        let (aa, bb) = (aa / n - (a / n).powi(2), bb / n - (b / n).powi(2));
        if aa < FLAT || bb < FLAT {
            return -1.0;
        }
        let row = |even: &Self, [x, y]: [usize; 2], k: usize| {
            let start = (y + k) * even.width + x;
            start..start + width
        };
        let product = vectorised(
            #[inline(always)]
            || -> f64 {
                (0..height)
                    .map(|k| {
                        let (own, its) = (row(self, own, k), row(other, its, k));
                        f64::from(dot(&self.values[own], &other.values[its]))
                    })
                    .sum()
            },
        );
        (product / n - a / n * (b / n)) / (aa * bb).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of a scene without order, from (x, y) on, each less than 60.
    fn part(x: usize, y: usize) -> Grey {
        let mut random = fastrand::Rng::with_seed(7);
        let scene: Vec<u16> = (0..100 * 100).map(|_| random.u16(..)).collect();
        let (width, height) = (40, 30);
        let at = |i: usize| scene[(y + i / width) * 100 + x + i % width];
        Grey {
            width,
            height,
            data: (0..width * height).map(at).collect(),
        }
    }

    #[test]
    fn any_shift_is_found_that_leaves_half_in_common() {
        let template = part(30, 30);
        for (x, y) in [(30, 30), (33, 24), (12, 41), (48, 17)] {
            let shift = [30.0 - x as f64, 30.0 - y as f64];
            assert_eq!(search(&template, &part(x, y)), shift);
        }
    }

    #[test]
    fn brightness_and_contrast_do_not_matter() {
        let mut darker = part(27, 35);
        darker.data.iter_mut().for_each(|v| *v = *v / 5 + 9000);
        assert_eq!(search(&part(30, 30), &darker), [3.0, -5.0]);
    }

    #[test]
    fn what_shows_nothing_stays_where_it_is() {
        let flat = Grey {
            data: vec![700; 1200],
            ..part(0, 0)
        };
        assert_eq!(search(&flat, &flat), [0.0, 0.0]);
        assert_eq!(search(&part(0, 0), &flat), [0.0, 0.0]);
    }
}
