//! A picture fused in bands of rows, one after another, where a device cannot
//! hold it whole.
//!
//! Each band is fused with more rows than are kept of it: what is coarse leans
//! on what is far away. What is left of the difference between two bands is
//! faint and wide, and hidden by fading one into the next.

use std::ops::Range;

use super::{DepthMap, Fused};
use crate::core::plane::Plane;
use crate::core::warp::Area;

/// Rows that a band is fused with beyond those it is kept for.
const MARGIN: usize = 256;
/// Rows on either side of a seam in which one band fades into the next: as far
/// from the border of both as from the seam.
const FADE: usize = MARGIN / 2;

/// Some rows of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The rows that are fused.
    pub rows: Range<usize>,
    /// Those of them that the picture is made of.
    kept: Range<usize>,
}

impl Band {
    /// The part of `whole` that is fused.
    pub fn of(&self, whole: Area) -> Area {
        Area {
            y: whole.y + self.rows.start,
            height: self.rows.len(),
            ..whole
        }
    }
}

/// A picture of `height` rows in `count` bands, from the top; `None` where they
/// would be too narrow to fade into each other.
pub fn bands(height: usize, count: usize) -> Option<Vec<Band>> {
    // Depth is kept at half the size: bands begin at even rows.
    let core = height.div_ceil(count.max(1)).next_multiple_of(2);
    let enough = count > 0 && (count == 1 || height >= core * (count - 1) + 2 * FADE);
    let band = |k: usize| {
        let kept = k * core..((k + 1) * core).min(height);
        Band {
            rows: kept.start.saturating_sub(MARGIN)..(kept.end + MARGIN).min(height),
            kept,
        }
    };
    enough.then(|| (0..count).map(band).collect())
}

/// A picture that grows band by band.
pub struct Joined {
    width: usize,
    height: usize,
    fused: Option<Fused>,
    /// The picture, where it is made of more than one.
    channels: Option<[Plane; 3]>,
}

impl Joined {
    /// Nothing yet of a picture of the size of `whole`.
    pub fn new(whole: Area) -> Self {
        Self {
            width: whole.width,
            height: whole.height,
            fused: None,
            channels: None,
        }
    }

    /// Adds a band. Each is added once, in any order.
    pub fn add(&mut self, band: &Band, part: Fused) {
        let (width, height) = (self.width, self.height);
        if band.rows == (0..height) && band.kept == band.rows {
            self.fused = Some(part);
            return;
        }
        let black = || std::array::from_fn(|_| Plane::new(width, height));
        let channels = self.channels.get_or_insert_with(black);
        let whole = self.fused.get_or_insert_with(|| Fused {
            picture: std::array::from_fn(|_| Plane::default()).into(),
            index: vec![0; width * height],
            depth: DepthMap::blank(width, height),
            confidence: vec![0; width * height],
            alpha: None,
        });
        let (kept, first) = (band.kept.clone(), band.rows.start);
        for (number, to) in channels.iter_mut().enumerate() {
            let from = part.picture.channel(number);
            for y in band.rows.clone() {
                let share = share(y, &kept, height);
                if share > 0.0 {
                    let to = &mut to.data[y * width..(y + 1) * width];
                    let from = from.row(y - first);
                    to.iter_mut().zip(from).for_each(|(to, v)| *to += share * v);
                }
            }
        }
        let here = kept.start * width..kept.end * width;
        let there = (kept.start - first) * width..(kept.end - first) * width;
        whole.index[here.clone()].copy_from_slice(&part.index[there.clone()]);
        whole.confidence[here.clone()].copy_from_slice(&part.confidence[there.clone()]);
        whole.depth.take_rows(&part.depth, kept, first);
        if let Some(alpha) = &part.alpha {
            let whole = whole.alpha.get_or_insert_with(|| vec![255; width * height]);
            whole[here].copy_from_slice(&alpha[there]);
        }
    }

    /// The picture; `None` where no band was added.
    pub fn into_fused(self) -> Option<Fused> {
        let mut fused = self.fused?;
        if let Some(channels) = self.channels {
            fused.picture = channels.into();
        }
        // As of a picture in one piece: `None` is everywhere.
        fused.alpha = fused.alpha.filter(|alpha| alpha.contains(&0));
        Some(fused)
    }
}

