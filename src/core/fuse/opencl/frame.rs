//! A photograph on the device, brought into the geometry of the result.

use opencv::Result;

use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session, failure};
use super::{Pixels, Sent};
use crate::core::Transform;
use crate::core::taps::curves;
use crate::core::warp::{Area, Exposure, Way, is_whole};
use crate::photo::{Photo, Samples};

/// Memory of the device for one photograph, used for several in turn.
#[derive(Default)]
pub struct Slot {
    samples: Option<Buffer>,
    alpha: Option<Buffer>,
}

/// The pixels of a photograph in the device's memory.
pub struct Stored {
    /// The kernel that reads such samples, and their full scale.
    kernel: &'static str,
    full_scale: f64,
    /// Three to a pixel.
    samples: Buffer,
    alpha: Option<Buffer>,
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
    /// How the values of the result are found.
    way: Way,
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
    pub fn upload(self, session: &Session, photo: &Photo) -> Result<Stored> {
        let (width, height) = (i32::try_from(photo.width)?, i32::try_from(photo.height)?);
        let (kernel, full_scale) = match &photo.samples {
            Samples::Eight(_) => ("warp_uchar", 255.0),
            Samples::Sixteen(_) => ("warp_ushort", 65535.0),
        };
        let samples = upload_samples(session, photo, self.samples)?;
        let alpha = match &photo.alpha {
            Some(alpha) => Some(session.upload(alpha, width, height, self.alpha)?),
            None => None,
        };
        Ok(Stored {
            kernel,
            full_scale,
            samples,
            alpha,
        })
    }
}

impl Stored {
    /// Columns and rows.
    fn size(&self) -> [i32; 2] {
        [self.samples.width / 3, self.samples.height]
    }

    /// The photograph without its pixels.
    fn outline(&self) -> Result<Photo> {
        let [width, height] = self.size();
        Ok(Photo {
            width: width.try_into()?,
            height: height.try_into()?,
            alpha: self.alpha.as_ref().map(|_| Vec::new()),
            ..Photo::default()
        })
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
            Pixels::Photo(photo) => (slot.upload(session, photo)?, false),
            Pixels::Held(held) => {
                let stored = held.with(*index, Stored::shared);
                let gone = || Err(failure("it holds a photograph no more"));
                (stored.unwrap_or_else(gone)?, true)
            }
        };
        let outline = stored.outline()?;
        Ok(Self {
            index: *index,
            pose: *pose,
            exposure: *exposure,
            whole: is_whole(&outline, pose, area),
            way: Way::of(&outline, pose, area),
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
    /// Red, green, blue, mask.
    pub pixels: Buffer,
    curves: Buffer,
    /// Where a kernel asks for an alpha and there is none.
    nothing: Buffer,
}

impl Frame {
    /// Room for a frame of the size of `area`.
    pub fn new(session: &Session, area: Area) -> Result<Self> {
        let curves = curves().as_flattened();
        Ok(Self {
            area,
            pixels: session.blank(
                area.width.try_into()?,
                area.height.try_into()?,
                Kind::Float4,
            )?,
            curves: session.upload(curves, curves.len().try_into()?, 1, None)?,
            nothing: session.blank(1, 1, Kind::Byte)?,
        })
    }

    /// Warps a photograph.
    pub fn warp(&self, session: &Session, photo: &Uploaded) -> Result<()> {
        let Uploaded {
            pose,
            exposure,
            stored,
            ..
        } = photo;
        let Stored {
            full_scale, alpha, ..
        } = stored;
        let [width, height] = stored.size();
        let [across, down, shear] = distances(pose);
        let three = |values: [f64; 3], scale: f64| {
            let [red, green, blue] = values.map(|value| (value / scale) as f32);
            [red, green, blue, 0.0]
        };
        session.run(
            stored.kernel,
            self.pixels.size(),
            &[
                In(&stored.samples),
                Int(width),
                Int(height),
                In(alpha.as_ref().unwrap_or(&self.nothing)),
                Int(alpha.is_some().into()),
                In(&self.curves),
                Int(photo.way as i32),
                Int(photo.whole.into()),
                Floats(across),
                Floats(down),
                Floats(shear),
                Floats(three(exposure.gain, *full_scale)),
                Floats(three(exposure.offset, 1.0)),
                Int(self.area.x.try_into()?),
                Int(self.area.y.try_into()?),
                Out(&self.pixels),
                Size(&self.pixels),
            ],
        )
    }
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
