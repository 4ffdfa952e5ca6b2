//! The impl of a trait has no handlers.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Clone for Counter {
    fn clone(&self) -> Self {
        Self
    }
}

fn main() {}
