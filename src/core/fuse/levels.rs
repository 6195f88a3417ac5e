//! Levels of detail of several channels (Burt and Adelson, 1983).

use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::{Plane, levels};
use crate::core::rolling::Rolling;
use crate::core::rows::Rows;
use crate::vector::vectorised;

/// Pixels on the shorter side of the coarsest level, about.
const COARSEST: usize = 16;

/// How many levels of detail there are: `wish`, or as many as leave about 16
/// pixels on the shorter side, but no more than the size allows.
pub fn count(width: usize, height: usize, wish: Option<usize>) -> usize {
    let possible = levels(width, height, 2) - 1;
    let usual = levels(width, height, COARSEST) - 1;
    wish.unwrap_or(usual).min(possible)
}

/// Width and height of so many levels of detail, the finest first, and of what is
/// below them.
pub fn sizes(width: usize, height: usize, count: usize) -> Vec<(usize, usize)> {
    let half = |&(w, h): &(usize, usize)| Some((w.div_ceil(2), h.div_ceil(2)));
    let sizes = std::iter::successors(Some((width, height)), half);
    sizes.take(count + 1).collect()
}

/// What is below the finest level, at half the size.
pub fn reduced(channels: &[Plane; 3]) -> [Plane; 3] {
    channels.each_ref().map(Plane::reduced)
}

/// A level of detail that is found where it is needed, a row at a time: what a
/// level of the Gaussian pyramid shows beyond the next.
#[derive(Debug)]
pub struct Detail<'a, R = Plane, const N: usize = 3> {
    fine: &'a [R; N],
    coarse: Option<&'a [R; N]>,
}

impl<'a, R: Rows, const N: usize> Detail<'a, R, N> {
    /// Of two levels; without a next one, what is below all detail.
    pub fn new(fine: &'a [R; N], coarse: Option<&'a [R; N]>) -> Self {
        Self { fine, coarse }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.fine[0].width(), self.fine[0].height())
    }

    /// Finds row `y`; `sums` is scratch of any length.
    pub fn row(&self, y: usize, row: &mut DetailRow<N>, sums: &mut Vec<f32>) {
        for (c, out) in row.channels.iter_mut().enumerate() {
            let fine = self.fine[c].row(y);
            let Some(coarse) = self.coarse else {
                out.copy_from_slice(fine);
                continue;
            };
            coarse[c].expanded_row(y, out, sums);
            vectorised(
                #[inline(always)]
                || {
                    for (out, fine) in out.iter_mut().zip(fine) {
                        *out = fine - *out;
                    }
                },
            );
        }
    }
}

/// Puts the detail of row `y` of `fine` in the place of the row. The others are
/// scratch of any length.
pub fn split_row(
    fine: &mut Rolling,
    coarse: &impl Rows,
    y: usize,
    expanded: &mut Vec<f32>,
    sums: &mut Vec<f32>,
) {
    expanded.resize(fine.width(), 0.0);
    coarse.expanded_row(y, expanded, sums);
    let fine = fine.row_mut(y);
    vectorised(
        #[inline(always)]
        || {
            let both = fine.iter_mut().zip(expanded.iter());
            both.for_each(|(fine, expanded)| *fine -= expanded);
        },
    );
}

/// A row of all channels.
#[derive(Debug)]
pub struct DetailRow<const N: usize = 3> {
    channels: [Vec<f32>; N],
}

impl<const N: usize> DetailRow<N> {
    /// Of so many pixels.
    pub fn new(width: usize) -> Self {
        Self {
            channels: std::array::from_fn(|_| vec![0.0; width]),
        }
    }

    /// Red, green and blue, or grey.
    pub fn channels(&self) -> [&[f32]; N] {
        self.channels.each_ref().map(|channel| &channel[..])
    }
}

/// Puts levels together again: `rest` is what is below the last of `details`,
/// which come coarsest first.
///
/// # Errors
///
/// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
pub fn collapse(
    rest: [Plane; 3],
    mut details: impl Iterator<Item = [Plane; 3]>,
    keep_going: KeepGoing,
) -> Result<[Plane; 3]> {
    details.try_fold(rest, |coarse, mut fine| {
        check(keep_going)?;
        for (fine, coarse) in fine.iter_mut().zip(&coarse) {
            fine.add_expanded(coarse, 1.0);
        }
        Ok(fine)
    })
}
