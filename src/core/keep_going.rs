//! Work that can be stopped on its way.

use crate::{Error, Result};

/// Asked many times a second whether to go on.
pub type KeepGoing<'a> = &'a (dyn Fn() -> bool + Sync);

/// For work that nothing stops.
pub const ALWAYS: KeepGoing = &|| true;

/// Asks once.
///
/// # Errors
///
/// [`Error::Cancelled`] once `keep_going` says no.
pub fn check(keep_going: KeepGoing) -> Result<()> {
    if keep_going() {
        Ok(())
    } else {
        Err(Error::Cancelled)
    }
}
