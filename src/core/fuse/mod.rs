//! How aligned frames become one picture.
//!
//! Each way of fusing is an accumulator: frames are added one after another,
//! and the picture is taken out once at the end. What is kept does not grow
//! with the number of frames.

mod average;
mod bands;
pub mod bench;
mod brought;
pub(in crate::core) mod contrast;
mod cover;
mod depth;
mod depth_map;
mod ends;
pub(in crate::core) mod fill;
mod finest;
mod hybrid;
mod levels;
mod number;
mod opencl;
mod own;
mod picture;
mod prefer;
mod preview;
mod pyramid;
mod range;
mod ranges;
mod render;
#[cfg(test)]
mod samples;
mod softness;
mod tiles;
mod weighted;
mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::average::Average;
pub use self::bands::{Band, Joined, bands};
pub use self::depth_map::DepthMap;
use self::hybrid::Hybrid;
pub use self::opencl::{
    Held, Holding, Lanes, Meter, device_bytes, enough_memory, make_ready, on_opencl,
};
use self::opencl::{render_on_opencl, unveil_on_opencl};
pub use self::picture::Picture;
use self::prefer::Bias;
pub use self::prefer::Prefer;
pub use self::preview::Preview;
use self::pyramid::Pyramid;
use self::render::{Render, Search};
pub use self::softness::{SMOOTHNESS, softness};
use super::subsampled::Planes;
use super::veil::Veil;
use super::warp::{Area, Exposure, Placed, Warped};
use super::{KeepGoing, Transform};
use crate::photo::{self, Decoded, Photo, Subsampled};
use crate::{Error, Result};

/// The way of fusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Frames blended level by level, weighted by their finest detail: clean and
    /// without halos.
    #[default]
    Hybrid,
    /// Laplacian pyramid, the sharpest frame wins at each position and scale.
    Pyramid,
    /// A depth map, and the picture made of the frames next to each depth.
    Depth,
    /// Average weighted by sharpness: soft and quiet.
    Average,
}

impl Method {
    /// How often it looks at the frames.
    pub fn looks(self) -> usize {
        match self {
            Self::Depth => 2,
            Self::Hybrid | Self::Pyramid | Self::Average => 1,
        }
    }
}

/// A picture made of many frames, and where each pixel came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The picture.
    pub picture: Picture,
    /// For each pixel the number of the frame it came from, or came from most.
    pub index: Vec<u16>,
    /// At which depth each place is sharp.
    pub depth: DepthMap,
    /// How sure that is, 0 to 255: how far the winner is ahead of noise and of
    /// the others.
    pub confidence: Vec<u8>,
    /// 255 where any frame shows the scene; `None` where that is everywhere.
    pub alpha: Option<Vec<u8>>,
}

/// Something that takes decoded frames and gives a picture.
pub trait Fusion: Send {
    /// Brings a frame, whose number in the stack is `index`, into the
    /// reference's geometry by `pose` (reference to frame pixels), matches its
    /// exposure, and adds it. Frames may come in any order: the result is the
    /// same within rounding.
    ///
    /// # Errors
    ///
    /// If the device fails, and [`Error::Cancelled`](crate::Error::Cancelled)
    /// once `keep_going` says no; frames added before are then lost.
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()>;

    /// The same with a photograph that nobody needs any more: nothing of it is
    /// copied, and its memory is for the next ones.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    fn take(
        &mut self,
        index: u16,
        photo: Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let added = self.add(index, &photo, pose, exposure, keep_going);
        photo::keep(photo);
        added
    }

    /// The same with one that has its colour at half the size; see
    /// [`Options::subsampled`].
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    fn take_subsampled(
        &mut self,
        index: u16,
        photo: Subsampled,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let whole = Decoded::Subsampled(photo).into_photo();
        self.take(index, whole, pose, exposure, keep_going)
    }

    /// The frames whose pixels it has, so that nobody need read them: see
    /// [`Self::take_held`].
    fn held(&self) -> Option<Arc<Held>> {
        None
    }

    /// The same as [`Self::add`] with a frame that is [`held`](Self::held).
    ///
    /// # Errors
    ///
    /// As [`Self::add`], and if it does not hold it.
    fn take_held(
        &mut self,
        index: u16,
        _pose: &Transform,
        _exposure: &Exposure,
        _keep_going: KeepGoing,
    ) -> Result<()> {
        Err(not_held(index))
    }

    /// Whether it has all the memory that it needs for further frames: a fault
    /// before that may be for want of it.
    fn is_settled(&self) -> bool {
        true
    }

    /// The picture of all frames added.
    ///
    /// # Errors
    ///
    /// If the device fails, and [`Error::Cancelled`](crate::Error::Cancelled)
    /// once `keep_going` says no.
    fn finish(self: Box<Self>, keep_going: KeepGoing) -> Result<Fused>;
}

