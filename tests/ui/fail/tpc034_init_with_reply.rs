//! Nobody asked for it.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new(_reply: Reply<u8>) -> Self {
        Self
    }
}

fn main() {}
