//! Gathers the photographs of a stack, and settles where its result may go.

use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{FrameStatus, Job, Phase};
use crate::photo::{self, Colour, Limits, Probe};
use crate::{Error, Result};

/// The photographs of a stack, in stack order, and who takes part.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Every photograph that was found, including those left out.
    pub frames: Vec<StackFrame>,
    /// Width of the frames that take part, in pixels, upright.
    pub width: usize,
    /// Height of the frames that take part, in pixels, upright.
    pub height: usize,
}

/// One photograph of a stack.
#[derive(Debug, Clone)]
pub struct StackFrame {
    /// The file.
    pub path: PathBuf,
    /// What its header says; `None` where that could not be read.
    pub probe: Option<Probe>,
    /// [`FrameStatus::Used`] where it takes part.
    pub status: FrameStatus,
    /// Why it does not take part, without a full stop.
    pub reason: Option<String>,
}

impl Stack {
    /// The numbers of the frames that take part, in stack order.
    pub fn used(&self) -> impl Iterator<Item = usize> {
        let used = |(_, frame): &(usize, &StackFrame)| frame.status == FrameStatus::Used;
        self.frames.iter().enumerate().filter(used).map(|(n, _)| n)
    }
}

/// Lists the photographs of `inputs` (files or folders), reads their headers
/// and decides who takes part.
///
/// A photograph whose header cannot be read has [`FrameStatus::Failed`]; one of
/// another size than most has [`FrameStatus::Excluded`]. Each costs a warning.
///
/// # Errors
///
/// If an input is missing, if there are no photographs, if two sizes are
/// equally common, if fewer than two of several photographs are left, if a
/// single one cannot be read, and if the job is cancelled.
pub fn gather(inputs: &[PathBuf], limits: &Limits, job: &Job) -> Result<Stack> {
    let listing = photo::list(inputs)?;
    for skipped in &listing.skipped {
        job.note(format!(
            "{} {}; passed over",
            skipped.path.display(),
            skipped.reason
        ));
    }
    job.begin(Phase::Listing, listing.photos.len());
    let probes: Vec<Result<Probe>> = listing
        .photos
        .par_iter()
        .map(|path| {
            job.check()?;
            let probe = photo::probe(path, limits);
            job.step();
            probe
        })
        .collect();
    job.check()?;

    let first_fault = probes
        .iter()
        .find_map(|probe| probe.as_ref().err())
        .cloned();
    let mut frames: Vec<StackFrame> = listing
        .photos
        .into_iter()
        .zip(probes)
        .map(|(path, probe)| StackFrame::new(path, probe, job))
        .collect();
    if frames.iter().all(|frame| frame.probe.is_none()) {
        return Err(none_left(frames.len(), first_fault));
    }
    let (width, height) = usual_size(&frames)?;
    let excluded = exclude_other_sizes(&mut frames, (width, height), job);
    let stack = Stack {
        frames,
        width,
        height,
    };
    match (stack.used().count(), stack.frames.len()) {
        (1, 1) => job.warn(format!(
            "{} is the only frame; it stacks to itself",
            stack.frames[0].path.display()
        )),
        (0 | 1, total) => {
            let fault = first_fault.map(|fault| fault.to_string()).or(excluded);
            return Err(Error::job(
                format!("fewer than two frames are left of {total}"),
                fault.unwrap_or_else(|| "give more photographs".into()),
            ));
        }
        _ => tell_of_mixtures(&stack, job),
    }
    Ok(stack)
}

impl StackFrame {
    fn new(path: PathBuf, probe: Result<Probe>, job: &Job) -> Self {
        match probe {
            Ok(probe) => Self {
                path,
                probe: Some(probe),
                status: FrameStatus::Used,
                reason: None,
            },
            Err(fault) => {
                job.warn(format!("{fault}; the stack goes on without it"));
                Self {
                    path,
                    probe: None,
                    status: FrameStatus::Failed,
                    reason: Some(fault.problem()),
                }
            }
        }
    }

    fn size(&self) -> Option<(usize, usize)> {
        self.probe.as_ref().map(|probe| (probe.width, probe.height))
    }
}

