//! A photograph on the device, brought into the geometry of the result.

use opencv::Result;

use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session, failure};
use super::{Pixels, Sent};
use crate::core::Transform;
use crate::core::subsampled::{Tones, half_area, halved};
use crate::core::taps::curves;
use crate::core::warp::{Area, Exposure, Way, is_whole};
use crate::photo::{Decoded, Photo, Samples, Subsampled};

/// Memory of the device for one photograph, used for several in turn.
#[derive(Default)]
pub struct Slot {
    samples: Option<Buffer>,
    alpha: Option<Buffer>,
}

/// The pixels of a photograph in the device's memory.
pub struct Stored {
    layout: Layout,
    /// Pixels in a row, and rows.
    size: [usize; 2],
    samples: Buffer,
    alpha: Option<Buffer>,
}

/// How samples lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Three bytes to a pixel,
    Eight,
    /// or three of 16 bits.
    Sixteen,
    /// Planes of bytes; see [`Subsampled`].
    Planes,
}

/// A photograph in the device's memory that is to be fused.
pub struct Uploaded {
    pub index: u16,
    pose: Transform,
    exposure: Exposure,
    stored: Stored,
    /// Whether its pixels stay when it is fused.
    is_held: bool,
    /// Whether it shows the scene everywhere.
    pub whole: bool,
}

/// Uploads the samples of a photograph, three to a pixel, into `old` where that
/// has the right size.
pub fn upload_samples(session: &Session, photo: &Photo, old: Option<Buffer>) -> Result<Buffer> {
    let (width, height) = (i32::try_from(photo.width)?, i32::try_from(photo.height)?);
    let columns = width.checked_mul(3).unwrap_or(i32::MAX);
    match &photo.samples {
        Samples::Eight(samples) => session.upload(samples, columns, height, old),
        Samples::Sixteen(samples) => session.upload(samples, columns, height, old),
    }
}

impl Slot {
    /// Uploads a photograph.
    pub fn upload(self, session: &Session, photo: &Decoded) -> Result<Stored> {
        match photo {
            Decoded::Photo(photo) => self.upload_photo(session, photo),
            Decoded::Subsampled(planes) => self.upload_planes(session, planes),
        }
    }

    fn upload_photo(self, session: &Session, photo: &Photo) -> Result<Stored> {
        let (width, height) = (i32::try_from(photo.width)?, i32::try_from(photo.height)?);
        let layout = match &photo.samples {
            Samples::Eight(_) => Layout::Eight,
            Samples::Sixteen(_) => Layout::Sixteen,
        };
        let samples = upload_samples(session, photo, self.samples)?;
        let alpha = match &photo.alpha {
            Some(alpha) => Some(session.upload(alpha, width, height, self.alpha)?),
            None => None,
        };
        Ok(Stored {
            layout,
            size: [photo.width, photo.height],
            samples,
            alpha,
        })
    }

    fn upload_planes(self, session: &Session, planes: &Subsampled) -> Result<Stored> {
        let [_, rows] = planes.chroma_size();
        let (pitch, rows) = (planes.pitch().try_into()?, i32::try_from(3 * rows)?);
        Ok(Stored {
            layout: Layout::Planes,
            size: [planes.width, planes.height],
            samples: session.upload(planes.samples(), pitch, rows, self.samples)?,
            alpha: None,
        })
    }
}

impl Stored {
    /// The photograph without its pixels.
    fn outline(&self) -> Photo {
        let [width, height] = self.size;
        Photo {
            width,
            height,
            alpha: self.alpha.as_ref().map(|_| Vec::new()),
            ..Photo::default()
        }
    }

    /// The same pixels for one more.
    fn shared(&self) -> Result<Self> {
        Ok(Self {
            samples: self.samples.shared()?,
            alpha: self.alpha.as_ref().map(Buffer::shared).transpose()?,
            ..*self
        })
    }
}

impl Uploaded {
    /// Uploads a photograph into `slot`, of which a picture of `area` is made, or finds
    /// it among those that are held.
    pub fn new(session: &Session, sent: &Sent, slot: Slot, area: Area) -> Result<Self> {
        let Sent {
            index,
            pixels,
            pose,
            exposure,
        } = sent;
        let (stored, is_held) = match pixels {
            Pixels::Decoded(photo) => (slot.upload(session, photo)?, false),
            Pixels::Held(held) => {
                let stored = held.with(*index, Stored::shared);
                let gone = || Err(failure("it holds a photograph no more"));
                (stored.unwrap_or_else(gone)?, true)
            }
        };
        Ok(Self {
            index: *index,
            pose: *pose,
            exposure: *exposure,
            whole: is_whole(&stored.outline(), pose, area),
            stored,
            is_held,
        })
    }

