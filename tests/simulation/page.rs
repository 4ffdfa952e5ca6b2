//! Actors with a checkpoint, with work that never ends, and with what they must not do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::sim::Sim;

#[derive(Clone, Debug, PartialEq)]
pub struct Written(pub u32);

#[core_actor(event = Written, supervise(max = 100, within = "1s", backoff = "1ms..1ms"))]
pub struct Page {
    touched: u32,
    fails: bool,
    slept: Arc<AtomicU32>,
}

#[core_actor]
impl Page {
    #[init]
    fn new(slept: Arc<AtomicU32>) -> Self {
        Self { touched: 0, fails: false, slept }
    }

    #[handler(tell)]
    fn touch(&mut self) {
        self.touched += 1;
    }

    #[handler]
    fn touched(&self) -> u32 {
        self.touched
    }

    #[handler(tell)]
    fn fail_next(&mut self) {
        self.fails = true;
    }

    #[handler]
    fn naps(&mut self, cx: &mut Ctx<Self>, count: u32) {
        for _ in 0..count {
            let (nap, slept) = (cx.sleep(Duration::from_secs(10)), Arc::clone(&self.slept));
            cx.spawn(async move {
                nap.await;
                slept.fetch_add(1, Ordering::Relaxed);
            });
        }
    }

    #[handler(tell)]
    fn spin(&mut self, cx: &mut Ctx<Self>) {
        cx.spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
    }

    #[handler]
    fn waits_outside(&mut self, cx: &mut Ctx<Self>, other: PageClient, reply: Reply<u32>) {
        let work = async move { other.touched().wait().unwrap_or(u32::MAX) };
        cx.offload(work, move |_, _, touched| reply.send(touched));
    }

    #[handler]
    fn starts_one(&self) -> bool {
        std::panic::catch_unwind(|| drop(Sim::seeded(1).start())).is_err()
    }

    #[checkpoint]
    fn write(&mut self, cx: &mut Ctx<Self>) {
        if std::mem::take(&mut self.fails) {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        cx.publish(Written(self.touched));
        drop(cx.pinned().touch().now());
    }
}

#[core_actor]
pub struct Sweeper(u32);

#[core_actor]
impl Sweeper {
    #[init]
    fn new() -> Self {
        Self(0)
    }

    #[handler]
    fn swept(&self) -> u32 {
        self.0
    }

    #[maintenance(every = "7ms")]
    fn sweep(&mut self) -> Work {
        self.0 += 1;
        Work::More
    }
}
