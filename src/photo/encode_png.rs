//! Writes PNG.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufWriter, Write};

use ::png::{
    BitDepth, ColorType, Compression, Encoder, EncodingError, Info, PixelDimensions,
    SrgbRenderingIntent, Unit,
};

use super::Metadata;
use super::atomic::Stop;
use super::rows::Rows;

/// Writes the picture to `out` with 8 or 16 `bits`.
pub(super) fn encode(
    out: &mut impl Write,
    rows: &Rows,
    metadata: &Metadata,
    bits: u8,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let fault = Cell::new(None);
    let out = Watched { out, fault: &fault };
    encode_into(out, rows, metadata, bits, keep_going).map_err(|stop| match fault.get() {
        Some(kind) => Stop::Io(kind.into()),
        None => stop,
    })
}

/// Remembers what went wrong, which the encoder puts into words.
struct Watched<'a, W> {
    out: &'a mut W,
    fault: &'a Cell<Option<io::ErrorKind>>,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.fault.set(Some(error.kind()));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn encode_into(
    out: impl Write,
    rows: &Rows,
    metadata: &Metadata,
    bits: u8,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let mut info = Info::with_size(rows.width as u32, rows.height as u32);
    info.bit_depth = if bits == 16 {
        BitDepth::Sixteen
    } else {
        BitDepth::Eight
    };
    info.color_type = match rows.channels() {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    };
    match &metadata.icc {
        Some(icc) => info.icc_profile = Some(Cow::Borrowed(icc)),
        None if info.color_type != ColorType::Grayscale => {
            info.srgb = Some(SrgbRenderingIntent::Perceptual);
        }
        None => {}
    }
    info.exif_metadata = Some(Cow::Owned(metadata.exif_block(rows.width, rows.height)));
    info.pixel_dims = metadata.resolution.map(|resolution| {
        let [xppu, yppu] = resolution.map(|inch| (inch / 0.0254).round() as u32);
        PixelDimensions {
            xppu,
            yppu,
            unit: Unit::Meter,
        }
    });

    let mut encoder = Encoder::with_info(BufWriter::new(out), info).map_err(stop)?;
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().map_err(stop)?;
    let mut stream = writer.stream_writer_with_size(1 << 18).map_err(stop)?;
    let samples = rows.width * rows.channels();
    let (mut eight, mut sixteen) = (vec![0u8; samples], vec![0u16; samples]);
    for y in 0..rows.height {
        if !keep_going() {
            return Err(Stop::Cancelled);
        }
        if bits == 16 {
            rows.sixteen(y, &mut sixteen);
            for value in &mut sixteen {
                *value = value.to_be();
            }
            stream.write_all(bytemuck::cast_slice(&sixteen))?;
        } else {
            rows.eight(y, &mut eight);
            stream.write_all(&eight)?;
        }
    }
    stream.finish().map_err(stop)?;
    writer.finish().map_err(stop)
}

fn stop(error: EncodingError) -> Stop {
    match error {
        EncodingError::IoError(error) => Stop::Io(error),
        other => Stop::Picture(
            format!("cannot be written as PNG ({other})"),
            "write a TIFF instead",
        ),
    }
}