    /// The memory, for the next photograph.
    pub fn into_slot(self) -> Slot {
        match self.is_held {
            true => Slot::default(),
            false => Slot {
                samples: Some(self.stored.samples),
                alpha: self.stored.alpha,
            },
        }
    }
}

/// Room for one frame, used for all of them in turn.
pub struct Frame {
    area: Area,
    /// Red, green, blue, mask; grey three times until [`Self::halve`], where frames
    /// have their colour at half the size.
    pub pixels: Buffer,
    colours: Option<Colours>,
    curves: Buffer,
    /// Where a kernel asks for an alpha and there is none.
    nothing: Buffer,
    /// A photograph whose planes are wanted as pixels.
    photo: Option<Buffer>,
}

/// Room for the colours of a frame at half the size.
struct Colours {
    /// Cb and Cr.
    samples: Buffer,
    /// Grey, and the mask.
    grey: Buffer,
    /// How they become those of the result.
    tones: Tones,
}

impl Frame {
    /// Room for a frame of the size of `area`, that has its colour at half the size or
    /// all of it.
    pub fn new(session: &Session, area: Area, subsampled: bool) -> Result<Self> {
        let curves = curves().as_flattened();
        let (width, height) = (i32::try_from(area.width)?, i32::try_from(area.height)?);
        let (columns, rows) = ((width + 1) / 2, (height + 1) / 2);
        let colours = || {
            Ok(Colours {
                samples: session.blank(2 * columns, rows, Kind::Float)?,
                grey: session.blank(columns, rows, Kind::Float4)?,
                tones: Tones::of(&Exposure::default()),
            })
        };
        let colours: Option<Result<Colours>> = subsampled.then(colours);
        Ok(Self {
            area,
            pixels: session.blank(width, height, Kind::Float4)?,
            colours: colours.transpose()?,
            curves: session.upload(curves, curves.len().try_into()?, 1, None)?,
            nothing: session.blank(1, 1, Kind::Byte)?,
            photo: None,
        })
    }

    /// Warps a photograph.
    pub fn warp(&mut self, session: &Session, photo: &Uploaded) -> Result<()> {
        let stored = &photo.stored;
        match (stored.layout, self.colours.is_some()) {
            (Layout::Planes, true) => self.warp_planes(session, photo),
            (_, true) => Err(failure("it holds a photograph of another kind")),
            (Layout::Eight, _) => self.warp_photo(session, photo, &stored.samples, false),
            (Layout::Sixteen, _) => self.warp_photo(session, photo, &stored.samples, true),
            (Layout::Planes, _) => {
                let pixels = self.spread(session, stored)?;
                self.warp_photo(session, photo, &pixels, false)?;
                self.photo = Some(pixels);
                Ok(())
            }
        }
    }

    /// A photograph in red, green and blue, of its planes.
    fn spread(&mut self, session: &Session, stored: &Stored) -> Result<Buffer> {
        let [width, height] = size_of(stored)?;
        let is_alike = |photo: &Buffer| photo.size() == [3 * width, height];
        let photo = match self.photo.take().filter(is_alike) {
            Some(photo) => photo,
            None => session.blank(3 * width, height, Kind::Byte)?,
        };
        let args = [
            In(&stored.samples),
            Int((width + 1) / 2),
            Int((height + 1) / 2),
            Out(&photo),
            Int(width),
            Int(height),
        ];
        session.run("spread_planes", [width, height], &args)?;
        Ok(photo)
    }

