//! A pinned handle lives across an `.await` of a Tokio task.
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
    fn add(&mut self) {}
}

fn leave(make: fn() -> CounterPinned) {
    tokio::spawn(async move { make().add().await });
}

fn main() {}
