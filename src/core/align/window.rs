//! How far one small window of a frame lies from where a pose expects it.
//!
//! Each window compares a patch of the template with the patch of the moving
//! frame that the pose puts on it. Both are normalised to zero mean and unit
//! variance, as the enhanced correlation coefficient does (Evangelidis and
//! Psarakis, 2008), so that brightness and contrast do not matter; the step is
//! taken along the mean of both gradients, which converges quadratically
//! (efficient second-order minimisation, Benhimane and Malis, 2004).
//!
//! Frames are softened once for all windows. Windows keep off the border by as
//! far as that reaches: nothing is mirrored there, which would pull the scale
//! towards one.

use crate::core::Transform;
use crate::core::grey::{Grey, SOFTENED};
use crate::vector::vectorised;

/// Pixels on each side of a window that the gradient uses up.
const MARGIN: usize = 1;
/// How far, in pixels, the border of a frame has its say in what is softened.
const REACH: usize = SOFTENED;
/// How far, in pixels, rows of a window may bend and still count as rows.
const STRAIGHT: f64 = 0.02;
/// The widest padded window.
const WIDEST: usize = 34;

/// A square window of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Left edge, in pixels of the template.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Pixels across and down.
    pub side: usize,
}

impl Window {
    /// The window's centre.
    pub fn centre(self) -> [f64; 2] {
        let half = (self.side as f64 - 1.0) / 2.0;
        [self.x as f64 + half, self.y as f64 + half]
    }

    fn padded(self) -> usize {
        self.side + 2 * MARGIN
    }
}

/// A window of the template, normalised, ready to be compared.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Where it is.
    pub window: Window,
    /// `padded²` values.
    values: Vec<f32>,
}

/// What a window says about a pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The window's centre in the template.
    pub centre: [f64; 2],
    /// How far the content lies from where the pose expects it, in template
    /// pixels.
    pub shift: [f64; 2],
    /// The shift's information matrix (inverse covariance), xx, xy, yy.
    pub information: [f64; 3],
    /// Correlation of the two patches, -1 to 1.
    pub correlation: f64,
}

/// Buffers for [`Patch::compare`], to be used again and again.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    moved: Vec<f32>,
}

impl Patch {
    /// Cuts a window out of the template, which is softened; `None` where it lies
    /// too near the border or shows nothing.
    pub fn cut(template: &Grey, window: Window) -> Option<Self> {
        let padded = window.padded();
        let before = |start: usize| start.checked_sub(MARGIN + REACH);
        let (left, top) = (before(window.x)? + REACH, before(window.y)? + REACH);
        let end = padded + REACH;
        if left + end > template.width || top + end > template.height {
            return None;
        }
        let mut values = Vec::with_capacity(padded * padded);
        for y in top..top + padded {
            let row = &template.row(y)[left..left + padded];
            values.extend(row.iter().map(|&v| f32::from(v)));
        }
        vectorised(
            #[inline(always)]
            || normalise(&mut values, window),
        )?;
        Some(Self { window, values })
    }

    /// Compares with the moving frame, softened as well, where `pose` maps
    /// template to moving pixels. `None` where the window leaves the frame, shows nothing there,
    /// or leaves its position open in every direction.
    pub fn compare(
        &self,
        moving: &Grey,
        pose: &Transform,
        scratch: &mut Scratch,
    ) -> Option<Observation> {
        vectorised(
            #[inline(always)]
            || self.compared(moving, pose, scratch),
        )
    }

    #[inline(always)]
    fn compared(
        &self,
        moving: &Grey,
        pose: &Transform,
        scratch: &mut Scratch,
    ) -> Option<Observation> {
        let window = self.window;
        sample(moving, pose, window, &mut scratch.moved)?;
        normalise(&mut scratch.moved, window)?;
        let (a, b) = (&self.values, &scratch.moved);

        let sums = Sums::of(a, b, window);
        let pixels = (window.side * window.side) as f64;
        // Of two patches whose squares add up to as many as there are pixels.
        let correlation = 1.0 - sums.squares / (2.0 * pixels);

        // A change of brightness or contrast is no shift: what of the gradients
        // looks like one is taken off (as in the paper on ECC). Else a smooth
        // window would seem to know its place, and hold all others back.
        let power = pixels * (1.0 + correlation) / 2.0;
        let ([xx, xy, yy], g, m) = (sums.gradients, sums.gradient, sums.mean);
        let alike = |i: usize, j: usize| g[i] * g[j] / pixels + m[i] * m[j] / power;
        // A trace of the sum holds back a direction without texture.
        let hold = 1e-3 * (xx + yy);
        let xx = xx - alike(0, 0) + hold;
        let xy = xy - alike(0, 1);
        let yy = yy - alike(1, 1) + hold;
        let determinant = xx * yy - xy * xy;
        if determinant <= 0.0 {
            return None;
        }
        let shift = [
            (yy * sums.off[0] - xy * sums.off[1]) / determinant,
            (xx * sums.off[1] - xy * sums.off[0]) / determinant,
        ];
        // The residual's variance is 2(1 − ρ); the blur makes about a dozen
        // neighbouring residuals one.
        let variance = (2.0 * (1.0 - correlation)).max(2e-3) * 12.0;
        Some(Observation {
            centre: window.centre(),
            shift,
            information: [xx, xy, yy].map(|sum| sum / variance),
            correlation,
        })
    }
}

