//! One picture, or two compared, and the tiles that show them.

use super::geometry::{Extent, Placement, Point, View, Zoom};
use super::picture::{Picture, Sight};
use super::tile::Key;

/// Parts begin and end at multiples of this many pixels, so that they can be
/// halved and that small moves of the view do not ask for others.
const GRAIN: u32 = 64;
/// The most that a part is halved; JPEG decodes quickly to these sizes.
const MOST_HALVINGS: u32 = 3;

/// How two pictures are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// The first left of a divider that can be moved, the second right of it.
    #[default]
    Slider,
    /// One after the other in the same place.
    Blink,
}

/// The pictures to show.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The picture that zoom and position count on.
    pub first: Picture,
    /// The one that it is compared with.
    pub second: Option<Picture>,
    /// Whether the sharpness is laid over pictures that know theirs.
    pub heat: bool,
}

impl Scene {
    /// Whether the same pictures are shown in the same way.
    pub fn is(&self, other: &Self) -> bool {
        let ids = |scene: &Self| (scene.first.id(), scene.second.as_ref().map(Picture::id));
        ids(self) == ids(other) && self.heat == other.heat
    }

    /// Whether all of the pictures is there.
    pub fn is_whole(&self) -> bool {
        let second = self.second.as_ref().and_then(Picture::sight);
        self.first.sight().is_none() && second.is_none()
    }

    /// What is in sight of a picture of the size `whole` at `origin`; `None`
    /// if nothing of it is.
    pub fn sight(
        &self,
        view: &View,
        pane: Extent,
        whole: Extent,
        origin: (i32, i32),
    ) -> Option<Sight> {
        let placement = view
            .placement(self.first.extent(), pane)
            .neighbour(whole, distance(self.first.origin(), origin));
        let mut sight = Sight {
            whole,
            halvings: 0,
            left: 0,
            top: 0,
            part: whole,
        };
        let is_fine = |sight: Sight| {
            let Extent { width, height } = sight.halved();
            width >= placement.scaled.width && height >= placement.scaled.height
        };
        for halvings in 1..=MOST_HALVINGS {
            let coarser = Sight { halvings, ..sight };
            if is_fine(coarser) {
                sight = coarser;
            }
        }
        let all = sight.halved();
        let along = |edge: i64, pane: u32, scaled: u32, level: u32| {
            let ratio = f64::from(level) / f64::from(scaled);
            let room = i64::from(pane / 4);
            let first = ((-edge - room).max(0) as f64 * ratio) as u32 / GRAIN * GRAIN;
            let last = ((i64::from(pane) - edge + room).max(0) as f64 * ratio).ceil() as u32;
            let last = (last.div_ceil(GRAIN) * GRAIN).min(level);
            (first < last).then(|| (first, last - first))
        };
        let scaled = placement.scaled;
        let (left, width) = along(placement.left, pane.width, scaled.width, all.width)?;
        let (top, height) = along(placement.top, pane.height, scaled.height, all.height)?;
        let part = Extent { width, height };
        Some(Sight {
            left,
            top,
            part,
            ..sight
        })
    }

    /// The pictures with their places in the pane.
    pub fn placements(
        &self,
        view: &View,
        pane: Extent,
    ) -> impl Iterator<Item = (&Picture, Placement)> {
        let first = view.placement(self.first.extent(), pane);
        let second = self.second.as_ref().map(|second| {
            let offset = distance(self.first.origin(), second.origin());
            (second, first.neighbour(second.extent(), offset))
        });
        std::iter::once((&self.first, first)).chain(second)
    }

    /// The tiles in sight, and of `ring` more around, those nearest to the
    /// middle first.
    pub fn tiles(&self, view: &View, pane: Extent, ring: u32) -> Vec<(&Picture, Key)> {
        let mut tiles = Vec::new();
        for (picture, placement) in self.placements(view, pane) {
            let (columns, rows) = placement.tiles(pane, ring);
            for row in rows {
                for column in columns.clone() {
                    let part = placement.tile(column, row);
                    let x = 2 * part.left + i64::from(part.width) - i64::from(pane.width);
                    let y = 2 * part.top + i64::from(part.height) - i64::from(pane.height);
                    let key = self.key(picture, &placement, column, row);
                    tiles.push((x * x + y * y, picture, key));
                }
            }
        }
        tiles.sort_by_key(|&(distance, ..)| distance);
        tiles
            .into_iter()
            .map(|(_, picture, key)| (picture, key))
            .collect()
    }

    /// The tile of a picture of this scene in a column and row.
    pub fn key(&self, picture: &Picture, placement: &Placement, column: u32, row: u32) -> Key {
        Key {
            picture: picture.id(),
            scaled: placement.scaled,
            column,
            row,
            heat: self.heat && picture.scores().is_some(),
        }
    }

