//! Photographs in and pictures out: every format, every fault.

mod faults;
mod formats;
mod listing;
mod material;
mod round_trips;
mod tiffs;
mod writing;
