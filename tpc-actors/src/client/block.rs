//! Waiting for a future on a plain thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::sim::run_here;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// One waker a thread: unparking is remembered, so sharing it costs at most a spurious poll.
    static WAKER: Waker = Waker::from(Arc::new(Unpark(std::thread::current())));
}

/// As [`block_on`], for a future that waits for this system: the thread of a simulation runs it meanwhile.
pub(crate) fn block_on_of<F: Future>(system: u64, future: F) -> F::Output {
    match run_here(system, future) {
        Ok(output) => output,
        Err(future) => block_on(future),
    }
}

/// Runs `future` to its end on this thread. The caller makes sure that it is not a core's thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = WAKER
        .try_with(Waker::clone)
        .unwrap_or_else(|_| Waker::from(Arc::new(Unpark(std::thread::current()))));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
