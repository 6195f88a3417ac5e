//! The same work from a shell.
//!
//! Exit codes: 0 done, 1 the job failed, 2 wrong use, 130 interrupted. Results
//! go to standard output; progress, warnings and errors to standard error.

mod align;
mod args;
mod demo;
mod devices;
mod progress;
mod session;
mod sharpness;
mod stack;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::{Error, Result, gui, text};

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 the job failed, 2 wrong use, 130 interrupted.
Set PARFOCAL_LOG to error, warn, info, debug or trace for a log on standard error.";

/// Turns photographs focused at different distances into one that is sharp
/// everywhere.
#[derive(Debug, Parser)]
#[command(name = "parfocal", version, args_conflicts_with_subcommands = true)]
#[command(after_help = AFTER_HELP)]
struct Cli {
    /// The folder of photographs to open in the window
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stacks photographs into one picture
    Stack(stack::Stack),
    /// Writes the aligned frames of a stack, unfused, and a report
    Align(align::Align),
    /// Shows how sharp each photograph is
    Sharpness(sharpness::Sharpness),
    /// Renders a stack whose truth is known, stacks it and says how close it came
    Demo(demo::Demo),
    /// Lists the devices that pixels can be worked on
    Devices(devices::Devices),
}

/// Runs the program with the process's arguments and gives its exit code.
pub fn main() -> ExitCode {
    // Clap prints help and its own complaints, and exits with 0 or 2.
    let cli = Cli::parse();
    start_log();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            text::to_stderr(&format!("parfocal: {error}"));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Some(Command::Stack(command)) => command.run(),
        Some(Command::Align(command)) => command.run(),
        Some(Command::Sharpness(command)) => command.run(),
        Some(Command::Demo(command)) => command.run(),
        Some(Command::Devices(command)) => command.run(),
        None => match cli.folder {
            Some(folder) if !folder.is_dir() => Err(Error::Usage(format!(
                "{} is neither a command nor a folder; parfocal --help lists the commands",
                folder.display()
            ))),
            folder => gui::run(folder.into_iter().collect()),
        },
    }
}

fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Usage(_) => 2,
        Error::Cancelled => 130,
        Error::File { .. } | Error::Job { .. } => 1,
    }
}

/// Logs to standard error at the level that `PARFOCAL_LOG` names, or not at all.
fn start_log() {
    let Some(wanted) = std::env::var_os("PARFOCAL_LOG").filter(|value| !value.is_empty()) else {
        return;
    };
    match wanted.to_string_lossy().parse::<tracing::Level>() {
        Ok(level) => tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .init(),
        Err(_) => text::to_stderr(&format!(
            "warning: PARFOCAL_LOG is {}, which is none of error, warn, info, debug and trace; \
             nothing is logged",
            wanted.display()
        )),
    }
}

/// Prints a result. A reader that has gone away (`| head`) is no fault.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::job(
            format!("the result could not be printed: {error}"),
            "check where standard output goes",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_kind_of_error_has_its_exit_code() {
        assert_eq!(exit_code(&Error::Usage("no".into())), 2);
        assert_eq!(exit_code(&Error::Cancelled), 130);
        assert_eq!(exit_code(&Error::job("full", "empty it")), 1);
        assert_eq!(exit_code(&Error::file("a.tif", "is bad", "mend it")), 1);
    }

    #[test]
    fn a_folder_without_a_command_is_for_the_window() {
        let cli = Cli::try_parse_from(["parfocal", "src"]).unwrap();
        assert_eq!(cli.folder.as_deref(), Some("src".as_ref()));
        assert!(cli.command.is_none());
    }

    #[test]
    fn what_is_neither_a_command_nor_a_folder_is_wrong_use() {
        let cli = Cli::try_parse_from(["parfocal", "stak"]).unwrap();
        let Err(Error::Usage(message)) = run(cli) else {
            panic!("it was taken");
        };
        assert!(message.contains("neither a command nor"), "{message}");
    }

    #[test]
    fn every_option_of_every_command_is_explained() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments() {
                assert!(
                    arg.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    arg.get_id()
                );
            }
        }
    }
}
