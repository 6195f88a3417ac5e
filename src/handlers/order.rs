//! Puts the frames of a stack in the order of their focus.

use std::path::PathBuf;

use super::file::Stack;
use super::frames::{self, Frames};
use super::machine::Budget;
use super::{FrameStatus, Job, Phase, StackOptions};
use crate::Result;
use crate::core::focus;
use crate::core::pipeline;
use crate::core::sharpness::{GRID, Sharpness, WORKING_SIDE};

/// Sorts the frames so that focus wanders the shortest way, which takes
/// reading all of them. Those that take no part come last. A stack that is in
/// order, or whose order cannot be told, stays as it is.
///
/// # Errors
///
/// If memory does not suffice, and if the job is cancelled.
pub fn by_focus(stack: &mut Stack, options: &StackOptions, job: &Job) -> Result<()> {
    let used: Vec<usize> = stack.used().collect();
    let first = frames::reference(stack, super::Reference::Auto)?;
    let frames = Frames::new(stack, first, &options.resources)?;
    let bytes = frames::bytes(stack) + 2 * (stack.width * stack.height) as u64;
    let budget = Budget::of(&options.resources);
    let lanes = pipeline::lanes(budget.for_frames(0, bytes, job)?, bytes);
    let paths: Vec<(usize, PathBuf)> = used
        .iter()
        .map(|&i| (i, stack.frames[i].path.clone()))
        .collect();
    let mut seen: Vec<(usize, Sharpness)> = Vec::with_capacity(used.len());
    job.begin(Phase::Scoring, used.len());
    pipeline::ordered(
        &paths,
        lanes,
        |(_, path)| {
            Ok(Sharpness::of(
                &frames.read_reduced(path, WORKING_SIDE, job)?,
                GRID,
            ))
        },
        |&(i, _), result: Result<_>| {
            job.check()?;
            match result {
                Ok(sharpness) => seen.push((i, sharpness)),
                Err(fault) => frames::fail(stack, i, &fault, job)?,
            }
            job.step();
            Ok(())
        },
    )?;
    let sharpness: Vec<&Sharpness> = seen.iter().map(|(_, sharpness)| sharpness).collect();
    let Some(order) = focus::better_order(&sharpness) else {
        job.note("the frames are in the order of their focus already, as far as that shows");
        return Ok(());
    };
    let mut sorted: Vec<usize> = order.iter().map(|&place| seen[place].0).collect();
    let rest = (0..stack.frames.len()).filter(|&i| stack.frames[i].status != FrameStatus::Used);
    sorted.extend(rest);
    stack.frames = sorted.iter().map(|&i| stack.frames[i].clone()).collect();
    job.note("the frames were sorted by their focus");
    Ok(())
}
