//! Fusion on an OpenCL device.
//!
//! The device does what the processor does, by kernels of the same arithmetic
//! (`assets/kernels`): from the upload of a photograph to the download of the
//! picture nothing leaves it. What is fused belongs to one thread, which feeds
//! one queue: kernels come in the order of the frames, and the picture does not
//! depend on who was faster. Photographs come there by lanes, each with a thread
//! and a queue of its own, so that one is uploaded while another is fused, or were
//! there before: see [`Held`]. No lock stands around the device, and no other thread
//! ever speaks OpenCL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::bench::Step;
use super::{Fused, Fusion, Options};
use crate::core::device::OpenClDevice;
use crate::core::keep_going::check;
use crate::core::stages::Stages;
use crate::core::veil::Veil;
use crate::core::warp::{Area, Exposure};
use crate::core::{ALWAYS, KeepGoing, Transform};
use crate::photo::{Decoded, Photo, Subsampled};
use crate::{Error, Result};

mod held;
mod meter;

pub use self::held::{Held, Holding};
pub use self::meter::Meter;

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
    mod lane;
    mod pyramid;
    mod range;
    mod render;
    #[cfg(test)]
    mod residency;
    mod session;
    mod sharpness;
    mod work;
    mod worker;
}

/// What the user can do when a device fails.
const ADVICE: &str = "use --device cpu";

/// A photograph on its way to the device.
struct Sent {
    index: u16,
    pixels: Pixels,
    pose: Transform,
    exposure: Exposure,
}

/// Where the pixels of a photograph come from.
enum Pixels {
    /// They are uploaded.
    Decoded(Decoded),
    /// The device has them.
    Held(Arc<Held>),
}

/// What a device is to do.
enum Task {
    /// Look at frames, and lift a veil off them first if there is one.
    Look(Options, Option<Arc<Veil>>),
    /// Render a picture of what was found, by the depth of each pixel.
    Render {
        found: Box<Fused>,
        depth: Vec<f32>,
        /// Held within the range of its sources.
        clamp: bool,
    },
}

impl Task {
    /// Whether a picture of `area` is made of frames that have their colour at half the
    /// size, as they are.
    fn is_subsampled(&self, area: Area) -> bool {
        match self {
            Self::Look(options, None) => options.is_subsampled(area.width, area.height),
            _ => false,
        }
    }
}

enum Message {
    Add(Box<Sent>),
    Finish,
}

/// How a device is used.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// Which one.
    pub device: OpenClDevice,
    /// How many threads and queues bring photographs there in turn, at least 1: with
    /// more than one, the next is uploaded while one is fused.
    pub count: usize,
    /// Photographs that the device holds: they need not be brought there.
    pub held: Option<Arc<Held>>,
    /// Where the time goes.
    pub stages: Stages,
}

impl Lanes {
    /// As many as keep a device busy: more gain nothing where it fuses about as
    /// fast as photographs come there.
    pub const USUAL: usize = 2;
    /// More than any device has use for.
    pub const MOST: usize = 8;
}

impl From<&OpenClDevice> for Lanes {
    fn from(device: &OpenClDevice) -> Self {
        Self {
            device: device.clone(),
            count: Self::USUAL,
            held: None,
            stages: Stages::default(),
        }
    }
}

impl From<&Self> for Lanes {
    fn from(lanes: &Self) -> Self {
        lanes.clone()
    }
}

/// What a lane is told; frames come to lanes in turn.
type Messages = Receiver<Message>;

/// What the threads heed beside that.
struct Orders {
    reports: Reports,
    /// Set when nobody wants the picture any more.
    given_up: Arc<AtomicBool>,
    stages: Stages,
}

impl Orders {
    /// To fuse these frames, by one lane; nobody hears of it.
    fn to_fuse(frames: impl IntoIterator<Item = Sent>) -> (Vec<Messages>, Self) {
        let (sender, messages) = channel();
        let frames = frames.into_iter().map(|sent| Message::Add(Box::new(sent)));
        for message in frames.chain([Message::Finish]) {
            // The other end is here.
            let _ = sender.send(message);
        }
        let orders = Self {
            reports: Reports(channel().0),
            given_up: Arc::default(),
            stages: Stages::default(),
        };
        (vec![messages], orders)
    }
}

/// What the threads tell.
enum Report {
    /// The device has what it needs.
    Ready,
    /// A photograph was uploaded and is needed no more.
    Freed,
    /// A frame was fused, or is about to be.
    Fused,
    /// All of them are: what there is to do while the picture is on its way.
    Rest(Rest),
    /// No more is to come.
    End,
}

/// Tells the fusion's owner, if there is still one.
#[derive(Clone)]
struct Reports(Sender<Report>);

impl Reports {
    fn tell(&self, report: Report) {
        let _ = self.0.send(report);
    }

    /// Hands over what is left to do; gives it back if nobody is there to do it.
    fn hand(&self, rest: Rest) -> Option<Rest> {
        match self.0.send(Report::Rest(rest)) {
            Err(SendError(Report::Rest(rest))) => Some(rest),
            _ => None,
        }
    }

