//! An answer that nobody waits for.
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
    fn add(&mut self, by: i64) -> i64 {
        by
    }
}

fn main() {}
