//! Tiles that were rendered, as many as memory allows.

use iced::advanced::image::Handle;
use std::collections::{BTreeMap, HashMap};

use super::tile::Key;

/// Handles of tiles, those longest unused leaving first.
#[derive(Debug, Default)]
pub struct Cache {
    tiles: HashMap<Key, Tile>,
    by_age: BTreeMap<u64, Key>,
    clock: u64,
    /// Of all tiles.
    pub(super) bytes: u64,
}

#[derive(Debug)]
struct Tile {
    handle: Handle,
    bytes: u64,
    used: u64,
}

impl Cache {
    /// The handle of a tile, if it is there.
    pub fn get(&self, key: &Key) -> Option<&Handle> {
        self.tiles.get(key).map(|tile| &tile.handle)
    }

    /// Whether a tile is there.
    pub fn contains(&self, key: &Key) -> bool {
        self.tiles.contains_key(key)
    }

    /// Makes a tile the last to leave.
    pub fn touch(&mut self, key: &Key) {
        if let Some(tile) = self.tiles.get_mut(key) {
            self.clock += 1;
            self.by_age.remove(&tile.used);
            self.by_age.insert(self.clock, *key);
            tile.used = self.clock;
        }
    }

    /// Keeps a tile.
    pub fn insert(&mut self, key: Key, handle: Handle) {
        let part = key.rect();
        let bytes = u64::from(part.width) * u64::from(part.height) * 4;
        self.remove(&key);
        self.clock += 1;
        self.by_age.insert(self.clock, key);
        self.bytes += bytes;
        let used = self.clock;
        let tile = Tile {
            handle,
            bytes,
            used,
        };
        self.tiles.insert(key, tile);
    }

    /// Lets go of tiles until those left take no more than `bytes`.
    pub fn shrink(&mut self, bytes: u64) {
        while self.bytes > bytes
            && let Some((_, key)) = self.by_age.pop_first()
        {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(tile) = self.tiles.remove(key) {
            self.by_age.remove(&tile.used);
            self.bytes -= tile.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::viewer::geometry::Extent;

    fn key(column: u32) -> Key {
        let scaled = Extent {
            width: 5120,
            height: 512,
        };
        Key {
            picture: 1,
            scaled,
            column,
            row: 0,
            heat: false,
        }
    }

    fn handle() -> Handle {
        Handle::from_rgba(1, 1, vec![0; 4])
    }

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_longest_unused_leave_first() {
        let mut cache = Cache::default();
        for column in 0..4 {
            cache.insert(key(column), handle());
        }
        assert_eq!(cache.bytes, 4 * MIB);
        cache.touch(&key(0));
        cache.shrink(2 * MIB);
        let left: Vec<bool> = (0..4).map(|column| cache.contains(&key(column))).collect();
        assert_eq!(left, [true, false, false, true]);
        assert_eq!(cache.bytes, 2 * MIB);
    }

    #[test]
    fn a_tile_counts_once() {
        let mut cache = Cache::default();
        cache.insert(key(3), handle());
        cache.insert(key(3), handle());
        assert_eq!(cache.bytes, MIB);
        cache.shrink(0);
        assert_eq!(cache.bytes, 0);
        assert!(cache.get(&key(3)).is_none());
    }
}
