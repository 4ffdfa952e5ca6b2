//! Random histories of a simulated system: whatever users do and whatever fails, each request has one fate, orders are
//! kept, the books balance, and the same seed does it all again.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tpc_actors::Actor;
use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::{Group, Strategy};

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

/// Numbers that a seed determines.
struct Random(Cell<u64>);

impl Random {
    fn below(&self, end: u64) -> u64 {
        let state = self
            .0
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0.set(state);
        (state >> 33) % end
    }

    fn index(&self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }
}

/// What handlers have seen, which outlives their states.
#[derive(Default)]
pub struct Seen {
    ran: HashSet<u64>,
    /// The last number of each ordered sender, by the actor's id.
    last: HashMap<(u64, u64), u64>,
}

pub type Witness = Arc<Mutex<Seen>>;

fn saw(seen: &Witness, number: u64) {
    assert!(seen.lock().unwrap().ran.insert(number), "{number} runs twice");
}

/// One kind of actor for each policy, with the same handlers.
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
                panic!("on purpose");
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
                let ask = if number % 5 == 0 { ask.deadline(US * u32::try_from(number % 900).unwrap()) } else { ask };
                Box::pin(ask.into_owned())
            }

            fn tell(&self, kind: u64, number: u64) -> Option<u64> {
                let sent = match kind {
                    0 => self.release(number).now(),
                    1 if number % 7 == 0 => self.end(number).now(),
                    _ => self.note(number).now(),
                };
                sent.is_ok().then_some(number)
            }

            fn in_line(&self) -> Self {
                self.ordered()
            }

            fn tell_in_order(&self, sender: u64, number: u64) {
                drop(self.in_order(sender, number).now());
            }

            fn notes(&self, numbers: std::ops::Range<u64>) {
                let mut batch = self.batch();
                numbers.for_each(|number| batch.push(self.note(number)));
                drop(batch.send().now());
            }

            fn works(&self, numbers: std::ops::Range<u64>) -> Pin<Box<dyn Future<Output = usize>>> {
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
trait Tries: ActorClient {
    fn ask(
        &self,
        kind: u64,
        number: u64,
        other: &Self,
    ) -> Pin<Box<dyn Future<Output = Result<u64, AskError>>>>;
    fn tell(&self, kind: u64, number: u64) -> Option<u64>;
    fn in_line(&self) -> Self;
    fn tell_in_order(&self, sender: u64, number: u64);
    fn notes(&self, numbers: std::ops::Range<u64>);
    fn works(&self, numbers: std::ops::Range<u64>) -> Pin<Box<dyn Future<Output = usize>>>;
}

/// An ask that has been polled and waits.
type Open = (u64, Pin<Box<dyn Future<Output = Result<u64, AskError>>>>);

/// What an outcome says must be so.
fn check(number: u64, outcome: Result<u64, AskError>, seen: &Witness) {
    let ran = seen.lock().unwrap().ran.contains(&number);
    match outcome {
        Ok(_) => assert!(ran, "{number} was answered and never ran"),
        Err(error) => assert!(!ran || !error.never_ran(), "{number} ran: {error}"),
    }
}

fn look(ask: &mut Open) -> Option<Result<u64, AskError>> {
    match ask.1.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// A history of one kind of actor; `spawn` makes one with this id.
fn history<C: Tries>(seed: u64, spawn: impl Fn(&mut Sim, u64, Witness) -> C) -> Vec<String> {
    let random = Random(Cell::new(seed ^ 0x5DEE_CE66));
    let mut sim =
        Sim::seeded(seed).cores(1 + random.index(3)).tasks_max(16).run_time_max(MS * 1000).start();
    let seen = Witness::default();
    let mut ids = 0..;
    let mut next = |sim: &mut Sim| spawn(sim, ids.next().unwrap(), Arc::clone(&seen));
    let mut clients: Vec<C> = (0..3).map(|_| next(&mut sim)).collect();
    let mut ordered: Vec<C> = clients.iter().map(|client| client.in_line()).collect();
    let mut events = sim.events::<u64>().capacity(8).subscribe();
    let mut open: Vec<Open> = Vec::new();
    let mut number = 0;
    for _ in 0..120 {
        number += 1;
        let at = random.index(clients.len());
        match random.below(16) {
            0..5 => {
                let other = &clients[random.index(clients.len())];
                let mut ask = (number, clients[at].ask(random.below(12), number, other));
                match look(&mut ask) {
                    Some(outcome) => check(number, outcome, &seen),
                    None => open.push(ask),
                }
            }
            5 if !open.is_empty() => drop(open.swap_remove(random.index(open.len()))),
            6 | 7 if !open.is_empty() => {
                let mut ask = open.swap_remove(random.index(open.len()));
                match look(&mut ask) {
                    Some(outcome) => check(ask.0, outcome, &seen),
                    None => open.push(ask),
                }
            }
            8 => drop(clients[at].tell(random.below(4), number)),
            9 => {
                for _ in 0..3 {
                    number += 1;
                    ordered[at].tell_in_order(at as u64, number);
                }
            }
            10 => {
                clients[at].notes(number..number + 6);
                number += 6;
            }
            11 => {
                let sum = clients[at].works(number..number + 5);
                number += 5;
                sim.run(async {
                    // Left after some polls.
                    let mut sum = sum;
                    for _ in 0..3 {
                        if is_ready(sum.as_mut()).await {
                            break;
                        }
                    }
                });
            }
            12 if random.below(8) == 0 => {
                sim.stop(&clients[at]);
                clients[at] = next(&mut sim);
                ordered[at] = clients[at].in_line();
            }
            13 => {
                let chance = |of: u64| f64::from(u32::try_from(random.below(of)).unwrap()) / 100.0;
                sim.faults(
                    Faults::none()
                        .handler_panics(chance(20))
                        .full_lanes(chance(50))
                        .stalls(chance(10), MS * 2),
                );
            }
            14 => while events.try_next().is_some() {},
            _ => sim.advance(US * u32::try_from(random.below(500)).unwrap()),
        }
        assert!(sim.ledger().balances(), "{}", sim.ledger());
    }
    // Half of the histories end with everything answered, the others in the middle.
    sim.faults(Faults::none());
    let at_rest = seed % 2 == 0;
    if at_rest {
        sim.advance(MS * 50);
        for client in &clients {
            number += 1;
            client.tell(0, number);
        }
        sim.advance(MS * 50);
        assert_eq!(sim.ledger().waiting, 0, "{}", sim.ledger());
    }
    let report = sim.shutdown(MS * random_ms(seed));
    for (number, mut ask) in open {
        let outcome = sim.run(ask.as_mut());
        check(number, outcome, &seen);
    }
    let ledger = sim.ledger();
    assert!(ledger.balances() && ledger.waiting == 0, "{ledger}");
    assert_eq!((report.finished(), report.rejected()), (ledger.handled, ledger.rejected));
    let trace = sim.trace();
    let panics = trace.iter().filter(|line| line.contains(" panicked")).count() as u64;
    assert_eq!((report.panics(), ledger.panics), (panics, panics));
    trace
}

fn random_ms(seed: u64) -> u32 {
    u32::try_from(seed % 5).unwrap()
}

/// Polls a future once, and says whether it is ready.
async fn is_ready<F: Future + ?Sized>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// The five kinds in turn, in a group or by themselves.
fn any_history(seed: u64) -> Vec<String> {
    fn alone<A: Actor<Args = (u64, Witness)>>(sim: &mut Sim, id: u64, seen: Witness) -> A::Client {
        sim.spawn::<A>((id, seen))
    }
    match seed % 6 {
        0 => history(seed, alone::<Patient>),
        1 => history(seed, alone::<Strict>),
        2 => history(seed, alone::<Guarded>),
        3 => history(seed, alone::<Stubborn>),
        4 => history(seed, alone::<Mortal>),
        _ => {
            let group = std::cell::OnceCell::new();
            history(seed, |sim: &mut Sim, id, seen| {
                let options = Group::new().strategy(Strategy::OneForAll);
                let group = group.get_or_init(|| sim.group(options));
                let member = group.spawn::<Patient>((id, seen));
                sim.run(member).unwrap()
            })
        }
    }
}

fn twice(seed: u64) {
    let (first, second) = (any_history(seed), any_history(seed));
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    assert_eq!(differs.map(|at| (&first[at], &second[at])), None, "seed {seed} has two histories");
    assert_eq!(first.len(), second.len(), "seed {seed} has two histories");
}

#[test]
fn whatever_happens_happens_once_and_again_with_the_same_seed() {
    (0..120).for_each(twice);
}

/// `just histories 10000`: as many seeds as `SEEDS` says, from the one on that `FROM` says.
#[test]
#[ignore = "takes as long as one wants"]
fn many_histories() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let from = number("FROM", 0);
    (from..from + number("SEEDS", 1000)).for_each(twice);
}

/// Defects that are noticed soon; the soak has all of them.
#[cfg(tpc_planted)]
#[test]
fn planted_defects_are_noticed() {
    for name in
        ["lost-request", "lost-ring", "run-cancelled", "keep-broken-state", "uncounted-panic"]
    {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "many_histories"])
            .env("TPC_PLANTED", name)
            .output()
            .unwrap();
        assert!(!output.status.success(), "`{name}` went unnoticed");
    }
}
