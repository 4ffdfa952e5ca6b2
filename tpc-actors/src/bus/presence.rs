//! Whether a subscription is still there.
//!
//! ```text
//! source                                     subscriber (or whoever ends the subscription)
//!   attach to it                               end it
//!   fence  ─────────────────── pairs with ───▶ fence
//!   over? let go of it                         attached? have the source let go
//! ```
//!
//! Both sides write one word and then look at the other's, and the fences forbid that each misses the other: no source keeps
//! a subscription that is over, and with it a filter and its events, until it publishes again.

use crate::sync::{AtomicBool, Ordering, fence, in_order, intact, whole};

/// There until it is over, which it stays.
#[derive(Debug, Default)]
pub(super) struct Presence {
    over: AtomicBool,
}

impl Presence {
    /// Ends it; true for the first to do so.
    pub(super) fn end(&self) -> bool {
        // Released: who finds it over finds what was published before, see [`last_look`].
        !whole!("presence.end", self.over.swap(true, Ordering::Release))
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Source: has `attach` show that it has the subscription; also whether that is still there. Otherwise it has to be let
    /// go of, because who has ended it may not have seen that.
    pub(super) fn attach<R>(&self, attach: impl FnOnce() -> R) -> (R, bool) {
        let attached = attach();
        if intact!("presence.source-fence") {
            // Pairs with the fence in `find_sources`.
            fence(Ordering::SeqCst);
        }
        (attached, !self.is_over())
    }

    /// Who has ended it: looks for sources that have it, in `find`, which sees all that do not find it over.
    pub(super) fn find_sources<R>(&self, find: impl FnOnce() -> R) -> R {
        debug_assert!(self.is_over(), "a source that attaches next would keep it");
        if intact!("presence.end-fence") {
            // Pairs with the fence in `attach`.
            fence(Ordering::SeqCst);
        }
        find()
    }
}

/// Subscriber: whether nothing comes after what `take` finds, as `is_over` says; and what it finds.
pub(super) fn last_look<S, R>(
    subscriber: &mut S,
    is_over: impl FnOnce(&S) -> bool,
    take: impl FnOnce(&mut S) -> R,
) -> (bool, R) {
    let (over, taken);
    // In this order, so that nothing is missed that was published before the end.
    in_order!("presence.over-first", over = is_over(subscriber), taken = take(subscriber));
    (over, taken)
}

#[cfg(all(test, tpc_loom))]
mod model;