fn not_held(index: u16) -> Error {
    Error::job(
        format!("the pixels of frame {index} are not there any more"),
        "use --device cpu",
    )
}

/// The noise of frames of which nothing is known: half a level of eight bits,
/// squared.
pub const NOISE: f32 = (0.5 / 255.0) * (0.5 / 255.0);

/// How frames are fused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The way of fusing.
    pub method: Method,
    /// Levels of the pyramid; `None` takes as many as suit the size.
    pub levels: Option<usize>,
    /// Which of two sharp depths wins.
    pub prefer: Prefer,
    /// Whether the result is held within the range of values that its sources
    /// show nearby.
    pub clamp: bool,
    /// Frames of the stack, those left out as well.
    pub frames: usize,
    /// The noise of the frames; see [`noise`](crate::core::noise::noise).
    pub noise: f32,
    /// How many times stronger noise is taken to be than it is.
    pub noise_strength: f32,
    /// How softly frames give way to each other, 0 to 100; see [`softness`].
    pub smoothness: u8,
    /// Whether frames have their colour at half the size, so that red, green and blue
    /// share the finest detail: most of the work is done for one channel then. Other
    /// frames lose detail in colour by it. Where it is of no use it is passed over; see
    /// [`Self::is_subsampled`].
    pub subsampled: bool,
}

impl From<Method> for Options {
    /// As many levels as suit the size, no preference, held within the range
    /// of the sources.
    fn from(method: Method) -> Self {
        Self {
            method,
            levels: None,
            prefer: Prefer::Auto,
            clamp: true,
            frames: 0,
            noise: NOISE,
            noise_strength: 1.0,
            smoothness: SMOOTHNESS,
            subsampled: false,
        }
    }
}

impl Options {
    /// The same for a part of a picture of the size of `whole`: as many levels.
    pub fn of_part(&self, whole: Area) -> Self {
        Self {
            levels: Some(levels::count(whole.width, whole.height, self.levels)),
            ..*self
        }
    }

    /// Whether a picture of `width`×`height` pixels is made of frames that have their
    /// colour at half the size as they are: by the methods that blend levels, where
    /// there are some.
    pub fn is_subsampled(&self, width: usize, height: usize) -> bool {
        let has_levels = matches!(self.method, Method::Hybrid | Method::Pyramid);
        self.subsampled && has_levels && levels::count(width, height, self.levels) > 1
    }

    /// An empty fusion on the processor, whose result shows `area` of the
    /// reference.
    pub fn on_cpu(&self, area: Area) -> Box<dyn Fusion> {
        let (width, height) = (area.width, area.height);
        if self.is_subsampled(width, height) {
            return match self.method {
                Method::Pyramid => Box::new(OnPlanes {
                    area,
                    accumulator: self.pyramid::<1>(width, height),
                }),
                _ => Box::new(OnPlanes {
                    area,
                    accumulator: self.hybrid::<1>(width, height),
                }),
            };
        }
        match self.accumulator(area.width, area.height) {
            Growing::Hybrid(hybrid) => Box::new(OnCpu {
                area,
                accumulator: *hybrid,
            }),
            Growing::Pyramid(pyramid) => Box::new(OnCpu {
                area,
                accumulator: *pyramid,
            }),
            Growing::Depth(search) => Box::new(OnCpu {
                area,
                accumulator: *search,
            }),
            Growing::Average(average) => Box::new(OnCpu {
                area,
                accumulator: *average,
            }),
        }
    }

    /// A second look at all frames, where the method takes one, or where near
    /// things lay a `veil` over what is behind them, which [`Method::Hybrid`] lifts:
    /// given what the first found, the fusion that makes the picture, on `device` or
    /// on the processor.
    ///
    /// # Errors
    ///
    /// As [`on_opencl`], and
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn second(
        &self,
        found: Fused,
        veil: Option<Veil>,
        area: Area,
        device: Option<Lanes>,
        keep_going: KeepGoing,
    ) -> Result<Second> {
        Ok(match (self.method, veil) {
            (Method::Depth, _) => Second::Look(self.render(found, area, device, keep_going)?),
            (Method::Hybrid, Some(veil)) => {
                drop(found);
                Second::Look(self.unveil(veil, area, device)?)
            }
            _ => Second::None(Box::new(found)),
        })
    }

