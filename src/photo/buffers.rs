//! Memory of photographs that nobody needs any more, for the next ones: to
//! hand it back to the system and ask for it again takes about as long as to
//! decode a photograph.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use super::{Photo, Samples};

/// What is kept, each a vector of samples; nothing unless someone wants it.
static KEPT: Mutex<Kept> = Mutex::new(Kept {
    wanted: 0,
    buffers: Vec::new(),
});

struct Kept {
    /// How many are wanted.
    wanted: usize,
    buffers: Vec<Box<dyn Any + Send>>,
}

/// As long as this lives, memory of photographs is kept.
#[derive(Debug)]
pub struct Keeping {
    wanted: usize,
}

impl Keeping {
    /// Of as many photographs as are read at a time.
    pub fn of(count: usize) -> Self {
        with(|kept| kept.wanted += count);
        Self { wanted: count }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let unwanted = with(|kept| {
            kept.wanted -= self.wanted;
            let first = kept.wanted.min(kept.buffers.len());
            kept.buffers.split_off(first)
        });
        drop(unwanted);
    }
}

/// Keeps the memory of a photograph that nobody needs any more, if there is
/// someone who wants it.
pub fn keep(photo: Photo) {
    let buffer: Box<dyn Any + Send> = match photo.samples {
        Samples::Eight(samples) => Box::new(samples),
        Samples::Sixteen(samples) => Box::new(samples),
    };
    let unwanted = with(|kept| {
        if kept.buffers.len() < kept.wanted {
            kept.buffers.push(buffer);
            return None;
        }
        Some(buffer)
    });
    drop(unwanted);
}

/// As many samples in memory that was kept, where there is any of that size: whatever
/// they are, they are to be written.
pub(super) fn samples<T: Clone + Send + bytemuck::Zeroable + 'static>(
    count: usize,
) -> Option<Vec<T>> {
    let fits = |buffer: &Box<dyn Any + Send>| {
        let buffer = buffer.downcast_ref::<Vec<T>>();
        // Much more than that would be held for nothing.
        buffer.is_some_and(|b| (count..=count + count / 8).contains(&b.capacity()))
    };
    let found = with(|kept| {
        let at = kept.buffers.iter().position(fits)?;
        Some(kept.buffers.swap_remove(at))
    });
    let mut samples = *found?.downcast::<Vec<T>>().ok()?;
    samples.resize(count, T::zeroed());
    Some(samples)
}

fn with<R>(work: impl FnOnce(&mut Kept) -> R) -> R {
    work(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_as_long_as_it_is_wanted_and_serves_one_at_a_time() {
        // A size that no other test has.
        const COUNT: usize = 77_773;
        let photo = || Photo {
            samples: Samples::Sixteen(vec![7; COUNT]),
            ..Photo::default()
        };
        keep(photo());
        assert_eq!(samples::<u16>(COUNT), None);
        let keeping = Keeping::of(50);
        keep(photo());
        assert_eq!(samples::<u8>(COUNT), None);
        assert_eq!(samples::<u16>(COUNT / 2), None);
        assert_eq!(samples::<u16>(COUNT + 1), None);
        assert_eq!(
            samples::<u16>(COUNT - 9).map(|samples| samples.len()),
            Some(COUNT - 9)
        );
        assert_eq!(samples::<u16>(COUNT), None);
        keep(photo());
        drop(keeping);
        assert_eq!(samples::<u16>(COUNT), None);
    }
}
