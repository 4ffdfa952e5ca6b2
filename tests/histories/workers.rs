//! The actors of the histories: one kind for each policy, with the same handlers, and what users try with them.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tpc_actors::prelude::*;

const US: Duration = Duration::from_micros(1);

/// What handlers have seen, which outlives their states.
#[derive(Default)]
pub struct Seen {
    pub ran: HashSet<u64>,
    /// The last number of each ordered sender, by the actor's id.
    last: HashMap<(u64, u64), u64>,
}

pub type Witness = Arc<Mutex<Seen>>;

fn saw(seen: &Witness, number: u64) {
    assert!(seen.lock().unwrap().ran.insert(number), "{number} runs twice");
}

macro_rules! workers {
    ($($name:ident $client:ident $pinned:ident [$($options:tt)*])*) => {$(
        #[core_actor(event = u64, $($options)*)]
        pub struct $name {
            id: u64,
            seen: Witness,
            kept: Vec<Reply<u64>>,
        }

        #[core_actor]
        impl $name {
            #[init]
            fn new(id: u64, seen: Witness) -> Self {
                Self { id, seen, kept: Vec::new() }
            }

            #[handler]
            fn work(&mut self, cx: &mut Ctx<Self>, number: u64) -> u64 {
                saw(&self.seen, number);
                cx.publish(number);
                number
            }

            #[handler(tell)]
            fn note(&mut self, number: u64) {
                saw(&self.seen, number);
            }

            #[handler(tell)]
            fn in_order(&mut self, sender: u64, number: u64) {
                saw(&self.seen, number);
                let last = self.seen.lock().unwrap().last.insert((self.id, sender), number);
                assert!(last.is_none_or(|last| last < number), "{number} after {last:?} of sender {sender}");
            }

            #[handler]
            fn fail(&mut self, number: u64) -> u64 {
                saw(&self.seen, number);
                std::panic::resume_unwind(Box::new("on purpose"));
            }

            #[handler]
            fn keep(&mut self, number: u64, reply: Reply<u64>) {
                saw(&self.seen, number);
                self.kept.push(reply);
            }

            #[handler(tell)]
            fn release(&mut self, number: u64) {
                saw(&self.seen, number);
                self.kept.drain(..).for_each(|reply| reply.send(number));
            }

            #[handler(batch = 3)]
            fn together(&mut self, batch: Batch<u64, Reply<u64>>) {
                for (number, reply) in batch {
                    saw(&self.seen, number);
                    reply.send(number);
                }
            }

            #[handler]
            fn outside(&mut self, cx: &mut Ctx<Self>, number: u64, reply: Reply<u64>) {
                saw(&self.seen, number);
                cx.offload(async move { number }, |_, _, number| reply.send(number));
            }

            #[handler]
            fn nap(&mut self, cx: &mut Ctx<Self>, number: u64, reply: Reply<u64>) {
                saw(&self.seen, number);
                let (nap, me): (_, $pinned) = (cx.sleep(US * 300), cx.pinned());
                cx.spawn(async move {
                    nap.await;
                    drop(me.work(number + TASKS).await);
                    drop(me.note(number + 2 * TASKS).await);
                    reply.send(number);
                });
            }

            #[handler]
            fn onward(&mut self, cx: &mut Ctx<Self>, other: $client, number: u64, reply: Reply<u64>) {
                saw(&self.seen, number);
                cx.ask(other.work(number + TASKS), |_, _, answer| {
                    if let Ok(number) = answer {
                        reply.send(number);
                    }
                });
            }

            #[handler(tell)]
            fn end(&mut self, cx: &mut Ctx<Self>, number: u64) {
                saw(&self.seen, number);
                cx.stop();
            }

            #[every("700us")]
            fn tick(&mut self) {}
        }

        impl Tries for $client {
            fn ask(&self, kind: u64, number: u64, other: &Self) -> Pin<Box<dyn Future<Output = Result<u64, AskError>>>> {
                let ask = match kind {
                    0 => self.fail(number),
                    1 => self.keep(number),
                    2 => self.together(number),
                    3 => self.outside(number),
                    4 => self.nap(number),
                    5 => self.onward(other.clone(), number),
                    _ => self.work(number),
                };
                let ask = if number.is_multiple_of(5) { ask.deadline(US * u32::try_from(number % 900).unwrap()) } else { ask };
                Box::pin(ask.into_owned())
            }

            fn tell(&self, kind: u64, number: u64) {
                drop(match kind {
                    0 => self.release(number).now(),
                    1 if number.is_multiple_of(7) => self.end(number).now(),
                    _ => self.note(number).now(),
                });
            }

            fn in_line(&self) -> Self {
                self.ordered()
            }

            fn tell_in_order(&self, sender: u64, number: u64) {
                drop(self.in_order(sender, number).now());
            }

            fn notes(&self, numbers: Range<u64>) {
                let mut batch = self.batch();
                numbers.for_each(|number| batch.push(self.note(number)));
                drop(batch.send().now());
            }

            fn works(&self, numbers: Range<u64>) -> Pin<Box<dyn Future<Output = usize>>> {
                let client = self.clone();
                Box::pin(async move {
                    let answers = client.ask_batch(numbers.map(|number| client.work(number))).await;
                    answers.iter().filter(|answer| answer.is_ok()).count()
                })
            }
        }
    )*};
}

/// Numbers of what tasks and siblings send.
const TASKS: u64 = 1 << 32;

workers! {
    Patient PatientClient PatientPinned [capacity = 4, supervise(max = 100_000, within = "1s", backoff = "1ms..3ms")]
    Strict StrictClient StrictPinned [capacity = 3, supervise(max = 100_000, within = "1s", backoff = "1ms..3ms", queue = reject)]
    Guarded GuardedClient GuardedPinned [
        capacity = 8,
        supervise(max = 100_000, within = "1s", backoff = "100us..1ms"),
        watchdog(failures = 3, within = "10ms", cool_down = "2ms..5ms", probes = 2)
    ]
    Stubborn StubbornClient StubbornPinned [capacity = 4, supervise(on_panic = resume)]
    Mortal MortalClient MortalPinned [capacity = 4, supervise(on_panic = stop)]
}

/// What users try, whatever the actor.
pub trait Tries: ActorClient {
    fn ask(
        &self,
        kind: u64,
        number: u64,
        other: &Self,
    ) -> Pin<Box<dyn Future<Output = Result<u64, AskError>>>>;
    fn tell(&self, kind: u64, number: u64);
    fn in_line(&self) -> Self;
    fn tell_in_order(&self, sender: u64, number: u64);
    fn notes(&self, numbers: Range<u64>);
    fn works(&self, numbers: Range<u64>) -> Pin<Box<dyn Future<Output = usize>>>;
}
