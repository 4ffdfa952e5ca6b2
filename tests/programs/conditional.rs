//! `#[cfg]` on actors, handlers, timers and hooks.
#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "conditions that always hold")]

use tpc_actors::prelude::*;

#[cfg(any())]
#[core_actor]
struct Gone(Nowhere);

#[core_actor]
#[cfg(all())]
#[derive(Debug)]
struct Kept;

#[core_actor]
#[cfg(any())]
impl Gone {
    #[handler]
    fn nothing(&self) -> Nowhere {
        nowhere()
    }
}

#[core_actor]
impl Kept {
    #[init]
    fn new() -> Self {
        Self
    }

    #[cfg(any())]
    #[handler]
    fn get(&self, at: Nowhere) -> Nowhere {
        at
    }

    #[cfg(all())]
    #[handler]
    fn get(&self, at: u8) -> u8 {
        at
    }

    #[handler]
    #[cfg(any())]
    fn later(&self, reply: Reply<Nowhere>) {}

    #[cfg(any())]
    #[handler(tell)]
    fn told(&self, what: Nowhere) {}

    #[cfg(any())]
    #[every("1s")]
    fn tick(&self) {
        nowhere()
    }

    #[cfg(any())]
    #[on_stop]
    fn stop(&self) {
        nowhere()
    }
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let kept = system.spawn::<Kept>(()).wait().unwrap();
    assert_eq!(kept.get(7).wait().unwrap(), 7);
}
