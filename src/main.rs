//! The way in.

use std::process::ExitCode;

/// Pictures come and go by the hundred megabytes: fresh pages for each cost more
/// than some of the work on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    parfocal::cli::main()
}
