//! How the library looks.

use std::ops::Range;

use iced::widget::{
    canvas, column, container, image, mouse_area, progress_bar, row, scrollable, sensor, space,
    stack, text, tooltip,
};
use iced::{Center, ContentFit, Element, Fill, Size};

use super::{Fault, Message, Sort, State, plot};
use crate::gui::icon::{self, Icon};
use crate::gui::theme::{self, size, space as gap};
use crate::gui::widget;

/// The list of thumbnails, for scrolling it.
pub const LIST: &str = "library";

/// About how wide a thumbnail is, in logical pixels.
const CELL: f32 = 128.0;
/// Room for the scroll bar.
const RAIL: f32 = 14.0;
/// Around a picture and what stands under it.
const PADDING: f32 = 4.0;
/// What stands under a picture.
const CAPTION: f32 = 30.0;
/// How high the plot is.
const PLOT: f32 = 96.0;

/// How the thumbnails are laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Thumbnails in a row.
    pub columns: usize,
    /// Width of one.
    pub width: f32,
    /// Height of one.
    pub height: f32,
}

impl Grid {
    /// For a list of this width.
    pub fn of(width: f32) -> Self {
        let room = (width - gap::SMALL - RAIL).max(CELL / 2.0);
        let columns = ((room + gap::TINY) / (CELL + gap::TINY)).floor().max(1.0);
        let width = ((room - (columns - 1.0) * gap::TINY) / columns).floor();
        Self {
            columns: columns as usize,
            width,
            // Most photographs are three to two: they fill the cell then.
            height: ((width - 2.0 * PADDING) * 2.0 / 3.0).ceil() + 2.0 * PADDING + CAPTION,
        }
    }

    /// From one row to the next.
    pub fn pitch(&self) -> f32 {
        self.height + gap::TINY
    }
}

impl State {
    pub(super) fn viewport(&self) -> Size {
        self.size.unwrap_or(Size::new(300.0, 600.0))
    }

    pub(super) fn grid(&self) -> Grid {
        Grid::of(self.viewport().width)
    }

    /// The places in the screen's order that are in sight, and about `more`
    /// before and after them.
    pub(super) fn rows(&self, more: usize) -> Range<usize> {
        let grid = self.grid();
        let row = |y: f32| (y.max(0.0) / grid.pitch()) as usize;
        let first = row(self.scroll) * grid.columns;
        let end = (row(self.scroll + self.viewport().height) + 1) * grid.columns;
        let end = (end + more).min(self.order.len());
        first.saturating_sub(more).min(end)..end
    }

