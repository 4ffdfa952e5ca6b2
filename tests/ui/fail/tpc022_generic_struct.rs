//! An actor of many types.
use tpc_actors::prelude::*;

#[core_actor]
struct Cache<T> {
    _values: Vec<T>,
}

fn main() {}
