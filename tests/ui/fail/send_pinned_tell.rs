//! The future of a pinned tell stays on its core.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell)]
    fn add(&mut self) {}
}
fn need_send(_: impl Send) {}

fn leave(pinned: &'static CounterPinned) {
    need_send(pinned.add());
}
fn main() {}
