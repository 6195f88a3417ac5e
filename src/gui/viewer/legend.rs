//! What colours on a picture mean.

use iced::widget::{container, row, space, text};
use iced::{Center, Color, Element, Gradient, Radians, border, gradient};

use crate::gui::theme;

/// A scale of evenly spaced colours, eight at most, with its ends in words.
pub fn legend<'a, Message: 'a>(
    colours: impl ExactSizeIterator<Item = Color>,
    from: &'a str,
    to: &'a str,
) -> Element<'a, Message> {
    let last = colours.len().saturating_sub(1).max(1) as f32;
    let start = gradient::Linear::new(Radians::PI / 2.0);
    let scale = colours.enumerate().fold(start, |scale, (stop, colour)| {
        scale.add_stop(stop as f32 / last, colour)
    });
    let bar = container(space().width(96).height(8)).style(move |_| container::Style {
        background: Some(Gradient::Linear(scale).into()),
        border: border::rounded(2)
            .width(1)
            .color(Color::WHITE.scale_alpha(0.4)),
        ..container::Style::default()
    });
    let word = |word| text(word).size(theme::size::SMALL);
    let content = row![word(from), bar, word(to)];
    container(content.spacing(theme::space::SMALL).align_y(Center))
        .padding([theme::space::TINY, theme::space::SMALL])
        .style(theme::badge)
        .into()
}

/// That of a depth map.
pub fn of_depth<'a, Message: 'a>() -> Element<'a, Message> {
    let colours = [Color::BLACK, Color::WHITE].into_iter();
    legend(colours, "first frame", "last frame")
}
