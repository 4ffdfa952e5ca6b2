//! An offloaded future leaves its core, so it holds nothing pinned.
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
        let me = cx.pinned();
        cx.offload(async move { drop(me) }, |_, _, ()| ());
    }
}

fn main() {}
