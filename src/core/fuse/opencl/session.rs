//! A device bound to the thread that works with it: its memory and kernels.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use opencv::core::{
    CV_8UC1, CV_16UC1, CV_32FC1, CV_32FC4, Context, DataType, Kernel, KernelArg, Mat,
    OpenCLExecutionContext, Program, ProgramSource, StsError, UMat,
};
use opencv::prelude::*;
use opencv::{Error, Result, core};

use super::Orders;
use crate::core::device::{self, OpenClDevice};
use crate::core::fuse::bench::Step;
use crate::core::fuse::{average, contrast, depth, fill, hybrid, pyramid, range, render, weighted};
use crate::core::grey::LUMA;
use crate::core::stages::Stages;
use crate::core::subsampled::SHARES;
use crate::core::taps::{COEFFICIENTS, TAPS};
use crate::core::veil;

/// All kernels, as one program.
const SOURCE: &str = concat!(
    include_str!("../../../../assets/kernels/warp.cl"),
    include_str!("../../../../assets/kernels/steps.cl"),
    include_str!("../../../../assets/kernels/subsampled.cl"),
    include_str!("../../../../assets/kernels/range.cl"),
    include_str!("../../../../assets/kernels/fill.cl"),
    include_str!("../../../../assets/kernels/contrast.cl"),
    include_str!("../../../../assets/kernels/depth.cl"),
    include_str!("../../../../assets/kernels/pyramid.cl"),
    include_str!("../../../../assets/kernels/average.cl"),
    include_str!("../../../../assets/kernels/hybrid.cl"),
    include_str!("../../../../assets/kernels/render.cl"),
    include_str!("../../../../assets/kernels/sharpness.cl"),
    include_str!("../../../../assets/kernels/veil.cl"),
);

/// What a buffer holds for each pixel.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Byte = CV_8UC1 as isize,
    Short = CV_16UC1 as isize,
    Float = CV_32FC1 as isize,
    Float4 = CV_32FC4 as isize,
}

/// Rows of values in the device's memory.
pub struct Buffer {
    memory: UMat,
    pub width: i32,
    pub height: i32,
}

