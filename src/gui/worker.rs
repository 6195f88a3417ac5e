//! Work on threads of its own, so that the window never waits. A panic there
//! becomes an error like any other.

use std::panic::{AssertUnwindSafe, catch_unwind};

use iced::Task;
use iced::futures::StreamExt;
use iced::futures::channel::{mpsc, oneshot};
use iced::task::sipper;

use crate::{Error, Result};

/// Runs `work` on a thread and gives what comes of it.
pub fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Task<Result<T>> {
    follow(
        |_: &(dyn Fn(std::convert::Infallible) + Send + Sync)| work(),
        |never| match never {},
        |result| result,
    )
}

/// Runs `work` on a thread, which tells what happens through the function
/// that it is given. Events become messages by `on_event`, and what comes of
/// the work becomes the last one by `on_end`.
pub fn follow<E, T, M>(
    work: impl FnOnce(&(dyn Fn(E) + Send + Sync)) -> Result<T> + Send + 'static,
    on_event: impl Fn(E) -> M + Send + 'static,
    on_end: impl FnOnce(Result<T>) -> M + Send + 'static,
) -> Task<M>
where
    E: Send + 'static,
    T: Send + 'static,
    M: Send + 'static,
{
    let running = sipper(move |mut progress| async move {
        let (tell, mut told) = mpsc::unbounded();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("work".into());
        let started = thread.spawn(move || {
            let tell = move |event| {
                // Nobody listens once the window is closed.
                let _ = tell.unbounded_send(event);
            };
            let result = catch_unwind(AssertUnwindSafe(|| work(&tell)));
            let _ = end.send(result.unwrap_or_else(|_| Err(stumbled())));
        });
        if let Err(fault) = started {
            return Err(Error::job(
                format!("the work could not be started ({fault})"),
                "close other programs and try again",
            ));
        }
        while let Some(event) = told.next().await {
            progress.send(event).await;
        }
        ended.await.unwrap_or_else(|_| Err(stumbled()))
    });
    Task::sip(running, on_event, on_end)
}

fn stumbled() -> Error {
    Error::job(
        "the program stumbled over a fault of its own",
        "try again, and report this with what you did",
    )
}

/// Lets go of something large: to give its memory back takes longer than the
/// window may wait.
pub fn let_go(what: impl Send + 'static) {
    // Where no thread can be had, it is let go of here.
    let _ = std::thread::Builder::new().spawn(move || drop(what));
}
