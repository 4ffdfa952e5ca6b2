//! The end of a lane while its producer sends: each request is seen by the core's last look, or comes back.

use crate::bridge::bell::LaneBell;
use crate::bridge::ring::{Consumer, Producer};
use crate::sync::{intact, yield_now};

/// Core: closes the lane; what was published before comes out, what is published later goes back.
///
/// The ring is dropped next, before anything of what came out is touched: a producer may be waiting for that.
pub(super) fn last_look<T>(ring: &mut Consumer<T>, bell: &LaneBell) -> Vec<T> {
    bell.close();
    // After the close: whoever has not seen that is seen here.
    let next = || if intact!("lane.last-look") { ring.pop() } else { None };
    std::iter::from_fn(next).collect()
}

/// Producer: the core has left. What it published last comes back, unless the last look saw it.
pub(super) fn take_back<T>(ring: &mut Producer<T>) -> Option<T> {
    while intact!("lane.await-close") && !ring.is_closed() {
        // The core is between its last look and dropping its end: it runs no foreign code there.
        yield_now();
    }
    ring.reclaim()
}

#[cfg(all(test, tpc_loom))]
mod model;
