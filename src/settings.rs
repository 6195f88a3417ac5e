//! What the program remembers between two runs, as JSON in the platform's
//! configuration folder.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

use crate::core::finish::Finish;
use crate::handlers::cache::{self, LIMIT, keep_text};
use crate::handlers::{AlignOptions, FuseOptions, OutputOptions, Resources};
use crate::photo::Format;
use crate::{Error, Result};

/// The most folders that are remembered.
const RECENT: usize = 8;

/// Where the program keeps what is not the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The settings file.
    pub settings: PathBuf,
    /// The folder of what can be found out again.
    pub cache: PathBuf,
    /// The folder of the demo stack.
    pub demo: PathBuf,
    /// Where results go whose photographs are not the user's own.
    pub pictures: PathBuf,
}

impl Folders {
    /// Where this platform wants them; `None` where there is no home folder.
    pub fn of_platform() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "parfocal")?;
        let user = directories::UserDirs::new()?;
        let cache = cache::folder()?;
        let pictures = user.picture_dir().unwrap_or(user.home_dir());
        Some(Self {
            settings: folders.config_dir().join("settings.json"),
            cache: cache.join("photographs"),
            demo: cache.join("demo"),
            pictures: pictures.to_owned(),
        })
    }

    /// All of them in one folder, such as a temporary one.
    pub fn within(folder: &Path) -> Self {
        Self {
            settings: folder.join("settings.json"),
            cache: folder.join("photographs"),
            demo: folder.join("demo"),
            pictures: folder.to_owned(),
        }
    }
}

/// Everything that the program remembers. Each part has a default, so that a
/// file of another version, or one that was edited, loses nothing but the
/// values that make no sense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Light or dark.
    pub theme: ThemeChoice,
    /// The window.
    pub window: Window,
    /// How frames are aligned.
    pub align: AlignOptions,
    /// How they are fused.
    pub fuse: FuseOptions,
    /// What is done to the picture afterwards.
    pub finish: Finish,
    /// How results are written.
    pub output: OutputOptions,
    /// The format that is offered first on export.
    pub format: ExportFormat,
    /// The name that is offered on export: `{folder}`, `{method}`, `{date}`
    /// and `{n}` stand for what they say.
    pub name_template: String,
    /// What a job may use of the machine.
    pub resources: Resources,
    /// The most bytes of thumbnails and scores that are kept on the disk.
    pub cache_limit: u64,
    /// Whether to ask before results that were not exported are lost.
    pub confirm_close: bool,
    /// What photographs are looked at with, outside.
    pub viewer: Program,
    /// What photographs are changed with, outside.
    pub editor: Program,
    /// Whether what was open last is opened again on the next start.
    pub reopen: bool,
    /// What is open: folders and files.
    pub open: Vec<PathBuf>,
    /// The user's own presets.
    pub presets: Vec<Preset>,
    /// The folders that were open, the last one first.
    pub recent: Vec<Recent>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            window: Window::default(),
            align: AlignOptions::default(),
            fuse: FuseOptions::default(),
            finish: Finish::default(),
            output: OutputOptions::default(),
            format: ExportFormat::default(),
            name_template: "{folder}-{method}".to_owned(),
            resources: Resources::default(),
            cache_limit: LIMIT,
            confirm_close: true,
            viewer: Program::default(),
            editor: Program::default(),
            reopen: true,
            open: Vec::new(),
            presets: Vec::new(),
            recent: Vec::new(),
        }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system is; dark where it does not tell.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// What comes back of the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Width in logical pixels.
    pub width: f32,
    /// Height in logical pixels.
    pub height: f32,
    /// Whether the library is shown.
    pub library: bool,
    /// Its width in logical pixels.
    pub library_width: f32,
    /// Whether the inspector is shown.
    pub inspector: bool,
    /// Its width in logical pixels.
    pub inspector_width: f32,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            width: 1280.0,
            height: 800.0,
            library: true,
            library_width: 300.0,
            inspector: true,
            inspector_width: 300.0,
        }
    }
}