    /// Tells of the end when it is dropped.
    fn end(&self) -> impl Drop {
        struct End(Reports);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.tell(Report::End);
            }
        }
        End(self.clone())
    }
}

/// An empty fusion on a device, as [`Options::on_cpu`] on the processor: the
/// result is the same within rounding, and the same bytes whatever the lanes.
///
/// # Errors
///
/// If this OpenCV has no OpenCL, or the device cannot be used or has too
/// little memory for a picture of this size.
pub fn on_opencl(
    options: &Options,
    area: Area,
    lanes: impl Into<Lanes>,
) -> Result<Box<dyn Fusion>> {
    start(Task::Look(*options, None), area, &lanes.into())
}

/// The same of frames that near things lay this veil over.
///
/// # Errors
///
/// As [`on_opencl`].
pub(super) fn unveil_on_opencl(
    options: &Options,
    veil: Arc<Veil>,
    area: Area,
    lanes: &Lanes,
) -> Result<Box<dyn Fusion>> {
    start(Task::Look(*options, Some(veil)), area, lanes)
}

/// An empty second look on a device: it renders a picture of what was `found`, by
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
    lanes: &Lanes,
) -> Result<Box<dyn Fusion>> {
    let found = Box::new(found);
    let task = Task::Render {
        found,
        depth,
        clamp,
    };
    start(task, area, lanes)
}

fn start(task: Task, area: Area, lanes: &Lanes) -> Result<Box<dyn Fusion>> {
    let count = lanes.count.clamp(1, Lanes::MOST);
    let (senders, messages): (_, Vec<Messages>) = (0..count).map(|_| channel()).unzip();
    let (teller, told) = channel();
    let given_up = Arc::new(AtomicBool::new(false));
    let orders = Orders {
        reports: Reports(teller),
        given_up: given_up.clone(),
        stages: lanes.stages.clone(),
    };
    let device = lanes.device.clone();
    let name = device.name.clone();
    let is_subsampled = task.is_subsampled(area);
    let worker = std::thread::Builder::new()
        .name("opencl".into())
        .spawn(move || work(task, area, &device, messages, &orders))
        .map_err(|error| {
            Error::job(
                format!("no thread could be started for the OpenCL device {name}: {error}"),
                ADVICE,
            )
        })?;
    let mut fusion = OnOpenCl {
        name: lanes.device.name.clone(),
        is_subsampled,
        lanes: senders,
        told,
        worker: Some(worker),
        given_up,
        held: lanes.held.clone(),
        stages: lanes.stages.clone(),
        is_ready: false,
        settling: count,
        // Enough to keep them busy.
        room: count.max(2),
        sent: 0,
        fused: 0,
        rest: None,
        fault: None,
    };
    while !fusion.is_ready {
        if !fusion.listen(ALWAYS)? {
            return Err(fusion.failed());
        }
    }
    Ok(Box::new(fusion))
}

/// What the thread does.
fn work(
    task: Task,
    area: Area,
    device: &OpenClDevice,
    messages: Vec<Messages>,
    orders: &Orders,
) -> End {
    opencv::opencv_has_inherent_feature_opencl! {
        { worker::work(task, area, device, messages, orders) } else {
            let _ = (task, area, device, messages, orders);
            Err(Error::job("this OpenCV was built without OpenCL", ADVICE))
        }
    }
}

