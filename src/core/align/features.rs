//! Key points of a frame, and which of them two frames share.
//!
//! OpenCV finds and describes the points; they are thinned to the strongest of
//! each cell of a grid, so that one textured corner does not decide alone.

use opencv::core::{CV_8UC1, DMatch, KeyPoint, Mat, NORM_HAMMING, NORM_L2, Ptr, Size, Vector};
use opencv::prelude::*;
use std::sync::OnceLock;

use crate::core::grey::{Grey, GreyPyramid, encode};

// OpenCV 5 renamed the module.
opencv::opencv_branch_5! {
    use opencv::features::{BFMatcher, Feature2D, ORB, SIFT};
}
opencv::not_opencv_branch_5! {
    use opencv::features2d::{AKAZE, BFMatcher, Feature2D, ORB, SIFT};
}

/// Points are looked for at the largest level with no more pixels than this.
const PIXELS: usize = 3_000_000;
/// Cells of the grid along the longer side of a frame.
const CELLS: usize = 12;
/// Most points kept in one cell.
const PER_CELL: usize = 24;
/// A match must be nearer than this share of the distance of the second best
/// (Lowe, 2004).
const RATIO: f32 = 0.8;
/// The contrast of CLAHE (Zuiderveld, 1994) and its tiles each way.
const CLAHE: (f64, i32) = (3.0, 8);

/// What finds and describes points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// Oriented FAST and rotated BRIEF (Rublee et al., 2011).
    Orb,
    /// Scale-invariant feature transform (Lowe, 2004).
    Sift,
    /// Accelerated KAZE (Alcantarilla et al., 2013).
    Akaze,
}

impl Detector {
    /// Whether the OpenCV in use has it: AKAZE left the main modules with
    /// OpenCV 5.
    pub fn is_available(self) -> bool {
        opencv::opencv_branch_5! {
            { self != Self::Akaze } else { true }
        }
    }

    fn create(self) -> opencv::Result<Ptr<Feature2D>> {
        match self {
            Self::Orb => {
                let mut orb = ORB::create_def()?;
                orb.set_max_features((4 * CELLS * CELLS * PER_CELL) as i32)?;
                // Frames out of focus have weak corners only.
                orb.set_fast_threshold(5)?;
                Ok(orb.into())
            }
            Self::Sift => Ok(SIFT::create_def()?.into()),
            Self::Akaze => akaze(),
        }
    }
}

opencv::opencv_branch_5! {
    fn akaze() -> opencv::Result<Ptr<Feature2D>> {
        let code = opencv::core::StsNotImplemented;
        Err(opencv::Error::new(code, "this OpenCV has no AKAZE"))
    }
}
opencv::not_opencv_branch_5! {
    fn akaze() -> opencv::Result<Ptr<Feature2D>> {
        Ok(AKAZE::create_def()?.into())
    }
}

/// A place that can be found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where it is, in pixels of the full size.
    pub at: [f64; 2],
    /// The diameter of what it was recognised by, in pixels of the full size.
    pub size: f64,
}

/// A point of one frame and the same place in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// In the template.
    pub from: [f64; 2],
    /// In the moving frame.
    pub to: [f64; 2],
    /// The larger of the two points' diameters.
    pub size: f64,
}

/// Descriptions of points, one after another.
#[derive(Debug, Clone)]
enum Descriptors {
    /// Compared by the number of bits that differ.
    Bits(Vec<u8>),
    /// Compared by Euclid's distance.
    Floats(Vec<f32>),
}

/// The points of a frame.
#[derive(Debug, Clone)]
pub struct Features {
    points: Vec<Point>,
    descriptors: Descriptors,
}

impl Features {
    /// Finds the points of a frame, given its linear luminance. `clahe` lifts
    /// the local contrast first.
    ///
    /// # Errors
    ///
    /// What OpenCV says: where memory is short, or the detector is missing.
    pub fn of(pyramid: &GreyPyramid, detector: Detector, clahe: bool) -> opencv::Result<Self> {
        keep_off_devices()?;
        let is_small = |level: &Grey| level.width * level.height <= PIXELS;
        let levels = pyramid.levels();
        let number = levels.iter().position(is_small).unwrap_or(0);
        let level = &levels[number];
        let image = eight_bits(level);
        let image = Mat::new_rows_cols_with_data(level.height as i32, level.width as i32, &image)?;
        let mut lifted = Mat::default();
        if clahe {
            let (limit, tiles) = CLAHE;
            opencv::imgproc::create_clahe(limit, Size::new(tiles, tiles))?
                .apply(&image, &mut lifted)?;
        } else {
            image.copy_to(&mut lifted)?;
        }
        debug_assert_eq!(lifted.typ(), CV_8UC1);

        let (mut found, mut described) = (Vector::<KeyPoint>::new(), Mat::default());
        detector.create()?.detect_and_compute_def(
            &lifted,
            &Mat::default(),
            &mut found,
            &mut described,
        )?;
        let found = found.to_vec();
        let kept = balanced(&found, level);
        let factor = pyramid.factor(number) as f64;
        Ok(Self {
            points: kept.iter().map(|&i| point(&found[i], factor)).collect(),
            descriptors: Descriptors::rows(&described, &kept)?,
        })
    }

