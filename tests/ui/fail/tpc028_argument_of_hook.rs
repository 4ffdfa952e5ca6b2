//! Nobody could pass it.
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
    fn stop(&self, _why: u8) {}
}

fn main() {}
