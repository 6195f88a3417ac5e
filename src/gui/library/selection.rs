//! Which photographs are selected, and how to go from one to another.

use std::collections::BTreeSet;

use iced::Task;
use iced::keyboard::Modifiers;
use iced::widget::{operation, scrollable};

use super::{Action, Message, State, view};

/// Where to go from a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the one before.
    Back,
    /// To the next one.
    Forward,
    /// A row up.
    Up,
    /// A row down.
    Down,
    /// To the first one.
    First,
    /// To the last one.
    Last,
}

impl State {
    /// What is selected.
    pub fn selected(&self) -> Vec<u64> {
        self.selected.iter().copied().collect()
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.selected = self.frames.iter().map(|frame| frame.id).collect();
    }

    /// Selects one photograph only.
    pub fn select(&mut self, id: u64) {
        self.selected = [id].into();
        self.cursor = Some(id);
        self.anchor = Some(id);
        self.plot.clear();
    }

    /// Which keys are held.
    pub fn hold(&mut self, modifiers: Modifiers) {
        self.modifiers = modifiers;
    }

    /// Selects as the keys that are held say.
    pub(super) fn press(&mut self, id: u64) {
        if self.modifiers.shift()
            && let Some(range) = self.range(id)
        {
            self.selected = range;
        } else if self.modifiers.command() {
            if !self.selected.remove(&id) {
                self.selected.insert(id);
            }
            self.anchor = Some(id);
        } else {
            self.selected = [id].into();
            self.anchor = Some(id);
        }
        self.cursor = Some(id);
        self.plot.clear();
    }

    /// What lies between the anchor and a photograph on the screen.
    fn range(&self, id: u64) -> Option<BTreeSet<u64>> {
        let place = |id: u64| self.order.iter().position(|&p| self.frames[p].id == id);
        let (a, b) = (place(self.anchor?)?, place(id)?);
        let ids = self.order[a.min(b)..=a.max(b)].iter();
        Some(ids.map(|&place| self.frames[place].id).collect())
    }

    /// Goes from the photograph under the cursor to another one.
    pub fn go(&mut self, step: Step) -> Action {
        if self.order.is_empty() {
            return Action::None;
        }
        let last = self.order.len() - 1;
        let at = self
            .cursor
            .and_then(|id| self.order.iter().position(|&p| self.frames[p].id == id));
        let columns = self.grid().columns;
        let to = match (at, step) {
            (_, Step::First) | (None, Step::Forward | Step::Down) => 0,
            (_, Step::Last) | (None, Step::Back | Step::Up) => last,
            (Some(at), Step::Back) => at.saturating_sub(1),
            (Some(at), Step::Forward) => (at + 1).min(last),
            (Some(at), Step::Up) => at.checked_sub(columns).unwrap_or(at),
            (Some(at), Step::Down) => {
                if at + columns <= last {
                    at + columns
                } else {
                    at
                }
            }
        };
        let id = self.frames[self.order[to]].id;
        if self.modifiers.shift() {
            self.press(id);
        } else {
            self.select(id);
        }
        Action::Show(id)
    }

    /// Scrolls so that the photograph that is shown is in sight.
    pub fn reveal_cursor(&mut self) -> Task<Message> {
        let at = self
            .cursor
            .and_then(|id| self.order.iter().position(|&p| self.frames[p].id == id));
        at.map_or_else(Task::none, |at| self.reveal(at))
    }

    /// Scrolls so that a place on the screen's order is in sight.
    fn reveal(&mut self, at: usize) -> Task<Message> {
        let grid = self.grid();
        let top = (at / grid.columns) as f32 * grid.pitch();
        let height = self.viewport().height;
        let to = if top < self.scroll {
            top
        } else if top + grid.pitch() > self.scroll + height {
            top + grid.pitch() - height
        } else {
            return Task::none();
        };
        self.scroll = to;
        operation::scroll_to(view::LIST, scrollable::AbsoluteOffset { x: 0.0, y: to })
    }

    /// Where to go should the photograph under the cursor go: to those after
    /// it on the screen, and then to those before it, the nearest first.
    pub(super) fn around_cursor(&self) -> Vec<u64> {
        let ids: Vec<u64> = self.order.iter().map(|&p| self.frames[p].id).collect();
        let Some(at) = ids.iter().position(|&id| self.cursor == Some(id)) else {
            return Vec::new();
        };
        let (before, after) = ids.split_at(at);
        after.iter().chain(before.iter().rev()).copied().collect()
    }
}
