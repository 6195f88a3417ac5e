//! Turns pictures upright.

use rayon::prelude::*;

/// How a stored picture has to be turned to be upright, as the EXIF tag
/// `Orientation` says (TIFF 6.0, tag 274).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Self::UPRIGHT
    }
}

impl Orientation {
    /// Nothing to do.
    pub const UPRIGHT: Self = Self(1);

    /// The orientation of this EXIF value, upright for any outside 1 to 8.
    pub fn from_exif(value: u32) -> Self {
        match value {
            1..=8 => Self(value as u8),
            _ => Self::UPRIGHT,
        }
    }

    /// The EXIF value, 1 to 8.
    pub fn exif(self) -> u8 {
        self.0
    }

    /// True where rows become columns.
    pub fn swaps_axes(self) -> bool {
        self.0 >= 5
    }

    /// Width and height after turning a picture of `width`×`height`.
    pub fn size(self, width: usize, height: usize) -> (usize, usize) {
        if self.swaps_axes() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Turns `pixels`, rows of `width` pixels of `N` samples.
    pub(super) fn apply<T: Copy + Default + Send + Sync, const N: usize>(
        self,
        pixels: Vec<T>,
        width: usize,
    ) -> Vec<T> {
        if self == Self::UPRIGHT || width == 0 {
            return pixels;
        }
        let mut turned = vec![T::default(); pixels.len()];
        self.turn::<T, N>(&pixels, width, &mut turned);
        turned
    }

    /// The same of one that has pixels, into `turned`, which has room for as many.
    pub(super) fn turn<T: Copy + Send + Sync, const N: usize>(
        self,
        pixels: &[T],
        width: usize,
        turned: &mut [T],
    ) {
        let height = pixels.len() / N / width;
        let (new_width, _) = self.size(width, height);
        let (source, _) = pixels.as_chunks::<N>();
        // A band of rows at a time: where axes swap, a band reads runs of
        // neighbouring pixels, which whole rows would not.
        const BAND: usize = 16;
        turned
            .par_chunks_mut(new_width * N * BAND)
            .enumerate()
            .for_each(|(band, rows)| {
                let rows = rows.as_chunks_mut::<N>().0;
                let count = rows.len() / new_width;
                for x in 0..new_width {
                    for row in 0..count {
                        let y = band * BAND + row;
                        let (right, bottom) = (width - 1, height - 1);
                        let (from_x, from_y) = match self.0 {
                            2 => (right - x, y),
                            3 => (right - x, bottom - y),
                            4 => (x, bottom - y),
                            5 => (y, x),
                            6 => (y, bottom - x),
                            7 => (right - y, bottom - x),
                            8 => (right - y, x),
                            _ => (x, y),
                        };
                        rows[row * new_width + x] = source[from_y * width + from_x];
                    }
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A, B, C over D, E, F, in each of the eight ways.
    #[test]
    fn every_orientation_turns_as_the_tag_says() {
        let expected = [
            "ABC DEF", "CBA FED", "FED CBA", "DEF ABC", "AD BE CF", "DA EB FC", "FC EB DA",
            "CF BE AD",
        ];
        for (value, rows) in (1..).zip(expected) {
            let orientation = Orientation::from_exif(value);
            let turned = orientation.apply::<u8, 1>(b"ABCDEF".to_vec(), 3);
            assert_eq!(
                turned,
                rows.replace(' ', "").as_bytes(),
                "orientation {value}"
            );
            let width = rows.find(' ').unwrap();
            assert_eq!(orientation.size(3, 2), (width, 6 / width));
        }
    }

    #[test]
    fn pixels_of_several_samples_stay_together() {
        let turned = Orientation::from_exif(6).apply::<u16, 3>((0..36).collect(), 2);
        let back = Orientation::from_exif(8).apply::<u16, 3>(turned, 6);
        assert_eq!(back, (0..36).collect::<Vec<_>>());
    }

    #[test]
    fn a_nonsense_value_is_upright() {
        assert_eq!(Orientation::from_exif(0), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_exif(9), Orientation::UPRIGHT);
    }
}
