//! The sharpness of every frame in stack order, as a plot that can be clicked.

use iced::widget::canvas::{self, Action, Event, Geometry, LineDash, Path, Stroke, Text};
use iced::{Point, Rectangle, Renderer, Theme, mouse};

use super::{Frame as Photo, Message, State};
use crate::gui::theme;

/// Room for the word above the curve.
const HEAD: f32 = 18.0;

/// Draws the plot of a library.
pub struct Plot<'a> {
    library: &'a State,
}

impl<'a> Plot<'a> {
    /// The plot of this library.
    pub fn of(library: &'a State) -> Self {
        Self { library }
    }

    /// The frame at a place, from 0 to 1 of the width.
    fn frame_at(&self, share: f32) -> Option<usize> {
        let count = self.library.frames.len();
        let place = (share * count as f32).floor();
        (count > 0).then(|| (place.max(0.0) as usize).min(count - 1))
    }
}

impl canvas::Program<Message> for Plot<'_> {
    type State = bool;

    fn update(
        &self,
        is_dragging: &mut bool,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> Option<Action<Message>> {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
                if cursor.is_over(bounds) =>
            {
                *is_dragging = true;
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                *is_dragging = false;
                return None;
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) if *is_dragging => {}
            _ => return None,
        }
        let x = cursor.position()?.x - bounds.x;
        let place = self.frame_at(x / bounds.width)?;
        if self.library.cursor == Some(self.library.frames[place].id) {
            return Some(Action::capture());
        }
        Some(Action::publish(Message::PlotPressed(place)).and_capture())
    }

    fn draw(
        &self,
        _: &bool,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _: mouse::Cursor,
    ) -> Vec<Geometry> {
        let colours = theme::colours(theme);
        let library = self.library;
        let geometry = library.plot.draw(renderer, bounds.size(), |frame| {
            let is_known = |photo: &&Photo| photo.score.is_some() || photo.fault.is_some();
            let known = library.frames.iter().filter(is_known).count();
            let total = library.frames.len();
            let words = if known < total {
                format!("Sharpness, {known} of {total} frames known")
            } else {
                "Sharpness".to_owned()
            };
            frame.fill_text(Text {
                content: words,
                position: Point::ORIGIN,
                color: colours.muted,
                size: theme::size::SMALL.into(),
                font: theme::FONT,
                ..Text::default()
            });
            let (width, height) = (frame.width(), frame.height() - HEAD);
            let base = frame.height() - 1.0;
            let pitch = width / total.max(1) as f32;
            let bar = (pitch - 1.0).clamp(0.75, 10.0);
            let sharpest = library.sharpest();
            for (place, photo) in library.frames.iter().enumerate() {
                let middle = (place as f32 + 0.5) * pitch;
                let tall = photo
                    .score
                    .map_or(0.0, |s| (s / sharpest) as f32 * (height - 3.0));
                let colour = if library.cursor == Some(photo.id) {
                    colours.accent
                } else if photo.is_included && photo.fault.is_none() {
                    colours.muted
                } else {
                    colours.line
                };
                let corner = Point::new(middle - bar / 2.0, base - tall.max(1.0));
                frame.fill_rectangle(corner, iced::Size::new(bar, tall.max(1.0)), colour);
                if !photo.is_included {
                    let mark = Path::circle(Point::new(middle, base - tall - 4.0), 1.75);
                    frame.fill(&mark, colours.warning);
                }
            }
            let line = Path::line(Point::new(0.0, base), Point::new(width, base));
            frame.stroke(&line, Stroke::default().with_color(colours.line));
            for x in library.jump_places().map(|share| share * width) {
                let line = Path::line(Point::new(x, HEAD - 2.0), Point::new(x, base));
                let stroke = Stroke {
                    line_dash: LineDash {
                        segments: &[3.0, 3.0],
                        offset: 0,
                    },
                    ..Stroke::default()
                        .with_color(colours.warning)
                        .with_width(1.5)
                };
                frame.stroke(&line, stroke);
            }
        });
        vec![geometry]
    }

    fn mouse_interaction(
        &self,
        _: &bool,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> mouse::Interaction {
        if cursor.is_over(bounds) && !self.library.frames.is_empty() {
            mouse::Interaction::Pointer
        } else {
            mouse::Interaction::default()
        }
    }
}