fn none_left(total: usize, first_fault: Option<Error>) -> Error {
    match first_fault {
        Some(fault) if total == 1 => fault,
        Some(fault) => Error::job(
            format!("none of the {total} photographs can be read"),
            format!("the first fault is {fault}"),
        ),
        None => Error::job("there are no photographs", "give some"),
    }
}

/// The size that more frames have than any other.
fn usual_size(frames: &[StackFrame]) -> Result<(usize, usize)> {
    let mut sizes: BTreeMap<(usize, usize), Vec<&Path>> = BTreeMap::new();
    for frame in frames {
        if let Some(size) = frame.size() {
            sizes.entry(size).or_default().push(&frame.path);
        }
    }
    let most = sizes.values().map(Vec::len).max().unwrap_or(0);
    let usual: Vec<_> = sizes
        .iter()
        .filter(|(_, paths)| paths.len() == most)
        .collect();
    if let [(size, _)] = usual[..] {
        return Ok(*size);
    }
    let examples: Vec<String> = usual
        .iter()
        .take(3)
        .map(|(size, paths)| {
            let example = paths[0].display();
            format!("{} of {} such as {example}", paths.len(), pixels(**size))
        })
        .collect();
    Err(Error::job(
        format!(
            "the frames differ in size and no size is the most common: {}",
            examples.join(", ")
        ),
        "stack the photographs of one size at a time",
    ))
}

/// Leaves out the frames that are not `size`; gives the last reason.
fn exclude_other_sizes(
    frames: &mut [StackFrame],
    size: (usize, usize),
    job: &Job,
) -> Option<String> {
    let mut last = None;
    for frame in frames {
        let Some(own) = frame.size().filter(|own| *own != size) else {
            continue;
        };
        let reason = format!("is {}, while the stack is {}", pixels(own), pixels(size));
        let message = format!("{} {reason}; it is left out", frame.path.display());
        job.warn(message.clone());
        frame.status = FrameStatus::Excluded;
        frame.reason = Some(reason);
        last = Some(message);
    }
    last
}

/// Warns where frames of different kinds are fused into one picture.
fn tell_of_mixtures(stack: &Stack, job: &Job) {
    let probes = || {
        stack
            .used()
            .filter_map(|number| stack.frames[number].probe.as_ref())
    };
    let total = probes().count();
    let eight = probes().filter(|probe| probe.bits == 8).count();
    if eight != 0 && eight != total {
        job.warn(format!(
            "{eight} of {total} frames have 8 bits per sample and the others 16; tones are only \
             as fine as in the frame that is sharpest there"
        ));
    }
    let grey = probes()
        .filter(|probe| probe.colour == Colour::Grey)
        .count();
    if grey != 0 && grey != total {
        job.warn(format!(
            "{grey} of {total} frames are grey and the others in colour; the result is grey where \
             a grey frame is sharpest"
        ));
    }
}

fn pixels((width, height): (usize, usize)) -> String {
    format!("{width}×{height}")
}

/// Where the result goes if the user does not say: `<folder>-stacked.tif`
/// beside the folder of the photographs, or `-stacked-2.tif` and so on where
/// that exists. The first of `inputs` decides: the folder that it is, or that
/// it lies in.
///
/// # Errors
///
/// If that input does not exist, and [`Error::Usage`] if its folder has no
/// folder beside it, because it is the root.
pub fn default_output(inputs: &[PathBuf]) -> Result<PathBuf> {
    let input = inputs
        .first()
        .ok_or_else(|| Error::Usage("no photographs are given".into()))?;
    let folder = if input.is_dir() {
        input.as_path()
    } else {
        parent(input)
    };
    let absent = |error| {
        Error::file(
            input,
            format!("cannot be found ({error})"),
            "check its name",
        )
    };
    // A photograph may be a link to one elsewhere: what counts is the link.
    input.symlink_metadata().map_err(absent)?;
    let folder = folder.canonicalize().map_err(absent)?;
    let (Some(name), Some(beside)) = (folder.file_name(), folder.parent()) else {
        return Err(Error::Usage(format!(
            "nothing lies beside {}; say with -o where the result goes",
            folder.display()
        )));
    };
    let candidate = |number: usize| {
        let mut name = name.to_owned();
        name.push("-stacked");
        if number > 1 {
            name.push(format!("-{number}"));
        }
        name.push(".tif");
        beside.join(name)
    };
    let mut number = 1;
    while candidate(number).symlink_metadata().is_ok() {
        number += 1;
    }
    Ok(candidate(number))
}

