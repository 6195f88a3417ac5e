//! Gaps in the focus range of the frames that take part.

use std::sync::Arc;

use iced::widget::{button, row, text, tooltip};
use iced::{Center, Element, Fill};

use super::{Frame, Message, State};
use crate::core::focus_range;
use crate::gui::icon::{self, Icon};
use crate::gui::theme::{self, size, space as gap};
use crate::gui::widget;

const ADVICE: &str = "Between these frames the focus moves farther than before and after, as if \
    frames were missing: what lies there stays soft in the result. Include what was excluded \
    there, or take the stack again with even steps.";

/// A gap between two photographs of the library.
#[derive(Debug, Clone, PartialEq)]
pub struct Jump {
    /// The photograph before it.
    pub before: u64,
    /// The photograph after it.
    pub after: u64,
}

/// What to look for gaps in.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which state of the library this is.
    pub number: u64,
    ids: Vec<u64>,
    scores: Vec<Arc<Vec<f64>>>,
}

impl Asked {
    /// Looks for the gaps; this takes a moment with many frames.
    pub fn look(&self) -> Vec<Jump> {
        let scores: Vec<&[f64]> = self.scores.iter().map(|scores| &scores[..]).collect();
        let jump = |gap: focus_range::Gap| Jump {
            before: self.ids[gap.after],
            after: self.ids[gap.after + 1],
        };
        focus_range::gaps(&scores).into_iter().map(jump).collect()
    }
}

/// The gaps that are known of one state of the library.
#[derive(Debug, Default)]
pub struct Focus {
    number: u64,
    asked: Option<u64>,
    jumps: Vec<Jump>,
}

impl Focus {
    /// Others take part now, or more is known of them.
    pub fn forget(&mut self) {
        self.number += 1;
        self.jumps.clear();
    }
}

impl State {
    /// The gaps in the focus range, as far as they are known.
    pub fn jumps(&self) -> &[Jump] {
        &self.focus.jumps
    }

    /// What to look for gaps in, once the scores of all frames that will be
    /// fused are known; only once for each state of the library.
    pub fn ask_for_jumps(&mut self) -> Option<Asked> {
        let number = self.focus.number;
        if self.focus.asked == Some(number) {
            return None;
        }
        let fused = || self.frames.iter().filter(|frame| covers(frame));
        if fused().any(|frame| frame.score.is_none()) {
            return None;
        }
        let asked = Asked {
            number,
            ids: fused().map(|frame| frame.id).collect(),
            scores: fused().map(|frame| Arc::clone(&frame.cells)).collect(),
        };
        self.focus.asked = Some(number);
        Some(asked)
    }

    /// Takes over the gaps that were found, unless something changed.
    pub fn take_jumps(&mut self, number: u64, jumps: Vec<Jump>) {
        if number == self.focus.number {
            self.focus.jumps = jumps;
            self.plot.clear();
        }
    }

    /// Where the gaps lie in the plot, from 0 to 1 of its width.
    pub(super) fn jump_places(&self) -> impl Iterator<Item = f32> {
        let place = |id| self.frames.iter().position(|frame| frame.id == id);
        let count = self.frames.len() as f32;
        let jumps = self.focus.jumps.iter();
        let places = jumps.filter_map(move |jump| Some((place(jump.before)?, place(jump.after)?)));
        places.map(move |(before, after)| (before + after + 1) as f32 / 2.0 / count)
    }

    /// The photograph before the next gap after the one under the cursor.
    pub(super) fn next_jump(&self) -> Option<u64> {
        let place = |id| self.frames.iter().position(|frame| frame.id == id);
        let at = self.cursor.and_then(place);
        let jumps = &self.focus.jumps;
        let next = jumps.iter().find(|jump| place(jump.before) > at);
        next.or(jumps.first()).map(|jump| jump.before)
    }

    /// Points the gaps out, where there are some.
    pub(super) fn jump_row(&self) -> Option<Element<'_, Message>> {
        let name = |id| self.frame(id).map_or("", |frame| &frame.name);
        let words = match &self.focus.jumps[..] {
            [] => return None,
            [only] => format!("Focus jumps after {}", name(only.before)),
            jumps => format!("Focus jumps at {} places", jumps.len()),
        };
        let line = row![
            icon::sized(Icon::TriangleAlert, 14.0).style(theme::warning),
            text(words)
                .size(size::SMALL)
                .wrapping(text::Wrapping::None)
                .width(Fill)
        ]
        .spacing(gap::SMALL)
        .align_y(Center);
        let row = button(line)
            .width(Fill)
            .padding([gap::TINY, gap::MEDIUM])
            .style(theme::quiet)
            .on_press(Message::JumpPressed);
        Some(widget::tip(row, ADVICE, tooltip::Position::Top))
    }
}

/// Whether what is sharp in a frame comes into the result.
fn covers(frame: &Frame) -> bool {
    frame.is_included && frame.fault.is_none()
}
