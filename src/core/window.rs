//! A soft window over rows that are made as they are needed.

use super::rows::{mirror, soften};

/// Keeps the five rows that a soft window (the binomial 1 4 6 4 1 each way)
/// looks at, for rows that are asked for one after another.
#[derive(Debug, Default)]
pub struct Window {
    height: usize,
    /// The next row to be made.
    next: usize,
    rows: [Vec<f32>; 5],
    padded: Vec<f32>,
}

impl Window {
    /// Begins anew with rows of a plane of this size, from row `first` on.
    pub fn begin(&mut self, width: usize, height: usize, first: usize) {
        self.height = height;
        self.next = first.saturating_sub(2);
        self.rows.iter_mut().for_each(|row| row.resize(width, 0.0));
    }

    /// The row that is made next.
    pub fn first(&self) -> usize {
        self.next
    }

    /// Row `y` in its window, the one after that asked for before; `make` makes
    /// the rows of the plane, each once.
    pub fn row(&mut self, y: usize, out: &mut [f32], mut make: impl FnMut(usize, &mut [f32])) {
        while self.next < (y + 3).min(self.height) {
            make(self.next, &mut self.rows[self.next % 5]);
            self.next += 1;
        }
        let near = [-2, -1, 0, 1, 2].map(|k| mirror(y as isize + k, self.height) % 5);
        soften(near.map(|k| &self.rows[k][..]), &mut self.padded, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plane::Plane;

    #[test]
    fn rows_made_on_the_way_look_like_those_of_a_plane() {
        for (width, height) in [(1, 1), (2, 2), (5, 3), (17, 40)] {
            let data = (0..width * height).map(|i| (i as f32 * 0.37).sin());
            let plane = Plane {
                width,
                height,
                data: data.collect(),
            };
            let soft = plane.windowed();
            for first in [0, height / 2] {
                let mut window = Window::default();
                window.begin(width, height, first);
                let mut row = vec![0.0; width];
                for y in first..height {
                    window.row(y, &mut row, |y, out| out.copy_from_slice(plane.row(y)));
                    assert_eq!(row, soft.row(y), "{width}×{height}, {y}");
                }
            }
        }
    }
}