/// Wakes the driver of a device and builds the kernels, for those who fuse on it
/// later: they find them ready. When it fails they will find out why. Binds the
/// thread that calls it to the device.
pub fn make_ready(device: &OpenClDevice) {
    opencv::opencv_has_inherent_feature_opencl! {
        { drop(session::Session::open_for(device)) } else { let _ = device; }
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
    options: &Options,
    area: Area,
    photo: u64,
    allowed: u64,
    device: &OpenClDevice,
) -> Result<()> {
    let pixels = (area.width as u64).saturating_mul(area.height as u64);
    let needed = device_bytes(options, area).saturating_add(photo);
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

/// Bytes that fusing a picture of `area` takes on a device, less the photographs.
pub fn device_bytes(options: &Options, area: Area) -> u64 {
    let pixels = (area.width as u64).saturating_mul(area.height as u64);
    pixels.saturating_mul(bytes_per_pixel(options, area))
}

fn bytes_per_pixel(options: &Options, area: Area) -> u64 {
    opencv::opencv_has_inherent_feature_opencl! {
        { worker::bytes_per_pixel(options, area) } else {
            let _ = (options, area);
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

/// What is left to the processor to do when the device is done.
type Rest = Box<dyn FnOnce(KeepGoing) -> Result<Fused> + Send>;

/// How the thread ends that holds the device: with what nobody took from it before.
type End = Result<Option<Rest>>;

struct OnOpenCl {
    /// The device's name.
    name: String,
    /// Whether frames have their colour at half the size.
    is_subsampled: bool,
    lanes: Vec<Sender<Message>>,
    told: Receiver<Report>,
    worker: Option<JoinHandle<End>>,
    given_up: Arc<AtomicBool>,
    held: Option<Arc<Held>>,
    stages: Stages,
    is_ready: bool,
    /// Frames after which all memory was used once.
    settling: usize,
    /// How many photographs may be sent now.
    room: usize,
    /// How many were.
    sent: usize,
    /// How many of them were fused.
    fused: usize,
    /// What is left to do.
    rest: Option<Rest>,
    fault: Option<Error>,
}

impl OnOpenCl {
    /// From one question whether to go on to the next.
    const PATIENCE: Duration = Duration::from_millis(20);

    /// Hears one report, or none for a short while. False once there are no more.
    fn listen(&mut self, keep_going: KeepGoing) -> Result<bool> {
        match self.told.recv_timeout(Self::PATIENCE) {
            Ok(Report::Ready) => self.is_ready = true,
            Ok(Report::Freed) => self.room += 1,
            Ok(Report::Fused) => self.fused += 1,
            Ok(Report::Rest(rest)) => self.rest = Some(rest),
            Err(RecvTimeoutError::Timeout) => check(keep_going)?,
            Ok(Report::End) | Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
        Ok(true)
    }

    /// Waits for the threads to end, and gives what they end with.
    fn join(&mut self) -> End {
        self.lanes.clear();
        match self.worker.take().map(JoinHandle::join) {
            Some(Ok(end)) => end,
            Some(Err(_)) | None => Err(Error::job(
                format!("the OpenCL device {} stopped unexpectedly", self.name),
                ADVICE,
            )),
        }
    }

    /// Why the threads ended before they were told to.
    fn failed(&mut self) -> Error {
        if self.fault.is_none() {
            self.fault = Some(self.join().err().unwrap_or(Error::Cancelled));
        }
        self.fault.clone().unwrap_or(Error::Cancelled)
    }

    /// Sends something to the lane whose turn it is.
    fn send(&mut self, message: Message) -> Result<()> {
        let turn = self.sent % self.lanes.len().max(1);
        self.sent += 1;
        match self.lanes.get(turn) {
            Some(lane) if lane.send(message).is_ok() => Ok(()),
            _ => Err(self.failed()),
        }
    }

    /// Sends a photograph, once there is room for it.
    fn put(
        &mut self,
        index: u16,
        pixels: Pixels,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        check(keep_going)?;
        self.wait(|own| own.room > 0, keep_going)?;
        self.room -= 1;
        let is_settled = self.is_settled();
        self.send(Message::Add(Box::new(Sent {
            index,
            pixels,
            pose: *pose,
            exposure: *exposure,
        })))?;
        match is_settled {
            true => Ok(()),
            // So that it is known which frame a fault came with.
            false => self.wait(|own| own.fused == own.sent, keep_going),
        }
    }

    /// Waits until `is_so`.
    fn wait(&mut self, is_so: impl Fn(&Self) -> bool, keep_going: KeepGoing) -> Result<()> {
        while !is_so(self) {
            if !self.listen(keep_going)? {
                return Err(self.failed());
            }
        }
        Ok(())
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
        if self.is_subsampled {
            return self.take_subsampled(index, photo.into(), pose, exposure, keep_going);
        }
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
        let photo = match self.is_subsampled {
            true => Decoded::Subsampled((&photo).into()),
            false => Decoded::Photo(photo),
        };
        self.put(index, Pixels::Decoded(photo), pose, exposure, keep_going)
    }

    fn take_subsampled(
        &mut self,
        index: u16,
        photo: Subsampled,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let photo = Pixels::Decoded(Decoded::Subsampled(photo));
        self.put(index, photo, pose, exposure, keep_going)
    }

    fn held(&self) -> Option<Arc<Held>> {
        self.held.clone()
    }

    fn take_held(
        &mut self,
        index: u16,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        match self.held.clone() {
            Some(held) => self.put(index, Pixels::Held(held), pose, exposure, keep_going),
            None => Err(super::not_held(index)),
        }
    }

    fn is_settled(&self) -> bool {
        self.fused >= self.settling
    }

    fn finish(mut self: Box<Self>, keep_going: KeepGoing) -> Result<Fused> {
        check(keep_going)?;
        self.send(Message::Finish)?;
        while self.rest.is_none() && self.listen(keep_going)? {}
        let stages = self.stages.clone();
        let read = |rest: Rest| stages.time("device: read the rest", || rest(keep_going));
        let fused = self.rest.take().map(read);
        // Where the device failed meanwhile, that is why there is none.
        let rest = self.join()?;
        match (fused, rest) {
            (Some(fused), _) => fused,
            (None, Some(rest)) => read(rest),
            (None, None) => Err(Error::Cancelled),
        }
    }
}

impl Drop for OnOpenCl {
    /// Ends the threads after what they are at, so that the device's memory is
    /// free when this returns.
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
        if self.worker.is_some() {
            let _ = self.join();
        }
    }
}
