//! Measures what the devices do.

use clap::ValueEnum;

use super::choice;
use super::{Device, Job, Phase};
use crate::core::device::{OpenClDevice, opencl_devices};
use crate::core::fuse::bench::{self, Step};
use crate::core::fuse::{Method, enough_memory};
use crate::core::warp::Area;
use crate::{Error, Result};

/// Frames that are tried, from the one that is asked for to what any device has
/// room for.
const SIZES: [[usize; 2]; 3] = [[6000, 4000], [3000, 2000], [1500, 1000]];
/// Numbers of lanes that are tried.
const LANES: [usize; 4] = [1, 2, 4, 8];
/// Bytes that the steps take for each pixel: more than any fusion.
const BYTES_PER_PIXEL: u64 = 90;

/// What was measured on the processor and on OpenCL devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Bench {
    /// Width and height of the frames in pixels.
    pub size: [usize; 2],
    /// Seconds that the processor takes, by the names of the kernels.
    pub processor: Vec<(&'static str, f64)>,
    /// Pixels of frames per second that the processor fuses.
    pub speeds: Vec<(Method, f64)>,
    /// What each device takes, or why there is nothing to tell.
    pub devices: Vec<(OpenClDevice, Result<OnDevice>)>,
}

/// What was measured on a device.
#[derive(Debug, Clone, PartialEq)]
pub struct OnDevice {
    /// Every kernel, and the way there and back.
    pub steps: Vec<Step>,
    /// Pixels of frames per second that it fuses, by the methods it knows.
    pub speeds: Vec<(Method, f64)>,
    /// Pixels of frames per second that it fuses by the default method, by the
    /// number of its lanes, where frames are in memory.
    pub lanes: Vec<(usize, f64)>,
}

/// Measures the processor, and the device that is named or all of them.
///
/// # Errors
///
/// If there is no such device, and if the job is cancelled.
pub fn measure(device: Device, job: &Job) -> Result<Bench> {
    let devices = named(device)?;
    let has_room = |size: &[usize; 2]| {
        let pixels = (size[0] * size[1]) as u64;
        let fits = |device: &OpenClDevice| pixels * BYTES_PER_PIXEL <= device.memory;
        devices.iter().all(fits)
    };
    let size = SIZES.into_iter().find(has_room);
    measure_at(size.unwrap_or(SIZES[SIZES.len() - 1]), devices, job)
}

fn measure_at(size: [usize; 2], devices: Vec<OpenClDevice>, job: &Job) -> Result<Bench> {
    let area = Area {
        x: 0,
        y: 0,
        width: size[0],
        height: size[1],
    };
    let methods = Method::value_variants().len();
    let on_device = 1 + methods + LANES.len();
    job.begin(Phase::Measuring, 1 + methods + on_device * devices.len());
    let keep_going = || !job.is_cancelled();
    let processor = bench::on_processor(area, &keep_going)?;
    job.step();
    let speeds = speeds(None, area, job)?;
    let on_device = |device: OpenClDevice| {
        let measured = measure_device(&device, area, job);
        match measured {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            measured => Ok((device, measured)),
        }
    };
    Ok(Bench {
        size,
        processor,
        speeds,
        devices: devices.into_iter().map(on_device).collect::<Result<_>>()?,
    })
}

fn measure_device(device: &OpenClDevice, area: Area, job: &Job) -> Result<OnDevice> {
    for &method in Method::value_variants() {
        enough_memory(&method.into(), area, 0, device.memory, device)?;
    }
    let steps = bench::on_device(device, area, &|| !job.is_cancelled())?;
    job.step();
    let speeds = speeds(Some(device), area, job)?;
    let mut lanes = Vec::new();
    for count in LANES {
        let keep_going = || !job.is_cancelled();
        let speed = bench::lane_speed(device, count, Method::default(), area, &keep_going)?;
        lanes.push((count, speed));
        job.step();
    }
    Ok(OnDevice {
        steps,
        speeds,
        lanes,
    })
}

/// The speed of each method.
fn speeds(device: Option<&OpenClDevice>, area: Area, job: &Job) -> Result<Vec<(Method, f64)>> {
    let mut speeds = Vec::new();
    for &method in Method::value_variants() {
        let speed = bench::speed(device, method, area, &|| !job.is_cancelled())?;
        speeds.push((method, speed));
        job.step();
    }
    Ok(speeds)
}

/// The devices that are meant.
fn named(device: Device) -> Result<Vec<OpenClDevice>> {
    let all = opencl_devices();
    match device {
        Device::Auto => Ok(all),
        Device::Cpu => Ok(Vec::new()),
        Device::OpenCl(number) => Ok(vec![choice::named(number, &all)?.clone()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_measured_is_told() {
        let devices = opencl_devices();
        let job = Job::silent();
        let bench = measure_at([150, 100], devices.clone(), &job).unwrap();
        assert_eq!(bench.speeds.len(), Method::value_variants().len());
        assert_eq!(bench.devices.len(), devices.len());
        for (device, measured) in bench.devices {
            let measured = measured.unwrap();
            assert!(measured.steps.len() > 15, "{}", device.name);
            assert!(measured.speeds.iter().all(|&(_, speed)| speed > 0.0));
            assert!(measured.speeds.len() >= 2);
            assert_eq!(measured.lanes.len(), LANES.len());
            assert!(measured.lanes.iter().all(|&(_, speed)| speed > 0.0));
        }
    }

    #[test]
    fn a_device_that_is_gone_costs_itself() {
        let Some(real) = opencl_devices().into_iter().next() else {
            return;
        };
        let gone = OpenClDevice { index: 99, ..real };
        let bench = measure_at([60, 40], vec![gone], &Job::silent()).unwrap();
        assert!(bench.devices[0].1.is_err());
        assert!(named(Device::OpenCl(Some(99))).is_err());
    }

    #[test]
    fn it_can_be_cancelled() {
        let job = Job::silent();
        job.cancel();
        assert_eq!(measure(Device::Cpu, &job), Err(Error::Cancelled));
    }
}