/// What is handed to a kernel.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    /// A buffer that it reads.
    In(&'a Buffer),
    /// A buffer that it writes, and may read.
    Out(&'a Buffer),
    /// A buffer's width and height.
    Size(&'a Buffer),
    Int(i32),
    /// A vector of four.
    Floats([f32; 4]),
}

/// A device that this thread is bound to. Nothing of it may leave the thread.
pub struct Session {
    program: Program,
    group: [usize; 2],
    /// What each kernel took, if that is wanted.
    clock: Option<RefCell<Vec<Spent>>>,
    /// Where the thread's time goes.
    pub stages: Stages,
    /// Set when nobody wants more to be done.
    given_up: Arc<AtomicBool>,
    /// Whether each kernel is waited for.
    is_slow: Cell<bool>,
}

/// What was done on a device, and how long it took each time.
struct Spent {
    name: &'static str,
    /// Bytes that it read and wrote at least, where that was most: only then it
    /// is of interest what it took.
    bytes: u64,
    seconds: Vec<f64>,
}

impl Session {
    /// The same as [`Self::open`] for the device that `device` describes.
    pub fn open_for(device: &OpenClDevice) -> Result<Self> {
        Self::open(&device::find(device)?)
    }

    /// Binds this thread to `device` and makes the kernels ready.
    pub fn open(device: &core::Device) -> Result<Self> {
        let mut context = context_of(device)?;
        // OpenCV 4.6 knows its own copy of the device only.
        let device = &context.device(0)?;
        OpenCLExecutionContext::create_2(&context, device)?.bind()?;
        // OpenCV keeps this switch per thread: no other thread is touched.
        core::set_use_opencl(true)?;
        if !core::use_opencl()? {
            return Err(failure("it is switched off"));
        }
        let program = program(&mut context)?;
        // Wide groups, so that neighbours read memory together.
        let group = if device.max_work_group_size()? >= 128 {
            [32, 4]
        } else {
            [1, 1]
        };
        Ok(Self {
            program,
            group,
            clock: None,
            stages: Stages::default(),
            given_up: Arc::default(),
            is_slow: Cell::new(false),
        })
    }

    /// The same that works on the clock of `orders`, until they are given up.
    pub fn with(mut self, orders: &Orders) -> Self {
        self.stages = orders.stages.clone();
        self.given_up = orders.given_up.clone();
        self
    }

    /// Waits for all that was put into the queue.
    pub fn wait(&self) -> Result<()> {
        self.stages.time("device: wait for kernels", core::finish)
    }

    /// From here each kernel is waited for: on a device that takes long for a
    /// frame, so that it stops within one when it is told to. On others that
    /// would take more time than it saves.
    pub fn step_by_step(&self) {
        self.is_slow.set(true);
    }

    /// Whether each kernel is waited for.
    pub fn is_slow(&self) -> bool {
        self.is_slow.get()
    }

    /// The same that waits for each kernel and copy, and notes what it takes.
    pub fn clocked(mut self) -> Self {
        self.clock = Some(RefCell::default());
        self
    }

    /// What was done so far on the largest buffers, by its median time.
    pub fn steps(&self) -> Vec<Step> {
        let spent = self.clock.iter().flat_map(|clock| clock.take());
        let step = |mut spent: Spent| {
            spent.seconds.sort_by(f64::total_cmp);
            Step {
                name: spent.name,
                bytes: spent.bytes,
                seconds: spent.seconds[(spent.seconds.len() - 1) / 2],
            }
        };
        spent.map(step).collect()
    }

    /// Does what touches so many bytes, and notes what it takes if that is wanted.
    fn timed<T>(
        &self,
        name: &'static str,
        bytes: impl FnOnce(&T) -> u64,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(clock) = &self.clock else {
            return work();
        };
        core::finish()?;
        let begun = Instant::now();
        let done = work()?;
        core::finish()?;
        let (seconds, bytes) = (begun.elapsed().as_secs_f64(), bytes(&done));
        let mut clock = clock.borrow_mut();
        match clock.iter_mut().find(|spent| spent.name == name) {
            Some(spent) if spent.bytes == bytes => spent.seconds.push(seconds),
            Some(spent) if spent.bytes > bytes => (),
            known => {
                let spent = Spent {
                    name,
                    bytes,
                    seconds: vec![seconds],
                };
                match known {
                    Some(known) => *known = spent,
                    None => clock.push(spent),
                }
            }
        }
        Ok(done)
    }

    /// A buffer of which every value is `value`.
    pub fn filled(
        &self,
        width: i32,
        height: i32,
        kind: Kind,
        value: [f32; 4],
    ) -> Result<Buffer> {
        let buffer = self.blank(width, height, kind)?;
        let kernel = match kind {
            Kind::Byte => "fill_uchar",
            Kind::Short => "fill_ushort",
            Kind::Float => "fill_float",
            Kind::Float4 => "fill_float4",
        };
        let args = [Arg::Out(&buffer), Arg::Size(&buffer), Arg::Floats(value)];
        self.run(kernel, buffer.size(), &args)?;
        Ok(buffer)
    }

    /// A buffer with no particular values.
    pub fn blank(&self, width: i32, height: i32, kind: Kind) -> Result<Buffer> {
        Buffer::new(UMat::new_rows_cols_def(height, width, kind as i32)?)
    }

    /// Copies `width` values per row to the device, into `old` where that has
    /// the right size.
    pub fn upload<T: DataType>(
        &self,
        values: &[T],
        width: i32,
        height: i32,
        old: Option<Buffer>,
    ) -> Result<Buffer> {
        count(|copies| copies.uploads += 1);
        let upload = || {
            let mut memory = old.map_or_else(UMat::new_def, |old| old.memory);
            Mat::new_rows_cols_with_data(height, width, values)?.copy_to(&mut memory)?;
            Buffer::new(memory)
        };
        self.timed("upload", Buffer::bytes, || {
            self.stages.time("device: upload", upload)
        })
    }

    /// Waits for the kernels, and copies `buffer` from the device.
    pub fn download<T: DataType + Default>(&self, buffer: &Buffer) -> Result<Vec<T>> {
        let mut values = vec![T::default(); buffer.memory.total()];
        count(|copies| {
            copies.downloads += 1;
            copies.downloaded += buffer.bytes();
        });
        let (width, height) = (buffer.width, buffer.height);
        self.wait()?;
        let download = || {
            let mut mat = Mat::new_rows_cols_with_data_mut(height, width, &mut values)?;
            buffer.memory.copy_to(&mut mat)
        };
        self.timed(
            "download",
            |()| buffer.bytes(),
            || self.stages.time("device: download", download),
        )?;
        Ok(values)
    }

    /// Puts a kernel into the device's queue, once for each of `size` (columns,
    /// rows), with arguments in the kernel's order. Kernels run one after
    /// another.
    pub fn run(&self, name: &'static str, size: [i32; 2], args: &[Arg]) -> Result<()> {
        let bytes = |(): &()| {
            let touched = args.iter().map(|arg| match arg {
                Arg::In(buffer) | Arg::Out(buffer) => buffer.bytes(),
                _ => 0,
            });
            touched.sum()
        };
        if self.given_up.load(Ordering::Relaxed) {
            return Err(failure("nobody wants the picture"));
        }
        let launch = || self.launch(name, size, args);
        self.timed(name, bytes, || {
            self.stages.time("device: launch kernels", launch)
        })?;
        if self.is_slow.get() {
            self.wait()?;
        }
        Ok(())
    }

    fn launch(&self, name: &str, size: [i32; 2], args: &[Arg]) -> Result<()> {
        let mut kernel = Kernel::default();
        if !kernel.create(name, &self.program)? {
            return Err(failure(&format!("it has no kernel {name}")));
        }
        let mut next = 0;
        let mut set = |arg: &KernelArg| -> Result<()> {
            next = kernel.set_kernel_arg(next, arg)?;
            match next {
                0.. => Ok(()),
                _ => Err(failure(&format!("kernel {name} refuses an argument"))),
            }
        };
        // A number is copied when it is set: the Mat about it may go.
        for arg in args {
            match arg {
                Arg::In(buffer) => set(&KernelArg::ptr_read_only(&buffer.memory)?)?,
                Arg::Out(buffer) => set(&KernelArg::ptr_read_write(&buffer.memory)?)?,
                Arg::Size(buffer) => {
                    set(&KernelArg::constant(&Mat::from_slice(&[buffer.width])?)?)?;
                    set(&KernelArg::constant(&Mat::from_slice(&[buffer.height])?)?)?;
                }
                Arg::Int(value) => set(&KernelArg::constant(&Mat::from_slice(&[*value])?)?)?,
                Arg::Floats(values) => set(&KernelArg::constant(&Mat::from_slice(values)?)?)?,
            }
        }
        let mut global = [0; 2];
        for (global, size) in global.iter_mut().zip(size) {
            *global = usize::try_from(size)?;
        }
        if kernel.run_def(&mut global, &mut self.group.clone(), false)? {
            Ok(())
        } else {
            Err(failure(&format!("kernel {name} could not be run")))
        }
    }
}

/// The context of a device. It stays as long as the program runs: OpenCV hands
/// out one that another thread is just giving back, and to make one takes some
/// drivers a fifth of a second. The lock is held for as long as one is looked up.
fn context_of(device: &core::Device) -> Result<Context> {
    static KEPT: Mutex<Vec<Context>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let context = Context::from_device(device)?;
    let own = context.ptr()?;
    if !kept
        .iter()
        .any(|known| known.ptr().is_ok_and(|ptr| ptr == own))
    {
        kept.push(Context::copy(&context)?);
    }
    Ok(context)
}

/// The kernels, built. OpenCV keeps what it built in a file, for the next process,
/// and two threads that write it at a time spoil it for good: hence the lock, which
/// is held for no other call. Kernels of OpenCV's own, which are kept in the same
/// way, are not used at all.
fn program(context: &mut Context) -> Result<Program> {
    static BUILT: Mutex<()> = Mutex::new(());
    let _built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let source = ProgramSource::new("parfocal", "fuse", SOURCE, "")?;
    let mut complaint = String::new();
    let program = context.get_prog(&source, &definitions(), &mut complaint)?;
    if program.empty()? {
        return Err(failure(&format!(
            "its driver cannot build the kernels: {}",
            complaint.trim()
        )));
    }
    Ok(program)
}

impl Drop for Session {
    /// Lets no kernel outlive the buffers' owner.
    fn drop(&mut self) {
        let _ = core::finish();
    }
}

impl Buffer {
    fn new(memory: UMat) -> Result<Self> {
        // OpenCV puts into main memory what does not fit on the device.
        if memory.handle(core::AccessFlag::ACCESS_READ)?.is_null() {
            return Err(failure("it has too little memory"));
        }
        Ok(Self {
            width: memory.cols(),
            height: memory.rows(),
            memory,
        })
    }

    /// The same memory for one more.
    pub fn shared(&self) -> Result<Self> {
        Ok(Self {
            memory: UMat::copy(&self.memory)?,
            ..*self
        })
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> u64 {
        let size = self.memory.elem_size().unwrap_or(0);
        (self.memory.total() * size) as u64
    }

    /// Columns and rows.
    pub fn size(&self) -> [i32; 2] {
        [self.width, self.height]
    }
}

/// What was copied between main memory and a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copies {
    pub uploads: usize,
    pub downloads: usize,
    /// Bytes.
    pub downloaded: u64,
}

thread_local! {
    static COPIES: Cell<Copies> = const {
        Cell::new(Copies {
            uploads: 0,
            downloads: 0,
            downloaded: 0,
        })
    };
}

/// What the sessions of this thread copied so far.
#[cfg(test)]
pub fn copies() -> Copies {
    COPIES.get()
}

fn count(one_more: impl Fn(&mut Copies)) {
    let mut copies = COPIES.get();
    one_more(&mut copies);
    COPIES.set(copies);
}

/// A fault that OpenCV does not report itself.
pub fn failure(message: &str) -> Error {
    Error::new(StsError, message)
}

/// The numbers that the kernels share with the processor's code.
fn definitions() -> String {
    let [red, green, blue] = LUMA;
    let [grey_red, grey_green, grey_blue] = SHARES;
    let [share_red, share_green, share_blue] = contrast::COLOURS;
    let [near, wide, far] = contrast::WINDOWS;
    let whole = [
        ("TAPS", TAPS),
        ("COEFFICIENTS", COEFFICIENTS),
        ("BLOCK", range::BLOCK),
        ("HYBRID_POWER", hybrid::POWER as usize),
        ("AVERAGE_POWER", average::POWER as usize),
        ("VEIL_VALUES", veil::VALUES),
    ];
    let broken = [
        ("LUMA_RED", red),
        ("LUMA_GREEN", green),
        ("LUMA_BLUE", blue),
        ("GREY_RED", grey_red),
        ("GREY_GREEN", grey_green),
        ("GREY_BLUE", grey_blue),
        ("SHARE_RED", share_red),
        ("SHARE_GREEN", share_green),
        ("SHARE_BLUE", share_blue),
        ("CHROMA", contrast::CHROMA),
        ("COARSER", contrast::COARSER),
        ("WINDOW_NEAR", near),
        ("WINDOW_WIDE", wide),
        ("WINDOW_FAR", far),
        ("FLOOR", contrast::FLOOR),
        ("HARDLY", fill::HARDLY),
        ("COARSE", depth::COARSE),
        ("NOISE", pyramid::NOISE),
        ("HIDDEN", average::HIDDEN),
        ("LITTLE", hybrid::HIDDEN),
        ("SCALE", hybrid::SCALE),
        ("NOTHING", weighted::NOTHING),
        ("REACH", render::REACH),
        ("FAR", render::FAR),
        ("UNSEEN", render::HIDDEN),
        ("THICK", veil::THICK),
        ("THIN", veil::THIN),
    ];
    let whole = whole.map(|(name, value)| format!("-D {name}={value}"));
    let broken = broken.map(|(name, value)| format!("-D {name}={value:e}f"));
    [whole.join(" "), broken.join(" ")].join(" ")
}
