//! Renders tiles away from the thread that draws.

use iced::Task;
use iced::advanced::image::Handle;
use iced::futures::channel::oneshot;
use rayon::prelude::*;
use std::sync::OnceLock;

use super::picture::Picture;
use super::tile::{self, Key};

/// A tile with its pixels, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub(super) key: Key,
    pub(super) handle: Handle,
}

/// Tiles to render.
#[derive(Debug)]
pub struct Request {
    /// Each with the picture that it is of.
    pub tiles: Vec<(Picture, Key)>,
}

impl Request {
    /// Renders them at once.
    pub fn run(&self) -> Vec<Rendered> {
        for (picture, key) in &self.tiles {
            tile::prepare(picture, key.scaled);
        }
        self.tiles
            .par_iter()
            .map(|(picture, key)| {
                let part = key.rect();
                let rgba = tile::render(picture, key);
                Rendered {
                    key: *key,
                    handle: Handle::from_rgba(part.width, part.height, rgba),
                }
            })
            .collect()
    }

    /// Renders them on threads of the viewer's own, so that a job that keeps
    /// all others busy does not hold up the display. Gives nothing if that
    /// fails.
    pub fn task(self) -> Task<Vec<Rendered>> {
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            // Nobody is left to tell if the window closed meanwhile.
            let _ = sender.send(self.run());
        };
        match pool() {
            Some(pool) => pool.spawn(work),
            None => rayon::spawn(work),
        }
        Task::future(async { receiver.await.unwrap_or_default() })
    }
}

fn pool() -> Option<&'static rayon::ThreadPool> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("viewer-{index}"))
            .panic_handler(|_| tracing::error!("a part of the picture cannot be shown"))
            .build()
            .inspect_err(|error| tracing::warn!(%error, "the viewer shares its threads with jobs"))
            .ok()
    });
    pool.as_ref()
}
