//! Where a picture lies in the pane: fit, zoom, drag, and the tiles in sight.
//!
//! Everything is in device pixels of the pane, x to the right and y down from
//! its top left corner, or in pixels of the picture, where pixel `i` reaches
//! from `i` to `i + 1`. Pictures are always placed at whole device pixels.

use std::ops::Range;

/// The longest side of a tile, in device pixels: 1 MiB in RGBA, which
/// renderers upload at once.
pub const TILE: u32 = 512;
/// The largest enlargement.
pub const MAX_SCALE: f64 = 8.0;
/// What one notch of the wheel enlarges by.
const NOTCH: f64 = 1.25;
/// The scales that single steps visit, besides the one that fits.
const STEPS: [f64; 12] = [
    1.0 / 16.0,
    1.0 / 8.0,
    1.0 / 4.0,
    1.0 / 3.0,
    1.0 / 2.0,
    2.0 / 3.0,
    1.0,
    2.0,
    3.0,
    4.0,
    6.0,
    MAX_SCALE,
];

/// A position or a distance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// The size of something in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Extent {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Extent {
    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The middle.
    fn centre(self) -> Point {
        Point {
            x: f64::from(self.width) / 2.0,
            y: f64::from(self.height) / 2.0,
        }
    }

    /// The size after enlarging by `scale`, at least one pixel each way.
    fn scaled(self, scale: f64) -> Self {
        let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        Self {
            width: side(self.width),
            height: side(self.height),
        }
    }
}

/// A rectangle of whole device pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub left: i64,
    /// Top edge.
    pub top: i64,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// How far a picture is enlarged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Zoom {
    /// As far as all of it is in sight.
    #[default]
    Fit,
    /// This many device pixels for one of the picture.
    Scale(f64),
}

/// What part of a picture is wanted in sight.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct View {
    /// How far it is enlarged.
    pub zoom: Zoom,
    /// The point of the picture in the middle of the pane; without effect
    /// while all of it fits.
    pub centre: Point,
}

/// The scale at which all of a picture is in sight, at most [`MAX_SCALE`].
pub fn fitting(picture: Extent, pane: Extent) -> f64 {
    if picture.is_empty() || pane.is_empty() {
        return 1.0;
    }
    let across = f64::from(pane.width) / f64::from(picture.width);
    let down = f64::from(pane.height) / f64::from(picture.height);
    across.min(down).min(MAX_SCALE)
}

impl View {
    /// Device pixels for one of the picture.
    pub fn scale(&self, picture: Extent, pane: Extent) -> f64 {
        match self.zoom {
            Zoom::Fit => fitting(picture, pane),
            Zoom::Scale(scale) => scale,
        }
    }

    /// Where the picture lies.
    pub fn placement(&self, picture: Extent, pane: Extent) -> Placement {
        let scale = self.scale(picture, pane);
        let scaled = picture.scaled(scale);
        let edge = |pane: u32, scaled: u32, centre: f64, ratio: f64| {
            let (room, length) = (i64::from(pane), i64::from(scaled));
            if length <= room {
                (room - length) / 2
            } else {
                let left = (f64::from(pane) / 2.0 - centre * ratio).round() as i64;
                left.clamp(room - length, 0)
            }
        };
        let ratio = ratio(scaled, picture);
        Placement {
            picture,
            scaled,
            left: edge(pane.width, scaled.width, self.centre.x, ratio.x),
            top: edge(pane.height, scaled.height, self.centre.y, ratio.y),
        }
    }

    /// Enlarges to `zoom`; what is at `at` stays there as far as the picture's
    /// edges allow.
    pub fn zoom_to(&mut self, zoom: Zoom, at: Point, picture: Extent, pane: Extent) {
        let fixed = self.placement(picture, pane).on_picture(at);
        self.zoom = zoom;
        let scale = self.scale(picture, pane);
        let middle = pane.centre();
        self.centre = Point {
            x: fixed.x + (middle.x - at.x) / scale,
            y: fixed.y + (middle.y - at.y) / scale,
        };
        self.keep_in_sight(picture, pane);
    }

