//! Actors in a crate that is strict about everything it contains, expansions included.

#![deny(warnings, missing_docs, missing_debug_implementations, unused, unreachable_pub)]
#![deny(let_underscore_drop, unused_qualifications, unused_results, unused_lifetimes)]
#![deny(missing_copy_implementations)]
#![deny(elided_lifetimes_in_paths, single_use_lifetimes, trivial_casts, trivial_numeric_casts)]
#![deny(future_incompatible, nonstandard_style, rust_2018_idioms, keyword_idents)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::absolute_paths)]
#![deny(clippy::allow_attributes_without_reason, clippy::unwrap_used, clippy::expect_used)]
#![deny(clippy::missing_docs_in_private_items, clippy::wildcard_enum_match_arm)]
#![deny(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_inline_in_public_items
)]
#![allow(clippy::redundant_pub_crate, reason = "rustc's own lint asks for the opposite")]
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;

/// What a shelf publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShelfEvent {
    /// Something was put on it.
    Put(String),
    /// It was cleared.
    Cleared,
}

/// A shelf is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Full;

impl fmt::Display for Full {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shelf is full")
    }
}

impl Error for Full {}

/// Holds numbers by name.
#[derive(Debug)]
#[core_actor(
    event = ShelfEvent,
    capacity = 64,
    supervise(max = 3, within = "10s", backoff = "1ms..1s", then = stop),
)]
pub struct Shelf {
    /// What it holds.
    things: HashMap<String, u64>,
    /// How much it may hold.
    limit: usize,
    /// How often anything was read.
    reads: Rc<Cell<u64>>,
    /// Since when it has been there.
    since: Instant,
}

#[core_actor]
impl Shelf {
    /// An empty shelf.
    #[init]
    fn new(cx: &mut Ctx<Self>, limit: usize, name: &'static str) -> Result<Self, Full> {
        if limit == 0 || name.is_empty() {
            return Err(Full);
        }
        Ok(Self { things: HashMap::new(), limit, reads: Rc::default(), since: cx.now() })
    }

    /// Reads a number that [`Self::put`] has written into [`Self::things`].
    #[handler]
    fn get(&self, #[key] name: String) -> Option<u64> {
        self.reads.set(self.reads.get() + 1);
        self.things.get(&name).copied()
    }

    /// Writes a number; answers with the one before.
    #[handler]
    fn put(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] name: String,
        thing: u64,
    ) -> Result<Option<u64>, Full> {
        if self.things.len() >= self.limit {
            return Err(Full);
        }
        let _at = cx.publish(ShelfEvent::Put(name.clone()));
        Ok(self.things.insert(name, thing))
    }

    // No documentation on purpose: the generated method and variant have some all the same.
    #[allow(clippy::missing_docs_in_private_items, reason = "so that they show")]
    #[handler(tell)]
    fn forget(&mut self, #[key] name: String) {
        let _before = self.things.remove(&name);
    }

    /// Sleeps on it.
    #[handler]
    fn later(&mut self, cx: &mut Ctx<Self>, #[key] name: String, reply: Reply<Option<u64>>) {
        let me = cx.pinned();
        let sleep = cx.sleep(Duration::from_millis(1));
        cx.spawn(async move {
            sleep.await;
            reply.send(me.get(name).await.unwrap_or_default());
        });
    }

    /// How much each shard holds.
    #[handler(all)]
    fn len(&self) -> usize {
        self.things.len()
    }

    /// How much each shard holds above a limit.
    #[handler(all)]
    fn above(&self, limit: u64) -> Vec<(String, u64)> {
        let above = self.things.iter().filter(|(_, thing)| **thing > limit);
        above.map(|(name, thing)| (name.clone(), *thing)).collect()
    }

    /// Clears each shard.
    #[handler(all, tell)]
    fn clear(&mut self, cx: &mut Ctx<Self>) {
        self.things.clear();
        let _at = cx.publish(ShelfEvent::Cleared);
    }

    /// Nothing anyone should call.
    #[deprecated = "use `get`"]
    #[handler]
    fn look(&self, #[key] _name: String) -> u64 {
        self.reads.get()
    }

    /// Something that is not there.
    #[cfg(target_os = "none")]
    #[handler]
    fn nothing(&self, #[key] name: String) -> Nothing {
        Nothing
    }

    /// Throws away what is too large.
    #[every("10ms")]
    fn sweep(&mut self) {
        self.things.retain(|_, thing| *thing < 1_000_000);
    }

    /// Looks at the clock.
    #[every("1h")]
    fn age(&self, cx: &mut Ctx<Self>) {
        assert!(cx.now() >= self.since, "time went backwards");
    }

    /// Nothing is kept.
    #[on_stop]
    fn stopping(&mut self, _cx: &mut Ctx<Self>) {
        self.things.clear();
    }
}

/// Sums up a shelf on another core.
#[derive(Debug)]
#[core_actor]
pub struct Summary {
    /// Whom to ask.
    shelf: ShelfClient,
}

#[core_actor]
impl Summary {
    /// Knows its shelf.
    #[init]
    fn with_shelf(shelf: ShelfClient) -> Self {
        Self { shelf }
    }

    /// How much there is in all.
    #[handler]
    fn total(&self, cx: &mut Ctx<Self>, name: String, reply: Reply<Result<u64, Full>>) {
        cx.ask(self.shelf.get(name), move |_, _, thing| {
            reply.send(thing.ok().flatten().ok_or(Full));
        });
    }
}

/// Keeps the last few of anything.
#[derive(Debug)]
#[core_actor(max_request_bytes = 32)]
pub struct Last<T, const N: usize> {
    /// From old to new.
    things: [Option<T>; N],
}

#[core_actor]
impl<T, const N: usize> Last<T, N>
where
    T: Clone + Send,
{
    /// None yet.
    #[init]
    fn new() -> Self {
        Self { things: [const { None }; N] }
    }

    /// Keeps one more; answers with the oldest.
    #[handler]
    fn keep(&mut self, #[boxed] thing: T) -> Option<T> {
        self.things.rotate_left(1);
        self.things.last_mut().and_then(|last| last.replace(thing))
    }

    /// Puts one in its place.
    #[handler(boxed)]
    fn place(&mut self, at: usize, thing: T) -> bool {
        self.things.get_mut(at).is_some_and(|place| place.replace(thing).is_none())
    }

    /// All of them.
    #[cfg_attr(not(target_os = "none"), handler)]
    fn all(&self) -> Vec<T> {
        self.things.iter().flatten().cloned().collect()
    }
}

/// Private to its module, and unused but for its test.
pub(crate) mod private {
    use tpc_actors::prelude::*;

    /// Nothing to see.
    #[core_actor]
    pub(crate) struct Unseen;

    #[core_actor]
    impl Unseen {
        /// As it is.
        #[init]
        fn new() -> Self {
            Self
        }

        /// Answers.
        #[handler]
        fn get(&self) -> u8 {
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use tpc_actors::System;

    use super::private::Unseen;

    #[test]
    fn an_actor_of_this_crate_alone() -> Result<(), Box<dyn Error>> {
        let system = System::builder().start()?;
        let unseen = system.spawn::<Unseen>(()).wait()?;
        assert_eq!(unseen.get().wait()?, 1);
        Ok(())
    }
}
