//! Starts futures together and collects their outputs in the order in which they were started.
//!
//! All of them are polled for the first time in one go, in order, by one thread. An ask is sent by its
//! first poll, and asks from one thread reach an actor first in, first out; so `SET a 1` and `GET a`
//! may be under way together and still happen one after the other. After that only the oldest
//! unfinished future is polled: a wake-up costs one poll, not one for each future of the run.
//!
//! Before it sleeps, a run may look a few more times. A shard answers within a microsecond or so, while
//! waking a thread that sleeps takes tens of them; the looks queue behind the tasks that are ready, so
//! they only use time in which this thread would have gone to sleep.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// As many boxes as stay allocated between runs; a connection that once sent a long run and then
/// fell idle must not hold their memory.
const KEEP_SLOTS: usize = 16;

/// A run of futures made by `begin`, in boxes that are used again by the next run.
pub(crate) struct InOrder<S, F: Future> {
    begin: S,
    /// How often an unfinished run looks again before it waits to be woken.
    looks: u32,
    slots: Vec<Pin<Box<F>>>,
    /// Outputs of futures that were ready on their first poll, each in the place of its future.
    early: Vec<Option<F::Output>>,
    started: usize,
    joined: usize,
}

impl<S, F: Future> InOrder<S, F> {
    pub(crate) fn new<I>(looks: u32, begin: S) -> Self
    where
        S: Fn(I) -> F,
    {
        Self { begin, looks, slots: Vec::new(), early: Vec::new(), started: 0, joined: 0 }
    }

    /// Adds a future to the run; it starts when the run is joined.
    pub(crate) fn push<I>(&mut self, item: I)
    where
        S: Fn(I) -> F,
    {
        let future = (self.begin)(item);
        match self.slots.get_mut(self.early.len()) {
            Some(slot) => slot.set(future),
            None => self.slots.push(Box::pin(future)),
        }
        self.early.push(None);
    }

    pub(crate) fn len(&self) -> usize {
        self.early.len()
    }

    /// Runs everything pushed so far to its end; the outputs go behind what `outputs` holds.
    pub(crate) async fn join_into(&mut self, outputs: &mut Vec<F::Output>) {
        let mut looks = self.looks;
        poll_fn(|cx| {
            let joined = self.poll_join(cx, outputs);
            if joined.is_pending() && looks > 0 {
                looks -= 1;
                cx.waker().wake_by_ref();
            }
            joined
        })
        .await;
        self.early.clear();
        self.slots.truncate(KEEP_SLOTS);
        (self.started, self.joined) = (0, 0);
    }

    fn poll_join(&mut self, cx: &mut Context<'_>, outputs: &mut Vec<F::Output>) -> Poll<()> {
        while self.started < self.early.len() {
            if let Poll::Ready(output) = self.slots[self.started].as_mut().poll(cx) {
                self.early[self.started] = Some(output);
            }
            self.started += 1;
        }
        while self.joined < self.early.len() {
            let output = match self.early[self.joined].take() {
                Some(output) => output,
                None => match self.slots[self.joined].as_mut().poll(cx) {
                    Poll::Ready(output) => output,
                    Poll::Pending => return Poll::Pending,
                },
            };
            outputs.push(output);
            self.joined += 1;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::InOrder;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Wake, Waker};
    use std::{future::poll_fn, pin::pin};

    #[test]
    fn outputs_keep_the_order_whatever_finishes_first() {
        let log = Mutex::new(Vec::new());
        let log = &log;
        let mut run = InOrder::new(0, |(id, mut delay): (u32, u32)| async move {
            poll_fn(|_| {
                log.lock().expect("one thread").push(id);
                if delay == 0 {
                    return Poll::Ready(());
                }
                delay -= 1;
                Poll::Pending
            })
            .await;
            id
        });
        for round in 0..3 {
            let delays = [(0, 3), (1, 0), (2, 1), (3, 0)];
            for item in delays {
                run.push(item);
            }
            let mut outputs = Vec::new();
            let mut polls = 0;
            {
                let mut joining = pin!(run.join_into(&mut outputs));
                let mut cx = Context::from_waker(Waker::noop());
                while joining.as_mut().poll(&mut cx).is_pending() {
                    polls += 1;
                }
            }
            assert_eq!(outputs, [0, 1, 2, 3], "round {round}");
            assert_eq!(polls, 2);
            let seen = std::mem::take(&mut *log.lock().expect("one thread"));
            assert_eq!(seen[..4], [0, 1, 2, 3], "every first poll happens in the first poll");
        }
    }

    #[test]
    fn a_run_looks_again_as_often_as_it_may_and_then_waits() {
        struct Count(AtomicU32);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut run = InOrder::new(3, |()| std::future::pending::<u8>());
        run.push(());
        let mut outputs = Vec::new();
        let mut joining = pin!(run.join_into(&mut outputs));
        let count = Arc::new(Count(AtomicU32::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        for polls in 1..6 {
            assert!(joining.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(count.0.load(Ordering::Relaxed), polls.min(3));
        }
    }

    #[test]
    fn an_empty_run_is_over_at_once() {
        let mut run = InOrder::new(0, std::future::ready::<u8>);
        let mut outputs = Vec::new();
        let joined = pin!(run.join_into(&mut outputs))
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready();
        assert!(joined && run.len() == 0);
    }
}
