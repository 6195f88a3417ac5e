//! Help: the manual, the keyboard, and what this is.

use iced::advanced::text::Highlight;
use iced::widget::{column, container, markdown, row, scrollable, space, text};
use iced::{Center, Element, Fill, Theme};

use super::theme::{self, size, space as gap};
use super::widget;

/// The manual.
const MANUAL: &str = include_str!("../../assets/manual.md");

/// A page of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// The manual.
    #[default]
    Manual,
    /// The keyboard.
    Keyboard,
    /// What this is.
    About,
}

/// The help.
pub struct State {
    page: Page,
    manual: Vec<markdown::Item>,
}

/// What happens in the help.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another page.
    Turned(Page),
    /// A link was clicked.
    LinkPressed(String),
    /// Close the help.
    Closed,
}

/// What the help wants of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Open an address with the system's program.
    Open(String),
    /// Close the help.
    Close,
}

/// What the keys do.
pub const KEYS: [(&str, &str); 29] = [
    ("Ctrl O", "Open a folder"),
    ("Ctrl Shift O", "Add photographs"),
    ("Ctrl W", "Close the folder"),
    ("Ctrl R", "Stack"),
    ("Ctrl E or Ctrl S", "Export the result"),
    ("Ctrl A", "Select all frames"),
    ("Ctrl Z", "Take back what was excluded, included or removed"),
    ("Ctrl Shift Z", "Do it again"),
    ("Ctrl L", "Log"),
    ("Ctrl ,", "Settings"),
    ("Ctrl Q", "Close Parfocal"),
    ("F1", "Help"),
    ("?", "These keys"),
    ("Arrows", "Go from frame to frame; with Shift, select"),
    ("Home and End", "Go to the first and the last frame"),
    ("Space", "Include or exclude the selected frames"),
    ("Delete", "Remove the selected frames from the list"),
    ("Shift Delete", "Move the selected photographs to the trash"),
    ("F", "Fit the picture into the window"),
    ("1 and 2", "100 % and 200 %"),
    ("+ and −", "Zoom in and out"),
    ("R", "Show the result"),
    ("D", "Show the depth map"),
    ("C", "Compare the result with the frame"),
    ("B", "Compare by turns, or by a line"),
    ("H", "Sharpness as a heat map"),
    ("P", "Run through the frames, or stop"),
    ("A", "Frames as they lie on the reference, or as they are"),
    ("Esc", "Close what is open; stop the job"),
];

impl State {
    /// The help, open at a page.
    pub fn new(page: Page) -> Self {
        Self {
            page,
            manual: markdown::parse(MANUAL).collect(),
        }
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Turned(page) => self.page = page,
            Message::LinkPressed(link) => return Action::Open(link),
            Message::Closed => return Action::Close,
        }
        Action::None
    }

    /// The help.
    pub fn view<'a>(&'a self, current: &Theme, device: &'a str) -> Element<'a, Message> {
        let pages = [
            (Page::Manual, "Manual"),
            (Page::Keyboard, "Keyboard"),
            (Page::About, "About"),
        ];
        let page: Element<'_, Message> = match self.page {
            Page::Manual => {
                let colours = theme::colours(current);
                let style = markdown::Style {
                    font: theme::FONT,
                    inline_code_font: theme::FONT,
                    inline_code_color: colours.text,
                    inline_code_highlight: Highlight {
                        background: colours.hovered.into(),
                        border: iced::border::rounded(4),
                    },
                    ..markdown::Style::from_palette(current.palette())
                };
                let style = markdown::Settings::with_text_size(size::BODY, style);
                markdown::view(&self.manual, style).map(Message::LinkPressed)
            }
            Page::Keyboard => column(KEYS.iter().map(|&(keys, what)| {
                row![
                    container(text(keys).size(size::BODY).style(theme::accented)).width(150),
                    text(what).size(size::BODY)
                ]
                .into()
            }))
            .spacing(gap::SMALL)
            .into(),
            Page::About => about(device),
        };
        column![
            row![
                text("Help").size(size::HEADING),
                space::horizontal(),
                widget::choices(pages, self.page, Message::Turned)
            ]
            .align_y(Center),
            scrollable(container(page).width(Fill))
                .spacing(gap::MEDIUM)
                .style(theme::scroll)
                .height(440),
            row![
                space::horizontal(),
                widget::labelled(None, "Close").on_press(Message::Closed)
            ]
        ]
        .spacing(gap::MEDIUM)
        .width(640)
        .into()
    }
}

fn about(device: &str) -> Element<'_, Message> {
    let opencv = opencv::core::get_version_string().unwrap_or_else(|_| "unknown".into());
    let facts = [
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("OpenCV", opencv),
        ("Device", device.to_owned()),
        ("Licence", "MIT".to_owned()),
    ];
    let lines = facts.into_iter().map(|(name, value)| {
        row![
            container(text(name).size(size::BODY).style(theme::muted)).width(150),
            text(value).size(size::BODY)
        ]
        .into()
    });
    column![
        text("Parfocal").size(size::TITLE),
        text("Photographs focused at different distances, made one that is sharp everywhere.")
            .size(size::BODY),
        column(lines).spacing(gap::SMALL)
    ]
    .spacing(gap::LARGE)
    .into()
}
