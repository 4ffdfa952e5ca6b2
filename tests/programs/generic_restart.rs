//! A generic actor is rebuilt from clones of its arguments.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor(supervise(max = 3, within = "10s", backoff = "1ms..2ms"))]
pub struct Fragile<T> {
    start: T,
    now: T,
}

#[core_actor]
impl<T: Clone + Send> Fragile<T> {
    #[init]
    fn new(start: T) -> Self {
        Self { now: start.clone(), start }
    }

    #[handler]
    fn set(&mut self, to: T) -> T {
        std::mem::replace(&mut self.now, to)
    }

    #[handler]
    fn both(&self) -> (T, T) {
        (self.start.clone(), self.now.clone())
    }

    #[handler(tell)]
    fn fail(&mut self, reason: String) {
        std::panic::panic_any(reason);
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let fragile = system.spawn::<Fragile<u8>>(1).wait().unwrap();
    assert_eq!(fragile.set(2).wait().unwrap(), 1);
    fragile.fail("on purpose".to_owned()).wait().unwrap();
    assert_eq!(fragile.both().wait().unwrap(), (1, 1));
}
