//! The start of an actor, shard by shard: the last of them settles it, so that nobody has to wait for that.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::status::Watched;
use super::{Inner, lock};
use crate::actor::Actor;
use crate::core_loop::Core;
use crate::isolate::drop_quietly;
use crate::mailbox::Mailbox;

/// All shards of an actor.
struct Shards<A: Actor> {
    mailboxes: Vec<Weak<Mailbox<A>>>,
    /// Those of which it is not known yet whether they start.
    open: AtomicUsize,
    one_failed: AtomicBool,
    inner: Weak<Inner>,
}

impl<A: Actor> Shards<A> {
    /// Without one of them the others are not to go on.
    fn stop(&self) {
        for mailbox in self.mailboxes.iter().filter_map(Weak::upgrade) {
            mailbox.stop(Core::stop_cell);
            // Perhaps the last to hold it, and what its slots hold is foreign.
            drop_quietly(mailbox);
        }
    }
}

/// The duty to start one shard. It has failed when this is dropped before that.
pub(super) struct Starting<A: Actor> {
    mailbox: Arc<Mailbox<A>>,
    shards: Arc<Shards<A>>,
    started: bool,
}

impl<A: Actor> Starting<A> {
    /// One for each mailbox. The system knows them from here on: whoever finds a shard that has started may send to it,
    /// and has to be answered should its core not come to its end.
    pub(super) fn all(inner: &Arc<Inner>, mailboxes: Vec<Arc<Mailbox<A>>>) -> Vec<Self> {
        let shards = Arc::new(Shards {
            mailboxes: mailboxes.iter().map(Arc::downgrade).collect(),
            open: AtomicUsize::new(mailboxes.len()),
            one_failed: AtomicBool::new(false),
            inner: Arc::downgrade(inner),
        });
        let mut actors = lock(&inner.actors);
        // Those of which nothing is left would add up where actors come and go.
        actors.retain(Watched::is_there);
        actors.extend(mailboxes.iter().map(Watched::new));
        drop(actors);
        let starting = |mailbox| Self { mailbox, shards: Arc::clone(&shards), started: false };
        mailboxes.into_iter().map(starting).collect()
    }

    pub(super) fn mailbox(&self) -> &Arc<Mailbox<A>> {
        &self.mailbox
    }

    /// It runs.
    pub(super) fn has_started(mut self) {
        self.started = true;
    }
}

impl<A: Actor> Drop for Starting<A> {
    fn drop(&mut self) {
        let Self { mailbox, shards, started } = self;
        if !*started {
            shards.one_failed.store(true, Ordering::Relaxed);
            if let Some(inner) = shards.inner.upgrade() {
                lock(&inner.actors).retain(|actor| !actor.is(mailbox));
                drop_quietly(inner);
            }
        }
        // Whoever is last sees what the others have done.
        let was_last = shards.open.fetch_sub(1, Ordering::AcqRel) == 1;
        if was_last && shards.one_failed.load(Ordering::Relaxed) {
            shards.stop();
        }
    }
}