/// How much row `y` counts of a band that is kept for the rows `kept` of a
/// picture of `height` rows: with its neighbours' it is 1.
fn share(y: usize, kept: &Range<usize>, height: usize) -> f32 {
    let fade = |beyond: isize| {
        let within = FADE as isize - beyond;
        ((within as f32 + 0.5) / (2 * FADE) as f32).clamp(0.0, 1.0)
    };
    let y = y as isize;
    let top = match kept.start {
        0 => 1.0,
        start => fade(start as isize - y),
    };
    let bottom = match kept.end {
        end if end == height => 1.0,
        end => fade(y + 1 - end as isize),
    };
    top * bottom
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::fuse::{Method, Options};
    use crate::demo::{DemoStack, Scene, SceneOptions};

    #[test]
    fn bands_keep_every_row_once_and_their_shares_are_whole() {
        for (height, count) in [(1, 1), (900, 2), (901, 3), (6000, 7), (2200, 8)] {
            let bands = bands(height, count).unwrap();
            assert_eq!(bands.len(), count);
            let mut next = 0;
            for band in &bands {
                assert_eq!((band.kept.start, band.rows.start % 2), (next, 0));
                assert!(band.kept.len() >= 2 * FADE || count == 1);
                next = band.kept.end;
            }
            assert_eq!(next, height);
            for y in 0..height {
                let shares = bands.iter().map(|band| {
                    let share = share(y, &band.kept, height);
                    assert!(share == 0.0 || band.rows.contains(&y));
                    share
                });
                assert!((shares.sum::<f32>() - 1.0).abs() < 1e-5, "{y} of {height}");
            }
        }
        assert_eq!(bands(511, 2), None);
        assert_eq!(bands(6000, 0), None);
    }

    #[test]
    fn a_picture_in_bands_is_the_picture_in_one_piece() {
        let scene = SceneOptions {
            width: 180,
            height: 900,
            frames: 5,
            ..SceneOptions::new(Scene::Bumpy)
        };
        let stack = DemoStack::new(&scene);
        let whole = Area {
            x: 3,
            y: 5,
            width: 170,
            height: 880,
        };
        let mut frames: Vec<_> = (0..5).map(|i| stack.frame(i, 16)).collect();
        // A hole across a seam, which no frame fills.
        let hole = |i: usize| i / 180 > 420 && i / 180 < 470 && i % 180 < 60;
        for frame in &mut frames {
            let alpha = (0..180 * 900).map(|i| if hole(i) { 0 } else { 255 });
            frame.alpha = Some(alpha.collect());
        }
        let fuse = |options: &Options, area: Area| {
            let mut fusion = options.on_cpu(area);
            for (i, frame) in frames.iter().enumerate() {
                let pose = &stack.transforms()[i];
                let exposure = Default::default();
                fusion
                    .add(i as u16, frame, pose, &exposure, ALWAYS)
                    .unwrap();
            }
            fusion.finish(ALWAYS).unwrap()
        };
        for method in [Method::Pyramid, Method::Average, Method::Hybrid] {
            let options = Options::from(method);
            let right = fuse(&options, whole);
            let mut joined = Joined::new(whole);
            for band in bands(whole.height, 3).unwrap() {
                joined.add(&band, fuse(&options.of_part(whole), band.of(whole)));
            }
            let joined = joined.into_fused().unwrap();
            let mut worst = 0.0f32;
            let mut sum = 0.0f64;
            // What no frame shows is made up.
            let alpha = right.alpha.clone().unwrap();
            let channels = [&right, &joined].map(|fused| fused.picture.channels());
            for (a, b) in channels[0].iter().zip(&channels[1]) {
                for ((a, b), _) in (a.data.iter().zip(&b.data))
                    .zip(&alpha)
                    .filter(|x| *x.1 > 0)
                {
                    worst = worst.max((a - b).abs());
                    sum += f64::from(a - b).powi(2);
                }
            }
            let psnr = -10.0 * (sum / (3 * right.index.len()) as f64).log10();
            let other = |a: &[u16], b: &[u16]| a.iter().zip(b).filter(|(a, b)| a != b).count();
            let strays = other(&right.index, &joined.index);
            println!("{method:?}: {psnr:.1} dB, at most {worst}, {strays} other frames");
            assert!(
                psnr > 70.0 && worst < 0.03,
                "{method:?}: {psnr} dB, {worst}"
            );
            assert!(strays * 200 < right.index.len(), "{method:?}: {strays}");
            assert_eq!(right.alpha, joined.alpha, "{method:?}");
            let smooth = |fused: Fused| {
                let depth = fused.depth;
                depth
                    .smooth(whole.width, whole.height, 1.0, ALWAYS)
                    .unwrap()
            };
            let (a, b) = (smooth(right), smooth(joined));
            let far = a.iter().zip(&b).filter(|(a, b)| (**a - **b).abs() > 0.1);
            let far = far.count();
            assert!(far * 200 < a.len(), "{method:?}: depth differs at {far}");
        }
    }
}
