//! All roles of a generic actor, in a function, with a function for a parameter.
#![deny(warnings)]

use std::error::Error;
use std::fmt;

use tpc_actors::prelude::*;

pub fn main() {
    #[derive(Debug)]
    struct Zero;

    impl fmt::Display for Zero {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("zero")
        }
    }

    impl Error for Zero {}

    #[core_actor(supervise(max = 1))]
    struct Apply<F, const N: usize> {
        f: F,
        ticks: [u64; N],
    }

    #[core_actor]
    impl<F, const N: usize> Apply<F, N>
    where
        F: Fn(u64) -> u64 + Send,
    {
        #[init]
        fn new(cx: &mut Ctx<Self>, f: F) -> Result<Self, Zero> {
            assert_eq!(cx.core(), 0);
            if N == 0 { Err(Zero) } else { Ok(Self { f, ticks: [0; N] }) }
        }

        #[handler]
        fn apply(&self, to: u64) -> Result<u64, [u64; N]> {
            if to == 0 { Err(self.ticks) } else { Ok((self.f)(to)) }
        }

        #[cfg(not(windows))]
        #[handler(tell)]
        fn replace(&mut self, with: F) {
            self.f = with;
        }

        #[every("1ms")]
        fn tick(&mut self) {
            self.ticks[0] += 1;
        }

        #[on_stop]
        fn stop(&mut self, _cx: &mut Ctx<Self>) {
            self.ticks = [0; N];
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let apply = system.spawn::<Apply<fn(u64) -> u64, 1>>(|n| n + 1).wait().unwrap();
    assert_eq!(apply.apply(1).wait().unwrap(), 2);
    apply.replace(|n| n * 5).wait().unwrap();
    assert_eq!(apply.apply(1).wait().unwrap(), 5);
    assert!(matches!(apply.apply(0).wait(), Err(AskError::Handler([_]))));
    let refused = system.spawn::<Apply<fn(u64) -> u64, 0>>(|n| n).wait();
    assert!(refused.is_err());
}
