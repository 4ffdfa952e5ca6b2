//! An answer that cannot leave its thread.
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
    #[handler]
    fn get(&self) -> Rc<str> {
        "a".into()
    }
}

fn main() {}
