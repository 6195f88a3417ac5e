//! What others may know of the window.

use iced::Theme;

use super::App;
use crate::gui::stage::Mode;
use crate::gui::{library, store, theme, viewer, work};
use crate::handlers::{Device, Phase};
use crate::settings::Settings;

impl App {
    /// The title of the window.
    pub fn title(&self) -> String {
        match self.inputs.first() {
            Some(input) => format!("{} – Parfocal", work::name(input)),
            None => "Parfocal".to_owned(),
        }
    }

    /// Whether there is nothing to look at: no frames, and no result that was
    /// asked for.
    pub(super) fn is_empty(&self) -> bool {
        let has_result = self.mode() != Mode::Frame && self.results.selected().is_some();
        self.library.is_empty() && !has_result
    }

    /// The theme that the user or the system wants.
    pub fn theme(&self) -> Theme {
        theme::theme(self.settings.theme, self.system)
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The names of the photographs, and whether each takes part.
    pub fn frames(&self) -> impl Iterator<Item = (&str, bool)> {
        self.library
            .frames()
            .iter()
            .map(|frame| (frame.name.as_str(), frame.is_included))
    }

    /// How many photographs have a score of sharpness.
    pub fn scored(&self) -> usize {
        let frames = self.library.frames();
        frames.iter().filter(|frame| frame.score.is_some()).count()
    }

    /// The names of the photographs before each gap in the focus range.
    pub fn jumps(&self) -> Vec<&str> {
        let name = |jump: &library::Jump| self.library.frame(jump.before);
        let frames = self.library.jumps().iter().filter_map(name);
        frames.map(|frame| frame.name.as_str()).collect()
    }

    /// How many photographs have had a thumbnail.
    pub fn thumbnails(&self) -> usize {
        let frames = self.library.frames();
        frames.iter().filter(|frame| frame.facts.is_some()).count()
    }

    /// How many results there are.
    pub fn results(&self) -> usize {
        self.results.items().len()
    }

    /// The phases that made the selected result, in lower case.
    pub fn phases(&self) -> Vec<&str> {
        let timings = self.results.selected().map(|item| &item.report.timings);
        let phases = timings.into_iter().flatten();
        phases.map(|timing| timing.phase.as_str()).collect()
    }

    /// Lets no more than these bytes of results stay in memory, besides the
    /// newest one.
    pub fn bound_results(&mut self, bytes: u64) {
        self.results_limit = bytes;
    }

    /// How many results are in memory and how many in files.
    pub fn stored(&self) -> (usize, usize) {
        let items = self.results.items().iter();
        let (memory, disk): (Vec<_>, Vec<_>) =
            items.partition(|item| matches!(item.stored, store::Stored::Memory(_)));
        (memory.len(), disk.len())
    }

    /// Whether frames run by themselves.
    pub fn is_playing(&self) -> bool {
        self.scrubber.is_playing
    }

    /// Whether a job runs.
    pub fn is_running(&self) -> bool {
        self.activity.is_running()
    }

    /// The phase of the running job, and how many of its steps are done.
    pub fn progress(&self) -> Option<(Phase, usize)> {
        self.activity.progress()
    }

    /// The notices in sight.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.notices.words()
    }

    /// The name of the picture in the viewer.
    pub fn shown(&self) -> Option<&str> {
        self.viewer.picture().map(viewer::Picture::name)
    }

    /// The picture in the viewer, or the first of two.
    pub fn picture(&self) -> Option<&viewer::Picture> {
        self.viewer.picture()
    }

    /// Where pixels are worked on, in words: what really did the work, once
    /// some was done as it is wished for now.
    pub(super) fn device(&self) -> &str {
        let wish = self.settings.resources.device;
        match (&self.device, wish) {
            (Some((wished, name)), _) if *wished == wish && name != "cpu" => name,
            (Some((wished, _)), _) if *wished == wish => "processor",
            (_, Device::Cpu) => "processor",
            (_, Device::Auto) => "automatic",
            (_, Device::OpenCl(_)) => "OpenCL",
        }
    }
}
