//! Lanes by which photographs come onto a device.
//!
//! An upload keeps the thread and the queue busy that it is made by, and some
//! drivers let nobody put kernels into another queue meanwhile. So each lane has a
//! thread and a queue of its own, and lanes take turns: a photograph is uploaded
//! once all kernels for the one before it are in the queue, while the device runs
//! them. Frames are fused in the order in which they came, whoever is faster. One
//! lane alone needs no thread: the one that fuses uploads as well.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use opencv::Result;

use super::frame::{Slot, Uploaded};
use super::session::{Session, failure};
use super::{Message, Messages, Orders, Pixels, Report, Reports};
use crate::core::device::OpenClDevice;
use crate::core::warp::Area;

/// What comes next on a device.
pub enum Next {
    Photo(Box<Uploaded>),
    /// All are fused that there are.
    Finish,
    /// Nobody wants the picture.
    Nothing,
}

/// Where photographs come from, in their order.
pub enum Source<'a> {
    /// They are uploaded where they are fused.
    Own(Box<Own<'a>>),
    /// Lanes upload them in turn.
    Lanes(Box<Turns>),
}

/// Lanes that take turns.
pub struct Turns {
    lanes: Vec<Lane>,
    /// The one whose turn it is.
    turn: usize,
    /// Memory of the photograph that is fused now,
    fused: Option<Slot>,
    /// and of the one before it, which no kernel reads any more.
    spare: Option<Slot>,
}

/// One who uploads photographs, into the same memory.
pub struct Own<'a> {
    messages: Messages,
    reports: &'a Reports,
    area: Area,
    slot: Slot,
}

/// A lane as the thread sees it that fuses.
pub struct Lane {
    uploaded: Receiver<Result<Next>>,
    slots: Sender<Slot>,
}

impl<'a> Source<'a> {
    /// A lane for each of `messages`, on threads of `scope` if there are several.
    pub fn new<'s>(
        scope: &'s Scope<'s, '_>,
        mut messages: Vec<Messages>,
        orders: &'a Orders,
        area: Area,
        device: &'a OpenClDevice,
    ) -> Self
    where
        'a: 's,
    {
        let own = |messages| Own {
            messages,
            reports: &orders.reports,
            area,
            slot: Slot::default(),
        };
        if messages.len() == 1
            && let Some(only) = messages.pop()
        {
            return Self::Own(Box::new(own(only)));
        }
        let lane = |messages| {
            let (sender, uploaded) = channel();
            let (slots, free) = channel();
            let own = own(messages);
            scope.spawn(move || own.run(device, orders, &sender, &free));
            Lane { uploaded, slots }
        };
        let lanes: Vec<Lane> = messages.into_iter().map(lane).collect();
        let mut turns = Turns {
            lanes,
            turn: 0,
            fused: None,
            spare: None,
        };
        turns.upload_next();
        Self::Lanes(Box::new(turns))
    }

    /// The next photograph.
    pub fn next(&mut self, session: &Session) -> Result<Next> {
        match self {
            Self::Own(own) => own.next(session),
            Self::Lanes(turns) => turns.next(session),
        }
    }

    /// Gives the memory of a photograph back, once all that reads it is in the queue.
    pub fn free(&mut self, photo: Uploaded) {
        let slot = photo.into_slot();
        match self {
            Self::Own(own) => own.slot = slot,
            Self::Lanes(turns) => turns.spare = turns.fused.replace(slot),
        }
    }

    /// Lets the next photograph be uploaded, if there is a lane for that.
    pub fn upload_next(&mut self) {
        if let Self::Lanes(turns) = self {
            turns.upload_next();
        }
    }
}

impl Turns {
    /// The photograph of the lane whose turn it is; the next one's comes then.
    fn next(&mut self, session: &Session) -> Result<Next> {
        let stopped = |_| Err(failure("one of its lanes stopped unexpectedly"));
        let uploaded = &self.lanes[self.turn].uploaded;
        let next = || uploaded.recv().unwrap_or_else(stopped);
        let next = session.stages.time("device: wait for uploads", next)?;
        self.turn = (self.turn + 1) % self.lanes.len();
        // Another queue writes to the memory of the photograph before this next.
        session.wait()?;
        Ok(next)
    }

    fn upload_next(&mut self) {
        let slot = self.spare.take().unwrap_or_default();
        // A lane at its end needs no memory.
        let _ = self.lanes[self.turn].slots.send(slot);
    }
}

impl Own<'_> {
    /// Uploads the next photograph.
    fn next(&mut self, session: &Session) -> Result<Next> {
        let receive = || self.messages.recv();
        Ok(
            match session.stages.time("device: wait for frames", receive) {
                Ok(Message::Add(sent)) => {
                    let slot = std::mem::take(&mut self.slot);
                    let photo = Uploaded::new(session, &sent, slot, self.area)?;
                    if let Pixels::Decoded(photo) = sent.pixels {
                        photo.keep();
                    }
                    self.reports.tell(Report::Freed);
                    Next::Photo(Box::new(photo))
                }
                Ok(Message::Finish) => Next::Finish,
                Err(_) => Next::Nothing,
            },
        )
    }

    /// Uploads all of them, each when memory for it comes.
    fn run(
        mut self,
        device: &OpenClDevice,
        orders: &Orders,
        uploaded: &Sender<Result<Next>>,
        free: &Receiver<Slot>,
    ) {
        let session = match Session::open_for(device) {
            Ok(session) => session.with(orders),
            Err(fault) => return drop(uploaded.send(Err(fault))),
        };
        while let Ok(slot) = free.recv() {
            self.slot = slot;
            let next = self.next(&session);
            let is_photo = matches!(next, Ok(Next::Photo(_)));
            if uploaded.send(next).is_err() || !is_photo {
                return;
            }
        }
    }
}
