//! What stands above the picture: what is shown of the stack.

use iced::widget::{button, container, row, space, text};
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

/// What is chosen above the picture.
#[derive(Debug, Default)]
pub struct State {
    /// What is shown.
    pub mode: Mode,
}

/// What happens above the picture.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something else is to be shown.
    ModePicked(Mode),
    /// The result is to be exported.
    ExportPressed,
    /// The frames are to be exported as they lie on the reference.
    ExportFramesPressed,
}

/// What is known of the stack, for the bar.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Whether a frame is selected.
    pub has_frame: bool,
    /// Whether there are frames at all.
    pub has_frames: bool,
    /// Whether there is a result.
    pub has_result: bool,
    /// Whether it is known how the frames lie on each other.
    pub has_alignment: bool,
    /// Whether a result is seen growing.
    pub is_growing: bool,
}

impl State {
    /// The bar above the picture.
    pub fn view(&self, facts: Facts) -> Element<'_, Message> {
        let mode = if facts.is_growing {
            Mode::Result
        } else {
            self.mode
        };
        let has_result = facts.has_result || facts.is_growing;
        let modes = [
            (
                Mode::Frame,
                if facts.has_frames { "Frame" } else { "Start" },
                true,
            ),
            (Mode::Result, "Result", has_result),
            (Mode::DepthMap, "Depth map", facts.has_result),
            (
                Mode::Compare,
                "Compare",
                facts.has_result && facts.has_frame,
            ),
        ];
        let tabs = modes.map(|(of, words, is_there)| {
            button(text(words).size(size::BODY))
                .padding([gap::TINY, gap::MEDIUM])
                .style(theme::choice(mode == of && is_there))
                .on_press_maybe(is_there.then_some(Message::ModePicked(of)))
                .into()
        });
        let mut bar = row![iced::widget::row(tabs).spacing(2), space::horizontal()]
            .spacing(gap::LARGE)
            .align_y(Center);
        let export = |words, message| {
            widget::labelled(Some(Icon::Download), words)
                .padding([gap::TINY, gap::MEDIUM])
                .on_press(message)
        };
        if facts.is_growing {
            // There is nothing whole to export yet.
        } else if mode == Mode::Frame {
            if facts.has_alignment {
                let words = "Export aligned…";
                bar = bar.push(export(words, Message::ExportFramesPressed));
            }
        } else if facts.has_result {
            bar = bar.push(export("Export…", Message::ExportPressed));
        }
        container(bar)
            .padding([gap::TINY, gap::MEDIUM])
            .height(40)
            .align_y(Center)
            .width(Fill)
            .into()
    }
}
