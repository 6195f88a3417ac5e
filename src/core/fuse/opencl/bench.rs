//! How long every kernel takes.

use opencv::Result;
use opencv::core::Scalar;

use super::session::Arg::{self, Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::KeepGoing;
use crate::core::device::{self, OpenClDevice};
use crate::core::fuse::bench::{Step, median, texture};
use crate::core::fuse::range;
use crate::core::keep_going::check;
use crate::core::resample::weights;
use crate::core::warp::Area;
use crate::photo::{Photo, Samples};

/// How a kernel is called.
pub struct Call<'a> {
    /// It is run once for each pixel of this.
    over: &'a Buffer,
    args: Vec<Arg<'a>>,
    /// What of its outputs it reads as well.
    updated: Vec<&'a Buffer>,
}

impl Call<'_> {
    /// Bytes that it reads and writes at least.
    fn bytes(&self) -> u64 {
        let touched = self.args.iter().map(|arg| match arg {
            In(buffer) | Out(buffer) => buffer.bytes(),
            _ => 0,
        });
        let again = self.updated.iter().map(|buffer| buffer.bytes());
        touched.chain(again).sum()
    }
}

/// A kernel, and how it is called for one frame.
type Kernel = (&'static str, fn(&Room) -> Call<'_>);

/// Every kernel of the program.
pub const KERNELS: &[Kernel] = &[
    ("warp_uchar", |r| r.warp(&r.photos[0])),
    ("warp_ushort", |r| r.warp(&r.photos[1])),
    ("cover", |r| {
        call(&r.byte, [In(&r.frame), Out(&r.byte), Size(&r.byte)])
    }),
    ("reduce_float", |r| {
        let args = [In(&r.plane), Size(&r.plane), Out(&r.half), Size(&r.half)];
        call(&r.half, args)
    }),
    ("reduce_float4", |r| {
        let args = [In(&r.frame), Size(&r.frame), Out(&r.small), Size(&r.small)];
        call(&r.small, args)
    }),
    ("window", |r| {
        call(&r.plane, [In(&r.plane), Out(&r.soft), Size(&r.plane)])
    }),
    ("normalise", |r| {
        call(&r.frame, [Out(&r.frame), Size(&r.frame)]).updating([&r.frame])
    }),
    ("channel", |r| {
        let args = [In(&r.frame), Int(1), Out(&r.plane), Size(&r.frame)];
        call(&r.frame, args)
    }),
    ("split", |r| {
        let args = [
            Out(&r.frame),
            Size(&r.frame),
            In(&r.small),
            Size(&r.small),
            Out(&r.plane),
        ];
        call(&r.frame, args).updating([&r.frame])
    }),
    ("calm", |r| r.with_half(Some([0.25, 0.0, 0.0, 0.0]))),
    ("take", |r| {
        let args = [
            In(&r.frame),
            In(&r.plane),
            Size(&r.frame),
            Int(0),
            Out(&r.best),
            Out(&r.winner),
        ];
        call(&r.frame, args).updating([&r.best, &r.winner])
    }),
    ("base", |r| {
        let args = [
            In(&r.small),
            Size(&r.small),
            In(&r.plane),
            Int(r.plane.width),
            Int(r.plane.height),
            Out(&r.rest),
        ];
        call(&r.small, args).updating([&r.rest])
    }),
    ("collapse", |r| {
        let args = [Out(&r.frame), Size(&r.frame), In(&r.small), Size(&r.small)];
        call(&r.frame, args).updating([&r.frame])
    }),
    ("range", |r| {
        let args = [
            In(&r.frame),
            Size(&r.frame),
            Out(&r.low),
            Out(&r.high),
            Size(&r.low),
        ];
        call(&r.low, args).updating([&r.low, &r.high])
    }),
    ("hold", |r| {
        let args = [
            Out(&r.frame),
            Size(&r.frame),
            In(&r.low),
            In(&r.high),
            Size(&r.low),
        ];
        call(&r.frame, args).updating([&r.frame])
    }),
    ("origin", |r| {
        let args = [
            In(&r.best),
            In(&r.winner),
            Size(&r.best),
            Int(0),
            Int(1),
            Out(&r.index),
            Out(&r.byte),
            Size(&r.index),
        ];
        call(&r.index, args)
    }),
    ("luma", |r| {
        call(&r.frame, [In(&r.frame), Out(&r.plane), Size(&r.plane)])
    }),
    ("contrast", |r| r.with_half(None)),
    ("spread", |r| r.with_half(Some([0.5, 0.5, 0.0, 0.0]))),
    ("mix_windows", |r| {
        let factors = Floats([0.5, 0.5, 0.0, 0.0]);
        let args = [Out(&r.plane), In(&r.soft), Size(&r.plane), factors];
        call(&r.plane, args).updating([&r.plane])
    }),
    ("weigh", |r| {
        let args = [
            In(&r.frame),
            In(&r.plane),
            Size(&r.plane),
            Int(0),
            Out(&r.best),
            Out(&r.soft),
            Out(&r.winner),
        ];
        call(&r.plane, args).updating([&r.best, &r.soft, &r.winner])
    }),
    ("certainty", |r| {
        call(&r.plane, [In(&r.plane), Out(&r.byte), Size(&r.plane)])
    }),
];

