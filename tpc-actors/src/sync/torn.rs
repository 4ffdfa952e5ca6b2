//! Atomics of a model, whose read-modify-writes can be torn into a read and a write.
//!
//! A protocol that is right with a torn one does not need it, and a model that finds nothing wrong does not show that it
//! does. So each read-modify-write of a modelled word stands in a [`whole!`](super::whole), which names it: one that does
//! not panics in the first model that comes to it.

use std::cell::Cell;

use loom::sync::atomic;

use super::Ordering;
use super::mutants::is_on;

/// What becomes of a read-modify-write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Intact,
    Torn,
    Relaxed,
}

// loom runs all threads of a model on one OS thread, and changes between them at operations only.
thread_local!(static NEXT: Cell<Option<Fate>> = const { Cell::new(None) });

/// Names the next read-modify-write, and what it is called to be left unordered.
pub(crate) fn next(name: &str, relaxed: &str) {
    NEXT.set(Some(if is_on(name) {
        Fate::Torn
    } else if is_on(relaxed) {
        Fate::Relaxed
    } else {
        Fate::Intact
    }));
}

/// Whether this read-modify-write is torn; `order` is what becomes of its ordering.
#[track_caller]
fn is_torn(order: &mut Ordering) -> bool {
    let fate = NEXT.take().expect("a read-modify-write of a modelled word stands in `whole!`");
    if fate == Fate::Relaxed {
        *order = Ordering::Relaxed;
    }
    fate == Fate::Torn
}

macro_rules! atomic {
    ($name:ident of $value:ty; $($op:ident = |$old:ident, $with:ident| $result:expr;)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name(atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            #[allow(dead_code, reason = "not every word is used in every way")]
            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }

            #[allow(dead_code, reason = "as above")]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
            }

            $(#[track_caller]
            #[allow(dead_code, reason = "as above")]
            pub(crate) fn $op(&self, $with: $value, mut order: Ordering) -> $value {
                if is_torn(&mut order) {
                    let $old = self.0.load(Ordering::Acquire);
                    self.0.store($result, Ordering::Release);
                    return $old;
                }
                self.0.$op($with, order)
            })*

            #[track_caller]
            #[allow(dead_code, reason = "as above")]
            pub(crate) fn compare_exchange(
                &self,
                expected: $value,
                new: $value,
                mut success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                if is_torn(&mut success) {
                    let found = self.0.load(Ordering::Acquire);
                    if found != expected {
                        return Err(found);
                    }
                    self.0.store(new, Ordering::Release);
                    return Ok(found);
                }
                self.0.compare_exchange(expected, new, success, failure)
            }

            /// Never fails for nothing, because loom's does not either.
            #[track_caller]
            #[allow(dead_code, reason = "as above")]
            pub(crate) fn compare_exchange_weak(
                &self,
                expected: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(expected, new, success, failure)
            }

            #[track_caller]
            #[allow(dead_code, reason = "as above")]
            pub(crate) fn fetch_update(
                &self,
                mut set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                if is_torn(&mut set) {
                    let found = self.0.load(Ordering::Acquire);
                    self.0.store(update(found).ok_or(found)?, Ordering::Release);
                    return Ok(found);
                }
                self.0.fetch_update(set, fetch, update)
            }
        }
    };
}

macro_rules! integer {
    ($name:ident of $value:ty) => {
        atomic! { $name of $value;
            swap = |old, new| new;
            fetch_or = |old, bits| old | bits;
            fetch_and = |old, bits| old & bits;
            fetch_add = |old, more| old.wrapping_add(more);
            fetch_sub = |old, less| old.wrapping_sub(less);
            fetch_max = |old, other| old.max(other);
        }
    };
}

integer!(AtomicU32 of u32);
integer!(AtomicU64 of u64);
integer!(AtomicUsize of usize);
atomic!(AtomicBool of bool; swap = |old, new| new;);
