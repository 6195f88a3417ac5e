//! Undo and redo of what a user chose about the photographs: who takes part,
//! the reference, and who was taken out of the list.

use std::collections::BTreeSet;
use std::path::PathBuf;

use iced::Task;

use super::{App, Message};
use crate::gui::library::Chosen;

/// Steps that can be taken back.
const MOST: usize = 100;

/// Everything that a step may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    chosen: Chosen,
    removed: BTreeSet<PathBuf>,
}

/// What can be taken back, and done again.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<Choices>,
    future: Vec<Choices>,
}

impl History {
    fn push(&mut self, before: Choices) {
        self.future.clear();
        self.past.push(before);
        if self.past.len() > MOST {
            self.past.remove(0);
        }
    }
}

impl App {
    /// Lets something happen that a user may want to take back.
    pub(super) fn undoable(
        &mut self,
        act: impl FnOnce(&mut Self) -> Task<Message>,
    ) -> Task<Message> {
        let before = self.choices();
        let task = act(self);
        if self.choices() != before {
            self.history.push(before);
        }
        task
    }

    /// Takes the last step back.
    pub(super) fn undo(&mut self) -> Task<Message> {
        self.travel(|history| (&mut history.past, &mut history.future))
    }

    /// Does again what was taken back last.
    pub(super) fn redo(&mut self) -> Task<Message> {
        self.travel(|history| (&mut history.future, &mut history.past))
    }

    fn travel(
        &mut self,
        way: impl Fn(&mut History) -> (&mut Vec<Choices>, &mut Vec<Choices>),
    ) -> Task<Message> {
        let now = self.choices();
        let (from, _) = way(&mut self.history);
        let Some(then) = from.last() else {
            return Task::none();
        };
        let same_list = then.removed == now.removed;
        if !same_list && self.activity.is_running() {
            self.say_busy();
            return Task::none();
        }
        let (from, to) = way(&mut self.history);
        let Some(then) = from.pop() else {
            return Task::none();
        };
        to.push(now);
        self.library.choose_again(&then.chosen);
        self.removed = then.removed;
        if same_list { Task::none() } else { self.list() }
    }

    fn choices(&self) -> Choices {
        Choices {
            chosen: self.library.chosen(),
            removed: self.removed.clone(),
        }
    }
}
