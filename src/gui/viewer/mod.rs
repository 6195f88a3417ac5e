//! The viewer: one picture, or two compared, pixel for pixel.
//!
//! Pictures are placed at whole device pixels. At 100 % and above each pixel
//! is drawn as it is; below, pictures are shrunk smoothly from halves that are
//! computed once. What is drawn are tiles at the size of the screen, rendered
//! on threads of their own, and what is on the screen stays there until what
//! replaces it is complete, so that nothing flickers.
//!
//! The application gives pictures to [`State::show`] and [`State::compare`],
//! passes [`Message`]s to [`State::update`], and maps keys to the messages
//! that zoom.

mod bar;
mod cache;
mod geometry;
mod heat;
mod legend;
mod level;
mod pane;
mod picture;
mod render;
mod scene;
mod surface;
mod tile;

#[cfg(test)]
mod tests;

use iced::widget::{column, container, stack};
use iced::{Element, Fill, Task};

use self::cache::Cache;
pub use self::geometry::Extent;
use self::geometry::{Point, View, Zoom};
pub use self::picture::{Kind, Picture, Reading, Scores, Sight};
pub use self::render::Rendered;
use self::render::Request;
pub use self::scene::Comparison;
use self::scene::{Scene, resolved};
pub use self::surface::Event;
use self::tile::Key;
use super::{theme, worker};

/// Bytes of tiles kept, unless more are in sight.
const CACHE_BYTES: u64 = 192 << 20;
/// Tiles out of sight that are rendered at a time: few, since what comes into
/// sight meanwhile waits for them.
const AHEAD: usize = 8;

/// What the viewer shows and how.
#[derive(Debug)]
pub struct State {
    scene: Option<Scene>,
    view: View,
    shown: Option<Shown>,
    cache: Cache,
    rendering: bool,
    pane: Extent,
    scale_factor: f64,
    pointer: Option<Point>,
    comparison: Comparison,
    divider: f64,
    second: bool,
    heat_map: bool,
}

/// What is on the screen: the scene and view that are wanted, or, until their
/// tiles are there, those before.
#[derive(Debug)]
struct Shown {
    scene: Scene,
    view: View,
}

/// What happened in the viewer.
#[derive(Debug, Clone)]
pub enum Message {
    /// On the picture itself.
    Surface(Event),
    /// Show all of the picture.
    ZoomFit,
    /// Show pixels one to one, around the pointer if it is on the picture.
    Zoom100,
    /// Show each pixel as four.
    Zoom200,
    /// Enlarge to the next round scale.
    ZoomIn,
    /// Shrink to the next round scale.
    ZoomOut,
    /// Lay the sharpness over the picture, or take it away.
    ToggleHeatMap,
    /// Compare in this way.
    Compare(Comparison),
    /// Parts of a picture are ready to be drawn.
    Rendered(Vec<Rendered>),
    /// The window shows so many device pixels for one of the layout.
    Rescaled(f32),
}

