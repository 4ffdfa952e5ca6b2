//! A pinned handle lives in tasks of its core, across `.await`s, beside other `!Send` things.
#![deny(warnings)]

use std::cell::Cell;
use std::rc::Rc;

use tpc_actors::prelude::*;

#[core_actor]
struct Counter {
    value: u64,
}

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self { value: 0 }
    }

    #[handler]
    fn add(&mut self, by: u64) -> u64 {
        self.value += by;
        self.value
    }

    #[handler]
    fn add_twice(&mut self, cx: &mut Ctx<Self>, by: u64, reply: Reply<u64>) {
        let me: CounterPinned = cx.pinned();
        let seen = Rc::new(Cell::new(0));
        cx.spawn(async move {
            let again = me.clone();
            seen.set(me.add(by).await.unwrap_or_default());
            let last = again.add(by).await.unwrap_or_default();
            assert_eq!(seen.get() + by, last);
            reply.send(last);
        });
    }
}

pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder().start()?;
    let counter = system.spawn::<Counter>(()).wait()?;
    assert_eq!(counter.add_twice(21).wait()?, 42);
    Ok(())
}