    /// Enlarges by notches of the wheel, or shrinks by negative ones. Whole
    /// notches land on halves and doubles when they come near; nothing skips
    /// 100 % and the whole picture.
    pub fn turn_wheel(&mut self, notches: f64, at: Point, picture: Extent, pane: Extent) {
        let fit = fitting(picture, pane);
        let least = fit.min(1.0);
        let now = self.scale(picture, pane);
        let mut next = (now * NOTCH.powf(notches)).clamp(least, MAX_SCALE);
        let crossed = |mark: f64| (now < mark && mark < next) || (next < mark && mark < now);
        if let Some(mark) = [1.0, fit].into_iter().find(|&mark| crossed(mark)) {
            next = mark;
        } else if notches.abs() >= 1.0 {
            let octave = next.log2().round().exp2();
            if (next / octave).ln().abs() < NOTCH.ln() / 2.0 && octave >= least {
                next = octave;
            }
        }
        let zoom = if next == fit {
            Zoom::Fit
        } else {
            Zoom::Scale(next)
        };
        self.zoom_to(zoom, at, picture, pane);
    }

    /// Enlarges (`larger`) or shrinks to the next round scale.
    pub fn step(&mut self, larger: bool, at: Point, picture: Extent, pane: Extent) {
        let fit = fitting(picture, pane);
        let now = self.scale(picture, pane);
        let least = fit.min(1.0);
        let marks = STEPS.into_iter().chain([fit]).filter(|&m| m >= least);
        let next = if larger {
            marks.filter(|&m| m > now * 1.001).min_by(f64::total_cmp)
        } else {
            marks.filter(|&m| m < now / 1.001).max_by(f64::total_cmp)
        };
        if let Some(next) = next {
            let zoom = if next == fit {
                Zoom::Fit
            } else {
                Zoom::Scale(next)
            };
            self.zoom_to(zoom, at, picture, pane);
        }
    }

    /// Moves the picture by a distance in device pixels.
    pub fn drag(&mut self, by: Point, picture: Extent, pane: Extent) {
        let scale = self.scale(picture, pane);
        self.centre.x -= by.x / scale;
        self.centre.y -= by.y / scale;
        self.keep_in_sight(picture, pane);
    }

    /// Brings the centre to where the picture's edges do not leave the pane's.
    pub fn keep_in_sight(&mut self, picture: Extent, pane: Extent) {
        let scale = self.scale(picture, pane);
        let keep = |centre: f64, picture: u32, pane: u32| {
            let half = f64::from(pane) / 2.0 / scale;
            let length = f64::from(picture);
            if length <= 2.0 * half {
                length / 2.0
            } else {
                centre.clamp(half, length - half)
            }
        };
        self.centre = Point {
            x: keep(self.centre.x, picture.width, pane.width),
            y: keep(self.centre.y, picture.height, pane.height),
        };
    }
}

/// Where a picture lies in the pane, and at which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The picture's own size.
    pub picture: Extent,
    /// Its size in the pane.
    pub scaled: Extent,
    /// Its left edge in the pane.
    pub left: i64,
    /// Its top edge in the pane.
    pub top: i64,
}

impl Placement {
    /// Where another picture lies, whose top left corner is `offset` pixels
    /// of a picture away from this one's, at the same scale.
    pub fn neighbour(&self, picture: Extent, offset: Point) -> Self {
        let ratio = ratio(self.scaled, self.picture);
        let scaled = if picture == self.picture {
            self.scaled
        } else {
            picture.scaled((ratio.x + ratio.y) / 2.0)
        };
        Self {
            picture,
            scaled,
            left: self.left + (offset.x * ratio.x).round() as i64,
            top: self.top + (offset.y * ratio.y).round() as i64,
        }
    }

