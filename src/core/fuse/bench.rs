//! How long the steps of fusing take, on a device and on the processor.

use std::time::Instant;

use super::contrast::squares;
use super::levels::Detail;
use super::opencl::kernel_times;
use super::range::Range;
use super::{Lanes, Method, Options, on_opencl};
use crate::Result;
use crate::core::device::OpenClDevice;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::warp::{Area, Exposure, Warped};
use crate::core::{KeepGoing, Transform};
use crate::photo::{Photo, Samples, Subsampled};

/// Runs of which the median counts.
const RUNS: usize = 5;
/// Frames of a stack whose fusion is timed.
const FRAMES: u16 = 3;

/// Frames after which few lanes are busy, and those whose time counts then.
const BEGINNING: u16 = 8;
const STEADY: u16 = 12;

/// A step of fusing.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The kernel, or what is done.
    pub name: &'static str,
    /// Bytes that it reads and writes at least.
    pub bytes: u64,
    /// Seconds that it takes for one frame.
    pub seconds: f64,
}

/// The median time that `work` takes, in seconds, after it was done once.
/// `prepare` comes before each time and does not count.
pub fn median<T>(
    state: &mut T,
    prepare: impl Fn(&mut T) -> Result<()>,
    work: impl Fn(&mut T) -> Result<()>,
) -> Result<f64> {
    let mut times = [0.0; RUNS + 1];
    for time in &mut times {
        prepare(state)?;
        let begun = Instant::now();
        work(state)?;
        *time = begun.elapsed().as_secs_f64();
    }
    let runs = &mut times[1..];
    runs.sort_by(f64::total_cmp);
    Ok(runs[RUNS / 2])
}

/// What every kernel takes on `device` for a frame of the size of `area`, and
/// the way there and back, in the order in which the methods use them.
///
/// # Errors
///
/// If the device fails or has too little memory, and
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn on_device(device: &OpenClDevice, area: Area, keep_going: KeepGoing) -> Result<Vec<Step>> {
    kernel_times(device, area, keep_going)
}

/// What the same takes on the processor, by the names of the kernels; of some
/// there is no such step.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn on_processor(area: Area, keep_going: KeepGoing) -> Result<Vec<(&'static str, f64)>> {
    let mut room = Room::new(area);
    STEPS
        .iter()
        .map(|&(name, step)| {
            check(keep_going)?;
            let work = |room: &mut Room| step(room, keep_going);
            Ok((name, median(&mut room, |_| Ok(()), work)?))
        })
        .collect()
}

/// Pixels of frames per second that `device` fuses by a method, or the
/// processor for `None`.
///
/// # Errors
///
/// If the device fails or has too little memory, and
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn speed(
    device: Option<&OpenClDevice>,
    method: Method,
    area: Area,
    keep_going: KeepGoing,
) -> Result<f64> {
    let photo = texture(area, Samples::Eight);
    let options = Options::from(method);
    let feed = |mut fusion: Box<dyn super::Fusion>| {
        for number in 0..FRAMES {
            let pose = &moved(f64::from(number));
            fusion.add(number, &photo, pose, &Exposure::default(), keep_going)?;
        }
        fusion.finish(keep_going)
    };
    let fuse = || {
        let found = feed(match device {
            Some(device) => on_opencl(&options, area, device)?,
            None => options.on_cpu(area),
        })?;
        match options.second(found, None, area, device.map(Lanes::from), keep_going)? {
            super::Second::Look(second) => feed(second),
            super::Second::None(fused) => Ok(*fused),
        }
    };
    let seconds = median(&mut (), |()| Ok(()), |()| fuse().map(drop))?;
    let pixels = f64::from(FRAMES) * (area.width * area.height) as f64;
    Ok(pixels / seconds.max(1e-9))
}