fn call<'a>(over: &'a Buffer, args: impl IntoIterator<Item = Arg<'a>>) -> Call<'a> {
    Call {
        over,
        args: args.into_iter().collect(),
        updated: Vec::new(),
    }
}

impl<'a> Call<'a> {
    fn updating(mut self, buffers: impl IntoIterator<Item = &'a Buffer>) -> Self {
        self.updated.extend(buffers);
        self
    }
}

/// What the kernels work on: a frame, what is found in it, and what is kept.
pub struct Room {
    photos: [Buffer; 2],
    table: Buffer,
    nothing: Buffer,
    frame: Buffer,
    best: Buffer,
    small: Buffer,
    rest: Buffer,
    plane: Buffer,
    soft: Buffer,
    half: Buffer,
    low: Buffer,
    high: Buffer,
    winner: Buffer,
    index: Buffer,
    byte: Buffer,
}

impl Room {
    fn new(session: &Session, area: Area) -> Result<Self> {
        let (width, height) = (i32::try_from(area.width)?, i32::try_from(area.height)?);
        let block = range::BLOCK as i32;
        let make = |part: i32, kind| {
            session.blank((width + part - 1) / part, (height + part - 1) / part, kind)
        };
        let photo = |photo: &Photo| match &photo.samples {
            Samples::Eight(samples) => session.upload(samples, 3 * width, height, None),
            Samples::Sixteen(samples) => session.upload(samples, 3 * width, height, None),
        };
        let table = weights().as_flattened();
        Ok(Self {
            photos: [
                photo(&texture(area, Samples::Eight))?,
                photo(&texture(area, Samples::Sixteen))?,
            ],
            table: session.upload(table, table.len().try_into()?, 1, None)?,
            nothing: session.blank(1, 1, Kind::Byte)?,
            frame: make(1, Kind::Float4)?,
            best: make(1, Kind::Float4)?,
            small: make(2, Kind::Float4)?,
            rest: make(2, Kind::Float4)?,
            plane: make(1, Kind::Float)?,
            soft: make(1, Kind::Float)?,
            half: make(2, Kind::Float)?,
            low: make(block, Kind::Float4)?,
            high: make(block, Kind::Float4)?,
            winner: make(1, Kind::Short)?,
            index: make(1, Kind::Short)?,
            byte: make(1, Kind::Byte)?,
        })
    }

    /// Gives everything a value that is neither zero nor near it.
    fn reset(&self, session: &Session) -> Result<()> {
        let floats = [
            &self.frame,
            &self.best,
            &self.small,
            &self.rest,
            &self.plane,
            &self.soft,
            &self.half,
            &self.low,
            &self.high,
        ];
        floats
            .into_iter()
            .try_for_each(|buffer| session.fill(buffer, Scalar::all(0.25)))
    }

