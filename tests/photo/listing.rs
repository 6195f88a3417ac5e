//! What is found, in which order, and what is passed over.

use std::fs;
use std::path::PathBuf;

use parfocal::Error;
use parfocal::photo::list;

use crate::material::Folder;

fn names(paths: &[PathBuf]) -> Vec<&str> {
    let names = paths.iter().map(|path| path.file_name().unwrap());
    names.map(|name| name.to_str().unwrap()).collect()
}

#[test]
fn a_folder_is_listed_in_natural_order() {
    let folder = Folder::new();
    for name in [
        "IMG_10.JPG",
        "IMG_9.JPG",
        "IMG_100.JPG",
        "IMG_1.tiff",
        "b.Png",
        "a.webp",
        "c.jfif",
    ] {
        folder.put(name, b"x");
    }
    for name in [
        "notes.txt",
        "._IMG_9.JPG",
        ".hidden.tif",
        "clip.mov",
        "noextension",
    ] {
        folder.put(name, b"x");
    }
    fs::create_dir(folder.path("sub.jpg")).unwrap();
    fs::write(folder.path("sub.jpg/deep.jpg"), b"x").unwrap();
    let listing = list(&[folder.0.path().to_owned()]).unwrap();
    assert_eq!(
        names(&listing.photos),
        [
            "IMG_1.tiff",
            "IMG_9.JPG",
            "IMG_10.JPG",
            "IMG_100.JPG",
            "a.webp",
            "b.Png",
            "c.jfif"
        ]
    );
    let reason = |name: &str| {
        let mut skipped = listing.skipped.iter();
        let found = skipped.find(|skipped| skipped.path.ends_with(name));
        found
            .unwrap_or_else(|| panic!("{name} is not listed"))
            .reason
            .clone()
    };
    assert_eq!(reason("._IMG_9.JPG"), "is a hidden file");
    assert_eq!(reason(".hidden.tif"), "is a hidden file");
    assert_eq!(reason("sub.jpg"), "is a folder");
    for name in ["notes.txt", "clip.mov", "noextension"] {
        assert!(reason(name).contains("extension"), "{name}");
    }
    assert_eq!(listing.skipped.len(), 6);
}

#[test]
fn files_keep_the_order_they_are_given_in_and_count_once() {
    let folder = Folder::new();
    let (b, a) = (folder.put("b.jpg", b"x"), folder.put("a.strange", b"x"));
    let roundabout = folder.path("./b.jpg");
    let whole = folder.0.path().to_owned();
    let listing = list(&[b.clone(), a.clone(), roundabout.clone(), whole]).unwrap();
    assert_eq!(listing.photos, [b, a]);
    let twice: Vec<_> = listing
        .skipped
        .iter()
        .filter(|skipped| skipped.reason == "is in the stack already")
        .collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0].path, roundabout);
}

#[test]
fn a_folder_without_photographs_is_an_error() {
    let folder = Folder::new();
    folder.put("notes.txt", b"x");
    let error = list(&[folder.0.path().to_owned()]).unwrap_err();
    assert!(
        error.to_string().contains("contains no photographs; "),
        "{error}"
    );
    assert!(matches!(error, Error::File { path, .. } if path == folder.0.path()));
    assert!(list(&[]).is_err());
}

#[cfg(unix)]
#[test]
fn a_link_is_the_file_it_leads_to() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let path = folder.put("a.jpg", b"x");
    symlink(&path, folder.path("link.jpg")).unwrap();
    symlink(folder.path("gone"), folder.path("dangling.jpg")).unwrap();
    let listing = list(&[folder.0.path().to_owned()]).unwrap();
    assert_eq!(listing.photos, [path]);
    let reasons: Vec<_> = listing.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(reasons, ["cannot be opened", "is in the stack already"]);
}
