//! How everything looks: colours for light and dark, one scale of spaces and
//! one of type sizes, and the styles of the controls.
//!
//! Colours are neutral greys, so that they do not tint the eye that judges a
//! picture, and one accent. Text has a contrast of 4.5 or more on everything
//! it stands on (WCAG 2.1, AA); a test keeps it so.

use iced::border::Border;
use iced::widget::{
    button, checkbox, container, pick_list, progress_bar, rule, scrollable, slider, text_input,
    toggler,
};
use iced::{Background, Color, Font, Shadow, Theme, border, overlay};

mod colours;

#[cfg(test)]
use self::colours::contrast;
pub use self::colours::{Colours, colours, theme};
use self::colours::{DARK, LIGHT};

/// The scale of spaces, in logical pixels.
pub mod space {
    /// Between things that belong together.
    pub const TINY: f32 = 4.0;
    /// Between neighbours.
    pub const SMALL: f32 = 8.0;
    /// Inside panels.
    pub const MEDIUM: f32 = 12.0;
    /// Between groups.
    pub const LARGE: f32 = 20.0;
}

/// The scale of type, in logical pixels.
pub mod size {
    /// Notes, captions and numbers beside pictures.
    pub const SMALL: f32 = 12.0;
    /// Everything else.
    pub const BODY: f32 = 14.0;
    /// Headings of dialogs.
    pub const HEADING: f32 = 18.0;
    /// The name on the empty window.
    pub const TITLE: f32 = 34.0;
    /// Icons in buttons.
    pub const ICON: f32 = 16.0;
}

/// The face of all text. It has one weight: size and colour set things apart.
pub const FONT: Font = Font::with_name("Fira Sans");

/// Corners of controls.
pub const RADIUS: f32 = 6.0;

fn edge(color: Color) -> Border {
    Border {
        color,
        width: 1.0,
        radius: RADIUS.into(),
    }
}

fn faded(color: Color) -> Color {
    color.scale_alpha(0.4)
}

/// A bar or panel.
pub fn panel(theme: &Theme) -> container::Style {
    container::Style::default().background(colours(theme).panel)
}

/// Behind the picture.
pub fn ground(theme: &Theme) -> container::Style {
    container::Style::default().background(colours(theme).ground)
}

/// What lies above the window: dialogs, menus, notices. A rim sets it off: the
/// software renderer darkens what a shadow falls on each time that it draws.
pub fn card(theme: &Theme) -> container::Style {
    let colours = colours(theme);
    container::Style {
        text_color: Some(colours.text),
        background: Some(colours.panel.into()),
        border: Border {
            radius: 10.0.into(),
            ..edge(colours.rim)
        },
        ..container::Style::default()
    }
}

/// A tool tip.
pub fn tip(theme: &Theme) -> container::Style {
    let colours = colours(theme);
    container::Style {
        text_color: Some(colours.text),
        background: Some(colours.raised.into()),
        border: edge(colours.rim),
        ..container::Style::default()
    }
}

/// What dims the window behind a dialog.
pub fn shade(theme: &Theme) -> container::Style {
    container::Style::default().background(colours(theme).shade)
}

/// A framed part of a panel.
pub fn well(theme: &Theme) -> container::Style {
    let colours = colours(theme);
    container::Style {
        background: Some(colours.ground.into()),
        border: border::rounded(RADIUS),
        ..container::Style::default()
    }
}

/// A picture's frame in the library.
pub fn cell(theme: &Theme, is_selected: bool, is_shown: bool) -> container::Style {
    let colours = colours(theme);
    container::Style {
        background: is_selected.then(|| colours.selected.into()),
        border: Border {
            color: if is_shown {
                colours.accent
            } else {
                Color::TRANSPARENT
            },
            width: 2.0,
            radius: RADIUS.into(),
        },
        ..container::Style::default()
    }
}

/// A word on a picture.
pub fn badge(theme: &Theme) -> container::Style {
    container::Style {
        text_color: Some(DARK.text),
        background: Some(Color::BLACK.scale_alpha(0.72).into()),
        border: border::rounded(4),
        ..container::Style::default()
    }
    .color(if theme.extended_palette().is_dark {
        DARK.text
    } else {
        LIGHT.raised
    })
}

