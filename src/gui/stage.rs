//! What stands around the picture: what is shown, and a slider through the
//! frames.

use iced::widget::{button, container, row, slider, space, text, toggler, tooltip};
use iced::{Center, Element, Fill};

use super::icon::Icon;
use super::theme::{self, size, space as gap};
use super::widget;

/// What the viewer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The frame that was clicked.
    #[default]
    Frame,
    /// The result that was clicked or made last.
    Result,
    /// Which frame each of its pixels came from.
    DepthMap,
    /// The result beside the frame, or beside another result.
    Compare,
}

/// What is chosen around the picture.
#[derive(Debug, Default)]
pub struct State {
    /// What is shown.
    pub mode: Mode,
    /// Whether frames are shown as they lie on the reference.
    pub is_aligned: bool,
}

/// What happens around the picture.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something else is to be shown.
    ModePicked(Mode),
    /// Frames are to be shown as they lie on the reference, or as they are.
    AlignedToggled(bool),
    /// The slider went to the frame of this place.
    Scrubbed(u32),
    /// The result is to be exported.
    ExportPressed,
}

/// What is known of the stack, for the bar.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// How many frames there are.
    pub frames: usize,
    /// The place of the one that is shown.
    pub at: Option<usize>,
    /// Whether there is a result.
    pub has_result: bool,
    /// Whether it is known how the frames lie on each other.
    pub has_alignment: bool,
}

impl State {
    /// The bar above the picture.
    pub fn view(&self, facts: Facts) -> Element<'_, Message> {
        let modes = [
            (Mode::Frame, "Frame", true),
            (Mode::Result, "Result", facts.has_result),
            (Mode::DepthMap, "Depth map", facts.has_result),
            (
                Mode::Compare,
                "Compare",
                facts.has_result && facts.at.is_some(),
            ),
        ];
        let tabs = modes.map(|(mode, words, is_there)| {
            button(text(words).size(size::BODY))
                .padding([gap::TINY, gap::MEDIUM])
                .style(theme::choice(self.mode == mode && is_there))
                .on_press_maybe(is_there.then_some(Message::ModePicked(mode)))
                .into()
        });
        let mut bar = row![iced::widget::row(tabs).spacing(2)]
            .spacing(gap::LARGE)
            .align_y(Center);
        let shows_frames = matches!(self.mode, Mode::Frame | Mode::Compare);
        if shows_frames && facts.frames > 1 {
            let last = facts.frames as u32 - 1;
            let at = facts.at.unwrap_or(0) as u32;
            bar = bar.push(
                row![
                    slider(0..=last, at, Message::Scrubbed).style(theme::slide),
                    text(format!("{} / {}", at + 1, facts.frames))
                        .size(size::SMALL)
                        .style(theme::muted)
                        .width(64)
                ]
                .spacing(gap::SMALL)
                .align_y(Center)
                .width(Fill),
            );
        } else {
            bar = bar.push(space::horizontal());
        }
        if shows_frames && facts.has_alignment {
            bar = bar.push(widget::tip(
                toggler(self.is_aligned)
                    .label("Aligned")
                    .size(18)
                    .text_size(size::BODY)
                    .style(theme::switch)
                    .on_toggle(Message::AlignedToggled),
                "Shows frames as they lie on the reference: run through them to judge the \
                 alignment.",
                tooltip::Position::Bottom,
            ));
        }
        if facts.has_result && !shows_frames {
            bar = bar.push(
                widget::labelled(Some(Icon::Download), "Export…")
                    .padding([gap::TINY, gap::MEDIUM])
                    .on_press(Message::ExportPressed),
            );
        }
        container(bar)
            .padding([gap::TINY, gap::MEDIUM])
            .height(40)
            .align_y(Center)
            .width(Fill)
            .into()
    }
}
