//! Frames through a job: made ready side by side, taken in order, never more
//! in flight than memory allows.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rayon::{Scope, Yield};

use crate::Result;

/// How long a thread rests that waits for a result and finds nothing to help
/// with; it is woken when the result is there.
const REST: Duration = Duration::from_millis(1);

/// Calls `make` for each of `items`, up to `lanes` of them side by side, and
/// hands the results to `take` in order, on the calling thread. The next one is
/// begun as soon as there is room for it: at most twice `lanes` results live at a
/// time, those that are being made or taken included.
///
/// Both may use rayon. Its threads are never more than the pool has; a result is
/// made by a thread that has nothing else to do, or by the calling thread itself,
/// beside the others, where the next one to be taken is not there yet. While it takes one it never
/// makes another: what it finds to do while it waits for parts of its own work
/// are such parts. Makers are asked for between two takes, when no such parts are
/// left, and no more than there are other threads; so they are not held up
/// either, and on one thread all happens in turn.
///
/// # Errors
///
/// Stops at the first error that `take` returns. A panic of either goes on here,
/// once those that are being made are done.
pub fn ordered<I, T>(
    items: &[I],
    lanes: usize,
    make: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(&I, T) -> Result<()>,
) -> Result<()>
where
    I: Sync,
    T: Send,
{
    let stream = Stream {
        items,
        lanes: lanes.max(1),
        make,
        taker: rayon::current_thread_index(),
        flow: Mutex::default(),
        made: Condvar::new(),
    };
    let is_own = usize::from(stream.taker.is_some());
    let others = rayon::current_num_threads() - is_own;
    rayon::in_place_scope(|scope| {
        let _end = End(&stream);
        stream.ask(scope, others);
        for (number, item) in items.iter().enumerate() {
            let result = stream.wait_for(number);
            // All the while this one is taken others are made.
            stream.ask(scope, others);
            take(item, result.unwrap_or_else(|panic| resume_unwind(panic)))?;
            stream.lock().alive -= 1;
        }
        Ok(())
    })
}

/// Items on their way, and what makes results of them.
struct Stream<'a, I, T, M> {
    items: &'a [I],
    lanes: usize,
    make: M,
    /// The pool's thread that takes the results, if it is one of the pool.
    taker: Option<usize>,
    flow: Mutex<Flow<T>>,
    /// Told when a result was made.
    made: Condvar,
}

/// Who makes a result.
#[derive(Debug, Clone, Copy)]
enum Maker {
    /// Who takes them, and has nothing to take: all others may go on.
    Taker,
    Other,
}

impl Maker {
    /// Lanes that are taken meanwhile.
    fn lanes(self) -> usize {
        match self {
            Self::Taker => 0,
            Self::Other => 1,
        }
    }
}

/// How far the items of a stream are.
struct Flow<T> {
    /// The first that nobody has begun.
    next: usize,
    /// Results that others than the taker make now.
    making: usize,
    /// All that are being made, and those that are made and not yet taken.
    alive: usize,
    /// Makers that were asked for and are not done.
    makers: usize,
    /// What was made, or the panic that came of it, by the item's number.
    ready: BTreeMap<usize, std::thread::Result<T>>,
    is_stopped: bool,
}

impl<T> Default for Flow<T> {
    fn default() -> Self {
        Self {
            next: 0,
            making: 0,
            alive: 0,
            makers: 0,
            ready: BTreeMap::new(),
            is_stopped: false,
        }
    }
}

