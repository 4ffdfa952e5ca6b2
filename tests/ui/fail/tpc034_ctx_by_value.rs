//! The context is only lent.
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
    fn get(&self, _cx: Ctx<Self>) {}
}

fn main() {}
