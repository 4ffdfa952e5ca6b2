//! A `Result` of something else than the actor.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Result<u8, String> {
        Ok(0)
    }
}

fn main() {}
