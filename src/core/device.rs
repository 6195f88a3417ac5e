//! The devices that pixels can be worked on.

use std::cmp::Reverse;
use std::sync::OnceLock;

use clap::ValueEnum;

use super::fuse::{Fused, Fusion, Lanes, Method, Options, Second, on_opencl};
use super::plane::Plane;
use super::warp::{Area, Exposure};
use super::{ALWAYS, Transform};
use crate::photo::{Photo, Samples};
use crate::{Error, Result};

/// An OpenCL device, as the system describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenClDevice {
    /// Its number for `--device opencl:N`.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// The platform (driver) it belongs to.
    pub platform: String,
    /// What it understands, such as `OpenCL 3.0`.
    pub version: String,
    /// The version of its driver.
    pub driver: String,
    /// True for a graphics processor, false for a processor that only plays one.
    pub is_gpu: bool,
    /// Global memory in bytes.
    pub memory: u64,
    /// Compute units.
    pub compute_units: usize,
    /// Whether its memory is the processor's as well.
    pub shares_memory: bool,
}

/// The OpenCL devices of this machine, numbered in the order in which the
/// drivers name them; none where OpenCL is missing, fails, or is switched off
/// by `OPENCV_OPENCL_DEVICE=disabled`. They are looked for once.
pub fn opencl_devices() -> Vec<OpenClDevice> {
    // Some drivers crash when several threads wake them at once: the first
    // OpenCL call of the process is made here, by one.
    static DEVICES: OnceLock<Vec<OpenClDevice>> = OnceLock::new();
    let look = || {
        if wish().as_deref() == Some("disabled") {
            return Vec::new();
        }
        opencv::opencv_has_inherent_feature_opencl! {
            { opencl::devices().unwrap_or_default() } else { Vec::new() }
        }
    };
    DEVICES.get_or_init(look).clone()
}

/// What the user asks of OpenCV's OpenCL by `OPENCV_OPENCL_DEVICE`.
pub fn wish() -> Option<String> {
    let wish = std::env::var("OPENCV_OPENCL_DEVICE").ok();
    wish.filter(|wish| !wish.is_empty())
}

/// The device that `--device opencl` without a number means: the one that the
/// environment variable `OPENCV_OPENCL_DEVICE` asks for, else the
/// [`automatic`] one, else the first.
pub fn preferred(devices: &[OpenClDevice]) -> Option<&OpenClDevice> {
    match wish() {
        Some(wish) => asked_for(devices, &wish),
        None => automatic(devices).or(devices.first()),
    }
}

/// The first device that fits `wish`, written as OpenCV reads it:
/// `platform:type:device`. The platform is part of its name; the type is
/// `GPU`, `CPU`, `ACCELERATOR`, `ALL` or nothing; the device is part of its
/// name, or its place among those that fit the rest.
fn asked_for<'a>(devices: &'a [OpenClDevice], wish: &str) -> Option<&'a OpenClDevice> {
    let mut parts = wish.split(':').map(str::trim);
    let mut part = || parts.next().unwrap_or_default();
    let (platform, kind, device) = (part(), part(), part());
    let mut fitting = devices.iter().filter(|found| {
        let right_kind = match kind.to_ascii_uppercase().as_str() {
            "GPU" | "DGPU" | "IGPU" => found.is_gpu,
            "CPU" | "ACCELERATOR" => !found.is_gpu,
            _ => true,
        };
        right_kind && found.platform.contains(platform)
    });
    match device.parse() {
        Ok(place) => fitting.nth(place),
        Err(_) => fitting.find(|found| found.name.contains(device)),
    }
}

/// Makes sure that `device` [`is_right`].
///
/// # Errors
///
/// If the device fails, or its picture is not the processor's.
pub fn self_check(device: &OpenClDevice) -> Result<()> {
    if is_right(device)? {
        return Ok(());
    }
    Err(Error::job(
        format!(
            "the OpenCL device {} gives a wrong picture of a test stack",
            device.name
        ),
        "use --device cpu, or try another driver",
    ))
}