/// Text that is read second.
pub fn muted(theme: &Theme) -> iced::widget::text::Style {
    iced::widget::text::Style {
        color: Some(colours(theme).muted),
    }
}

/// Text in the accent.
pub fn accented(theme: &Theme) -> iced::widget::text::Style {
    iced::widget::text::Style {
        color: Some(colours(theme).accent),
    }
}

/// Text of something to know.
pub fn warning(theme: &Theme) -> iced::widget::text::Style {
    iced::widget::text::Style {
        color: Some(colours(theme).warning),
    }
}

/// Text of something that went wrong.
pub fn danger(theme: &Theme) -> iced::widget::text::Style {
    iced::widget::text::Style {
        color: Some(colours(theme).danger),
    }
}

/// Text of something that went well.
pub fn good(theme: &Theme) -> iced::widget::text::Style {
    iced::widget::text::Style {
        color: Some(colours(theme).good),
    }
}

fn button_style(
    background: Option<Color>,
    text_color: Color,
    line: Option<Color>,
) -> button::Style {
    button::Style {
        background: background.map(Background::Color),
        text_color,
        border: line.map_or(border::rounded(RADIUS), edge),
        ..button::Style::default()
    }
}

/// The one button that the window is about.
pub fn primary(theme: &Theme, status: button::Status) -> button::Style {
    let colours = colours(theme);
    match status {
        button::Status::Active => button_style(Some(colours.accent), colours.on_accent, None),
        button::Status::Hovered | button::Status::Pressed => {
            button_style(Some(colours.accent_hovered), colours.on_accent, None)
        }
        button::Status::Disabled => {
            button_style(Some(colours.raised), colours.muted.scale_alpha(0.7), None)
        }
    }
}

/// Any other button with words.
pub fn secondary(theme: &Theme, status: button::Status) -> button::Style {
    let colours = colours(theme);
    let line = Some(colours.line);
    match status {
        button::Status::Active => button_style(Some(colours.raised), colours.text, line),
        button::Status::Hovered | button::Status::Pressed => {
            button_style(Some(colours.hovered), colours.text, line)
        }
        button::Status::Disabled => {
            button_style(None, faded(colours.text), Some(faded(colours.line)))
        }
    }
}

/// A button without a frame: icons, entries of a menu.
pub fn quiet(theme: &Theme, status: button::Status) -> button::Style {
    let colours = colours(theme);
    match status {
        button::Status::Active => button_style(None, colours.text, None),
        button::Status::Hovered | button::Status::Pressed => {
            button_style(Some(colours.hovered), colours.text, None)
        }
        button::Status::Disabled => button_style(None, faded(colours.text), None),
    }
}

/// One of several choices in a row.
pub fn choice(is_chosen: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        let colours = colours(theme);
        if is_chosen {
            button_style(Some(colours.selected), colours.text, None)
        } else {
            quiet(theme, status)
        }
    }
}

/// A slider.
pub fn slide(theme: &Theme, status: slider::Status) -> slider::Style {
    let colours = colours(theme);
    let handle = match status {
        slider::Status::Active => colours.accent,
        slider::Status::Hovered | slider::Status::Dragged => colours.accent_hovered,
    };
    slider::Style {
        rail: slider::Rail {
            backgrounds: (colours.accent.into(), colours.edge.into()),
            width: 3.0,
            border: border::rounded(2),
        },
        handle: slider::Handle {
            shape: slider::HandleShape::Circle { radius: 7.0 },
            background: handle.into(),
            border_width: 2.0,
            border_color: colours.panel,
        },
    }
}

/// A switch.
pub fn switch(theme: &Theme, status: toggler::Status) -> toggler::Style {
    let colours = colours(theme);
    let (is_toggled, is_enabled) = match status {
        toggler::Status::Active { is_toggled } | toggler::Status::Hovered { is_toggled } => {
            (is_toggled, true)
        }
        toggler::Status::Disabled { is_toggled } => (is_toggled, false),
    };
    let background = if is_toggled {
        colours.accent
    } else {
        colours.edge
    };
    let foreground = if is_toggled {
        colours.on_accent
    } else {
        colours.panel
    };
    toggler::Style {
        background: if is_enabled {
            background
        } else {
            faded(background)
        }
        .into(),
        background_border_width: 0.0,
        background_border_color: Color::TRANSPARENT,
        foreground: foreground.into(),
        foreground_border_width: 0.0,
        foreground_border_color: Color::TRANSPARENT,
        text_color: Some(colours.text),
        border_radius: None,
        padding_ratio: 0.15,
    }
}

