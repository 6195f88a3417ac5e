//! Frames that stay in memory from when they are looked at until they are fused: small
//! ones, of which many fit, are decoded once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::scale::Scale;
use crate::photo::Decoded;

/// The most that is kept: more would cost as much time, for it has to be fresh memory,
/// as decoding again, and memory that large frames need.
const MOST: u64 = 512 << 20;
/// The share that may be taken of the memory that fusing leaves.
const SHARE: u64 = 2;

/// Frames that are kept until they are wanted.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Bytes that there is room for.
    room: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: u64,
    frames: BTreeMap<usize, Decoded>,
}

impl Shelf {
    /// For frames that are looked at in this size, where fusing leaves so many bytes:
    /// those that are read in fewer pixels than they have are not kept.
    pub fn of(scale: &Scale, left: u64) -> Self {
        let room = match scale.halvings {
            0 => MOST.min(left / SHARE),
            _ => 0,
        };
        Self::with_room(room)
    }

    /// For so many bytes of frames.
    pub fn with_room(room: u64) -> Self {
        Self {
            room,
            kept: Mutex::default(),
        }
    }

    /// Whether a frame of so many bytes would be kept now.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.lock().bytes.saturating_add(bytes) <= self.room
    }

    /// Keeps a frame, or hands it back where there is no room for it.
    pub fn put(&self, frame: usize, photo: Decoded) -> Option<Decoded> {
        let mut kept = self.lock();
        let bytes = kept.bytes.saturating_add(photo.bytes());
        if bytes > self.room {
            return Some(photo);
        }
        kept.bytes = bytes;
        kept.frames.insert(frame, photo);
        None
    }

    /// Keeps a frame that is wanted before all others, whether there is room or not.
    pub fn put_first(&self, frame: usize, photo: Decoded) {
        let mut kept = self.lock();
        kept.bytes = kept.bytes.saturating_add(photo.bytes());
        kept.frames.insert(frame, photo);
    }

    /// Whether a frame is kept.
    pub fn has(&self, frame: usize) -> bool {
        self.lock().frames.contains_key(&frame)
    }

    /// Takes a frame off it.
    pub fn take(&self, frame: usize) -> Option<Decoded> {
        let mut kept = self.lock();
        let photo = kept.frames.remove(&frame)?;
        kept.bytes -= photo.bytes();
        Some(photo)
    }

    /// Lets go of all, and of the room for more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked left nothing half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Photo, Samples};

    fn photo(value: u8) -> Decoded {
        Decoded::Photo(Photo {
            width: 5,
            height: 4,
            samples: Samples::Eight(vec![value; 60]),
            ..Photo::default()
        })
    }

    #[test]
    fn frames_are_kept_as_far_as_there_is_room_until_they_are_taken() {
        let shelf = Shelf::with_room(150);
        assert!(shelf.put(0, photo(10)).is_none() && shelf.put(1, photo(11)).is_none());
        assert!(!shelf.has_room(60) && shelf.has_room(30));
        assert_eq!(shelf.put(2, photo(12)), Some(photo(12)));
        assert_eq!(shelf.take(1), Some(photo(11)));
        assert_eq!((shelf.take(1), shelf.take(2)), (None, None));
        assert!(shelf.put(2, photo(12)).is_none());
        assert_eq!(shelf.take(2), Some(photo(12)));
        assert_eq!(shelf.take(0), Some(photo(10)));
        let full = Shelf::with_room(0);
        full.put_first(4, photo(14));
        assert!(full.has(4) && !full.has(3) && !full.has_room(1));
        assert_eq!(full.take(4), Some(photo(14)));
        assert!(shelf.has_room(150));
    }

    #[test]
    fn large_frames_are_not_kept() {
        let room = |width, height, left| Shelf::of(&Scale::of_size(width, height), left).room;
        assert_eq!(room(2000, 1300, 8 << 30), MOST);
        assert_eq!(room(2000, 1300, 1000), 500);
        assert_eq!(room(6000, 4000, 8 << 30), 0);
    }
}
