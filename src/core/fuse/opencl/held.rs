//! Photographs that stay on a device from when they were first read until they are
//! fused: each is decoded once and brought there once, however often it is looked at.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::core::device::OpenClDevice;
use crate::core::stages::Stages;
use crate::photo::Decoded;

/// Has a device hold photographs that come one after another.
pub struct Holding {
    offered: SyncSender<(u16, Decoded)>,
    held: Held,
}

/// Photographs in the memory of a device, or on their way there. What they take is
/// free when this is dropped.
pub struct Held {
    shelf: Arc<Shelf>,
    thread: Option<JoinHandle<()>>,
}

/// What is known of them.
#[derive(Default)]
struct Shelf {
    state: Mutex<State>,
    /// Told when something of that changes.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    device: Option<OpenClDevice>,
    /// Those that were given to the device.
    given: BTreeSet<u16>,
    /// Those that are there. What the device knows each by is nothing to others.
    photos: BTreeMap<u16, Box<dyn Any + Send>>,
    /// No more will come.
    is_done: bool,
}

impl Holding {
    /// Asks `which` device holds photographs, and how many bytes of them, on a thread
    /// of its own, since it takes its time to wake a driver. No more than `waiting`
    /// photographs wait for it.
    pub fn begin(
        which: impl FnOnce() -> Option<(OpenClDevice, u64)> + Send + 'static,
        waiting: usize,
        stages: Stages,
    ) -> Self {
        let (offered, photos) = sync_channel(waiting);
        let shelf = Arc::<Shelf>::default();
        let own = Arc::clone(&shelf);
        let work = move || {
            let shelf = Filling(own);
            if let Some((device, room)) = which() {
                shelf.0.change(|state| state.device = Some(device.clone()));
                // Who fuses on the device will find out what is wrong with it.
                let _ = fill(&shelf.0, &device, room, &photos, stages);
            }
        };
        let thread = std::thread::Builder::new().name("opencl".into());
        let thread = thread.spawn(work).ok();
        if thread.is_none() {
            shelf.change(|state| state.is_done = true);
        }
        let held = Held { shelf, thread };
        Self { offered, held }
    }

    /// Gives it a photograph: the frame of this number in the stack.
    pub fn offer(&self, index: u16, photo: Decoded) {
        self.held.shelf.change(|state| state.given.insert(index));
        // Nobody is there to take it where the device has no room.
        if let Err(refused) = self.offered.send((index, photo)) {
            refused.0.1.keep();
        }
    }

    /// What it holds: the last ones may still be on their way.
    pub fn finish(self) -> Held {
        self.held
    }
}

impl Held {
    /// The device that holds them; `None` if there is none. Waits until it is known.
    pub fn device(&self) -> Option<OpenClDevice> {
        let is_known = |state: &State| state.device.is_some() || state.is_done;
        self.shelf.wait(is_known).device.clone()
    }

    /// Whether the frame of this number is there. Waits for one that is on its way.
    pub fn has(&self, index: u16) -> bool {
        let is_known = |state: &State| {
            let is_coming = state.given.contains(&index) && !state.is_done;
            !is_coming || state.photos.contains_key(&index)
        };
        self.shelf.wait(is_known).photos.contains_key(&index)
    }

    /// What `work` makes of what the device knows the frame of this number by.
    pub(super) fn with<S: 'static, T>(&self, index: u16, work: impl FnOnce(&S) -> T) -> Option<T> {
        let state = self.shelf.lock();
        state.photos.get(&index)?.downcast_ref().map(work)
    }
}

impl Drop for Held {
    /// The device's memory is free when this returns.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Of one that panicked nothing is held.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} frames", self.shelf.lock().photos.len())
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    fn wait(&self, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.lock(), |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that no more will come when it is dropped.
struct Filling(Arc<Shelf>);

impl Drop for Filling {
    fn drop(&mut self) {
        self.0.change(|state| state.is_done = true);
    }
}

/// Uploads photographs as they come, as many as there is room for.
fn fill(
    shelf: &Shelf,
    device: &OpenClDevice,
    room: u64,
    offered: &Receiver<(u16, Decoded)>,
    stages: Stages,
) -> opencv::Result<()> {
    opencv::opencv_has_inherent_feature_opencl! {
        {
            use super::frame::Slot;
            use super::session::Session;
            let mut session = Session::open_for(device)?;
            session.stages = stages;
            let mut left = room;
            for (index, photo) in offered {
                let Some(rest) = left.checked_sub(photo.bytes()) else {
                    photo.keep();
                    break;
                };
                left = rest;
                let stored = Slot::default().upload(&session, &photo);
                photo.keep();
                let stored = stored?;
                // Another thread's queue reads it.
                session.wait()?;
                shelf.change(|state| state.photos.insert(index, Box::new(stored)));
            }
            Ok(())
        } else {
            let _ = (shelf, device, room, offered, stages);
            Ok(())
        }
    }
}
