//! A pinned handle is not `Send`.
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

fn leave(pinned: CounterPinned) {
    need_send(pinned);
}
fn main() {}
