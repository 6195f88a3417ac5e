//! What the thread does that holds the device.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::average::Average;
use super::frame::Frame;
use super::hybrid::Hybrid;
use super::lane::{Next, Source};
use super::pyramid::Pyramid;
use super::render::{Render, Search};
use super::session::Arg::{In, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::{ADVICE, Messages, Orders, Report, Reports, Rest, Task, enough_memory};
use crate::core::KeepGoing;
use crate::core::device::OpenClDevice;
use crate::core::fuse::{Fused, Method, Options, Picture};
use crate::core::warp::Area;
use crate::{Error, Result};

/// Something on the device that takes frames in the geometry of the result.
pub trait Accumulator {
    /// Adds a frame, which is scratch afterwards. Where
    /// it is `whole` its mask is 1 everywhere.
    fn add(
        &mut self,
        session: &Session,
        index: u16,
        frame: &Frame,
        whole: bool,
    ) -> opencv::Result<()>;

    /// Takes the picture out; its alpha is left to the caller.
    fn finish(self, session: &Session) -> opencv::Result<Finish>;
}

/// The end of a fusion.
pub struct Finish {
    /// What is left to do when it is over, or while more is downloaded.
    pub rest: Rest,
    /// Downloads what the rest waits for.
    pub more: Box<Download>,
}

/// Brings something from the device.
pub type Download = dyn FnOnce(&Session) -> opencv::Result<()>;

impl From<Rest> for Finish {
    /// Where the rest waits for nothing.
    fn from(rest: Rest) -> Self {
        let more = Box::new(|_: &Session| Ok(()));
        Self { rest, more }
    }
}

/// Fuses on `device` what the `orders` bring, until they say to finish or
/// nobody gives any more: then there is no picture.
pub fn work(
    task: Task,
    area: Area,
    device: &OpenClDevice,
    messages: Vec<Messages>,
    orders: &Orders,
) -> Result<Option<Rest>> {
    // What a second look needs is less than the first one did.
    if let Task::Look(options, _) = &task {
        enough_memory(options, area, 0, device.memory, device)?;
    }
    let open = || Session::open_for(device);
    let work = || {
        let session = orders.stages.time("device: open", open)?.with(orders);
        run(&session, task, area, device, messages, orders)
    };
    match work() {
        Err(_) if orders.given_up.load(Ordering::Relaxed) => Ok(None),
        end => end.map_err(|error| failure(device, &error)),
    }
}

/// The same on a device that is open.
pub fn run(
    session: &Session,
    task: Task,
    area: Area,
    device: &OpenClDevice,
    messages: Vec<Messages>,
    orders: &Orders,
) -> opencv::Result<Option<Rest>> {
    let (width, height) = (area.width, area.height);
    let worker = Worker {
        session,
        is_subsampled: task.is_subsampled(area),
        area,
        device,
        messages,
        orders,
    };
    let (options, veil) = match task {
        Task::Look(options, veil) => (options, veil),
        Task::Render {
            found,
            depth,
            clamp,
        } => return worker.fuse(Render::new(session, *found, &depth, clamp)?),
    };
    let options = &options;
    match options.method {
        Method::Hybrid => {
            let hybrid = Hybrid::new(session, options, veil, width, height)?;
            worker.fuse(hybrid)
        }
        Method::Pyramid => worker.fuse(Pyramid::new(session, options, width, height)?),
        Method::Depth => worker.fuse(Search::new(session, options, width, height)?),
        Method::Average => worker.fuse(Average::new(session, options, width, height)?),
    }
}

/// That a device failed, and why.
pub fn failure(device: &OpenClDevice, error: &opencv::Error) -> Error {
    Error::job(
        format!(
            "the OpenCL device {} failed: {}",
            device.name,
            wording(error)
        ),
        ADVICE,
    )
}

/// A device at work.
struct Worker<'a> {
    session: &'a Session,
    /// Whether frames have their colour at half the size.
    is_subsampled: bool,
    area: Area,
    device: &'a OpenClDevice,
    messages: Vec<Messages>,
    orders: &'a Orders,
}

/// A frame that takes longer than this is stopped in its middle, where it is
/// to be stopped.
const LONG: Duration = Duration::from_millis(100);

impl Worker<'_> {
    fn fuse(self, accumulator: impl Accumulator) -> opencv::Result<Option<Rest>> {
        let Self {
            session,
            is_subsampled,
            area,
            device,
            messages,
            orders,
        } = self;
        let lanes = messages.len();
        std::thread::scope(|scope| {
            // Lanes go on until nobody sends them frames any more.
            let _end = orders.reports.end();
            let source = Source::new(scope, messages, orders, area, device);
            let frame = Frame::new(session, area, is_subsampled)?;
            fuse(session, frame, accumulator, source, lanes, &orders.reports)
        })
    }
}

