//! Nothing takes no bytes.
use tpc_actors::prelude::*;

#[core_actor(max_request_bytes = 0)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
