//! An `Arc` does not help a pinned handle.
use std::sync::Arc;
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
fn leave(pinned: Arc<CounterPinned>) {
    std::thread::spawn(move || drop(pinned));
}

fn main() {}
