//! A lifetime in an argument.
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
    fn set(&self, _to: std::borrow::Cow<'_, str>) {}
}

fn main() {}
