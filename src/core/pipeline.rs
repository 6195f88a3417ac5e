//! Frames through a job: made ready side by side, taken in order, never more
//! in flight than memory allows.

use rayon::prelude::*;

use crate::Result;

/// Calls `make` for each of `items`, `lanes` of them at a time and in parallel,
/// and hands the results to `take` in order. While one batch is taken the next
/// is made, so that twice `lanes` results live at most.
///
/// # Errors
///
/// Stops at the first error that `take` returns.
pub fn ordered<I, T>(
    items: &[I],
    lanes: usize,
    make: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(&I, T) -> Result<()> + Send,
) -> Result<()>
where
    I: Sync,
    T: Send,
{
    let mut ready: Vec<(&I, T)> = Vec::new();
    let mut batches = items.chunks(lanes.max(1));
    loop {
        let next = batches.next();
        let batch = std::mem::take(&mut ready);
        let (taken, made) = rayon::join(
            || {
                batch
                    .into_iter()
                    .try_for_each(|(item, made)| take(item, made))
            },
            || -> Vec<(&I, T)> {
                next.unwrap_or_default()
                    .par_iter()
                    .map(|item| (item, make(item)))
                    .collect()
            },
        );
        taken?;
        ready = made;
        if next.is_none() {
            return Ok(());
        }
    }
}

/// How many frames may be made ready at a time: one per thread, fewer where
/// twice as many of `frame` bytes each would not fit into `memory`.
pub fn lanes(memory: u64, frame: u64) -> usize {
    let fitting = memory / (2 * frame.max(1));
    usize::try_from(fitting)
        .unwrap_or(usize::MAX)
        .clamp(1, rayon::current_num_threads())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_and_few_live_at_once() {
        let alive = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let items: Vec<usize> = (0..50).collect();
        let mut seen = Vec::new();
        ordered(
            &items,
            3,
            |&item| {
                most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                item * 2
            },
            |_, made| {
                alive.fetch_sub(1, Ordering::SeqCst);
                seen.push(made);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen, (0..50).map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 6);
    }

    #[test]
    fn an_error_stops_the_rest() {
        let items: Vec<usize> = (0..100).collect();
        let made = AtomicUsize::new(0);
        let result = ordered(
            &items,
            2,
            |_| made.fetch_add(1, Ordering::SeqCst),
            |&item, _| {
                if item == 4 {
                    Err(Error::Cancelled)
                } else {
                    Ok(())
                }
            },
        );
        assert_eq!(result, Err(Error::Cancelled));
        assert!(made.load(Ordering::SeqCst) <= 8);
    }

    #[test]
    fn lanes_follow_memory() {
        assert_eq!(lanes(0, 100), 1);
        assert_eq!(lanes(u64::MAX, 1), rayon::current_num_threads());
    }
}
