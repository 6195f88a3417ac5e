//! Fusion on an OpenCL device.
//!
//! The device does what the processor does, by kernels of the same arithmetic
//! (`assets/kernels`): from the upload of a photograph to the download of the
//! picture nothing leaves it. What belongs to the device lives on one thread
//! that the fusion owns; photographs are sent there, two at most under way, so
//! that the next is decoded while one is fused. No lock stands around it, and
//! no other thread ever speaks OpenCL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::bench::Step;
use super::{Fused, Fusion, Method, Options};
use crate::core::device::OpenClDevice;
use crate::core::keep_going::check;
use crate::core::warp::{Area, Exposure};
use crate::core::{KeepGoing, Transform};
use crate::photo::Photo;
use crate::{Error, Result};

// These speak to OpenCV's OpenCL, which an OpenCV may be built without.
// (`cargo fmt` does not look into the macro: run `rustfmt` on them.)
opencv::opencv_has_inherent_feature_opencl! {
    mod average;
    mod bench;
    mod contrast;
    mod depth;
    mod fill;
    mod frame;
    mod hybrid;
    mod pyramid;
    mod range;
    mod render;
    #[cfg(test)]
    mod residency;
    mod session;
    mod work;
    mod worker;
}

/// What the user can do when a device fails.
const ADVICE: &str = "use --device cpu";

/// A photograph on its way to the device.
struct Sent {
    index: u16,
    photo: Photo,
    pose: Transform,
    exposure: Exposure,
}

/// What a device is to do.
enum Task {
    /// Look at frames, in the only way or for the first time.
    Look(Options),
    /// Render a picture of what was found, by the depth of each pixel.
    Render {
        found: Box<Fused>,
        depth: Vec<f32>,
        /// Held within the range of its sources.
        clamp: bool,
    },
}

enum Message {
    Add(Box<Sent>),
    Finish,
}

/// What the thread is told by.
struct Orders {
    /// Told once the device has what it needs.
    ready: SyncSender<()>,
    messages: Receiver<Message>,
    /// Set when nobody wants the picture any more.
    given_up: Arc<AtomicBool>,
}

/// An empty fusion on `device`, as [`Options::on_cpu`] on the processor: the
/// result is the same within rounding.
///
/// # Errors
///
/// If this OpenCV has no OpenCL, or the device cannot be used or has too
/// little memory for a picture of this size.
pub fn on_opencl(options: &Options, area: Area, device: &OpenClDevice) -> Result<Box<dyn Fusion>> {
    start(Task::Look(*options), area, device)
}

/// An empty second look on `device`: it renders a picture of what was `found`, by
/// the depth of each pixel, and holds it within the range of its sources if `clamp`
/// says so.
///
/// # Errors
///
/// As [`on_opencl`].
pub(super) fn render_on_opencl(
    found: Fused,
    depth: Vec<f32>,
    clamp: bool,
    area: Area,
    device: &OpenClDevice,
) -> Result<Box<dyn Fusion>> {
    let found = Box::new(found);
    let task = Task::Render {
        found,
        depth,
        clamp,
    };
    start(task, area, device)
}

fn start(task: Task, area: Area, device: &OpenClDevice) -> Result<Box<dyn Fusion>> {
    let (sender, messages) = sync_channel(1);
    let (ready, is_ready) = sync_channel(1);
    let given_up = Arc::new(AtomicBool::new(false));
    let orders = Orders {
        ready,
        messages,
        given_up: given_up.clone(),
    };
    let name = device.name.clone();
    let device = device.clone();
    let worker = std::thread::Builder::new()
        .name("opencl".into())
        .spawn(move || work(task, area, &device, &orders))
        .map_err(|error| {
            Error::job(
                format!("no thread could be started for the OpenCL device {name}: {error}"),
                ADVICE,
            )
        })?;
    let mut fusion = OnOpenCl {
        name,
        sender: Some(sender),
        worker: Some(worker),
        given_up,
        fault: None,
    };
    match is_ready.recv() {
        Ok(()) => Ok(Box::new(fusion)),
        Err(_) => Err(fusion.failed()),
    }
}

/// What the thread does.
fn work(task: Task, area: Area, device: &OpenClDevice, orders: &Orders) -> Result<Option<Fused>> {
    opencv::opencv_has_inherent_feature_opencl! {
        { worker::work(task, area, device, orders) } else {
            let _ = (task, area, device, orders);
            Err(Error::job("this OpenCV was built without OpenCL", ADVICE))
        }
    }
}

