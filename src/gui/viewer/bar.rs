//! The bar under the picture: what it is, what is under the pointer, zoom.

use iced::widget::{button, column, container, row, text, tooltip};
use iced::{Center, Element, Fill};

use super::picture::Kind;
use super::scene::Comparison;
use super::{Message, State};
use crate::gui::icon::{Icon, icon};
use crate::gui::theme;

/// Its height.
const HEIGHT: f32 = 36.0;

/// The bar of a viewer: the name of what is shown, under it what is under the
/// pointer, and the controls, which nothing pushes out of the window.
pub fn bar(viewer: &State) -> Element<'_, Message> {
    let below = reading(viewer).or_else(|| facts(viewer));
    let words = column![].push(names(viewer)).push(below);
    let content = row![container(words).width(Fill).clip(true)]
        .push(viewer.picture().map(|_| controls(viewer)))
        .spacing(theme::space::MEDIUM)
        .align_y(Center);
    container(content)
        .padding([0.0, theme::space::MEDIUM])
        .center_y(HEIGHT)
        .width(Fill)
        .style(theme::panel)
        .into()
}

fn label<'a>(content: impl text::IntoFragment<'a>) -> text::Text<'a> {
    text(content)
        .size(theme::size::SMALL)
        .wrapping(text::Wrapping::None)
}

/// The name, or both names.
fn names(viewer: &State) -> Option<Element<'_, Message>> {
    let picture = viewer.picture()?;
    let names = match (viewer.compared(), viewer.comparison()) {
        (Some(second), Comparison::Slider) => {
            row![label(picture.name()), dim("|"), label(second.name())]
        }
        (Some(second), Comparison::Blink) => {
            let (seen, other) = if viewer.second {
                (second, picture)
            } else {
                (picture, second)
            };
            row![label(seen.name()), dim("and"), dim(other.name())]
        }
        (None, _) => row![label(picture.name())],
    };
    Some(names.spacing(theme::space::SMALL).into())
}

/// What there is to say as long as the pointer is elsewhere.
fn facts(viewer: &State) -> Option<Element<'_, Message>> {
    let picture = viewer.picture()?;
    let size = picture.extent();
    let words = match picture.kind() {
        Kind::Preview => "Not finished yet".to_owned(),
        Kind::Frame | Kind::Result | Kind::DepthMap => {
            format!("{} × {}", size.width, size.height)
        }
    };
    Some(dim(words).into())
}

fn dim<'a>(content: impl text::IntoFragment<'a>) -> text::Text<'a> {
    label(content).style(theme::muted)
}

/// What is under the pointer.
fn reading(viewer: &State) -> Option<Element<'_, Message>> {
    let ((x, y), reading) = viewer.reading()?;
    let extent = viewer.picture()?.extent();
    // As wide for every place of the picture, so that nothing after it jumps.
    let digits = (extent.width.max(1).ilog10() + extent.height.max(1).ilog10() + 2) as f32;
    let place = label(format!("{x}, {y}")).width(7.0 * digits + 8.0);
    let value = match reading.rgb {
        Some(rgb) => row(rgb.map(|value| label(value.to_string()).width(24).into())),
        None => row![dim("nothing here")],
    };
    // Two names leave little room.
    let frame = reading.frame.map(|frame| match viewer.compared() {
        Some(_) => dim(frame),
        None => dim(format!("from {frame}")),
    });
    let reading = row![place, value].push(frame);
    Some(reading.spacing(theme::space::SMALL).into())
}

/// Heat map, comparison, zoom.
fn controls(viewer: &State) -> Element<'_, Message> {
    let heat_map = viewer.knows_sharpness().then(|| {
        control(
            label("Heat map"),
            viewer.heat_map(),
            "Where this picture is sharp: dark is soft, bright is sharp",
            Message::ToggleHeatMap,
        )
    });
    let comparison = viewer.compared().map(|_| {
        let is = |comparison| viewer.comparison() == comparison;
        row![
            control(
                label("Slider"),
                is(Comparison::Slider),
                "Both pictures, side by side at a line that you drag",
                Message::Compare(Comparison::Slider),
            ),
            control(
                label("Blink"),
                is(Comparison::Blink),
                "One picture after the other, twice a second",
                Message::Compare(Comparison::Blink),
            ),
        ]
        .spacing(2)
    });
    let scale = viewer.scale().unwrap_or(1.0);
    let zoom = row![
        control(icon(Icon::Minus), false, "Smaller", Message::ZoomOut),
        label(percent(scale)).width(48).align_x(Center),
        control(icon(Icon::Plus), false, "Larger", Message::ZoomIn),
        control(
            label("Fit"),
            viewer.is_fit(),
            "All of the picture (double click)",
            Message::ZoomFit,
        ),
        control(
            label("100 %"),
            scale == 1.0,
            "One pixel of the picture for one of the screen (double click)",
            Message::Zoom100,
        ),
        control(
            label("200 %"),
            scale == 2.0,
            "One pixel of the picture for four of the screen",
            Message::Zoom200,
        ),
    ];
    row![]
        .push(heat_map)
        .push(comparison)
        .push(zoom.spacing(2).align_y(Center))
        .spacing(theme::space::MEDIUM)
        .align_y(Center)
        .into()
}

/// A scale in words: whole percents, and tenths below 10 %.
fn percent(scale: f64) -> String {
    let percent = scale * 100.0;
    if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

fn control<'a>(
    face: impl Into<Element<'a, Message>>,
    active: bool,
    tip: &'a str,
    message: Message,
) -> Element<'a, Message> {
    let button = button(face)
        .padding([theme::space::TINY, theme::space::TINY + 2.0])
        .on_press(message)
        .style(theme::choice(active));
    let tip = container(label(tip))
        .padding([theme::space::TINY, theme::space::SMALL])
        .style(theme::tip);
    tooltip(button, tip, tooltip::Position::Top)
        .gap(theme::space::TINY)
        .into()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn scales_read_as_percents() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.16649), "17 %");
        assert_eq!(percent(0.0625), "6.2 %");
        assert_eq!(percent(8.0), "800 %");
    }
}