/// Pixels of frames per second that so many lanes of `device` fuse by a method
/// while they are kept busy, frames being in memory with their colour at half the size,
/// as many JPEGs are decoded: what beginning and end take does not count.
///
/// # Errors
///
/// As [`speed`].
pub fn lane_speed(
    device: &OpenClDevice,
    count: usize,
    method: Method,
    area: Area,
    keep_going: KeepGoing,
) -> Result<f64> {
    let lanes = Lanes {
        count,
        ..Lanes::from(device)
    };
    let photo = Subsampled::from(&texture(area, Samples::Eight));
    let options = Options {
        subsampled: true,
        ..Options::from(method)
    };
    // All lanes have photographs then, and as many wait.
    let beginning = BEGINNING.max(2 * u16::try_from(count).unwrap_or(u16::MAX / 4));
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let mut fusion = on_opencl(&options, area, &lanes)?;
        let photos = vec![photo.clone(); usize::from(beginning + STEADY)];
        let mut begun = Instant::now();
        for (number, photo) in (0..).zip(photos) {
            // Each is taken when there is room for it: as fast as they are fused.
            if number == beginning {
                begun = Instant::now();
            }
            let pose = &moved(f64::from(number));
            let exposure = Exposure::default();
            fusion.take_subsampled(number, photo, pose, &exposure, keep_going)?;
        }
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let pixels = f64::from(STEADY) * (area.width * area.height) as f64;
    Ok(pixels / seconds[RUNS / 2].max(1e-9))
}

