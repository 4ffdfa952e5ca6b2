//! A pinned handle moves to a thread.
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
    std::thread::spawn(move || drop(pinned));
}

fn main() {}
