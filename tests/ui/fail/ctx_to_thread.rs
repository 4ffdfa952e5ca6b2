//! The context moves to a thread.
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
    fn run(&mut self, cx: &mut Ctx<Self>) {
        std::thread::scope(|threads| drop(threads.spawn(|| cx.now())));
    }
}

fn main() {}
