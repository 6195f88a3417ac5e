//! A photograph on the device, brought into the geometry of the result.

use opencv::Result;

use super::Sent;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::Transform;
use crate::core::resample::weights;
use crate::core::warp::{Area, is_copy, is_whole};
use crate::photo::Samples;

/// Room for one frame, used for all of them in turn.
pub struct Frame {
    area: Area,
    /// Red, green, blue, mask.
    pub pixels: Buffer,
    table: Buffer,
    photo: Option<Buffer>,
    alpha: Option<Buffer>,
    /// Where a kernel asks for an alpha and there is none.
    nothing: Buffer,
}

impl Frame {
    /// Room for a frame of the size of `area`.
    pub fn new(session: &Session, area: Area) -> Result<Self> {
        let table = weights().as_flattened();
        Ok(Self {
            area,
            pixels: session.blank(
                area.width.try_into()?,
                area.height.try_into()?,
                Kind::Float4,
            )?,
            table: session.upload(table, table.len().try_into()?, 1, None)?,
            photo: None,
            alpha: None,
            nothing: session.blank(1, 1, Kind::Byte)?,
        })
    }

    /// Uploads a photograph and warps it. Returns true where it shows the
    /// scene everywhere.
    pub fn warp(&mut self, session: &Session, sent: &Sent) -> Result<bool> {
        let Sent {
            photo,
            pose,
            exposure,
            ..
        } = sent;
        let (width, height) = (i32::try_from(photo.width)?, i32::try_from(photo.height)?);
        let columns = width.checked_mul(3).unwrap_or(i32::MAX);
        let old = self.photo.take();
        let (kernel, full_scale, uploaded) = match &photo.samples {
            Samples::Eight(samples) => (
                "warp_uchar",
                255.0,
                session.upload(samples, columns, height, old)?,
            ),
            Samples::Sixteen(samples) => (
                "warp_ushort",
                65535.0,
                session.upload(samples, columns, height, old)?,
            ),
        };
        let alpha = match &photo.alpha {
            Some(alpha) => Some(session.upload(alpha, width, height, self.alpha.take())?),
            None => None,
        };
        let whole = is_whole(photo, pose, self.area);
        let [across, down, shear] = distances(pose);
        let three = |values: [f64; 3], scale: f64| {
            let [red, green, blue] = values.map(|value| (value / scale) as f32);
            [red, green, blue, 0.0]
        };
        session.run(
            kernel,
            self.pixels.size(),
            &[
                In(&uploaded),
                Int(width),
                Int(height),
                In(alpha.as_ref().unwrap_or(&self.nothing)),
                Int(alpha.is_some().into()),
                In(&self.table),
                Int((!is_copy(photo, pose, self.area)).into()),
                Int(whole.into()),
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
        )?;
        self.photo = Some(uploaded);
        self.alpha = alpha;
        Ok(whole)
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
