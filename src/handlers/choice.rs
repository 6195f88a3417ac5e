//! Which device does the work of a job.
//!
//! Automatic takes a graphics processor that gives right pictures and is faster
//! than the processor. What was found out of that is kept for some days, for
//! this driver and this version of the program.

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cache::{self, Cache};
use super::{Device, Job};
use crate::core::device::{self, OpenClDevice, candidates, opencl_devices};
use crate::core::trial::speed;
use crate::{Error, Result};

/// How long it counts what was found out about a device: it may have been busy.
const COUNTS: Duration = Duration::from_secs(7 * 24 * 3600);
/// The most bytes that are kept of devices.
const LIMIT: u64 = 1 << 20;

/// What was found out about a device. Speeds are in pixels of frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It gives right pictures.
    Right {
        /// How fast it fuses.
        speed: f64,
        /// How fast the processor does.
        processor: f64,
    },
    /// It gives wrong pictures.
    Wrong,
}

impl Verdict {
    /// Whether automatic takes the device.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Right { speed, processor } if speed > processor)
    }
}

/// Something that was found out, and when.
#[derive(Debug, Serialize, Deserialize)]
struct Entry<T> {
    verdict: T,
    /// Seconds since 1970.
    at: u64,
}

impl<T> Entry<T> {
    /// Whether it is new enough.
    fn counts(&self) -> bool {
        let age = now().checked_sub(self.at);
        age.is_some_and(|age| age < COUNTS.as_secs())
    }
}

/// The verdicts that are known.
#[derive(Debug, Clone)]
pub struct Verdicts {
    cache: Cache,
}

impl Verdicts {
    /// Those of this user.
    pub fn of_platform() -> Self {
        let folder = cache::folder().map(|folder| folder.join("devices"));
        Self {
            cache: folder.map_or(Cache::none(), |folder| Cache::new(folder, LIMIT)),
        }
    }

    /// What is known of a device, beside a processor with so many threads.
    pub fn recall(&self, device: &OpenClDevice, threads: usize) -> Option<Verdict> {
        self.recall_as(&identity(device, threads))
    }

    /// Whether automatic may take a device, as far as is known.
    fn may_be_good(&self, device: &OpenClDevice, threads: usize) -> bool {
        self.recall(device, threads).is_none_or(Verdict::is_good)
    }

    /// Keeps what was found out about a device.
    pub fn keep(&self, device: &OpenClDevice, threads: usize, verdict: Verdict) {
        self.keep_as(&identity(device, threads), verdict);
    }

    /// Whether automatic took a device the last time, beside a processor with so many
    /// threads, if that is known: to know it no driver need be woken.
    pub fn expectation(&self, threads: usize) -> Option<bool> {
        self.recall_as(&expectation(threads))
    }

    /// Keeps whether automatic takes a device.
    fn expect(&self, takes_one: bool, threads: usize) {
        if self.expectation(threads) != Some(takes_one) {
            self.keep_as(&expectation(threads), takes_one);
        }
    }

    fn recall_as<T: DeserializeOwned>(&self, identity: &str) -> Option<T> {
        let kept = self.cache.recall(identity)?;
        let entry: Entry<T> = serde_json::from_slice(&kept).ok()?;
        entry.counts().then_some(entry.verdict)
    }

    fn keep_as<T: Serialize>(&self, identity: &str, verdict: T) {
        let entry = Entry { verdict, at: now() };
        if let Ok(text) = serde_json::to_vec(&entry) {
            self.cache.keep(identity, &text);
            self.cache.trim();
        }
    }
}

/// What must be the same for an expectation to be met.
fn expectation(threads: usize) -> String {
    let own = env!("CARGO_PKG_VERSION");
    let wish = device::wish().unwrap_or_default();
    format!("expectation\n{own}\n{threads}\n{wish}\n")
}

