//! At which depth, counted in frames, each place is sharp.
//!
//! The energy of a place has one peak along the stack. Blur is a disc that grows
//! evenly with the distance from focus, and the energy of fine detail falls with
//! its area, so one over the energy is about a parabola: its vertex, through the
//! sharpest frame and those next to it, is the depth, finer than a frame. Half
//! the size of the picture is enough: energy is gathered from windows that are
//! larger than that.

use rayon::prelude::*;

use super::depth_map::DepthMap;
use crate::Result;
use crate::core::KeepGoing;
use crate::core::keep_going::check;
use crate::core::noise::believable;
use crate::core::plane::Plane;
use crate::core::rows::Rows;
use crate::core::window::Window;
use crate::vector::vectorised;

/// What the energy of detail of four pixels counts beside that of one and two:
/// it is less noisy, and frames keep it whole when they are brought in line, but
/// it reaches farther from edges.
pub const COARSE: f32 = 0.25;
/// Rows that one task looks at: many beside those around them that windows need.
const ROWS: usize = 64;
/// Frames that a vertex may be away from the sharpest.
const AWAY: f32 = 1.0;

/// Contrast from which a place tells its depth, for noise of 1.
const TELLING: f32 = 1.2;

/// Contrast from which a place in frames with this noise tells its depth.
pub fn telling(noise: f32) -> f32 {
    TELLING * believable(noise)
}

/// What tells, beside the focus measure, whether a place is sharp in a frame.
pub struct Clues<'a> {
    /// The energy of the finest detail in no window, at half the size; `None`
    /// where it was taken in before.
    pub crisp: Option<&'a Plane>,
    /// How far surroundings are settled, at half the size, if that is known.
    pub settled: Option<&'a Plane>,
    /// The energy of detail of four pixels, at a quarter of the size, if the
    /// picture is not too small for that.
    pub coarse: Option<&'a Plane>,
}

/// Searches the depth of each place, frame by frame, at half the size.
#[derive(Debug, Clone)]
pub struct DepthSearch {
    /// The largest focus measure, as far as surroundings are settled.
    best: Plane,
    /// Which frame has it, counted as they came.
    winner: Vec<u16>,
    /// The focus measure of that frame, and those of the frames before and
    /// after. At either end of the stack two follow on one side: the farther of
    /// them takes the place of the one that is not there.
    peak: Vec<f32>,
    before: Vec<f32>,
    after: Vec<f32>,
    /// Focus measures of the last frame and of the one before it.
    recent: [Plane; 2],
    /// Memory for coarser detail in windows.
    windows: [Plane; 2],
    /// The most energy of the finest detail, in no window.
    crisp: Plane,
    /// The numbers of the frames as they came.
    frames: Vec<u16>,
    floor: f32,
}

impl DepthSearch {
    /// No frame yet, for a picture of `width`×`height` pixels. `floor` is the
    /// focus measure that tells nothing.
    pub fn new(width: usize, height: usize, floor: f32) -> Self {
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let plane = || Plane::new(width, height);
        let values = || vec![0.0; width * height];
        Self {
            best: Plane::filled(width, height, -1.0),
            winner: vec![0; width * height],
            peak: values(),
            before: values(),
            after: values(),
            recent: [plane(), plane()],
            windows: Default::default(),
            crisp: plane(),
            frames: Vec::new(),
            floor,
        }
    }

    /// Takes in the focus measure of the frame `index`, at half the size. Depths
    /// are found finer than a frame if frames come in the order of the stack.
    pub fn add(&mut self, index: u16, focus: &Plane, clues: &Clues, mask: Option<&Plane>) {
        if let Some(crisp) = clues.crisp {
            self.crisp.change_by(
                crisp,
                #[inline(always)]
                |most, crisp| most.max(crisp),
            );
        }
        let [first, second] = &mut self.windows;
        let coarse = clues.coarse.map(|coarse| {
            coarse.window_into(first);
            first.window_into(second);
            &*second
        });
        let shown = mask.map(Plane::reduced);
        let own = self.frames.len() as u16;
        let [last, last_but_one] = &mut self.recent;
        let (width, height) = (focus.width, focus.height);
        let length = (width * ROWS).max(1);
        let ones = vec![1.0; width];
        self.best
            .data
            .par_chunks_mut(length)
            .zip(self.winner.par_chunks_mut(length))
            .zip(self.peak.par_chunks_mut(length))
            .zip(self.before.par_chunks_mut(length))
            .zip(self.after.par_chunks_mut(length))
            .zip(last_but_one.data.par_chunks_mut(length))
            .enumerate()
            .for_each_init(
                FocusRow::default,
                |row, (band, (((((best, winner), peak), before), after), old))| {
                    row.begin(width, height, band * ROWS);
                    for (k, old) in old.chunks_exact_mut(width).enumerate() {
                        let y = band * ROWS + k;
                        let measure = row.of(focus, coarse, y);
                        if let Some(shown) = &shown {
                            let values = measure.iter_mut().zip(shown.row(y));
                            values.for_each(|(focus, shown)| *focus *= shown);
                        }
                        let range = k * width..(k + 1) * width;
                        let mut places = Places {
                            best: &mut best[range.clone()],
                            winner: &mut winner[range.clone()],
                            peak: &mut peak[range.clone()],
                            before: &mut before[range.clone()],
                            after: &mut after[range],
                        };
                        let settled = clues.settled.map_or(&ones[..], |settled| settled.row(y));
                        places.take(own, measure, settled, [last.row(y), old]);
                        old.copy_from_slice(measure);
                    }
                },
            );
        self.frames.push(index);
        self.recent.swap(0, 1);
    }

