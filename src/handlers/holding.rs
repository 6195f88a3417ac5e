//! Frames that stay on the device that will fuse them, from when they are looked at:
//! they are decoded once, and not once more for being fused.

use super::choice::{self, Verdicts};
use super::file::Stack;
use super::machine::Budget;
use super::opening::Opening;
use super::{Device, Job, StackOptions, frames};
use crate::core::device::OpenClDevice;
use crate::core::fuse::{self, Holding};
use crate::core::warp::Area;

/// The share of the memory beside what fusing needs that photographs may take on a
/// device; others use it as well.
const SHARE: u64 = 2;
/// The share of the processor's memory where the device has no other.
const SHARED: u64 = 4;

/// Has the device that is opened take the frames of `stack` as they are looked at,
/// `waiting` of them before it is ready, and no more of the processor's memory than a
/// share of `budget` where the device has no other; `None` where it most likely is none, or
/// frames are changed before they are fused. It never depends on who is faster: a
/// frame that is read whole looks a trace different.
pub fn begin(
    opening: &Opening,
    stack: &Stack,
    options: &StackOptions,
    budget: Budget,
    waiting: usize,
    job: &Job,
) -> Option<Holding> {
    if !is_expected(opening, options) {
        return None;
    }
    let threads = rayon::current_num_threads();
    let room = Room::of(stack, options, budget);
    let device = opening.device();
    let which = move || {
        let device = choice::likely(device, threads)?;
        let room = room.on(&device);
        Some((device, room))
    };
    Some(Holding::begin(which, waiting, job.stages().clone()))
}

/// Whether a device most likely takes the frames as they are looked at.
pub fn is_expected(opening: &Opening, options: &StackOptions) -> bool {
    let threads = rayon::current_num_threads();
    let is_likely = match opening.device() {
        Device::Cpu => false,
        Device::OpenCl(_) => true,
        Device::Auto => {
            let known = Verdicts::of_platform().expectation(threads);
            known.unwrap_or_else(|| choice::likely(Device::Auto, threads).is_some())
        }
    };
    is_likely && !options.fuse.ghost_check
}

/// How much of a device's memory photographs may take.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// What the job may use of a device's memory,
    allowed: u64,
    /// what fusing takes of it,
    fusing: u64,
    /// and what photographs may take of the processor's.
    shared: u64,
}

impl Room {
    fn of(stack: &Stack, options: &StackOptions, budget: Budget) -> Self {
        let area = Area {
            x: 0,
            y: 0,
            width: stack.width,
            height: stack.height,
        };
        // Two come there while others are fused.
        let photos = 2 * frames::bytes(stack);
        let wish = fuse::Options {
            levels: options.fuse.levels,
            subsampled: frames::are_subsampled(stack),
            ..options.fuse.method.into()
        };
        Self {
            allowed: options.resources.device_memory.unwrap_or(u64::MAX),
            fusing: fuse::device_bytes(&wish, area).saturating_add(photos),
            shared: budget.bytes() / SHARED,
        }
    }

    fn on(self, device: &OpenClDevice) -> u64 {
        let left = self.allowed.min(device.memory).saturating_sub(self.fusing) / SHARE;
        match device.shares_memory {
            true => left.min(self.shared),
            false => left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_take_what_fusing_leaves() {
        let device = |memory, shares_memory| OpenClDevice {
            index: 0,
            name: "Glass".into(),
            vendor: "Maker".into(),
            platform: "Driver".into(),
            version: "OpenCL 3.0".into(),
            driver: "1.2".into(),
            is_gpu: true,
            memory,
            compute_units: 8,
            shares_memory,
        };
        let room = Room {
            allowed: 1000,
            fusing: 300,
            shared: 60,
        };
        assert_eq!(room.on(&device(5000, false)), 350);
        assert_eq!(room.on(&device(700, false)), 200);
        assert_eq!(room.on(&device(200, false)), 0);
        assert_eq!(room.on(&device(5000, true)), 60);
    }
}
