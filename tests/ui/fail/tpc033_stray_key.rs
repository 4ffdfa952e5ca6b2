//! A key of a method that is not a message.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    fn helper(&self, #[key] key: u64) -> u64 {
        key
    }
}

fn main() {}