/// Another program, and how to call it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Program {
    /// Its file, or its name where the system finds it by that; empty for the
    /// system's own choice.
    pub path: String,
    /// What comes after it, as words of a command line; `{file}` stands for
    /// the photograph, which otherwise comes last.
    pub arguments: String,
}

/// A format that results are exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// 8 or 16 bits, lossless.
    #[default]
    Tiff,
    /// 8 or 16 bits, lossless.
    Png,
    /// 8 bits, small.
    Jpeg,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Tiff, Self::Png, Self::Jpeg];

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tiff => "tif",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Tiff => Self::Tiff,
            ExportFormat::Png => Self::Png,
            ExportFormat::Jpeg => Self::Jpeg,
        }
    }
}

impl std::fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tiff => "TIFF",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
        })
    }
}

/// Options for a kind of stack.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preset {
    /// What the user calls it.
    pub name: String,
    /// How frames are aligned.
    pub align: AlignOptions,
    /// How they are fused.
    pub fuse: FuseOptions,
}

/// A folder that was open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// The folder.
    pub folder: PathBuf,
    /// How many photographs it had.
    pub count: usize,
    /// The photograph that stands for it.
    pub cover: PathBuf,
}

impl Settings {
    /// Reads the settings. Where there is no file they are the defaults. A
    /// file that is no JSON is kept aside, and what to tell the user of that
    /// comes second.
    pub fn load(path: &Path) -> (Self, Option<Error>) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                return (Self::default(), None);
            }
            Err(fault) => return (Self::default(), Some(put_aside(path, &fault))),
        };
        match serde_json::from_str(&text) {
            Ok(file @ Value::Object(_)) => (Self::of(&file), None),
            Ok(_) => (Self::default(), Some(put_aside(path, &"it is no object"))),
            Err(fault) => (Self::default(), Some(put_aside(path, &fault))),
        }
    }

    /// Writes the settings, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|fault| {
            Error::file(
                path,
                format!("the settings cannot be put into words ({fault})"),
                "report this",
            )
        })?;
        keep_text(path, &(text + "\n"))
    }

    /// Puts a folder first among those that were open. One whose name is no
    /// text cannot stand in the file and is passed over.
    pub fn remember(&mut self, recent: Recent) {
        if recent.folder.to_str().is_none() || recent.cover.to_str().is_none() {
            return;
        }
        self.recent.retain(|old| old.folder != recent.folder);
        self.recent.insert(0, recent);
        self.recent.truncate(RECENT);
    }

    /// Notes what is open now, to be opened again.
    pub fn note_open(&mut self, inputs: &[PathBuf]) {
        let absolute = |input: &PathBuf| std::path::absolute(input).unwrap_or(input.clone());
        let is_text = |input: &PathBuf| input.to_str().is_some();
        self.open = inputs.iter().map(absolute).filter(is_text).collect();
    }

    /// What of `file` makes sense, over the defaults.
    fn of(file: &Value) -> Self {
        let mut sound = serde_json::to_value(Self::default()).unwrap_or_default();
        overlay(&mut sound, &mut Vec::new(), file);
        serde_json::from_value(sound).unwrap_or_default()
    }
}

/// Takes over the values of `file` one by one, the largest parts first, and
/// only those with which the settings can still be read.
fn overlay(sound: &mut Value, at: &mut Vec<String>, file: &Value) {
    let tried = replaced(sound, at, file);
    if serde_json::from_value::<Settings>(tried.clone()).is_ok() {
        *sound = tried;
        return;
    }
    if let Value::Object(parts) = file {
        for (name, part) in parts {
            at.push(name.clone());
            overlay(sound, at, part);
            at.pop();
        }
    }
}

/// `whole` with the part at `at` replaced; parts of an object that the file
/// does not name stay.
fn replaced(whole: &Value, at: &[String], part: &Value) -> Value {
    let mut copy = whole.clone();
    let mut place = &mut copy;
    for name in at {
        if !place.is_object() {
            return copy;
        }
        place = &mut place[name.as_str()];
    }
    merge(place, part);
    copy
}

