//! Where the pane of a viewer is on the screen, and what is drawn on it besides
//! pictures.

use iced::advanced::renderer::{Quad, Renderer as _};
use iced::{Background, Border, Color, Rectangle, Renderer, Size};

use super::geometry::{Point, Rect};

/// The pane's place on the screen.
#[derive(Clone, Copy)]
pub struct Pane {
    scale: f64,
    left: f64,
    top: f64,
}

impl Pane {
    pub fn new(bounds: Rectangle, scale: f64) -> Self {
        Self {
            scale,
            left: (f64::from(bounds.x) * scale).round(),
            top: (f64::from(bounds.y) * scale).round(),
        }
    }

    pub fn device(&self, at: iced::Point) -> Point {
        Point {
            x: f64::from(at.x) * self.scale - self.left,
            y: f64::from(at.y) * self.scale - self.top,
        }
    }

    /// A rectangle of the pane in the layout.
    pub fn layout(&self, rect: Rect) -> Rectangle {
        Rectangle {
            x: ((self.left + rect.left as f64) / self.scale) as f32,
            y: ((self.top + rect.top as f64) / self.scale) as f32,
            width: (f64::from(rect.width) / self.scale) as f32,
            height: (f64::from(rect.height) / self.scale) as f32,
        }
    }

    /// As [`Self::layout`], for an image whose pixels are device pixels.
    /// The software renderer cuts positions off towards zero, the other
    /// rounds them: a quarter of a pixel keeps both on the pixel meant,
    /// whatever is lost to single precision.
    pub fn image(&self, rect: Rect) -> Rectangle {
        let place = |origin: f64, offset: i64| {
            let device = origin + offset as f64;
            ((device + 0.25 * device.signum()) / self.scale) as f32
        };
        Rectangle {
            x: place(self.left, rect.left),
            y: place(self.top, rect.top),
            ..self.layout(rect)
        }
    }
}

/// Whether two rectangles have a pixel in common.
pub fn overlap(a: &Rect, b: &Rect) -> bool {
    a.left < b.left + i64::from(b.width)
        && b.left < a.left + i64::from(a.width)
        && a.top < b.top + i64::from(b.height)
        && b.top < a.top + i64::from(a.height)
}

/// Fills a rectangle of the layout.
pub fn fill(renderer: &mut Renderer, bounds: Rectangle, colour: Color) {
    let quad = Quad {
        bounds,
        ..Quad::default()
    };
    renderer.fill_quad(quad, Background::Color(colour));
}

/// A line from top to bottom with a handle in the middle.
pub fn draw_divider(renderer: &mut Renderer, pane: Pane, whole: Rect, at: u32) {
    let line = Rect {
        left: i64::from(at) - 1,
        width: 2,
        ..whole
    };
    let around = Rect {
        left: line.left - 1,
        width: 4,
        ..whole
    };
    renderer.with_layer(pane.layout(whole), |renderer| {
        fill(
            renderer,
            pane.layout(around),
            Color::BLACK.scale_alpha(0.35),
        );
        fill(renderer, pane.layout(line), Color::WHITE);
        let middle = pane.layout(line);
        let size = Size::new(12.0, 44.0);
        let handle = Quad {
            bounds: Rectangle::new(
                iced::Point::new(
                    middle.center_x() - size.width / 2.0,
                    middle.center_y() - size.height / 2.0,
                ),
                size,
            ),
            border: Border {
                color: Color::BLACK.scale_alpha(0.35),
                width: 1.0,
                radius: (size.width / 2.0).into(),
            },
            ..Quad::default()
        };
        renderer.fill_quad(handle, Background::Color(Color::WHITE));
    });
}
