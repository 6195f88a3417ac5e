//! How sharp a photograph is, measured on the device as
//! [`sharpness`](crate::core::sharpness) does it on the processor.

use opencv::Result;

use super::frame::upload_samples;
use super::session::Arg::{Floats, In, Int, Out, Size};
use super::session::{Buffer, Kind, Session};
use crate::core::grey::LUMA;
use crate::core::sharpness::{Measures, Sharpness, cell_sizes, factor};
use crate::photo::{Photo, Samples};

/// Measures a photograph in `grid` × `grid` cells; `memory` is that of one
/// before.
pub fn measure(
    session: &Session,
    photo: &Photo,
    grid: usize,
    memory: &mut Option<Buffer>,
) -> Result<Sharpness> {
    let factor = factor(photo.width, photo.height);
    let (width, height) = (photo.width / factor, photo.height / factor);
    let (kernel, full) = match &photo.samples {
        Samples::Eight(_) => ("working_uchar", 257.0),
        Samples::Sixteen(_) => ("working_ushort", 1.0),
    };
    let uploaded = upload_samples(session, photo, memory.take())?;
    let [red, green, blue] = LUMA.map(|weight| weight * full / (factor * factor) as f32);
    let grey = session.blank(width.try_into()?, height.try_into()?, Kind::Float)?;
    session.run(
        kernel,
        grey.size(),
        &[
            In(&uploaded),
            Int(photo.width.try_into()?),
            Int(factor.try_into()?),
            Floats([red, green, blue, 0.0]),
            Out(&grey),
            Size(&grey),
        ],
    )?;
    let cells = i32::try_from(grid)?;
    let sums = session.blank(cells, grey.height, Kind::Float4)?;
    let args = [In(&grey), Size(&grey), Out(&sums), Int(cells)];
    session.run("focus_rows", sums.size(), &args)?;
    // Four values in each cell.
    let found = session.blank(4 * cells, cells, Kind::Float)?;
    let args = [In(&sums), Int(sums.height), Out(&found), Int(cells)];
    session.run("focus_cells", [cells, cells], &args)?;
    let found: Vec<f32> = session.download(&found)?;
    *memory = Some(uploaded);
    let sizes = cell_sizes(width, height, grid);
    let cells = sizes.zip(found.as_chunks().0);
    Ok(Sharpness {
        grid,
        cells: cells
            .map(|(pixels, &sums)| Measures::of_sums(sums.map(f64::from), pixels))
            .collect(),
    })
}