    /// The point of the picture, or of the plane around it, at a point of the
    /// pane.
    pub fn on_picture(&self, at: Point) -> Point {
        let ratio = ratio(self.scaled, self.picture);
        Point {
            x: (at.x - self.left as f64) / ratio.x,
            y: (at.y - self.top as f64) / ratio.y,
        }
    }

    /// The pixel of the picture that the device pixel at `at` shows.
    pub fn pixel(&self, at: Point) -> Option<(u32, u32)> {
        let along = |at: f64, edge: i64, scaled: u32, picture: u32| {
            let device = at.floor() as i64 - edge;
            (0..i64::from(scaled))
                .contains(&device)
                .then(|| source_pixel(device as u32, scaled, picture))
        };
        Some((
            along(at.x, self.left, self.scaled.width, self.picture.width)?,
            along(at.y, self.top, self.scaled.height, self.picture.height)?,
        ))
    }

    /// Columns and rows of the tiles in sight, and of `ring` more around.
    pub fn tiles(&self, pane: Extent, ring: u32) -> (Range<u32>, Range<u32>) {
        let along = |edge: i64, scaled: u32, pane: u32| {
            let (tile, ring) = (i64::from(TILE), i64::from(ring));
            let count = i64::from(scaled.div_ceil(TILE));
            let first = (-edge).div_euclid(tile) - ring;
            let last = (i64::from(pane) - 1 - edge).div_euclid(tile) + ring;
            first.clamp(0, count) as u32..(last + 1).clamp(0, count) as u32
        };
        (
            along(self.left, self.scaled.width, pane.width),
            along(self.top, self.scaled.height, pane.height),
        )
    }

    /// Where a tile lies in the pane.
    pub fn tile(&self, column: u32, row: u32) -> Rect {
        let part = tile_of(self.scaled, column, row);
        Rect {
            left: self.left + part.left,
            top: self.top + part.top,
            ..part
        }
    }

    /// The whole picture in the pane.
    pub fn rect(&self) -> Rect {
        Rect {
            left: self.left,
            top: self.top,
            width: self.scaled.width,
            height: self.scaled.height,
        }
    }
}

/// Where a tile lies in a picture of the size `scaled`; tiles at the right and
/// lower edges may be smaller than [`TILE`].
pub fn tile_of(scaled: Extent, column: u32, row: u32) -> Rect {
    let (left, top) = (
        column.saturating_mul(TILE).min(scaled.width),
        row.saturating_mul(TILE).min(scaled.height),
    );
    Rect {
        left: i64::from(left),
        top: i64::from(top),
        width: TILE.min(scaled.width - left),
        height: TILE.min(scaled.height - top),
    }
}

/// The pixel of a row of `picture` that pixel `device` of the row stretched to
/// `scaled` shows, where each shows the one its centre falls on.
pub fn source_pixel(device: u32, scaled: u32, picture: u32) -> u32 {
    let twice = (2 * u64::from(device) + 1) * u64::from(picture);
    ((twice / (2 * u64::from(scaled))) as u32).min(picture - 1)
}

