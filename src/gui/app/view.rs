//! How the window is put together.

use iced::widget::{
    button, center, column, container, mouse_area, opaque, row, rule, space, stack, text, tooltip,
};
use iced::{Center, Element, Fill};

use super::panels::widths;
use super::{App, Command, Dialog, Message, Panel};
use crate::gui::divider::{Side, divider};
use crate::gui::icon::{self, Icon};
use crate::gui::stage::{Facts, Mode};
use crate::gui::theme::{self, size, space as gap};
use crate::gui::viewer::{Kind, Picture};
use crate::gui::{results, widget};

impl App {
    /// The window.
    pub fn view(&self) -> Element<'_, Message> {
        let is_busy = self.activity.is_running();
        let page: Element<'_, Message> = if self.is_empty() {
            self.welcome
                .view(&self.settings.recent, is_busy || self.is_opening)
                .map(Message::Welcome)
        } else {
            self.workplace()
        };
        let scored = {
            let (known, total) = (self.scored(), self.library.frames().len());
            let left = self.importer.as_ref().map_or(0, |importer| importer.left());
            (left > 0).then_some((known, total))
        };
        let mut window = column![self.toolbar(), line(), page];
        if !self.results.items().is_empty() {
            window = window
                .push(line())
                .push(self.results.view().map(Message::Results));
        }
        let activity = self.activity.view(self.device(), scored);
        let window = window.push(line()).push(activity.map(Message::Activity));
        let window = container(window)
            .width(Fill)
            .height(Fill)
            .style(theme::panel);

        let mut layers = stack![window];
        if !self.notices.is_empty() {
            // Above the bars, so that none of their controls is covered.
            let bars = if self.is_empty() { 48.0 } else { 124.0 };
            let strip = if self.results.items().is_empty() {
                0.0
            } else {
                results::HEIGHT
            };
            let notices = container(self.notices.view().map(Message::Notice))
                .padding(iced::Padding {
                    bottom: bars + strip + self.activity.drawer_height(),
                    ..iced::Padding::new(gap::MEDIUM)
                })
                .align_right(Fill)
                .align_bottom(Fill);
            layers = layers.push(notices);
        }
        if self.welcome.is_hovered() && !self.is_empty() {
            let words = container(text("Let go to add to the stack").size(size::HEADING))
                .padding(gap::LARGE)
                .style(theme::card);
            layers = layers.push(center(words).style(theme::shade));
        }
        if let Some(dialog) = &self.dialog {
            let card = container(self.dialog(dialog))
                .padding(gap::LARGE)
                .style(theme::card);
            layers = layers.push(opaque(
                mouse_area(center(opaque(card)).padding(gap::LARGE).style(theme::shade))
                    .on_press(Message::Command(Command::Cancel)),
            ));
        }
        layers.into()
    }

    fn toolbar(&self) -> Element<'_, Message> {
        let is_busy = self.activity.is_running();
        let has_frames = !self.library.is_empty();
        let unless_busy = |command| (!is_busy).then_some(Message::Command(command));
        let with_frames = |command| (has_frames && !is_busy).then_some(Message::Command(command));
        let has_selection = !self.library.selected().is_empty();
        let files = row![
            tool(
                Icon::FolderOpen,
                "Open",
                "Open a folder (Ctrl O)",
                unless_busy(Command::Open)
            ),
            tool(
                Icon::ImagePlus,
                "Add",
                "Add photographs (Ctrl Shift O)",
                with_frames(Command::Add)
            ),
            tool(
                Icon::ListX,
                "Remove",
                "Remove the selected frames from the list; the files stay (Delete)",
                with_frames(Command::Remove).filter(|_| has_selection)
            ),
        ]
        .spacing(2);
        let primary: Element<'_, Message> = if is_busy {
            widget::labelled(Some(Icon::Square), "Cancel")
                .on_press(Message::Command(Command::Cancel))
                .into()
        } else {
            widget::tip(
                widget::labelled(Some(Icon::Layers), "Stack")
                    .style(theme::primary)
                    .on_press_maybe(with_frames(Command::Stack)),
                "Align and fuse the frames that take part (Ctrl R)",
                tooltip::Position::Bottom,
            )
        };
        let align = widget::tip(
            widget::labelled(None, "Align only").on_press_maybe(with_frames(Command::Align)),
            "Find how the frames lie on each other, to be judged before stacking",
            tooltip::Position::Bottom,
        );
        let command = |command| Some(Message::Command(command));
        let others = row![
            widget::icon_button(
                Icon::PanelLeft,
                "Show or hide the library",
                has_frames.then_some(Message::Command(Command::Library))
            ),
            widget::icon_button(
                Icon::PanelRight,
                "Show or hide the options",
                has_frames.then_some(Message::Command(Command::Inspector))
            ),
            widget::icon_button(
                Icon::Settings,
                "Settings (Ctrl ,)",
                command(Command::Preferences)
            ),
            widget::icon_button(
                Icon::CircleQuestionMark,
                "Help (F1)",
                command(Command::Help)
            ),
        ]
        .spacing(2);
        // What stands in the middle does so however wide the rest is.
        container(
            row![
                container(files).width(Fill),
                primary,
                align,
                container(others).align_right(Fill)
            ]
            .spacing(gap::SMALL)
            .align_y(Center),
        )
        .padding([gap::TINY + 2.0, gap::SMALL])
        .width(Fill)
        .into()
    }

    /// Library, picture and inspector.
    fn workplace(&self) -> Element<'_, Message> {
        let window = &self.settings.window;
        let frames = self.library.frames();
        let cursor = self.library.cursor();
        let at = cursor.and_then(|id| frames.iter().position(|frame| frame.id == id));
        let facts = Facts {
            has_frame: at.is_some(),
            has_frames: !frames.is_empty(),
            has_result: self.results.selected().is_some(),
            has_alignment: self.kept.is_some(),
            is_growing: self.is_watching
                && self.activity.is_running()
                && self.viewer.picture().map(Picture::kind) == Some(Kind::Preview),
        };
        let mut middle = column![
            self.stage.view(facts).map(Message::Stage),
            container(stack![self.viewer.view().map(Message::Viewer)].push(self.nothing_to_show()))
                .width(Fill)
                .height(Fill)
                .style(theme::ground)
        ];
        if frames.len() > 1 {
            // Compared frames always lie on the result.
            let is_choice = self.kept.is_some() && self.mode() == Mode::Frame;
            let scrubber = self.scrubber.view(at.unwrap_or(0), frames.len(), is_choice);
            middle = middle.push(scrubber.map(Message::Scrubber));
        }
        let [library, inspector] = widths(window);
        let mut panels = row![];
        if window.library && !frames.is_empty() {
            panels = panels
                .push(self.library.view(library).map(Message::Library))
                .push(divider(Side::Right, library, |width| {
                    Message::Widened(Panel::Library, width)
                }));
        }
        panels = panels.push(container(middle).width(Fill).height(Fill));
        if window.inspector {
            panels = panels
                .push(divider(Side::Left, inspector, |width| {
                    Message::Widened(Panel::Inspector, width)
                }))
                .push(
                    self.inspector
                        .view(&self.settings, inspector)
                        .map(Message::Inspector),
                );
        }
        panels.height(Fill).into()
    }

    /// Why there is no picture, if that is known.
    fn nothing_to_show(&self) -> Option<Element<'_, Message>> {
        let frame = self.library.frame(self.library.cursor()?)?;
        let fault = frame
            .fault
            .as_ref()
            .filter(|_| self.viewer.picture().is_none())?;
        let words = column![
            icon::sized(Icon::ImageOff, 32.0).style(theme::muted),
            text(&frame.name).size(size::BODY),
            text(format!("{}: {}", fault.title(), fault.reason()))
                .size(size::BODY)
                .style(theme::muted)
        ];
        Some(center(words.spacing(gap::SMALL).align_x(Center)).into())
    }

    fn dialog<'a>(&'a self, dialog: &'a Dialog) -> Element<'a, Message> {
        match dialog {
            Dialog::Export(dialog) => dialog.view().map(Message::Export),
            Dialog::ExportFrames(dialog) => dialog.view().map(Message::ExportFrames),
            Dialog::Preferences(dialog) => dialog
                .view(&self.settings, self.activity.is_running())
                .map(Message::Preferences),
            Dialog::Help(dialog) => dialog.view(&self.theme(), self.device()).map(Message::Help),
            Dialog::Blurred(dialog) => dialog.view().map(Message::Blurred),
            Dialog::Trash(dialog) => dialog.view().map(Message::Trash),
            Dialog::Closing => self.closing(),
        }
    }

    fn closing(&self) -> Element<'_, Message> {
        let mut what = column![].spacing(gap::SMALL);
        if self.activity.is_running() {
            what = what.push(text("A job is running. It will be stopped."));
        }
        match self.results.unsaved() {
            0 => {}
            1 => what = what.push(text("A result was not exported. It will be lost.")),
            count => {
                let words = format!("{count} results were not exported. They will be lost.");
                what = what.push(text(words));
            }
        }
        column![
            text("Close Parfocal?").size(size::HEADING),
            what,
            row![
                space::horizontal(),
                widget::labelled(None, "Keep open").on_press(Message::Closing(false)),
                widget::labelled(None, "Close")
                    .style(theme::primary)
                    .on_press(Message::Closing(true))
            ]
            .spacing(gap::SMALL)
        ]
        .spacing(gap::LARGE)
        .width(420)
        .into()
    }
}

fn line<'a>() -> Element<'a, Message> {
    rule::horizontal(1).style(theme::line).into()
}

/// A button of the toolbar: an icon and a word.
fn tool<'a>(
    icon: Icon,
    words: &'a str,
    explained: &'a str,
    message: Option<Message>,
) -> Element<'a, Message> {
    let content = row![icon::icon(icon), text(words).size(size::BODY)]
        .spacing(gap::SMALL - 2.0)
        .align_y(Center);
    let button = button(content)
        .padding([gap::SMALL - 1.0, gap::SMALL + 2.0])
        .style(theme::quiet)
        .on_press_maybe(message);
    widget::tip(button, explained, tooltip::Position::Bottom)
}
