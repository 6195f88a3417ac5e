//! A device that is opened and checked while other things are done.
//!
//! Waking a driver, building the kernels and fusing a test stack take longer than
//! reading a small stack. None of it needs the frames, nor the processor for
//! long: it happens on a thread of its own beside the aligning.

use std::thread::JoinHandle;
use std::time::Instant;

use super::choice;
use super::{Device, Job};
use crate::core::device::{self, OpenClDevice, opencl_devices};
use crate::core::fuse;
use crate::{Error, Result};

/// A device on its way. Who drops it waits for the thread: nothing is left behind.
pub struct Opening {
    device: Device,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Opening {
    /// Begins to open the device that is asked for; the processor needs none of
    /// that.
    ///
    /// # Errors
    ///
    /// If the device is missing.
    pub fn begin(device: Device) -> Result<Self> {
        choice::check(device)?;
        let threads = rayon::current_num_threads();
        let work = move || match device {
            Device::Cpu => Ok(()),
            Device::OpenCl(number) => alone(|| check(number)),
            Device::Auto => {
                make_ready(threads);
                Ok(())
            }
        };
        let spawn = || {
            std::thread::Builder::new()
                .name("opening".into())
                .spawn(work)
        };
        Ok(Self {
            device,
            // Where there is no thread to be had, all is done at the end.
            thread: (device != Device::Cpu).then(spawn).and_then(|end| end.ok()),
        })
    }

    /// What was asked for.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The device that does the work; `None` is the processor.
    ///
    /// # Errors
    ///
    /// As [`choice::choose`].
    pub fn finish(mut self, job: &Job) -> Result<Option<OpenClDevice>> {
        let begun = Instant::now();
        let checked = self.thread.take().map(JoinHandle::join);
        let device = match (self.device, checked) {
            (Device::OpenCl(number), Some(Ok(checked))) => {
                checked?;
                let devices = opencl_devices();
                choice::named(number, &devices).cloned().map(Some)
            }
            // What there is to know of those that come into question is known by
            // now, or has to be measured while the processor does nothing else.
            _ => choice::choose(self.device, job),
        }?;
        if device.is_some() {
            job.stages().note("wait for the device", begun.elapsed());
        }
        Ok(device)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Nobody is there to hear of a panic.
            let _ = thread.join();
        }
    }
}

/// Does `work` without the threads of a job, which have other things to do.
fn alone(work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|fault| {
        Error::job(
            format!("a worker thread could not be started ({fault})"),
            "ask for fewer threads",
        )
    })?;
    pool.install(work)
}

/// Makes sure that a device that is asked for gives right pictures.
fn check(number: Option<usize>) -> Result<()> {
    device::self_check(choice::named(number, &opencl_devices())?)
}

/// Gets the device ready that automatic will most likely take, beside a processor
/// with so many threads. When that fails, who chooses will find out.
fn make_ready(threads: usize) {
    if let Some(device) = choice::likely(Device::Auto, threads) {
        fuse::make_ready(&device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_there_at_once() {
        let opening = Opening::begin(Device::Cpu).unwrap();
        assert!(opening.thread.is_none());
        assert_eq!(opening.finish(&Job::silent()), Ok(None));
    }

    #[test]
    fn a_device_that_is_missing_is_told_of_before_it_is_opened() {
        let fault = Opening::begin(Device::OpenCl(Some(99))).err().unwrap();
        let expected = choice::check(Device::OpenCl(Some(99))).unwrap_err();
        assert_eq!(fault, expected);
        assert!(fault.to_string().contains("no device opencl:99"), "{fault}");
    }

    #[test]
    fn a_device_that_is_opened_is_the_one_that_is_chosen() {
        let numbers = opencl_devices()
            .into_iter()
            .map(|device| Some(device.index));
        let first = (!opencl_devices().is_empty()).then_some(None);
        let asked = numbers.chain(first).map(Device::OpenCl);
        for device in asked.chain([Device::Auto]) {
            let job = Job::silent();
            let opened = Opening::begin(device).unwrap().finish(&job);
            assert_eq!(opened, choice::choose(device, &job), "{device:?}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_device_that_nobody_waits_for() {
        for device in opencl_devices() {
            let asked = Device::OpenCl(Some(device.index));
            drop(Opening::begin(asked).unwrap());
            // The next job finds it as it was.
            let opened = Opening::begin(asked).unwrap().finish(&Job::silent());
            assert_eq!(opened, Ok(Some(device)));
        }
    }
}
