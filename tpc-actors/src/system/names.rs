//! Actors that have a name, and finding them by it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::{Inner, lock};
use crate::actor::Actor;
use crate::client::WeakClient;
use crate::mailbox::Mailbox;

/// The actors that have a name, by type and name.
#[derive(Default)]
pub(super) struct Names(HashMap<(TypeId, String), Box<dyn Named>>);

/// A named actor of any type.
trait Named: Any + Send {
    fn is_over(&self) -> bool;
}

/// What a name stands for: the actor's shards.
struct Reserved<A: Actor>(Vec<Weak<Mailbox<A>>>);

impl<A: Actor> Named for Reserved<A> {
    fn is_over(&self) -> bool {
        let over = |weak: &Weak<Mailbox<A>>| {
            weak.upgrade().is_none_or(|mailbox| mailbox.ending.get().is_some())
        };
        self.0.iter().all(over)
    }
}

impl Names {
    /// Gives a name to an actor; false when another one that has not ended has it.
    pub(super) fn take<A: Actor>(&mut self, name: &str, mailboxes: &[Arc<Mailbox<A>>]) -> bool {
        self.0.retain(|_, named| !named.is_over());
        let key = (TypeId::of::<A>(), name.to_owned());
        if self.0.contains_key(&key) {
            return false;
        }
        let weak = mailboxes.iter().map(Arc::downgrade).collect();
        self.0.insert(key, Box::new(Reserved::<A>(weak)));
        true
    }
}

impl Inner {
    pub(super) fn find<A: Actor>(&self, name: &str) -> Option<A::Client> {
        let weak = {
            let names = lock(&self.names);
            let found: &dyn Any = &**names.0.get(&(TypeId::of::<A>(), name.to_owned()))?;
            let Reserved(weak) = found.downcast_ref::<Reserved<A>>()?;
            weak.clone()
        };
        WeakClient::<A::Client>::new(weak).upgrade()
    }
}
