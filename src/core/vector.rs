//! Loops in the widest instructions that the processor has.

use pulp::Arch;
use std::sync::OnceLock;

/// Runs `work` compiled for the vector instructions that this processor has, on
/// top of those that all of its kind have. That holds for what is inlined into
/// `work`: mark closures and functions `#[inline(always)]`. The same sums are
/// made in the same order, so results stay the same to the last bit.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    ARCH.get_or_init(Arch::new).dispatch(work)
}
