//! A slice that is longer than the interval between two.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[maintenance(every = "10ms", budget = "20ms")]
    fn tidy(&mut self) -> Work {
        Work::Done
    }
}

fn main() {}
