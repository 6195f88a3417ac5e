//! What goes wrong in the field: each fault has a message that names the file
//! and says what to do, and leaves the rest as it was.

// Links, permissions, mounts and signals are made the Unix way.
#![cfg(unix)]

mod common;

use common::{
    StackFolder, json, names, parfocal, run, small, stack_folder, stack_unaligned,
    without_privileges, write,
};
use parfocal::demo::DemoStack;
use parfocal::photo::{Photo, Samples};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A photograph of one colour, for what fails before its pixels matter.
fn plain(width: usize, height: usize) -> Photo {
    Photo {
        width,
        height,
        samples: Samples::Sixteen(vec![30_000; width * height * 3]),
        ..Photo::default()
    }
}

/// The status and the reason of each frame in a report.
fn frames(report: &Path) -> Vec<(String, Option<String>)> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let report = json(report);
    let frames = report["frames"].as_array().unwrap();
    frames
        .iter()
        .map(|frame| (text(&frame["status"]).unwrap(), text(&frame["reason"])))
        .collect()
}

/// Stacks `folder`, in which the frame `name` is bad: that costs the frame and
/// not the job. The report must give `status`, and the warning and the reason
/// must contain `words`.
#[track_caller]
fn costs_a_frame(folder: &StackFolder, name: &str, status: &str, words: &str) {
    let before = folder.frames();
    let report = folder.beside("report.json");
    let outcome = run(stack_unaligned(folder).arg("--report").arg(&report))
        .done()
        .says(&["warning: ", name, words]);
    let total = before.len();
    let count = format!("{} of {total} frames", total - 1);
    assert!(outcome.stdout.contains(&count), "{outcome:?}");
    let index = before.iter().position(|frame| frame == name).unwrap();
    for (number, (found, reason)) in frames(&report).into_iter().enumerate() {
        if number == index {
            assert_eq!(found, status);
            assert!(reason.is_some_and(|reason| reason.contains(words)));
        } else {
            assert_eq!(found, "used", "frame {number}");
        }
    }
    assert_eq!(folder.frames(), before);
    assert_eq!(folder.results(), ["report.json", "stack-stacked.tif"]);
}

/// Stacks the file `path` with a sound frame, and by itself: neither is enough.
#[track_caller]
fn is_too_little(folder: &StackFolder, path: &Path, words: &str) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let sound = folder.frame("frame_00.tif");
    run(parfocal().arg("stack").args([&sound, path]))
        .ended(1)
        .says(&["parfocal: fewer than two frames are left of 2", name, words]);
    run(parfocal().arg("stack").arg(path))
        .ended(1)
        .says(&["parfocal: ", name, words]);
    assert_eq!(folder.results(), [""; 0]);
}

fn cut(path: &Path, share: f64) {
    let bytes = fs::read(path).unwrap();
    let length = (bytes.len() as f64 * share) as usize;
    fs::write(path, &bytes[..length]).unwrap();
}

#[test]
fn an_empty_folder() {
    let folder = StackFolder::empty();
    run(parfocal().arg("stack").arg(&folder.path))
        .ended(1)
        .says(&["stack: contains no photographs; give "]);
    assert_eq!(folder.results(), [""; 0]);
}

#[test]
fn a_folder_without_photographs() {
    let folder = StackFolder::empty();
    fs::write(folder.frame("notes.txt"), "nothing here").unwrap();
    run(parfocal().arg("stack").arg(&folder.path))
        .ended(1)
        .says(&["stack: contains no photographs; give "]);
    assert_eq!(folder.frames(), ["notes.txt"]);
}

#[test]
fn a_missing_path() {
    let folder = stack_folder(&small(2));
    run(parfocal()
        .arg("stack")
        .args([folder.frame("frame_00.tif"), folder.frame("frame_77.tif")]))
    .ended(1)
    .says(&["frame_77.tif: does not exist; check its name"]);
    assert_eq!(folder.results(), [""; 0]);
}