    fn render(
        &self,
        found: Fused,
        area: Area,
        device: Option<Lanes>,
        keep_going: KeepGoing,
    ) -> Result<Box<dyn Fusion>> {
        let softness = softness(self.smoothness);
        let Some(lanes) = device else {
            let accumulator = Render::new(found, self.clamp, softness, keep_going)?;
            return Ok(Box::new(OnCpu { area, accumulator }));
        };
        let smooth = || render::depth(&found, softness, keep_going);
        let depth = lanes.stages.time("smooth depth", smooth)?;
        render_on_opencl(found, depth, self.clamp, area, &lanes)
    }

    fn unveil(&self, veil: Veil, area: Area, device: Option<Lanes>) -> Result<Box<dyn Fusion>> {
        let veil = Arc::new(veil);
        if let Some(lanes) = device {
            return unveil_on_opencl(self, veil, area, &lanes);
        }
        let accumulator = self.hybrid::<3>(area.width, area.height).unveiled(veil);
        Ok(Box::new(OnCpu { area, accumulator }))
    }

    fn hybrid<const N: usize>(&self, width: usize, height: usize) -> Hybrid<N> {
        let bias = Bias::new(self.prefer, self.frames);
        let hybrid = Hybrid::new(width, height, self.levels, self.noise);
        let hybrid = hybrid.tuned(bias, self.clamp);
        let softness = softness(self.smoothness);
        hybrid.quieter(self.noise_strength).softer(softness)
    }

    fn pyramid<const N: usize>(&self, width: usize, height: usize) -> Pyramid<N> {
        let bias = Bias::new(self.prefer, self.frames);
        let pyramid = Pyramid::new(width, height, self.levels, self.noise);
        let softness = softness(self.smoothness);
        pyramid.tuned(bias, self.clamp).softer(softness)
    }

    fn accumulator(&self, width: usize, height: usize) -> Growing {
        let bias = Bias::new(self.prefer, self.frames);
        let softness = softness(self.smoothness);
        match self.method {
            Method::Hybrid => Growing::Hybrid(Box::new(self.hybrid(width, height))),
            Method::Pyramid => Growing::Pyramid(Box::new(self.pyramid(width, height))),
            Method::Depth => {
                let (noise, strength) = (self.noise, self.noise_strength);
                Growing::Depth(Box::new(Search::new(width, height, noise, strength, bias)))
            }
            Method::Average => {
                let average = Average::new(width, height);
                Growing::Average(Box::new(average.tuned(bias).softer(softness)))
            }
        }
    }
}

/// Whether a method looks at all frames once more.
pub enum Second {
    /// It does, and this makes the picture of them.
    Look(Box<dyn Fusion>),
    /// The first look found the result.
    None(Box<Fused>),
}

/// An accumulator of any method.
#[derive(Clone)]
enum Growing {
    Hybrid(Box<Hybrid>),
    Pyramid(Box<Pyramid>),
    Depth(Box<Search>),
    Average(Box<Average>),
}

/// An empty fusion on the processor: the result shows `area` of the reference,
/// with the given number of pyramid levels, or as many as suit the size.
pub fn on_cpu(method: Method, area: Area, levels: Option<usize>) -> Box<dyn Fusion> {
    Options {
        levels,
        ..Options::from(method)
    }
    .on_cpu(area)
}

/// Something that takes frames in the geometry of the result, and asks between
/// two passes over the picture whether to go on.
trait Accumulator: Send {
    fn add(&mut self, index: u16, frame: Warped, keep_going: KeepGoing) -> Result<()>;

    /// The same with a frame that is yet to be brought into that geometry.
    fn place(&mut self, index: u16, frame: &Placed, keep_going: KeepGoing) -> Result<()> {
        self.add(index, frame.warp(keep_going)?, keep_going)
    }

    fn finish(self, keep_going: KeepGoing) -> Result<Fused>;
}

struct OnCpu<A> {
    area: Area,
    accumulator: A,
}

impl<A: Accumulator> Fusion for OnCpu<A> {
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let placed = Placed {
            photo,
            pose,
            area: self.area,
            exposure,
        };
        self.accumulator.place(index, &placed, keep_going)
    }

    fn finish(self: Box<Self>, keep_going: KeepGoing) -> Result<Fused> {
        self.accumulator.finish(keep_going)
    }
}

/// The same of frames that have their colour at half the size.
trait OfPlanes: Send {
    fn place_planes(&mut self, index: u16, frame: &Planes, keep_going: KeepGoing) -> Result<()>;

    fn finish(self, keep_going: KeepGoing) -> Result<Fused>;
}

struct OnPlanes<A> {
    area: Area,
    accumulator: A,
}

