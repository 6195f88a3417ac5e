//! Parts of a picture at the size they have on the screen.
//!
//! Renderers place images with differing precision and shrink them badly, so
//! the viewer hands them tiles that need neither: one pixel of a tile is one
//! pixel of the screen. Enlarged pixels stay squares; smaller sizes are taken
//! from the half next above, with a bicubic filter that grows with the ratio.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::geometry::{self, Extent, Rect, TILE};
use super::heat;
use super::level::{Level, divide_alpha};
use super::picture::{Kind, Picture, Scores};

/// A tile, by picture, size on the screen, and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The picture's [`Picture::id`].
    pub picture: u64,
    /// The size of the whole picture on the screen.
    pub scaled: Extent,
    /// Counted from the left.
    pub column: u32,
    /// Counted from the top.
    pub row: u32,
    /// Whether the sharpness is laid over it.
    pub heat: bool,
}

impl Key {
    /// The one tile that shows all of a picture, whatever its size.
    pub fn overview(picture: &Picture) -> Self {
        let Extent { width, height } = picture.extent();
        let side = |side: u32| {
            let longest = u64::from(width.max(height));
            let shrunk = u64::from(side) * u64::from(TILE) / longest.max(u64::from(TILE));
            shrunk.max(1) as u32
        };
        Self {
            picture: picture.id(),
            scaled: Extent {
                width: side(width),
                height: side(height),
            },
            column: 0,
            row: 0,
            heat: false,
        }
    }

    /// Where it lies in the whole.
    pub fn rect(&self) -> Rect {
        geometry::tile_of(self.scaled, self.column, self.row)
    }
}

/// Builds the halves of a picture that its tiles at the size `scaled` are
/// taken from.
pub fn prepare(picture: &Picture, scaled: Extent) {
    Source::of(picture).above(scaled);
}

/// The pixels of a tile, in RGBA, not multiplied by alpha. What is not there
/// of a picture is transparent.
pub fn render(picture: &Picture, key: &Key) -> Vec<u8> {
    let part = key.rect();
    let source = Source::of(picture);
    let mut rgba = match source.cover(key.scaled, part) {
        Some(there) if there == part => pixels(picture, source, key.scaled, part),
        Some(there) => {
            let mut rgba = vec![0; part.width as usize * 4 * part.height as usize];
            let stride = there.width as usize * 4;
            let corner = ((there.top - part.top) * i64::from(part.width) + there.left - part.left)
                as usize
                * 4;
            let rows = rgba[corner..].chunks_mut(part.width as usize * 4);
            let there = pixels(picture, source, key.scaled, there);
            for (row, there) in rows.zip(there.chunks_exact(stride)) {
                row[..stride].copy_from_slice(there);
            }
            rgba
        }
        None => vec![0; part.width as usize * 4 * part.height as usize],
    };
    if key.heat
        && let Some(scores) = picture.scores()
    {
        lay_over(scores, key, &mut rgba);
    }
    rgba
}

/// The pixels of a part of a picture at the size `scaled`, all of which is
/// there.
fn pixels(picture: &Picture, source: Source, scaled: Extent, part: Rect) -> Vec<u8> {
    let whole = source.whole;
    let enlarged = scaled.width >= whole.width && scaled.height >= whole.height;
    let is_exact = source.factor == 1 && (picture.kind() != Kind::Preview || scaled == whole);
    let mut rgba = if enlarged && is_exact {
        nearest(&source, scaled, part)
    } else {
        filtered(&source.above(scaled), scaled, part)
    };
    if !source.level.opaque {
        rgba.chunks_exact_mut(4).for_each(divide_alpha);
    }
    rgba
}

/// Pixels of a picture at its size or at a half of it.
#[derive(Clone, Copy)]
struct Source<'a> {
    level: &'a Level,
    /// The size of all of the picture.
    whole: Extent,
    /// How many of its pixels, each way, one pixel of the level stands for.
    factor: u32,
    /// Where the level begins, in pixels of the level.
    left: u32,
    top: u32,
}

impl<'a> Source<'a> {
    fn of(picture: &'a Picture) -> Self {
        let sight = picture.sight();
        Self {
            level: picture.level(),
            whole: picture.extent(),
            factor: sight.map_or(1, |sight| 1 << sight.halvings),
            left: sight.map_or(0, |sight| sight.left),
            top: sight.map_or(0, |sight| sight.top),
        }
    }

