//! An actor that does a bit of everything.

use std::time::Duration;

use tpc_actors::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    pub by: u64,
}

#[core_actor(event = Moved, supervise(max = 100_000, within = "1s", backoff = "1ms..10ms"))]
pub struct Account {
    sum: u64,
    kept: Vec<Reply<u64>>,
    ticks: u64,
}

#[core_actor]
impl Account {
    #[init]
    fn new() -> Self {
        Self { sum: 0, kept: Vec::new(), ticks: 0 }
    }

    #[handler]
    fn add(&mut self, cx: &mut Ctx<Self>, more: u64) -> u64 {
        self.sum += more;
        cx.publish(Moved { by: more });
        self.sum
    }

    #[handler(tell)]
    fn put(&mut self, more: u64) {
        self.sum += more;
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u64>) {
        self.kept.push(reply);
    }

    #[handler]
    fn release(&mut self) -> usize {
        let count = self.kept.len();
        self.kept.drain(..).for_each(|reply| reply.send(1));
        count
    }

    #[handler]
    fn ticks(&self) -> u64 {
        self.ticks
    }

    #[handler]
    fn fail(&mut self) {
        panic!("on purpose");
    }

    /// Asks another account, and answers with what that says.
    #[handler]
    fn through(&mut self, cx: &mut Ctx<Self>, other: AccountClient, more: u64, reply: Reply<u64>) {
        cx.ask(other.add(more), move |_, _, sum| {
            if let Ok(sum) = sum {
                reply.send(sum);
            }
        });
    }

    /// Work outside of the core.
    #[handler]
    fn outside(&mut self, cx: &mut Ctx<Self>, fails: bool, reply: Reply<u64>) {
        let work = async move {
            yields_once().await;
            assert!(!fails, "the work fails");
            7
        };
        cx.offload(work, move |_, _, number| reply.send(number));
    }

    #[handler]
    fn naps(&mut self, cx: &mut Ctx<Self>, time: Duration, reply: Reply<u64>) {
        let nap = cx.sleep(time);
        let me: AccountPinned = cx.pinned();
        cx.spawn(async move {
            nap.await;
            reply.send(me.ticks().await.unwrap_or(0));
        });
    }

    #[every("1s")]
    fn tick(&mut self) {
        self.ticks += 1;
    }
}

/// Yields, as code does that leaves others their turn.
async fn yields_once() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
