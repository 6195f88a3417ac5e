//! How far down each plane is needed for the rows above an end.

/// How many rows each of the planes needs that a frame is looked at in, so that so
/// many rows of the finest level can be made use of. Each leans on a few more rows
/// of what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The finest level: the frame,
    pub channels: usize,
    /// the energy of its detail,
    pub finest: usize,
    /// this in the smallest windows,
    pub near: usize,
    /// and in all of them.
    pub joined: usize,
    /// Half the size: the frame,
    pub half: usize,
    /// the energy of its detail, this in soft windows,
    pub coarser: usize,
    pub soft: usize,
    /// the larger windows,
    pub wide: usize,
    /// and the largest.
    pub far: usize,
    /// A quarter of the size: the frame,
    pub quarter: usize,
    /// and the windows on the way from the wide to the largest.
    pub windows: [usize; 3],
}

/// Rows of the finest level that the frame is at most needed beyond those that are
/// made use of, where these are a multiple of four.
pub const AHEAD: usize = 48;

impl Ends {
    /// For the rows above `end` in a picture of `height` rows.
    pub fn of(end: usize, height: usize) -> Self {
        let half_height = height.div_ceil(2);
        let quarter_height = half_height.div_ceil(2);
        // What is reduced from these rows is needed as well.
        let joined = (end + 1).min(height);
        let far = expanded(joined, half_height);
        let last = expanded(far, quarter_height);
        let middle = windowed(last, quarter_height);
        let first = windowed(middle, quarter_height);
        let wide = reduced(first, half_height).max(far);
        let near = reduced(wide, height).max(joined);
        let finest = windowed(near, height);
        let soft = expanded(finest, half_height);
        let coarser = windowed(soft, half_height);
        let quarter = expanded(coarser, quarter_height);
        let half = reduced(quarter, half_height).max(coarser);
        Self {
            channels: reduced(half, height).max(finest),
            finest,
            near,
            joined,
            half,
            coarser,
            soft,
            wide,
            far,
            quarter,
            windows: [first, middle, last],
        }
    }
}

/// Rows, of `height`, that soft windows of the rows above `end` look at.
pub fn windowed(end: usize, height: usize) -> usize {
    (end + 2).min(height)
}

/// Rows, of `height`, that the reduced rows above `end` are made of.
pub fn reduced(end: usize, height: usize) -> usize {
    (2 * end + 1).min(height)
}

/// Rows, of `height`, that are expanded to the rows above `end`.
pub fn expanded(end: usize, height: usize) -> usize {
    ((end + 3) / 2).min(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_needed_a_little_beyond_the_end_and_never_beyond_the_picture() {
        for height in [1usize, 2, 3, 50, 501, 4000] {
            for end in (0..=height).step_by(4) {
                let ends = Ends::of(end, height);
                assert!(
                    ends.channels <= (end + AHEAD).min(height),
                    "{end} of {height}"
                );
                assert!(ends.joined >= end && ends.half <= height.div_ceil(2));
            }
            let all = Ends::of(height, height);
            assert_eq!((all.channels, all.joined), (height, height));
            assert_eq!(all.far, height.div_ceil(2));
        }
    }
}