    /// The smallest level that is not smaller than `scaled`, or the largest.
    fn above(self, scaled: Extent) -> Self {
        let factor = 2 * self.factor;
        let large = |side: u32, scaled: u32| side.div_ceil(factor) >= scaled;
        let aligned = self.left.is_multiple_of(2) && self.top.is_multiple_of(2);
        if large(self.whole.width, scaled.width)
            && large(self.whole.height, scaled.height)
            && aligned
            && let Some(level) = self.level.half()
        {
            let half = Self {
                level,
                factor,
                left: self.left / 2,
                top: self.top / 2,
                ..self
            };
            return half.above(scaled);
        }
        self
    }

    /// What of `part` is there, in pixels of the picture stretched to
    /// `scaled`.
    fn cover(&self, scaled: Extent, part: Rect) -> Option<Rect> {
        let along = |start: u32, length: u32, whole: u32, scaled: u32, from: i64, size: u32| {
            let ratio = f64::from(scaled) * f64::from(self.factor) / f64::from(whole);
            let end = start + length;
            let first = (f64::from(start) * ratio).ceil() as i64;
            let last = if end >= whole.div_ceil(self.factor) {
                i64::from(scaled)
            } else {
                (f64::from(end) * ratio).floor() as i64
            };
            let (first, last) = (first.max(from), last.min(from + i64::from(size)));
            (first < last).then(|| (first, (last - first) as u32))
        };
        let Extent { width, height } = self.level.extent;
        let (whole, at) = (self.whole, (part.left, part.top));
        let (left, across) = along(
            self.left,
            width,
            whole.width,
            scaled.width,
            at.0,
            part.width,
        )?;
        let (top, down) = along(
            self.top,
            height,
            whole.height,
            scaled.height,
            at.1,
            part.height,
        )?;
        Some(Rect {
            left,
            top,
            width: across,
            height: down,
        })
    }
}

/// Lays the colours of the scores over a tile.
fn lay_over(scores: &Scores, key: &Key, rgba: &mut [u8]) {
    let part = key.rect();
    let veils: Vec<[u16; 4]> = scores
        .shares
        .iter()
        .map(|&share| heat::veil(share).into_rgba8().map(u16::from))
        .collect();
    let cell =
        |at: u32, scaled: u32| (u64::from(at) * scores.grid as u64 / u64::from(scaled)) as usize;
    let columns: Vec<usize> = (0..part.width)
        .map(|x| cell(part.left as u32 + x, key.scaled.width))
        .collect();
    for (y, row) in rgba.chunks_exact_mut(part.width as usize * 4).enumerate() {
        let first = cell(part.top as u32 + y as u32, key.scaled.height) * scores.grid;
        for (pixel, &column) in row.chunks_exact_mut(4).zip(&columns) {
            let [red, green, blue, alpha] = veils[first + column];
            for (sample, over) in pixel.iter_mut().zip([red, green, blue]) {
                let under = u16::from(*sample) * (255 - alpha);
                *sample = ((under + over * alpha + 127) / 255) as u8;
            }
        }
    }
}

fn nearest(source: &Source, scaled: Extent, part: Rect) -> Vec<u8> {
    let columns: Vec<usize> = (0..part.width)
        .map(|x| {
            let device = part.left as u32 + x;
            let column = geometry::source_pixel(device, scaled.width, source.whole.width);
            (column - source.left) as usize
        })
        .collect();
    let stride = part.width as usize * 4;
    let mut rgba = vec![0; stride * part.height as usize];
    let mut last = None;
    for y in 0..part.height as usize {
        let device = part.top as u32 + y as u32;
        let row = geometry::source_pixel(device, scaled.height, source.whole.height);
        let (above, rest) = rgba.split_at_mut(y * stride);
        if last == Some(row) {
            rest[..stride].copy_from_slice(&above[above.len() - stride..]);
        } else {
            let from = source.level.row((row - source.top) as usize);
            for (pixel, &x) in rest[..stride].chunks_exact_mut(4).zip(&columns) {
                pixel.copy_from_slice(&from[x * 4..x * 4 + 4]);
            }
            last = Some(row);
        }
    }
    rgba
}

