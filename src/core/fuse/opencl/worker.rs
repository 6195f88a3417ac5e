//! What the thread does that holds the device.

use std::sync::atomic::Ordering;

use opencv::core::Scalar;

use super::average::Average;
use super::frame::Frame;
use super::pyramid::Pyramid;
use super::session::Arg::{In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use super::{ADVICE, Message, Orders, enough_memory};
use crate::core::device::{self, OpenClDevice};
use crate::core::fuse::{DepthMap, Fused, Method, Options};
use crate::core::plane::Plane;
use crate::core::warp::Area;
use crate::{Error, Result};

/// Something on the device that takes frames in the geometry of the result.
pub trait Accumulator {
    /// Adds a frame (red, green, blue, mask), which is scratch afterwards.
    fn add(&mut self, session: &Session, index: u16, frame: &Buffer) -> opencv::Result<()>;

    /// Takes the picture out; its alpha is left to the caller.
    fn finish(self, session: &Session) -> opencv::Result<Fused>;
}

/// Fuses on `device` what the `orders` bring, until they say to finish or
/// nobody gives any more: then there is no picture.
pub fn work(
    options: &Options,
    area: Area,
    device: &OpenClDevice,
    orders: &Orders,
) -> Result<Option<Fused>> {
    enough_memory(options.method, area, 0, device.memory, device)?;
    let run = || -> opencv::Result<Option<Fused>> {
        let session = &Session::open(&device::find(device)?)?;
        let (width, height) = (area.width, area.height);
        match options.method {
            Method::Pyramid => {
                let (levels, noise) = (options.levels, options.noise);
                let pyramid = Pyramid::new(session, width, height, levels, noise)?;
                fuse(session, area, pyramid, orders)
            }
            Method::Average => {
                let average = Average::new(session, width, height)?;
                fuse(session, area, average, orders)
            }
            Method::Hybrid | Method::Depth => Err(opencv::Error::new(
                opencv::core::StsNotImplemented,
                "this method works on the processor only",
            )),
        }
    };
    run().map_err(|error| failure(device, &error))
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
        if frame.warp(session, &sent)? {
            any_whole = true;
        } else {
            let pixels = &frame.pixels;
            session.run(
                "cover",
                pixels.size(),
                &[In(pixels), Out(&covered), Size(pixels)],
            )?;
        }
        accumulator.add(session, sent.index, &frame.pixels)?;
    }
    Ok(None)
}

/// Downloads a picture, channel after channel by way of `scratch`, and where
/// it came from.
pub fn picture(
    session: &Session,
    picture: &Buffer,
    scratch: &Buffer,
    index: &Buffer,
    confidence: &Buffer,
) -> opencv::Result<Fused> {
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
    let channels = [channel(0)?, channel(1)?, channel(2)?];
    let index: Vec<u16> = session.download(index)?;
    let confidence: Vec<u8> = session.download(confidence)?;
    let (width, height) = (channels[0].width, channels[0].height);
    Ok(Fused {
        channels,
        depth: DepthMap::of_index(&index, &confidence, width, height),
        index,
        confidence,
        alpha: None,
    })
}

/// Bytes on the device per pixel of the picture, less the photograph itself.
pub fn bytes_per_pixel(method: Method) -> u64 {
    match method {
        // A frame and its levels, the winners and theirs, two planes of
        // energy, the range.
        Method::Pyramid => 16 + 6 + 24 + 8 + 3,
        Method::Average | Method::Hybrid | Method::Depth => 16 + 16 + 6 + 9 + 1,
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
