//! The empty window.

use std::collections::BTreeMap;
use std::path::PathBuf;

use iced::widget::image::Handle;
use iced::widget::{button, center, column, container, image, row, text};
use iced::{Center, ContentFit, Element, Fill};

use super::icon::{self, Icon};
use super::theme::{self, size, space as gap};
use super::widget;
use crate::handlers::thumbnail::Thumbnail;
use crate::settings::Recent;

/// Pictures of the folders that were open.
#[derive(Debug, Default)]
pub struct State {
    covers: BTreeMap<PathBuf, Handle>,
    is_hovered: bool,
}

/// What happens in the empty window.
#[derive(Debug, Clone)]
pub enum Message {
    /// A folder is to be opened.
    Open,
    /// The demo stack is to be tried.
    Demo,
    /// A folder that was open is to be opened again.
    Reopen(PathBuf),
}

impl State {
    /// A picture for a folder that was open.
    pub fn cover(&mut self, cover: PathBuf, thumbnail: Thumbnail) {
        let picture = thumbnail.picture;
        let (width, height) = (picture.width as u32, picture.height as u32);
        let handle = Handle::from_rgba(width, height, picture.data);
        self.covers.insert(cover, handle);
    }

    /// Whether something is being dragged over the window.
    pub fn hover(&mut self, is_hovered: bool) {
        self.is_hovered = is_hovered;
    }

    /// Whether something is being dragged over the window.
    pub fn is_hovered(&self) -> bool {
        self.is_hovered
    }

    /// The empty window.
    pub fn view<'a>(&'a self, recent: &'a [Recent], is_busy: bool) -> Element<'a, Message> {
        let open = widget::labelled(Some(Icon::FolderOpen), "Open folder…")
            .padding([gap::MEDIUM, gap::LARGE])
            .style(theme::primary)
            .on_press_maybe((!is_busy).then_some(Message::Open));
        let demo = widget::labelled(Some(Icon::Sparkles), "Try the demo stack")
            .padding([gap::MEDIUM, gap::LARGE])
            .on_press_maybe((!is_busy).then_some(Message::Demo));
        let hint = if self.is_hovered {
            text("Let go to open")
                .size(size::BODY)
                .style(theme::accented)
        } else {
            text("or drop a folder of photographs here")
                .size(size::BODY)
                .style(theme::muted)
        };
        let head = column![
            text("Parfocal").size(size::TITLE),
            text("One photograph, sharp from front to back.")
                .size(size::BODY + 1.0)
                .style(theme::muted),
        ]
        .spacing(gap::SMALL)
        .align_x(Center);
        let mut page = column![head, row![open, demo].spacing(gap::MEDIUM), hint]
            .spacing(gap::LARGE)
            .align_x(Center);
        if !recent.is_empty() {
            let folders = recent.iter().take(4).map(|recent| self.folder(recent));
            page = page.push(
                column![
                    text("Recent").size(size::SMALL).style(theme::muted),
                    iced::widget::row(folders).spacing(gap::MEDIUM)
                ]
                .spacing(gap::SMALL)
                .padding(iced::padding::top(gap::LARGE)),
            );
        }
        container(center(page)).style(theme::ground).into()
    }

    fn folder<'a>(&'a self, recent: &'a Recent) -> Element<'a, Message> {
        let picture: Element<'_, Message> = match self.covers.get(&recent.cover) {
            Some(handle) => image(handle.clone())
                .content_fit(ContentFit::Cover)
                .width(Fill)
                .height(Fill)
                .into(),
            None => container(icon::sized(Icon::Images, 24.0).style(theme::muted))
                .center(Fill)
                .into(),
        };
        let name = super::work::name(&recent.folder);
        let card = column![
            container(picture)
                .height(110)
                .width(Fill)
                .clip(true)
                .style(theme::panel),
            column![
                text(name).size(size::BODY).wrapping(text::Wrapping::None),
                text(format!("{} photographs", recent.count))
                    .size(size::SMALL)
                    .style(theme::muted)
            ]
            .spacing(2)
            .padding(gap::SMALL)
        ]
        .width(176)
        .clip(true);
        button(card)
            .padding(0)
            .style(theme::secondary)
            .on_press(Message::Reopen(recent.folder.clone()))
            .into()
    }
}
