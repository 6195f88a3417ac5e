//! The dialog of the settings that are not options of a stack.

use iced::widget::{column, row, slider, space, text};
use iced::{Center, Element};

use super::theme::{self, size, space as gap};
use super::widget;
use crate::handlers::Device;
use crate::settings::{Settings, ThemeChoice};
use crate::text as words;

/// The largest memory limit that can be chosen, in GiB; more is automatic.
const MOST_MEMORY: u8 = 64;

/// What the dialog knows besides the settings.
#[derive(Debug, Default)]
pub struct State {
    /// Bytes in the cache; `None` while that is not known.
    pub cached: Option<u64>,
    /// Threads that the machine has for us.
    pub processors: usize,
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// Light or dark.
    ThemePicked(ThemeChoice),
    /// Where pixels are worked on.
    DevicePicked(Device),
    /// A memory limit in GiB; 0 is automatic.
    MemoryMoved(u8),
    /// A number of threads; 0 is automatic.
    ThreadsMoved(u8),
    /// A limit of the cache in units of 128 MiB.
    CacheMoved(u8),
    /// Forget what is in the cache.
    CacheCleared,
    /// Whether to ask before results are lost.
    ConfirmToggled(bool),
    /// Close the dialog.
    Closed,
}

/// What the dialog wants of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Draw everything in the other theme.
    Repaint,
    /// Empty the cache.
    ClearCache,
    /// Close the dialog.
    Close,
}

impl State {
    /// Takes over what was chosen.
    pub fn update(&mut self, message: Message, settings: &mut Settings) -> Action {
        match message {
            Message::ThemePicked(theme) => {
                settings.theme = theme;
                return Action::Repaint;
            }
            Message::DevicePicked(device) => settings.resources.device = device,
            Message::MemoryMoved(gigabytes) => {
                settings.resources.memory = (gigabytes > 0).then(|| u64::from(gigabytes) << 30);
            }
            Message::ThreadsMoved(threads) => {
                settings.resources.threads = (threads > 0).then_some(usize::from(threads));
            }
            Message::CacheMoved(units) => settings.cache_limit = u64::from(units) << 27,
            Message::CacheCleared => return Action::ClearCache,
            Message::ConfirmToggled(wanted) => settings.confirm_close = wanted,
            Message::Closed => return Action::Close,
        }
        Action::None
    }

    /// The dialog.
    pub fn view<'a>(&'a self, settings: &'a Settings) -> Element<'a, Message> {
        let resources = &settings.resources;
        let themes = [
            (ThemeChoice::System, "As the system"),
            (ThemeChoice::Light, "Light"),
            (ThemeChoice::Dark, "Dark"),
        ];
        let appearance = column![widget::option(
            "Theme",
            "Dark where the system does not tell.",
            widget::choices(themes, settings.theme, Message::ThemePicked)
        )];

        let memory = resources
            .memory
            .map_or(0, |bytes| (bytes >> 30).min(64) as u8);
        let threads = resources.threads.unwrap_or(0).min(255) as u8;
        let devices = [(Device::Auto, "Automatic"), (Device::Cpu, "Processor")];
        let machine = column![
            widget::option(
                "Device",
                "Automatic takes a graphics processor that passes its self-check, or else the \
                 processor.",
                widget::choices(devices, resources.device, Message::DevicePicked)
            ),
            widget::tall_option(
                "Memory for a job",
                match memory {
                    0 => "automatic".to_owned(),
                    limit => format!("{limit} GiB"),
                },
                "At the far left a job takes most of what is free.",
                slider(0..=MOST_MEMORY, memory, Message::MemoryMoved).style(theme::slide)
            ),
            widget::tall_option(
                "Threads",
                match threads {
                    0 => format!("automatic ({})", self.processors),
                    threads => threads.to_string(),
                },
                "At the far left a job takes all processor cores.",
                slider(
                    0..=self.processors.clamp(1, 255) as u8,
                    threads,
                    Message::ThreadsMoved
                )
                .style(theme::slide)
            ),
        ];

        let cached = self.cached.map_or_else(|| "…".to_owned(), words::bytes);
        let limit = (settings.cache_limit >> 27).clamp(1, 32) as u8;
        let cache = column![
            widget::tall_option(
                "Thumbnails and scores on the disk",
                format!("{cached} of {}", words::bytes(settings.cache_limit)),
                "A folder that was open before is shown at once from these. What was of no use \
                 for longest goes first.",
                slider(1..=32, limit, Message::CacheMoved).style(theme::slide)
            ),
            row![
                space::horizontal(),
                widget::labelled(None, "Clear")
                    .on_press_maybe((self.cached != Some(0)).then_some(Message::CacheCleared))
            ]
        ];

        let safety = column![widget::option(
            "Ask before results are lost",
            "When the window is closed while a job runs or results were not exported.",
            iced::widget::toggler(settings.confirm_close)
                .size(20)
                .style(theme::switch)
                .on_toggle(Message::ConfirmToggled)
        )];

        column![
            text("Settings").size(size::HEADING),
            widget::section("Appearance", appearance),
            widget::section("Machine", machine),
            widget::section("Cache", cache),
            widget::section("Safety", safety),
            row![
                space::horizontal(),
                widget::labelled(None, "Done")
                    .style(theme::primary)
                    .on_press(Message::Closed)
            ]
            .align_y(Center)
        ]
        .spacing(gap::LARGE)
        .width(520)
        .into()
    }
}
