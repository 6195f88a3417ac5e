//! The empty window.

use std::collections::BTreeMap;
use std::path::PathBuf;

use iced::widget::image::Handle;
use iced::widget::{button, center, column, container, image, row, text};
use iced::{Center, ContentFit, Element, Fill};

use super::icon::{self, Icon};
use super::theme::{self, size, space as gap};
use super::widget;
use crate::core::thumbnail::Rgba;
use crate::handlers::thumbnail::Thumbnail;
use crate::settings::Recent;

/// The size of a folder's picture, in logical pixels: three to two, like most
/// photographs.
const COVER: [u32; 2] = [168, 112];

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
        let picture = cropped(thumbnail.picture);
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
                .content_fit(ContentFit::Fill)
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
                .width(COVER[0])
                .height(COVER[1])
                .style(theme::panel),
            column![
                text(name).size(size::BODY).wrapping(text::Wrapping::None),
                text(format!("{} photographs", recent.count))
                    .size(size::SMALL)
                    .style(theme::muted)
            ]
            .spacing(2)
            .padding(gap::TINY)
        ]
        .width(COVER[0])
        .clip(true);
        button(card)
            .padding(gap::TINY)
            .style(theme::secondary)
            .on_press(Message::Reopen(recent.folder.clone()))
            .into()
    }
}

/// The middle of a picture, as wide and as high as a folder's picture.
fn cropped(picture: Rgba) -> Rgba {
    let [across, down] = COVER.map(|side| side as usize);
    let width = picture.width.min(picture.height * across / down).max(1);
    let height = picture.height.min(picture.width * down / across).max(1);
    let left = (picture.width - width) / 2;
    let rows = picture.data.chunks_exact(picture.width.max(1) * 4);
    let rows = rows.skip((picture.height - height) / 2).take(height);
    Rgba {
        width,
        height,
        data: rows
            .flat_map(|row| &row[left * 4..(left + width) * 4])
            .copied()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_picture_is_its_cover() {
        for (width, height, expected) in
            [(60, 40, (60, 40)), (40, 60, (40, 26)), (90, 40, (60, 40))]
        {
            let data = (0..width * height).flat_map(|i| [(i % width) as u8, 0, 0, 255]);
            let picture = Rgba {
                width,
                height,
                data: data.collect(),
            };
            let cover = cropped(picture);
            assert_eq!((cover.width, cover.height), expected);
            assert_eq!(cover.data.len(), cover.width * cover.height * 4);
            assert_eq!(usize::from(cover.data[0]), (width - cover.width) / 2);
        }
    }
}
