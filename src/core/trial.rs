//! How fast a device fuses.

use std::time::Instant;

use super::device::OpenClDevice;
use super::fuse::{Method, on_cpu, on_opencl};
use super::warp::{Area, Exposure};
use super::{ALWAYS, Transform};
use crate::Result;
use crate::photo::{Photo, Samples};

/// Frames that are timed.
const FRAMES: u16 = 4;
/// Their area.
const AREA: Area = Area {
    x: 0,
    y: 0,
    width: 1536,
    height: 1024,
};

/// Pixels of frames per second that a device fuses by the default method, or
/// the processor for `None`: a few small frames, once to get ready and once
/// with the clock.
///
/// # Errors
///
/// If the device fails.
pub fn speed(device: Option<&OpenClDevice>) -> Result<f64> {
    let photo = texture();
    fuse(device, &photo, 1)?;
    let begun = Instant::now();
    fuse(device, &photo, FRAMES)?;
    let pixels = f64::from(FRAMES) * (AREA.width * AREA.height) as f64;
    Ok(pixels / begun.elapsed().as_secs_f64().max(1e-6))
}

fn fuse(device: Option<&OpenClDevice>, photo: &Photo, frames: u16) -> Result<()> {
    let method = Method::default();
    let mut fusion = match device {
        Some(device) => on_opencl(&method.into(), AREA, device)?,
        None => on_cpu(method, AREA, None),
    };
    for number in 0..frames {
        let shift = f64::from(number) * 0.3;
        let pose = Transform::similarity(1.0, 0.0, [0.0, 0.0], [shift, -shift]);
        fusion.add(number, photo, &pose, &Exposure::default(), ALWAYS)?;
    }
    fusion.finish(ALWAYS).map(|_| ())
}

/// A frame full of detail.
fn texture() -> Photo {
    let value = |i: usize| {
        let scattered = (i as u32).wrapping_mul(2_654_435_761);
        (scattered >> 24) as u8
    };
    Photo {
        width: AREA.width,
        height: AREA.height,
        samples: Samples::Eight((0..AREA.width * AREA.height * 3).map(value).collect()),
        ..Photo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::device::opencl_devices;

    #[test]
    fn every_device_has_a_speed_and_one_that_is_gone_has_none() {
        let mut devices: Vec<Option<OpenClDevice>> = vec![None];
        devices.extend(opencl_devices().into_iter().map(Some));
        for device in &devices {
            let speed = speed(device.as_ref()).unwrap();
            assert!((1e4..1e11).contains(&speed), "{device:?}: {speed}");
        }
        if let Some(Some(real)) = devices.pop() {
            let gone = OpenClDevice { index: 99, ..real };
            assert!(speed(Some(&gone)).is_err());
        }
    }
}
