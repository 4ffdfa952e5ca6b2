//! Two ends.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[on_stop]
    fn stop(&mut self) {}

    #[on_stop]
    fn end(&mut self) {}
}

fn main() {}
