//! The widget that draws the pictures and listens to the pointer.

use iced::advanced::image::{self, Renderer as _};
use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer::{self, Renderer as _};
use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Clipboard, Shell, Widget, mouse};
use iced::time::{Duration, Instant};
use iced::{Element, Length, Rectangle, Renderer, Size, Theme, window};

use super::State;
use super::geometry::{Placement, Point, Rect};
use super::pane::{Pane, draw_divider, fill, overlap};
use super::picture::Picture;
use super::scene::{Comparison, Scene};
use super::tile::Key;
use crate::gui::theme;

/// How long each of two pictures is seen in turn.
const BLINK: Duration = Duration::from_millis(500);
/// Within this distance the pointer takes hold of the divider.
const GRIP: f32 = 10.0;
/// A wheel or touchpad that counts in pixels counts this many for a notch.
const PIXELS_PER_NOTCH: f64 = 60.0;

/// What the pointer did, in device pixels from the pane's top left corner, and
/// what the window did.
#[derive(Debug, Clone)]
pub enum Event {
    /// The viewer is in a window for the first time.
    Appeared,
    /// The window shows so many device pixels for one of the layout.
    Rescaled(f32),
    /// The pane has this size in the layout.
    Resized(Size),
    /// The pointer is here, or has left.
    Pointed(Option<Point>),
    /// The wheel was turned; away from the user is positive.
    Scrolled {
        /// Where the pointer was.
        at: Point,
        /// How far.
        notches: f64,
    },
    /// The picture was dragged so far.
    Dragged(Point),
    /// The picture was clicked twice in short order.
    DoubleClicked(Point),
    /// The divider was put to this share of the pane's width.
    Divided(f64),
    /// It is time for the other of two pictures.
    Blinked,
}

/// The pictures of a viewer.
pub fn surface(viewer: &State) -> Element<'_, Event> {
    Element::new(Surface { viewer })
}

struct Surface<'a> {
    viewer: &'a State,
}

#[derive(Default)]
struct Memory {
    appeared: bool,
    size: Size,
    /// Where the pointer was when the event at hand happened: several events
    /// come together with only the last place.
    pointer: Option<iced::Point>,
    pointed: Option<Point>,
    click: Option<mouse::Click>,
    drag: Option<Drag>,
    blink: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Drag {
    Picture { last: Point },
    Divider,
}

impl Surface<'_> {
    fn pane(&self, bounds: Rectangle) -> Pane {
        Pane::new(bounds, self.viewer.scale_factor)
    }

    /// All of the pane.
    fn whole(&self) -> Rect {
        Rect {
            left: 0,
            top: 0,
            width: self.viewer.pane.width,
            height: self.viewer.pane.height,
        }
    }

    /// Where the divider is, in device pixels from the pane's left edge.
    fn divider(&self) -> Option<u32> {
        let viewer = self.viewer;
        let divided = viewer.comparison == Comparison::Slider
            && viewer.shown.as_ref()?.scene.second.is_some();
        let width = viewer.pane.width;
        divided.then(|| (viewer.divider * f64::from(width)).round() as u32)
    }

    fn blinks(&self) -> bool {
        self.viewer.comparison == Comparison::Blink && self.viewer.compared().is_some()
    }

    fn is_on_divider(&self, at: Point) -> bool {
        let grip = f64::from(GRIP) * self.viewer.scale_factor;
        self.divider()
            .is_some_and(|divider| (at.x - f64::from(divider)).abs() <= grip)
    }

    fn is_larger_than_pane(&self) -> bool {
        self.viewer.shown.as_ref().is_some_and(|shown| {
            shown
                .scene
                .placements(&shown.view, self.viewer.pane)
                .any(|(_, placement)| {
                    placement.scaled.width > self.viewer.pane.width
                        || placement.scaled.height > self.viewer.pane.height
                })
        })
    }

    fn draw_picture(
        &self,
        renderer: &mut Renderer,
        pane: Pane,
        clip: Rect,
        scene: &Scene,
        (picture, placement): &(&Picture, Placement),
    ) {
        let cache = &self.viewer.cache;
        let (columns, rows) = placement.tiles(self.viewer.pane, 0);
        let tiles = rows.flat_map(|row| columns.clone().map(move |column| (column, row)));
        let tiles: Vec<_> = tiles
            .map(|(column, row)| {
                let key = scene.key(picture, placement, column, row);
                (placement.tile(column, row), cache.get(&key))
            })
            .filter(|(part, _)| overlap(part, &clip))
            .collect();
        renderer.with_layer(pane.layout(clip), |renderer| {
            if tiles.iter().any(|(_, handle)| handle.is_none())
                && let Some(overview) = cache.get(&Key::overview(picture))
            {
                let bounds = pane.layout(placement.rect());
                let image = image::Image::new(overview);
                renderer.draw_image(image, bounds, bounds);
            }
            for (part, handle) in tiles {
                if let Some(handle) = handle {
                    let image = image::Image::new(handle)
                        .filter_method(image::FilterMethod::Nearest)
                        .snap(true);
                    let bounds = pane.image(part);
                    renderer.draw_image(image, bounds, bounds);
                }
            }
        });
    }
}

