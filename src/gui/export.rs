//! The dialog that writes a result to a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use iced::widget::{checkbox, column, row, slider, space, text, text_input};
use iced::{Center, Element, Fill};

use super::icon::Icon;
use super::results::Item;
use super::theme::{self, size, space as gap};
use super::{inspector, widget};
use crate::handlers::OutputOptions;
use crate::photo::{Compression, Encoding};
use crate::settings::{ExportFormat, Settings};

/// What is chosen so far.
#[derive(Debug, Clone)]
pub struct State {
    /// The result.
    pub number: u64,
    folder: String,
    name: String,
    format: ExportFormat,
    output: OutputOptions,
    /// Whether there is a file of that name, as far as is known.
    exists: bool,
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another folder.
    FolderChanged(String),
    /// Another name.
    NameChanged(String),
    /// A folder and name are to be chosen in the system's own dialog.
    ChoosePressed,
    /// One was chosen there, or not.
    Chosen(Option<PathBuf>),
    /// Another format.
    FormatPicked(ExportFormat),
    /// Bits per sample.
    BitsPicked(u8),
    /// Compression of a TIFF.
    CompressionPicked(Compression),
    /// Quality of a JPEG.
    QualityMoved(u8),
    /// Whether a file that is there may be replaced.
    ReplaceToggled(bool),
    /// Whether this file is there.
    Looked(PathBuf, bool),
    /// Write it.
    ExportPressed,
    /// Rather not.
    Cancelled,
}

/// What the dialog wants of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// See whether there is a file of this name.
    Look(PathBuf),
    /// Ask with the system's own dialog, beginning here.
    Choose(PathBuf),
    /// Write the result of this number.
    Export(u64, Order),
    /// Close the dialog.
    Close,
}

/// How and where a result is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The file.
    pub path: PathBuf,
    /// How.
    pub encoding: Encoding,
    /// Whether a file that is there may be replaced.
    pub overwrite: bool,
}

impl State {
    /// For a result that is offered to `place`, beginning with what the
    /// settings say.
    pub fn new(item: &Item, place: &Path, settings: &Settings) -> Self {
        let folder = item
            .folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let name = file_name(
            &settings.name_template,
            &folder,
            &item.method,
            SystemTime::now(),
            item.number,
        );
        Self {
            number: item.number,
            folder: place.display().to_string(),
            name: format!("{name}.{}", settings.format.extension()),
            format: settings.format,
            output: settings.output.clone(),
            exists: false,
        }
    }

