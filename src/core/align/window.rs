//! How far one small window of a frame lies from where a pose expects it.
//!
//! Each window compares a patch of the template with the patch of the moving
//! frame that the pose puts on it. Both are normalised to zero mean and unit
//! variance, as the enhanced correlation coefficient does (Evangelidis and
//! Psarakis, 2008), so that brightness and contrast do not matter; the step is
//! taken along the mean of both gradients, which converges quadratically
//! (efficient second-order minimisation, Benhimane and Malis, 2004).
//!
//! The blur is applied to patches with a margin that is thrown away: nothing
//! is mirrored at a border, which would pull the scale towards one.

use crate::core::Transform;
use crate::core::grey::Grey;

/// The blur before patches are compared, in pixels.
const BLUR: f32 = 1.0;
/// Pixels on each side of a window that blur and gradient use up.
pub const MARGIN: usize = 4;
/// Half of the blur's kernel; the gradient takes one pixel more.
const REACH: usize = MARGIN - 1;

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

/// A window of the template, blurred and normalised, ready to be compared.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Where it is.
    pub window: Window,
    /// `padded²` values; the blur is valid inside the outermost `REACH`.
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
    rows: Vec<f32>,
}

impl Patch {
    /// Cuts a window out of the template; `None` where it lies too near the
    /// border or shows nothing.
    pub fn cut(template: &Grey, window: Window) -> Option<Self> {
        let padded = window.padded();
        let (left, top) = (window.x.checked_sub(MARGIN)?, window.y.checked_sub(MARGIN)?);
        if left + padded > template.width || top + padded > template.height {
            return None;
        }
        let mut values = Vec::with_capacity(padded * padded);
        for y in top..top + padded {
            let row = &template.row(y)[left..left + padded];
            values.extend(row.iter().map(|&v| f32::from(v)));
        }
        blur(&mut values, padded, &mut Vec::new());
        normalise(&mut values, window)?;
        Some(Self { window, values })
    }

    /// Compares with the moving frame, where `pose` maps template to moving
    /// pixels. `None` where the window leaves the frame, shows nothing there,
    /// or leaves its position open in every direction.
    pub fn compare(
        &self,
        moving: &Grey,
        pose: &Transform,
        scratch: &mut Scratch,
    ) -> Option<Observation> {
        let (window, padded) = (self.window, self.window.padded());
        sample(moving, pose, window, &mut scratch.moved)?;
        blur(&mut scratch.moved, padded, &mut scratch.rows);
        normalise(&mut scratch.moved, window)?;
        let (a, b) = (&self.values, &scratch.moved);

        let (mut xx, mut xy, mut yy) = (0.0f64, 0.0f64, 0.0f64);
        let (mut bx, mut by, mut product) = (0.0f64, 0.0f64, 0.0f64);
        for y in MARGIN..MARGIN + window.side {
            let at = y * padded + MARGIN;
            let (mut sums, n) = ([0.0f32; 6], window.side);
            let near = |offset: isize| {
                let start = at.wrapping_add_signed(offset);
                (&a[start..start + n], &b[start..start + n])
            };
            let ((la, lb), (ra, rb)) = (near(-1), near(1));
            let ((ua, ub), (da, db)) = (near(-(padded as isize)), near(padded as isize));
            let (ca, cb) = near(0);
            for i in 0..n {
                let gx = 0.25 * (ra[i] - la[i] + rb[i] - lb[i]);
                let gy = 0.25 * (da[i] - ua[i] + db[i] - ub[i]);
                let difference = ca[i] - cb[i];
                sums[0] += gx * gx;
                sums[1] += gx * gy;
                sums[2] += gy * gy;
                sums[3] += gx * difference;
                sums[4] += gy * difference;
                sums[5] += ca[i] * cb[i];
            }
            xx += f64::from(sums[0]);
            xy += f64::from(sums[1]);
            yy += f64::from(sums[2]);
            bx += f64::from(sums[3]);
            by += f64::from(sums[4]);
            product += f64::from(sums[5]);
        }
        let pixels = (window.side * window.side) as f64;
        let correlation = product / pixels;

        // A trace of the sum holds back a direction without texture.
        let hold = 1e-3 * (xx + yy);
        if hold <= 0.0 {
            return None;
        }
        let determinant = (xx + hold) * (yy + hold) - xy * xy;
        let shift = [
            ((yy + hold) * bx - xy * by) / determinant,
            ((xx + hold) * by - xy * bx) / determinant,
        ];
        // The residual's variance is 2(1 − ρ); the blur makes about a dozen
        // neighbouring residuals one.
        let variance = (2.0 * (1.0 - correlation)).max(2e-3) * 12.0;
        Some(Observation {
            centre: window.centre(),
            shift,
            information: [xx / variance, xy / variance, yy / variance],
            correlation,
        })
    }
}

/// Samples the moving frame on the padded grid of a window, by Catmull-Rom's
/// cubic.
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
        let inside = |v: f64, size: usize| v >= 1.0 && v < size as f64 - 2.0;
        if !inside(corner[0], moving.width) || !inside(corner[1], moving.height) {
            return None;
        }
    }
    to.clear();
    to.reserve(padded * padded);
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

/// Weights of Catmull-Rom's cubic for the four samples about a position `t`
/// beyond the second (Keys, 1981, a = -1/2).
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        -0.5 * t2 + 0.5 * t3,
    ]
}

/// Blurs a square patch in place; the outermost `REACH` values on each side
/// are meaningless afterwards.
fn blur(values: &mut [f32], side: usize, rows: &mut Vec<f32>) {
    let weight = |i: f32| (-i * i / (2.0 * BLUR * BLUR)).exp();
    let mut kernel = [0.0f32; REACH + 1];
    for (i, k) in kernel.iter_mut().enumerate() {
        *k = weight(i as f32);
    }
    let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f32>();
    kernel.iter_mut().for_each(|k| *k /= total);

    rows.clear();
    rows.resize(side * side, 0.0);
    for y in REACH..side - REACH {
        for x in 0..side {
            let at = y * side + x;
            let mut sum = kernel[0] * values[at];
            for (k, w) in kernel.iter().enumerate().skip(1) {
                sum += w * (values[at - k * side] + values[at + k * side]);
            }
            rows[at] = sum;
        }
    }
    for y in REACH..side - REACH {
        for x in REACH..side - REACH {
            let at = y * side + x;
            let mut sum = kernel[0] * rows[at];
            for (k, w) in kernel.iter().enumerate().skip(1) {
                sum += w * (rows[at - k] + rows[at + k]);
            }
            values[at] = sum;
        }
    }
}

/// Brings the window's inside to zero mean and unit variance, its margin along
/// with it; `None` where it is flat.
fn normalise(values: &mut [f32], window: Window) -> Option<()> {
    let (padded, side) = (window.padded(), window.side);
    let (mut sum, mut squares) = (0.0f64, 0.0f64);
    for y in MARGIN..MARGIN + side {
        let row = &values[y * padded + MARGIN..y * padded + MARGIN + side];
        sum += f64::from(row.iter().sum::<f32>());
        squares += row
            .iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum::<f64>();
    }
    let pixels = (side * side) as f64;
    let mean = sum / pixels;
    let variance = squares / pixels - mean * mean;
    // One level of eight bits: less is noise, or nothing at all.
    if variance < 257.0 * 257.0 / 16.0 {
        return None;
    }
    let (mean, scale) = (mean as f32, (1.0 / variance.sqrt()) as f32);
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
