//! The dialog that excludes frames far less sharp than the rest.

use iced::widget::{column, row, slider, space, text};
use iced::{Center, Element};

use super::theme::{self, size, space as gap};
use super::widget;
use crate::core::sharpness::blurred_below;

/// What is chosen so far.
#[derive(Debug, Clone)]
pub struct State {
    scores: Vec<f64>,
    total: usize,
    factor: f64,
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// The factor of the interquartile range.
    FactorMoved(f64),
    /// Exclude them.
    ExcludePressed,
    /// Rather not.
    Cancelled,
}

/// What the dialog wants of the application.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Exclude the frames with scores under this.
    Exclude(f64),
    /// Close the dialog.
    Close,
}

impl State {
    /// For the scores that are known of `total` frames.
    pub fn new(scores: Vec<f64>, total: usize) -> Self {
        Self {
            scores,
            total,
            factor: 1.5,
        }
    }

    fn threshold(&self) -> Option<f64> {
        blurred_below(&self.scores, self.factor)
    }

    fn count(&self) -> usize {
        let threshold = self.threshold().unwrap_or(f64::NEG_INFINITY);
        let blurred = |score: &&f64| **score < threshold;
        self.scores.iter().filter(blurred).count()
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::FactorMoved(factor) => self.factor = factor,
            Message::ExcludePressed => {
                let threshold = self.threshold().filter(|_| self.count() > 0);
                return threshold.map_or(Action::Close, Action::Exclude);
            }
            Message::Cancelled => return Action::Close,
        }
        Action::None
    }

    /// The dialog.
    pub fn view(&self) -> Element<'_, Message> {
        let count = self.count();
        let words = match count {
            0 => "No frame is that much less sharp than the rest.".to_owned(),
            1 => format!("1 of {} frames will be excluded.", self.total),
            count => format!("{count} of {} frames will be excluded.", self.total),
        };
        let mut content = column![
            text("Exclude blurred frames").size(size::HEADING),
            text(
                "Frames whose sharpness lies far under that of the others: under the first \
                 quartile by a multiple of the range between the quartiles."
            )
            .size(size::BODY),
            widget::tall_option(
                "Multiple",
                format!("{:.1}", self.factor),
                "Smaller excludes more.",
                slider(0.0..=3.0, self.factor, Message::FactorMoved)
                    .step(0.1)
                    .style(theme::slide)
            ),
            text(words).size(size::BODY).style(theme::accented),
        ]
        .spacing(gap::MEDIUM)
        .width(460);
        if self.scores.len() < self.total {
            let known = format!(
                "The sharpness of {} of {} frames is known so far.",
                self.scores.len(),
                self.total
            );
            content = content.push(text(known).size(size::SMALL).style(theme::muted));
        }
        content
            .push(
                text(
                    "The first and last frames of a focus range are blurred by nature and often \
                     hold the nearest and farthest detail. Look at them before you exclude them.",
                )
                .size(size::SMALL)
                .style(theme::warning),
            )
            .push(
                row![
                    space::horizontal(),
                    widget::labelled(None, "Cancel").on_press(Message::Cancelled),
                    widget::labelled(None, "Exclude")
                        .style(theme::primary)
                        .on_press_maybe((count > 0).then_some(Message::ExcludePressed))
                ]
                .spacing(gap::SMALL)
                .align_y(Center),
            )
            .into()
    }
}
