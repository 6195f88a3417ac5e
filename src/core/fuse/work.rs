//! What a blend of levels looks at in a frame.

use super::contrast::{Spread, crisp, settled, squares};
use super::depth::Clues;
use super::levels::Detail;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::plane::Plane;
use crate::core::warp::Warped;

/// What is needed while a frame is added, kept for the next for its memory.
#[derive(Debug, Default)]
pub struct Work {
    /// The frame at half the size, a quarter, and so on.
    pub below: Vec<[Plane; 3]>,
    /// The energy of each level of detail.
    pub energies: Vec<Plane>,
    /// The same in a soft window; nothing for the finest, whose rows are made
    /// where they are needed.
    pub soft: Vec<Plane>,
    /// The contrast in windows of several sizes; all of them are joined in the
    /// smallest.
    pub spread: Spread,
    /// The energy of the finest detail in no window, at half the size.
    pub crisp: Plane,
    /// How far surroundings are [`settled`], at half the size.
    pub settled: Plane,
    /// The standing at each level but the finest.
    pub standings: Vec<Plane>,
    /// What was warped.
    pub frame: Option<[Plane; 3]>,
}

impl Clone for Work {
    /// There is nothing in it between two frames.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Work {
    /// Looks at all levels of a frame, of which `count` are detail. Contrast is
    /// multiplied by `factor`; frames have this `noise`.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn look(
        &mut self,
        channels: &[Plane; 3],
        count: usize,
        factor: f32,
        noise: f32,
        keep_going: KeepGoing,
    ) -> Result<()> {
        // Depth needs three levels of detail, whatever the fusion has.
        let count = count.max(3);
        self.below.resize_with(count, Default::default);
        self.energies.resize_with(count, Plane::default);
        self.soft.resize_with(count, Plane::default);
        self.standings.resize_with(count, Plane::default);
        for level in 0..count {
            check(keep_going)?;
            let (above, below) = self.below.split_at_mut(level);
            let fine = above.last().unwrap_or(channels);
            for (fine, small) in fine.iter().zip(&mut below[0]) {
                fine.reduce_into(small);
            }
            check(keep_going)?;
            let energy = &mut self.energies[level];
            squares(Detail::new(fine, Some(&below[0])), energy);
            if level > 0 {
                energy.window_into(&mut self.soft[level]);
            }
        }
        check(keep_going)?;
        self.spread.look(&self.energies[0], &self.soft[1]);
        self.spread.join(factor);
        check(keep_going)?;
        self.crisp = crisp(&self.energies[0], &self.energies[1]);
        self.settled = settled(&self.spread.far, noise);
        Ok(())
    }

    /// What tells the depth in the frame that was looked at.
    pub fn clues(&self) -> Clues<'_> {
        Clues {
            crisp: &self.crisp,
            settled: Some(&self.settled),
            coarse: Some(&self.energies[2]),
        }
    }

    /// Memory for the next frame, if that of the last one is kept.
    pub fn blank(&mut self) -> Warped {
        Warped {
            channels: self.frame.take().unwrap_or_default(),
            mask: None,
        }
    }
}
