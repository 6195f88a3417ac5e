//! The menu of a photograph.

use iced::widget::{button, container, opaque, pin, row, text};
use iced::{Center, Element, Fill};

use super::view::Grid;
use super::{Frame, Message, State};
use crate::gui::icon::{self, Icon};
use crate::gui::theme::{self, size, space as gap};

const WIDTH: f32 = 228.0;
/// Height of an entry.
const ENTRY: f32 = 29.0;

/// An entry of a photograph's menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Make it the reference, or let the program choose again.
    Reference,
    /// Include or exclude what is selected.
    Toggle,
    /// Exclude all but what is selected.
    Only,
    /// Open it in the viewer that the user chose.
    View,
    /// Open it in the editor that the user chose.
    Edit,
    /// Show it in its folder.
    ShowInFolder,
    /// Copy its path.
    CopyPath,
    /// Take what is selected out of the library; the files stay.
    Remove,
    /// Move the files of what is selected to the system's trash.
    Trash,
}

impl State {
    /// The menu of a photograph, beside it.
    pub(super) fn menu(&self, id: u64, grid: Grid) -> Option<Element<'_, Message>> {
        let at = self.order.iter().position(|&p| self.frames[p].id == id)?;
        let frame = &self.frames[self.order[at]];
        let x = (at % grid.columns) as f32 * (grid.width + gap::TINY) + gap::LARGE;
        let y = (at / grid.columns) as f32 * grid.pitch() - self.scroll + gap::LARGE;
        let room = self.viewport();
        let entries = entries(frame, self.reference == Some(id), self.selected.len());
        let height = entries.len() as f32 * ENTRY + 2.0 * gap::MEDIUM;
        let entries = entries.into_iter().map(|(icon, words, choice)| {
            let line = row![icon::icon(icon), text(words).size(size::BODY)]
                .spacing(gap::SMALL)
                .align_y(Center);
            button(line)
                .width(Fill)
                .padding([gap::TINY + 1.0, gap::SMALL])
                .style(theme::quiet)
                .on_press(Message::Menu(choice))
                .into()
        });
        let card = container(iced::widget::column(entries))
            .width(WIDTH)
            .padding(gap::TINY + 1.0)
            .style(theme::card);
        Some(
            pin(opaque(card))
                .x(x.min(room.width - WIDTH - gap::TINY).max(0.0))
                .y(y.min(room.height - height).max(0.0))
                .into(),
        )
    }
}

fn entries(frame: &Frame, is_reference: bool, selected: usize) -> Vec<(Icon, String, Choice)> {
    let of = |one: &str, rest: &str| match selected {
        0 | 1 => format!("{one}{rest}"),
        several => format!("{one} {several} frames{rest}"),
    };
    vec![
        (
            Icon::Anchor,
            if is_reference {
                "Automatic reference".to_owned()
            } else {
                "Set as reference".to_owned()
            },
            Choice::Reference,
        ),
        if frame.is_included {
            (Icon::EyeOff, of("Exclude", ""), Choice::Toggle)
        } else {
            (Icon::Eye, of("Include", ""), Choice::Toggle)
        },
        (Icon::ListFilter, "Only these".to_owned(), Choice::Only),
        (
            Icon::ExternalLink,
            "Open in viewer".to_owned(),
            Choice::View,
        ),
        (Icon::Pencil, "Open in editor".to_owned(), Choice::Edit),
        (
            Icon::FolderOpen,
            "Show in folder".to_owned(),
            Choice::ShowInFolder,
        ),
        (Icon::Copy, "Copy path".to_owned(), Choice::CopyPath),
        (Icon::ListX, of("Remove", " from the list"), Choice::Remove),
        (Icon::Trash, of("Move", " to the trash…"), Choice::Trash),
    ]
}