    /// The most energy of the finest detail of all frames in no window, at half the
    /// size, which those who find it elsewhere keep here.
    pub fn crisp_mut(&mut self) -> &mut [f32] {
        &mut self.crisp.data
    }

    /// Lets go of what is only needed for the next frame: none comes any more.
    pub fn close(&mut self) {
        (self.recent, self.windows) = Default::default();
    }

    /// The depth of each place, and how sure it is.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn finish(self, keep_going: KeepGoing) -> Result<DepthMap> {
        let Self {
            best,
            winner,
            peak,
            before,
            after,
            crisp,
            frames,
            floor,
            ..
        } = self;
        let peak = Plane { data: peak, ..best };
        let kept = Kept {
            winner,
            peak,
            before,
            after,
            crisp,
            frames,
        };
        kept.map(floor, keep_going)
    }
}

/// Memory for the focus measure of a row.
#[derive(Debug, Default)]
struct FocusRow {
    /// The contrast in one window, and in one more.
    windows: [Window; 2],
    measure: Vec<f32>,
    expanded: Vec<f32>,
    sums: Vec<f32>,
}

impl FocusRow {
    /// Begins with row `first` of a plane of this size.
    fn begin(&mut self, width: usize, height: usize, first: usize) {
        let [inner, outer] = &mut self.windows;
        outer.begin(width, height, first);
        inner.begin(width, height, outer.first());
        self.measure.resize(width, 0.0);
        self.expanded.resize(width, 0.0);
    }

    /// The focus measure in row `y`, the one after that asked for before: contrast in
    /// windows, and the energy of `coarse` detail in such, if that is known.
    fn of(&mut self, contrast: &Plane, coarse: Option<&Plane>, y: usize) -> &mut [f32] {
        let Self {
            windows: [inner, outer],
            measure,
            expanded,
            sums,
        } = self;
        outer.row(y, measure, |y, out| {
            inner.row(y, out, |y, out| out.copy_from_slice(contrast.row(y)));
        });
        if let Some(coarse) = coarse {
            coarse.expanded_row(y, expanded, sums);
            vectorised(
                #[inline(always)]
                || {
                    let both = measure.iter_mut().zip(expanded.iter());
                    both.for_each(|(measure, coarse)| *measure += COARSE * coarse);
                },
            );
        }
        measure
    }
}

/// What a search keeps of some places; see the fields of [`DepthSearch`].
struct Places<'a> {
    best: &'a mut [f32],
    winner: &'a mut [u16],
    peak: &'a mut [f32],
    before: &'a mut [f32],
    after: &'a mut [f32],
}

impl Places<'_> {
    /// Takes in the focus measure of the frame number `own`, where surroundings are
    /// `settled`, after that of the last frame and of the one before it.
    fn take(
        &mut self,
        own: u16,
        measure: &[f32],
        settled: &[f32],
        [last, last_but_one]: [&[f32]; 2],
    ) {
        let Self {
            best,
            winner,
            peak,
            before,
            after,
        } = self;
        // The first frame follows none.
        let previous = own.wrapping_sub(1);
        vectorised(
            #[inline(always)]
            || {
                let length = measure.len();
                let (best, winner) = (&mut best[..length], &mut winner[..length]);
                let (peak, before) = (&mut peak[..length], &mut before[..length]);
                let (after, settled) = (&mut after[..length], &settled[..length]);
                let (last, last_but_one) = (&last[..length], &last_but_one[..length]);
                for i in 0..length {
                    let value = measure[i];
                    let rank = value * settled[i];
                    let wins = rank > best[i];
                    let follows = winner[i] == previous;
                    // The second after the first is on the side where none is.
                    let is_farther = own == 2 && winner[i] == 0;
                    let then = if follows { value } else { after[i] };
                    let other = if is_farther { value } else { before[i] };
                    best[i] = if wins { rank } else { best[i] };
                    winner[i] = if wins { own } else { winner[i] };
                    peak[i] = if wins { value } else { peak[i] };
                    before[i] = if wins { last[i] } else { other };
                    after[i] = if wins { last_but_one[i] } else { then };
                }
            },
        );
    }
}

