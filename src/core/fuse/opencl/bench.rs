//! How long every kernel takes, where it does its work: in all methods.

use std::sync::Arc;

use clap::ValueEnum;

use super::session::Session;
use super::sharpness::measure;
use super::worker::{failure, run};
use super::{Messages, Orders, Pixels, Sent, Task};
use crate::Error;
use crate::core::device::OpenClDevice;
use crate::core::fuse::bench::{Step, moved, texture};
use crate::core::fuse::{Fused, Method, Options, Prefer, render};
use crate::core::keep_going::check;
use crate::core::sharpness::GRID;
use crate::core::veil::Veil;
use crate::core::warp::{Area, Exposure};
use crate::core::{KeepGoing, Transform};
use crate::photo::{Decoded, Samples};

/// What every kernel takes on a device, and the way there and back.
pub fn times(device: &OpenClDevice, area: Area, keep_going: KeepGoing) -> crate::Result<Vec<Step>> {
    let failed = |error| failure(device, &error);
    let open = || Session::open_for(device);
    let session = &open().map_err(failed)?.clocked();
    let photos = [
        texture(area, Samples::Eight),
        texture(area, Samples::Sixteen),
    ];
    let planes = [Decoded::Subsampled((&photos[0]).into())];
    let [eight, sixteen] = photos.map(Decoded::Photo);
    let photos = [eight, sixteen, planes[0].clone()];
    let fuse = |task: Task| {
        check(keep_going)?;
        let (messages, orders) = match task.is_subsampled(area) {
            true => orders(&planes),
            false => orders(&photos),
        };
        let rest = run(session, task, area, device, messages, &orders).map_err(failed)?;
        rest.ok_or(Error::Cancelled)?(keep_going)
    };
    for &method in Method::value_variants() {
        let options = Options {
            // So that noise is told from detail, and depths from each other.
            noise: 1e-3,
            prefer: Prefer::Front,
            frames: photos.len(),
            ..Options::from(method)
        };
        if method == Method::Hybrid {
            let veil = Veil::of_a_bar(area.width, area.height, 3);
            fuse(Task::Look(options, Some(Arc::new(veil))))?;
        }
        let subsampled = Options {
            subsampled: true,
            ..options
        };
        if subsampled.is_subsampled(area.width, area.height) {
            fuse(Task::Look(subsampled, None))?;
        }
        let found = fuse(Task::Look(options, None))?;
        if method.looks() > 1 {
            fuse(second(found, &options, keep_going)?)?;
        }
    }
    let mut memory = None;
    for photo in photos[..2].iter().cycle().take(4) {
        check(keep_going)?;
        measure(session, &photo.photo(), GRID, &mut memory).map_err(failed)?;
    }
    Ok(session.steps())
}

fn second(found: Fused, options: &Options, keep_going: KeepGoing) -> crate::Result<Task> {
    let depth = render::depth(&found, 1.0, keep_going)?;
    Ok(Task::Render {
        found: Box::new(found),
        depth,
        clamp: options.clamp,
    })
}

/// To fuse photographs, each twice: where it lies, so that it covers everything,
/// and moved. What is done for the first time takes longer than it does later.
fn orders(photos: &[Decoded]) -> (Vec<Messages>, Orders) {
    let poses = [Transform::IDENTITY, moved(3.0)];
    let frames = poses
        .iter()
        .flat_map(|pose| photos.iter().map(move |photo| (pose, photo)));
    Orders::to_fuse((0..).zip(frames).map(|(index, (pose, photo))| Sent {
        index,
        pixels: Pixels::Decoded(photo.clone()),
        pose: *pose,
        exposure: Exposure::default(),
    }))
}
