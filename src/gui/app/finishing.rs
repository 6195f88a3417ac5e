//! The result in sight, finished anew when the options for that change. What
//! was fused is kept, so that nothing is fused again.

use std::sync::Arc;

use iced::Task;

use super::{App, Message};
use crate::gui::work::{self, Made};
use crate::gui::worker;
use crate::handlers::Job;
use crate::{Error, Result};

impl App {
    /// Finishes the selected result anew if the options say otherwise than it
    /// was; one that is being finished is given up first.
    pub(super) fn refinish(&mut self) -> Task<Message> {
        let Some(item) = self.results.selected() else {
            return Task::none();
        };
        let steps = self.settings.finish;
        if item.made.finish() == steps || self.activity.is_running() {
            return Task::none();
        }
        if let Some(job) = &self.finishing {
            job.cancel();
            return Task::none();
        }
        let job = Arc::new(Job::silent());
        self.finishing = Some(Arc::clone(&job));
        let (number, made) = (item.number, item.made.clone());
        worker::compute(move || work::finished(&made, steps, &job).map(Box::new))
            .map(move |result| Message::Finished(number, result))
    }

    /// A result was finished anew, or given up.
    pub(super) fn refinished(&mut self, number: u64, result: Result<Box<Made>>) -> Task<Message> {
        self.finishing = None;
        match result {
            Ok(made) => self.results.replace(number, *made),
            Err(Error::Cancelled) => {}
            Err(fault) => {
                self.report(&fault);
                return Task::none();
            }
        }
        let is_shown = self.results.selected().map(|item| item.number) == Some(number);
        let show = if is_shown { self.show() } else { Task::none() };
        Task::batch([show, self.refinish()])
    }

    /// Takes over how the selected result was finished, so that the options say
    /// what is seen.
    pub(super) fn adopt_finish(&mut self) {
        if let Some(item) = self.results.selected() {
            self.settings.finish = item.made.finish();
        }
    }
}