/// What a search keeps of each place; see the fields of [`DepthSearch`].
#[derive(Debug)]
pub struct Kept {
    pub winner: Vec<u16>,
    pub peak: Plane,
    pub before: Vec<f32>,
    pub after: Vec<f32>,
    pub crisp: Plane,
    pub frames: Vec<u16>,
}

impl Kept {
    /// The depth of each place, and how sure it is. `floor` is the focus measure
    /// that tells nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) once `keep_going` says no.
    pub fn map(self, floor: f32, keep_going: KeepGoing) -> Result<DepthMap> {
        let (width, height) = (self.peak.width, self.peak.height);
        let mut confidence = self.peak.clone();
        confidence.change(
            #[inline(always)]
            |peak| {
                let ratio = (peak.max(0.0) / floor).sqrt();
                ratio / (1.0 + ratio)
            },
        );
        let in_order = self.frames.windows(2).all(|pair| pair[0] < pair[1]);
        let depth = (0..width * height).into_par_iter().map(|i| {
            let winner = usize::from(self.winner[i]);
            let energies = [self.before[i], self.peak.data[i], self.after[i]];
            match self.frames.get(winner) {
                Some(_) if in_order => depth(&self.frames, winner, energies),
                Some(&number) => f32::from(number),
                None => 0.0,
            }
        });
        let depth = Plane {
            width,
            height,
            data: depth.collect(),
        };
        check(keep_going)?;
        let last = self.frames.iter().copied().max().unwrap_or(0);
        Ok(DepthMap::new(depth, confidence, &self.crisp, last))
    }
}

/// The depth of a place, in frames, where number `winner` of `frames` is the
/// sharpest, from its energy and those of the frames before and after it, as
/// [`DepthSearch`] keeps them. Frames are in order.
fn depth(frames: &[u16], winner: usize, [before, peak, after]: [f32; 3]) -> f32 {
    let number = |at: usize| f32::from(frames[at]);
    let last = frames.len() - 1;
    if last == 0 {
        return number(winner);
    }
    if last == 1 {
        // No parabola goes through two: the mean, by energy.
        let other = if winner == 0 { after } else { before };
        let share = other / (peak + other).max(f32::MIN_POSITIVE);
        return number(winner) + share * (number(1 - winner) - number(winner));
    }
    let (first, energies) = match winner {
        0 => (0, [peak, after, before]),
        _ if winner == last => (last - 2, [after, before, peak]),
        _ => (winner - 1, [before, peak, after]),
    };
    let places = [0, 1, 2].map(|k| number(first + k));
    let own = number(winner);
    vertex(places, energies)
        .map_or(own, |vertex| vertex.clamp(own - AWAY, own + AWAY))
        .clamp(number(0), number(last))
}

