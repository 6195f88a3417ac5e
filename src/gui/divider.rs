//! The edge of a panel, which can be dragged to make it wider or narrower.

use std::cell::Cell;
use std::time::{Duration, Instant};

use iced::widget::canvas::{self, Action, Event, Frame, Geometry};
use iced::{Element, Fill, Point, Rectangle, Renderer, Size, Theme, mouse};

use super::theme::{self, Colours};

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
    /// What was drawn last: whether it was lit, and in dark colours.
    drawn: Cell<Option<[bool; 2]>>,
    cache: canvas::Cache,
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
        let is_lit = held.from.is_some() || held.is_lit;
        let looks = [is_lit, theme.extended_palette().is_dark];
        if held.drawn.replace(Some(looks)) != Some(looks) {
            held.cache.clear();
        }
        let geometry = held.cache.draw(renderer, bounds.size(), |frame| {
            self.draw_edge(frame, is_lit, theme::colours(theme));
        });
        vec![geometry]
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

impl<F> Edge<F> {
    /// A line where the panel ends, and a handle beside it.
    fn draw_edge(&self, frame: &mut Frame, is_lit: bool, colours: &Colours) {
        let (thick, line, handle) = if is_lit {
            (3.0, colours.accent, colours.accent)
        } else {
            (1.0, colours.line, colours.muted)
        };
        let (x, dots) = match self.side {
            Side::Right => (WIDTH - thick, 2.0),
            Side::Left => (0.0, WIDTH - 4.0),
        };
        let height = frame.height();
        frame.fill_rectangle(Point::new(x, 0.0), Size::new(thick, height), line);
        let middle = (height / 2.0).floor();
        for y in [-6.0, 0.0, 6.0] {
            frame.fill_rectangle(Point::new(dots, middle + y), Size::new(2.0, 2.0), handle);
        }
    }
}
