//! Something harmless where a frame shows nothing, as
//! [`fuse::fill`](crate::core::fuse::fill) does it on the processor.

use opencv::Result;

use super::session::Arg::{In, Out, Size};
use super::session::{Buffer, Session};

/// Replaces what the mask of a frame hides by a smooth continuation of what lies
/// around it. `below` is scratch for the frame's lower levels, down to one of two
/// pixels each way at most.
pub fn fill(session: &Session, frame: &Buffer, below: &[Buffer]) -> Result<()> {
    let is_last = |level: &&Buffer| level.width.max(level.height) <= 2;
    let all = || std::iter::once(frame).chain(below);
    let count = all().take_while(|level| !is_last(level)).count();
    let pairs: Vec<_> = all().zip(below).take(count).collect();
    for &(fine, coarse) in &pairs {
        let args = [In(fine), Size(fine), Out(coarse), Size(coarse)];
        session.run("pull", coarse.size(), &args)?;
    }
    let last = pairs.last().map_or(frame, |(_, last)| last);
    session.run("push_last", [1, 1], &[Out(last), Size(last)])?;
    for &(fine, coarse) in pairs.iter().rev() {
        let args = [Out(fine), Size(fine), In(coarse), Size(coarse)];
        session.run("push", fine.size(), &args)?;
    }
    Ok(())
}
