//! An actor of many types, in the other half.
use tpc_actors::prelude::*;

struct Cache<T>(T);

#[core_actor]
impl<T> Cache<T> {
    #[init]
    fn new(value: T) -> Self {
        Self(value)
    }
}

fn main() {}
