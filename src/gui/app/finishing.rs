//! The result in sight, finished anew when the options for that change. What
//! was fused is kept, so that nothing is fused again.

use iced::Task;

use super::{App, Message};
use crate::gui::stage::Mode;

impl App {
    /// Finishes the selected result as the options say now, and shows it. While
    /// another result grows the options are for that one.
    pub(super) fn refinish(&mut self) -> Task<Message> {
        let is_for_another = self.is_watching && self.activity.is_running();
        if is_for_another || !self.results.finish(self.settings.finish) {
            return Task::none();
        }
        if !matches!(self.mode(), Mode::Result | Mode::Compare) {
            self.stage.mode = Mode::Result;
        }
        self.show()
    }

    /// Takes over how the selected result was finished, so that the options say
    /// what is seen.
    pub(super) fn adopt_finish(&mut self) {
        if let Some(item) = self.results.selected() {
            self.settings.finish = item.finish;
        }
    }
}