fn ratio(scaled: Extent, picture: Extent) -> Point {
    Point {
        x: f64::from(scaled.width) / f64::from(picture.width.max(1)),
        y: f64::from(scaled.height) / f64::from(picture.height.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: Extent = Extent {
        width: 6000,
        height: 4000,
    };
    const PANE: Extent = Extent {
        width: 1000,
        height: 800,
    };
    const MIDDLE: Point = Point { x: 500.0, y: 400.0 };

    fn at(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    fn scaled(scale: f64) -> View {
        View {
            zoom: Zoom::Scale(scale),
            centre: at(3000.0, 2000.0),
        }
    }

    #[test]
    fn a_fitting_picture_touches_two_edges_and_is_centred() {
        let placement = View::default().placement(PICTURE, PANE);
        assert_eq!((placement.left, placement.top), (0, 66));
        let expected = Extent {
            width: 1000,
            height: 667,
        };
        assert_eq!(placement.scaled, expected);
    }

    #[test]
    fn small_pictures_are_enlarged_to_fit_but_not_beyond_the_limit() {
        let tiny = Extent {
            width: 10,
            height: 10,
        };
        assert_eq!(fitting(tiny, PANE), MAX_SCALE);
        let half = Extent {
            width: 500,
            height: 100,
        };
        assert_eq!(fitting(half, PANE), 2.0);
        assert_eq!(fitting(Extent::default(), PANE), 1.0);
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        for pointer in [at(500.0, 400.0), at(123.0, 700.0), at(900.0, 10.0)] {
            let mut view = scaled(1.0);
            let before = view.placement(PICTURE, PANE).on_picture(pointer);
            for scale in [1.25, 2.0, 3.3, 8.0, 1.0] {
                view.zoom_to(Zoom::Scale(scale), pointer, PICTURE, PANE);
                let after = view.placement(PICTURE, PANE).on_picture(pointer);
                // The place is rounded to whole device pixels each time.
                assert!((after.x - before.x).abs() < 2.0, "{before:?} {after:?}");
                assert!((after.y - before.y).abs() < 2.0, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn dragging_moves_by_whole_pixels_and_stops_at_the_edges() {
        let mut view = scaled(2.0);
        let before = view.placement(PICTURE, PANE);
        view.drag(at(30.0, -11.0), PICTURE, PANE);
        let after = view.placement(PICTURE, PANE);
        assert_eq!(
            (after.left - before.left, after.top - before.top),
            (30, -11)
        );

        view.drag(at(1e6, 1e6), PICTURE, PANE);
        let corner = view.placement(PICTURE, PANE);
        assert_eq!((corner.left, corner.top), (0, 0));
        view.drag(at(-1e6, -1e6), PICTURE, PANE);
        let corner = view.placement(PICTURE, PANE);
        assert_eq!((corner.left, corner.top), (1000 - 12000, 800 - 8000));
        view.drag(at(5.0, 0.0), PICTURE, PANE);
        assert_eq!(view.placement(PICTURE, PANE).left, 1000 - 12000 + 5);
    }

    #[test]
    fn a_picture_smaller_than_the_pane_cannot_be_dragged() {
        let small = Extent {
            width: 301,
            height: 200,
        };
        let mut view = View {
            zoom: Zoom::Scale(1.0),
            centre: Point::default(),
        };
        view.drag(at(50.0, 50.0), small, PANE);
        let placement = view.placement(small, PANE);
        assert_eq!((placement.left, placement.top), (349, 300));
    }

    #[test]
    fn the_wheel_stops_at_100_percent_and_at_the_whole_picture() {
        let mut view = View::default();
        let mut seen = Vec::new();
        for _ in 0..40 {
            view.turn_wheel(1.0, MIDDLE, PICTURE, PANE);
            seen.push(view.scale(PICTURE, PANE));
        }
        for mark in [0.25, 0.5, 1.0, 2.0, 4.0, MAX_SCALE] {
            assert!(seen.contains(&mark), "{mark} not in {seen:?}");
        }
        assert_eq!(seen.last(), Some(&MAX_SCALE));
        let mut seen = Vec::new();
        for _ in 0..40 {
            view.turn_wheel(-1.0, MIDDLE, PICTURE, PANE);
            seen.push(view.scale(PICTURE, PANE));
        }
        assert!(seen.contains(&1.0));
        assert_eq!(view.zoom, Zoom::Fit);
    }

    #[test]
    fn a_touchpad_leaves_100_percent_in_small_steps() {
        let mut view = scaled(1.0);
        for _ in 0..10 {
            view.turn_wheel(0.05, MIDDLE, PICTURE, PANE);
        }
        let scale = view.scale(PICTURE, PANE);
        assert!((scale - 1.25f64.powf(0.5)).abs() < 1e-9, "{scale}");
    }

    #[test]
    fn steps_visit_round_scales_and_the_fit() {
        let mut view = scaled(0.9);
        view.step(true, MIDDLE, PICTURE, PANE);
        assert_eq!(view.zoom, Zoom::Scale(1.0));
        view.step(true, MIDDLE, PICTURE, PANE);
        assert_eq!(view.zoom, Zoom::Scale(2.0));
        let mut view = scaled(0.25);
        view.step(false, MIDDLE, PICTURE, PANE);
        assert_eq!(view.zoom, Zoom::Fit);
        view.step(false, MIDDLE, PICTURE, PANE);
        assert_eq!(view.zoom, Zoom::Fit);
        let mut view = scaled(MAX_SCALE);
        view.step(true, MIDDLE, PICTURE, PANE);
        assert_eq!(view.zoom, Zoom::Scale(MAX_SCALE));
    }

    #[test]
    fn tiles_in_sight_cover_the_pane_and_no_more() {
        for scale in [0.3, 1.0, 2.7, 8.0] {
            let mut view = scaled(scale);
            view.drag(at(333.0, -77.0), PICTURE, PANE);
            let placement = view.placement(PICTURE, PANE);
            let (columns, rows) = placement.tiles(PANE, 0);
            let first = placement.tile(columns.start, rows.start);
            let last = placement.tile(columns.end - 1, rows.end - 1);
            assert!(first.left <= 0 && first.left + i64::from(TILE) > 0);
            assert!(first.top <= 0 && first.top + i64::from(TILE) > 0);
            assert!(last.left < 1000 && last.left + i64::from(last.width) >= 1000);
            assert!(last.top < 800 && last.top + i64::from(last.height) >= 800);
            let (wider, _) = placement.tiles(PANE, 1);
            assert!(wider.start + 1 == columns.start || columns.start == 0);
        }
    }

    #[test]
    fn tiles_make_up_the_picture() {
        let scaled = Extent {
            width: 1300,
            height: 512,
        };
        let widths: Vec<u32> = (0..3).map(|c| tile_of(scaled, c, 0).width).collect();
        assert_eq!(widths, [512, 512, 276]);
        assert_eq!(tile_of(scaled, 0, 1).height, 0);
    }

    #[test]
    fn the_pixel_under_the_pointer_is_the_one_drawn() {
        let view = scaled(8.0);
        let placement = view.placement(PICTURE, PANE);
        let corner = at(
            (placement.left + 8 * 3000) as f64,
            (placement.top + 8 * 2000) as f64,
        );
        assert_eq!(placement.pixel(corner), Some((3000, 2000)));
        let inside = at(corner.x + 7.9, corner.y + 7.9);
        assert_eq!(placement.pixel(inside), Some((3000, 2000)));
        assert_eq!(
            placement.pixel(at(corner.x - 0.1, corner.y)),
            Some((2999, 2000))
        );
        let fit = View::default().placement(PICTURE, PANE);
        assert_eq!(fit.pixel(at(500.0, 10.0)), None);
        assert_eq!(fit.pixel(at(999.9, 700.0)), Some((5997, 3805)));
    }

    #[test]
    fn a_neighbour_keeps_its_place_on_the_scene() {
        let placement = scaled(2.0).placement(PICTURE, PANE);
        let cropped = Extent {
            width: 5900,
            height: 3950,
        };
        let other = placement.neighbour(cropped, at(40.0, 20.0));
        assert_eq!(other.left - placement.left, 80);
        assert_eq!(other.top - placement.top, 40);
        let here = placement.on_picture(MIDDLE);
        let there = other.on_picture(MIDDLE);
        assert_eq!((here.x - there.x, here.y - there.y), (40.0, 20.0));
    }
}
