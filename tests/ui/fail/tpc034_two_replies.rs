//! One question, two answers.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self, _one: Reply<u8>, _two: Reply<u8>) {}
}

fn main() {}
