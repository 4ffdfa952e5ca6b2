//! A pinned handle is not `Sync`.
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
fn need_sync(_: &impl Sync) {}

fn share(pinned: &CounterPinned) {
    need_sync(pinned);
}
fn main() {}
