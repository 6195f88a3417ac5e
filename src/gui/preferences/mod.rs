//! The dialog of the settings that are not options of a stack.

mod view;

use super::output;
use crate::Result;
use crate::core::device::OpenClDevice;
use crate::handlers::Device;
use crate::handlers::trial::Trial;
use crate::settings::{Program, Settings, ThemeChoice};

/// A page of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// Appearance, start and end.
    #[default]
    General,
    /// Device, memory, threads, cache.
    Machine,
    /// Viewer and editor.
    Programs,
    /// What Export offers.
    Export,
}

/// What the dialog knows besides the settings.
#[derive(Debug, Default)]
pub struct State {
    /// Bytes in the cache; `None` while that is not known.
    pub cached: Option<u64>,
    /// Threads that the machine has for us.
    pub processors: usize,
    /// The OpenCL devices; `None` while they are looked for.
    pub devices: Option<Vec<OpenClDevice>>,
    page: Page,
    trial: Tried,
}

/// Whether the device was tested.
#[derive(Debug, Default)]
enum Tried {
    #[default]
    No,
    Running,
    Done(Result<Trial>),
}

/// A program that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It shows photographs.
    Viewer,
    /// It changes them.
    Editor,
}

impl Role {
    /// The program in this role.
    pub fn program(self, settings: &mut Settings) -> &mut Program {
        match self {
            Self::Viewer => &mut settings.viewer,
            Self::Editor => &mut settings.editor,
        }
    }
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another page.
    Turned(Page),
    /// Light or dark.
    ThemePicked(ThemeChoice),
    /// Whether to open again what was open.
    ReopenToggled(bool),
    /// The OpenCL devices were found.
    DevicesFound(Vec<OpenClDevice>),
    /// Where pixels are worked on.
    DevicePicked(Device),
    /// The device is to be tested.
    TestPressed,
    /// The device was tested.
    Tested(Device, Result<Trial>),
    /// A memory limit in GiB; 0 is automatic.
    MemoryMoved(u8),
    /// A number of threads; 0 is automatic.
    ThreadsMoved(u8),
    /// A limit of the cache in units of 128 MiB.
    CacheMoved(u8),
    /// Forget what is in the cache.
    CacheCleared,
    /// The system's dialog is to give a program.
    ProgramAsked(Role),
    /// A program, as it is typed or was chosen.
    ProgramChanged(Role, String),
    /// The arguments of a program.
    ArgumentsChanged(Role, String),
    /// How results are written.
    Output(output::Message),
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
    /// Test the device that is chosen.
    Test,
    /// Empty the cache.
    ClearCache,
    /// Let the user choose a program.
    AskProgram(Role),
    /// Close the dialog.
    Close,
}

impl State {
    /// The dialog, on a machine with so many threads.
    pub fn new(processors: usize) -> Self {
        Self {
            processors,
            ..Self::default()
        }
    }

    /// Takes over what was chosen.
    pub fn update(&mut self, message: Message, settings: &mut Settings) -> Action {
        match message {
            Message::Turned(page) => self.page = page,
            Message::ThemePicked(theme) => {
                settings.theme = theme;
                return Action::Repaint;
            }
            Message::ReopenToggled(wanted) => settings.reopen = wanted,
            Message::DevicesFound(devices) => self.devices = Some(devices),
            Message::DevicePicked(device) => {
                settings.resources.device = device;
                self.trial = Tried::No;
            }
            Message::TestPressed => {
                self.trial = Tried::Running;
                return Action::Test;
            }
            // Of another device than the one that was chosen meanwhile it
            // tells nothing.
            Message::Tested(device, result) => {
                if device == settings.resources.device {
                    self.trial = Tried::Done(result);
                }
            }
            Message::MemoryMoved(gigabytes) => {
                settings.resources.memory = (gigabytes > 0).then(|| u64::from(gigabytes) << 30);
            }
            Message::ThreadsMoved(threads) => {
                settings.resources.threads = (threads > 0).then_some(usize::from(threads));
            }
            Message::CacheMoved(units) => settings.cache_limit = u64::from(units) << 27,
            Message::CacheCleared => return Action::ClearCache,
            Message::ProgramAsked(role) => return Action::AskProgram(role),
            Message::ProgramChanged(role, path) => role.program(settings).path = path,
            Message::ArgumentsChanged(role, words) => role.program(settings).arguments = words,
            Message::Output(message) => output::update(message, settings),
            Message::ConfirmToggled(wanted) => settings.confirm_close = wanted,
            Message::Closed => return Action::Close,
        }
        Action::None
    }
}
