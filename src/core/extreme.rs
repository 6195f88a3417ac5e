//! The least and the greatest values around each.

use rayon::prelude::*;

use super::plane::Plane;

/// Places around a place, no further than `radius` away.
pub fn disc(radius: usize) -> Vec<(isize, isize)> {
    let radius = radius as isize;
    let all = (-radius..=radius).flat_map(|y| (-radius..=radius).map(move |x| (x, y)));
    all.filter(|(x, y)| x * x + y * y <= radius * radius + radius / 2)
        .collect()
}

/// The greatest value among those `around` each.
pub fn greatest(plane: &Plane, around: &[(isize, isize)]) -> Plane {
    let (width, height) = (plane.width as isize, plane.height as isize);
    let mut out = plane.clone();
    out.bands_mut().for_each(|(first, rows)| {
        for (y, out) in (first as isize..).zip(rows.chunks_exact_mut(plane.width)) {
            for &(dx, dy) in around {
                let row = plane.row((y + dy).clamp(0, height - 1) as usize);
                let inside = (-dx).clamp(0, width)..(width - dx).clamp(0, width);
                let (start, end) = (inside.start as usize, inside.end as usize);
                if start >= end {
                    continue;
                }
                let from = (start as isize + dx) as usize;
                let near = out[start..end].iter_mut().zip(&row[from..]);
                near.for_each(|(most, &value)| *most = if value > *most { value } else { *most });
            }
        }
    });
    out
}

/// The least value among those `around` each.
pub fn least(plane: &Plane, around: &[(isize, isize)]) -> Plane {
    negative(greatest(&negative(plane.clone()), around))
}

fn negative(mut plane: Plane) -> Plane {
    plane.data.iter_mut().for_each(|value| *value = -*value);
    plane
}

/// The greatest value within `radius` pixels of each, both ways.
pub fn greatest_within(plane: &Plane, radius: usize) -> Plane {
    let [across, down] = lines(radius);
    greatest(&greatest(plane, &across), &down)
}

/// The least value within `radius` pixels of each, both ways.
pub fn least_within(plane: &Plane, radius: usize) -> Plane {
    negative(greatest_within(&negative(plane.clone()), radius))
}

/// Steps along a row, and along a column.
fn lines(radius: usize) -> [Vec<(isize, isize)>; 2] {
    let radius = radius as isize;
    let line = |place: fn(isize) -> (isize, isize)| (-radius..=radius).map(place).collect();
    [line(|k| (k, 0)), line(|k| (0, k))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_value_is_found_as_far_as_it_is_looked_for() {
        for (width, height) in [(1, 1), (1, 9), (20, 15)] {
            let middle = height / 2 * width + width / 2;
            let value = |i: usize| if i == middle { 3.0 } else { -1.0 };
            let plane = Plane {
                width,
                height,
                data: (0..width * height).map(value).collect(),
            };
            let off = |i: usize| {
                let (x, y) = (i % width, i / width);
                (x.abs_diff(width / 2), y.abs_diff(height / 2))
            };
            let (square, round) = (greatest_within(&plane, 3), greatest(&plane, &disc(3)));
            let lowest = least_within(&square, 3);
            for i in 0..plane.data.len() {
                let (x, y) = off(i);
                assert_eq!(square.data[i] == 3.0, x.max(y) <= 3);
                assert_eq!(round.data[i] == 3.0, x * x + y * y <= 10);
                // Widened and narrowed again it is what it was.
                assert_eq!(lowest.data[i] == 3.0, i == middle);
            }
        }
    }
}
