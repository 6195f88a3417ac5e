//! Lanes by which photographs come onto a device.
//!
//! An upload keeps the thread and the queue busy that it is made by. So that one
//! photograph is uploaded while another is fused, each lane has a thread and a
//! queue of its own, and memory for one photograph; lanes take turns, so that
//! frames are fused in the order in which they came, whoever is faster. One lane
//! alone needs no thread: the one that fuses uploads as well.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use opencv::Result;

use super::frame::{Slot, Uploaded};
use super::session::{Session, failure};
use super::{Message, Messages, Orders, Report, Reports};
use crate::core::device::OpenClDevice;
use crate::core::warp::Area;
use crate::photo;

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
    Lanes { lanes: Vec<Lane>, turn: usize },
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
        Self::Lanes {
            lanes: messages.into_iter().map(lane).collect(),
            turn: 0,
        }
    }

    /// The next photograph.
    pub fn next(&mut self, session: &Session) -> Result<Next> {
        match self {
            Self::Own(own) => own.next(session),
            Self::Lanes { lanes, turn } => {
                let lane = &lanes[*turn % lanes.len()];
                *turn += 1;
                let stopped = |_| Err(failure("one of its lanes stopped unexpectedly"));
                let next = || lane.uploaded.recv().unwrap_or_else(stopped);
                session.stages.time("device: wait for uploads", next)
            }
        }
    }

    /// Gives the memory of a photograph back, which is read no more once what was
    /// put into the queue so far is done.
    pub fn free(&mut self, session: &Session, photo: Uploaded) -> Result<()> {
        match self {
            Self::Own(own) => own.slot = photo.into_slot(),
            Self::Lanes { lanes, turn } => {
                // Another queue writes it next.
                session.wait()?;
                let lane = &lanes[(*turn + lanes.len() - 1) % lanes.len()];
                // A lane at its end needs no memory.
                let _ = lane.slots.send(photo.into_slot());
            }
        }
        Ok(())
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
                    let photo = slot.upload(session, &sent, self.area)?;
                    photo::keep(sent.photo);
                    self.reports.tell(Report::Freed);
                    Next::Photo(Box::new(photo))
                }
                Ok(Message::Finish) => Next::Finish,
                Err(_) => Next::Nothing,
            },
        )
    }

    /// Uploads all of them, as memory becomes free.
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
        loop {
            let next = self.next(&session);
            let is_photo = matches!(next, Ok(Next::Photo(_)));
            if uploaded.send(next).is_err() || !is_photo {
                return;
            }
            match free.recv() {
                Ok(slot) => self.slot = slot,
                Err(_) => return,
            }
        }
    }
}