/// A tick box.
pub fn tick(theme: &Theme, status: checkbox::Status) -> checkbox::Style {
    let colours = colours(theme);
    let (checkbox::Status::Active { is_checked }
    | checkbox::Status::Hovered { is_checked }
    | checkbox::Status::Disabled { is_checked }) = status;
    checkbox::Style {
        background: if is_checked {
            colours.accent
        } else {
            colours.raised
        }
        .into(),
        icon_color: colours.on_accent,
        border: Border {
            radius: 4.0.into(),
            ..edge(if is_checked {
                colours.accent
            } else {
                colours.edge
            })
        },
        text_color: Some(colours.text),
    }
}

/// A list to pick from, closed.
pub fn pick(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let colours = colours(theme);
    let background = match status {
        pick_list::Status::Active => colours.raised,
        pick_list::Status::Hovered | pick_list::Status::Opened { .. } => colours.hovered,
    };
    pick_list::Style {
        text_color: colours.text,
        placeholder_color: colours.muted,
        handle_color: colours.muted,
        background: background.into(),
        border: edge(colours.line),
    }
}

/// A list to pick from, open.
pub fn menu(theme: &Theme) -> overlay::menu::Style {
    let colours = colours(theme);
    overlay::menu::Style {
        background: colours.raised.into(),
        border: edge(colours.rim),
        text_color: colours.text,
        selected_text_color: colours.text,
        selected_background: colours.selected.into(),
        shadow: Shadow::default(),
    }
}

/// A line of text to edit.
pub fn input(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let colours = colours(theme);
    let line = match status {
        text_input::Status::Focused { .. } => colours.accent,
        text_input::Status::Hovered => colours.muted,
        text_input::Status::Active | text_input::Status::Disabled => colours.edge,
    };
    text_input::Style {
        background: colours.raised.into(),
        border: edge(line),
        icon: colours.muted,
        placeholder: colours.muted,
        value: colours.text,
        selection: colours.accent.scale_alpha(0.35),
    }
}

/// A bar that fills.
pub fn progress(theme: &Theme) -> progress_bar::Style {
    let colours = colours(theme);
    progress_bar::Style {
        background: colours.line.into(),
        bar: colours.accent.into(),
        border: border::rounded(3),
    }
}

/// A line between panels.
pub fn line(theme: &Theme) -> rule::Style {
    rule::Style {
        color: colours(theme).line,
        radius: 0.0.into(),
        fill_mode: rule::FillMode::Full,
        snap: true,
    }
}

/// A list that scrolls.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let colours = colours(theme);
    let is_active = matches!(status, scrollable::Status::Active { .. });
    let mut style = scrollable::default(theme, status);
    for rail in [&mut style.vertical_rail, &mut style.horizontal_rail] {
        rail.background = None;
        rail.scroller.border = border::rounded(4);
        let scroller = if is_active {
            colours.line
        } else {
            colours.muted
        };
        rail.scroller.background = scroller.into();
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ThemeChoice;
    use iced::theme::Mode;

    #[test]
    fn words_on_a_picture_can_be_read_whatever_it_shows() {
        let grounds = [Color::BLACK, Color::WHITE];
        for (palette, colours) in [(ThemeChoice::Dark, &DARK), (ThemeChoice::Light, &LIGHT)] {
            let style = badge(&theme(palette, Mode::None));
            let Some(Background::Color(veil)) = style.background else {
                panic!("a veil");
            };
            for ground in grounds {
                let mixed = |under: f32, over: f32| under + (over - under) * veil.a;
                let ground = Color::from_rgb(
                    mixed(ground.r, veil.r),
                    mixed(ground.g, veil.g),
                    mixed(ground.b, veil.b),
                );
                let ink = style.text_color.unwrap_or(colours.text);
                assert!(contrast(ground, ink) >= 4.5, "{ink:?} on {ground:?}");
            }
        }
    }
}
