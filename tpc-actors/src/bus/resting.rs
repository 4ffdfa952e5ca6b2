//! The places of sources that no core holds: the one outside of the cores, and those of cores that have
//! ended.
//!
//! Whoever works with such a source takes it out and puts it back, so that filters, copies and wakers
//! run outside every lock. Others wait meanwhile; who comes back to it from inside leaves his event for
//! the holder.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Instant;

use super::channel::Channel;
use super::fetch::Fetch;
use super::lock;
use super::registry::Bus;
use super::retained::Found;
use super::source::Source;
use crate::isolate::drop_quietly;

/// Why a source cannot be worked with here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    /// Its core has it.
    WithCore,
    /// We are called by who works with it: to wait for him would be to wait for ourselves.
    WithUs,
}

/// A source with the number of its next event.
pub(super) struct Numbered<E> {
    pub(super) source: Source<E>,
    pub(super) next_seq: u64,
}

struct State<E> {
    source: Option<Source<E>>,
    next_seq: u64,
    /// A core has taken the source for as long as it lives.
    with_core: bool,
    /// Nothing is published from outside of the cores any more.
    refuses: bool,
    /// The thread that has taken the source out for a moment.
    holder: Option<ThreadId>,
    /// The numbers of those who wait for it, first come first served: who looks at the past again and again is not to
    /// keep out who publishes.
    line: VecDeque<u64>,
    /// How many have lined up.
    lined_up: u64,
    /// Events that the holder's own filters, copies and wakers have published meanwhile.
    nested: VecDeque<(u64, E)>,
    /// Who was called by the holder and wants the source himself; woken when it is back.
    waiting: Vec<Arc<Channel<E>>>,
}

pub(super) struct Resting<E> {
    state: Mutex<State<E>>,
    back: Condvar,
}

/// A source that has been taken out; puts it back also when the holder unwinds.
struct Held<'a, E> {
    resting: &'a Resting<E>,
    source: Option<Source<E>>,
}

impl<E: Send + Clone + 'static> Held<'_, E> {
    /// Publishes what the holder's own filters, copies and wakers have published meanwhile, before anybody else does.
    fn publish_nested(&mut self, bus: &Bus<E>) {
        let next = |resting: &Resting<E>| lock(&resting.state).nested.pop_front();
        while let (Some((seq, event)), Some(source)) = (next(self.resting), &mut self.source) {
            publish_one(bus, source, seq, event);
        }
    }

    /// Does the same, and lets go of those who have left meanwhile: from inside they could not have it done.
    fn finish(&mut self, bus: &Bus<E>) {
        self.publish_nested(bus);
        while let Some(source) = self.source.as_mut().filter(|source| source.is_stale(bus)) {
            let next_seq = lock(&self.resting.state).next_seq;
            source.refresh(bus, next_seq).into_iter().for_each(drop_quietly);
            self.publish_nested(bus);
        }
    }
}

impl<E> Drop for Held<'_, E> {
    fn drop(&mut self) {
        let mut state = lock(&self.resting.state);
        state.source = self.source.take();
        state.holder = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.resting.back.notify_all();
        for channel in waiting {
            channel.wake();
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(channel);
        }
    }
}

impl<E> Drop for Resting<E> {
    fn drop(&mut self) {
        // The events that it retains are foreign.
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop_quietly(state.source.take());
    }
}

impl<E> Default for Resting<E> {
    fn default() -> Self {
        let state = State {
            source: None,
            next_seq: 0,
            with_core: false,
            refuses: false,
            holder: None,
            line: VecDeque::new(),
            lined_up: 0,
            nested: VecDeque::new(),
            waiting: Vec::new(),
        };
        Self { state: Mutex::new(state), back: Condvar::new() }
    }
}

