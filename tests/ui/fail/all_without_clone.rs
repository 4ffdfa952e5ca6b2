//! What goes to every shard is cloned.
use tpc_actors::prelude::*;
struct Plan;
#[core_actor]
struct Counter;
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell, all)]
    fn follow(&self, plan: Plan) {
        drop(plan);
    }
}
fn main() {}