    fn warp<'a>(&'a self, photo: &'a Buffer) -> Call<'a> {
        let args = [
            In(photo),
            Int(photo.width / 3),
            Int(photo.height),
            In(&self.nothing),
            Int(0),
            In(&self.table),
            Int(1),
            Int(0),
            Floats([1e-4, -1e-4, 0.3, 0.0]),
            Floats([1e-4, 1e-4, 0.4, 0.0]),
            Floats([0.0, 0.0, 1.0, 0.0]),
            Floats([1.0 / 255.0; 4]),
            Floats([0.0; 4]),
            Int(0),
            Int(0),
            Out(&self.frame),
            Size(&self.frame),
        ];
        call(&self.frame, args)
    }

    /// A kernel that works a plane at half the size into another.
    fn with_half(&self, factors: Option<[f32; 4]>) -> Call<'_> {
        let args = [
            Out(&self.plane),
            Size(&self.plane),
            In(&self.half),
            Size(&self.half),
        ];
        let args = args.into_iter().chain(factors.map(Floats));
        call(&self.plane, args).updating([&self.plane])
    }
}

/// What every kernel takes on a device, and the way there and back.
pub fn times(device: &OpenClDevice, area: Area, keep_going: KeepGoing) -> crate::Result<Vec<Step>> {
    let failed = |error| super::worker::failure(device, &error);
    let open = || Session::open(&device::find(device)?);
    let session = &open().map_err(failed)?;
    let room = &mut Room::new(session, area).map_err(failed)?;
    let mut steps = Vec::new();
    for &(name, call) in KERNELS {
        check(keep_going)?;
        room.reset(session).map_err(failed)?;
        let prepare = |room: &mut Room| {
            // So low that whatever is compared with it wins.
            for arg in &call(room).args {
                if let Out(buffer) = arg {
                    session.fill(buffer, Scalar::all(-1.0))?;
                }
            }
            session.drain()
        };
        let work = |room: &mut Room| {
            let Call { over, args, .. } = call(room);
            session.run(name, over.size(), &args)?;
            session.drain()
        };
        steps.push(Step {
            name,
            bytes: call(room).bytes(),
            seconds: median(
                room,
                |room| prepare(room).map_err(failed),
                |room| work(room).map_err(failed),
            )?,
        });
    }
    for (name, copy) in COPIES {
        check(keep_going)?;
        let photos = &[
            texture(area, Samples::Eight),
            texture(area, Samples::Sixteen),
        ];
        let bytes = std::cell::Cell::new(0);
        let work = |room: &mut Room| {
            bytes.set(copy(session, room, photos)?);
            session.drain()
        };
        let seconds = median(
            room,
            |_| session.drain().map_err(failed),
            |room| work(room).map_err(failed),
        )?;
        steps.push(Step {
            name,
            bytes: bytes.get(),
            seconds,
        });
    }
    Ok(steps)
}

/// Copies something and tells how many bytes.
type Copy = fn(&Session, &mut Room, &[Photo; 2]) -> Result<u64>;

/// The ways to and from the device.
const COPIES: [(&str, Copy); 3] = [
    ("upload, 8 bits", |session, room, photos| {
        upload(session, &mut room.photos[0], &photos[0])
    }),
    ("upload, 16 bits", |session, room, photos| {
        upload(session, &mut room.photos[1], &photos[1])
    }),
    ("download, a channel", |session, room, _| {
        let values: Vec<f32> = session.download(&room.plane)?;
        Ok(4 * values.len() as u64)
    }),
];

/// Uploads a photograph as fusing does, into memory that is there.
fn upload(session: &Session, to: &mut Buffer, photo: &Photo) -> Result<u64> {
    let old = std::mem::replace(to, session.blank(1, 1, Kind::Byte)?);
    let (width, height) = (old.width, old.height);
    *to = match &photo.samples {
        Samples::Eight(samples) => session.upload(samples, width, height, Some(old))?,
        Samples::Sixteen(samples) => session.upload(samples, width, height, Some(old))?,
    };
    Ok(to.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernels that the sources define; those that a macro makes, once for
    /// each of its uses.
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
    fn every_kernel_of_the_sources_is_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/kernels");
        let mut names: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            names.extend(defined(&source));
        }
        let mut listed: Vec<_> = KERNELS.iter().map(|&(name, _)| name.to_owned()).collect();
        assert!(names.len() > 15);
        names.sort();
        listed.sort();
        assert_eq!(listed, names);
    }
}
