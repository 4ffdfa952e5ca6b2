//! A type of the user's that has the name of ours.
use tpc_actors::prelude::*;
enum Reply {
    Done,
}
#[core_actor]
struct Counter;
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler]
    fn get(&self, _reply: Reply) {}
}
fn main() {}
