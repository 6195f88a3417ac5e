//! Pictures for the benches, quickly made and rich in detail.
//!
//! `PARFOCAL_BENCH_MP` is their size in megapixels, 6 unless it is set.

// Every bench has its own copy of this module and uses a part of it.
#![allow(dead_code)]

use rayon::prelude::*;
use std::path::{Path, PathBuf};

use parfocal::core::Transform;
use parfocal::photo::{self, Encoding, Format, Photo, Samples};

/// Width and height in pixels, three to two.
pub fn size() -> (usize, usize) {
    let megapixels = match std::env::var("PARFOCAL_BENCH_MP") {
        Err(_) => 6.0,
        Ok(text) => match text.parse::<f64>() {
            Ok(value) if (0.1..=200.0).contains(&value) => value,
            _ => panic!("PARFOCAL_BENCH_MP is {text}; give megapixels, 0.1 to 200"),
        },
    };
    let height = (megapixels * 1e6 / 1.5).sqrt();
    ((height * 1.5) as usize, height as usize)
}

/// Pixels of a picture, to count by.
pub fn pixels() -> divan::counter::ItemsCount {
    let (width, height) = size();
    divan::counter::ItemsCount::new(width * height)
}

/// Where frame `index` lies: it wanders and breathes a little.
pub fn pose(index: usize) -> Transform {
    let (width, height) = size();
    let k = index as f64;
    let centre = [(width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0];
    Transform::similarity(1.0 + 0.001 * k, 2e-4 * k, centre, [1.3 * k, -0.7 * k])
}

/// Frame `index` of `count`: a sharp band moves across it from left to right.
pub fn frame(index: usize, count: usize) -> Photo {
    let (width, height) = size();
    let back = pose(index).inverse().unwrap();
    let focus = (index as f64 + 0.5) / count as f64;
    let mut samples = vec![0u8; width * height * 3];
    samples
        .par_chunks_mut(width * 3)
        .enumerate()
        .for_each(|(y, row)| {
            for (x, rgb) in row.chunks_exact_mut(3).enumerate() {
                let [u, v] = back.apply(x as f64, y as f64);
                let blur = (u / width as f64 - focus).abs() * 6.0;
                let light = clouds(u as f32, v as f32, blur as f32);
                for (sample, tint) in rgb.iter_mut().zip([1.0, 0.9, 0.75]) {
                    *sample = (255.0 * tint * light) as u8;
                }
            }
        });
    Photo {
        width,
        height,
        samples: Samples::Eight(samples),
        ..Photo::default()
    }
}

/// Writes a photograph in the format that its name says.
pub fn write(path: &Path, photo: &Photo, bits: u8) {
    let encoding = Encoding {
        format: Format::from_path(path).unwrap(),
        bits,
        ..Encoding::default()
    };
    photo::write(path, photo, &encoding, true, &|| true).unwrap();
}

/// Writes a stack of JPEGs.
pub fn stack(folder: &Path, count: usize) -> Vec<PathBuf> {
    (0..count)
        .map(|index| {
            let path = folder.join(format!("frame_{index:02}.jpg"));
            write(&path, &frame(index, count), 8);
            path
        })
        .collect()
}

/// Noise at many scales (value noise), 0 to 1; blur takes the fine ones.
fn clouds(x: f32, y: f32, blur: f32) -> f32 {
    let (mut sum, mut weight) = (0.5, 0.3);
    for octave in 0..6 {
        let cell = f32::from(2u8 << (5 - octave));
        let kept = (-(blur * 4.0 / cell).powi(2)).exp();
        sum += weight * kept * (lattice(x / cell, y / cell, octave) - 0.5);
        weight *= 0.75;
    }
    sum.clamp(0.0, 1.0)
}

fn lattice(x: f32, y: f32, seed: u8) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let at = |dx: i32, dy: i32| {
        let (a, b) = (x0 as i32 + dx, y0 as i32 + dy);
        let mut hash = (a as u32).wrapping_mul(0x9e37_79b1)
            ^ (b as u32).wrapping_mul(0x85eb_ca77)
            ^ u32::from(seed).wrapping_mul(0xc2b2_ae3d);
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        hash = (hash ^ (hash >> 12)).wrapping_mul(0x297a_2d39);
        ((hash ^ (hash >> 15)) >> 8) as f32 / 16_777_216.0
    };
    let soft = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (soft(x - x0), soft(y - y0));
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
    top + (bottom - top) * fy
}