/// Fuses a small stack on the processor and on `device`, in every way there
/// is: drivers are known that give wrong pictures without a word. False where
/// the device's picture is not the processor's.
///
/// # Errors
///
/// If the device fails.
pub fn is_right(device: &OpenClDevice) -> Result<bool> {
    let (width, height) = (128, 96);
    let area = Area {
        x: 0,
        y: 0,
        width,
        height,
    };
    let methods = Method::value_variants().iter();
    let ways = methods.flat_map(|&method| [(method, false), (method, true)]);
    let ways = ways.map(|(method, subsampled)| Options {
        subsampled,
        ..Options::from(method)
    });
    let is_new = |way: &Options| !way.subsampled || way.is_subsampled(width, height);
    for way in ways.filter(is_new) {
        let right = fuse_samples(&way, area, None)?;
        let own = fuse_samples(&way, area, Some(device))?;
        let noise = noise(&right.picture.channels(), &own.picture.channels());
        let strays = right
            .index
            .iter()
            .zip(&own.index)
            .filter(|(a, b)| a != b)
            .count();
        // 60 dB below full scale; one pixel in a hundred may be a near tie.
        if !(noise <= 1e-6 && strays * 100 <= width * height && right.alpha == own.alpha) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The mean square difference of two pictures.
fn noise(a: &[Plane; 3], b: &[Plane; 3]) -> f64 {
    let pairs = || {
        let planes = a.iter().zip(b);
        planes.flat_map(|(a, b)| a.data.iter().zip(&b.data))
    };
    let sum: f64 = pairs().map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sum / pairs().count().max(1) as f64
}

/// Four frames, each sharp in its own quarter: of both depths, still, moved,
/// tilted, beyond the border, and with a hole.
fn fuse_samples(options: &Options, area: Area, device: Option<&OpenClDevice>) -> Result<Fused> {
    let mut fusion = match device {
        Some(device) => on_opencl(options, area, device)?,
        None => options.on_cpu(area),
    };
    add_samples(fusion.as_mut(), area)?;
    match options.second(
        fusion.finish(ALWAYS)?,
        None,
        area,
        device.map(Lanes::from),
        ALWAYS,
    )? {
        Second::Look(mut fusion) => {
            add_samples(fusion.as_mut(), area)?;
            fusion.finish(ALWAYS)
        }
        Second::None(fused) => Ok(*fused),
    }
}

fn add_samples(fusion: &mut dyn Fusion, area: Area) -> Result<()> {
    let (width, height) = (area.width, area.height);
    for number in 0..4u16 {
        let sharp = f64::from(number) * 32.0 + 16.0;
        let values = (0..width * height * 3).map(|i| {
            let (x, y) = ((i / 3 % width) as f64, (i / 3 / width) as f64);
            let fine = (1.1 * x).sin() * (0.9 * y).cos() * (-((x - sharp) / 24.0).powi(2)).exp();
            let coarse = (0.11 * x + 0.07 * y + (i % 3) as f64).sin();
            0.5 + 0.25 * fine + 0.2 * coarse
        });
        let samples = if number % 2 == 0 {
            Samples::Eight(values.map(|value| (value * 255.0) as u8).collect())
        } else {
            Samples::Sixteen(values.map(|value| (value * 65535.0) as u16).collect())
        };
        let turn = f64::from(number);
        let mut pose = Transform::similarity(
            1.0 + 0.003 * turn,
            0.004 * turn,
            [64.0, 48.0],
            [1.3 * turn, -0.7 * turn],
        );
        if number == 3 {
            pose.0[2] = [2e-5, -3e-5, 1.0];
        }
        let hole = |i: usize| (40..60).contains(&(i % width)) && (30..50).contains(&(i / width));
        let photo = Photo {
            width,
            height,
            samples,
            alpha: (number == 2).then(|| {
                (0..width * height)
                    .map(|i| if hole(i) { 0 } else { 255 })
                    .collect()
            }),
            ..Photo::default()
        };
        let exposure = Exposure {
            gain: [1.0 + 0.02 * turn, 1.0, 0.99],
            offset: [0.0, 0.004 * turn, 0.0],
        };
        fusion.add(number, &photo, &pose, &exposure, ALWAYS)?;
    }
    Ok(())
}

/// The device that `--device auto` tries first: see [`candidates`].
pub fn automatic(devices: &[OpenClDevice]) -> Option<&OpenClDevice> {
    candidates(devices).into_iter().next()
}

/// The devices that `--device auto` tries, in this order: graphics processors,
/// the one with the most compute units first. A processor that only plays an
/// OpenCL device is never chosen: the plain way is faster on it.
pub fn candidates(devices: &[OpenClDevice]) -> Vec<&OpenClDevice> {
    let mut gpus: Vec<_> = devices.iter().filter(|device| device.is_gpu).collect();
    gpus.sort_by_key(|device| (Reverse(device.compute_units), device.index));
    gpus
}

opencv::opencv_has_inherent_feature_opencl! {
mod opencl {
    use super::OpenClDevice;
    use opencv::core::{self, Vector};
    use opencv::prelude::*;

    pub fn devices() -> opencv::Result<Vec<OpenClDevice>> {
        let mut found = Vec::new();
        if !core::have_opencl()? {
            return Ok(found);
        }
        let mut platforms = Vector::new();
        core::get_platfoms_info(&mut platforms)?;
        for platform in &platforms {
            for number in 0..platform.device_number()? {
                // A device that its driver cannot describe costs that device,
                // not the list.
                if let Ok(device) = describe(&platform, number, found.len()) {
                    found.push(device);
                }
            }
        }
        Ok(found)
    }

    /// The device that `wanted` describes, as OpenCV holds it.
    pub fn find(wanted: &OpenClDevice) -> opencv::Result<core::Device> {
        let gone = || opencv::Error::new(core::StsError, "there is no such device");
        if super::opencl_devices().get(wanted.index) != Some(wanted) {
            return Err(gone());
        }
        let mut number = 0;
        let mut platforms = Vector::new();
        core::get_platfoms_info(&mut platforms)?;
        for platform in &platforms {
            for on_platform in 0..platform.device_number()? {
                let Ok(found) = describe(&platform, on_platform, number) else {
                    continue;
                };
                if found == *wanted {
                    let mut device = core::Device::default();
                    platform.get_device(&mut device, on_platform)?;
                    return Ok(device);
                }
                number += 1;
            }
        }
        Err(gone())
    }

    fn describe(
        platform: &core::PlatformInfo,
        number: i32,
        index: usize,
    ) -> opencv::Result<OpenClDevice> {
        let mut device = core::Device::default();
        platform.get_device(&mut device, number)?;
        Ok(OpenClDevice {
            index,
            name: device.name()?.trim().to_owned(),
            vendor: device.vendor_name()?.trim().to_owned(),
            platform: platform.name()?.trim().to_owned(),
            version: device.version()?.trim().to_owned(),
            driver: device.driver_version()?.trim().to_owned(),
            is_gpu: device.typ()? & core::Device_TYPE_GPU != 0,
            memory: device.global_mem_size()? as u64,
            compute_units: device.max_compute_units()?.max(0) as usize,
            shares_memory: device.host_unified_memory()?,
        })
    }
}
}

opencv::opencv_has_inherent_feature_opencl! {
pub(crate) use opencl::find;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: usize, is_gpu: bool, compute_units: usize) -> OpenClDevice {
        OpenClDevice {
            index,
            name: format!("device {index}"),
            vendor: "maker".into(),
            platform: "driver".into(),
            version: "OpenCL 3.0".into(),
            driver: "1".into(),
            is_gpu,
            memory: 1 << 30,
            compute_units,
            shares_memory: false,
        }
    }

    #[test]
    fn automatic_takes_the_largest_gpu_and_never_a_processor() {
        let devices = [
            device(0, false, 256),
            device(1, true, 20),
            device(2, true, 80),
            device(3, true, 80),
        ];
        assert_eq!(automatic(&devices).unwrap().index, 2);
        assert_eq!(automatic(&devices[..1]), None);
        assert_eq!(automatic(&[]), None);
    }

    #[test]
    fn a_wish_is_read_as_opencv_reads_it() {
        let devices = [device(0, false, 1), device(1, true, 1), device(2, true, 1)];
        let asked = |wish| asked_for(&devices, wish).map(|device| device.index);
        assert_eq!(asked(":GPU:"), Some(1));
        assert_eq!(asked(":GPU:1"), Some(2));
        assert_eq!(asked("driver::device 2"), Some(2));
        assert_eq!(asked(":CPU:0"), Some(0));
        assert_eq!(asked("other:GPU:"), None);
        assert_eq!(asked(":GPU:7"), None);
    }

    #[test]
    fn a_device_that_works_passes_and_one_that_is_not_there_does_not() {
        let mut devices = opencl_devices();
        devices.extend(
            opencl_devices()
                .into_iter()
                .map(|real| OpenClDevice { index: 99, ..real }),
        );
        for device in devices {
            assert_eq!(self_check(&device).is_ok(), device.index != 99);
        }
    }

    #[test]
    fn devices_are_numbered_from_zero() {
        for (number, device) in opencl_devices().iter().enumerate() {
            assert_eq!(device.index, number);
            assert!(!device.name.is_empty());
        }
    }
}
