//! The part of the inspector that finishes the picture.

use iced::Element;
use iced::widget::{column, slider};

use super::{theme, widget};
use crate::core::finish::Finish;

/// What the part remembers of itself.
#[derive(Debug, Default)]
pub struct State {
    is_open: bool,
}

/// What happens in it.
#[derive(Debug, Clone, Copy)]
pub enum Message {
    /// It is to be opened or folded.
    Toggled,
    /// Noise to take out.
    DenoiseMoved(u8),
    /// Fine detail to raise.
    SharpenMoved(u8),
    /// Middle tones up or down.
    BrightnessMoved(i8),
    /// Middle tones steeper or flatter.
    ContrastMoved(i8),
    /// More colour or less.
    SaturationMoved(i8),
}

impl State {
    /// Takes over what was chosen.
    pub fn update(&mut self, message: Message, finish: &mut Finish) {
        match message {
            Message::Toggled => self.is_open = !self.is_open,
            Message::DenoiseMoved(value) => finish.denoise = value,
            Message::SharpenMoved(value) => finish.sharpen = value,
            Message::BrightnessMoved(value) => finish.brightness = value,
            Message::ContrastMoved(value) => finish.contrast = value,
            Message::SaturationMoved(value) => finish.saturation = value,
        }
    }

    /// The part.
    pub fn view(&self, finish: &Finish) -> Element<'_, Message> {
        let mut content = column![widget::fold("After fusing", self.is_open, Message::Toggled)];
        // What is in force is seen.
        if self.is_open || !finish.is_neutral() {
            content = content
                .push(amount(
                    "Denoise",
                    "Takes out what is estimated to be noise and keeps edges and texture. 50 is \
                     enough for most stacks. It does not fuse again.",
                    finish.denoise,
                    Message::DenoiseMoved,
                ))
                .push(amount(
                    "Sharpen",
                    "Raises the finest detail, without halos and without noise. Judge it at 100 %.",
                    finish.sharpen,
                    Message::SharpenMoved,
                ))
                .push(change(
                    "Brightness",
                    "Lifts or lowers the middle tones. Black and white stay where they are.",
                    finish.brightness,
                    Message::BrightnessMoved,
                ))
                .push(change(
                    "Contrast",
                    "Makes the middle tones steeper or flatter. Black and white stay where they \
                     are.",
                    finish.contrast,
                    Message::ContrastMoved,
                ))
                .push(change(
                    "Saturation",
                    "More colour or less, to grey at the far left. Luminance stays.",
                    finish.saturation,
                    Message::SaturationMoved,
                ));
        }
        widget::section("Finish", content)
    }
}

fn amount<'a>(
    name: &'a str,
    words: &'a str,
    value: u8,
    message: impl Fn(u8) -> Message + 'a,
) -> Element<'a, Message> {
    let shown = match value {
        0 => "off".to_owned(),
        value => value.to_string(),
    };
    let control = slider(0..=100, value, message).style(theme::slide);
    widget::tall_option(name, shown, words, control)
}

fn change<'a>(
    name: &'a str,
    words: &'a str,
    value: i8,
    message: impl Fn(i8) -> Message + 'a,
) -> Element<'a, Message> {
    let shown = match value {
        0 => "off".to_owned(),
        value => format!("{value:+}"),
    };
    // The slider knows no type of one byte with a sign.
    let control = slider(-100..=100, i16::from(value), move |value| {
        message(value.clamp(-100, 100) as i8)
    })
    .default(0i16)
    .style(theme::slide);
    widget::tall_option(name, shown, words, control)
}
