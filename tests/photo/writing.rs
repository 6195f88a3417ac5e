//! Files are written whole or not at all.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use parfocal::Error;
use parfocal::photo::{Encoding, Format, read, same_file, write, write_text};

use crate::material::{Folder, any_size, encoding, picture};

#[test]
fn an_existing_file_is_kept_unless_told_otherwise() {
    let folder = Folder::new();
    let path = folder.put("result.tif", b"precious");
    let photo = picture(20, 20, 8, false);
    let error = write(&path, &photo, &Encoding::default(), false, &|| true).unwrap_err();
    assert!(error.to_string().contains("--overwrite"), "{error}");
    let error = write_text(&path, "text", false).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(folder.names(), ["result.tif"]);

    write(&path, &photo, &Encoding::default(), true, &|| true).unwrap();
    assert!(read(&path, &any_size()).is_ok());
    write_text(&path, "text", true).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "text");
    assert_eq!(folder.names(), ["result.tif"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_kept() {
    let folder = Folder::new();
    let path = folder.path("result.png");
    let intruder = || {
        fs::write(&path, b"precious").unwrap();
        true
    };
    let photo = picture(20, 20, 8, false);
    let error = write(&path, &photo, &encoding(Format::Png, 8), false, &intruder).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(folder.names(), ["result.png"]);
}

#[test]
fn cancelling_is_quick_and_leaves_nothing() {
    let folder = Folder::new();
    let photo = picture(3000, 2000, 16, false);
    for format in [Format::Tiff, Format::Png, Format::Jpeg] {
        let asked = Cell::new(0);
        let since = Cell::new(Instant::now());
        let keep_going = || {
            since.set(Instant::now());
            asked.replace(asked.get() + 1) < 1
        };
        let encoding = encoding(format, 16);
        let result = write(&folder.path("a"), &photo, &encoding, false, &keep_going);
        assert_eq!(result, Err(Error::Cancelled), "{format:?}");
        assert!(
            since.get().elapsed() < Duration::from_millis(500),
            "{format:?}"
        );
        assert_eq!(folder.names(), [""; 0], "{format:?}");
    }
}

#[test]
fn a_folder_that_is_missing_or_a_file_is_named() {
    let folder = Folder::new();
    let photo = picture(4, 4, 8, false);
    let file = folder.put("file", b"x");
    for (path, words) in [
        (folder.path("missing/a.tif"), "folder does not exist"),
        (file.join("a.tif"), "folder is a file"),
        (folder.0.path().to_owned(), "it is a folder"),
    ] {
        let error = write(&path, &photo, &Encoding::default(), true, &|| true).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn nonsense_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let photo = picture(4, 4, 8, false);
    for (bits, quality) in [(12, 95), (16, 0), (16, 101)] {
        let encoding = Encoding {
            bits,
            quality,
            ..Encoding::default()
        };
        let result = write(&folder.path("a.tif"), &photo, &encoding, false, &|| true);
        assert!(matches!(result, Err(Error::Usage(_))), "{result:?}");
    }
    let wide = picture(65_536, 1, 8, false);
    let encoding = encoding(Format::Jpeg, 8);
    let error = write(&folder.path("a.jpg"), &wide, &encoding, false, &|| true).unwrap_err();
    assert!(error.to_string().contains("65535"), "{error}");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_extension_tells_the_format() {
    for (name, format) in [
        ("a.TIFF", Format::Tiff),
        ("a.tif", Format::Tiff),
        ("b/a.jpeg", Format::Jpeg),
        ("a.b.JPG", Format::Jpeg),
        ("a.png", Format::Png),
    ] {
        assert_eq!(Format::from_path(Path::new(name)), Ok(format));
    }
    for name in ["a.gif", "a", "tif"] {
        let Err(Error::Usage(message)) = Format::from_path(Path::new(name)) else {
            panic!("{name} was taken");
        };
        assert!(
            message.contains(name) && message.contains(".jpeg"),
            "{message}"
        );
    }
}

#[test]
fn one_file_by_two_names_is_the_same() {
    let folder = Folder::new();
    let path = folder.put("a", b"x");
    assert!(same_file(&path, &folder.path("./a")));
    assert!(!same_file(&path, &folder.put("b", b"x")));
    assert!(!same_file(&folder.path("none"), &folder.path("none")));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_file_has_the_usual_mode() {
        let folder = Folder::new();
        let usual = folder.put("usual", b"x");
        let path = folder.path("a.txt");
        write_text(&path, "text", false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&usual));
    }

    #[test]
    fn permissions_are_respected_and_named() {
        let folder = Folder::new();
        let secret = folder.put("secret.jpg", b"x");
        set_mode(&secret, 0);
        if fs::read(&secret).is_ok() {
            println!("skipped: this user is stopped by no permissions");
            return;
        }
        let error = read(&secret, &any_size()).unwrap_err();
        assert!(error.to_string().contains("may not be read"), "{error}");
        let closed = folder.path("closed");
        fs::create_dir(&closed).unwrap();
        set_mode(&closed, 0o555);
        let result = write_text(&closed.join("a.txt"), "text", false);
        set_mode(&closed, 0o755);
        let error = result.unwrap_err();
        assert!(error.to_string().contains("read-only"), "{error}");
    }

    /// A small file system of its own, where the machine allows one.
    struct Mount(Folder);

    impl Mount {
        fn new(options: &str) -> Option<Self> {
            let folder = Folder::new();
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", options, "tmpfs"])
                .arg(folder.0.path())
                .output()
                .is_ok_and(|output| output.status.success());
            if !mounted {
                println!("skipped: no file system can be mounted here");
            }
            mounted.then_some(Self(folder))
        }
    }

    impl Drop for Mount {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.0.path()).status();
        }
    }

    #[test]
    fn a_full_disk_is_named_and_left_clean() {
        let Some(mount) = Mount::new("size=64k") else {
            return;
        };
        let kept = mount.0.put("kept.tif", b"precious");
        let photo = picture(1500, 1000, 16, false);
        for format in [Format::Tiff, Format::Png, Format::Jpeg] {
            let error = write(&kept, &photo, &encoding(format, 16), true, &|| true).unwrap_err();
            assert!(
                error.to_string().contains("the disk is full; make room"),
                "{error}"
            );
            assert_eq!(mount.0.names(), ["kept.tif"], "{format:?}");
            assert_eq!(fs::read(&kept).unwrap(), b"precious", "{format:?}");
        }
    }

    #[test]
    fn a_read_only_disk_is_named() {
        let Some(mount) = Mount::new("size=64k,ro") else {
            return;
        };
        let error = write_text(&mount.0.path("a.txt"), "text", false).unwrap_err();
        assert!(error.to_string().contains("read-only"), "{error}");
    }
}
