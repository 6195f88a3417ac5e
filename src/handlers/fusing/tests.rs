use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::core::align::Method as AlignMethod;
use crate::core::fuse::Method;
use crate::core::warp::Exposure;
use crate::demo::{DemoStack, Scene, SceneOptions};
use crate::handlers::{Event, FrameStatus, alignment, file};
use crate::photo::{self, Encoding, Format, Limits, Photo};

const FRAMES: usize = 6;

/// Rendered frames on disk, and the options to fuse them.
struct Material {
    folder: tempfile::TempDir,
    /// A frame that cannot be read any more when it is to be fused.
    bad: Option<usize>,
    method: Method,
    options: StackOptions,
}

impl Material {
    fn new(width: usize, height: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = DemoStack::new(&SceneOptions {
            width,
            height,
            frames: FRAMES,
            ..SceneOptions::new(Scene::Bumpy)
        });
        let encoding = Encoding {
            format: Format::Tiff,
            bits: 8,
            ..Encoding::default()
        };
        for i in 0..FRAMES {
            let path = folder.path().join(format!("{i}.tif"));
            photo::write(&path, &demo.frame(i, 8), &encoding, true, &|| true).unwrap();
        }
        let mut options = StackOptions::default();
        options.align.method = AlignMethod::None;
        options.align.match_exposure = false;
        Self {
            folder,
            bad: None,
            method: Method::Pyramid,
            options,
        }
    }

    fn frame(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("{number}.tif"))
    }

    fn aligned(&self) -> Aligned {
        let job = Job::silent();
        let inputs = [self.folder.path().to_owned()];
        let stack = file::gather(&inputs, &Limits::default(), &job).unwrap();
        alignment::analyse(stack, &self.options, &job).unwrap()
    }

    /// What becomes of the stack, by `helper` or without one.
    fn fused(&self, helper: Option<&Helper>) -> Outcome {
        self.watched(helper, Watcher::new()).unwrap()
    }

    fn watched(&self, helper: Option<&Helper>, watcher: Watcher) -> Result<Outcome> {
        let mut aligned = self.aligned();
        if let Some(bad) = self.bad {
            aligned.stack.frames[bad].path = self.frame(99);
        }
        let area = aligned.area(true)?;
        let wish = fuse::Options::from(self.method);
        let Watcher { job, steps, total } = &watcher;
        let (fused, by_helper) = fuse(
            &mut aligned,
            area,
            &wish,
            helper,
            &self.options,
            job,
            Beside::default(),
        )?;
        assert_eq!(
            steps.load(Ordering::SeqCst),
            total.load(Ordering::SeqCst),
            "steps"
        );
        Ok(Outcome {
            fused,
            by_helper,
            warnings: job.warnings(),
            sharpness: aligned.sharpness,
            status: aligned.stack.frames.iter().map(|f| f.status).collect(),
        })
    }
}

struct Outcome {
    fused: Fused,
    by_helper: bool,
    warnings: Vec<String>,
    sharpness: Vec<Option<f64>>,
    status: Vec<FrameStatus>,
}

/// A job that sees to it that progress is never more than was promised, and
/// that fusing begins once.
struct Watcher {
    job: Arc<Job>,
    steps: Arc<AtomicUsize>,
    total: Arc<AtomicUsize>,
}

impl Watcher {
    fn new() -> Self {
        let steps = Arc::new(AtomicUsize::new(0));
        let total = Arc::new(AtomicUsize::new(0));
        let (told, promised) = (Arc::clone(&steps), Arc::clone(&total));
        let job = Job::new(move |event| match event {
            Event::Began { total, .. } => {
                assert_eq!(promised.swap(total, Ordering::SeqCst), 0, "begun twice");
            }
            Event::Stepped => {
                let step = told.fetch_add(1, Ordering::SeqCst);
                assert!(step < promised.load(Ordering::SeqCst), "beyond the end");
            }
            Event::Warned(_) | Event::Noted(_) => (),
        });
        let job = Arc::new(job);
        Self { job, steps, total }
    }
}

/// When a helper fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Never,
    /// When this many frames were added, counted from its beginning.
    After(usize),
    Finishing,
    /// At the first frame of what is too tall, and not before.
    Late,
}

/// The processor in disguise, which fails when it is told to.
struct Faulty {
    fusion: Box<dyn Fusion>,
    fault: Fault,
    is_too_tall: bool,
    added: Arc<AtomicUsize>,
    at_fault: Arc<dyn Fn() + Send + Sync>,
}

impl Faulty {
    fn fail(&self) -> Error {
        (self.at_fault)();
        Error::job("the device Glass broke: a crack", "use another one")
    }
}

