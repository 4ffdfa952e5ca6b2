//! A pinned handle travels in a message.
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
    fn meet(&mut self, other: CounterPinned) {
        drop(other);
    }
}

fn main() {}
