//! The edge of a panel, which can be dragged to make it wider or narrower.

use std::time::{Duration, Instant};

use iced::widget::canvas::{self, Action, Event, Frame, Geometry, Path};
use iced::{Element, Fill, Point, Rectangle, Renderer, Size, Theme, mouse};

use super::theme;

/// How wide the part is that can be caught, in logical pixels.
pub const WIDTH: f32 = 7.0;
/// Two clicks within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// On which side of its panel an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The panel is on the left of its edge.
    Right,
    /// The panel is on the right of its edge.
    Left,
}

/// The edge on that side of a panel that is `width` wide. Dragging it gives
/// the width that is wanted; a double click gives `None`, for the usual one.
pub fn divider<'a, M: 'a>(
    side: Side,
    width: f32,
    message: impl Fn(Option<f32>) -> M + 'a,
) -> Element<'a, M> {
    let edge = Edge {
        side,
        width,
        message,
    };
    canvas::Canvas::new(edge).width(WIDTH).height(Fill).into()
}

struct Edge<F> {
    side: Side,
    width: f32,
    message: F,
}

/// What an edge remembers.
#[derive(Debug, Default)]
struct Held {
    /// Where it was caught, and how wide the panel was.
    from: Option<[f32; 2]>,
    pressed: Option<Instant>,
    /// Whether the pointer is on it.
    is_lit: bool,
}

impl<M, F: Fn(Option<f32>) -> M> canvas::Program<M> for Edge<F> {
    type State = Held;

    fn update(
        &self,
        held: &mut Held,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> Option<Action<M>> {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let x = cursor.position_over(bounds)?.x;
                let last = held.pressed.replace(Instant::now());
                if last.is_some_and(|last| last.elapsed() < DOUBLE) {
                    held.from = None;
                    return Some(Action::publish((self.message)(None)).and_capture());
                }
                held.from = Some([x, self.width]);
                Some(Action::capture())
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                held.from.take().map(|_| Action::request_redraw())
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                let Some([x, width]) = held.from else {
                    let was_lit = std::mem::replace(&mut held.is_lit, cursor.is_over(bounds));
                    return (held.is_lit != was_lit).then(Action::request_redraw);
                };
                let moved = cursor.position()?.x - x;
                let wanted = match self.side {
                    Side::Right => width + moved,
                    Side::Left => width - moved,
                };
                Some(Action::publish((self.message)(Some(wanted))).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        held: &Held,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _: mouse::Cursor,
    ) -> Vec<Geometry> {
        let colours = theme::colours(theme);
        let mut frame = Frame::new(renderer, bounds.size());
        let is_lit = held.from.is_some() || held.is_lit;
        let (colour, thick) = if is_lit {
            (colours.accent, 3.0)
        } else {
            (colours.line, 1.0)
        };
        // The line is where the panel ends.
        let x = match self.side {
            Side::Right => bounds.width - thick,
            Side::Left => 0.0,
        };
        frame.fill_rectangle(Point::new(x, 0.0), Size::new(thick, bounds.height), colour);
        let colour = if is_lit {
            colours.accent
        } else {
            colours.muted
        };
        let middle = Point::new((bounds.width - 1.0) / 2.0, bounds.height / 2.0);
        let x = match self.side {
            Side::Right => middle.x - 1.0,
            Side::Left => middle.x + 1.0,
        };
        for y in [-6.0, 0.0, 6.0] {
            frame.fill(&Path::circle(Point::new(x, middle.y + y), 1.25), colour);
        }
        vec![frame.into_geometry()]
    }

    fn mouse_interaction(
        &self,
        held: &Held,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> mouse::Interaction {
        if held.from.is_some() || cursor.is_over(bounds) {
            mouse::Interaction::ResizingHorizontally
        } else {
            mouse::Interaction::default()
        }
    }
}
