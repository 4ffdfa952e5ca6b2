//! What the thread behind a bell is told beside its lanes: cold news, under a lock.
//!
//! News are put in and then announced, and announcements are taken before the news: whoever is awake because of one finds
//! what it is about.

use std::sync::{Arc, PoisonError};

use super::bell::CoreBell;
use crate::sync::{Mutex, MutexGuard, in_order, intact};

/// News of some kind, and the bell of the thread that they are for.
#[derive(Debug)]
pub(crate) struct Inbox<N> {
    news: Mutex<N>,
    bell: Arc<CoreBell>,
}

impl<N> Inbox<N> {
    pub(crate) fn new(bell: Arc<CoreBell>, news: N) -> Self {
        Self { news: Mutex::new(news), bell }
    }

    /// What is in, for whoever has nothing to announce.
    pub(crate) fn news(&self) -> MutexGuard<'_, N> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in that is to be taken before the next request.
    pub(crate) fn command<R>(&self, put: impl FnOnce(&mut N) -> R) -> R {
        in_order!("inbox.command", put(&mut self.news()), self.bell.ring_command())
    }

    /// Puts something in that is to be taken with the next turn.
    pub(crate) fn tell<R>(&self, put: impl FnOnce(&mut N) -> R) -> R {
        in_order!("inbox.tell", put(&mut self.news()), self.bell.ring_news())
    }

    /// The thread: hears who has rung, calls `lane` for each lane that has, and has `take` look at the news if there may be
    /// any.
    pub(crate) fn take<R>(
        &self,
        lane: impl FnMut(u32),
        take: impl FnOnce(&mut N) -> R,
    ) -> Option<R> {
        if intact!("inbox.hear-first") {
            let told = self.bell.take(lane);
            told.then(|| take(&mut self.news()))
        } else {
            let taken = take(&mut self.news());
            self.bell.take(lane).then_some(taken)
        }
    }

    /// For a new thread: what the last one was told by the bell is void, and `reopen` has the inbox take news again.
    pub(crate) fn reopen(&self, reopen: impl FnOnce(&mut N)) {
        in_order!("inbox.reopen", self.bell.take(drop), reopen(&mut self.news()));
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
