//! Attributes of other people on handlers, hooks and arguments.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Attributed {
    count: u8,
}

#[core_actor]
impl Attributed {
    #[init]
    #[inline]
    fn new() -> Self {
        Self { count: 0 }
    }

    /// With a [link](Attributed), `code` and "quotes".
    ///
    /// ```text
    /// and a block
    /// ```
    #[handler]
    #[inline(never)]
    #[doc(alias = "fetch")]
    #[must_use]
    fn get(&self) -> u8 {
        self.count
    }

    #[doc(hidden)]
    #[handler]
    #[expect(unused_variables, reason = "it is not needed yet")]
    fn add(&mut self, #[allow(unused_mut, reason = "so that it shows")] mut by: u8) {
        self.count += 1;
    }

    #[cold]
    #[track_caller]
    #[handler(tell)]
    fn fail(&self) {
        let _caller = std::panic::Location::caller();
    }

    #[allow(clippy::unused_self, reason = "so that it shows")]
    #[every("1h")]
    fn tick(&self) {}
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let actor = system.spawn::<Attributed>(()).wait().unwrap();
    actor.add(1).wait().unwrap();
    actor.fail().wait().unwrap();
    assert_eq!(actor.get().wait().unwrap(), 1);
}
