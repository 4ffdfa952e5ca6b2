//! Futures that actors have offloaded: polled by the simulation, between the turns of the cores.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::woken::Woken;
use crate::isolate::{catch, drop_quietly};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Guest {
    /// Out of its place while it is polled.
    future: Option<Running>,
    woken: Arc<Woken>,
}

/// The offloaded futures of one system, in the order of their start.
#[derive(Default)]
pub(crate) struct Guests(Mutex<Vec<Guest>>);

impl Guests {
    fn list(&self) -> MutexGuard<'_, Vec<Guest>> {
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
            let is_wanted =
                output.as_mut().is_some_and(|output| output.poll_closed(context).is_pending());
            let polled = if is_wanted {
                catch(|| future.as_mut().poll(context))
            } else {
                return Poll::Ready(());
            };
            let ended = match polled {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(message) => Err(message),
            };
            // Its actor may have ended within the poll.
            drop_quietly(output.take().map(|output| output.send(ended)));
            Poll::Ready(())
        });
        self.list().push(Guest { future: Some(Box::pin(running)), woken: Woken::now() });
        outcome
    }

    /// How many of them have something to do.
    pub(super) fn ready(&self) -> usize {
        self.list().iter().filter(|guest| guest.woken.is_woken()).count()
    }

    /// Polls one of those that have something to do, counted from 0.
    pub(super) fn poll(&self, which: usize) {
        // Nothing stays locked over the poll: it may end in code that offloads more.
        let take = |guest: &mut Guest| (guest.future.take(), Arc::clone(&guest.woken));
        let taken =
            self.list().iter_mut().filter(|guest| guest.woken.is_woken()).nth(which).map(take);
        let Some((Some(mut future), woken)) = taken else { return };
        woken.take();
        let polled = future.as_mut().poll(&mut Context::from_waker(&woken.waker()));
        let mut list = self.list();
        let place = list.iter().position(|guest| Arc::ptr_eq(&guest.woken, &woken));
        let Some(place) = place else { return drop_quietly(future) };
        match polled {
            Poll::Pending => list[place].future = Some(future),
            Poll::Ready(()) => {
                let ended = list.remove(place);
                drop(list);
                drop_quietly((ended, future));
            }
        }
    }

    /// Drops all of them.
    pub(crate) fn clear(&self) {
        let guests = std::mem::take(&mut *self.list());
        guests.into_iter().for_each(drop_quietly);
    }
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guests").field("futures", &self.list().len()).finish()
    }
}
