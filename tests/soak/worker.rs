//! The actor of the soak.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;

use super::books::{Ledger, violation};
use super::listeners::Begun;

#[core_actor(
    event = Begun,
    capacity = 64,
    supervise(max = 1_000_000, within = "1s", backoff = "1us..50us"),
    watchdog(failures = 30, within = "100ms", cool_down = "1ms..5ms", probes = 2)
)]
pub struct Worker {
    ledger: Arc<Ledger>,
    /// Set before a panic; a state that has seen one must not be seen again.
    broken: bool,
}

#[core_actor]
impl Worker {
    #[init]
    fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, broken: false }
    }

    fn start(&mut self, cx: &mut Ctx<Self>, number: u64) {
        self.ledger.start(number);
        cx.publish(Begun(number));
        if self.broken {
            violation("a state outlived its panic");
        }
    }

    #[handler]
    pub fn work(&mut self, cx: &mut Ctx<Self>, number: u64) -> u64 {
        self.start(cx, number);
        number
    }

    #[handler]
    pub fn fail(&mut self, cx: &mut Ctx<Self>, number: u64) -> u64 {
        self.start(cx, number);
        self.ledger.failed.fetch_add(1, Ordering::Relaxed);
        self.broken = true;
        match number % 3 {
            0 => panic!("a text"),
            1 => panic!("number {number}"),
            _ => std::panic::panic_any(number),
        }
    }

    #[handler]
    pub fn slow(&mut self, cx: &mut Ctx<Self>, number: u64, time: Duration) -> u64 {
        self.start(cx, number);
        let start = Instant::now();
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
        number
    }

    /// Answers later, or never if a panic comes first. Without a timer: those would wake a core that has
    /// missed its ring.
    #[handler]
    pub fn keep(&mut self, cx: &mut Ctx<Self>, number: u64, reply: Reply<u64>) {
        self.start(cx, number);
        cx.offload(async {}, move |_, _, ()| reply.send(number));
    }

    #[handler(tell)]
    pub fn told(&mut self, cx: &mut Ctx<Self>, number: u64) {
        self.start(cx, number);
    }
}
