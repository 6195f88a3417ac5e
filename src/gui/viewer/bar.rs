//! The bar under the picture: what it is, what is under the pointer, zoom.

use iced::widget::{button, container, responsive, row, space, text, tooltip};
use iced::{Center, Element, Fill};

use super::picture::Kind;
use super::scene::Comparison;
use super::{Message, State};
use crate::gui::icon::{Icon, icon};
use crate::gui::theme;

/// Its height.
const HEIGHT: f32 = 36.0;

/// Narrower than this there is room for the name or the pixel, not for both.
const ROOMY: f32 = 820.0;

/// The bar of a viewer.
pub fn bar(viewer: &State) -> Element<'_, Message> {
    container(responsive(move |size| content(viewer, size.width)))
        .padding([0.0, theme::space::MEDIUM])
        .height(HEIGHT)
        .width(Fill)
        .style(theme::panel)
        .into()
}

fn content(viewer: &State, width: f32) -> Element<'_, Message> {
    if viewer.picture().is_none() {
        return space().into();
    }
    let reading = reading(viewer);
    let about = (reading.is_none() || width >= ROOMY)
        .then(|| container(about(viewer)).width(Fill).clip(true));
    // The controls are never pushed out of the window.
    let words = row![].push(about).push(reading);
    row![]
        .push(
            container(words.spacing(theme::space::LARGE))
                .width(Fill)
                .clip(true),
        )
        .push(controls(viewer))
        .spacing(theme::space::LARGE)
        .height(Fill)
        .align_y(Center)
        .into()
}

fn label<'a>(content: impl text::IntoFragment<'a>) -> text::Text<'a> {
    text(content)
        .size(theme::size::SMALL)
        .wrapping(text::Wrapping::None)
}

/// Name and size, or both names.
fn about(viewer: &State) -> Element<'_, Message> {
    let (Some(picture), second) = (viewer.picture(), viewer.compared()) else {
        return space().into();
    };
    let size = picture.extent();
    let quiet = format!("{} × {}", size.width, size.height);
    let names = match (second, viewer.comparison()) {
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
        (None, _) => {
            let kind = match picture.kind() {
                Kind::Frame | Kind::Result => quiet,
                Kind::DepthMap => format!("Depth map, {quiet}"),
                Kind::Preview => "Not finished yet".to_owned(),
            };
            row![label(picture.name()), dim(kind)]
        }
    };
    names.spacing(theme::space::SMALL).align_y(Center).into()
}

fn dim<'a>(content: impl text::IntoFragment<'a>) -> text::Text<'a> {
    label(content).style(theme::muted)
}

/// What is under the pointer.
fn reading(viewer: &State) -> Option<Element<'_, Message>> {
    let ((x, y), reading) = viewer.reading()?;
    let number = |width: f32, number: u32| label(number.to_string()).width(width);
    let place = row![dim("x"), number(32.0, x), dim("y"), number(32.0, y)];
    let value = match reading.rgb {
        Some(rgb) => row(rgb.map(|value| number(22.0, value.into()).into())),
        None => row![dim("nothing here")],
    };
    let frame = reading.frame.map(|frame| dim(format!("from {frame}")));
    let reading = row![
        place.spacing(theme::space::TINY),
        value.spacing(theme::space::TINY)
    ];
    Some(reading.push(frame).spacing(theme::space::SMALL).into())
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
        label(percent(scale)).width(56).align_x(Center),
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
        .spacing(theme::space::LARGE)
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
        .padding([theme::space::TINY, theme::space::SMALL])
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
