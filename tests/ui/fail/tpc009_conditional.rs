//! A condition does not hide a type that cannot leave its thread.
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
    #[cfg(any(unix, windows))]
    #[handler(tell)]
    fn set(&mut self, value: Rc<u8>) {
        drop(value)
    }
}

fn main() {}