/// Checks, before any work is done, that `out` may be written: that it is none
/// of the photographs of `inputs` (whatever `overwrite` says, and by whatever
/// name or link it is called), that it is new or `overwrite` is set, and that
/// its folder takes new files.
///
/// # Errors
///
/// [`Error::File`] that names the file or folder at fault.
pub fn check_output(out: &Path, inputs: &[PathBuf], overwrite: bool) -> Result<()> {
    if out.is_dir() {
        return Err(Error::file(out, "is a folder", "give the name of a file"));
    }
    let folder = parent(out);
    if !folder.exists() {
        return Err(Error::file(
            folder,
            "does not exist",
            "make the folder first, or choose another",
        ));
    }
    if !folder.is_dir() {
        return Err(Error::file(folder, "is not a folder", "choose another"));
    }
    if out.symlink_metadata().is_ok() {
        let photos = if inputs.is_empty() {
            Vec::new()
        } else {
            photo::list(inputs)?.photos
        };
        if photos.iter().any(|photo| photo::same_file(out, photo)) {
            return Err(Error::file(
                out,
                "is one of the frames",
                "choose another name",
            ));
        }
        if !overwrite {
            return Err(Error::file(
                out,
                "exists already",
                "choose another name, or allow replacing it (--overwrite)",
            ));
        }
    }
    // Permissions, read-only disks and quotas all show in the attempt.
    tempfile::tempfile_in(folder).map_err(|error| {
        Error::file(
            folder,
            format!("takes no new files ({error})"),
            "choose another folder, or change its permissions",
        )
    })?;
    Ok(())
}

