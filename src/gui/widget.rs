//! Small pieces that several panels are made of.

use iced::widget::tooltip::{self, Tooltip};
use iced::widget::{Button, Column, Row, button, column, container, row, space, text};
use iced::{Center, Element, Fill, Length};

use super::icon::{self, Icon};
use super::theme::{self, size, space as gap};

/// How wide a tool tip may be.
const TIP_WIDTH: f32 = 280.0;

/// `content` with a text that appears when the pointer rests on it.
pub fn tip<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    words: impl text::IntoFragment<'a>,
    position: tooltip::Position,
) -> Element<'a, M> {
    let words = container(text(words).size(size::SMALL))
        .max_width(TIP_WIDTH)
        .padding([gap::TINY + 2.0, gap::SMALL])
        .style(theme::tip);
    Tooltip::new(content, words, position)
        .gap(gap::TINY)
        .delay(std::time::Duration::from_millis(500))
        .into()
}

/// A button that is only an icon; `words` say what it does.
pub fn icon_button<'a, M: Clone + 'a>(
    icon: Icon,
    words: &'a str,
    message: Option<M>,
) -> Element<'a, M> {
    let button = button(icon::icon(icon))
        .padding(gap::SMALL)
        .style(theme::quiet)
        .on_press_maybe(message);
    tip(button, words, tooltip::Position::Bottom)
}

/// A button that is only an icon and stays pressed while `is_on`.
pub fn toggle_button<'a, M: Clone + 'a>(
    icon: Icon,
    words: &'a str,
    is_on: bool,
    message: M,
) -> Element<'a, M> {
    let button = button(icon::icon(icon))
        .padding(gap::SMALL)
        .style(theme::choice(is_on))
        .on_press(message);
    tip(button, words, tooltip::Position::Top)
}

/// A button with words, and an icon before them.
pub fn labelled<'a, M: Clone + 'a>(icon: Option<Icon>, words: &'a str) -> Button<'a, M> {
    let mut content = Row::new().spacing(gap::SMALL).align_y(Center);
    if let Some(icon) = icon {
        content = content.push(icon::icon(icon));
    }
    button(content.push(text(words).size(size::BODY)))
        .padding([gap::SMALL - 1.0, gap::MEDIUM])
        .style(theme::secondary)
}

/// A control with its name before it and what it is for in a tool tip.
pub fn option<'a, M: 'a>(
    name: &'a str,
    words: &'a str,
    control: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    let line = row![
        text(name).size(size::BODY).width(Length::FillPortion(4)),
        container(control)
            .width(Length::FillPortion(5))
            .align_x(iced::Right)
    ]
    .spacing(gap::SMALL)
    .align_y(Center);
    tip(line, words, tooltip::Position::Left)
}

/// A control under its name and its value.
pub fn tall_option<'a, M: 'a>(
    name: &'a str,
    value: String,
    words: &'a str,
    control: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    let head = row![
        text(name).size(size::BODY),
        space::horizontal(),
        text(value).size(size::BODY).style(theme::muted)
    ];
    tip(
        column![head, control.into()].spacing(gap::TINY),
        words,
        tooltip::Position::Left,
    )
}

/// The head of something that is folded or not.
pub fn fold<'a, M: Clone + 'a>(words: &'a str, is_open: bool, message: M) -> Element<'a, M> {
    let arrow = if is_open {
        Icon::ChevronDown
    } else {
        Icon::ChevronRight
    };
    let head = row![
        icon::sized(arrow, 14.0),
        text(words).size(size::BODY).style(theme::muted)
    ];
    button(head.spacing(gap::TINY).align_y(Center))
        .padding([2.0, 0.0])
        .style(theme::quiet)
        .on_press(message)
        .into()
}

/// A named part of a panel.
pub fn section<'a, M: 'a>(name: &'a str, content: Column<'a, M>) -> Element<'a, M> {
    column![
        text(name).size(size::SMALL).style(theme::muted),
        content.spacing(gap::SMALL + 2.0)
    ]
    .spacing(gap::SMALL + 2.0)
    .width(Fill)
    .into()
}

/// Choices of which one is in force.
pub fn choices<'a, T: Copy + PartialEq + 'a, M: Clone + 'a>(
    all: impl IntoIterator<Item = (T, &'a str)>,
    chosen: T,
    message: impl Fn(T) -> M + 'a,
) -> Element<'a, M> {
    let buttons = all.into_iter().map(|(value, words)| {
        button(text(words).size(size::BODY))
            .padding([gap::TINY, gap::SMALL + 2.0])
            .style(theme::choice(value == chosen))
            .on_press(message(value))
            .into()
    });
    Row::with_children(buttons).spacing(2).into()
}
