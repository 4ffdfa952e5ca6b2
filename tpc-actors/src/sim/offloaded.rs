//! Futures that actors have offloaded: polled by the simulation, between the turns of the cores.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::woken::Woken;
use crate::isolate::{catch, drop_quietly};

struct Running {
    /// Out of its place while it is polled.
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    woken: Arc<Woken>,
}

/// The offloaded futures of one system, in the order of their start.
#[derive(Default)]
pub(crate) struct OffloadedFutures(Mutex<Vec<Running>>);

impl OffloadedFutures {
    fn list(&self) -> MutexGuard<'_, Vec<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts `future`. What is returned gives its output, or the message of its panic; dropping that ends it.
    pub(crate) fn add<F>(&self, future: F) -> oneshot::Receiver<Result<F::Output, String>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (output, outcome) = oneshot::channel();
        let (mut future, mut output) = (Box::pin(future), Some(output));
        let running = poll_fn(move |context| {
            let Some(open) = &mut output else { return Poll::Ready(()) };
            if open.poll_closed(context).is_ready() {
                return Poll::Ready(());
            }
            let ended = match catch(|| future.as_mut().poll(context)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(message) => Err(message),
            };
            // Its actor may have ended within the poll.
            drop_quietly(output.take().map(|output| output.send(ended)));
            Poll::Ready(())
        });
        self.list().push(Running { future: Some(Box::pin(running)), woken: Woken::now() });
        outcome
    }

    /// How many of them have something to do.
    pub(super) fn ready(&self) -> usize {
        self.list().iter().filter(|running| running.woken.is_woken()).count()
    }

    /// Polls one of those that have something to do, counted from 0.
    pub(super) fn poll(&self, which: usize) {
        let take = |running: &mut Running| (running.future.take(), Arc::clone(&running.woken));
        let is_ready = |running: &&mut Running| running.woken.is_woken();
        let taken = self.list().iter_mut().filter(is_ready).nth(which).map(take);
        let Some((Some(mut future), woken)) = taken else { return };
        woken.take();
        // Nothing stays locked over the poll: it may end in code that offloads more.
        let polled = future.as_mut().poll(&mut Context::from_waker(&woken.waker()));
        if polled.is_pending() {
            let mut list = self.list();
            if let Some(place) = list.iter_mut().find(|other| Arc::ptr_eq(&other.woken, &woken)) {
                place.future = Some(future);
                return;
            }
        } else {
            self.list().retain(|other| !Arc::ptr_eq(&other.woken, &woken));
        }
        drop_quietly(future);
    }

    /// Drops all of them.
    pub(crate) fn clear(&self) {
        let running = std::mem::take(&mut *self.list());
        running.into_iter().for_each(drop_quietly);
    }
}

impl fmt::Debug for OffloadedFutures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OffloadedFutures").field("running", &self.list().len()).finish()
    }
}
