//! Deprecated handlers and hooks: only who calls them is told.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
pub struct Old;

#[core_actor]
impl Old {
    #[init]
    fn new() -> Self {
        Self
    }

    #[deprecated]
    #[handler]
    fn get(&self) -> u8 {
        1
    }

    #[handler]
    #[deprecated(since = "1.2.0", note = "use `get_more`")]
    fn get_some(&self, reply: Reply<u8>) {
        reply.send(2);
    }

    #[deprecated]
    #[every("1h")]
    fn tick(&mut self) {}

    #[handler]
    fn get_more(&self) -> u8 {
        3
    }
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let old = system.spawn::<Old>(()).wait().unwrap();
    assert_eq!(old.get_more().wait().unwrap(), 3);
    #[expect(deprecated, reason = "the method is as deprecated as the handler")]
    let (one, two) = (old.get().wait(), old.get_some().wait());
    assert_eq!((one.unwrap(), two.unwrap()), (1, 2));
}