/// The folder that `path` lies in, which is `.` for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::Event;
    use std::fs;
    use std::sync::{Arc, Mutex};

    /// A folder with the photographs `(name, width, height)`, 8-bit RGB.
    fn folder(photos: &[(&str, u32, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, width, height) in photos {
            let path = folder.path().join(name);
            image::RgbImage::new(*width, *height).save(path).unwrap();
        }
        folder
    }

    /// Gathers a folder; the second value is what was said on the way.
    fn gather_folder(folder: &Path) -> (Result<Stack>, Vec<String>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let job = {
            let said = Arc::clone(&said);
            Job::new(move |event| match event {
                Event::Warned(text) => said.lock().unwrap().push(format!("warned: {text}")),
                Event::Noted(text) => said.lock().unwrap().push(format!("noted: {text}")),
                _ => {}
            })
        };
        let stack = gather(&[folder.to_owned()], &Limits::default(), &job);
        let said = said.lock().unwrap().clone();
        (stack, said)
    }

    fn statuses(stack: &Stack) -> Vec<FrameStatus> {
        stack.frames.iter().map(|frame| frame.status).collect()
    }

    #[test]
    fn a_sound_stack_is_gathered_without_a_word() {
        let folder = folder(&[("IMG_10.png", 8, 6), ("IMG_9.png", 8, 6)]);
        let (stack, said) = gather_folder(folder.path());
        let stack = stack.unwrap();
        assert_eq!(statuses(&stack), [FrameStatus::Used; 2]);
        assert!(stack.frames[0].path.ends_with("IMG_9.png"));
        assert_eq!((stack.width, stack.height), (8, 6));
        assert_eq!(said, [""; 0]);
    }

    #[test]
    fn what_is_no_photograph_is_noted() {
        let folder = folder(&[("a.png", 8, 6), ("b.png", 8, 6)]);
        fs::write(folder.path().join("notes.txt"), "hello").unwrap();
        let (stack, said) = gather_folder(folder.path());
        assert_eq!(stack.unwrap().frames.len(), 2);
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("noted: ") && said[0].contains("notes.txt"));
    }

    #[test]
    fn a_bad_file_costs_that_frame() {
        let folder = folder(&[("a.png", 8, 6), ("c.png", 8, 6)]);
        fs::write(folder.path().join("b.png"), "no picture").unwrap();
        let (stack, said) = gather_folder(folder.path());
        let stack = stack.unwrap();
        use FrameStatus::{Failed, Used};
        assert_eq!(statuses(&stack), [Used, Failed, Used]);
        assert!(stack.frames[1].reason.is_some() && stack.frames[1].probe.is_none());
        assert_eq!(stack.used().collect::<Vec<_>>(), [0, 2]);
        assert!(said[0].starts_with("warned: ") && said[0].contains("b.png"));
    }

    #[test]
    fn one_frame_left_of_two_is_too_few() {
        let folder = folder(&[("a.png", 8, 6)]);
        fs::write(folder.path().join("b.png"), "no picture").unwrap();
        let error = gather_folder(folder.path()).0.unwrap_err().to_string();
        assert!(
            error.contains("fewer than two frames are left of 2"),
            "{error}"
        );
        assert!(error.contains("b.png"), "{error}");
    }

    #[test]
    fn none_left_names_the_first_fault() {
        let folder = folder(&[]);
        for name in ["a.png", "b.png"] {
            fs::write(folder.path().join(name), "no picture").unwrap();
        }
        let error = gather_folder(folder.path()).0.unwrap_err().to_string();
        assert!(error.contains("none of the 2 photographs"), "{error}");
        assert!(error.contains("a.png"), "{error}");
    }

    #[test]
    fn one_photograph_is_a_stack_with_a_warning() {
        let folder = folder(&[("a.png", 8, 6)]);
        let (stack, said) = gather_folder(folder.path());
        assert_eq!(statuses(&stack.unwrap()), [FrameStatus::Used]);
        assert!(said[0].starts_with("warned: ") && said[0].contains("only frame"));
    }

    #[test]
    fn the_most_common_size_wins() {
        let sizes = [
            ("a.png", 6, 8),
            ("b.png", 8, 6),
            ("c.png", 8, 6),
            ("d.png", 9, 9),
        ];
        let folder = folder(&sizes);
        let (stack, said) = gather_folder(folder.path());
        let stack = stack.unwrap();
        use FrameStatus::{Excluded, Used};
        assert_eq!(statuses(&stack), [Excluded, Used, Used, Excluded]);
        assert_eq!((stack.width, stack.height), (8, 6));
        let reason = stack.frames[0].reason.as_deref().unwrap();
        assert!(reason.contains("6×8") && reason.contains("8×6"), "{reason}");
        assert_eq!(said.len(), 2);
        assert!(said[1].contains("d.png") && said[1].contains("9×9"));
    }

    #[test]
    fn an_even_split_of_sizes_is_an_error() {
        let sizes = [
            ("a.png", 6, 8),
            ("b.png", 8, 6),
            ("c.png", 8, 6),
            ("d.png", 6, 8),
        ];
        let folder = folder(&sizes);
        let error = gather_folder(folder.path()).0.unwrap_err().to_string();
        for part in [
            "2 of 6×8",
            "2 of 8×6",
            "a.png",
            "b.png",
            "one size at a time",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn mixed_depths_and_colours_are_taken_with_a_warning() {
        let folder = folder(&[("a.png", 8, 6), ("b.png", 8, 6)]);
        let deep = image::ImageBuffer::<image::Luma<u16>, _>::new(8, 6);
        deep.save(folder.path().join("c.png")).unwrap();
        let (stack, said) = gather_folder(folder.path());
        assert_eq!(stack.unwrap().used().count(), 3);
        assert!(said[0].contains("2 of 3 frames have 8 bits"), "{said:?}");
        assert!(said[1].contains("1 of 3 frames are grey"), "{said:?}");
    }

    #[test]
    fn a_cancelled_job_gathers_nothing() {
        let folder = folder(&[("a.png", 8, 6)]);
        let job = Job::silent();
        job.cancel();
        let result = gather(&[folder.path().to_owned()], &Limits::default(), &job);
        assert_eq!(result.unwrap_err(), Error::Cancelled);
    }

    /// `<folder>/stack/a.png` and the result of `default_output` for `input`
    /// in it, as a name in `<folder>`.
    fn default_name(folder: &Path, input: &str) -> String {
        let out = default_output(&[folder.join(input)]).unwrap();
        assert_eq!(out.parent().unwrap(), folder.canonicalize().unwrap());
        out.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_result_goes_beside_the_folder() {
        let folder = folder(&[]);
        fs::create_dir_all(folder.path().join("stack.v2/inner")).unwrap();
        fs::write(folder.path().join("stack.v2/a.png"), "").unwrap();
        for input in [
            "stack.v2",
            "stack.v2/",
            "stack.v2/.",
            "stack.v2/inner/..",
            "stack.v2/a.png",
        ] {
            assert_eq!(default_name(folder.path(), input), "stack.v2-stacked.tif");
        }
    }

    #[test]
    fn results_are_numbered_on() {
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("s")).unwrap();
        for expected in ["s-stacked.tif", "s-stacked-2.tif", "s-stacked-3.tif"] {
            assert_eq!(default_name(folder.path(), "s"), expected);
            fs::write(folder.path().join(expected), "").unwrap();
        }
    }

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        // Tests run in the crate's folder.
        let here = Path::new(".").canonicalize().unwrap();
        let expected = format!("{}-stacked.tif", here.file_name().unwrap().display());
        for input in [".", "Cargo.toml", "src/.."] {
            let out = default_output(&[input.into()]).unwrap();
            assert_eq!(out, here.with_file_name(&expected));
        }
    }

    #[test]
    fn nothing_lies_beside_the_root() {
        let error = default_output(&["/".into()]).unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
    }

    #[test]
    fn a_missing_input_has_no_default_output() {
        let error = default_output(&["no/such/folder".into()]).unwrap_err();
        assert!(error.to_string().contains("no/such/folder"));
    }

    #[test]
    fn a_new_output_in_a_sound_folder_is_fine() {
        let folder = folder(&[("a.png", 8, 6)]);
        let inputs = [folder.path().to_owned()];
        let out = folder.path().join("out.tif");
        assert_eq!(check_output(&out, &inputs, false), Ok(()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_output_needs_overwrite() {
        let folder = folder(&[("a.png", 8, 6)]);
        let inputs = [folder.path().join("a.png")];
        let out = folder.path().join("out.tif");
        fs::write(&out, "mine").unwrap();
        let error = check_output(&out, &inputs, false).unwrap_err().to_string();
        assert!(error.contains("out.tif: exists already"), "{error}");
        assert!(error.contains("--overwrite"), "{error}");
        assert_eq!(check_output(&out, &inputs, true), Ok(()));
        assert_eq!(fs::read(&out).unwrap(), b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn no_name_of_a_frame_is_an_output() {
        let folder = folder(&[("a.png", 8, 6), ("b.png", 8, 6)]);
        let frame = folder.path().join("a.png");
        let elsewhere = tempfile::tempdir().unwrap();
        let soft = elsewhere.path().join("soft.png");
        let hard = elsewhere.path().join("hard.png");
        std::os::unix::fs::symlink(&frame, &soft).unwrap();
        fs::hard_link(&frame, &hard).unwrap();
        let dotted = folder
            .path()
            .join("../")
            .join(folder.path().file_name().unwrap());
        for inputs in [[folder.path().to_owned()], [frame.clone()]] {
            for out in [&frame, &soft, &hard, &dotted.join("a.png")] {
                for overwrite in [false, true] {
                    let error = check_output(out, &inputs, overwrite).unwrap_err();
                    assert_eq!(
                        error,
                        Error::file(out, "is one of the frames", "choose another name")
                    );
                }
            }
        }
    }

    #[test]
    fn the_folder_of_an_output_is_looked_at() {
        let folder = folder(&[("a.png", 8, 6)]);
        let inputs = [folder.path().to_owned()];
        let missing = folder.path().join("missing");
        let file = folder.path().join("a.png");
        for (out, culprit, problem) in [
            (missing.join("out.tif"), &missing, "does not exist"),
            (file.join("out.tif"), &file, "is not a folder"),
            (
                folder.path().to_owned(),
                &folder.path().to_owned(),
                "is a folder",
            ),
        ] {
            let error = check_output(&out, &inputs, true).unwrap_err().to_string();
            let start = format!("{}: {problem}", culprit.display());
            assert!(error.starts_with(&start), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_takes_no_files_is_named() {
        // Not even root makes files in /proc/self.
        let error = check_output(Path::new("/proc/self/out.tif"), &[], false).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/proc/self: takes no new files")
        );
    }
}
