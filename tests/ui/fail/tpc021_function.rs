//! A function is not an actor.
use tpc_actors::prelude::*;

#[core_actor]
fn counter() {}

fn main() {
    counter();
}