    /// The points.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points that this frame and `other` have in common: each the best
    /// match of the other, and clearly better than the second best.
    ///
    /// # Errors
    ///
    /// What OpenCV says: where memory is short.
    pub fn matches(&self, other: &Self) -> opencv::Result<Vec<Match>> {
        keep_off_devices()?;
        if self.points.len() < 2 || other.points.len() < 2 {
            return Ok(Vec::new());
        }
        let (norm, rows) = match self.descriptors {
            Descriptors::Bits(_) => (NORM_HAMMING, self.points.len()),
            Descriptors::Floats(_) => (NORM_L2, self.points.len()),
        };
        let there = best(norm, self, other, 2)?;
        let back = best(norm, other, self, 1)?;
        let mut matches = Vec::with_capacity(rows);
        for nearest in &there {
            let &[first, second] = &nearest[..] else {
                continue;
            };
            let (from, to) = (first.query_idx as usize, first.train_idx as usize);
            let is_mutual = back[to]
                .first()
                .is_some_and(|b| b.train_idx as usize == from);
            if is_mutual && first.distance < RATIO * second.distance {
                let (a, b) = (&self.points[from], &other.points[to]);
                matches.push(Match {
                    from: a.at,
                    to: b.at,
                    size: a.size.max(b.size),
                });
            }
        }
        Ok(matches)
    }
}

/// Keeps OpenCV from waking OpenCL devices on this thread: some of its functions
/// ask for one even when they have no use for it.
fn keep_off_devices() -> opencv::Result<()> {
    opencv::opencv_has_inherent_feature_opencl! {
        { opencv::core::set_use_opencl(false) } else { Ok(()) }
    }
}

/// For each point of `a` the `count` most similar ones of `b`.
fn best(norm: i32, a: &Features, b: &Features, count: i32) -> opencv::Result<Vec<Vec<DMatch>>> {
    let mut found = Vector::<Vector<DMatch>>::new();
    let matcher = BFMatcher::create(norm, false)?;
    let (a_rows, b_rows) = (a.points.len(), b.points.len());
    match (&a.descriptors, &b.descriptors) {
        (Descriptors::Bits(a), Descriptors::Bits(b)) => {
            let (a, b) = (table(a, a_rows)?, table(b, b_rows)?);
            matcher.knn_train_match_def(&a, &b, &mut found, count)?;
        }
        (Descriptors::Floats(a), Descriptors::Floats(b)) => {
            let (a, b) = (table(a, a_rows)?, table(b, b_rows)?);
            matcher.knn_train_match_def(&a, &b, &mut found, count)?;
        }
        _ => {}
    }
    let mut rows = vec![Vec::new(); a_rows];
    for nearest in found {
        let nearest = nearest.to_vec();
        if let Some(query) = nearest.first().map(|first| first.query_idx as usize) {
            rows[query] = nearest;
        }
    }
    Ok(rows)
}

fn table<T: opencv::core::DataType>(
    values: &[T],
    rows: usize,
) -> opencv::Result<opencv::boxed_ref::BoxedRef<'_, Mat>> {
    Mat::new_rows_cols_with_data(rows as i32, (values.len() / rows.max(1)) as i32, values)
}

impl Descriptors {
    /// Some rows of what OpenCV computed.
    fn rows(described: &Mat, kept: &[usize]) -> opencv::Result<Self> {
        if described.empty() || kept.is_empty() {
            return Ok(Self::Bits(Vec::new()));
        }
        let columns = described.cols() as usize;
        let row = |i: usize| i * columns..(i + 1) * columns;
        if described.depth() == opencv::core::CV_32F {
            let all: &[f32] = described.data_typed()?;
            let rows = kept.iter().flat_map(|&i| all[row(i)].iter().copied());
            return Ok(Self::Floats(rows.collect()));
        }
        let all: &[u8] = described.data_typed()?;
        let rows = kept.iter().flat_map(|&i| all[row(i)].iter().copied());
        Ok(Self::Bits(rows.collect()))
    }
}

fn point(found: &KeyPoint, factor: f64) -> Point {
    let (at, offset) = (found.pt(), (factor - 1.0) / 2.0);
    Point {
        at: [at.x, at.y].map(|v| f64::from(v) * factor + offset),
        size: f64::from(found.size()) * factor,
    }
}

/// The strongest points of each cell of a grid, strongest first.
fn balanced(found: &[KeyPoint], level: &Grey) -> Vec<usize> {
    let side = level.width.max(level.height).div_ceil(CELLS).max(1);
    let columns = level.width.div_ceil(side);
    let mut room = vec![PER_CELL; columns * level.height.div_ceil(side)];
    let mut order: Vec<usize> = (0..found.len()).collect();
    let response = |i: &usize| found[*i].response();
    order.sort_by(|a, b| response(b).total_cmp(&response(a)).then(a.cmp(b)));
    order.retain(|&i| {
        let at = found[i].pt();
        let cell = at.y.max(0.0) as usize / side * columns + at.x.max(0.0) as usize / side;
        match room.get_mut(cell) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    });
    order
}

/// Linear light as a screen would show it: what detectors are made for.
fn eight_bits(grey: &Grey) -> Vec<u8> {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let byte = |v: u16| (255.0 * encode(f32::from(v) / 65535.0)).round() as u8;
        (0..=u16::MAX).map(byte).collect()
    });
    grey.data.iter().map(|&v| table[usize::from(v)]).collect()
}