    fn warp_photo(
        &self,
        session: &Session,
        photo: &Uploaded,
        samples: &Buffer,
        is_deep: bool,
    ) -> Result<()> {
        let Uploaded {
            pose,
            exposure,
            stored,
            ..
        } = photo;
        let (kernel, full_scale) = match is_deep {
            false => ("warp_uchar", 255.0),
            true => ("warp_ushort", 65535.0),
        };
        let alpha = &stored.alpha;
        let [width, height] = size_of(stored)?;
        let [across, down, shear] = distances(pose);
        let three = |values: [f64; 3], scale: f64| {
            let [red, green, blue] = values.map(|value| (value / scale) as f32);
            [red, green, blue, 0.0]
        };
        session.run(
            kernel,
            self.pixels.size(),
            &[
                In(samples),
                Int(width),
                Int(height),
                In(alpha.as_ref().unwrap_or(&self.nothing)),
                Int(alpha.is_some().into()),
                In(&self.curves),
                Int(Way::of(stored.size, pose, self.area) as i32),
                Int(photo.whole.into()),
                Floats(across),
                Floats(down),
                Floats(shear),
                Floats(three(exposure.gain, full_scale)),
                Floats(three(exposure.offset, 1.0)),
                Int(self.area.x.try_into()?),
                Int(self.area.y.try_into()?),
                Out(&self.pixels),
                Size(&self.pixels),
            ],
        )
    }

    fn warp_planes(&mut self, session: &Session, photo: &Uploaded) -> Result<()> {
        let Some(colours) = &mut self.colours else {
            return Ok(());
        };
        let Uploaded { pose, stored, .. } = photo;
        colours.tones = Tones::of(&photo.exposure);
        let [width, height] = size_of(stored)?;
        let [columns, rows] = [(width + 1) / 2, (height + 1) / 2];
        let [across, down, shear] = distances(pose);
        let [gain, offset] = colours.tones.grey;
        session.run(
            "warp_grey",
            self.pixels.size(),
            &[
                In(&stored.samples),
                Int(width),
                Int(height),
                Int(2 * columns),
                In(&self.curves),
                Int(Way::of(stored.size, pose, self.area) as i32),
                Int(photo.whole.into()),
                Floats(across),
                Floats(down),
                Floats(shear),
                Floats([gain, offset, 0.0, 0.0]),
                Int(self.area.x.try_into()?),
                Int(self.area.y.try_into()?),
                Out(&self.pixels),
                Size(&self.pixels),
            ],
        )?;
        let pose = halved(pose, self.area);
        let [across, down, shear] = distances(&pose);
        let size = stored.size.map(|side| side.div_ceil(2));
        session.run(
            "warp_colour",
            colours.grey.size(),
            &[
                In(&stored.samples),
                Int(4 * columns * rows),
                Int(columns),
                Int(rows),
                In(&self.curves),
                Int(Way::of(size, &pose, half_area(self.area)) as i32),
                Floats(across),
                Floats(down),
                Floats(shear),
                Out(&colours.samples),
                Size(&colours.grey),
            ],
        )
    }

    /// How far grey may be from what it is; see [`Tones::slack`].
    pub fn slack(&self) -> f32 {
        let tones = self.colours.as_ref().map(|colours| colours.tones);
        tones.map_or(0.0, |tones| tones.slack)
    }

    /// Makes `half` what the frame is at half the size, where it may have its colour.
    pub fn halve(&self, session: &Session, half: &Buffer) -> Result<()> {
        let frame = &self.pixels;
        let reduce = |half: &Buffer| {
            let args = [In(frame), Size(frame), Out(half), Size(half)];
            session.run("reduce_float4", half.size(), &args)
        };
        let Some(Colours {
            samples,
            grey,
            tones,
        }) = &self.colours
        else {
            return reduce(half);
        };
        reduce(grey)?;
        let [red, green, blue] = tones.colours.map(Floats);
        session.run(
            "colour",
            half.size(),
            &[
                In(grey),
                In(samples),
                red,
                green,
                blue,
                Out(half),
                Size(half),
            ],
        )?;
        let args = [Out(frame), Size(frame), In(grey), In(half), Size(half)];
        session.run("tint", frame.size(), &args)
    }
}

/// Columns and rows of a photograph.
fn size_of(stored: &Stored) -> Result<[i32; 2]> {
    let [width, height] = stored.size;
    Ok([width.try_into()?, height.try_into()?])
}

/// The rows of `pose` as the kernels take them: how far a pixel goes, instead
/// of where to.
fn distances(pose: &Transform) -> [[f32; 4]; 3] {
    let [across, down, shear] = pose.0;
    let row = |row: [f64; 3]| [row[0] as f32, row[1] as f32, row[2] as f32, 0.0];
    [
        row([across[0] - shear[2], across[1], across[2]]),
        row([down[0], down[1] - shear[2], down[2]]),
        row(shear),
    ]
}
