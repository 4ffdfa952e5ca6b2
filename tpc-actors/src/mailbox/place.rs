//! Small numbers for the mailboxes that there are, so that threads find their lanes by index.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::actor::Actor;

#[derive(Default)]
struct Places {
    free: Vec<u32>,
    used: u32,
}

/// By the type of the actors: each has its own lanes in a thread.
static PLACES: LazyLock<Mutex<HashMap<TypeId, Places>>> = LazyLock::new(Mutex::default);

fn places() -> MutexGuard<'static, HashMap<TypeId, Places>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other mailbox of its type has at this moment; it may have been another one's before.
#[derive(Debug)]
pub(crate) struct Place {
    index: u32,
    of: TypeId,
}

impl Place {
    pub(super) fn acquire<A: Actor>() -> Self {
        let of = TypeId::of::<A>();
        let mut places = places();
        let places = places.entry(of).or_default();
        let index = places.free.pop().unwrap_or_else(|| {
            places.used += 1;
            places.used - 1
        });
        Self { index, of }
    }

    #[inline]
    pub(super) fn index(&self) -> usize {
        self.index as usize
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        places().entry(self.of).or_default().free.push(self.index);
    }
}
