//! Copies of events for the log: when they are made, and what comes of one that panics.

use std::cell::Cell;
use std::time::Duration;

use tokio::task::yield_now;
use tpc_actors::bus::log::{DecodeError, LogEvent, LogOptions, MemoryLog};
use tpc_actors::prelude::*;

thread_local! {
    /// Copies that this thread has made.
    static COPIES: Cell<usize> = const { Cell::new(0) };
}

/// An event whose copy is counted, or panics for one number.
struct Copied(u64);

const UNCOPIED: u64 = 13;

impl Clone for Copied {
    fn clone(&self) -> Self {
        assert_ne!(self.0, UNCOPIED, "planned");
        COPIES.set(COPIES.get() + 1);
        Self(self.0)
    }
}

impl LogEvent for Copied {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        u64::decode(bytes).map(Self)
    }
}

#[core_actor(event = Copied)]
struct Writer;

#[core_actor]
impl Writer {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn write(&mut self, cx: &mut Ctx<Self>, from: u64, to: u64) {
        (from..to).for_each(|n| _ = cx.publish(Copied(n)));
    }

    /// Asks itself to write, from a task; how many copies there are with the answer, and a turn later.
    #[handler]
    fn copies(&mut self, cx: &mut Ctx<Self>, reply: Reply<(usize, usize)>) {
        let me: WriterPinned = cx.pinned();
        cx.spawn(async move {
            yield_now().await;
            let before = COPIES.get();
            me.write(0, 4).await.expect("alive");
            let answered = COPIES.get() - before;
            yield_now().await;
            reply.send((answered, COPIES.get() - before));
        });
    }
}

#[test]
fn an_answer_waits_for_no_copy_and_a_copy_that_panics_costs_one_event() {
    let system = System::builder().cores(1).start().unwrap();
    system.log_events::<Copied>(MemoryLog::new(), LogOptions::new()).unwrap();
    let writer = system.spawn::<Writer>(()).wait().unwrap();
    let mut durable = system.events::<Copied>().durable().subscribe();
    for _ in 0..3 {
        assert_eq!(writer.copies().wait().unwrap(), (0, 4));
    }
    writer.write(10, 20).wait().unwrap();
    let seen: Vec<_> = std::iter::from_fn(|| match durable.next_wait()? {
        Delivery::Event { event, .. } => Some(event.0),
        Delivery::Gap(gap) => Some(1000 + gap.len()),
    })
    .take(22)
    .collect();
    let expected =
        [0, 1, 2, 3].repeat(3).into_iter().chain([10, 11, 12, 1001, 14, 15, 16, 17, 18, 19]);
    assert_eq!(seen, expected.collect::<Vec<_>>());
    assert_eq!(system.log_status::<Copied>().unwrap().missing, 1);
    assert!(system.shutdown_wait(Duration::from_secs(5)).is_clean());
}
