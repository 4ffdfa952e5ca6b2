//! A hook with an answer that nobody sees.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[on_stop]
    fn stop(&mut self) -> u64 {
        0
    }
}

fn main() {}
