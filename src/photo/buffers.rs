//! Memory of photographs that nobody needs any more, and of the files that they came
//! from, for the next ones: to hand it back to the system and ask for it again takes
//! about as long as to decode a photograph.

use std::any::Any;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use super::{Photo, Samples};

/// What is kept, each a vector of samples; nothing unless someone wants it.
static KEPT: Mutex<Kept> = Mutex::new(Kept::NOTHING);

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

impl Buffer {
    fn of<T: Send + 'static>(values: Vec<T>) -> Self {
        Self {
            capacity: values.capacity(),
            samples: Box::new(values),
        }
    }

    /// As many samples, whatever they are, if they are of this kind.
    fn into_values<T: Clone + Send + bytemuck::Zeroable + 'static>(
        self,
        count: usize,
    ) -> Option<Vec<T>> {
        let mut values = *self.samples.downcast::<Vec<T>>().ok()?;
        values.resize(count, T::zeroed());
        Some(values)
    }
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
        let small = with(|kept| kept.split_below(count));
        drop(small);
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let unwanted = with(|kept| kept.want_less(self.wanted));
        drop(unwanted);
    }
}

impl Kept {
    const NOTHING: Self = Self {
        wanted: 0,
        buffers: Vec::new(),
        files: Vec::new(),
    };

    /// Takes out what has room for less than so many samples.
    fn split_below(&mut self, count: usize) -> Vec<Buffer> {
        let small = |buffer: &mut Buffer| buffer.capacity < count;
        self.buffers.extract_if(.., small).collect()
    }

    /// Takes out what nobody wants any more once `count` less are wanted.
    fn want_less(&mut self, count: usize) -> (Vec<Buffer>, Vec<Vec<u8>>) {
        self.wanted -= count;
        let all = std::mem::take(&mut self.buffers);
        let unwanted = all.into_iter().filter_map(|buffer| self.put(buffer));
        let unwanted = unwanted.collect();
        let first = self.wanted.min(self.files.len());
        (unwanted, self.files.split_off(first))
    }

    /// Takes out a buffer for so many samples.
    fn take<T: 'static>(&mut self, count: usize) -> Option<Buffer> {
        // Much more than that would be held for nothing.
        let fits = |buffer: &Buffer| {
            (count..=count + count / 8).contains(&buffer.capacity) && buffer.samples.is::<Vec<T>>()
        };
        let at = self.buffers.iter().position(fits)?;
        Some(self.buffers.swap_remove(at))
    }

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
    let unwanted = with(|kept| kept.put(Buffer::of(values)));
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
    with(|kept| kept.take::<T>(count))?.into_values(count)
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

    /// Room for so many samples of 16 bits.
    fn room(count: usize) -> Buffer {
        Buffer::of(vec![7u16; count])
    }

    #[test]
    fn memory_is_kept_as_long_as_it_is_wanted_and_serves_one_at_a_time() {
        let mut kept = Kept::NOTHING;
        assert!(kept.put(room(1000)).is_some());
        kept.wanted += 2;
        assert!(kept.put(room(1000)).is_none());
        assert!(kept.take::<u8>(1000).is_none());
        assert!(kept.take::<u16>(500).is_none());
        assert!(kept.take::<u16>(1001).is_none());
        let found = kept.take::<u16>(991).unwrap().into_values::<u16>(991);
        assert_eq!(found.map(|samples| samples.len()), Some(991));
        assert!(kept.take::<u16>(1000).is_none());
        assert!(kept.put(room(1000)).is_none());
        kept.files.push(Vec::new());
        let (buffers, files) = kept.want_less(2);
        assert_eq!((buffers.len(), files.len()), (1, 1));
        assert!(kept.buffers.is_empty() && kept.files.is_empty());
    }

    #[test]
    fn as_many_of_each_size_are_kept() {
        let mut kept = Kept::NOTHING;
        kept.wanted += 3;
        for count in [1000, 700] {
            let unwanted = (0..5).filter(|_| kept.put(room(count)).is_some());
            assert_eq!(unwanted.count(), 2);
        }
        let (unwanted, _) = kept.want_less(1);
        assert_eq!(unwanted.len(), 2);
        for count in [1000, 700] {
            let found = (0..5).filter(|_| kept.take::<u16>(count).is_some());
            assert_eq!(found.count(), 2);
        }
    }

    #[test]
    fn what_is_too_small_is_let_go() {
        let mut kept = Kept::NOTHING;
        kept.wanted += 1;
        for count in [123, 12_347] {
            assert!(kept.put(room(count)).is_none());
        }
        assert_eq!(kept.split_below(12_000).len(), 1);
        assert!(kept.take::<u16>(123).is_none());
        assert!(kept.take::<u16>(12_347).is_some());
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
