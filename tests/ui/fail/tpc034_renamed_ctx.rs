//! The context by another name.
use tpc_actors::prelude::*;
use tpc_actors::Ctx as Context;
#[core_actor]
struct Counter;
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler]
    fn get(&self, _cx: &mut Context<Self>) {}
}
fn main() {}
