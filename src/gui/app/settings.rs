//! What the settings dialog wants of the application.

use iced::Task;

use super::{App, Dialog, Message};
use crate::core::device::opencl_devices;
use crate::gui::{preferences, worker};
use crate::handlers::trial;

impl App {
    /// Opens the settings, and finds out what they show.
    pub(super) fn open_preferences(&mut self) -> Task<Message> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.dialog = Some(Dialog::Preferences(preferences::State::new(processors)));
        // Waking the drivers may take a while.
        let devices = worker::compute(|| Ok(opencl_devices())).map(|found| {
            let found = found.unwrap_or_default();
            Message::Preferences(preferences::Message::DevicesFound(found))
        });
        Task::batch([self.measure_cache(), devices])
    }

    pub(super) fn preferences_message(&mut self, message: preferences::Message) -> Task<Message> {
        let Some(Dialog::Preferences(dialog)) = &mut self.dialog else {
            return Task::none();
        };
        match dialog.update(message, &mut self.settings) {
            preferences::Action::None => Task::none(),
            preferences::Action::Repaint => {
                self.library.repaint();
                Task::none()
            }
            preferences::Action::Test => {
                let resources = self.settings.resources.clone();
                let device = resources.device;
                worker::compute(move || trial::try_out(&resources)).map(move |result| {
                    Message::Preferences(preferences::Message::Tested(device, result))
                })
            }
            preferences::Action::ClearCache => {
                let cache = self.cache();
                worker::compute(move || cache.clear())
                    .map(Message::Done)
                    .chain(self.measure_cache())
            }
            preferences::Action::AskProgram(role) => self.pick_program(role),
            preferences::Action::Close => {
                self.dialog = None;
                Task::none()
            }
        }
    }

    fn measure_cache(&self) -> Task<Message> {
        let cache = self.cache();
        worker::compute(move || Ok(cache.size()))
            .map(|size| Message::CacheMeasured(size.unwrap_or(0)))
    }
}