#[test]
fn a_device_that_is_not_there() {
    let folder = stack_folder(&small(2));
    let commands: [&[&str]; 3] = [&["stack"], &["sharpness"], &["align", "-o", "out"]];
    for command in commands {
        let outcome = run(parfocal()
            .args(command)
            .arg(&folder.path)
            .args(["--device", "opencl:99"]))
        .ended(1)
        .says(&[
            "there is no device opencl:99; choose auto or one of ",
            "cpu",
        ]);
        // Before any work.
        assert!(outcome.stderr.starts_with("parfocal: "), "{outcome:?}");
        assert_eq!(folder.results(), [""; 0]);
    }
}

#[test]
fn one_frame_stacks_to_itself() {
    let folder = stack_folder(&small(1));
    let outcome = run(parfocal().arg("stack").arg(&folder.path))
        .done()
        .says(&["warning: ", "frame_00.tif", "stacks to itself"]);
    assert!(outcome.stdout.contains("300×200, 1 of 1 frames"));
    assert_eq!(folder.results(), ["stack-stacked.tif"]);
}

#[test]
fn a_truncated_jpeg() {
    let folder = stack_folder(&small(3));
    let path = folder.frame("frame_01.jpg");
    let stack = DemoStack::new(&small(3));
    write(&path, &stack.frame(1, 8), 8);
    cut(&path, 0.6);
    is_too_little(&folder, &path, "cut short");
    costs_a_frame(&folder, "frame_01.jpg", "failed", "cut short");
}

#[test]
fn a_truncated_tiff() {
    let folder = stack_folder(&small(4));
    let path = folder.frame("frame_02.tif");
    cut(&path, 0.6);
    is_too_little(&folder, &path, "cut short");
    costs_a_frame(&folder, "frame_02.tif", "failed", "cut short");
}

#[test]
fn a_text_file_named_jpg() {
    let folder = stack_folder(&small(3));
    let path = folder.frame("frame_01.jpg");
    fs::write(&path, "Dear diary, today I took no photograph.\n".repeat(9)).unwrap();
    is_too_little(&folder, &path, "is not a photograph");
    costs_a_frame(&folder, "frame_01.jpg", "failed", "is not a photograph");
    assert!(fs::read_to_string(&path).unwrap().starts_with("Dear diary"));
}

#[test]
fn a_file_of_zero_bytes() {
    let folder = stack_folder(&small(3));
    let path = folder.frame("frame_01.tif");
    fs::write(&path, "").unwrap();
    is_too_little(&folder, &path, "is empty");
    costs_a_frame(&folder, "frame_01.tif", "failed", "is empty");
}

#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = stack_folder(&small(3));
    let path = folder.frame("frame_01.tif");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = stack_unaligned(&folder);
    if !without_privileges(&mut command, &folder) {
        println!("skipped: this user reads everything");
        return;
    }
    let outcome = run(&mut command).done().says(&[
        "warning: ",
        "frame_01.tif: may not be read; change its permissions",
    ]);
    assert!(outcome.stdout.contains("2 of 3 frames"), "{outcome:?}");
}

/// A PNG that is 40 bytes long and claims 10 gigapixels.
fn bomb(path: &Path) {
    let mut header = b"IHDR".to_vec();
    header.extend(100_000u32.to_be_bytes());
    header.extend(100_000u32.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&header);
    let mut file = fs::File::create(path).unwrap();
    file.write_all(b"\x89PNG\r\n\x1a\n\0\0\0\x0d").unwrap();
    file.write_all(&header).unwrap();
    file.write_all(&checksum.sum().to_be_bytes()).unwrap();
    file.write_all(b"\0\0\0\x05IDAT").unwrap();
}

#[test]
fn a_decompression_bomb() {
    let folder = stack_folder(&small(3));
    let path = folder.frame("frame_01.png");
    bomb(&path);
    is_too_little(&folder, &path, "--max-pixels");
    costs_a_frame(&folder, "frame_01.png", "failed", "100000×100000");
}

#[test]
fn max_pixels_is_the_limit() {
    let folder = stack_folder(&small(2));
    for (limit, code) in [("59999", 1), ("60000", 0), ("0", 0)] {
        let outcome = run(stack_unaligned(&folder).args(["--max-pixels", limit])).ended(code);
        assert_eq!(outcome.stderr.contains("--max-pixels"), code == 1);
    }
}

