//! The counter as a component of kompact.

use kompact::prelude::*;

use super::Peer;
use crate::stage::on_cpu;

#[derive(ComponentDefinition)]
struct KompactCounter {
    ctx: ComponentContext<Self>,
    sum: u64,
}

#[derive(Debug)]
pub enum KompactMessage {
    Add(u64),
    Get(Ask<u64, u64>),
}

ignore_lifecycle!(KompactCounter);

impl Actor for KompactCounter {
    type Message = KompactMessage;

    fn receive_local(&mut self, message: KompactMessage) -> HandlerResult {
        match message {
            KompactMessage::Add(n) => self.sum = self.sum.wrapping_add(n),
            KompactMessage::Get(ask) => {
                let answered = ask.complete(|n| {
                    self.sum = self.sum.wrapping_add(n);
                    self.sum
                });
                answered.expect("somebody waits");
            }
        }
        Handled::OK
    }
}

/// Its mailboxes have no bound.
#[derive(Clone)]
pub struct Kompact(ActorRefStrong<KompactMessage>);

impl Peer for Kompact {
    async fn tell(&self, n: u64) {
        self.0.tell(KompactMessage::Add(n));
    }

    async fn ask(&self, n: u64) -> u64 {
        let ask = |promise| KompactMessage::Get(Ask::new(promise, n));
        self.0.ask_with(ask).await.expect("an answer")
    }
}

impl Kompact {
    /// Starts it on one thread of that CPU.
    pub(super) fn start(cpu: usize) -> Self {
        let (started, waits) = std::sync::mpsc::channel();
        on_cpu(cpu, move || {
            let mut config = KompactConfig::default();
            config.set_config_value(&kompact::config_keys::system::THREADS, 1usize);
            let system = config.build().wait().expect("a system");
            let ctx = ComponentContext::uninitialised;
            let counter = system.create(move || KompactCounter { ctx: ctx(), sum: 0 });
            system.start_notify(&counter).wait();
            let _ = started.send(Self(counter.actor_ref().hold().expect("alive")));
            std::thread::park();
        });
        waits.recv().expect("it starts")
    }
}
