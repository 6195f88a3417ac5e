//! Other programs: the system's own, and those that the user chose.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::settings::Program;
use crate::{Error, Result};

/// Stands for the file among a program's arguments.
const FILE: &str = "{file}";

/// Opens a file, folder or address with the system's program for it.
///
/// # Errors
///
/// If there is none, or it fails.
pub fn open(path: &Path) -> Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(target_os = "windows") {
        "explorer"
    } else {
        "xdg-open"
    };
    let failed = |why: String| {
        Error::file(
            path,
            format!("cannot be opened with {program} ({why})"),
            "choose a program in the settings, or open it from your file manager",
        )
    };
    let status = quiet(Command::new(program).arg(path))
        .status()
        .map_err(|fault| failed(fault.to_string()))?;
    // Windows' explorer always says 1.
    if status.success() || cfg!(target_os = "windows") {
        Ok(())
    } else {
        Err(failed(status.to_string()))
    }
}

/// Opens a file with a program, or with the system's if none was chosen, and
/// waits for its end. No shell has a part in this: names are never read as
/// commands.
///
/// # Errors
///
/// If the program cannot be started. How it ends is its own affair.
pub fn open_with(program: &Program, file: &Path) -> Result<()> {
    if program.path.is_empty() {
        return open(file);
    }
    let failed = |why: &dyn std::fmt::Display| {
        Error::file(
            file,
            format!("cannot be opened with {} ({why})", program.path),
            "choose another program in the settings",
        )
    };
    let arguments = arguments(&program.arguments, file).map_err(|fault| failed(&fault))?;
    let mut child = quiet(Command::new(&program.path).args(arguments))
        .spawn()
        .map_err(|fault| failed(&fault))?;
    // Only that nothing is left of it.
    let _ = child.wait();
    Ok(())
}

/// The arguments of a program: words as a shell would part them, the file in
/// place of `{file}`, or at the end.
fn arguments(words: &str, file: &Path) -> Result<Vec<OsString>, shell_words::ParseError> {
    let words = shell_words::split(words)?;
    let names_file = words.iter().any(|word| word.contains(FILE));
    let with_file = |word: String| -> OsString {
        match word.split_once(FILE) {
            Some((before, after)) => {
                let mut whole = OsString::from(before);
                whole.push(file);
                whole.push(after);
                whole
            }
            None => word.into(),
        }
    };
    let file = (!names_file).then(|| file.as_os_str().to_owned());
    Ok(words.into_iter().map(with_file).chain(file).collect())
}

fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_parted_and_the_file_is_one_of_them() {
        let file = Path::new("/a b/$(rm x);'c\".tif");
        let of = |words| arguments(words, file).unwrap();
        assert_eq!(of(""), [file.as_os_str()]);
        assert_eq!(
            of("-n 'two words'"),
            ["-n".as_ref(), "two words".as_ref(), file.as_os_str()]
        );
        let named = format!("--open={}!", file.display());
        assert_eq!(of("--open={file}! -v"), [named.as_str(), "-v"]);
        assert!(arguments("'open", file).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn the_program_gets_the_file_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("$(touch never); a'b.tif");
        std::fs::write(&file, b"x").unwrap();
        let copy = folder.path().join("copy");
        let program = Program {
            path: "cp".into(),
            arguments: format!("{{file}} '{}'", copy.display()),
        };
        open_with(&program, &file).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), b"x");
        assert!(!Path::new("never").exists());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let program = Program {
            path: "/nowhere/editor".into(),
            arguments: String::new(),
        };
        let fault = open_with(&program, Path::new("a.tif"))
            .unwrap_err()
            .to_string();
        assert!(
            fault.contains("a.tif") && fault.contains("/nowhere/editor"),
            "{fault}"
        );
        assert!(fault.contains("settings"), "{fault}");
    }
}
