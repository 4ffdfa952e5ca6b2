//! A role outside of an actor.
use tpc_actors::prelude::*;

struct Counter;

impl Counter {
    #[handler]
    fn get(&self) -> i64 {
        0
    }
}

fn main() {}
