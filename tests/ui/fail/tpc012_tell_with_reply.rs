//! Told, and yet waited for.
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
    fn get(&self, _reply: Reply<u8>) {}
}

fn main() {}
