//! What the keys do.

use iced::Task;
use iced::keyboard::key::Named;
use iced::keyboard::{Event, Key, Modifiers};

use super::commands::{Shown, Zoom};
use super::{App, Command, Dialog, Message};
use crate::gui::library::Step;
use crate::gui::{blurred, export, export_frames};

impl App {
    pub(super) fn key(&mut self, event: Event) -> Task<Message> {
        match event {
            Event::ModifiersChanged(modifiers) => {
                self.library.hold(modifiers);
                Task::none()
            }
            Event::KeyPressed {
                key,
                modified_key,
                modifiers,
                ..
            } => {
                self.library.hold(modifiers);
                // Where a sign stands on the keyboard differs from land to land.
                let key = if modifiers.command() {
                    key
                } else {
                    modified_key
                };
                if key == Key::Named(Named::Enter) {
                    return self.confirm();
                }
                match command(&key, modifiers) {
                    Some(command) if self.is_for_now(command) => self.command(command),
                    _ => Task::none(),
                }
            }
            Event::KeyReleased { .. } => Task::none(),
        }
    }

    /// The return key presses the primary button of a dialog.
    fn confirm(&mut self) -> Task<Message> {
        match &self.dialog {
            Some(Dialog::Export(_)) => self.export_message(export::Message::ExportPressed),
            Some(Dialog::ExportFrames(_)) => {
                self.export_frames_message(export_frames::Message::ExportPressed)
            }
            Some(Dialog::Blurred(_)) => self.blurred_message(blurred::Message::ExcludePressed),
            Some(Dialog::Preferences(_) | Dialog::Help(_)) => {
                self.dialog = None;
                Task::none()
            }
            // Losing something wants a deliberate click.
            Some(Dialog::Trash(_) | Dialog::Closing) | None => Task::none(),
        }
    }

    /// Under a dialog only what closes it is for now, and with no photographs
    /// only what opens some.
    fn is_for_now(&self, command: Command) -> bool {
        if self.dialog.is_some() {
            return command == Command::Cancel;
        }
        !self.results.is_renaming() || command == Command::Cancel
    }
}

/// The command of a key, if it has one.
fn command(key: &Key, modifiers: Modifiers) -> Option<Command> {
    if modifiers.command() {
        let letter = match key {
            Key::Character(letter) => letter,
            // As the files of a Mac go to the trash.
            Key::Named(Named::Backspace) => return Some(Command::Trash),
            _ => return None,
        };
        return Some(match letter.to_lowercase().as_str() {
            "o" if modifiers.shift() => Command::Add,
            "o" => Command::Open,
            "z" if modifiers.shift() => Command::Redo,
            "z" => Command::Undo,
            "y" => Command::Redo,
            "r" => Command::Stack,
            "e" | "s" => Command::Export,
            "a" => Command::SelectAll,
            "l" => Command::Log,
            "w" => Command::CloseFolder,
            "q" => Command::Close,
            "," => Command::Preferences,
            _ => return None,
        });
    }
    if modifiers.alt() || modifiers.logo() {
        return None;
    }
    Some(match key {
        Key::Named(named) => match named {
            Named::ArrowLeft => Command::Go(Step::Back),
            Named::ArrowRight => Command::Go(Step::Forward),
            Named::ArrowUp => Command::Go(Step::Up),
            Named::ArrowDown => Command::Go(Step::Down),
            Named::Home => Command::Go(Step::First),
            Named::End => Command::Go(Step::Last),
            Named::Space => Command::Toggle,
            Named::Delete if modifiers.shift() => Command::Trash,
            Named::Delete => Command::Remove,
            Named::Backspace if cfg!(target_os = "macos") => Command::Remove,
            Named::Escape => Command::Cancel,
            Named::F1 => Command::Help,
            _ => return None,
        },
        Key::Character(letter) => match letter.to_lowercase().as_str() {
            "f" => Command::Zoom(Zoom::Fit),
            "1" => Command::Zoom(Zoom::Full),
            "2" => Command::Zoom(Zoom::Double),
            "+" | "=" => Command::Zoom(Zoom::In),
            "-" => Command::Zoom(Zoom::Out),
            "r" => Command::Show(Shown::Result),
            "d" => Command::Show(Shown::DepthMap),
            "c" => Command::Show(Shown::Compare),
            "h" => Command::HeatMap,
            "?" => Command::Keyboard,
            "p" => Command::Play,
            "a" => Command::Aligned,
            "b" => Command::Blink,
            _ => return None,
        },
        Key::Unidentified => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(letter: &str, modifiers: Modifiers) -> Option<Command> {
        command(&Key::Character(letter.into()), modifiers)
    }

    #[test]
    fn usual_keys_do_usual_things() {
        assert_eq!(of("o", Modifiers::COMMAND), Some(Command::Open));
        let add = Modifiers::COMMAND | Modifiers::SHIFT;
        assert_eq!(of("O", add), Some(Command::Add));
        assert_eq!(of(",", Modifiers::COMMAND), Some(Command::Preferences));
        assert_eq!(of("f", Modifiers::empty()), Some(Command::Zoom(Zoom::Fit)));
        assert_eq!(of("1", Modifiers::empty()), Some(Command::Zoom(Zoom::Full)));
    }

    #[test]
    fn what_was_chosen_is_taken_back_and_chosen_again() {
        let shift = Modifiers::COMMAND | Modifiers::SHIFT;
        assert_eq!(of("z", Modifiers::COMMAND), Some(Command::Undo));
        assert_eq!(of("Z", shift), Some(Command::Redo));
        assert_eq!(of("y", Modifiers::COMMAND), Some(Command::Redo));
    }

    #[test]
    fn the_trash_wants_more_than_the_delete_key() {
        let delete = |modifiers| command(&Key::Named(Named::Delete), modifiers);
        assert_eq!(delete(Modifiers::empty()), Some(Command::Remove));
        assert_eq!(delete(Modifiers::SHIFT), Some(Command::Trash));
    }

    #[test]
    fn other_keys_are_left_to_others() {
        assert_eq!(of("f", Modifiers::ALT), None);
        assert_eq!(of("x", Modifiers::empty()), None);
        assert_eq!(command(&Key::Named(Named::Tab), Modifiers::empty()), None);
    }
}
