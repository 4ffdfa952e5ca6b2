//! The context outlives its handler.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter(Option<&'static mut Ctx<Counter>>);

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self(None)
    }

    #[handler(tell)]
    fn run(&mut self, cx: &mut Ctx<Self>) {
        self.0 = Some(cx);
    }
}

fn main() {}