/// What two patches add up to over the inside of their window. The gradient is
/// the mean of both.
struct Sums {
    /// Products of the gradient's parts: xx, xy, yy.
    gradients: [f64; 3],
    /// The gradient.
    gradient: [f64; 2],
    /// Products of the gradient with the mean of the patches.
    mean: [f64; 2],
    /// Products of the gradient with their difference.
    off: [f64; 2],
    /// Squares of the difference.
    squares: f64,
}

impl Sums {
    #[inline(always)]
    fn of(a: &[f32], b: &[f32], window: Window) -> Self {
        let padded = window.padded();
        let mut sums = [[0.0; LANES]; 10];
        for row in MARGIN..MARGIN + window.side {
            for first in (0..window.side).step_by(LANES) {
                let at = row * padded + MARGIN + first;
                let count = LANES.min(window.side - first);
                let x = gradient(both(a, b, at - 1, count), both(a, b, at + 1, count));
                let [above, below] = [at - padded, at + padded];
                let y = gradient(both(a, b, above, count), both(a, b, below, count));
                let (a, b) = both(a, b, at, count);
                let (mut mean, mut off) = ([0.0; LANES], [0.0; LANES]);
                for k in 0..LANES {
                    (mean[k], off[k]) = (0.5 * (a[k] + b[k]), a[k] - b[k]);
                }
                for k in 0..LANES {
                    sums[0][k] += x[k] * x[k];
                    sums[1][k] += x[k] * y[k];
                    sums[2][k] += y[k] * y[k];
                    sums[3][k] += x[k];
                    sums[4][k] += y[k];
                    sums[5][k] += x[k] * mean[k];
                    sums[6][k] += y[k] * mean[k];
                    sums[7][k] += x[k] * off[k];
                    sums[8][k] += y[k] * off[k];
                    sums[9][k] += off[k] * off[k];
                }
            }
        }
        let [xx, xy, yy, x, y, mx, my, ox, oy, squares] = sums.map(total);
        Self {
            gradients: [xx, xy, yy],
            gradient: [x, y],
            mean: [mx, my],
            off: [ox, oy],
            squares,
        }
    }
}

/// Values of a window that are looked at beside each other.
const LANES: usize = 8;
type Lanes = [f32; LANES];

/// So many values, and zeros.
#[inline(always)]
fn run(values: &[f32], at: usize, count: usize) -> Lanes {
    let values = &values[at..at + count];
    if let Some(whole) = values.first_chunk() {
        return *whole;
    }
    let mut lanes = [0.0; LANES];
    lanes[..count].copy_from_slice(values);
    lanes
}

/// The same of two patches.
#[inline(always)]
fn both(a: &[f32], b: &[f32], at: usize, count: usize) -> (Lanes, Lanes) {
    (run(a, at, count), run(b, at, count))
}

/// The mean gradient of both patches, from values before and after.
#[inline(always)]
fn gradient((la, lb): (Lanes, Lanes), (ra, rb): (Lanes, Lanes)) -> Lanes {
    let mut out = [0.0; LANES];
    for k in 0..LANES {
        out[k] = 0.25 * (ra[k] - la[k] + rb[k] - lb[k]);
    }
    out
}

/// What the values add up to.
fn total(lanes: Lanes) -> f64 {
    lanes.into_iter().map(f64::from).sum()
}

