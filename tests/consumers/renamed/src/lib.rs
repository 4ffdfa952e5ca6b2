//! There is no `tpc_actors` here.

#![deny(warnings, missing_docs, unused, unused_qualifications)]
#![forbid(unsafe_code)]

use actors::prelude::*;

facade::counter! {
    /// From the facade's macro.
    #[derive(Debug)]
    pub Sum: u64
}

/// Under a new name.
#[core_actor(crate = actors, capacity = 16, event = u8)]
pub struct Renamed<T> {
    value: T,
}

#[core_actor(crate = actors)]
impl<T: Clone + Send> Renamed<T> {
    #[init]
    fn new(value: T) -> Self {
        Self { value }
    }

    /// The value.
    #[actors::handler]
    fn get(&self, cx: &mut Ctx<Self>) -> Result<T, String> {
        let _position = cx.publish(1);
        Ok(self.value.clone())
    }
}

/// By way of another crate.
pub mod by_way {
    use facade::tpc::{self, Reply, core_actor};

    /// With a condition, which comes first.
    #[core_actor(crate = tpc)]
    #[cfg(not(windows))]
    pub struct Facade;

    #[core_actor(crate = facade::tpc)]
    #[cfg(not(windows))]
    impl Facade {
        #[tpc::init]
        fn new() -> Self {
            Self
        }

        /// Answers.
        #[facade::tpc::handler]
        fn get(&self, reply: Reply<u8>) {
            reply.send(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::by_way::Facade;
    use super::{Renamed, Sum, SumClient};
    use actors::System;

    #[test]
    fn all_of_them() {
        let system = System::builder().cores(1).start().expect("a system");
        let renamed = system.spawn::<Renamed<u8>>(2).wait().expect("an actor");
        assert_eq!(renamed.get().wait().expect("an answer"), 2);
        let facade = system.spawn::<Facade>(()).wait().expect("an actor");
        assert_eq!(facade.get().wait().expect("an answer"), 1);
        let sum: SumClient = system.spawn::<Sum>(1).wait().expect("an actor");
        assert_eq!(sum.add(2).wait().expect("an answer"), 3);
    }
}
