//! Levels of detail of three channels (Burt and Adelson, 1983).

use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::{Plane, levels};

/// Pixels on the shorter side of the coarsest level, about.
const COARSEST: usize = 16;

/// How many levels of detail there are: `wish`, or as many as leave about 16
/// pixels on the shorter side, but no more than the size allows.
pub fn count(width: usize, height: usize, wish: Option<usize>) -> usize {
    let possible = levels(width, height, 2) - 1;
    let usual = levels(width, height, COARSEST) - 1;
    wish.unwrap_or(usual).min(possible)
}

/// Leaves the detail of the finest level in `channels` and returns what is
/// below it, at half the size.
pub fn split(channels: &mut [Plane; 3]) -> [Plane; 3] {
    let coarse: [Plane; 3] = std::array::from_fn(|c| channels[c].reduced());
    for (fine, coarse) in channels.iter_mut().zip(&coarse) {
        fine.add_expanded(coarse, -1.0);
    }
    coarse
}

/// Puts levels together again: `rest` is what is below the last of `details`,
/// which come coarsest first.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn collapse(
    rest: [Plane; 3],
    mut details: impl Iterator<Item = [Plane; 3]>,
    keep_going: KeepGoing,
) -> Result<[Plane; 3]> {
    details.try_fold(rest, |coarse, mut fine| {
        check(keep_going)?;
        for (fine, coarse) in fine.iter_mut().zip(&coarse) {
            fine.add_expanded(coarse, 1.0);
        }
        Ok(fine)
    })
}