fn merge(into: &mut Value, part: &Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (name, value) in part {
                match into.get_mut(name) {
                    Some(old) => merge(old, value),
                    None => {
                        into.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (into, part) => *into = part.clone(),
    }
}

/// Renames a file that cannot be read and says so.
fn put_aside(path: &Path, fault: &dyn std::fmt::Display) -> Error {
    let aside = path.with_extension("broken.json");
    let problem = format!("the settings cannot be read ({fault})");
    match fs::rename(path, &aside) {
        Ok(()) => Error::file(
            path,
            format!("{problem} and are the usual ones again"),
            format!("mend what is kept in {}, or set them anew", aside.display()),
        ),
        Err(_) => Error::file(
            path,
            problem,
            "mend or remove the file; until then nothing is remembered",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fuse::Method;
    use crate::handlers::Reference;

    fn loaded(text: &str) -> (Settings, Option<Error>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = Folders::within(folder.path()).settings;
        fs::write(&path, text).unwrap();
        let (settings, fault) = Settings::load(&path);
        (settings, fault, folder)
    }

    #[test]
    fn what_is_saved_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/settings.json");
        let mut settings = Settings {
            theme: ThemeChoice::Light,
            ..Settings::default()
        };
        settings.align.reference = Reference::Frame(3);
        settings.resources.memory = Some(1 << 30);
        settings.remember(Recent {
            folder: "/photos/fly".into(),
            count: 40,
            cover: "/photos/fly/20.jpg".into(),
        });
        settings.save(&path).unwrap();
        assert_eq!(Settings::load(&path), (settings, None));
    }

    #[test]
    fn without_a_file_there_are_the_defaults() {
        let nowhere = Path::new("/nowhere/settings.json");
        assert_eq!(Settings::load(nowhere), (Settings::default(), None));
    }

    #[test]
    fn unknown_missing_and_senseless_fields_cost_only_themselves() {
        let (settings, fault, _folder) = loaded(
            r#"{"theme": "light", "hologram": 7, "name_template": 12,
                "fuse": {"method": "magic", "crop": false},
                "align": {"match_exposure": false}}"#,
        );
        assert_eq!(fault, None);
        assert_eq!(settings.theme, ThemeChoice::Light);
        assert_eq!(settings.name_template, Settings::default().name_template);
        assert_eq!(settings.fuse.method, Method::default());
        assert!(!settings.fuse.crop);
        assert!(!settings.align.match_exposure);
        assert_eq!(settings.align.max_shift, AlignOptions::default().max_shift);
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_reported() {
        let (settings, fault, folder) = loaded("{\"theme\": \"li");
        assert_eq!(settings, Settings::default());
        let fault = fault.unwrap().to_string();
        assert!(fault.contains("settings.broken.json"), "{fault}");
        let aside = fs::read_to_string(folder.path().join("settings.broken.json"));
        assert_eq!(aside.unwrap(), "{\"theme\": \"li");
        assert!(!Folders::within(folder.path()).settings.exists());
    }

    #[test]
    #[cfg(unix)]
    fn a_name_that_is_no_text_keeps_nothing_else_from_being_saved() {
        use std::os::unix::ffi::OsStrExt;
        let odd = PathBuf::from(std::ffi::OsStr::from_bytes(b"/photos/\xff"));
        let mut settings = Settings::default();
        settings.remember(Recent {
            folder: odd.clone(),
            ..Recent::default()
        });
        settings.note_open(&[odd, "/photos/fly".into()]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        settings.save(&path).unwrap();
        assert_eq!(Settings::load(&path).0.open, [PathBuf::from("/photos/fly")]);
    }

    #[test]
    fn a_folder_is_remembered_once_and_first() {
        let mut settings = Settings::default();
        let recent = |name: &str| Recent {
            folder: name.into(),
            ..Recent::default()
        };
        for i in 0..20 {
            settings.remember(recent(&format!("/{i}")));
        }
        settings.remember(recent("/15"));
        assert_eq!(settings.recent.len(), RECENT);
        assert_eq!(settings.recent[0].folder, Path::new("/15"));
        let same = settings
            .recent
            .iter()
            .filter(|r| r.folder == Path::new("/15"));
        assert_eq!(same.count(), 1);
    }
}
