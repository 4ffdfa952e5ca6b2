//! A pinned handle moves to Tokio.
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

fn leave(pinned: CounterPinned) {
    tokio::spawn(async move { drop(pinned) });
}

fn main() {}