#[test]
fn a_frame_of_another_size() {
    let folder = stack_folder(&small(3));
    write(&folder.frame("frame_01x.tif"), &plain(200, 300), 16);
    costs_a_frame(&folder, "frame_01x.tif", "excluded", "200×300");
}

#[test]
fn an_even_split_of_sizes() {
    let folder = stack_folder(&small(2));
    for name in ["frame_02.tif", "frame_03.tif"] {
        write(&folder.frame(name), &plain(200, 300), 16);
    }
    run(&mut stack_unaligned(&folder)).ended(1).says(&[
        "2 of 300×200",
        "2 of 200×300",
        "frame_00.tif",
        "frame_02.tif",
        "one size at a time",
    ]);
    assert_eq!(folder.results(), [""; 0]);
}

#[test]
fn mixed_bit_depths() {
    let folder = stack_folder(&small(3));
    let stack = DemoStack::new(&small(3));
    fs::remove_file(folder.frame("frame_01.tif")).unwrap();
    write(&folder.frame("frame_01.jpg"), &stack.frame(1, 8), 8);
    let outcome = run(parfocal().arg("stack").arg(&folder.path))
        .done()
        .says(&["warning: 1 of 3 frames have 8 bits"]);
    assert!(outcome.stdout.contains("3 of 3 frames"), "{outcome:?}");
}

#[test]
fn an_output_that_is_a_frame() {
    let folder = stack_folder(&small(2));
    let frame = folder.frame("frame_01.tif");
    let link = folder.beside("link.tif");
    std::os::unix::fs::symlink(&frame, &link).unwrap();
    let before = fs::read(&frame).unwrap();
    for out in [&frame, &link] {
        for overwrite in [None, Some("--overwrite")] {
            run(stack_unaligned(&folder).args(overwrite).arg("-o").arg(out))
                .ended(1)
                .says(&[
                    out.to_str().unwrap(),
                    "is one of the frames; choose another name",
                ]);
            // Nor may anything else be written over a frame.
            for option in ["--depth-map", "--report"] {
                run(stack_unaligned(&folder)
                    .args(overwrite)
                    .arg(option)
                    .arg(out))
                .ended(1)
                .says(&["is one of the frames; choose another name"]);
            }
        }
    }
    assert!(fs::read(&frame).unwrap() == before);
    assert_eq!(folder.results(), ["link.tif"]);
}

#[test]
fn an_output_that_exists() {
    let folder = stack_folder(&small(2));
    let out = folder.beside("out.tif");
    for option in ["-o", "--depth-map", "--report"] {
        fs::write(&out, "mine").unwrap();
        run(stack_unaligned(&folder).arg(option).arg(&out))
            .ended(1)
            .says(&["out.tif: exists already; ", "--overwrite"]);
        assert_eq!(fs::read(&out).unwrap(), b"mine");
        assert_eq!(folder.results(), ["out.tif"]);
    }
    run(stack_unaligned(&folder)
        .arg("-o")
        .arg(&out)
        .arg("--overwrite"))
    .done();
    assert!(fs::read(&out).unwrap().len() > 1000);
}

#[test]
fn an_output_in_a_missing_folder() {
    let folder = stack_folder(&small(2));
    let out = folder.beside("missing/out.tif");
    run(stack_unaligned(&folder).arg("-o").arg(&out))
        .ended(1)
        .says(&["missing: does not exist; make the folder first"]);
    assert_eq!(folder.results(), [""; 0]);
}

#[test]
fn a_read_only_output_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = stack_folder(&small(2));
    let locked = folder.beside("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = stack_unaligned(&folder);
    if !without_privileges(&mut command, &folder) {
        println!("skipped: this user writes everywhere");
        return;
    }
    run(command.arg("-o").arg(locked.join("out.tif")))
        .ended(1)
        .says(&["locked: takes no new files", "choose another folder"]);
    assert_eq!(names(&locked), [""; 0]);
}