/// What the viewer wants of the application.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// That this is carried out.
    Run(Task<Message>),
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// A viewer that shows nothing yet.
    pub fn new() -> Self {
        Self {
            scene: None,
            view: View::default(),
            shown: None,
            cache: Cache::default(),
            rendering: false,
            pane: Extent::default(),
            scale_factor: 1.0,
            pointer: None,
            comparison: Comparison::default(),
            divider: 0.5,
            second: false,
            heat_map: false,
        }
    }

    /// Shows a picture. Zoom and place stay if the picture before had nearly
    /// the same size, as frames and results of one stack have.
    pub fn show(&mut self, picture: Picture) -> Task<Message> {
        self.enter(Scene {
            first: picture,
            second: None,
            heat: self.heat_map,
        })
    }

    /// Compares two pictures at the same scale and place; zoom and place stay
    /// as with [`Self::show`].
    pub fn compare(&mut self, first: Picture, second: Picture) -> Task<Message> {
        self.enter(Scene {
            first,
            second: Some(second),
            heat: self.heat_map,
        })
    }

    /// Shows nothing, and lets go of all pictures.
    pub fn clear(&mut self) {
        let gone = (self.scene.take(), self.shown.take());
        worker::let_go((gone, std::mem::take(&mut self.cache)));
        self.view = View::default();
    }

    /// Shows nothing until there is another picture; zoom and place stay.
    pub fn hide(&mut self) {
        worker::let_go((self.scene.take(), self.shown.take()));
    }

    /// The picture shown, or the first of two.
    pub fn picture(&self) -> Option<&Picture> {
        self.scene.as_ref().map(|scene| &scene.first)
    }

    /// The second of two pictures that are compared.
    pub fn compared(&self) -> Option<&Picture> {
        self.scene.as_ref()?.second.as_ref()
    }

    /// How two pictures are, or would be, compared.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// Whether a picture shown knows its sharpness.
    pub fn knows_sharpness(&self) -> bool {
        let pictures = [self.picture(), self.compared()];
        pictures
            .into_iter()
            .flatten()
            .any(|picture| picture.scores().is_some())
    }

    /// Whether the sharpness is laid over pictures that know theirs.
    pub fn heat_map(&self) -> bool {
        self.heat_map
    }

    /// Device pixels for one of the picture; `None` if there is no picture.
    pub fn scale(&self) -> Option<f64> {
        let picture = self.picture()?.extent();
        Some(self.view.scale(picture, self.pane))
    }

    /// Whether all of the picture is in sight, however the window is resized.
    pub fn is_fit(&self) -> bool {
        self.view.zoom == Zoom::Fit
    }

    /// Whether everything in sight is drawn at its best.
    pub fn is_settled(&self) -> bool {
        self.wanted_keys(0).is_none_or(|tiles| {
            let complete = tiles.iter().all(|(_, key)| self.cache.contains(key));
            complete && self.is_shown()
        })
    }

    /// Whether parts of a picture are on the way.
    pub fn is_rendering(&self) -> bool {
        self.rendering
    }

    /// What is seen of a picture that has this size and place in the reference
    /// frame, with some room around it, as finely as the screen shows it;
    /// `None` as long as nothing is shown.
    pub fn sight(&self, whole: Extent, origin: (i32, i32)) -> Option<Sight> {
        let scene = self.scene.as_ref().filter(|_| !self.pane.is_empty())?;
        scene.sight(&self.view, self.pane, whole, origin)
    }

    /// Position and content of the pixel under the pointer.
    pub fn reading(&self) -> Option<((u32, u32), Reading<'_>)> {
        let shown = self.shown.as_ref()?;
        let pointer = self.pointer?;
        let right = pointer.x >= self.divider * f64::from(self.pane.width);
        let second = match self.comparison {
            Comparison::Slider => right,
            Comparison::Blink => self.second,
        };
        let (picture, placement) = shown
            .scene
            .placements(&shown.view, self.pane)
            .take(1 + usize::from(second))
            .last()?;
        let (x, y) = placement.pixel(pointer)?;
        Some(((x, y), picture.read(x, y)?))
    }

    /// Takes a message in.
    #[must_use]
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Surface(event) => {
                if let Some(task) = self.on_surface(event) {
                    return Action::Run(task);
                }
            }
            Message::ZoomFit => self.zoom(|view, at, picture, pane| {
                view.zoom_to(Zoom::Fit, at, picture, pane);
            }),
            Message::Zoom100 => self.zoom(|view, at, picture, pane| {
                view.zoom_to(Zoom::Scale(1.0), at, picture, pane);
            }),
            Message::Zoom200 => self.zoom(|view, at, picture, pane| {
                view.zoom_to(Zoom::Scale(2.0), at, picture, pane);
            }),
            Message::ZoomIn => self.zoom(|view, at, picture, pane| {
                view.step(true, at, picture, pane);
            }),
            Message::ZoomOut => self.zoom(|view, at, picture, pane| {
                view.step(false, at, picture, pane);
            }),
            Message::ToggleHeatMap => {
                self.heat_map = !self.heat_map;
                if let Some(scene) = &mut self.scene {
                    scene.heat = self.heat_map;
                }
            }
            Message::Compare(comparison) => {
                self.comparison = comparison;
                self.second = false;
            }
            Message::Rendered(tiles) => {
                self.rendering = false;
                if tiles.is_empty() {
                    // It failed and was reported: not again until the next
                    // message.
                    return Action::None;
                }
                for Rendered { key, handle } in tiles {
                    self.cache.insert(key, handle);
                }
            }
            Message::Rescaled(factor) => self.rescale(f64::from(factor)),
        }
        match self.next() {
            Some(request) => Action::Run(request.task().map(Message::Rendered)),
            None => Action::None,
        }
    }

    /// The viewer with its bar.
    pub fn view(&self) -> Element<'_, Message> {
        let surface = surface::surface(self).map(Message::Surface);
        let is_depth = self.picture().map(Picture::kind) == Some(Kind::DepthMap);
        let legend = if self.heat_map && self.knows_sharpness() {
            Some(heat::legend())
        } else {
            is_depth.then(legend::of_depth)
        };
        let legend = legend.map(|legend| {
            container(legend)
                .padding(theme::space::MEDIUM)
                .align_bottom(Fill)
        });
        column![stack![surface].push(legend), bar::bar(self)].into()
    }

    fn on_surface(&mut self, event: Event) -> Option<Task<Message>> {
        match event {
            Event::Appeared => {
                let window = iced::window::latest();
                let factor = window.and_then(iced::window::scale_factor);
                return Some(factor.map(Message::Rescaled));
            }
            Event::Rescaled(factor) => self.rescale(f64::from(factor)),
            Event::Resized(size) => {
                let side = |side: f32| (f64::from(side) * self.scale_factor).round() as u32;
                self.pane = Extent {
                    width: side(size.width),
                    height: side(size.height),
                };
                self.zoom(|view, _, picture, pane| view.keep_in_sight(picture, pane));
            }
            Event::Pointed(at) => self.pointer = at,
            Event::Scrolled { at, notches } => {
                self.pointer = Some(at);
                self.zoom(|view, at, picture, pane| {
                    view.turn_wheel(notches, at, picture, pane);
                });
            }
            Event::Dragged(by) => {
                self.zoom(|view, _, picture, pane| view.drag(by, picture, pane));
            }
            Event::DoubleClicked(at) => {
                self.pointer = Some(at);
                let zoom = if self.is_fit() {
                    Zoom::Scale(1.0)
                } else {
                    Zoom::Fit
                };
                self.zoom(|view, at, picture, pane| view.zoom_to(zoom, at, picture, pane));
            }
            Event::Divided(share) => self.divider = share.clamp(0.0, 1.0),
            Event::Blinked => self.second = !self.second,
        }
        None
    }

    fn rescale(&mut self, factor: f64) {
        if factor > 0.0 {
            let ratio = factor / self.scale_factor;
            let side = |side: u32| (f64::from(side) * ratio).round() as u32;
            self.pane = Extent {
                width: side(self.pane.width),
                height: side(self.pane.height),
            };
            self.scale_factor = factor;
        }
    }

    fn enter(&mut self, scene: Scene) -> Task<Message> {
        self.view = match &self.scene {
            Some(before) => scene.adopt(self.view, before),
            None => View::default(),
        };
        self.scene = Some(scene);
        self.zoom(|view, _, picture, pane| view.keep_in_sight(picture, pane));
        match self.next() {
            Some(request) => request.task().map(Message::Rendered),
            None => Task::none(),
        }
    }

    /// Changes the view around the pointer, or the middle if it is elsewhere.
    fn zoom(&mut self, change: impl FnOnce(&mut View, Point, Extent, Extent)) {
        let pane = self.pane;
        if let Some(scene) = &self.scene
            && !pane.is_empty()
        {
            let middle = Point {
                x: f64::from(pane.width) / 2.0,
                y: f64::from(pane.height) / 2.0,
            };
            let at = self.pointer.unwrap_or(middle);
            change(&mut self.view, at, scene.first.extent(), pane);
        }
    }

    /// The tiles that the wanted scene needs, with `ring` more around what is
    /// in sight; `None` if nothing is wanted.
    fn wanted_keys(&self, ring: u32) -> Option<Vec<(&Picture, Key)>> {
        let scene = self.scene.as_ref()?;
        let mut tiles = scene.tiles(&self.view, self.pane, ring);
        tiles.extend(scene.overviews());
        Some(tiles)
    }

    /// Whether what is wanted is what is on the screen.
    fn is_shown(&self) -> bool {
        let (Some(shown), Some(scene)) = (&self.shown, &self.scene) else {
            return false;
        };
        let wanted = resolved(&self.view, scene.first.extent(), self.pane);
        shown.scene.is(scene) && shown.view == wanted
    }

    /// Brings what is wanted onto the screen if it is ready; otherwise, or to
    /// be ready for what is near, the tiles to render next, unless some are
    /// on the way.
    fn next(&mut self) -> Option<Request> {
        let scene = self.scene.as_ref().filter(|_| !self.pane.is_empty())?;
        let wanted = resolved(&self.view, scene.first.extent(), self.pane);
        // There is nothing around a part.
        let ring = u32::from(scene.is_whole());
        let near: Vec<(Picture, Key)> = self
            .wanted_keys(ring)?
            .into_iter()
            .map(|(picture, key)| (picture.clone(), key))
            .collect();
        let in_sight: Vec<Key> = self.wanted_keys(0)?.into_iter().map(|t| t.1).collect();

        let complete = in_sight.iter().all(|key| self.cache.contains(key));
        let moved_only = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.scene.is(scene) && shown.view.zoom == wanted.zoom);
        if complete || moved_only || self.shown.is_none() {
            self.shown = Some(Shown {
                scene: scene.clone(),
                view: wanted,
            });
        }

        let bytes = |key: &Key| {
            let part = key.rect();
            u64::from(part.width) * u64::from(part.height) * 4
        };
        let needed = near.iter().map(|(_, key)| bytes(key)).sum::<u64>();
        for key in near.iter().map(|(_, key)| key).chain(&in_sight) {
            self.cache.touch(key);
        }
        self.cache.shrink(CACHE_BYTES.max(needed));

        if self.rendering {
            return None;
        }
        let mut tiles = near;
        tiles.retain(|(_, key)| !self.cache.contains(key));
        if complete {
            tiles.truncate(AHEAD);
        } else {
            tiles.retain(|(_, key)| in_sight.contains(key));
        }
        self.rendering = !tiles.is_empty();
        self.rendering.then_some(Request { tiles })
    }
}
