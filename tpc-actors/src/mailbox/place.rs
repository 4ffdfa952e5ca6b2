//! Small numbers for the mailboxes that there are, so that threads find their lanes by index.

use std::sync::{Mutex, MutexGuard, PoisonError};

struct Places {
    free: Vec<u32>,
    used: u32,
}

static PLACES: Mutex<Places> = Mutex::new(Places { free: Vec::new(), used: 0 });

fn places() -> MutexGuard<'static, Places> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other mailbox has at this moment; it may have been another one's before.
#[derive(Debug)]
pub(crate) struct Place(u32);

impl Place {
    pub(super) fn acquire() -> Self {
        let mut places = places();
        Self(places.free.pop().unwrap_or_else(|| {
            places.used += 1;
            places.used - 1
        }))
    }

    #[inline]
    pub(super) fn index(&self) -> usize {
        self.0 as usize
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        places().free.push(self.0);
    }
}