/// A disk of its own on a folder; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// Mounts `size` of memory on `folder`, or `None` where that is not allowed.
    fn mount(folder: PathBuf, options: &str) -> Option<Self> {
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&folder)
            .output()
            .ok()?
            .status;
        status.success().then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk() {
    let folder = stack_folder(&small(2));
    let mount = folder.beside("disk");
    fs::create_dir(&mount).unwrap();
    let Some(disk) = Disk::mount(mount, "size=64k") else {
        println!("skipped: this user may not mount a small disk");
        return;
    };
    let out = disk.0.join("out.tif");
    let outcome = run(stack_unaligned(&folder)
        .args(["--compression", "none", "-o"])
        .arg(&out))
    .ended(1)
    .says(&["parfocal: ", "out.tif", "disk is full", "make room"]);
    assert!(outcome.stdout.is_empty());
    assert_eq!(names(&disk.0), [""; 0]);

    // A result that was there before is still there.
    fs::write(&out, "mine").unwrap();
    run(stack_unaligned(&folder)
        .args(["--compression", "none", "--overwrite", "-o"])
        .arg(&out))
    .ended(1)
    .says(&["disk is full"]);
    assert_eq!(names(&disk.0), ["out.tif"]);
    assert_eq!(fs::read(&out).unwrap(), b"mine");
}

#[test]
fn a_read_only_disk() {
    let folder = stack_folder(&small(2));
    let mount = folder.beside("disk");
    fs::create_dir(&mount).unwrap();
    let Some(disk) = Disk::mount(mount, "ro") else {
        println!("skipped: this user may not mount a read-only disk");
        return;
    };
    run(stack_unaligned(&folder)
        .arg("-o")
        .arg(disk.0.join("out.tif")))
    .ended(1)
    .says(&["disk: takes no new files", "choose another folder"]);
}

mod interrupted {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// Starts `command`, sends it `signals` as soon as it is past listing, and
    /// expects it to end with 130 soon after.
    #[track_caller]
    fn interrupt(command: &mut Command, signals: usize) {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let phase = lines.find(|line| {
            let line = line.as_deref().unwrap();
            line.contains(": 0 of ") && !line.starts_with("Listing")
        });
        assert!(phase.is_some(), "the job ended too early");

        let sent = Instant::now();
        for _ in 0..signals {
            let pid = child.id().to_string();
            let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
            assert!(status.success());
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        let outcome = child.wait_with_output().unwrap();
        assert_eq!(outcome.status.code(), Some(130), "{rest:?}");
        assert!(outcome.stdout.is_empty());
        assert!(
            rest.iter()
                .any(|line| line.starts_with("parfocal: stopped"))
        );
        // A second is the promise; other tests keep the machine busy.
        let time = sent.elapsed();
        assert!(time < Duration::from_secs(6), "it took {time:?}");
    }

    /// A stack that takes some seconds, quickly made: links to two frames.
    fn long_stack() -> StackFolder {
        let options = parfocal::demo::SceneOptions {
            width: 1200,
            height: 800,
            ..small(2)
        };
        let folder = stack_folder(&options);
        for index in 2..60 {
            fs::hard_link(
                folder.frame(&format!("frame_{:02}.tif", index % 2)),
                folder.frame(&format!("frame_{index:02}.tif")),
            )
            .unwrap();
        }
        folder
    }

    #[test]
    fn ctrl_c_leaves_nothing_behind() {
        let folder = long_stack();
        let before = folder.frames();
        for signals in [1, 2] {
            interrupt(parfocal().arg("stack").arg(&folder.path), signals);
            assert_eq!(folder.results(), [""; 0]);
            assert_eq!(folder.frames(), before);
        }
    }

    #[test]
    fn ctrl_c_stops_a_demo() {
        let folder = StackFolder::empty();
        let out = folder.beside("demo");
        interrupt(
            parfocal()
                .args(["demo", "--size", "1500x1000", "--frames", "40", "-o"])
                .arg(&out),
            1,
        );
        assert!(!out.join("stacked.tif").exists());
    }
}