impl<I, T, M> Stream<'_, I, T, M>
where
    I: Sync,
    T: Send,
    M: Fn(&I) -> T + Sync,
{
    /// Asks for as many makers as there is room for, at most one for each of
    /// `others`, the threads beside this one.
    fn ask<'s>(&'s self, scope: &Scope<'s>, others: usize) {
        let mut flow = self.lock();
        let room = (self.lanes - flow.making).min(2 * self.lanes - flow.alive);
        let more = room.min(self.items.len() - flow.next);
        for _ in flow.makers..others.min(flow.making + more) {
            flow.makers += 1;
            scope.spawn(|_| self.make_some());
        }
    }

    /// Makes results while there is room for them.
    fn make_some(&self) {
        // One who takes has other things to do.
        let is_taker = rayon::current_thread_index() == self.taker;
        while !is_taker && self.make_next(Maker::Other) {}
        self.lock().makers -= 1;
    }

    /// Makes the next result; tells whether there was one to be made.
    fn make_next(&self, maker: Maker) -> bool {
        let Some(number) = self.begin(maker) else {
            return false;
        };
        let made = catch_unwind(AssertUnwindSafe(|| (self.make)(&self.items[number])));
        let mut flow = self.lock();
        flow.making -= maker.lanes();
        flow.ready.insert(number, made);
        self.made.notify_all();
        true
    }

    /// Takes the next item, if there is one and room for its result.
    fn begin(&self, maker: Maker) -> Option<usize> {
        let mut flow = self.lock();
        let has_lane = flow.making + maker.lanes() <= self.lanes;
        let has_room = has_lane && flow.alive < 2 * self.lanes;
        if flow.is_stopped || !has_room || flow.next == self.items.len() {
            return None;
        }
        flow.making += maker.lanes();
        flow.alive += 1;
        flow.next += 1;
        Some(flow.next - 1)
    }

    /// The result of an item, or the panic that came of it. Does what there is to
    /// be done until it is there.
    fn wait_for(&self, number: usize) -> std::thread::Result<T> {
        loop {
            if let Some(result) = self.lock().ready.remove(&number) {
                return result;
            }
            if self.make_next(Maker::Taker) || rayon::yield_now() == Some(Yield::Executed) {
                continue;
            }
            // Someone makes it, and may yet need help with parts of it.
            let flow = self.lock();
            if !flow.ready.contains_key(&number) {
                let rested = self.made.wait_timeout(flow, REST);
                drop(rested.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}

impl<I, T, M> Stream<'_, I, T, M> {
    fn lock(&self) -> MutexGuard<'_, Flow<T>> {
        // Nothing that panics is done under the lock.
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a stream when it is dropped: nothing more is begun.
struct End<'a, 's, I, T, M>(&'a Stream<'s, I, T, M>);

impl<I, T, M> Drop for End<'_, '_, I, T, M> {
    fn drop(&mut self) {
        self.0.lock().is_stopped = true;
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
    use rayon::prelude::*;
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Instant;

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

    /// Runs `work` on a pool of so many threads.
    fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(work)
    }

    /// Waits, but not for ever, until `is_so`.
    fn wait_until(is_so: impl Fn() -> bool) -> bool {
        let begun = Instant::now();
        while !is_so() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_micros(100));
        }
        is_so()
    }

    #[test]
    fn any_number_of_threads_and_lanes_gives_the_same_in_bounds() {
        let items: Vec<usize> = (0..40).collect();
        for (threads, lanes) in [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1), (4, 3), (4, 8)] {
            let (alive, making) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let seen = on(threads, || {
                let mut seen = Vec::new();
                let make = |&item: &usize| {
                    assert!(alive.fetch_add(1, Ordering::SeqCst) < 2 * lanes);
                    // One more than the lanes is made by who has nothing to take.
                    assert!(making.fetch_add(1, Ordering::SeqCst) <= lanes);
                    // Work of its own, of another length each time.
                    let parts = (0..item * 37 % 11).into_par_iter();
                    parts.for_each(|part| busy(20 * part as u64));
                    making.fetch_sub(1, Ordering::SeqCst);
                    item
                };
                let taken = ordered(&items, lanes, make, |&item, made| {
                    assert_eq!(item, made);
                    (0..8).into_par_iter().for_each(|_| busy(50));
                    seen.push(made);
                    alive.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
                taken.map(|()| seen)
            });
            assert_eq!(
                seen.as_ref(),
                Ok(&items),
                "{threads} threads, {lanes} lanes"
            );
        }
    }

    /// Keeps a thread busy for so many microseconds.
    fn busy(micros: u64) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(micros) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn the_next_is_begun_as_soon_as_there_is_room() {
        let begun: Vec<AtomicBool> = (0..8).map(|_| AtomicBool::new(false)).collect();
        let is_begun = |item: usize| begun[item].load(Ordering::SeqCst);
        let items: Vec<usize> = (0..8).collect();
        let make = |&item: &usize| {
            begun[item].store(true, Ordering::SeqCst);
            // It takes long to make 3, and meanwhile there is room for 4 and 5.
            item != 3 || wait_until(|| is_begun(5))
        };
        let taken = on(3, || {
            ordered(&items, 2, make, |item, is_met| {
                assert!(is_met, "{item}");
                Ok(())
            })
        });
        assert_eq!(taken, Ok(()));
    }

    #[test]
    fn who_has_nothing_to_take_makes_one_beside_the_others() {
        let begun = AtomicUsize::new(0);
        let make = |_: &usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            wait_until(|| begun.load(Ordering::SeqCst) >= 2)
        };
        let taken = on(2, || {
            ordered(&[0, 1], 1, make, |item, is_met| {
                assert!(is_met, "{item}");
                Ok(())
            })
        });
        assert_eq!(taken, Ok(()));
    }

    #[test]
    fn who_takes_makes_nothing_meanwhile() {
        thread_local!(static TAKES: Cell<bool> = const { Cell::new(false) });
        let items: Vec<usize> = (0..60).collect();
        for (threads, lanes) in [(1, 2), (2, 1), (2, 2), (4, 2), (4, 4)] {
            let make = |_: &usize| {
                assert!(!TAKES.get(), "{threads} threads, {lanes} lanes");
                busy(200)
            };
            let take = |_: &usize, ()| {
                TAKES.set(true);
                (0..16).into_par_iter().for_each(|_| busy(30));
                TAKES.set(false);
                Ok(())
            };
            assert_eq!(on(threads, || ordered(&items, lanes, make, take)), Ok(()));
        }
    }

    #[test]
    fn a_panic_goes_on_where_results_are_taken() {
        let items: Vec<usize> = (0..20).collect();
        for (bad_made, bad_taken) in [(7, 99), (99, 7), (0, 99)] {
            for threads in [1, 3] {
                let taken = AtomicUsize::new(0);
                let work = || {
                    let make = |&item: &usize| assert_ne!(item, bad_made, "cracked");
                    ordered(&items, 2, make, |&item, ()| {
                        assert_ne!(item, bad_taken, "cracked");
                        taken.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                };
                let panic = catch_unwind(AssertUnwindSafe(|| on(threads, work))).unwrap_err();
                let text = panic.downcast_ref::<String>().unwrap();
                assert!(text.contains("cracked"), "{text}");
                assert_eq!(taken.into_inner(), bad_made.min(bad_taken));
            }
        }
    }

    #[test]
    fn without_items_nothing_is_made() {
        let nothing = ordered(&[0; 0], 0, |_| unreachable!(), |_, ()| unreachable!());
        assert_eq!(nothing, Ok(()));
    }

    #[test]
    fn lanes_follow_memory() {
        assert_eq!(lanes(0, 100), 1);
        assert_eq!(lanes(u64::MAX, 1), rayon::current_num_threads());
    }
}
