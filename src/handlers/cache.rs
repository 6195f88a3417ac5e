//! Keeps what was found out about photographs, so that a folder that was open
//! before is shown at once. Lives in the platform's cache folder; nothing is
//! lost with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::photo::write_text;
use crate::{Error, Result};

/// The most bytes that are kept unless told otherwise.
pub const LIMIT: u64 = 512 << 20;

/// A folder of things that can be found out again.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: Option<PathBuf>,
    limit: u64,
}

impl Cache {
    /// Keeps things in `folder`, which is made when there is something to
    /// keep, up to about `limit` bytes.
    pub fn new(folder: PathBuf, limit: u64) -> Self {
        Self {
            folder: Some(folder),
            limit,
        }
    }

    /// Keeps nothing.
    pub fn none() -> Self {
        Self {
            folder: None,
            limit: 0,
        }
    }

    /// What is known as `kind` of the photograph as it is now.
    pub fn get(&self, kind: &str, photo: &Path) -> Option<Vec<u8>> {
        self.recall(&identity(kind, photo)?)
    }

    /// What is known of something that is told from others by `identity`: a
    /// text of whole lines, which no other one begins with.
    pub fn recall(&self, identity: &str) -> Option<Vec<u8>> {
        let path = self.place(identity)?;
        let bytes = fs::read(&path).ok()?;
        // The name is short; what stands inside makes sure.
        let rest = bytes.strip_prefix(identity.as_bytes())?;
        if let Ok(file) = fs::File::options().append(true).open(&path) {
            // Only tells that it was of use; without, it goes sooner.
            let _ = file.set_modified(SystemTime::now());
        }
        Some(rest.to_vec())
    }

    /// Keeps `bytes` as `kind` of the photograph as it is now. That this
    /// fails costs time later and nothing else.
    pub fn put(&self, kind: &str, photo: &Path, bytes: &[u8]) {
        if let Some(identity) = identity(kind, photo) {
            self.keep(&identity, bytes);
        }
    }

    /// Keeps `bytes` of something that is told from others by `identity`, for
    /// [`recall`](Self::recall).
    pub fn keep(&self, identity: &str, bytes: &[u8]) {
        let (Some(path), Some(folder)) = (self.place(identity), &self.folder) else {
            return;
        };
        let content = [identity.as_bytes(), bytes].concat();
        let kept = fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|file| {
                fs::write(file.path(), content)?;
                file.persist(&path).map_err(|error| error.error)
            });
        if let Err(error) = kept {
            tracing::info!("{} could not be kept: {error}", path.display());
        }
    }

    /// Bytes that are kept now.
    pub fn size(&self) -> u64 {
        self.files().iter().map(|file| file.bytes).sum()
    }

    /// Forgets what was of no use for longest until a fifth of the limit is
    /// free, if there is more than the limit.
    pub fn trim(&self) {
        let mut files = self.files();
        let mut size: u64 = files.iter().map(|file| file.bytes).sum();
        if size <= self.limit {
            return;
        }
        files.sort_by_key(|file| file.used);
        for file in files {
            if size <= self.limit / 5 * 4 {
                return;
            }
            if fs::remove_file(&file.path).is_ok() {
                size -= file.bytes;
            }
        }
    }

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed.
    pub fn clear(&self) -> Result<()> {
        for file in self.files() {
            fs::remove_file(&file.path).map_err(|fault| {
                Error::file(
                    &file.path,
                    format!("cannot be removed ({fault})"),
                    "remove it yourself; it is only a copy",
                )
            })?;
        }
        Ok(())
    }

    fn place(&self, identity: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(format!("{:016x}.kept", hash(identity.as_bytes()))))
    }

    fn files(&self) -> Vec<Kept> {
        let entries = self
            .folder
            .as_ref()
            .and_then(|folder| fs::read_dir(folder).ok());
        entries
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let facts = fs::metadata(&path).ok()?;
                let ours = path
                    .extension()
                    .is_some_and(|extension| extension == "kept");
                ours.then(|| Kept {
                    bytes: facts.len(),
                    used: facts.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    path,
                })
            })
            .collect()
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// What must be the same for something kept to be true still.
fn identity(kind: &str, photo: &Path) -> Option<String> {
    let path = photo.canonicalize().ok()?;
    let facts = fs::metadata(&path).ok()?;
    let changed = facts.modified().ok()?;
    let changed = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!(
        "{kind}\n{}\n{}\n{}\n",
        path.display(),
        facts.len(),
        changed.as_nanos()
    ))
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo): the same on every machine and in
/// every version.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The platform's folder for what can be found out again; `None` where there is
/// no home folder.
pub fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "parfocal")?;
    Some(folders.cache_dir().to_owned())
}

/// Writes a text to `path` and makes its folder where it is missing; for
/// settings and what else is not the user's own.
///
/// # Errors
///
/// If that is not allowed.
pub fn keep_text(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        super::export::make_folder(folder)?;
    }
    write_text(path, text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_until_the_photograph_changes() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, b"one").unwrap();
        let cache = Cache::new(folder.path().join("cache"), LIMIT);
        assert_eq!(cache.get("score", &photo), None);
        cache.put("score", &photo, b"12.5");
        assert_eq!(cache.get("score", &photo).as_deref(), Some(&b"12.5"[..]));
        assert_eq!(cache.get("thumbnail", &photo), None);
        fs::write(&photo, b"longer").unwrap();
        assert_eq!(cache.get("score", &photo), None);
    }

    #[test]
    fn it_is_bounded_and_can_be_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"), 10_000);
        for i in 0..20 {
            let photo = folder.path().join(format!("{i}.jpg"));
            fs::write(&photo, [0]).unwrap();
            cache.put("thumbnail", &photo, &[0; 1000]);
        }
        assert!(cache.size() > 20_000);
        cache.trim();
        assert!((5_000..=8_000).contains(&cache.size()), "{}", cache.size());
        cache.clear().unwrap();
        assert_eq!(cache.size(), 0);
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, b"one").unwrap();
        let cache = Cache::none();
        cache.put("score", &photo, b"1");
        assert_eq!(cache.get("score", &photo), None);
        assert_eq!(cache.size(), 0);
    }
}