/// A photograph full of detail.
pub fn texture<T: From<u8>>(area: Area, samples: impl Fn(Vec<T>) -> Samples) -> Photo {
    let value = |i: usize| T::from(((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8);
    Photo {
        width: area.width,
        height: area.height,
        samples: samples((0..area.width * area.height * 3).map(value).collect()),
        ..Photo::default()
    }
}

/// A pose that makes every pixel a mean of those around it.
pub fn moved(shift: f64) -> Transform {
    Transform::similarity(1.0, 1e-4, [0.0, 0.0], [shift + 0.3, 0.4 - shift])
}

/// What the processor works on.
struct Room {
    area: Area,
    photos: [Photo; 2],
    warped: Warped,
    fine: [Plane; 3],
    coarse: [Plane; 3],
    scratch: Plane,
    range: Range,
}

impl Room {
    fn new(area: Area) -> Self {
        let Area { width, height, .. } = area;
        let fine = std::array::from_fn(|_| Plane::filled(width, height, 0.25));
        Self {
            area,
            photos: [
                texture(area, Samples::Eight),
                texture(area, Samples::Sixteen),
            ],
            warped: Warped::empty(),
            coarse: fine.each_ref().map(Plane::reduced),
            fine,
            scratch: Plane::filled(width, height, 1.0),
            range: Range::new(width, height),
        }
    }

    fn warp(&mut self, photo: usize, keep_going: KeepGoing) -> Result<()> {
        let exposure = Exposure::default();
        let photo = &self.photos[photo];
        self.warped
            .renew(photo, &moved(0.0), self.area, &exposure, keep_going)
    }
}

/// What a step does.
type Work = fn(&mut Room, KeepGoing) -> Result<()>;

/// The steps that the processor takes as the devices do, by the kernels' names.
const STEPS: &[(&str, Work)] = &[
    ("warp_uchar", |room, keep_going| room.warp(0, keep_going)),
    ("warp_ushort", |room, keep_going| room.warp(1, keep_going)),
    ("reduce_float", |room, _| {
        room.fine[0].reduce_into(&mut room.coarse[0]);
        Ok(())
    }),
    ("reduce_float4", |room, _| {
        let pairs = room.fine.iter().zip(&mut room.coarse);
        pairs.for_each(|(fine, coarse)| fine.reduce_into(coarse));
        Ok(())
    }),
    ("window", |room, _| {
        room.fine[0].window_into(&mut room.scratch);
        Ok(())
    }),
    ("split", |room, _| {
        squares(
            &Detail::new(&room.fine, Some(&room.coarse)),
            &mut room.scratch,
        );
        Ok(())
    }),
    ("range", |room, _| {
        let fine = room.fine.iter();
        fine.for_each(|plane| room.range.add(plane, None));
        Ok(())
    }),
    ("hold", |room, _| {
        let fine = room.fine.iter_mut();
        fine.for_each(|plane| room.range.clamp(plane));
        Ok(())
    }),
    ("collapse", |room, _| {
        let pairs = room.fine.iter_mut().zip(&room.coarse);
        pairs.for_each(|(fine, coarse)| fine.add_expanded(coarse, 1.0));
        Ok(())
    }),
    ("normalise", |room, _| {
        let fine = room.fine.iter_mut();
        fine.for_each(|plane| plane.divide(&room.scratch));
        Ok(())
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;
    use crate::core::device::opencl_devices;

    const AREA: Area = Area {
        x: 0,
        y: 0,
        width: 150,
        height: 100,
    };

    #[test]
    fn the_median_leaves_out_the_first_run() {
        let mut runs = 0;
        let slow_first = |runs: &mut i32| {
            *runs += 1;
            if *runs == 1 {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Ok(())
        };
        let seconds = median(&mut runs, |_| Ok(()), slow_first).unwrap();
        assert!(seconds < 0.04, "{seconds}");
        assert_eq!(runs, RUNS as i32 + 1);
    }

    /// The kernels that a source defines; those that a macro makes, once for each
    /// of its uses.
    fn defined(source: &str) -> Vec<String> {
        let mut names = Vec::new();
        for (at, _) in source.match_indices("__kernel void ") {
            let name = source[at + 14..].split('(').next().unwrap().trim();
            let Some((stem, parameter)) = name.split_once("##") else {
                names.push(name.to_owned());
                continue;
            };
            let head = source[..at].rfind("#define ").unwrap() + 8;
            let (own, rest) = source[head..].split_once('(').unwrap();
            assert!(rest.starts_with(&format!("{parameter})")), "{name}");
            let uses = source.lines().filter_map(|line| {
                let argument = line.strip_prefix(own)?.strip_prefix('(')?;
                argument.split(')').next()
            });
            names.extend(uses.map(|argument| format!("{stem}{argument}")));
        }
        names
    }

    #[test]
    fn kernels_are_found_in_their_sources() {
        let source = "__kernel void plain(int a)\n#define BOTH(T) \\\n  __kernel void two_##T(T a)\n\
                      BOTH(int)\nBOTH(float)\n";
        assert_eq!(defined(source), ["plain", "two_int", "two_float"]);
    }

    #[test]
    fn every_kernel_is_measured() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/kernels");
        let mut kernels: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            kernels.extend(defined(&source));
        }
        assert!(kernels.len() > 30);
        for device in opencl_devices() {
            let steps = on_device(&device, AREA, ALWAYS).unwrap();
            let names: Vec<_> = steps.iter().map(|step| step.name).collect();
            for kernel in &kernels {
                assert!(names.contains(&&kernel[..]), "{kernel}");
            }
            for (name, seconds) in on_processor(AREA, ALWAYS).unwrap() {
                assert!(seconds > 0.0 && names.contains(&name), "{name}");
            }
            for step in steps {
                assert!(step.seconds > 0.0 && step.bytes > 0, "{step:?}");
            }
        }
    }

    #[test]
    fn every_method_has_a_speed() {
        let mut devices = vec![None];
        devices.extend(opencl_devices().into_iter().map(Some));
        for device in &devices {
            for method in [Method::Pyramid, Method::Depth] {
                let speed = speed(device.as_ref(), method, AREA, ALWAYS).unwrap();
                assert!(speed > 1e3, "{method:?}: {speed}");
            }
        }
    }

    #[test]
    fn measuring_can_be_stopped() {
        let stopped = on_processor(AREA, &|| false);
        assert_eq!(stopped, Err(crate::Error::Cancelled));
        for device in opencl_devices() {
            let stopped = on_device(&device, AREA, &|| false);
            assert_eq!(stopped, Err(crate::Error::Cancelled));
        }
    }
}
