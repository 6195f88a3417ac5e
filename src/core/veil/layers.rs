//! A scene as layers, the nearest first.

use rayon::prelude::*;

use super::cells::{Cells, Packed, halved_deviation, lay_behind};
use super::guided::Guide;
use crate::core::extreme::{disc, greatest, least};
use crate::core::plane::Plane;

/// Layers that a scene has at most: memory and time grow with them.
const MOST: usize = 20;
/// How far windows carry the depth of a near thing beyond its outline, in pixels
/// of the picture.
pub const FAT: usize = 6;
/// Pixels about which masks are brought to the outlines of the picture.
const GUIDED: usize = 8;
/// How often layers are halved at most, and one more.
const LEVELS: usize = 6;
/// Less than this, a layer does not cover anywhere, in cells.
const LEAST: usize = 2;

/// What is known of a scene, in cells of some pixels each.
pub struct Scene<'a> {
    /// The picture of it, full scale is 1.
    pub picture: &'a [Plane; 3],
    /// The depth of each cell, in frames from the nearest.
    pub depth: Plane,
    /// Pixels of the picture for a cell, each way.
    pub step: usize,
    /// Depths that differ by more belong to other things.
    pub gap: f32,
    /// Frames of the stack.
    pub frames: usize,
}

/// What lies at one depth.
#[derive(Debug)]
struct Layer {
    /// In frames from the nearest.
    depth: f32,
    /// Its light and cover, and the same at half the size, a quarter, and so on:
    /// wide blur shows in few cells.
    levels: Vec<Packed>,
}

/// A scene taken apart by its depth, nearest first.
#[derive(Debug)]
pub struct Layers {
    layers: Vec<Layer>,
    /// The depth of each cell, less what windows add to the outlines of near
    /// things, and a cell more: what is near there surely is.
    sure: Plane,
}

impl Scene<'_> {
    /// The scene as layers. What is near is as wide as its outline.
    pub fn layers(&self) -> Layers {
        let depth = self.thinned();
        let apart = (self.frames as f32 / MOST as f32).max(1.0);
        let number = |depth: f32| (depth / apart).round().max(0.0) as usize;
        let numbers: Vec<usize> = depth.data.par_iter().map(|&v| number(v)).collect();
        let mut counts = vec![0; number(self.frames as f32) + 1];
        numbers.iter().for_each(|&number| counts[number] += 1);
        let used: Vec<usize> = (0..counts.len())
            .filter(|&layer| counts[layer] >= LEAST)
            .collect();
        let guide = Guide::new(self.picture, (GUIDED / self.step).max(1));
        let mask = |layer| Plane {
            data: numbers
                .iter()
                .map(|&number| f32::from(u8::from(number == layer)))
                .collect(),
            ..depth
        };
        let masks: Vec<_> = (used.into_par_iter())
            .map(|layer| (layer as f32 * apart, guide.refined(&mask(layer))))
            .collect();
        let mut total = Plane::filled(depth.width, depth.height, 1e-6);
        for (_, mask) in &masks {
            let values = total.data.iter_mut().zip(&mask.data);
            values.for_each(|(total, share)| *total += share);
        }
        let cells = |mask: &Plane| {
            Cells::from_fn(depth.width, depth.height, |i| {
                let share = mask.data[i] / total.data[i];
                let [red, green, blue] = self.picture.each_ref().map(|p| light(p.data[i]) * share);
                [red, green, blue, share]
            })
        };
        Layers {
            layers: masks
                .par_iter()
                .map(|(at, mask)| Layer::new(*at, cells(mask)))
                .collect(),
            sure: greatest(&depth, &disc(1)),
        }
    }

    /// The depth with near things less what windows add to their outlines. What
    /// is no wider than that stays as it is.
    fn thinned(&self) -> Plane {
        let disc = disc(FAT.div_ceil(self.step));
        let thin = greatest(&self.depth, &disc);
        let wide = least(&thin, &disc);
        let data = (0..thin.data.len()).map(|i| {
            let own = self.depth.data[i];
            match wide.data[i] - own > self.gap {
                true => own,
                false => thin.data[i],
            }
        });
        Plane {
            data: data.collect(),
            ..thin
        }
    }

    /// The share of what is beside a jump in depth that lies in `part`.
    pub fn share_of_jumps(&self, part: &Plane) -> f32 {
        let jumps = self.jumps(FAT);
        let cells = jumps.data.iter().zip(&part.data);
        let cells = cells.filter(|(jump, _)| **jump > self.gap);
        let (count, sum) = cells.fold((0, 0.0), |(n, sum), (_, part)| (n + 1, sum + part));
        sum / (count as f32).max(1.0)
    }

    /// Where depth jumps within so many pixels: by how much.
    pub fn jumps(&self, pixels: usize) -> Plane {
        let disc = disc((pixels / self.step).max(1));
        let mut most = greatest(&self.depth, &disc);
        let low = least(&self.depth, &disc);
        let values = most.data.iter_mut().zip(&low.data);
        values.for_each(|(most, low)| *most -= low);
        most
    }
}

impl Layer {
    fn new(depth: f32, mut cells: Cells) -> Self {
        let mut levels = vec![Packed::from(&cells)];
        while levels.len() < LEVELS && cells.width.min(cells.height) > 4 {
            cells = cells.halved();
            levels.push(Packed::from(&cells));
        }
        Self { depth, levels }
    }
}

