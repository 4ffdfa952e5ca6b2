//! A type that callers would have to guess.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn set(&self, _to: Vec<_>) {}
}

fn main() {}