    /// The file as it is named now.
    pub fn path(&self) -> PathBuf {
        Path::new(&self.folder).join(&self.name)
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::FolderChanged(folder) => self.folder = folder,
            Message::NameChanged(name) => {
                self.format = format_of(&name).unwrap_or(self.format);
                self.name = name;
            }
            Message::ChoosePressed => return Action::Choose(self.path()),
            Message::Chosen(None) => return Action::None,
            Message::Chosen(Some(path)) => {
                self.folder = path.parent().unwrap_or(&path).display().to_string();
                self.name = super::work::name(&path);
                match format_of(&self.name) {
                    Some(format) => self.format = format,
                    None => self.name = format!("{}.{}", self.name, self.format.extension()),
                }
            }
            Message::FormatPicked(format) => {
                self.format = format;
                let stem = match format_of(&self.name) {
                    Some(_) => Path::new(&self.name)
                        .file_stem()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                    None => self.name.clone(),
                };
                self.name = format!("{stem}.{}", format.extension());
            }
            Message::BitsPicked(bits) => {
                self.output.bits = bits;
                return Action::None;
            }
            Message::CompressionPicked(compression) => {
                self.output.compression = compression;
                return Action::None;
            }
            Message::QualityMoved(quality) => {
                self.output.quality = quality;
                return Action::None;
            }
            Message::ReplaceToggled(replace) => {
                self.output.overwrite = replace;
                return Action::None;
            }
            Message::Looked(path, exists) => {
                if path == self.path() {
                    self.exists = exists;
                }
                return Action::None;
            }
            Message::ExportPressed => {
                if !self.is_ready() {
                    return Action::None;
                }
                let order = Order {
                    path: self.path(),
                    encoding: Encoding {
                        format: self.format.into(),
                        bits: self.output.bits,
                        compression: self.output.compression,
                        quality: self.output.quality,
                    },
                    overwrite: self.exists && self.output.overwrite,
                };
                return Action::Export(self.number, order);
            }
            Message::Cancelled => return Action::Close,
        }
        // Another name is another file.
        self.exists = false;
        self.output.overwrite = false;
        Action::Look(self.path())
    }

    fn is_ready(&self) -> bool {
        !self.folder.is_empty()
            && format_of(&self.name) == Some(self.format)
            && (!self.exists || self.output.overwrite)
    }

    /// The dialog.
    pub fn view(&self) -> Element<'_, Message> {
        let input = |value, message: fn(String) -> Message| {
            text_input("", value)
                .size(size::BODY)
                .style(theme::input)
                .on_input(message)
                .on_submit(Message::ExportPressed)
        };
        let formats = ExportFormat::ALL.map(|format| {
            let words = match format {
                ExportFormat::Tiff => "TIFF",
                ExportFormat::Png => "PNG",
                ExportFormat::Jpeg => "JPEG",
            };
            (format, words)
        });
        let mut options = column![line(
            "Format",
            widget::choices(formats, self.format, Message::FormatPicked)
        )]
        .spacing(gap::MEDIUM);
        if self.format != ExportFormat::Jpeg {
            options = options.push(line(
                "Bits per sample",
                widget::choices(
                    [(16u8, "16"), (8, "8")],
                    self.output.bits,
                    Message::BitsPicked,
                ),
            ));
        }
        if self.format == ExportFormat::Tiff {
            options = options.push(line(
                "Compression",
                inspector::compression_list(self.output.compression, Message::CompressionPicked),
            ));
        }
        if self.format == ExportFormat::Jpeg {
            let quality = slider(1..=100, self.output.quality, Message::QualityMoved);
            options = options.push(line(
                "Quality",
                row![
                    quality.style(theme::slide),
                    text(self.output.quality.to_string()).size(size::BODY)
                ]
                .spacing(gap::MEDIUM)
                .align_y(Center),
            ));
        }
        let mut content = column![
            text("Export the result").size(size::HEADING),
            line(
                "Folder",
                row![
                    input(&self.folder, Message::FolderChanged),
                    widget::labelled(Some(Icon::FolderOpen), "Choose…")
                        .on_press(Message::ChoosePressed)
                ]
                .spacing(gap::SMALL)
                .align_y(Center)
            ),
            line("Name", input(&self.name, Message::NameChanged)),
            options,
        ]
        .spacing(gap::MEDIUM)
        .width(520);
        if format_of(&self.name) != Some(self.format) {
            content = content.push(
                text("The name must end in .tif, .png or .jpg.")
                    .size(size::SMALL)
                    .style(theme::warning),
            );
        } else if self.exists {
            content = content.push(
                checkbox(self.output.overwrite)
                    .label("There is a file of this name: replace it")
                    .size(18)
                    .text_size(size::BODY)
                    .style(theme::tick)
                    .on_toggle(Message::ReplaceToggled),
            );
        }
        let note = "The colour profile and the camera's data of the reference frame are kept.";
        content
            .push(text(note).size(size::SMALL).style(theme::muted))
            .push(
                row![
                    space::horizontal(),
                    widget::labelled(None, "Cancel").on_press(Message::Cancelled),
                    widget::labelled(Some(Icon::Download), "Export")
                        .style(theme::primary)
                        .on_press_maybe(self.is_ready().then_some(Message::ExportPressed))
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

fn format_of(name: &str) -> Option<ExportFormat> {
    let extension = Path::new(name).extension()?.to_ascii_lowercase();
    match extension.to_str()? {
        "tif" | "tiff" => Some(ExportFormat::Tiff),
        "png" => Some(ExportFormat::Png),
        "jpg" | "jpeg" => Some(ExportFormat::Jpeg),
        _ => None,
    }
}

/// A name from a template: `{folder}`, `{method}`, `{date}` (the day in UTC)
/// and `{n}` stand for what they say. What no file may be called is replaced.
fn file_name(template: &str, folder: &str, method: &str, now: SystemTime, n: u64) -> String {
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let name = template
        .replace("{folder}", folder)
        .replace("{method}", &method.to_lowercase().replace(' ', "-"))
        .replace("{date}", &date(since))
        .replace("{n}", &n.to_string());
    let name: String = name
        .trim()
        .chars()
        .map(|c| {
            if c.is_control() || "/\\:*?\"<>|".contains(c) {
                '-'
            } else {
                c
            }
        })
        .collect();
    if name.is_empty() {
        "stacked".to_owned()
    } else {
        name
    }
}

/// `2026-11-22`, in the Gregorian calendar; days are counted from 1 March of
/// the year 0, so that leap days come last (Hinnant, "chrono-compatible
/// low-level date algorithms").
fn date(since_1970: Duration) -> String {
    let days = since_1970.as_secs() / 86_400 + 719_468;
    let era = days / 146_097;
    let day = days % 146_097;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let date_of = |days: u64| date(Duration::from_secs(days * 86_400 + 3600));
        assert_eq!(date_of(0), "1970-01-01");
        assert_eq!(date_of(11_016), "2000-02-29");
        assert_eq!(date_of(11_017), "2000-03-01");
        assert_eq!(date_of(20_779), "2026-11-22");
    }

    #[test]
    fn templates_are_filled_in_and_made_fit_for_a_file() {
        let name = |template| {
            let now = SystemTime::UNIX_EPOCH;
            file_name(template, "fly", "Weighted average", now, 3)
        };
        assert_eq!(name("{folder}-{method}-{n}"), "fly-weighted-average-3");
        assert_eq!(name("{date}/{folder}"), "1970-01-01-fly");
        assert_eq!(name("  "), "stacked");
    }

    #[test]
    fn a_name_and_its_format_stay_together() {
        let mut state = State {
            number: 1,
            folder: "/photos".into(),
            name: "fly.v2.tif".into(),
            format: ExportFormat::Tiff,
            output: OutputOptions::default(),
            exists: false,
        };
        let look = state.update(Message::FormatPicked(ExportFormat::Jpeg));
        assert_eq!(look, Action::Look("/photos/fly.v2.jpg".into()));
        assert_eq!(state.update(Message::NameChanged("fly.PNG".into())), {
            Action::Look("/photos/fly.PNG".into())
        });
        assert_eq!(state.format, ExportFormat::Png);
        let _ = state.update(Message::NameChanged("fly.gif".into()));
        assert!(!state.is_ready());
    }

    #[test]
    fn a_file_is_replaced_only_when_that_is_ticked() {
        let mut state = State {
            number: 1,
            folder: "/photos".into(),
            name: "fly.tif".into(),
            format: ExportFormat::Tiff,
            output: OutputOptions::default(),
            exists: false,
        };
        let _ = state.update(Message::Looked("/photos/fly.tif".into(), true));
        assert_eq!(state.update(Message::ExportPressed), Action::None);
        let _ = state.update(Message::ReplaceToggled(true));
        let Action::Export(1, order) = state.update(Message::ExportPressed) else {
            panic!("not exported");
        };
        assert!(order.overwrite);
        let _ = state.update(Message::NameChanged("other.tif".into()));
        let Action::Export(1, order) = state.update(Message::ExportPressed) else {
            panic!("not exported");
        };
        assert!(!order.overwrite);
    }
}