impl Layers {
    /// What a frame shows of the layers in front of `depth` that are more than
    /// `gap` away, where each step in depth blurs by `circle` (its radius in
    /// cells); of all layers with an infinite negative gap. Cells are those halved
    /// `base` times.
    pub fn seen(&self, depth: f32, gap: f32, circle: f32, base: usize) -> Cells {
        let blank = |level: usize| {
            let Packed { width, height, .. } = self.layers[0].levels[level];
            (level, Cells::blank(width, height))
        };
        // What is nearest is blurred most: it is laid down at a small size, which
        // is doubled for what follows.
        let mut seen: Option<(usize, Cells)> = None;
        for layer in self
            .layers
            .iter()
            .take_while(|layer| depth - layer.depth > gap)
        {
            // A disc is as wide as a bell of half its radius.
            let mut deviation = circle * (depth - layer.depth).abs() / 2.0;
            let most = seen
                .as_ref()
                .map_or(layer.levels.len() - 1, |(level, _)| *level);
            let mut level = base;
            while let (true, Some(rest)) = (level < most, halved_deviation(deviation)) {
                (level, deviation) = (level + 1, rest);
            }
            let mut front = self.enlarged(seen.take().unwrap_or_else(|| blank(level)), level);
            let behind = layer.levels[level].unpacked().blurred(deviation);
            lay_behind(&mut front, &behind);
            seen = Some((level, front));
        }
        self.enlarged(seen.unwrap_or_else(|| blank(base)), base)
    }

    /// Cells that were halved as often as is said, as those halved `level` times.
    fn enlarged(&self, (halved, cells): (usize, Cells), level: usize) -> Cells {
        (level..halved).rev().fold(cells, |cells, level| {
            let Packed { width, height, .. } = self.layers[0].levels[level];
            cells.doubled(width, height)
        })
    }

    /// What the layers more than `gap` in front of `depth` cover themselves.
    pub fn cover(&self, depth: f32, gap: f32) -> Plane {
        let front = |at: f32| depth - at > gap;
        let mut cover = self.covered(0, front);
        let values = cover.data.iter_mut().zip(&self.sure.data);
        values.for_each(|(cover, &own)| {
            *cover = if front(own) { 1.0 } else { cover.min(1.0) };
        });
        cover
    }

    /// How far each cell is covered by layers at such depths; cells are those
    /// halved `base` times.
    pub fn covered(&self, base: usize, is_such: impl Fn(f32) -> bool) -> Plane {
        let Packed { width, height, .. } = self.layers[0].levels[base];
        let mut cover = Plane::new(width, height);
        for layer in self.layers.iter().filter(|layer| is_such(layer.depth)) {
            let cells = &layer.levels[base];
            let values = cover.data.iter_mut().enumerate();
            values.for_each(|(at, cover)| *cover += cells.share(at));
        }
        cover
    }
}

/// Light of a value: pictures are written for the eye, about as the root of it.
pub fn light(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    value * value
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (80, 40);

    /// A plane of the values of its columns.
    fn plane(value: impl Fn(usize) -> f32) -> Plane {
        let (width, height) = SIZE;
        Plane {
            width,
            height,
            data: (0..width * height).map(|i| value(i % width)).collect(),
        }
    }

    /// A scene whose depth is that of the columns.
    fn scene(picture: &[Plane; 3], depth: impl Fn(usize) -> f32) -> Scene<'_> {
        Scene {
            picture,
            depth: plane(depth),
            step: 2,
            gap: 1.5,
            frames: 10,
        }
    }

    #[test]
    fn near_things_lose_what_windows_added_and_hairs_stay() {
        let near = |x: usize| (20..40).contains(&x) || x == 60;
        let picture = [0, 1, 2].map(|_| plane(|_| 0.5));
        let scene = scene(&picture, |x| if near(x) { 1.0 } else { 8.0 });
        let thinned = scene.thinned();
        let row = thinned.row(20);
        let found: Vec<usize> = (0..SIZE.0).filter(|&x| row[x] < 4.0).collect();
        let expected: Vec<usize> = (23..37).chain([60]).collect();
        assert_eq!(found, expected);
        assert!(scene.jumps(6).row(20)[19] > 6.0 && scene.jumps(6).row(20)[30] == 0.0);
    }

    #[test]
    fn a_veil_is_half_at_an_outline_and_ends_where_blur_does() {
        // Bright and near on the left, dark and far on the right; the picture has
        // the outline at 40, the depth a little beyond.
        let picture = [0, 1, 2].map(|_| plane(|x| if x < 40 { 0.9 } else { 0.2 }));
        let scene = scene(&picture, |x| if x < 43 { 1.0 } else { 8.0 });
        let layers = scene.layers();
        let veil = layers.seen(8.0, scene.gap, 1.0, 0);
        let row = veil.row(20);
        assert!((row[40][3] - 0.5).abs() < 0.1, "{:?}", row[40]);
        assert!(
            row[20][3] > 0.98 && row[55][3] < 0.03,
            "{:?} {:?}",
            row[20],
            row[55]
        );
        // Its light is that of the near thing.
        let light = row[44][0] / row[44][3];
        assert!((light - 0.81).abs() < 0.08, "{light}");
        // Nothing lies in front of what is near itself, which covers itself.
        let none = layers.seen(1.0, scene.gap, 1.0, 0);
        assert!(none.data.iter().all(|cell| cell[3] == 0.0));
        let cover = layers.cover(8.0, scene.gap);
        assert!(cover.row(20)[30] > 0.95 && cover.row(20)[50] < 0.05);
    }
}
