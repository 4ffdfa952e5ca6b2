//! An error that cannot leave its thread.
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
    fn get(&self) -> Result<u8, Rc<str>> {
        Ok(1)
    }
}

fn main() {}
