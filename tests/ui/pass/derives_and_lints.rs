//! Other attributes stay where they are, and a crate may be strict about what it writes itself.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(unused_qualifications, single_use_lifetimes, elided_lifetimes_in_paths)]
#![deny(unused_results, let_underscore_drop, trivial_casts, unused_lifetimes)]
#![forbid(unsafe_code)]

use tpc_actors::prelude::*;

/// An actor with attributes of other crates.
#[derive(Clone, Debug)]
#[core_actor]
#[must_use]
struct Strict {
    value: u64,
}

#[core_actor]
#[allow(clippy::use_self, reason = "an attribute of the impl block")]
impl Strict {
    #[init]
    #[inline]
    fn new() -> Strict {
        Strict { value: 1 }
    }

    #[inline]
    #[must_use]
    #[handler]
    fn get(&self, #[allow(unused_variables, reason = "an argument's attribute")] by: u64) -> u64 {
        self.value
    }

    fn _helper(&self) {}
}

fn main() {
    let system = System::builder().start().unwrap();
    let strict = system.spawn::<Strict>(()).wait().unwrap();
    assert_eq!(strict.get(1).wait().unwrap(), 1);
}
