//! How long every kernel takes, where it does its work: in all methods.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};

use clap::ValueEnum;

use super::session::Session;
use super::worker::{failure, run};
use super::{Message, Orders, Sent, Task};
use crate::Error;
use crate::core::device::{self, OpenClDevice};
use crate::core::fuse::bench::{Step, moved, texture};
use crate::core::fuse::{Fused, Method, Options, Prefer, render};
use crate::core::keep_going::check;
use crate::core::warp::{Area, Exposure};
use crate::core::{KeepGoing, Transform};
use crate::photo::{Photo, Samples};

/// What every kernel takes on a device, and the way there and back.
pub fn times(device: &OpenClDevice, area: Area, keep_going: KeepGoing) -> crate::Result<Vec<Step>> {
    let failed = |error| failure(device, &error);
    let open = || Session::open(&device::find(device)?);
    let session = &open().map_err(failed)?.clocked();
    let photos = [
        texture(area, Samples::Eight),
        texture(area, Samples::Sixteen),
    ];
    let fuse = |task| {
        check(keep_going)?;
        let (orders, _is_ready) = orders(&photos);
        let fused = run(session, task, area, &orders).map_err(failed)?;
        fused.ok_or(Error::Cancelled)
    };
    for &method in Method::value_variants() {
        let options = Options {
            // So that noise is told from detail, and depths from each other.
            noise: 1e-3,
            prefer: Prefer::Front,
            frames: photos.len(),
            ..Options::from(method)
        };
        let found = fuse(Task::Look(options))?;
        if method.looks() > 1 {
            fuse(second(found, &options, keep_going)?)?;
        }
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
fn orders(photos: &[Photo]) -> (Orders, Receiver<()>) {
    let poses = [Transform::IDENTITY, moved(3.0)];
    let (sender, messages) = sync_channel(poses.len() * photos.len() + 1);
    let frames = poses
        .iter()
        .flat_map(|pose| photos.iter().map(move |photo| (pose, photo)));
    for (index, (pose, photo)) in (0..).zip(frames) {
        let sent = Sent {
            index,
            photo: photo.clone(),
            pose: *pose,
            exposure: Exposure::default(),
        };
        // There is room for all.
        let _ = sender.send(Message::Add(Box::new(sent)));
    }
    let _ = sender.send(Message::Finish);
    let (ready, is_ready) = sync_channel(1);
    let orders = Orders {
        ready,
        messages,
        given_up: Arc::new(AtomicBool::new(false)),
    };
    (orders, is_ready)
}