    /// The panel, `width` logical pixels wide.
    pub fn view(&self, width: f32) -> Element<'_, Message> {
        let included = self.taking_part().count();
        let total = self.frames.len();
        let count = if included == total {
            format!("{total} frames")
        } else {
            format!("{included} of {total} frames")
        };
        let sorts = [
            (Sort::Name, "Name"),
            (Sort::Time, "Time"),
            (Sort::Sharpness, "Sharpness"),
        ];
        let head = column![
            row![
                text(count).size(size::BODY),
                space::horizontal(),
                widget::labelled(Some(Icon::Filter), "Exclude blurred…")
                    .padding([gap::TINY, gap::SMALL])
                    .style(theme::quiet)
                    .on_press(Message::BlurredAsked),
            ]
            .align_y(Center),
            widget::choices(sorts, self.sort, Message::Sorted),
        ]
        .spacing(gap::TINY)
        .padding([gap::SMALL, gap::MEDIUM]);
        let plot = canvas(plot::Plot::of(self)).width(Fill).height(PLOT);
        column![head, self.thumbnails()]
            .push(self.fault_row())
            .push(container(plot).padding([gap::SMALL, gap::MEDIUM]))
            .push(self.jump_row())
            .width(width)
            .height(Fill)
            .into()
    }

    /// What is wrong with the photograph that is shown.
    fn fault_row(&self) -> Option<Element<'_, Message>> {
        let fault = self.frame(self.cursor?)?.fault.as_ref()?;
        let line = row![
            icon::sized(fault.icon(), 14.0).style(theme::warning),
            text(explained(fault)).size(size::SMALL).width(Fill)
        ]
        .spacing(gap::SMALL);
        Some(container(line).padding([gap::SMALL, gap::MEDIUM]).into())
    }

    fn thumbnails(&self) -> Element<'_, Message> {
        let grid = self.grid();
        let rows = self.order.len().div_ceil(grid.columns);
        let visible = self.rows(0);
        let first_row = visible.start / grid.columns;
        let shown = &self.order[visible];
        let mut lines = column![].spacing(gap::TINY);
        if first_row > 0 {
            // The spacing that follows is part of the last row above.
            lines = lines.push(space().height(first_row as f32 * grid.pitch() - gap::TINY));
        }
        for places in shown.chunks(grid.columns) {
            let cells = places.iter().map(|&place| self.cell(place, grid));
            lines = lines.push(iced::widget::row(cells).spacing(gap::TINY));
        }
        let after = rows - (first_row + shown.len().div_ceil(grid.columns));
        if after > 0 {
            lines = lines.push(space().height(after as f32 * grid.pitch() - gap::TINY));
        }
        let list = scrollable(
            container(lines)
                .padding(iced::padding::left(gap::SMALL).right(RAIL))
                .width(Fill),
        )
        .id(LIST)
        .on_scroll(|viewport| Message::Scrolled(viewport.absolute_offset().y))
        .style(theme::scroll)
        .width(Fill)
        .height(Fill);
        let list = sensor(list)
            .on_show(Message::Resized)
            .on_resize(Message::Resized);
        // The list stays the first of the layers, so that it keeps its place.
        let mut layers = stack![list];
        if let Some(menu) = self.menu.and_then(|id| self.menu(id, grid)) {
            let beside = mouse_area(space().width(Fill).height(Fill))
                .on_press(Message::MenuClosed)
                .on_right_press(Message::MenuClosed);
            layers = layers.push(beside).push(menu);
        }
        layers.into()
    }

    fn cell(&self, place: usize, grid: Grid) -> Element<'_, Message> {
        let frame = &self.frames[place];
        let height = grid.height - CAPTION;
        let picture: Element<'_, Message> = match &frame.thumbnail {
            Some(handle) => image(handle.clone())
                .content_fit(ContentFit::Contain)
                .opacity(if frame.is_included { 1.0 } else { 0.35 })
                .width(Fill)
                .height(Fill)
                .into(),
            None => container(icon::sized(Icon::Image, 20.0).style(theme::muted))
                .center(Fill)
                .style(theme::well)
                .into(),
        };
        let mut marks = row![].spacing(gap::TINY);
        if self.reference == Some(frame.id) {
            marks = marks.push(badge(
                Icon::Anchor,
                "Reference: the others are laid upon it",
            ));
        }
        if !frame.is_included {
            marks = marks.push(badge(Icon::EyeOff, "Excluded: takes no part in the stack"));
        }
        if let Some(fault) = &frame.fault {
            marks = marks.push(badge(fault.icon(), explained(fault)));
        }
        let picture = stack![
            picture,
            container(marks).padding(gap::TINY).align_bottom(Fill)
        ];
        let sharpest = self.sharpest();
        let share = frame.score.map_or(0.0, |score| (score / sharpest) as f32);
        let caption = column![
            progress_bar(0.0..=1.0, share)
                .girth(3)
                .style(theme::progress),
            text(&frame.name)
                .size(size::SMALL)
                .wrapping(text::Wrapping::None)
                .style(if frame.is_included {
                    iced::widget::text::default
                } else {
                    theme::muted
                })
        ]
        .spacing(3);
        let is_selected = self.selected.contains(&frame.id);
        let is_shown = self.cursor == Some(frame.id);
        let inside = container(
            column![container(picture).height(height - 2.0 * PADDING), caption].spacing(3),
        )
        .padding(PADDING)
        .width(grid.width)
        .height(grid.height)
        .clip(true)
        .style(move |theme| theme::cell(theme, is_selected, is_shown));
        mouse_area(inside)
            .on_press(Message::Pressed(frame.id))
            .on_right_press(Message::MenuOpened(frame.id))
            .into()
    }

    pub(super) fn sharpest(&self) -> f64 {
        let scores = self.frames.iter().filter_map(|frame| frame.score);
        scores.fold(f64::MIN_POSITIVE, f64::max)
    }
}

fn explained(fault: &Fault) -> String {
    format!("{}: {}", fault.title(), fault.reason())
}

fn badge<'a>(icon: Icon, words: impl text::IntoFragment<'a>) -> Element<'a, Message> {
    let mark = container(icon::sized(icon, 12.0))
        .padding(3)
        .style(theme::badge);
    widget::tip(mark, words, tooltip::Position::Right)
}