impl<E: Send + Clone + 'static> Resting<E> {
    /// The source of a core, for as long as the core lives.
    pub(super) fn take(&self, bus: &Bus<E>, index: usize) -> Numbered<E> {
        let mut state = lock(&self.state);
        // From here on nobody else takes it out, so there is one to wait for, who looks at a little of it.
        state.with_core = true;
        while state.holder.is_some() {
            state = self.back.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let next_seq = state.next_seq;
        let source = state.source.take();
        drop(state);
        let source = source.unwrap_or_else(|| Source::new(bus, index));
        Numbered { source, next_seq }
    }

    pub(super) fn put(&self, Numbered { source, next_seq }: Numbered<E>) {
        let mut state = lock(&self.state);
        let old = state.source.replace(source);
        state.next_seq = next_seq;
        state.with_core = false;
        drop(state);
        drop_quietly(old);
    }

    /// Waits until nobody has the source and it is our turn, or until it is with a core.
    fn line_up<'a>(&'a self, mut state: MutexGuard<'a, State<E>>) -> MutexGuard<'a, State<E>> {
        if state.holder.is_none() && state.line.is_empty() {
            return state;
        }
        state.lined_up += 1;
        let number = state.lined_up;
        state.line.push_back(number);
        while !state.with_core && (state.holder.is_some() || state.line.front() != Some(&number)) {
            state = self.back.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.line.retain(|other| *other != number);
        state
    }

    /// Has the channel woken when the source is back that is [with us](Away::WithUs).
    pub(super) fn wait_for_us(&self, channel: &Arc<Channel<E>>) {
        let mut state = lock(&self.state);
        if !state.waiting.iter().any(|other| Arc::ptr_eq(other, channel)) {
            state.waiting.push(Arc::clone(channel));
        }
    }

    /// Works with the source if it is here, or comes back soon. One that nobody has published to is made.
    pub(super) fn with<R>(
        &self,
        (bus, index): (&Bus<E>, usize),
        work: impl FnOnce(&mut Source<E>, u64) -> R,
    ) -> Result<R, Away> {
        let me = std::thread::current().id();
        let mut state = lock(&self.state);
        if state.holder == Some(me) {
            return Err(Away::WithUs);
        }
        state = self.line_up(state);
        if state.with_core {
            // Whoever comes next in the line may have it, or leaves as well.
            self.back.notify_all();
            return Err(Away::WithCore);
        }
        let source = state.source.take();
        state.holder = Some(me);
        let next_seq = state.next_seq;
        drop(state);
        let mut held = Held { resting: self, source };
        // Those that a holder has left behind who did not come to his end.
        held.publish_nested(bus);
        let source = held.source.get_or_insert_with(|| Source::new(bus, index));
        let done = work(source, next_seq);
        held.finish(bus);
        Ok(done)
    }

    /// Refuses events from outside of the cores from here on.
    pub(super) fn refuse(&self) {
        lock(&self.state).refuses = true;
    }

    /// Waits for whoever works with the source, but not longer than `until`.
    pub(super) fn wait_for_holder(&self, until: Instant) {
        let mut state = lock(&self.state);
        while state.holder.is_some() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.back.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Publishes an event of the source that belongs to no core; says its number.
    ///
    /// # Errors
    ///
    /// The event, when it is refused.
    pub(super) fn publish(&self, bus: &Bus<E>, index: usize, event: E) -> Result<u64, E> {
        let me = std::thread::current().id();
        let mut state = lock(&self.state);
        if state.holder != Some(me) {
            state = self.line_up(state);
        }
        if state.refuses {
            self.back.notify_all();
            return Err(event);
        }
        let seq = state.next_seq;
        state.next_seq += 1;
        if state.holder.is_some() {
            state.nested.push_back((seq, event));
            return Ok(seq);
        }
        state.holder = Some(me);
        let source = state.source.take();
        drop(state);
        let source = source.unwrap_or_else(|| Source::new(bus, index));
        let mut held = Held { resting: self, source: Some(source) };
        // Those that a holder has left behind who did not come to his end.
        held.publish_nested(bus);
        if let Some(source) = &mut held.source {
            publish_one(bus, source, seq, event);
        }
        held.finish(bus);
        Ok(seq)
    }
}

impl<E: Send + Clone + 'static> Bus<E> {
    /// Has a source let go of those who have left; one that a core has, or that we are called by, does so by itself.
    pub(super) fn refresh_resting(&self, index: usize) {
        let refresh = |source: &mut Source<E>, next_seq| source.refresh_if_stale(self, next_seq);
        let gone = self.resting(index).with((self, index), refresh);
        gone.into_iter().flatten().for_each(drop_quietly);
    }

    /// Looks into the past of a source that no core holds.
    pub(super) fn look_at_resting(&self, index: usize, fetch: &Fetch<E>) -> Result<Found<E>, Away> {
        let (found, gone) = self.resting(index).with((self, index), |source, next_seq| {
            let gone = source.refresh_if_stale(self, next_seq);
            (source.fetch(self, next_seq, fetch), gone)
        })?;
        gone.into_iter().for_each(drop_quietly);
        Ok(found)
    }
}

fn publish_one<E: Send + Clone + 'static>(
    bus: &Bus<E>,
    source: &mut Source<E>,
    seq: u64,
    event: E,
) {
    source.refresh_if_stale(bus, seq).into_iter().for_each(drop_quietly);
    source.publish(bus, seq, event);
    source.flush(bus, seq + 1);
}
