//! The dialog that writes the frames as they lie on the reference.

use std::path::{Path, PathBuf};

use iced::widget::{checkbox, column, row, space, text, text_input};
use iced::{Center, Element, Fill};

use super::icon::Icon;
use super::theme::{self, size, space as gap};
use super::{inspector, widget};
use crate::handlers::OutputOptions;
use crate::photo::Compression;

/// What is chosen so far.
#[derive(Debug, Clone)]
pub struct State {
    folder: String,
    output: OutputOptions,
    /// How many frames there are, and the pixels of one.
    count: usize,
    pixels: u64,
    /// Whether there is something in the folder, as far as is known.
    is_filled: bool,
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another folder.
    FolderChanged(String),
    /// A folder is to be chosen in the system's own dialog.
    ChoosePressed,
    /// One was chosen there, or not.
    Chosen(Option<PathBuf>),
    /// How the files are compressed.
    CompressionPicked(Compression),
    /// Whether files that are there may be replaced.
    ReplaceToggled(bool),
    /// Whether there is something in this folder.
    Looked(PathBuf, bool),
    /// Write them.
    ExportPressed,
    /// Rather not.
    Cancelled,
}

/// What the dialog wants of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// See whether there is something in this folder.
    Look(PathBuf),
    /// Ask with the system's own dialog, beginning here.
    Choose(PathBuf),
    /// Write the frames into this folder in this way.
    Export(PathBuf, OutputOptions),
    /// Close the dialog.
    Close,
}

impl State {
    /// For `count` frames of so many `pixels` that are offered to `folder`.
    pub fn new(folder: &Path, count: usize, pixels: u64, output: &OutputOptions) -> Self {
        Self {
            folder: folder.display().to_string(),
            output: OutputOptions {
                overwrite: false,
                ..output.clone()
            },
            count,
            pixels,
            is_filled: false,
        }
    }

    /// The folder as it is named now.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(self.folder.trim())
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::FolderChanged(folder) => self.folder = folder,
            Message::ChoosePressed => return Action::Choose(self.folder()),
            Message::Chosen(None) => return Action::None,
            Message::Chosen(Some(folder)) => self.folder = folder.display().to_string(),
            Message::CompressionPicked(compression) => {
                self.output.compression = compression;
                return Action::None;
            }
            Message::ReplaceToggled(replace) => {
                self.output.overwrite = replace;
                return Action::None;
            }
            Message::Looked(folder, is_filled) => {
                if folder == self.folder() {
                    self.is_filled = is_filled;
                }
                return Action::None;
            }
            Message::ExportPressed => {
                return if self.is_ready() {
                    Action::Export(self.folder(), self.output.clone())
                } else {
                    Action::None
                };
            }
            Message::Cancelled => return Action::Close,
        }
        self.is_filled = false;
        self.output.overwrite = false;
        Action::Look(self.folder())
    }

    fn is_ready(&self) -> bool {
        !self.folder.trim().is_empty()
    }

    /// The dialog.
    pub fn view(&self) -> Element<'_, Message> {
        let folder = text_input("", &self.folder)
            .size(size::BODY)
            .style(theme::input)
            .on_input(Message::FolderChanged)
            .on_submit(Message::ExportPressed);
        let choose =
            widget::labelled(Some(Icon::FolderOpen), "Choose…").on_press(Message::ChoosePressed);
        let most = crate::text::bytes(self.pixels * 6 * self.count as u64);
        let what = format!(
            "{} TIFF files of 16 bits, {most} before compression, and a report. What a frame \
             does not show is transparent.",
            self.count
        );
        let mut content = column![
            text("Export the aligned frames").size(size::HEADING),
            line(
                "Folder",
                row![folder, choose].spacing(gap::SMALL).align_y(Center)
            ),
            line(
                "Compression",
                inspector::compression_list(self.output.compression, Message::CompressionPicked)
            ),
        ]
        .spacing(gap::MEDIUM)
        .width(520);
        if self.is_filled {
            content = content.push(
                checkbox(self.output.overwrite)
                    .label("There are files in this folder: replace those of the same names")
                    .size(18)
                    .text_size(size::BODY)
                    .style(theme::tick)
                    .on_toggle(Message::ReplaceToggled),
            );
        }
        let export = widget::labelled(Some(Icon::Download), "Export")
            .style(theme::primary)
            .on_press_maybe(self.is_ready().then_some(Message::ExportPressed));
        content
            .push(text(what).size(size::SMALL).style(theme::muted))
            .push(
                row![
                    space::horizontal(),
                    widget::labelled(None, "Cancel").on_press(Message::Cancelled),
                    export
                ]
                .spacing(gap::SMALL),
            )
            .into()
    }
}

fn line<'a>(name: &'a str, control: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    row![text(name).size(size::BODY).width(130), control.into()]
        .spacing(gap::SMALL)
        .align_y(Center)
        .width(Fill)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_only_when_that_is_ticked_for_this_folder() {
        let mut state = State::new(Path::new("/a"), 3, 100, &OutputOptions::default());
        let _ = state.update(Message::Looked("/b".into(), true));
        assert!(!state.is_filled, "another folder");
        let _ = state.update(Message::Looked("/a".into(), true));
        assert!(state.is_filled);
        let _ = state.update(Message::ReplaceToggled(true));
        let Action::Export(folder, output) = state.update(Message::ExportPressed) else {
            panic!("not exported");
        };
        assert!(output.overwrite && folder == Path::new("/a"));
        let look = state.update(Message::FolderChanged("/c".into()));
        assert_eq!(look, Action::Look("/c".into()));
        let Action::Export(_, output) = state.update(Message::ExportPressed) else {
            panic!("not exported");
        };
        assert!(!output.overwrite);
        let _ = state.update(Message::FolderChanged(" ".into()));
        assert_eq!(state.update(Message::ExportPressed), Action::None);
    }
}