fn fuse(
    session: &Session,
    mut frame: Frame,
    mut accumulator: impl Accumulator,
    mut source: Source,
    lanes: usize,
    reports: &Reports,
) -> opencv::Result<Option<Rest>> {
    let (width, height) = (frame.pixels.width, frame.pixels.height);
    let covered = session.filled(width, height, Kind::Byte, [0.0; 4])?;
    let mut any_whole = false;
    session.wait()?;
    reports.tell(Report::Ready);
    for number in 0.. {
        let photo = match source.next(session)? {
            Next::Photo(photo) => *photo,
            Next::Finish => break,
            Next::Nothing => return Ok(None),
        };
        let begun = Instant::now();
        let (index, whole) = (photo.index, photo.whole);
        frame.warp(session, &photo)?;
        source.free(photo);
        // Where each kernel is waited for, the next upload need not wait for all of them.
        let is_slow = session.is_slow();
        if is_slow {
            source.upload_next();
        }
        any_whole |= whole;
        let pixels = &frame.pixels;
        if !whole {
            let args = [In(pixels), Out(&covered), Size(pixels)];
            session.run("cover", pixels.size(), &args)?;
        }
        accumulator.add(session, index, &frame, whole)?;
        if !is_slow {
            source.upload_next();
        }
        if number < lanes.max(2) {
            // Some drivers look for memory when it is used for the first time.
            session.wait()?;
            // The first of all frames takes longer than the rest.
            if number > 0 && begun.elapsed() > LONG {
                session.step_by_step();
            }
        }
        reports.tell(Report::Fused);
    }
    drop((frame, source));
    let alpha = match any_whole {
        true => None,
        false => Some(session.download(&covered)?).filter(|alpha: &Vec<u8>| alpha.contains(&0)),
    };
    let Finish { rest, more } = accumulator.finish(session)?;
    let rest = reports.hand(Box::new(|keep_going: KeepGoing| {
        let rest = rest(keep_going)?;
        Ok(Fused { alpha, ..rest })
    }));
    more(session)?;
    Ok(rest)
}

/// Downloads a picture.
pub fn download(session: &Session, picture: &Buffer) -> opencv::Result<Picture> {
    let all = session.blank(3 * picture.width, picture.height, Kind::Short)?;
    let args = [In(picture), Size(picture), Out(&all)];
    session.run("samples", picture.size(), &args)?;
    let size = (picture.width.try_into()?, picture.height.try_into()?);
    Ok(Picture::of_samples(size, session.download(&all)?))
}

/// Divides what was summed up by its weight.
pub fn normalise(session: &Session, sum: &Buffer) -> opencv::Result<()> {
    session.run("normalise", sum.size(), &[Out(sum), Size(sum)])
}

/// Adds the next level to a level of detail.
pub fn collapse(session: &Session, fine: &Buffer, coarse: &Buffer) -> opencv::Result<()> {
    let args = [Out(fine), Size(fine), In(coarse), Size(coarse)];
    session.run("collapse", fine.size(), &args)
}

/// Bytes on the device per pixel of the picture, less the photograph itself.
pub fn bytes_per_pixel(options: &Options, area: Area) -> u64 {
    // Colours of frames that have them at half the size, and their range.
    let colours = match options.is_subsampled(area.width, area.height) {
        true => 6 + 1,
        false => 0,
    };
    let others = match options.method {
        // A frame and its levels, the winners and theirs, two planes of energy,
        // the range.
        Method::Pyramid => 16 + 6 + 24 + 8 + 3,
        // A frame, the sum, three planes of contrast and their half sizes, the
        // winners, the search of depth, what is shown.
        Method::Average => 16 + 16 + 12 + 10 + 6 + 11 + 1,
        // A frame and its levels, energy and contrast of them, the winners, the
        // search of depth, what is shown.
        Method::Depth => 16 + 6 + 22 + 6 + 11 + 1,
        // The same, the sums of the levels and of the half size, the standing of
        // the levels, the range.
        Method::Hybrid => 62 + 22 + 4 + 2 + 2,
    };
    others + colours
}

/// OpenCV's message, less its own source line and function.
fn wording(error: &opencv::Error) -> String {
    let message = error.message.replace('\n', " ");
    let start = message.find("error: ").map_or(0, |at| at + 7);
    let end = message.rfind(" in function").unwrap_or(message.len());
    message
        .get(start..end)
        .unwrap_or(&message)
        .trim()
        .to_owned()
}