impl Fusion for Faulty {
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        if self.is_too_tall {
            return Err(Error::job("the device Glass is full", "use another one"));
        }
        if self.fault == Fault::After(self.added.fetch_add(1, Ordering::SeqCst)) {
            return Err(self.fail());
        }
        self.fusion.add(index, photo, pose, exposure, keep_going)
    }

    fn is_settled(&self) -> bool {
        self.added.load(Ordering::SeqCst) > 0
    }

    fn finish(self: Box<Self>, keep_going: KeepGoing) -> Result<Fused> {
        if self.fault == Fault::Finishing {
            return Err(self.fail());
        }
        self.fusion.finish(keep_going)
    }
}

/// Calls `test` with a helper that has room for `rows` rows and fails as
/// `fault` says, calling `at_fault` just before.
fn with_helper<T>(
    rows: usize,
    fault: Fault,
    at_fault: impl Fn() + Send + Sync + 'static,
    test: impl FnOnce(&Helper) -> T,
) -> T {
    let added = Arc::new(AtomicUsize::new(0));
    let at_fault: Arc<dyn Fn() + Send + Sync> = Arc::new(at_fault);
    let faulty = |fusion, is_too_tall| -> Box<dyn Fusion> {
        Box::new(Faulty {
            fusion,
            fault,
            is_too_tall,
            added: Arc::clone(&added),
            at_fault: Arc::clone(&at_fault),
        })
    };
    let begin = |wish: &fuse::Options, area: Area| -> Result<Box<dyn Fusion>> {
        let is_too_tall = area.height > rows;
        if is_too_tall && fault != Fault::Late {
            return Err(Error::job("the device Glass is full", "use another one"));
        }
        Ok(faulty(wish.on_cpu(area), is_too_tall))
    };
    let again = |wish: &fuse::Options, found: Fused, veil, keep_going: KeepGoing| {
        let [width, height] = found.picture.size();
        let area = Area {
            x: 0,
            y: 0,
            width,
            height,
        };
        let second = wish.second(found, veil, area, None, keep_going)?;
        Ok(match second {
            Second::Look(fusion) => Second::Look(faulty(fusion, false)),
            none => none,
        })
    };
    test(&Helper {
        name: "Glass",
        begin: &begin,
        again: &again,
        release: &|| false,
    })
}

/// The processor's picture, and one warning that contains `words`.
#[track_caller]
fn assert_taken_over(outcome: &Outcome, right: &Outcome, words: &str) {
    assert!(!outcome.by_helper);
    assert!(outcome.fused == right.fused, "another picture");
    assert_eq!(outcome.sharpness, right.sharpness);
    assert_eq!(outcome.status, right.status);
    let told = |warning: &&String| warning.contains("Glass");
    let told: Vec<_> = outcome.warnings.iter().filter(told).collect();
    assert_eq!(told.len(), 1, "{:?}", outcome.warnings);
    assert!(told[0].contains(words) && told[0].ends_with("the processor does the work"));
    assert_eq!(outcome.warnings.len(), right.warnings.len() + 1);
}

#[test]
fn a_helper_that_works_makes_the_picture() {
    let material = Material::new(120, 90);
    let right = material.fused(None);
    let outcome = with_helper(90, Fault::Never, || (), |h| material.fused(Some(h)));
    assert!(outcome.by_helper && outcome.fused == right.fused);
    assert_eq!(outcome.warnings, [""; 0]);
}

#[test]
fn whenever_a_helper_fails_the_processor_makes_its_own_picture() {
    let material = Material::new(120, 90);
    let right = material.fused(None);
    assert!(right.sharpness.iter().all(Option::is_some));
    let moments = (0..FRAMES).map(Fault::After);
    for fault in moments.chain([Fault::Finishing]) {
        let outcome = with_helper(90, fault, || (), |h| material.fused(Some(h)));
        assert_taken_over(&outcome, &right, "a crack");
    }
}

#[test]
fn a_helper_may_fail_in_its_second_look() {
    let mut material = Material::new(120, 90);
    material.method = Method::Depth;
    let right = material.fused(None);
    let outcome = with_helper(90, Fault::Never, || (), |h| material.fused(Some(h)));
    assert!(outcome.by_helper && outcome.fused == right.fused);
    for fault in [Fault::After(FRAMES), Fault::After(FRAMES + 2)] {
        let outcome = with_helper(90, fault, || (), |h| material.fused(Some(h)));
        assert_taken_over(&outcome, &right, "a crack");
    }
}

