//! One picture, or two compared, and the tiles that show them.

use super::geometry::{Extent, Placement, Point, View, Zoom};
use super::picture::Picture;
use super::tile::Key;

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
