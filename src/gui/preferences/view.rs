//! How the settings look.

use iced::widget::{
    Column, button, column, pick_list, row, scrollable, slider, space, text, text_input, toggler,
};
use iced::{Center, Element, Fill};

use super::{Message, Page, Role, State, Tried};
use crate::gui::icon::Icon;
use crate::gui::theme::{self, size, space as gap};
use crate::gui::{output, widget};
use crate::handlers::Device;
use crate::handlers::trial::Trial;
use crate::settings::{Program, Settings, ThemeChoice};
use crate::text as words;

/// The largest memory limit that can be chosen, in GiB.
const MOST_MEMORY: u8 = 64;
/// Height of a page.
const HEIGHT: f32 = 380.0;

/// A device in the list.
#[derive(Debug, Clone, PartialEq)]
struct Listed(Device, String);

impl std::fmt::Display for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.1)
    }
}

impl State {
    /// The dialog; while a job runs devices are not tested.
    pub fn view<'a>(&'a self, settings: &'a Settings, is_busy: bool) -> Element<'a, Message> {
        let pages = [
            (Page::General, "General"),
            (Page::Machine, "Machine"),
            (Page::Programs, "Programs"),
            (Page::Export, "Export"),
        ];
        let page = match self.page {
            Page::General => general(settings),
            Page::Machine => self.machine(settings, is_busy),
            Page::Programs => programs(settings),
            Page::Export => column![output::section(settings).map(Message::Output)],
        };
        column![
            row![
                text("Settings").size(size::HEADING),
                space::horizontal(),
                widget::choices(pages, self.page, Message::Turned)
            ]
            .align_y(Center),
            scrollable(page.spacing(gap::LARGE).width(Fill))
                .spacing(gap::SMALL)
                .style(theme::scroll)
                .height(HEIGHT),
            row![
                space::horizontal(),
                widget::labelled(None, "Done")
                    .style(theme::primary)
                    .on_press(Message::Closed)
            ]
            .align_y(Center)
        ]
        .spacing(gap::LARGE)
        .width(560)
        .into()
    }

    fn machine<'a>(&'a self, settings: &'a Settings, is_busy: bool) -> Column<'a, Message> {
        let resources = &settings.resources;
        let memory = resources
            .memory
            .map_or(0, |bytes| (bytes >> 30).min(64) as u8);
        let threads = resources.threads.unwrap_or(0).min(255) as u8;
        let limits = column![
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
        column![
            widget::section("Device", self.device(resources.device, is_busy)),
            widget::section("Limits", limits),
            widget::section("Cache", self.cache(settings)),
        ]
    }

    fn device(&self, chosen: Device, is_busy: bool) -> Column<'_, Message> {
        let devices = self.listed(chosen);
        let chosen = devices.iter().find(|listed| listed.0 == chosen).cloned();
        let list = pick_list(devices, chosen, |listed| Message::DevicePicked(listed.0))
            .text_size(size::BODY)
            .padding([gap::TINY + 1.0, gap::SMALL])
            .width(Fill)
            .style(theme::pick)
            .menu_style(theme::menu);
        let is_running = matches!(self.trial, Tried::Running);
        let test = widget::labelled(None, "Test")
            .padding([gap::TINY + 1.0, gap::MEDIUM])
            .on_press_maybe((!is_running && !is_busy).then_some(Message::TestPressed));
        let line = row![list, test].spacing(gap::SMALL).align_y(Center);
        let line = widget::tip(
            line,
            "Automatic takes a graphics processor that passes its self-check and is faster than \
             the processor. Test fuses small pictures and compares them with the processor's.",
            iced::widget::tooltip::Position::Left,
        );
        let told: Option<Element<'_, Message>> = match &self.trial {
            Tried::No if is_busy => Some(note("A device can be tested when the job is done.")),
            Tried::No if self.devices.is_none() => Some(note("Looking for OpenCL devices…")),
            Tried::No => None,
            Tried::Running => Some(note("Testing…")),
            Tried::Done(Ok(trial)) => {
                let told = text(passed(trial)).size(size::BODY).style(theme::good);
                Some(told.into())
            }
            Tried::Done(Err(fault)) => {
                let told = text(fault.to_string()).size(size::BODY);
                Some(told.style(theme::danger).into())
            }
        };
        column![line].push(told)
    }

    /// The devices there are, and the chosen one even where it is gone.
    fn listed(&self, chosen: Device) -> Vec<Listed> {
        let mut all = vec![
            Listed(Device::Auto, "Automatic".to_owned()),
            Listed(Device::Cpu, "Processor".to_owned()),
        ];
        for device in self.devices.iter().flatten() {
            let name = format!("{} ({})", device.name, device.platform);
            all.push(Listed(Device::OpenCl(Some(device.index)), name));
        }
        if all.iter().all(|listed| listed.0 != chosen) {
            let name = match chosen {
                Device::OpenCl(Some(number)) if self.devices.is_some() => {
                    format!("OpenCL device {number}, which is not there")
                }
                _ => "OpenCL, the best device".to_owned(),
            };
            all.push(Listed(chosen, name));
        }
        all
    }

    fn cache<'a>(&'a self, settings: &'a Settings) -> Column<'a, Message> {
        let cached = self.cached.map_or_else(|| "…".to_owned(), words::bytes);
        let limit = (settings.cache_limit >> 27).clamp(1, 32) as u8;
        column![
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
        ]
    }
}

