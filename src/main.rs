//! The way in.

use std::process::ExitCode;

fn main() -> ExitCode {
    parfocal::cli::main()
}
