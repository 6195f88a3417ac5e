//! Writes surfaces for programs that work in three dimensions: PLY (Turk, "The
//! PLY Polygon File Format", 1994) and Wavefront OBJ with its MTL.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::atomic::{self, Stop};
use super::{Encoding, Format, Photo};
use crate::{Error, Result};

/// A grid of vertices with the colours of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Vertices in a row.
    pub columns: usize,
    /// Rows, the top one first.
    pub rows: usize,
    /// x (right), y (up) and z (towards the viewer) of each vertex in pixels of
    /// the picture.
    pub places: Vec<[f32; 3]>,
    /// Red, green and blue of each vertex, 0 to 255.
    pub colours: Vec<[u8; 3]>,
    /// Whether the picture shows anything at each vertex.
    pub shown: Vec<bool>,
    /// Width and height of the picture in pixels.
    pub size: [usize; 2],
}

/// What `path` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ply,
    Obj,
}

impl Kind {
    fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("ply") => Ok(Self::Ply),
            Some("obj") => Ok(Self::Obj),
            _ => Err(Error::Usage(format!(
                "{}: the name of a surface must end in .ply or .obj",
                path.display()
            ))),
        }
    }
}

/// The files that a surface at `path` consists of: itself, and for an `.obj`
/// the `.mtl` and the `.jpg` of the same name.
///
/// # Errors
///
/// [`Error::Usage`] if the extension is none of a surface.
pub fn surface_files(path: &Path) -> Result<Vec<PathBuf>> {
    Ok(match Kind::from_path(path)? {
        Kind::Ply => vec![path.to_owned()],
        Kind::Obj => ["obj", "mtl", "jpg"]
            .map(|end| path.with_extension(end))
            .into(),
    })
}

/// Writes a surface: `.ply` in binary with a colour at each vertex, `.obj` with
/// `picture` as its texture. Each file is written whole or not at all, and
/// replaces one that exists only if `overwrite` is set.
///
/// # Errors
///
/// As [`write`](super::write()) and [`surface_files`].
pub fn write_surface(
    path: &Path,
    surface: &Surface,
    picture: &Photo,
    overwrite: bool,
    keep_going: &dyn Fn() -> bool,
) -> Result<()> {
    let numbers = numbers(surface);
    match Kind::from_path(path)? {
        Kind::Ply => atomic::write(path, overwrite, |file| {
            buffered(file, |out| ply(out, surface, &numbers, keep_going))
        }),
        Kind::Obj => {
            let files = surface_files(path)?;
            for file in &files {
                atomic::check_target(file, overwrite)?;
            }
            let [_, material, texture] = [0, 1, 2].map(|i| &files[i]);
            let encoding = Encoding {
                format: Format::Jpeg,
                bits: 8,
                ..Encoding::default()
            };
            super::write(texture, picture, &encoding, overwrite, keep_going)?;
            let name = |path: &Path| {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            };
            let words = format!(
                "newmtl surface\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {}\n",
                name(texture)
            );
            atomic::write_text(material, &words, overwrite)?;
            atomic::write(path, overwrite, |file| {
                buffered(file, |out| {
                    obj(out, surface, &numbers, &name(material), keep_going)
                })
            })
        }
    }
}

fn buffered(
    file: &mut File,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    fill(&mut out)?;
    Ok(out.flush()?)
}

/// The number of each vertex that is shown, among those.
fn numbers(surface: &Surface) -> Vec<Option<u32>> {
    let mut next = 0;
    let number = |&shown: &bool| {
        shown.then(|| {
            next += 1;
            next - 1
        })
    };
    surface.shown.iter().map(number).collect()
}

/// The triangles of a row of squares, counter-clockwise to the viewer. A square
/// is cut along the diagonal that climbs less, which keeps edges straighter.
fn triangles<'a>(
    surface: &'a Surface,
    numbers: &'a [Option<u32>],
    row: usize,
) -> impl Iterator<Item = [u32; 3]> + 'a {
    let columns = surface.columns;
    (0..columns.saturating_sub(1))
        .filter_map(move |column| {
            let at = row * columns + column;
            let corners = [at, at + 1, at + columns, at + columns + 1];
            let [a, b, c, d] = corners.map(|at| numbers[at]);
            let (a, b, c, d) = (a?, b?, c?, d?);
            let z = corners.map(|at| surface.places[at][2]);
            Some(if (z[0] - z[3]).abs() <= (z[1] - z[2]).abs() {
                [[a, c, d], [a, d, b]]
            } else {
                [[a, c, b], [b, c, d]]
            })
        })
        .flatten()
}

fn ply(
    out: &mut impl Write,
    surface: &Surface,
    numbers: &[Option<u32>],
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let squares = 0..surface.rows.saturating_sub(1);
    let faces: usize = squares
        .clone()
        .map(|row| triangles(surface, numbers, row).count())
        .sum();
    write!(
        out,
        "ply\nformat binary_little_endian 1.0\ncomment Parfocal; pixels of the picture\n\
         element vertex {}\nproperty float x\nproperty float y\nproperty float z\n\
         property uchar red\nproperty uchar green\nproperty uchar blue\n\
         element face {faces}\nproperty list uchar int vertex_indices\nend_header\n",
        numbers.iter().flatten().count()
    )?;
    let vertices = surface.places.iter().zip(&surface.colours).zip(numbers);
    for (i, ((place, colour), number)) in vertices.enumerate() {
        if i % surface.columns == 0 && !keep_going() {
            return Err(Stop::Cancelled);
        }
        if number.is_some() {
            for value in place {
                out.write_all(&value.to_le_bytes())?;
            }
            out.write_all(colour)?;
        }
    }
    for row in squares {
        if !keep_going() {
            return Err(Stop::Cancelled);
        }
        for triangle in triangles(surface, numbers, row) {
            out.write_all(&[3])?;
            for number in triangle {
                out.write_all(&number.to_le_bytes())?;
            }
        }
    }
    Ok(())
}

fn obj(
    out: &mut impl Write,
    surface: &Surface,
    numbers: &[Option<u32>],
    material: &str,
    keep_going: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    write!(
        out,
        "# Parfocal; pixels of the picture\nmtllib {material}\no surface\nusemtl surface\n"
    )?;
    for (i, (place, number)) in surface.places.iter().zip(numbers).enumerate() {
        if i % surface.columns == 0 && !keep_going() {
            return Err(Stop::Cancelled);
        }
        if number.is_some() {
            let [x, y, z] = place;
            // Texture coordinates begin at the lower left corner of the picture.
            let [u, v] = [
                (x + 0.5) / surface.size[0] as f32,
                (y + 0.5) / surface.size[1] as f32,
            ];
            write!(out, "v {x} {y} {z:.3}\nvt {u:.6} {v:.6}\n")?;
        }
    }
    for row in 0..surface.rows.saturating_sub(1) {
        if !keep_going() {
            return Err(Stop::Cancelled);
        }
        for triangle in triangles(surface, numbers, row) {
            let [a, b, c] = triangle.map(|number| number + 1);
            writeln!(out, "f {a}/{a} {b}/{b} {c}/{c}")?;
        }
    }
    Ok(())
}