    /// The tiles that stand in while others are missing.
    pub fn overviews(&self) -> impl Iterator<Item = (&Picture, Key)> {
        [Some(&self.first), self.second.as_ref()]
            .into_iter()
            .flatten()
            .map(|picture| (picture, Key::overview(picture)))
    }

    /// The view on this scene that shows what `view` showed of `other`: the
    /// same if the sizes are nearly so, all of the picture otherwise.
    pub fn adopt(&self, view: View, other: &Self) -> View {
        let (here, there) = (self.first.extent(), other.first.extent());
        let near = |a: u32, b: u32| a.abs_diff(b) <= a.max(b) / 10;
        if !near(here.width, there.width) || !near(here.height, there.height) {
            return View::default();
        }
        let moved = distance(self.first.origin(), other.first.origin());
        View {
            zoom: view.zoom,
            centre: Point {
                x: view.centre.x + moved.x,
                y: view.centre.y + moved.y,
            },
        }
    }
}

/// A view with its scale as a number.
pub fn resolved(view: &View, picture: Extent, pane: Extent) -> View {
    View {
        zoom: Zoom::Scale(view.scale(picture, pane)),
        centre: view.centre,
    }
}

fn distance(from: (i32, i32), to: (i32, i32)) -> Point {
    Point {
        x: f64::from(to.0) - f64::from(from.0),
        y: f64::from(to.1) - f64::from(from.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::viewer::picture::Kind;

    const PANE: Extent = Extent {
        width: 600,
        height: 600,
    };

    fn scene(width: u32, height: u32, origin: (i32, i32)) -> Scene {
        let rgba = vec![255; (width * height * 4) as usize];
        let picture = Picture::new("p", Kind::Frame, width, height, rgba).expect("a picture");
        Scene {
            first: picture.with_origin(origin.0, origin.1),
            second: None,
            heat: false,
        }
    }

    #[test]
    fn a_cropped_result_stays_on_the_same_spot() {
        let frame = scene(1000, 800, (0, 0));
        let result = scene(960, 790, (30, 10));
        let view = View {
            zoom: Zoom::Scale(4.0),
            centre: Point { x: 500.0, y: 400.0 },
        };
        let adopted = result.adopt(view, &frame);
        assert_eq!(adopted.zoom, view.zoom);
        assert_eq!((adopted.centre.x, adopted.centre.y), (470.0, 390.0));
        let back = frame.adopt(adopted, &result);
        assert_eq!(back, view);
    }

    #[test]
    fn another_size_starts_with_all_of_the_picture() {
        let view = View {
            zoom: Zoom::Scale(4.0),
            centre: Point::default(),
        };
        let adopted = scene(100, 80, (0, 0)).adopt(view, &scene(1000, 800, (0, 0)));
        assert_eq!(adopted, View::default());
    }

    #[test]
    fn a_sight_is_as_fine_as_the_screen_and_has_room_around() {
        let scene = scene(6000, 4000, (0, 0));
        let whole = scene.first.extent();
        let fit = scene.sight(&View::default(), PANE, whole, (0, 0));
        let fit = fit.expect("a sight");
        // 6000 pixels on 600: an eighth is the finest that is needed.
        assert_eq!((fit.halvings, fit.left, fit.top), (3, 0, 0));
        assert_eq!((fit.part.width, fit.part.height), (750, 500));
        assert_eq!(fit.part, fit.halved());

        let full = View {
            zoom: Zoom::Scale(1.0),
            centre: Point {
                x: 3000.0,
                y: 2000.0,
            },
        };
        let sight = scene.sight(&full, PANE, whole, (0, 0)).expect("a sight");
        assert_eq!(sight.halvings, 0);
        // 2700 to 3300 are in sight, with 150 around.
        assert_eq!((sight.left, sight.left + sight.part.width), (2496, 3456));
        assert_eq!((sight.top, sight.top + sight.part.height), (1536, 2496));
        // A picture that lies 1000 to the left shows what is 1000 to the right.
        let moved = scene
            .sight(&full, PANE, whole, (-1000, 0))
            .expect("a sight");
        assert_eq!(moved.left, 3520);
        let large = View {
            zoom: Zoom::Scale(8.0),
            ..full
        };
        let sight = scene.sight(&large, PANE, whole, (0, 0)).expect("a sight");
        assert_eq!(sight.halvings, 0);
        assert!(sight.part.width <= 256);
    }

    #[test]
    fn tiles_come_from_the_middle_outwards() {
        let scene = scene(2000, 2000, (0, 0));
        let view = View {
            zoom: Zoom::Scale(1.0),
            centre: Point { x: 812.0, y: 812.0 },
        };
        let tiles = scene.tiles(&view, PANE, 0);
        assert_eq!(tiles.len(), 4);
        let (_, first) = tiles[0];
        assert_eq!((first.column, first.row), (1, 1));
        assert_eq!(scene.tiles(&view, PANE, 1).len(), 16);
    }
}