/// What must be the same for a verdict to be true still.
fn identity(device: &OpenClDevice, threads: usize) -> String {
    let OpenClDevice {
        name,
        vendor,
        platform,
        version,
        driver,
        compute_units,
        ..
    } = device;
    let own = env!("CARGO_PKG_VERSION");
    format!(
        "device\n{name}\n{vendor}\n{platform}\n{version}\n{driver}\n{compute_units}\n{own}\n\
         {threads}\n"
    )
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// How devices are tried out.
struct Means<'a> {
    is_right: &'a dyn Fn(&OpenClDevice) -> Result<bool>,
    /// The speed of a device, or of the processor.
    speed: &'a dyn Fn(Option<&OpenClDevice>) -> Result<f64>,
    verdicts: Verdicts,
}

/// The OpenCL device that does the work; `None` is the processor.
///
/// # Errors
///
/// If a certain device is asked for that does not exist, fails, or gives wrong
/// pictures, and if the job is cancelled.
pub fn choose(device: Device, job: &Job) -> Result<Option<OpenClDevice>> {
    if device == Device::Cpu {
        return Ok(None);
    }
    let devices = opencl_devices();
    let Device::OpenCl(number) = device else {
        let means = Means {
            is_right: &device::is_right,
            speed: &speed,
            verdicts: Verdicts::of_platform(),
        };
        let found = automatic(&devices, &means, job)?;
        let threads = rayon::current_num_threads();
        means.verdicts.expect(found.is_some(), threads);
        return Ok(found.cloned());
    };
    let found = named(number, &devices)?;
    device::self_check(found)?;
    Ok(Some(found.clone()))
}

/// The device that [`choose`] will most likely take, beside a processor with so many
/// threads, as far as is known.
pub fn likely(device: Device, threads: usize) -> Option<OpenClDevice> {
    let devices = opencl_devices();
    match device {
        Device::Cpu => None,
        Device::OpenCl(number) => named(number, &devices).ok().cloned(),
        Device::Auto => {
            let verdicts = Verdicts::of_platform();
            let mut candidates = candidates(&devices).into_iter();
            let found = candidates.find(|device| verdicts.may_be_good(device, threads));
            found.cloned()
        }
    }
}

/// Makes sure that a device that is asked for by its number is there.
///
/// # Errors
///
/// If it is not.
pub fn check(device: Device) -> Result<()> {
    match device {
        Device::Auto | Device::Cpu => Ok(()),
        Device::OpenCl(number) => named(number, &opencl_devices()).map(drop),
    }
}

/// The OpenCL device of this number, or the one that suits best.
///
/// # Errors
///
/// If there is none.
pub fn named(number: Option<usize>, devices: &[OpenClDevice]) -> Result<&OpenClDevice> {
    let found = match number {
        Some(number) => devices.get(number),
        None => device::preferred(devices),
    };
    found.ok_or_else(|| {
        let name = number.map_or("opencl".into(), |number| format!("opencl:{number}"));
        let there = devices
            .iter()
            .map(|device| format!("opencl:{} ({})", device.index, device.name));
        let there: Vec<_> = there.chain(["cpu".to_owned()]).collect();
        Error::job(
            format!("there is no device {name}"),
            format!("choose auto or one of {}", there.join(", ")),
        )
    })
}

/// The first candidate that gives right pictures, and faster than the
/// processor.
fn automatic<'a>(
    devices: &'a [OpenClDevice],
    means: &Means,
    job: &Job,
) -> Result<Option<&'a OpenClDevice>> {
    for gpu in candidates(devices) {
        job.check()?;
        let name = &gpu.name;
        match means.verdict(gpu) {
            Ok(verdict) if verdict.is_good() => return Ok(Some(gpu)),
            Ok(Verdict::Wrong) => job.warn(format!(
                "the OpenCL device {name} gives a wrong picture of a test stack and is passed \
                 over; another driver may mend it"
            )),
            Ok(Verdict::Right { speed, processor }) => job.note(format!(
                "the OpenCL device {name} is passed over: it fuses {:.1} megapixels per second, \
                 the processor {:.1}",
                speed / 1e6,
                processor / 1e6
            )),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(fault) => job.note(format!("{}; it is passed over", fault.problem())),
        }
    }
    Ok(None)
}

