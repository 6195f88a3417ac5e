//! Icons from the Lucide font.

use iced::widget::{Text, text};
use iced::{Center, Font};
pub use lucide_icons::Icon;

use super::theme;

/// The font, to be loaded when the program starts.
pub const FONT: &[u8] = lucide_icons::LUCIDE_FONT_BYTES;

/// An icon of the usual size.
pub fn icon<'a>(icon: Icon) -> Text<'a> {
    sized(icon, theme::size::ICON)
}

/// An icon of any size, in logical pixels.
pub fn sized<'a>(icon: Icon, size: f32) -> Text<'a> {
    text(char::from(icon).to_string())
        .font(Font::with_name("lucide"))
        .size(size)
        .line_height(1.0)
        .align_x(Center)
        .align_y(Center)
        .shaping(text::Shaping::Basic)
}
