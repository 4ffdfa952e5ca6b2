//! An argument that cannot leave its thread.
use std::rc::Rc;
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
    fn set(&mut self, value: Option<Rc<u8>>) {
        drop(value)
    }
}

fn main() {}
