//! Roles that depend on a condition, and ways to build the state that exclude each other.
#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "conditions that always or never hold")]

use tpc_actors::prelude::*;

#[core_actor]
struct Gauge {
    value: u64,
}

#[cfg_attr(all(), core_actor)]
impl Gauge {
    #[cfg(any())]
    #[init]
    fn nothing(missing: Missing) -> Self {
        missing.into()
    }

    #[cfg(not(any()))]
    #[init]
    fn new(value: u64) -> Self {
        Self { value }
    }

    /// A message.
    #[cfg_attr(all(), handler, inline)]
    fn get(&self) -> u64 {
        self.helper(1)
    }

    /// Not a message, so it may borrow.
    #[cfg_attr(any(), handler)]
    fn helper(&self, by: u64) -> u64 {
        self.value * by
    }

    #[cfg_attr(not(any()), cfg_attr(all(), handler(tell)))]
    fn set(&mut self, value: u64) {
        self.value = value;
    }

    #[cfg(any())]
    #[on_stop]
    fn never(&mut self) {
        Missing
    }

    #[cfg(any())]
    #[checkpoint]
    fn nowhere(&self) -> Missing {}

    #[cfg(not(any()))]
    #[checkpoint]
    fn here(&self) -> Result<(), std::convert::Infallible> {
        Ok(())
    }

    #[handler]
    #[cfg_attr(all(), deprecated)]
    fn old(&self, _arg1: u8, _: u8) -> u64 {
        self.value
    }

    #[cfg_attr(any(), every("1ms"))]
    #[cfg_attr(not(any()), on_stop)]
    fn end(&mut self) {
        self.value = 0;
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let gauge = system.spawn::<Gauge>(1).wait().unwrap();
    gauge.set(5).wait().unwrap();
    assert_eq!(gauge.get().wait().unwrap(), 5);
}
