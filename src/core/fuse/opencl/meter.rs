//! Measures how sharp photographs are on an OpenCL device.
//!
//! To bring a photograph there takes longer than to measure it on the processor,
//! which reads every sample once: a device is worth it only where the processor
//! has other things to do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::ADVICE;
use crate::core::device::OpenClDevice;
use crate::core::sharpness::Sharpness;
use crate::photo::Photo;
use crate::{Error, Result};

/// A device that measures one photograph after another.
pub struct Meter {
    /// The device's name.
    name: String,
    wishes: Option<Sender<Wish>>,
    thread: Option<JoinHandle<()>>,
}

/// A photograph, the cells each way, and who wants to know.
struct Wish(Arc<Photo>, usize, Sender<Result<Sharpness>>);

impl Meter {
    /// Makes a device ready.
    ///
    /// # Errors
    ///
    /// If the system gives no thread; if the device does not work, the first
    /// photograph tells.
    pub fn new(device: &OpenClDevice) -> Result<Self> {
        let (wishes, wanted) = channel();
        let (name, device) = (device.name.clone(), device.clone());
        let thread = std::thread::Builder::new().name("opencl".into());
        let thread = thread.spawn(move || work(&device, &wanted));
        let thread = thread.map_err(|error| {
            Error::job(
                format!("no thread could be started for the OpenCL device {name}: {error}"),
                ADVICE,
            )
        })?;
        Ok(Self {
            name,
            wishes: Some(wishes),
            thread: Some(thread),
        })
    }

    /// Measures a photograph in `grid` × `grid` cells: each measure is that of
    /// [`Sharpness::of`] within two thousandths.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn measure(&self, photo: &Arc<Photo>, grid: usize) -> Result<Sharpness> {
        let (answer, found) = channel();
        let wish = Wish(Arc::clone(photo), grid.max(1), answer);
        let sent = self.wishes.as_ref().map(|wishes| wishes.send(wish));
        let stopped = || {
            let name = &self.name;
            Error::job(
                format!("the OpenCL device {name} stopped unexpectedly"),
                ADVICE,
            )
        };
        match sent {
            Some(Ok(())) => found.recv().unwrap_or_else(|_| Err(stopped())),
            _ => Err(stopped()),
        }
    }
}

impl Drop for Meter {
    /// The device's memory is free when this returns.
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread does.
fn work(device: &OpenClDevice, wanted: &Receiver<Wish>) {
    opencv::opencv_has_inherent_feature_opencl! {
        {
            use super::session::Session;
            use super::sharpness::measure;
            use super::worker::failure;
            let session = Session::open_for(device);
            let mut memory = None;
            for Wish(photo, grid, answer) in wanted {
                let found = match &session {
                    Ok(session) => measure(session, &photo, grid, &mut memory),
                    Err(fault) => Err(opencv::Error::new(fault.code, fault.message.clone())),
                };
                // Who asked waits for it.
                let _ = answer.send(found.map_err(|fault| failure(device, &fault)));
            }
        } else {
            let _ = device;
            for Wish(_, _, answer) in wanted {
                let fault = Error::job("this OpenCV was built without OpenCL", ADVICE);
                let _ = answer.send(Err(fault));
            }
        }
    }
}
