//! The window between its opening and its closing: what it listens to, what
//! happens to it from outside, and what it does from time to time.

use std::time::{Duration, Instant};

use iced::{Subscription, Task, keyboard, system, time, window};

use super::{App, Command, Message};
use crate::gui::worker;

impl App {
    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let pace = if self.notices.is_empty() && !self.activity.is_running() {
            Duration::from_secs(2)
        } else {
            Duration::from_millis(500)
        };
        Subscription::batch([
            keyboard::listen().map(Message::Key),
            window::events().filter_map(|(_, event)| match event {
                window::Event::RedrawRequested(_) | window::Event::Moved(_) => None,
                event => Some(Message::Window(event)),
            }),
            system::theme_changes().map(Message::SystemTheme),
            time::every(pace).map(Message::Ticked),
            if self.scrubber.is_playing {
                time::every(self.scrubber.pace.pause()).map(|_| Message::Played)
            } else {
                Subscription::none()
            },
        ])
    }

    pub(super) fn window(&mut self, event: window::Event) -> Task<Message> {
        match event {
            window::Event::Resized(size) => {
                self.settings.window.width = size.width;
                self.settings.window.height = size.height;
                Task::none()
            }
            window::Event::CloseRequested => self.command(Command::Close),
            window::Event::FileHovered(_) => {
                self.welcome.hover(true);
                Task::none()
            }
            window::Event::FilesHoveredLeft => {
                self.welcome.hover(false);
                Task::none()
            }
            window::Event::FileDropped(path) => {
                self.welcome.hover(false);
                // Several files come one by one.
                if self.library.is_empty() && !self.is_opening {
                    self.open(vec![path])
                } else {
                    self.add(vec![path])
                }
            }
            _ => Task::none(),
        }
    }

    pub(super) fn tick(&mut self, now: Instant) -> Task<Message> {
        self.notices.tidy(now);
        if !self.notices.offers_to_restore() {
            self.results.forget_discarded();
        }
        let mut tasks = Vec::new();
        if self.scrubber.rest(now) {
            tasks.push(self.show());
        }
        if self.settings != self.saved {
            self.saved = self.settings.clone();
            tasks.push(self.save());
        }
        if !self.inputs.is_empty() && !self.is_opening {
            tasks.push(self.look_for_changes());
        }
        Task::batch(tasks)
    }

    fn save(&self) -> Task<Message> {
        let (settings, path) = (self.settings.clone(), self.folders.settings.clone());
        let saved = Box::new(settings.clone());
        worker::compute(move || settings.save(&path))
            .map(move |result| Message::Saved(saved.clone(), result))
    }

    /// Writes the settings and goes.
    pub(super) fn close_now(&mut self) -> Task<Message> {
        self.activity.cancel();
        let (settings, path) = (self.settings.clone(), self.folders.settings.clone());
        worker::compute(move || settings.save(&path)).then(|_| iced::exit())
    }

    /// Whether photographs, results or a job would be lost now.
    pub(super) fn has_something_to_lose(&self) -> bool {
        self.settings.confirm_close && (self.activity.is_running() || self.results.unsaved() > 0)
    }
}