fn filtered(source: &Source, scaled: Extent, part: Rect) -> Vec<u8> {
    let mut rgba = vec![0; part.width as usize * 4 * part.height as usize];
    let level = source.level;
    // Start and length in pixels of the level.
    let span = |at: i64, length: u32, whole: u32, scaled: u32, start: u32, level: u32| {
        let unit = f64::from(whole) / f64::from(source.factor) / f64::from(scaled);
        let first = (at as f64 * unit - f64::from(start)).clamp(0.0, f64::from(level));
        (
            first,
            (f64::from(length) * unit).min(f64::from(level) - first),
        )
    };
    let (whole, extent) = (source.whole, level.extent);
    let (across, width) = span(
        part.left,
        part.width,
        whole.width,
        scaled.width,
        source.left,
        extent.width,
    );
    let (down, height) = span(
        part.top,
        part.height,
        whole.height,
        scaled.height,
        source.top,
        extent.height,
    );
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .crop(across, down, width, height)
        .use_alpha(false);
    let from = ImageRef::new(extent.width, extent.height, &level.rgba, PixelType::U8x4);
    let target = Image::from_slice_u8(part.width, part.height, &mut rgba, PixelType::U8x4);
    match (from, target) {
        (Ok(from), Ok(mut target)) => {
            if let Err(error) = Resizer::new().resize(&from, &mut target, &options) {
                tracing::error!(%error, ?part, "a part of the picture cannot be shown");
            }
        }
        (from, target) => {
            let error = (from.err(), target.err());
            tracing::error!(?error, ?part, "a part of the picture cannot be shown");
        }
    }
    rgba
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::viewer::picture::Sight;

    fn picture(kind: Kind, width: u32, height: u32) -> Picture {
        // Smooth in two directions, with fine noise in blue.
        let mut state = 1u32;
        let rgba = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let red = (255 * x / width) as u8;
                [red, (255 * y / height) as u8, (state >> 24) as u8, 255]
            })
            .collect();
        Picture::new("test", kind, width, height, rgba).expect("a picture")
    }

    fn whole(picture: &Picture, width: u32, height: u32) -> Vec<Vec<[u8; 4]>> {
        let scaled = Extent { width, height };
        let mut pixels = vec![vec![[0; 4]; width as usize]; height as usize];
        prepare(picture, scaled);
        for row in 0..height.div_ceil(TILE) {
            for column in 0..width.div_ceil(TILE) {
                let key = Key {
                    picture: picture.id(),
                    scaled,
                    column,
                    row,
                    heat: false,
                };
                let part = key.rect();
                let rgba = render(picture, &key);
                assert_eq!(rgba.len(), (part.width * part.height * 4) as usize);
                for (at, pixel) in rgba.chunks_exact(4).enumerate() {
                    let (x, y) = (at % part.width as usize, at / part.width as usize);
                    pixels[part.top as usize + y][part.left as usize + x].copy_from_slice(pixel);
                }
            }
        }
        pixels
    }

    fn source(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        picture.read(x, y).and_then(|r| r.rgb).expect("a pixel")
    }

    #[test]
    fn pixels_are_exact_at_full_size_and_above() {
        let picture = picture(Kind::Frame, 700, 530);
        for scale in [1, 2, 3] {
            let pixels = whole(&picture, 700 * scale, 530 * scale);
            for (y, row) in pixels.iter().enumerate() {
                for (x, pixel) in row.iter().enumerate() {
                    let expected = source(&picture, x as u32 / scale, y as u32 / scale);
                    assert_eq!(pixel[..3], expected);
                }
            }
        }
    }

    #[test]
    fn odd_enlargements_show_what_the_read_out_says() {
        let picture = picture(Kind::Frame, 450, 300);
        let pixels = whole(&picture, 703, 469);
        for (x, y) in [(0, 0), (702, 468), (511, 33), (512, 400), (351, 234)] {
            let column = geometry::source_pixel(x, 703, 450);
            let row = geometry::source_pixel(y, 469, 300);
            let expected = source(&picture, column, row);
            assert_eq!(pixels[y as usize][x as usize][..3], expected);
        }
    }

    #[test]
    fn smaller_sizes_are_smooth_and_have_no_seams() {
        let picture = picture(Kind::Frame, 3001, 2003);
        for (width, height) in [(1100, 734), (2800, 1869), (600, 400)] {
            let pixels = whole(&picture, width, height);
            for (y, row) in pixels.iter().enumerate() {
                for (x, pixel) in row.iter().enumerate() {
                    let red = 255.0 * (x as f64 + 0.5) / f64::from(width);
                    let green = 255.0 * (y as f64 + 0.5) / f64::from(height);
                    assert!((f64::from(pixel[0]) - red).abs() < 2.0, "{x} {y} {pixel:?}");
                    assert!(
                        (f64::from(pixel[1]) - green).abs() < 2.0,
                        "{x} {y} {pixel:?}"
                    );
                }
            }
        }
        // Far below full size the noise is gone.
        let blues = whole(&picture, 150, 100)
            .into_iter()
            .flatten()
            .map(|p| p[2]);
        assert!(blues.into_iter().all(|blue| blue.abs_diff(127) < 30));
    }

    #[test]
    fn previews_are_smooth_when_enlarged() {
        let rgba = vec![0, 0, 0, 255, 255, 255, 255, 255];
        let of = |kind| Picture::new("p", kind, 2, 1, rgba.clone()).expect("a picture");
        let reds = |kind| -> Vec<u8> { whole(&of(kind), 8, 4)[0].iter().map(|p| p[0]).collect() };
        assert_eq!(reds(Kind::Result), [0, 0, 0, 0, 255, 255, 255, 255]);
        let smooth = reds(Kind::Preview);
        assert!(
            smooth.iter().any(|&red| red > 30 && red < 220),
            "{smooth:?}"
        );
    }

    #[test]
    fn a_part_shows_what_the_whole_shows_there_and_nothing_elsewhere() {
        let all = picture(Kind::Frame, 1300, 900);
        let rgba = |halvings: u32, [left, top, width, height]: [usize; 4]| {
            let level = (0..halvings).fold(Source::of(&all), |source, _| Source {
                level: source.level.half().expect("a half"),
                factor: source.factor * 2,
                ..source
            });
            let rows = (top..top + height).map(|y| &level.level.row(y)[left * 4..][..width * 4]);
            rows.flatten().copied().collect::<Vec<u8>>()
        };
        for (halvings, [left, top, width, height], size) in [
            (0, [128, 64, 700, 500], (1300, 900)),
            (0, [128, 64, 700, 500], (2600, 1800)),
            (0, [128, 64, 700, 500], (900, 623)),
            (1, [64, 128, 400, 256], (650, 450)),
            (1, [64, 128, 400, 256], (500, 346)),
        ] {
            let sight = Sight {
                whole: all.extent(),
                halvings,
                left,
                top,
                part: Extent { width, height },
            };
            let window = [left, top, width, height].map(|n| n as usize);
            let part = Picture::new("p", Kind::Frame, width, height, rgba(halvings, window))
                .and_then(|part| part.as_part(sight))
                .expect("a part");
            assert_eq!(part.extent(), all.extent());
            let (seen, expected) = (whole(&part, size.0, size.1), whole(&all, size.0, size.1));
            let ratio = f64::from(size.0) / 1300.0 * f64::from(1 << halvings);
            // Pixels of a level that reach beyond the part blend with its edge.
            let rim = 3.0 * ratio;
            let place = |start: u32, length: u32, at: usize| {
                let at = at as f64 + 0.5;
                let (from, to) = (f64::from(start) * ratio, f64::from(start + length) * ratio);
                (at > from + rim && at < to - rim, at < from || at > to)
            };
            for (y, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
                for (x, (seen, expected)) in seen.iter().zip(expected).enumerate() {
                    let (across, down) = (place(left, width, x), place(top, height, y));
                    if across.0 && down.0 {
                        let apart = seen.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                        assert!(apart <= Some(1), "{halvings} {size:?}: {x} {y}");
                    } else if across.1 || down.1 {
                        assert_eq!(seen[3], 0, "{halvings} {size:?}: {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_overview_is_one_tile() {
        let wide = Key::overview(&picture(Kind::Frame, 3000, 10));
        assert_eq!((wide.scaled.width, wide.scaled.height), (TILE, 1));
        let small = Key::overview(&picture(Kind::Frame, 40, 30));
        assert_eq!((small.scaled.width, small.scaled.height), (40, 30));
    }

    #[test]
    fn scores_colour_their_cells_and_meet_without_a_gap() {
        let picture = Picture::new("w", Kind::Frame, 30, 30, vec![255; 3600])
            .and_then(|picture| picture.with_scores(2, &[0.0, 1.0, 2.0, 4.0]))
            .expect("a picture");
        let scaled = Extent {
            width: 45,
            height: 45,
        };
        let key = Key {
            picture: picture.id(),
            scaled,
            column: 0,
            row: 0,
            heat: true,
        };
        let rgba = render(&picture, &key);
        let pixel = |x: usize, y: usize| &rgba[(y * 45 + x) * 4..][..4];
        let cells = [(0, 0), (44, 0), (0, 44), (44, 44)].map(|(x, y)| pixel(x, y));
        for (at, cell) in cells.iter().enumerate() {
            assert_eq!(cell[3], 255);
            assert!(cells[..at].iter().all(|other| other != cell), "{cells:?}");
        }
        assert_eq!(pixel(22, 22), cells[0]);
        assert_eq!(pixel(23, 22), cells[1]);
        assert_eq!(pixel(23, 23), cells[3]);
    }

    #[test]
    fn transparent_parts_stay_so() {
        let rgba = [[10, 20, 30, 0], [200, 100, 50, 255]].repeat(8).concat();
        let picture = Picture::new("t", Kind::Result, 4, 4, rgba).expect("a picture");
        let pixels = whole(&picture, 4, 4);
        assert_eq!(pixels[0][0][3], 0);
        assert_eq!(pixels[0][1], [200, 100, 50, 255]);
    }
}