/// Makes sure that a picture of `area`, and `photo` bytes of a photograph beside
/// it, fit into the `allowed` bytes of a device's memory: before the driver
/// finds out less kindly.
///
/// # Errors
///
/// If they do not.
pub fn enough_memory(
    method: Method,
    area: Area,
    photo: u64,
    allowed: u64,
    device: &OpenClDevice,
) -> Result<()> {
    let pixels = (area.width as u64).saturating_mul(area.height as u64);
    let needed = pixels
        .saturating_mul(bytes_per_pixel(method))
        .saturating_add(photo);
    if needed <= allowed.min(device.memory) && i32::try_from(pixels).is_ok() {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let (has, amount) = match allowed < device.memory {
        true => ("is allowed", allowed),
        false => ("has", device.memory),
    };
    Err(Error::job(
        format!(
            "a picture of {}×{} pixels needs {:.2} GB on the OpenCL device {}, which {has} {:.2} GB",
            area.width,
            area.height,
            gigabytes(needed),
            device.name,
            gigabytes(amount)
        ),
        ADVICE,
    ))
}

fn bytes_per_pixel(method: Method) -> u64 {
    opencv::opencv_has_inherent_feature_opencl! {
        { worker::bytes_per_pixel(method) } else {
            let _ = method;
            0
        }
    }
}

/// What every kernel takes on a device; see [`bench`](super::bench). Works on a
/// thread of its own, as everything that speaks to a device.
///
/// # Errors
///
/// If the device fails, and [`Error::Cancelled`] once `keep_going` says no.
pub fn kernel_times(device: &OpenClDevice, area: Area, keep_going: KeepGoing) -> Result<Vec<Step>> {
    let times = || {
        opencv::opencv_has_inherent_feature_opencl! {
            { bench::times(device, area, keep_going) } else {
                let _ = (device, area, keep_going);
                Err(Error::job("this OpenCV was built without OpenCL", ADVICE))
            }
        }
    };
    std::thread::scope(|scope| scope.spawn(times).join()).unwrap_or_else(|_| {
        Err(Error::job(
            format!("the OpenCL device {} stopped unexpectedly", device.name),
            ADVICE,
        ))
    })
}

/// The end of the thread that holds the device.
type Worker = JoinHandle<Result<Option<Fused>>>;

struct OnOpenCl {
    /// The device's name.
    name: String,
    sender: Option<SyncSender<Message>>,
    worker: Option<Worker>,
    given_up: Arc<AtomicBool>,
    fault: Option<Error>,
}

impl OnOpenCl {
    /// Waits for the thread to end, and gives what it ends with.
    fn join(&mut self) -> Result<Option<Fused>> {
        self.sender = None;
        match self.worker.take().map(JoinHandle::join) {
            Some(Ok(end)) => end,
            Some(Err(_)) | None => Err(Error::job(
                format!("the OpenCL device {} stopped unexpectedly", self.name),
                ADVICE,
            )),
        }
    }

    /// Why the thread ended before it was told to.
    fn failed(&mut self) -> Error {
        if self.fault.is_none() {
            self.fault = Some(self.join().err().unwrap_or(Error::Cancelled));
        }
        self.fault.clone().unwrap_or(Error::Cancelled)
    }

    fn send(&mut self, message: Message) -> Result<()> {
        match &self.sender {
            Some(sender) if sender.send(message).is_ok() => Ok(()),
            _ => Err(self.failed()),
        }
    }
}

impl Fusion for OnOpenCl {
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let photo = Photo {
            width: photo.width,
            height: photo.height,
            samples: photo.samples.clone(),
            alpha: photo.alpha.clone(),
            ..Photo::default()
        };
        self.take(index, photo, pose, exposure, keep_going)
    }

    fn take(
        &mut self,
        index: u16,
        photo: Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        check(keep_going)?;
        self.send(Message::Add(Box::new(Sent {
            index,
            photo,
            pose: *pose,
            exposure: *exposure,
        })))
    }

    fn finish(mut self: Box<Self>, keep_going: KeepGoing) -> Result<Fused> {
        check(keep_going)?;
        self.send(Message::Finish)?;
        self.join()?.ok_or(Error::Cancelled)
    }
}

impl Drop for OnOpenCl {
    /// Ends the thread after the photograph it is at, so that the device's
    /// memory is free when this returns.
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
        if self.worker.is_some() {
            let _ = self.join();
        }
    }
}