/// Samples the moving frame on the padded grid of a window, by Catmull-Rom's
/// cubic.
#[inline(always)]
fn sample(moving: &Grey, pose: &Transform, window: Window, to: &mut Vec<f32>) -> Option<()> {
    let padded = window.padded();
    let [cx, cy] = window.centre();
    let [ox, oy] = pose.apply(cx, cy);
    // Within a window the pose is affine to a ten-thousandth of a pixel.
    let ([rx, ry], [lx, ly]) = (pose.apply(cx + 1.0, cy), pose.apply(cx - 1.0, cy));
    let ([dx, dy], [ux, uy]) = (pose.apply(cx, cy + 1.0), pose.apply(cx, cy - 1.0));
    let across = [(rx - lx) / 2.0, (ry - ly) / 2.0];
    let down = [(dx - ux) / 2.0, (dy - uy) / 2.0];
    let half = (padded as f64 - 1.0) / 2.0;
    let at = |i: f64, j: f64| {
        [
            ox + across[0] * (i - half) + down[0] * (j - half),
            oy + across[1] * (i - half) + down[1] * (j - half),
        ]
    };
    let end = padded as f64 - 1.0;
    for corner in [at(0.0, 0.0), at(end, 0.0), at(0.0, end), at(end, end)] {
        let first = 1.0 + REACH as f64;
        let inside = |v: f64, size: usize| v >= first && v < size as f64 - first - 1.0;
        if !inside(corner[0], moving.width) || !inside(corner[1], moving.height) {
            return None;
        }
    }
    to.clear();
    to.reserve(padded * padded);
    let bent = across[1].abs().max(down[0].abs()) * half;
    if bent < STRAIGHT && (0.3..3.0).contains(&across[0]) {
        let (x, y) = (
            |i: usize| at(i as f64, half)[0],
            |j: usize| at(half, j as f64)[1],
        );
        sample_straight(moving, padded, x, y, to);
        return Some(());
    }
    for j in 0..padded {
        let [mut x, mut y] = at(0.0, j as f64);
        for _ in 0..padded {
            let (x0, y0) = (x as usize, y as usize);
            let (wx, wy) = (cubic((x - x0 as f64) as f32), cubic((y - y0 as f64) as f32));
            let mut sum = 0.0;
            for (k, wy) in wy.iter().enumerate() {
                let start = (y0 + k - 1) * moving.width + x0 - 1;
                let row = &moving.data[start..start + 4];
                let across: f32 = row.iter().zip(&wx).map(|(&v, w)| f32::from(v) * w).sum();
                sum += wy * across;
            }
            to.push(sum);
            x += across[0];
            y += across[1];
        }
    }
    Some(())
}

/// The same where rows and columns stay rows and columns: `x` and `y` tell
/// where each lies. Whole rows are mixed first, which vector units like.
#[inline(always)]
fn sample_straight(
    moving: &Grey,
    padded: usize,
    x: impl Fn(usize) -> f64,
    y: impl Fn(usize) -> f64,
    to: &mut Vec<f32>,
) {
    let split = |v: f64| (v as usize - 1, cubic(v.fract() as f32));
    let mut starts = [0; WIDEST];
    let mut weights = [[0.0f32; WIDEST]; 4];
    for (i, start) in starts[..padded].iter_mut().enumerate() {
        let (first, own) = split(x(i));
        *start = first;
        (0..4).for_each(|k| weights[k][i] = own[k]);
    }
    let left = starts[0];
    let span = starts[padded - 1] + 4 - left;
    let mut mixed = [0.0f32; 4 * WIDEST];
    to.resize(padded * padded, 0.0);
    for (j, out) in to.chunks_exact_mut(padded).enumerate() {
        let (top, weights_down) = split(y(j));
        let row = |k: usize| &moving.row(top + k)[left..left + span];
        mix([0, 1, 2, 3].map(row), weights_down, &mut mixed[..span]);
        let mut first = 0;
        // Columns that lie one after another, as nearly all do, are a vector.
        for run in starts[..padded].chunk_by(|a, b| a + 1 == *b) {
            let end = first + run.len();
            let near = |k: usize| &mixed[run[0] - left + k..][..run.len()];
            let own = |k: usize| &weights[k][first..end];
            let out = out[first..end].iter_mut().zip(near(0)).zip(own(0));
            let out = out.zip(near(1)).zip(own(1)).zip(near(2)).zip(own(2));
            for ((((((((out, a), wa), b), wb), c), wc), d), wd) in out.zip(near(3)).zip(own(3)) {
                *out = wa * a + wb * b + wc * c + wd * d;
            }
            first = end;
        }
    }
}

