//! What the thread does that holds the device.

use std::sync::atomic::Ordering;

use opencv::core::Scalar;

use super::average::Average;
use super::frame::Frame;
use super::hybrid::Hybrid;
use super::pyramid::Pyramid;
use super::render::{Render, Search};
use super::session::Arg::{In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::{ADVICE, Message, Orders, Task, enough_memory};
use crate::core::device::{self, OpenClDevice};
use crate::core::fuse::{Fused, Method};
use crate::core::plane::Plane;
use crate::core::warp::Area;
use crate::{Error, Result};

/// Something on the device that takes frames in the geometry of the result.
pub trait Accumulator {
    /// Adds a frame (red, green, blue, mask), which is scratch afterwards. Where
    /// it is `whole` its mask is 1 everywhere.
    fn add(
        &mut self,
        session: &Session,
        index: u16,
        frame: &Buffer,
        whole: bool,
    ) -> opencv::Result<()>;

    /// Takes the picture out; its alpha is left to the caller.
    fn finish(self, session: &Session) -> opencv::Result<Fused>;
}

/// Fuses on `device` what the `orders` bring, until they say to finish or
/// nobody gives any more: then there is no picture.
pub fn work(
    task: Task,
    area: Area,
    device: &OpenClDevice,
    orders: &Orders,
) -> Result<Option<Fused>> {
    // What a second look needs is less than the first one did.
    if let Task::Look(options) = &task {
        enough_memory(options.method, area, 0, device.memory, device)?;
    }
    let work = || run(&Session::open(&device::find(device)?)?, task, area, orders);
    work().map_err(|error| failure(device, &error))
}

/// The same on a device that is open.
pub fn run(
    session: &Session,
    task: Task,
    area: Area,
    orders: &Orders,
) -> opencv::Result<Option<Fused>> {
    let (width, height) = (area.width, area.height);
    let options = &match task {
        Task::Look(options) => options,
        Task::Render {
            found,
            depth,
            clamp,
        } => {
            let render = Render::new(session, *found, &depth, clamp)?;
            return fuse(session, area, render, orders);
        }
    };
    match options.method {
        Method::Hybrid => {
            let hybrid = Hybrid::new(session, options, width, height)?;
            fuse(session, area, hybrid, orders)
        }
        Method::Pyramid => {
            let pyramid = Pyramid::new(session, options, width, height)?;
            fuse(session, area, pyramid, orders)
        }
        Method::Depth => {
            let search = Search::new(session, options, width, height)?;
            fuse(session, area, search, orders)
        }
        Method::Average => {
            let average = Average::new(session, options, width, height)?;
            fuse(session, area, average, orders)
        }
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

fn fuse(
    session: &Session,
    area: Area,
    mut accumulator: impl Accumulator,
    orders: &Orders,
) -> opencv::Result<Option<Fused>> {
    let mut frame = Frame::new(session, area)?;
    let pixels = &frame.pixels;
    let covered = session.filled(pixels.width, pixels.height, Kind::Byte, Scalar::all(0.0))?;
    let mut any_whole = false;
    if orders.ready.send(()).is_err() {
        return Ok(None);
    }
    for message in &orders.messages {
        if orders.given_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Message::Add(sent) = message else {
            drop(frame);
            let mut fused = accumulator.finish(session)?;
            if !any_whole {
                let alpha = session.download(&covered)?;
                fused.alpha = alpha.contains(&0).then_some(alpha);
            }
            return Ok(Some(fused));
        };
        let whole = frame.warp(session, &sent)?;
        any_whole |= whole;
        if !whole {
            let pixels = &frame.pixels;
            session.run(
                "cover",
                pixels.size(),
                &[In(pixels), Out(&covered), Size(pixels)],
            )?;
        }
        accumulator.add(session, sent.index, &frame.pixels, whole)?;
    }
    Ok(None)
}

/// Downloads the channels of a picture, one after another by way of `scratch`.
pub fn channels(
    session: &Session,
    picture: &Buffer,
    scratch: &Buffer,
) -> opencv::Result<[Plane; 3]> {
    let channel = |number| -> opencv::Result<Plane> {
        session.run(
            "channel",
            picture.size(),
            &[In(picture), Int(number), Out(scratch), Size(picture)],
        )?;
        Ok(Plane {
            width: picture.width.try_into()?,
            height: picture.height.try_into()?,
            data: session.download(scratch)?,
        })
    };
    Ok([channel(0)?, channel(1)?, channel(2)?])
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
pub fn bytes_per_pixel(method: Method) -> u64 {
    match method {
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
    }
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
