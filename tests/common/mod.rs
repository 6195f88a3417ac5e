//! What the integration tests share: rendered stacks on disk, and the program.

// Every test binary has its own copy of this module and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

use parfocal::Result;
use parfocal::demo::{DemoStack, Scene, SceneOptions};
use parfocal::handlers::alignment::{self, Aligned};
use parfocal::handlers::{Job, StackOptions, file};
use parfocal::photo::{self, Encoding, Format, Photo};

/// A rendered stack on disk, gone when dropped.
pub struct StackFolder {
    /// Holds the folder of frames, and is where results go by default.
    temp: TempDir,
    /// The folder of the frames: `stack/frame_00.tif` and so on.
    pub path: PathBuf,
}

impl StackFolder {
    /// An empty folder for frames.
    pub fn empty() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().canonicalize().unwrap().join("stack");
        fs::create_dir(&path).unwrap();
        Self { temp, path }
    }

    /// A path beside the folder of frames.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// A path in the folder of frames.
    pub fn frame(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names in the folder of frames.
    pub fn frames(&self) -> Vec<String> {
        names(&self.path)
    }

    /// The names beside the folder of frames.
    pub fn results(&self) -> Vec<String> {
        let mut names = names(self.temp.path());
        names.retain(|name| name != "stack");
        names
    }
}

/// The names in a folder, hidden ones too, in alphabetical order.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A small scene that is stacked in a moment.
pub fn small(frames: usize) -> SceneOptions {
    SceneOptions {
        width: 300,
        height: 200,
        frames,
        seed: 7,
        ..SceneOptions::new(Scene::Plane)
    }
}

/// Renders a stack into a folder, as 16-bit TIFFs.
pub fn stack_folder(options: &SceneOptions) -> StackFolder {
    let stack = DemoStack::new(options);
    folder_of((0..options.frames).map(|index| stack.frame(index, 16)), 16)
}

/// Writes photographs into a folder, as TIFFs with `bits` per sample.
pub fn folder_of(frames: impl IntoIterator<Item = Photo>, bits: u8) -> StackFolder {
    let folder = StackFolder::empty();
    for (index, frame) in frames.into_iter().enumerate() {
        write(
            &folder.frame(&format!("frame_{index:02}.tif")),
            &frame,
            bits,
        );
    }
    folder
}

/// Finds the poses of the frames in a folder.
pub fn analyse(folder: &StackFolder, options: &StackOptions) -> Result<Aligned> {
    let inputs = std::slice::from_ref(&folder.path);
    let job = Job::silent();
    let stack = file::gather(inputs, &options.resources.limits, &job)?;
    alignment::analyse(stack, options, &job)
}

/// Writes a photograph in the format that its name says, with `bits` per
/// sample where that format can.
pub fn write(path: &Path, photo: &Photo, bits: u8) {
    let encoding = Encoding {
        format: Format::from_path(path).unwrap(),
        bits,
        ..Encoding::default()
    };
    photo::write(path, photo, &encoding, true, &|| true).unwrap();
}

/// What the program said and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code, or `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Panics unless the program succeeded.
    #[track_caller]
    pub fn done(self) -> Self {
        self.ended(0)
    }

    /// Panics unless the program ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Panics unless standard error contains all of `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        }
        self
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program, to be given arguments.
pub fn parfocal() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parfocal"));
    command
        .env_remove("PARFOCAL_LOG")
        .env_remove("RUST_BACKTRACE");
    command
}

/// Runs the program to its end.
pub fn run(command: &mut Command) -> Outcome {
    command.output().unwrap().into()
}

/// `parfocal stack FOLDER` for tests whose subject is not alignment.
pub fn stack_unaligned(folder: &StackFolder) -> Command {
    let mut command = parfocal();
    command
        .arg("stack")
        .arg(&folder.path)
        .args(["--align", "none"]);
    command
}

/// Takes the rights of root from `command`, where the tests run with them, and
/// opens `folder` to whoever it runs as. False where that does not work, because
/// the program lies where nobody else may run it.
#[cfg(unix)]
pub fn without_privileges(command: &mut Command, folder: &StackFolder) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    if fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        return true;
    }
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.temp.path(), open).unwrap();
    command.uid(NOBODY).gid(NOBODY);
    let tried = parfocal().arg("--version").uid(NOBODY).gid(NOBODY).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Reads a JSON file.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
