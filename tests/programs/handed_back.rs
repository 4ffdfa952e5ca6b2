//! A refused request comes back and can be taken apart.
#![deny(warnings)]

use std::time::Duration;

use tpc_actors::prelude::*;

#[core_actor(capacity = 4)]
struct Full;

#[core_actor]
impl Full {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    fn push(&self, value: String, times: u8) {
        let _ = (value, times);
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let full = system.spawn::<Full>(()).wait().unwrap();
    system.shutdown_wait(Duration::from_secs(5));
    let refused = full.push("a".to_owned(), 3).now().unwrap_err();
    let FullRequest::Push { value, times } = refused.into_message();
    assert_eq!((value.as_str(), times), ("a", 3));
}
