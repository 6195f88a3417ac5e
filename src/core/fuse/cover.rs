//! Where any of the frames shows the scene.

use crate::core::plane::Plane;

/// Grows with the frames.
#[derive(Debug, Clone, Default)]
pub struct Cover {
    /// The most that any frame shows; `None` once one shows everything.
    shown: Option<Plane>,
    count: usize,
}

impl Cover {
    /// Takes in what a frame shows; without a mask that is everything.
    pub fn add(&mut self, mask: Option<&Plane>) {
        match (&mut self.shown, mask) {
            (shown @ None, Some(mask)) if self.count == 0 => *shown = Some(mask.clone()),
            (None, _) => {}
            (shown, None) => *shown = None,
            (Some(shown), Some(mask)) => shown.change_by(
                mask,
                #[inline(always)]
                |shown, mask| shown.max(mask),
            ),
        }
        self.count += 1;
    }

    /// 255 where any frame shows the scene and 0 elsewhere; `None` where that is
    /// everywhere.
    pub fn alpha(self) -> Option<Vec<u8>> {
        let shown = self.shown.filter(|shown| shown.data.contains(&0.0))?;
        let alpha = |&shown: &f32| if shown > 0.0 { 255 } else { 0 };
        Some(shown.data.iter().map(alpha).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: [f32; 4]) -> Plane {
        Plane {
            width: 4,
            height: 1,
            data: values.to_vec(),
        }
    }

    fn alpha(masks: &[Option<Plane>]) -> Option<Vec<u8>> {
        let mut cover = Cover::default();
        masks.iter().for_each(|mask| cover.add(mask.as_ref()));
        cover.alpha()
    }

    #[test]
    fn what_no_frame_shows_is_transparent() {
        let (left, right) = (mask([1.0, 0.5, 0.0, 0.0]), mask([0.0, 0.0, 0.0, 1.0]));
        assert_eq!(
            alpha(&[Some(left), Some(right)]),
            Some(vec![255, 255, 0, 255])
        );
    }

    #[test]
    fn where_all_is_shown_there_is_no_alpha() {
        let part = || Some(mask([1.0, 0.0, 0.0, 0.0]));
        let rest = || Some(mask([0.0, 1.0, 1.0, 0.2]));
        for masks in [
            &[part(), None][..],
            &[None, part()],
            &[part(), rest()],
            &[None],
        ] {
            assert_eq!(alpha(masks), None);
        }
    }
}
