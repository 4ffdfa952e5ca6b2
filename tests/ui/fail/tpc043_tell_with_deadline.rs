//! Nobody waits for the answer of a tell.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell, deadline = "5ms")]
    fn add(&mut self, by: i64) {
        let _ = by;
    }
}

fn main() {}
