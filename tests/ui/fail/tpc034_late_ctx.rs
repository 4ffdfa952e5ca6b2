//! A context that is not the first parameter.
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
    fn add(&mut self, by: u64, cx: &mut Ctx<Self>) {
        let _ = (by, cx);
    }
}

fn main() {}
