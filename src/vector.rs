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

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Has the cache fetch `values`, which are looked at next, from main memory: lines that
/// are asked for one right after another come at the same time, and not each when
/// what is made of the one before is nearly done.
#[inline(always)]
pub fn touch<T: Copy>(values: &[T]) {
    let each = (LINE / size_of::<T>().max(1)).max(1);
    for value in values.iter().step_by(each).chain(values.last()) {
        std::hint::black_box(*value);
    }
}

/// Values that are added up side by side.
const LANES: usize = 8;

/// The sum of products, as far as both go; for what is [`vectorised`].
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let ((a, last_a), (b, last_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    let last: f32 = last_a.iter().zip(last_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + last
}