/// The vertex of the parabola through one over each energy at its place; `None`
/// where an energy is not known, or has no peak.
fn vertex([a, b, c]: [f32; 3], energies: [f32; 3]) -> Option<f32> {
    if energies.iter().any(|&energy| energy <= 0.0) {
        return None;
    }
    let most = energies.iter().copied().fold(0.0, f32::max);
    let [x, y, z] = energies.map(|energy| most / energy);
    let (left, right) = ((y - x) / (b - a), (z - y) / (c - b));
    let bend = (right - left) / (c - a);
    (bend > 1e-6).then(|| (a + b) / 2.0 - left / (2.0 * bend))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ALWAYS;

    const SIZE: (usize, usize) = (96, 64);

    /// Nothing else to go by.
    fn crisp(crisp: &Plane) -> Clues<'_> {
        Clues {
            crisp: Some(crisp),
            settled: None,
            coarse: None,
        }
    }

    /// Searches a scene whose focus measure falls off evenly about `depth`, in
    /// frames.
    fn search(frames: u16, depth: impl Fn(usize, usize) -> f32, strength: f32) -> Vec<f32> {
        let (width, height) = SIZE;
        let mut search = DepthSearch::new(width, height, 1e-4);
        for index in 0..frames {
            let focus = (0..width * height).map(|i| {
                let off = f32::from(index) - depth(i % width, i / width);
                strength / (1.0 + off * off).powi(2)
            });
            let focus = Plane {
                width,
                height,
                data: focus.collect(),
            };
            search.add(index, &focus.reduced(), &crisp(&focus.reduced()), None);
        }
        search
            .finish(ALWAYS)
            .unwrap()
            .smooth(width, height, 1.0, ALWAYS)
            .unwrap()
    }

    #[test]
    fn a_slope_is_found_finer_than_a_frame() {
        let truth = |x: usize, _: usize| 2.0 + x as f32 / 24.0;
        let found = search(9, truth, 1.0);
        for (i, found) in found.iter().enumerate() {
            let x = i % SIZE.0;
            let inside = (12..84).contains(&x);
            assert!(
                !inside || (found - truth(x, 0)).abs() < 0.06,
                "{x}: {found}"
            );
        }
    }

    #[test]
    fn a_step_stays_a_step() {
        let truth = |x: usize, _: usize| if x < 48 { 2.0 } else { 7.0 };
        let found = search(10, truth, 1.0);
        for (i, found) in found.iter().enumerate() {
            let x = i % SIZE.0;
            let away = !(40..56).contains(&x);
            assert!(!away || (found - truth(x, 0)).abs() < 0.2, "{x}: {found}");
        }
    }

    #[test]
    fn where_nothing_shows_it_depth_is_carried_on() {
        let (width, height) = SIZE;
        let mut search = DepthSearch::new(width, height, 1e-4);
        for index in 0..8u16 {
            let focus = (0..width * height).map(|i| {
                let textured = !(32..64).contains(&(i % width));
                let off = f32::from(index) - 5.0;
                // Chance alone would have the first frame win.
                let chance = 1e-6 / (1.0 + f32::from(index));
                if textured {
                    1.0 / (1.0 + off * off)
                } else {
                    chance
                }
            });
            let data = focus.collect();
            let focus = Plane {
                width,
                height,
                data,
            };
            search.add(index, &focus.reduced(), &crisp(&focus.reduced()), None);
        }
        let found = search
            .finish(ALWAYS)
            .unwrap()
            .smooth(width, height, 1.0, ALWAYS)
            .unwrap();
        assert!(found.iter().all(|depth| (depth - 5.0).abs() < 0.3));
    }

    #[test]
    fn the_vertex_is_found_between_frames_and_at_both_ends() {
        let frames = [0, 1, 2, 4, 5];
        let energy = |at: u16, depth: f32| 3.0 / (1.0 + (f32::from(at) - depth).powi(2));
        for (winner, three, depth) in [
            (1, [0, 1, 2], 1.3),
            (3, [2, 4, 5], 3.4),
            (0, [2, 0, 1], 0.2),
            (4, [4, 5, 2], 4.9),
        ] {
            let found = super::depth(&frames, winner, three.map(|at| energy(at, depth)));
            assert!((found - depth).abs() < 1e-3, "{depth}: {found}");
        }
        // Nothing beyond the ends, and nothing from what is not known.
        let beyond = super::depth(&frames, 0, [2, 0, 1].map(|at| energy(at, -1.0)));
        assert_eq!(beyond, 0.0);
        assert_eq!(super::depth(&frames, 2, [0.0, 1.0, 0.5]), 2.0);
    }

    #[test]
    fn frames_out_of_order_tell_whole_depths() {
        let (width, height) = SIZE;
        let mut search = DepthSearch::new(width, height, 1e-4);
        for index in [3, 1, 4, 0, 2] {
            let focus = Plane::filled(width, height, 1.0 / (1.0 + f32::from(index)));
            search.add(index, &focus.reduced(), &crisp(&focus.reduced()), None);
        }
        let depth = search
            .finish(ALWAYS)
            .unwrap()
            .smooth(width, height, 1.0, ALWAYS)
            .unwrap();
        assert!(depth.iter().all(|depth| depth.abs() < 1e-3));
    }

    #[test]
    fn any_size_has_a_depth() {
        for (width, height) in [(1, 1), (2, 2), (3, 5), (17, 2)] {
            let mut search = DepthSearch::new(width, height, 1e-4);
            for (index, value) in [(0, 0.0), (1, 1.0)] {
                let focus = Plane::filled(width, height, value);
                search.add(index, &focus.reduced(), &crisp(&focus.reduced()), None);
            }
            let depth = search
                .finish(ALWAYS)
                .unwrap()
                .smooth(width, height, 1.0, ALWAYS)
                .unwrap();
            assert_eq!(depth.len(), width * height);
            assert!(depth.iter().all(|depth| (depth - 1.0).abs() < 0.01));
        }
    }
}