impl Widget<Event, Theme, Renderer> for Surface<'_> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Memory>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Memory::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &mut self,
        _tree: &mut Tree,
        _renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        layout::Node::new(limits.max())
    }

    fn draw(
        &self,
        _tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        fill(renderer, layout.bounds(), theme::colours(theme).ground);
        let Some(shown) = &self.viewer.shown else {
            return;
        };
        let pane = self.pane(layout.bounds());
        let whole = self.whole();
        let pictures: Vec<_> = shown
            .scene
            .placements(&shown.view, self.viewer.pane)
            .collect();
        let mut draw = |at: usize, clip: Rect| {
            if let Some(picture) = pictures.get(at) {
                self.draw_picture(renderer, pane, clip, &shown.scene, picture);
            }
        };
        match self.divider() {
            Some(divider) => {
                let left = Rect {
                    width: divider,
                    ..whole
                };
                let right = Rect {
                    left: i64::from(divider),
                    width: whole.width - divider,
                    ..whole
                };
                if left.width > 0 {
                    draw(0, left);
                }
                if right.width > 0 {
                    draw(1, right);
                }
                draw_divider(renderer, pane, whole, divider);
            }
            None => {
                let second = self.viewer.second && pictures.len() > 1;
                draw(usize::from(second), whole);
            }
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &iced::Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Event>,
        _viewport: &Rectangle,
    ) {
        let memory = tree.state.downcast_mut::<Memory>();
        let bounds = layout.bounds();
        let pane = self.pane(bounds);
        if let iced::Event::Mouse(mouse::Event::CursorMoved { position }) = event {
            memory.pointer = Some(*position);
        }
        let pointer = cursor.position().and(memory.pointer);
        let over = pointer.filter(|&at| bounds.contains(at));
        match event {
            iced::Event::Window(window::Event::RedrawRequested(now)) => {
                self.on_redraw(memory, bounds.size(), *now, shell);
            }
            iced::Event::Window(window::Event::Rescaled(factor)) => {
                shell.publish(Event::Rescaled(*factor));
            }
            iced::Event::Mouse(mouse::Event::WheelScrolled { delta }) => {
                if let Some(at) = over {
                    let notches = match *delta {
                        mouse::ScrollDelta::Lines { y, .. } => f64::from(y),
                        mouse::ScrollDelta::Pixels { y, .. } => f64::from(y) / PIXELS_PER_NOTCH,
                    };
                    if notches != 0.0 {
                        let at = pane.device(at);
                        shell.publish(Event::Scrolled { at, notches });
                    }
                    shell.capture_event();
                }
            }
            iced::Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                if let Some(at) = over {
                    self.on_press(memory, pane.device(at), at, shell);
                    shell.capture_event();
                }
            }
            iced::Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                memory.drag = None;
            }
            iced::Event::Mouse(mouse::Event::CursorMoved { .. } | mouse::Event::CursorLeft) => {
                if let (Some(drag), Some(at)) = (&mut memory.drag, pointer) {
                    self.on_drag(drag, pane.device(at), shell);
                }
                let pointed = over.map(|at| {
                    let Point { x, y } = pane.device(at);
                    Point {
                        x: x.floor(),
                        y: y.floor(),
                    }
                });
                if pointed != memory.pointed {
                    memory.pointed = pointed;
                    shell.publish(Event::Pointed(pointed));
                }
            }
            _ => {}
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let memory = tree.state.downcast_ref::<Memory>();
        let over = cursor.position_over(layout.bounds());
        match (memory.drag, over) {
            (Some(Drag::Divider), _) => mouse::Interaction::ResizingHorizontally,
            (Some(Drag::Picture { .. }), _) if self.is_larger_than_pane() => {
                mouse::Interaction::Grabbing
            }
            (None, Some(at)) if self.is_on_divider(self.pane(layout.bounds()).device(at)) => {
                mouse::Interaction::ResizingHorizontally
            }
            (None, Some(_)) if self.is_larger_than_pane() => mouse::Interaction::Grab,
            _ => mouse::Interaction::None,
        }
    }
}

impl Surface<'_> {
    fn on_redraw(
        &self,
        memory: &mut Memory,
        size: Size,
        now: Instant,
        shell: &mut Shell<'_, Event>,
    ) {
        if !memory.appeared {
            memory.appeared = true;
            shell.publish(Event::Appeared);
        }
        if memory.size != size {
            memory.size = size;
            shell.publish(Event::Resized(size));
        }
        if self.blinks() {
            let due = memory.blink.unwrap_or(now + BLINK);
            if now >= due {
                shell.publish(Event::Blinked);
                memory.blink = Some(now + BLINK);
            } else {
                memory.blink = Some(due);
            }
            shell.request_redraw_at(memory.blink.unwrap_or(due));
        } else {
            memory.blink = None;
        }
    }

    fn on_press(
        &self,
        memory: &mut Memory,
        at: Point,
        position: iced::Point,
        shell: &mut Shell<'_, Event>,
    ) {
        let click = mouse::Click::new(position, mouse::Button::Left, memory.click);
        memory.click = Some(click);
        if self.is_on_divider(at) {
            memory.drag = Some(Drag::Divider);
        } else if click.kind() == mouse::click::Kind::Double {
            shell.publish(Event::DoubleClicked(at));
        } else {
            memory.drag = Some(Drag::Picture { last: at });
        }
    }

    fn on_drag(&self, drag: &mut Drag, at: Point, shell: &mut Shell<'_, Event>) {
        match drag {
            Drag::Picture { last } => {
                let by = Point {
                    x: at.x - last.x,
                    y: at.y - last.y,
                };
                if by != Point::default() {
                    *last = at;
                    shell.publish(Event::Dragged(by));
                }
            }
            Drag::Divider => {
                let width = f64::from(self.viewer.pane.width.max(1));
                shell.publish(Event::Divided(at.x / width));
            }
        }
    }
}
