//! An enum is not an actor.
use tpc_actors::prelude::*;

#[core_actor]
enum Light {
    Green,
    Red,
}

fn main() {
    let _ = (Light::Green, Light::Red);
}