#[test]
fn a_bad_frame_is_left_out_once_whoever_meets_it() {
    let mut material = Material::new(120, 90);
    material.bad = Some(1);
    let right = material.fused(None);
    assert_eq!(right.status[1], FrameStatus::Failed);
    assert_eq!(right.warnings.len(), 1);
    for fault in [Fault::After(0), Fault::After(3), Fault::Finishing] {
        let outcome = with_helper(90, fault, || (), |h| material.fused(Some(h)));
        assert_taken_over(&outcome, &right, "a crack");
    }
}

#[test]
fn a_frame_that_is_gone_when_it_is_read_again_is_left_out() {
    let material = Material::new(120, 90);
    let gone = material.frame(0);
    let remove = move || std::fs::remove_file(&gone).unwrap();
    let outcome = with_helper(90, Fault::After(3), remove, |h| material.fused(Some(h)));
    assert!(!outcome.by_helper);
    assert_eq!(outcome.status[0], FrameStatus::Failed);
    assert!(!outcome.fused.index.contains(&0));
    assert_eq!(outcome.warnings.len(), 2, "{:?}", outcome.warnings);
}

#[test]
fn a_job_can_be_cancelled_when_its_helper_has_failed() {
    let material = Material::new(120, 90);
    let watcher = Watcher::new();
    let job = Arc::clone(&watcher.job);
    let cancel = move || job.cancel();
    let stopped = with_helper(90, Fault::After(3), cancel, |helper| {
        material.watched(Some(helper), watcher).err()
    });
    assert_eq!(stopped, Some(Error::Cancelled));
}

#[test]
fn what_does_not_fit_is_fused_in_bands() {
    let material = Material::new(60, 1600);
    let right = material.fused(None);
    // Whether it says so at once, or when the memory is used.
    for fault in [Fault::Never, Fault::Late] {
        assert_fused_in_bands(&material, &right, fault);
    }
}

#[track_caller]
fn assert_fused_in_bands(material: &Material, right: &Outcome, fault: Fault) {
    // In two bands there are 1056 rows and more, in four 912.
    let rows = Mutex::new(Vec::new());
    let outcome = with_helper(
        1000,
        fault,
        || (),
        |helper| {
            let begin = |wish: &fuse::Options, area: Area| {
                rows.lock().unwrap().push(area.height);
                (helper.begin)(wish, area)
            };
            let helper = Helper {
                name: helper.name,
                begin: &begin,
                ..*helper
            };
            material.fused(Some(&helper))
        },
    );
    let rows = rows.into_inner().unwrap();
    assert!(
        rows.iter().filter(|&&rows| rows <= 1000).count() > 1,
        "{rows:?}"
    );
    assert!(outcome.by_helper);
    assert_eq!(outcome.warnings, [""; 0]);
    assert_eq!(outcome.sharpness, right.sharpness);
    let planes = [right, &outcome].map(|outcome| outcome.fused.picture.channels());
    let [right, own] = planes
        .each_ref()
        .map(|planes| planes.iter().flat_map(|plane| &plane.data));
    for (a, b) in right.zip(own) {
        assert!((a - b).abs() < 0.01);
    }
}

#[test]
fn a_helper_that_fails_in_a_band_is_replaced_as_well() {
    let mut material = Material::new(60, 1600);
    material.bad = Some(2);
    let right = material.fused(None);
    for fault in [1, FRAMES, 2 * FRAMES - 1].map(Fault::After) {
        let outcome = with_helper(1000, fault, || (), |h| material.fused(Some(h)));
        assert_taken_over(&outcome, &right, "a crack");
    }
}

#[test]
fn what_does_not_fit_in_bands_either_is_the_processors_from_the_start() {
    let material = Material::new(60, 1600);
    let right = material.fused(None);
    for fault in [Fault::Never, Fault::Late] {
        let outcome = with_helper(300, fault, || (), |h| material.fused(Some(h)));
        assert_taken_over(&outcome, &right, "is full");
    }
}

#[test]
fn frames_that_a_helper_holds_make_room_for_its_work() {
    let material = Material::new(60, 600);
    let right = material.fused(None);
    let held = Mutex::new(true);
    let asked = AtomicUsize::new(0);
    let outcome = with_helper(
        600,
        Fault::Never,
        || (),
        |helper| {
            let begin = |wish: &fuse::Options, area: Area| {
                asked.fetch_add(1, Ordering::SeqCst);
                match *held.lock().unwrap() {
                    true => Err(Error::job("the device Glass is full", "use another one")),
                    false => (helper.begin)(wish, area),
                }
            };
            let helper = Helper {
                begin: &begin,
                release: &|| std::mem::replace(&mut held.lock().unwrap(), false),
                ..*helper
            };
            material.fused(Some(&helper))
        },
    );
    assert!(outcome.by_helper && outcome.fused == right.fused);
    assert_eq!((asked.into_inner(), outcome.warnings.len()), (2, 0));
}
