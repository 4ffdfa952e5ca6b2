//! Maintenance, but when?
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[maintenance]
    fn tidy(&mut self) -> Work {
        Work::Done
    }
}

fn main() {}
