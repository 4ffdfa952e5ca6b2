//! `#[cfg]` on arguments: field, parameter and call follow.
#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "conditions that always or never hold")]

use tpc_actors::prelude::*;

#[core_actor]
struct Store {
    sum: u64,
}

#[core_actor]
impl Store {
    #[init]
    fn new(
        #[cfg(any())] _cx: &mut Ctx<Self>,
        sum: u64,
        #[cfg(all())] more: u64,
        #[cfg(any())] gone: Gone,
    ) -> Self {
        Self { sum: sum + more }
    }

    #[handler]
    fn add(
        &mut self,
        #[cfg(all())] cx: &mut Ctx<Self>,
        by: u64,
        #[cfg(all())] times: u64,
        #[cfg(any())] gone: Gone,
    ) -> u64 {
        assert_eq!(cx.core(), 0);
        self.sum += by * times;
        self.sum
    }

    #[handler(all)]
    fn only(&mut self, #[cfg(any())] gone: Gone) -> u64 {
        self.sum
    }

    #[handler(all, tell)]
    fn set(&mut self, #[cfg(any())] cx: &mut Ctx<Self>, #[cfg(all())] sum: u64) {
        self.sum = sum;
    }

    #[every("1h")]
    fn tick(&mut self, #[cfg(any())] _cx: &mut Ctx<Self>) {}

    #[on_stop]
    fn stop(&mut self, #[cfg(any())] _cx: &mut Ctx<Self>) {}
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let store = system.spawn::<Store>((1, 2)).wait().unwrap();
    assert_eq!(store.add(2, 3).wait().unwrap(), 9);
    store.set(4).wait().unwrap();
    assert_eq!(store.only().wait().unwrap(), [4]);
    let add = StoreRequest::Add { by: 1, times: 2 };
    assert!(matches!(add, StoreRequest::Add { by: 1, times: 2 }));
}