fn general(settings: &Settings) -> Column<'_, Message> {
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
    let start = column![widget::option(
        "Open the last folder again",
        "On the next start the window opens what was open when it was closed.",
        switch(settings.reopen, Message::ReopenToggled)
    )];
    let safety = column![widget::option(
        "Ask before results are lost",
        "When the window is closed while a job runs or results were not exported. Before \
         photographs go to the trash the window always asks.",
        switch(settings.confirm_close, Message::ConfirmToggled)
    )];
    column![
        widget::section("Appearance", appearance),
        widget::section("Start", start),
        widget::section("Confirmations", safety),
    ]
}

fn programs(settings: &Settings) -> Column<'_, Message> {
    column![
        widget::section("Viewer", program(Role::Viewer, &settings.viewer)),
        widget::section("Editor", program(Role::Editor, &settings.editor)),
        note(
            "These open a photograph from its menu in the library. Empty means the system's \
             program for the file."
        ),
    ]
}

fn program(role: Role, program: &Program) -> Column<'_, Message> {
    let path = text_input("The system's program", &program.path)
        .size(size::BODY)
        .style(theme::input)
        .on_input(move |path| Message::ProgramChanged(role, path));
    let choose = widget::labelled(None, "Choose…")
        .padding([gap::TINY + 1.0, gap::MEDIUM])
        .on_press(Message::ProgramAsked(role));
    let mut line = row![path, choose].spacing(gap::SMALL).align_y(Center);
    if program.path.is_empty() {
        return column![line];
    }
    let reset = button(crate::gui::icon::sized(Icon::X, 14.0))
        .padding(gap::TINY)
        .style(theme::quiet)
        .on_press(Message::ProgramChanged(role, String::new()));
    line = line.push(widget::tip(
        reset,
        "Back to the system's program",
        iced::widget::tooltip::Position::Top,
    ));
    let arguments = text_input("none", &program.arguments)
        .size(size::BODY)
        .style(theme::input)
        .on_input(move |words| Message::ArgumentsChanged(role, words));
    column![
        line,
        widget::option(
            "Arguments",
            "Words of a command line; {file} stands for the photograph, which otherwise comes \
             last. No shell reads them.",
            arguments
        )
    ]
}

/// What a trial that went well tells.
fn passed(trial: &Trial) -> String {
    let speed = |speed: f64| format!("{:.1} megapixels per second", speed / 1e6);
    match (&trial.device, trial.processor) {
        (Some(device), Some(processor)) => format!(
            "{device} passes the self-check: {}; the processor alone {:.1}.",
            speed(trial.speed),
            processor / 1e6
        ),
        _ => format!("The processor fuses {}.", speed(trial.speed)),
    }
}

fn note<'a>(words: &'a str) -> Element<'a, Message> {
    text(words).size(size::SMALL).style(theme::muted).into()
}

fn switch<'a>(is_on: bool, message: impl Fn(bool) -> Message + 'a) -> Element<'a, Message> {
    toggler(is_on)
        .size(20)
        .style(theme::switch)
        .on_toggle(message)
        .into()
}
