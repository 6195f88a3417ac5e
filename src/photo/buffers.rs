//! Memory of photographs that nobody needs any more, and of the files that they came
//! from, for the next ones: to hand it back to the system and ask for it again takes
//! about as long as to decode a photograph.

use std::any::Any;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use super::{Photo, Samples};

/// What is kept, each a vector of samples; nothing unless someone wants it.
static KEPT: Mutex<Kept> = Mutex::new(Kept {
    wanted: 0,
    buffers: Vec::new(),
    files: Vec::new(),
});

struct Kept {
    /// How many of a size are wanted.
    wanted: usize,
    buffers: Vec<Buffer>,
    /// Empty, but for the memory.
    files: Vec<Vec<u8>>,
}

/// A vector of samples.
struct Buffer {
    samples: Box<dyn Any + Send>,
    /// Of the vector.
    capacity: usize,
}

/// As long as this lives, memory of photographs is kept.
#[derive(Debug)]
pub struct Keeping {
    wanted: usize,
}

impl Keeping {
    /// Of as many photographs of each size as are read at a time.
    pub fn of(count: usize) -> Self {
        with(|kept| kept.wanted += count);
        Self { wanted: count }
    }

    /// Lets go of what is kept for less than so many samples, of which nobody has use
    /// any more.
    pub fn let_go_below(&self, count: usize) {
        let small = with(|kept| {
            let small = |buffer: &mut Buffer| buffer.capacity < count;
            kept.buffers.extract_if(.., small).collect::<Vec<_>>()
        });
        drop(small);
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let unwanted = with(|kept| {
            kept.wanted -= self.wanted;
            let all = std::mem::take(&mut kept.buffers);
            let unwanted: Vec<Buffer> = (all.into_iter())
                .filter_map(|buffer| kept.put(buffer))
                .collect();
            let first = kept.wanted.min(kept.files.len());
            (unwanted, kept.files.split_off(first))
        });
        drop(unwanted);
    }
}

impl Kept {
    /// Keeps a buffer, or gives it back where there are enough of its size.
    fn put(&mut self, buffer: Buffer) -> Option<Buffer> {
        let alike = self.buffers.iter();
        let alike = alike
            .filter(|kept| kept.capacity == buffer.capacity)
            .count();
        if alike >= self.wanted {
            return Some(buffer);
        }
        self.buffers.push(buffer);
        None
    }
}

/// Keeps the memory of a photograph that nobody needs any more, if there is
/// someone who wants it.
pub fn keep(photo: Photo) {
    match photo.samples {
        Samples::Eight(samples) => keep_values(samples),
        Samples::Sixteen(samples) => keep_values(samples),
    }
}

/// The same of what was made of one.
pub fn keep_values<T: Send + 'static>(values: Vec<T>) {
    let buffer = Buffer {
        capacity: values.capacity(),
        samples: Box::new(values),
    };
    let unwanted = with(|kept| kept.put(buffer));
    drop(unwanted);
}

/// As many values, whatever they are, in memory that was kept if there is any of that
/// size.
pub fn values<T: Clone + Send + bytemuck::Zeroable + 'static>(count: usize) -> Vec<T> {
    samples(count).unwrap_or_else(|| vec![T::zeroed(); count])
}

/// As many samples in memory that was kept, where there is any of that size: whatever
/// they are, they are to be written.
pub(super) fn samples<T: Clone + Send + bytemuck::Zeroable + 'static>(
    count: usize,
) -> Option<Vec<T>> {
    // Much more than that would be held for nothing.
    let fits = |buffer: &Buffer| {
        (count..=count + count / 8).contains(&buffer.capacity) && buffer.samples.is::<Vec<T>>()
    };
    let found = with(|kept| {
        let at = kept.buffers.iter().position(fits)?;
        Some(kept.buffers.swap_remove(at))
    });
    let mut samples = *found?.samples.downcast::<Vec<T>>().ok()?;
    samples.resize(count, T::zeroed());
    Some(samples)
}

/// All that `file` has to be read, in memory that was kept if there is any.
pub(super) fn contents(file: &mut File) -> io::Result<Vec<u8>> {
    let mut contents = with(|kept| kept.files.pop()).unwrap_or_default();
    file.read_to_end(&mut contents)?;
    Ok(contents)
}

/// Keeps the memory of what was read of a file.
pub(super) fn keep_contents(mut contents: Vec<u8>) {
    contents.clear();
    let unwanted = with(|kept| {
        if kept.files.len() >= kept.wanted {
            return Some(contents);
        }
        kept.files.push(contents);
        None
    });
    drop(unwanted);
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

    #[test]
    fn as_many_of_each_size_are_kept() {
        const COUNTS: [usize; 2] = [66_601, 55_501];
        let wanted = 90;
        let _keeping = Keeping::of(wanted);
        for count in COUNTS {
            // Others may want more at the same time.
            (0..2 * wanted).for_each(|_| {
                let samples = Samples::Eight(vec![7; count]);
                keep(Photo {
                    samples,
                    ..Photo::default()
                });
            });
        }
        for count in COUNTS {
            let found = (0..3 * wanted).filter(|_| samples::<u8>(count).is_some());
            let found = found.count();
            assert!((wanted..2 * wanted).contains(&found), "{found}");
        }
    }

    #[test]
    fn what_is_too_small_is_let_go() {
        let keeping = Keeping::of(3);
        for count in [123, 12_347] {
            keep_values(vec![1u64; count]);
        }
        keeping.let_go_below(12_000);
        assert_eq!(samples::<u64>(123), None);
        assert!(samples::<u64>(12_347).is_some());
    }

    #[test]
    fn files_are_read_whole_into_memory_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let _keeping = Keeping::of(4);
        for length in [90_000, 10, 0, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let contents = contents(&mut File::open(&path).unwrap()).unwrap();
            assert!(contents == bytes, "{length}");
            keep_contents(contents);
        }
    }
}
