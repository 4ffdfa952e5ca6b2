//! Sometimes it answers, sometimes it does not.
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
    fn get(&self, #[cfg(unix)] _reply: Reply<u8>) {}
}

fn main() {}