impl<A: OfPlanes> Fusion for OnPlanes<A> {
    fn add(
        &mut self,
        index: u16,
        photo: &Photo,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        self.take_subsampled(index, photo.into(), pose, exposure, keep_going)
    }

    fn take_subsampled(
        &mut self,
        index: u16,
        photo: Subsampled,
        pose: &Transform,
        exposure: &Exposure,
        keep_going: KeepGoing,
    ) -> Result<()> {
        let planes = Planes::new(&photo, pose, self.area, exposure);
        let added = self.accumulator.place_planes(index, &planes, keep_going);
        photo::keep_subsampled(photo);
        added
    }

    fn finish(self: Box<Self>, keep_going: KeepGoing) -> Result<Fused> {
        self.accumulator.finish(keep_going)
    }
}

/// Bytes that fusing takes per pixel of the picture, at most: accumulators,
/// and a frame on its way into them. Most is needed for frames that do not show
/// all of it: they cannot be worked on in strips.
pub fn bytes_per_pixel(method: Method) -> u64 {
    match method {
        Method::Hybrid => 93,
        Method::Depth => 76,
        Method::Pyramid => 66,
        Method::Average => 68,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::core::ALWAYS;
    use crate::photo::Samples;

    const METHODS: [Method; 4] = [
        Method::Hybrid,
        Method::Pyramid,
        Method::Depth,
        Method::Average,
    ];
    const AREA: Area = Area {
        x: 0,
        y: 0,
        width: 1200,
        height: 900,
    };

    fn photo() -> Photo {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
        Photo {
            width: AREA.width,
            height: AREA.height,
            samples: Samples::Eight((0..AREA.width * AREA.height * 3).map(value).collect()),
            ..Photo::default()
        }
    }

    /// Turned a little, so that corners are hidden.
    fn pose() -> Transform {
        Transform::similarity(1.0, 0.02, [600.0, 450.0], [1.5, 0.5])
    }

    /// Remembers the longest time between two questions whether to go on.
    struct Asked(Mutex<(Instant, Duration)>);

    impl Asked {
        /// The longest time in `work`, and that of all of it.
        fn during<T>(work: impl FnOnce(KeepGoing) -> Result<T>) -> (T, Duration, Duration) {
            let begun = Instant::now();
            let asked = Self(Mutex::new((begun, Duration::ZERO)));
            let done = work(&|| asked.ask()).unwrap();
            asked.ask();
            let longest = asked.0.lock().unwrap().1;
            (done, longest, begun.elapsed())
        }

        fn ask(&self) -> bool {
            let (last, longest) = &mut *self.0.lock().unwrap();
            *longest = last.elapsed().max(*longest);
            *last = Instant::now();
            true
        }
    }

    #[test]
    fn fusing_asks_several_times_a_frame_whether_to_go_on() {
        let (photo, pose, exposure) = (photo(), pose(), Exposure::default());
        for method in METHODS {
            // Others use the processor too: the quietest of many attempts counts.
            let attempts = (0..24).map(|_| {
                let mut fusion = on_cpu(method, AREA, None);
                let add = |go: KeepGoing| fusion.add(0, &photo, &pose, &exposure, go);
                let ((), adding, frame) = Asked::during(add);
                let finish = |go: KeepGoing| fusion.finish(go);
                let (fused, finishing, _) = Asked::during(finish);
                let smooth = |go: KeepGoing| fused.depth.smooth(AREA.width, AREA.height, 1.0, go);
                let (_, smoothing, _) = Asked::during(smooth);
                [adding, finishing, smoothing].map(|t| t.as_secs_f64() / frame.as_secs_f64())
            });
            let mut least = [f64::INFINITY; 3];
            for shares in attempts {
                least = std::array::from_fn(|k| least[k].min(shares[k]));
                if least.iter().all(|&share| share < 0.25) {
                    break;
                }
            }
            println!("{method:?}: {least:.2?} of a frame's time");
            assert!(
                least.iter().all(|&share| share < 0.25),
                "{method:?}: {least:?}"
            );
        }
    }

    #[test]
    fn fusing_stops_when_it_is_told_to() {
        let (photo, pose, exposure) = (photo(), pose(), Exposure::default());
        let never: KeepGoing = &|| false;
        for method in METHODS {
            let mut fusion = on_cpu(method, AREA, None);
            fusion.add(0, &photo, &pose, &exposure, ALWAYS).unwrap();
            let stopped = fusion.add(1, &photo, &pose, &exposure, never);
            assert_eq!(stopped, Err(Error::Cancelled), "{method:?}");
            assert_eq!(fusion.finish(never), Err(Error::Cancelled), "{method:?}");
        }
    }
}
