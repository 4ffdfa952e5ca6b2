//! An argument of `#[init]` that cannot leave its thread.
use std::rc::Rc;
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new(start: Rc<u8>) -> Self {
        drop(start);
        Self
    }
}

fn main() {}
