//! The result in sight, finished anew when the options for that change. What
//! was fused is kept, so that nothing is fused again.

use iced::Task;

use super::{App, Message};

impl App {
    /// Finishes the selected result as the options say now.
    pub(super) fn refinish(&mut self) -> Task<Message> {
        if self.results.finish(self.settings.finish) {
            self.show()
        } else {
            Task::none()
        }
    }

    /// Takes over how the selected result was finished, so that the options say
    /// what is seen.
    pub(super) fn adopt_finish(&mut self) {
        if let Some(item) = self.results.selected() {
            self.settings.finish = item.finish;
        }
    }
}