impl Means<'_> {
    /// What is known of a device, or else is found out. That it failed is not
    /// kept: it may have been another's fault.
    fn verdict(&self, device: &OpenClDevice) -> Result<Verdict> {
        let threads = rayon::current_num_threads();
        if let Some(verdict) = self.verdicts.recall(device, threads) {
            return Ok(verdict);
        }
        let verdict = match (self.is_right)(device)? {
            true => Verdict::Right {
                speed: (self.speed)(Some(device))?,
                processor: (self.speed)(None)?,
            },
            false => Verdict::Wrong,
        };
        self.verdicts.keep(device, threads, verdict);
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs;

    fn gpu(index: usize, compute_units: usize) -> OpenClDevice {
        OpenClDevice {
            index,
            name: format!("Glass {index}"),
            vendor: "Maker".into(),
            platform: "Driver".into(),
            version: "OpenCL 3.0".into(),
            driver: "1.2".into(),
            is_gpu: true,
            memory: 8 << 30,
            compute_units,
            shares_memory: false,
        }
    }

    /// Devices of made-up speeds.
    struct Bench {
        folder: tempfile::TempDir,
        /// Of devices 0 and 1; 0 fails, below 0 is a wrong picture.
        speeds: [f64; 2],
        processor: f64,
        probes: Cell<usize>,
        job: Job,
    }

    impl Bench {
        fn new(speeds: [f64; 2], processor: f64) -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                speeds,
                processor,
                probes: Cell::new(0),
                job: Job::silent(),
            }
        }

        fn verdicts(&self) -> Verdicts {
            Verdicts {
                cache: Cache::new(self.folder.path().to_owned(), LIMIT),
            }
        }

        /// The number of the device that is chosen of `devices`.
        fn choice(&self, devices: &[OpenClDevice]) -> Option<usize> {
            let of = |device: &OpenClDevice| self.speeds[device.index];
            let is_right = |device: &OpenClDevice| {
                self.probes.set(self.probes.get() + 1);
                match of(device) {
                    0.0 => Err(Error::job("Glass is cracked", "mend it")),
                    speed => Ok(speed > 0.0),
                }
            };
            let speed = |device: Option<&OpenClDevice>| Ok(device.map_or(self.processor, of));
            let means = Means {
                is_right: &is_right,
                speed: &speed,
                verdicts: self.verdicts(),
            };
            let found = automatic(devices, &means, &self.job).unwrap();
            found.map(|device| device.index)
        }

        fn file(&self) -> std::path::PathBuf {
            let mut files = fs::read_dir(self.folder.path()).unwrap();
            files.next().unwrap().unwrap().path()
        }
    }

    #[test]
    fn the_first_that_is_faster_than_the_processor_is_chosen() {
        let two = [gpu(0, 80), gpu(1, 40)];
        for (speeds, processor, chosen) in [
            ([5e7, 9e7], 1e7, Some(0)),
            ([5e6, 9e7], 1e7, Some(1)),
            ([1e7, 1e7], 1e7, None),
            ([-1.0, 2e7], 1e7, Some(1)),
            ([0.0, 2e7], 1e7, Some(1)),
            ([0.0, -1.0], 1e7, None),
            ([f64::NAN, 1e6], 1e7, None),
        ] {
            let bench = Bench::new(speeds, processor);
            assert_eq!(bench.choice(&two), chosen, "{speeds:?}");
            // And once more from memory.
            assert_eq!(bench.choice(&two), chosen, "{speeds:?}");
        }
        let player = OpenClDevice {
            is_gpu: false,
            ..gpu(0, 80)
        };
        assert_eq!(Bench::new([9e9, 9e9], 1e7).choice(&[player]), None);
    }

    #[test]
    fn what_devices_there_are_is_told_when_one_is_missing() {
        let two = [gpu(0, 80), gpu(1, 40)];
        assert_eq!(named(Some(1), &two).unwrap().index, 1);
        let fault = named(Some(7), &two).unwrap_err().to_string();
        assert_eq!(
            fault,
            "there is no device opencl:7; choose auto or one of opencl:0 (Glass 0), opencl:1 \
             (Glass 1), cpu"
        );
        assert!(named(None, &[]).unwrap_err().to_string().ends_with("cpu"));
        assert!(check(Device::OpenCl(Some(99))).is_err());
        assert_eq!(check(Device::Auto).and(check(Device::Cpu)), Ok(()));
    }

    #[test]
    fn only_a_wrong_picture_is_worth_a_warning() {
        for (speed, warnings) in [(5e6, 0), (0.0, 0), (5e7, 0), (-1.0, 1)] {
            let bench = Bench::new([speed, 0.0], 1e7);
            bench.choice(&[gpu(0, 80)]);
            let told = bench.job.warnings();
            assert_eq!(told.len(), warnings, "{told:?}");
            assert!(told.iter().all(|told| told.contains("Glass 0")));
        }
    }

    #[test]
    fn why_a_device_is_passed_over_is_told() {
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let notes = std::sync::Arc::clone(&told);
        let mut bench = Bench::new([5e6, 0.0], 1e7);
        bench.job = Job::new(move |event| {
            if let crate::handlers::Event::Noted(note) = event {
                notes.lock().unwrap().push(note);
            }
        });
        bench.choice(&[gpu(0, 80), gpu(1, 40)]);
        let told = told.lock().unwrap();
        assert!(told[0].contains("Glass 0") && told[0].contains("5.0 megapixels"));
        assert!(told[0].contains("the processor 10.0"), "{told:?}");
        assert!(told[1].contains("Glass is cracked"), "{told:?}");
    }

    #[test]
    fn a_device_is_tried_once_for_each_driver() {
        let bench = Bench::new([5e7, 0.0], 1e7);
        let device = gpu(0, 80);
        for probes in [1, 1, 1] {
            assert_eq!(bench.choice(std::slice::from_ref(&device)), Some(0));
            assert_eq!(bench.probes.get(), probes);
        }
        let newer = OpenClDevice {
            driver: "1.3".into(),
            ..device
        };
        assert_eq!(bench.choice(&[newer]), Some(0));
        assert_eq!(bench.probes.get(), 2);
    }

    #[test]
    fn what_automatic_took_is_expected_again() {
        let verdicts = Bench::new([0.0; 2], 0.0).verdicts();
        assert_eq!(verdicts.expectation(4), None);
        for takes_one in [true, false, false, true] {
            verdicts.expect(takes_one, 4);
            assert_eq!(verdicts.expectation(4), Some(takes_one));
        }
        assert_eq!(verdicts.expectation(2), None);
    }

    #[test]
    fn a_device_that_failed_is_tried_again() {
        let mut bench = Bench::new([0.0, 0.0], 1e7);
        assert_eq!(bench.choice(&[gpu(0, 80)]), None);
        bench.speeds[0] = 5e7;
        assert_eq!(bench.choice(&[gpu(0, 80)]), Some(0));
    }

    #[test]
    fn what_is_damaged_or_old_does_not_count() {
        let bench = Bench::new([5e7, 0.0], 1e7);
        let device = gpu(0, 80);
        bench.choice(std::slice::from_ref(&device));
        let good = fs::read(bench.file()).unwrap();
        let threads = rayon::current_num_threads();
        let damaged = [
            good[..good.len() - 9].to_vec(),
            Vec::new(),
            b"something else".to_vec(),
        ];
        for (probes, content) in damaged.into_iter().enumerate() {
            fs::write(bench.file(), content).unwrap();
            assert_eq!(bench.verdicts().recall(&device, threads), None);
            assert_eq!(bench.choice(std::slice::from_ref(&device)), Some(0));
            assert_eq!(bench.probes.get(), probes + 2);
        }
        for (at, counts) in [
            (now() - 60, true),
            (now() - COUNTS.as_secs() - 60, false),
            (now() + 1_000_000, false),
        ] {
            let verdict = Verdict::Wrong;
            let text = serde_json::to_vec(&Entry { verdict, at }).unwrap();
            bench
                .verdicts()
                .cache
                .keep(&identity(&device, threads), &text);
            let known = bench.verdicts().recall(&device, threads);
            assert_eq!(known, counts.then_some(verdict));
        }
    }
}
