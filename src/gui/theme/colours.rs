//! The colours of light and dark.

use iced::theme::{Mode, Palette};
use iced::{Color, Theme};

use crate::settings::ThemeChoice;

/// The colours of a theme.
#[derive(Debug, Clone, Copy)]
pub struct Colours {
    /// Behind the picture.
    pub ground: Color,
    /// Panels and bars.
    pub panel: Color,
    /// Controls, and what lies above a panel.
    pub raised: Color,
    /// Controls under the pointer.
    pub hovered: Color,
    /// Lines between panels and around controls.
    pub line: Color,
    /// Around what lies above the window.
    pub rim: Color,
    /// Around what can be written into, ticked or moved, and the way of what
    /// moves.
    pub edge: Color,
    /// Text.
    pub text: Color,
    /// Text that is read second.
    pub muted: Color,
    /// The primary button, selections, progress.
    pub accent: Color,
    /// The accent under the pointer.
    pub accent_hovered: Color,
    /// Text on the accent.
    pub on_accent: Color,
    /// Behind what is selected.
    pub selected: Color,
    /// Something went well.
    pub good: Color,
    /// Something to know.
    pub warning: Color,
    /// Something went wrong.
    pub danger: Color,
    /// What dims the window behind a dialog.
    pub shade: Color,
}

pub(super) const DARK: Colours = Colours {
    ground: Color::from_rgb8(0x13, 0x13, 0x13),
    panel: Color::from_rgb8(0x1d, 0x1d, 0x1e),
    raised: Color::from_rgb8(0x2a, 0x2a, 0x2c),
    hovered: Color::from_rgb8(0x37, 0x37, 0x3a),
    line: Color::from_rgb8(0x33, 0x33, 0x36),
    rim: Color::from_rgb8(0x50, 0x50, 0x55),
    edge: Color::from_rgb8(0x74, 0x74, 0x7a),
    text: Color::from_rgb8(0xec, 0xec, 0xee),
    muted: Color::from_rgb8(0xa4, 0xa4, 0xaa),
    accent: Color::from_rgb8(0x4f, 0xc4, 0xb0),
    accent_hovered: Color::from_rgb8(0x6c, 0xd6, 0xc4),
    on_accent: Color::from_rgb8(0x06, 0x23, 0x1e),
    selected: Color::from_rgb8(0x1f, 0x40, 0x3b),
    good: Color::from_rgb8(0x7a, 0xcb, 0x86),
    warning: Color::from_rgb8(0xe6, 0xb8, 0x5c),
    danger: Color::from_rgb8(0xf2, 0x8b, 0x82),
    shade: Color::from_rgba8(0, 0, 0, 0.6),
};

pub(super) const LIGHT: Colours = Colours {
    ground: Color::from_rgb8(0xd9, 0xd9, 0xdb),
    panel: Color::from_rgb8(0xf6, 0xf6, 0xf7),
    raised: Color::from_rgb8(0xff, 0xff, 0xff),
    hovered: Color::from_rgb8(0xe8, 0xe8, 0xea),
    line: Color::from_rgb8(0xcf, 0xcf, 0xd3),
    rim: Color::from_rgb8(0xa6, 0xa6, 0xac),
    edge: Color::from_rgb8(0x87, 0x87, 0x8d),
    text: Color::from_rgb8(0x1c, 0x1c, 0x1e),
    muted: Color::from_rgb8(0x56, 0x56, 0x5c),
    accent: Color::from_rgb8(0x0c, 0x6e, 0x62),
    accent_hovered: Color::from_rgb8(0x0a, 0x5c, 0x52),
    on_accent: Color::from_rgb8(0xff, 0xff, 0xff),
    selected: Color::from_rgb8(0xcd, 0xe9, 0xe4),
    good: Color::from_rgb8(0x1c, 0x6b, 0x2c),
    warning: Color::from_rgb8(0x7d, 0x53, 0x00),
    danger: Color::from_rgb8(0xa8, 0x20, 0x1a),
    shade: Color::from_rgba8(0x20, 0x20, 0x22, 0.45),
};

/// The theme that a choice stands for, on a system of that mode.
pub fn theme(choice: ThemeChoice, system: Mode) -> Theme {
    let is_light = match choice {
        ThemeChoice::Light => true,
        ThemeChoice::Dark => false,
        ThemeChoice::System => system == Mode::Light,
    };
    let (name, colours) = if is_light {
        ("Parfocal light", &LIGHT)
    } else {
        ("Parfocal dark", &DARK)
    };
    Theme::custom(
        name,
        Palette {
            background: colours.panel,
            text: colours.text,
            primary: colours.accent,
            success: colours.good,
            warning: colours.warning,
            danger: colours.danger,
        },
    )
}

/// The colours of a theme made by [`theme`].
pub fn colours(theme: &Theme) -> &'static Colours {
    if theme.extended_palette().is_dark {
        &DARK
    } else {
        &LIGHT
    }
}

/// Contrast of two opaque colours (WCAG 2.1).
#[cfg(test)]
pub(super) fn contrast(a: Color, b: Color) -> f32 {
    let light = |c: Color| {
        let [r, g, b, _] = c.into_linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (a, b) = (light(a), light(b));
    a.max(b) / a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_everything_it_stands_on() {
        for colours in [&DARK, &LIGHT] {
            let grounds = [colours.panel, colours.raised, colours.ground];
            let inks = [
                colours.text,
                colours.muted,
                colours.good,
                colours.warning,
                colours.danger,
            ];
            let grounds = [&grounds[..], &[colours.hovered, colours.selected]].concat();
            for ground in &grounds {
                for ink in inks {
                    let contrast = contrast(*ground, ink);
                    assert!(contrast >= 4.5, "{ink:?} on {ground:?}: {contrast}");
                }
            }
            for ground in [colours.panel, colours.raised] {
                assert!(
                    contrast(ground, colours.accent) >= 4.5,
                    "the keys in the help"
                );
            }
            for ground in [colours.accent, colours.accent_hovered] {
                assert!(contrast(ground, colours.on_accent) >= 4.5);
            }
        }
    }

    #[test]
    fn controls_can_be_told_from_what_they_stand_on() {
        for colours in [&DARK, &LIGHT] {
            for mark in [colours.accent, colours.edge] {
                let contrast = contrast(mark, colours.panel);
                assert!(contrast >= 3.0, "{mark:?}: {contrast}");
            }
            let knob = contrast(colours.edge, colours.panel);
            assert!(knob >= 3.0, "{knob}");
        }
    }

    #[test]
    fn the_system_decides_unless_the_user_does_and_dark_is_usual() {
        let is_dark = |choice, mode| theme(choice, mode).extended_palette().is_dark;
        assert!(is_dark(ThemeChoice::System, Mode::None));
        assert!(!is_dark(ThemeChoice::System, Mode::Light));
        assert!(is_dark(ThemeChoice::Dark, Mode::Light));
        assert!(!is_dark(ThemeChoice::Light, Mode::Dark));
    }
}