/// Makes `mixed` the weighted sum of four rows.
#[inline(always)]
fn mix([a, b, c, d]: [&[u16]; 4], weights: [f32; 4], mixed: &mut [f32]) {
    let rows = mixed.iter_mut().zip(a).zip(b).zip(c).zip(d);
    for ((((mixed, a), b), c), d) in rows {
        *mixed = weights[0] * f32::from(*a)
            + weights[1] * f32::from(*b)
            + weights[2] * f32::from(*c)
            + weights[3] * f32::from(*d);
    }
}

/// Weights of Catmull-Rom's cubic for the four samples about a position `t`
/// beyond the second (Keys, 1981, a = -1/2).
#[inline(always)]
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        -0.5 * t2 + 0.5 * t3,
    ]
}

/// Brings the window's inside to zero mean and unit variance, its margin along
/// with it; `None` where it is flat.
#[inline(always)]
fn normalise(values: &mut [f32], window: Window) -> Option<()> {
    let (padded, side) = (window.padded(), window.side);
    let mut sums = [[0.0; LANES]; 2];
    // About a value of the window, so that squares stay exact.
    let about = values[padded * padded / 2];
    for row in MARGIN..MARGIN + side {
        for first in (0..side).step_by(LANES) {
            let count = LANES.min(side - first);
            let own = run(values, row * padded + MARGIN + first, count);
            for k in 0..LANES {
                let off = if k < count { own[k] - about } else { 0.0 };
                sums[0][k] += off;
                sums[1][k] += off * off;
            }
        }
    }
    let pixels = (side * side) as f64;
    let [total, squares] = sums.map(total);
    let mean = total / pixels;
    let variance = squares / pixels - mean * mean;
    // One level of eight bits: less is noise, or nothing at all.
    if variance < 257.0 * 257.0 / 16.0 {
        return None;
    }
    let (mean, scale) = (about + mean as f32, (1.0 / variance.sqrt()) as f32);
    values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(dx: f64, dy: f64) -> Grey {
        let value = |x: f64, y: f64| {
            32768.0 + 9000.0 * (x * 0.31 + y * 0.12).sin() + 9000.0 * (y * 0.27 - x * 0.08).cos()
        };
        let (width, height) = (80, 80);
        Grey {
            width,
            height,
            data: (0..width * height)
                .map(|i| value((i % width) as f64 - dx, (i / width) as f64 - dy).round() as u16)
                .collect(),
        }
        .softened()
    }

    #[test]
    fn a_shift_is_found_to_a_hundredth_of_a_pixel() {
        let window = Window {
            x: 20,
            y: 20,
            side: 32,
        };
        let patch = Patch::cut(&waves(0.0, 0.0), window).unwrap();
        let moving = waves(0.6, -0.4);
        let mut pose = Transform::IDENTITY;
        for _ in 0..4 {
            let seen = patch
                .compare(&moving, &pose, &mut Scratch::default())
                .unwrap();
            pose = Transform::translation(seen.shift[0], seen.shift[1]).then(&pose);
        }
        let [x, y] = pose.apply(0.0, 0.0);
        assert!((x - 0.6).abs() < 0.01 && (y + 0.4).abs() < 0.01, "{x} {y}");
    }

    #[test]
    fn a_smooth_window_follows_as_far_as_a_sharp_one() {
        // Waves far longer than the window: what is mostly a change of brightness
        // must not be taken for certain, nor for less of a shift than it is.
        let (width, height) = (90, 90);
        let long = |dx: f64| {
            let value = |x: f64, y: f64| 30_000.0 + 9000.0 * (x * 0.05).sin() * (y * 0.045).cos();
            let data = (0..width * height)
                .map(|i| value((i % width) as f64 - dx, (i / width) as f64).round() as u16);
            Grey {
                width,
                height,
                data: data.collect(),
            }
            .softened()
        };
        let window = Window {
            x: 30,
            y: 30,
            side: 32,
        };
        let patch = Patch::cut(&long(0.0), window).unwrap();
        let mut scratch = Scratch::default();
        let seen = patch.compare(&long(0.4), &Transform::IDENTITY, &mut scratch);
        let [x, y] = seen.unwrap().shift;
        assert!((x - 0.4).abs() < 0.06 && y.abs() < 0.06, "{x} {y}");
    }

    #[test]
    fn a_flat_window_is_refused() {
        let flat = Grey {
            width: 60,
            height: 60,
            data: vec![1000; 3600],
        };
        let window = Window {
            x: 10,
            y: 10,
            side: 32,
        };
        assert!(Patch::cut(&flat, window).is_none());
    }
}
