//! The dialog that asks before photographs go to the trash.

use std::path::PathBuf;

use iced::Element;
use iced::widget::{column, row, space, text};

use super::icon::Icon;
use super::theme::{self, size, space as gap};
use super::{widget, work};

/// The most names that are listed.
const NAMED: usize = 6;

/// What is to go.
#[derive(Debug, Clone)]
pub struct State {
    /// The files.
    pub files: Vec<PathBuf>,
}

/// What happens in the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Move them.
    Confirmed,
    /// Rather not.
    Cancelled,
}

impl State {
    /// The dialog.
    pub fn view(&self) -> Element<'_, Message> {
        let title = match self.files.len() {
            1 => "Move this photograph to the trash?".to_owned(),
            count => format!("Move {count} photographs to the trash?"),
        };
        let named = self.files.iter().take(NAMED);
        let mut names = column(named.map(|file| text(work::name(file)).size(size::BODY).into()))
            .spacing(gap::TINY);
        if let Some(more) = self.files.len().checked_sub(NAMED).filter(|&more| more > 0) {
            names = names.push(text(format!("and {more} more")).style(theme::muted));
        }
        column![
            text(title).size(size::HEADING),
            names,
            text(
                "The files leave their folder. Until the trash is emptied you can put them back \
                 from there."
            )
            .size(size::SMALL)
            .style(theme::muted),
            row![
                space::horizontal(),
                widget::labelled(None, "Cancel").on_press(Message::Cancelled),
                widget::labelled(Some(Icon::Trash), "Move to trash")
                    .style(theme::primary)
                    .on_press(Message::Confirmed)
            ]
            .spacing(gap::SMALL)
        ]
        .spacing(gap::LARGE)
        .width(440)
        .into()
    }
}
