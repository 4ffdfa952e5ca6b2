//! Answers that come later: what their askers find by then, when they are woken, and odd places to answer from.

mod poll_once;
mod until;

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use poll_once::poll_once;
use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq)]
struct Opened(u32);

#[derive(Default)]
struct Fixture {
    /// The asker has seen what there was to see.
    seen: AtomicBool,
    /// Wakers that were woken.
    woken: AtomicUsize,
}

/// Answers when somebody opens it.
#[core_actor(event = Opened)]
struct Gate {
    fixture: Arc<Fixture>,
    waiting: Vec<Reply<u32>>,
}

#[core_actor]
impl Gate {
    #[init]
    fn new(fixture: Arc<Fixture>) -> Self {
        Self { fixture, waiting: Vec::new() }
    }

    #[handler]
    fn enter(&mut self, reply: Reply<u32>) {
        self.waiting.push(reply);
    }

    #[handler]
    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Answers whoever waits, and returns when the asker has looked around.
    #[handler(tell)]
    fn open(&mut self, cx: &mut Ctx<Self>, number: u32) {
        cx.publish(Opened(number));
        self.waiting.drain(..).for_each(|reply| reply.send(number));
        self.wait_until_seen();
    }

    #[handler(batch = 4)]
    fn knock(&mut self, cx: &mut Ctx<Self>, knocks: Batch<u32, Reply<u32>>) {
        for (number, reply) in knocks {
            cx.publish(Opened(number));
            reply.send(number);
        }
        self.wait_until_seen();
    }

    /// How many of those that were answered by this handler were woken before it has returned.
    #[handler]
    fn open_quietly(&mut self) -> usize {
        self.waiting.drain(..).for_each(|reply| reply.send(1));
        self.fixture.woken.load(Ordering::SeqCst)
    }

    fn wait_until_seen(&self) {
        until("a look around", || self.fixture.seen.load(Ordering::SeqCst));
    }
}

fn start() -> (System, GateClient, Arc<Fixture>) {
    // Without a backstop, so that a wake that is lost is missed for ever; and nobody looks soon for a handler that takes long.
    let system = System::builder().cores(1).park_backstop(None).stall_after(None).start().unwrap();
    let fixture = Arc::new(Fixture::default());
    let gate = system.spawn::<Gate>(Arc::clone(&fixture)).wait().unwrap();
    (system, gate, fixture)
}

fn stop(system: &System) {
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Counts how often it was woken.
struct Counts(Arc<Fixture>);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.woken.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls an ask until it has left its waker: it may look for its answer in some turns before.
fn fall_asleep(mut ask: Pin<&mut impl Future>, waker: &Waker) {
    for _ in 0..100 {
        assert!(ask.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
}

/// Asks by `ask`, has it answered by `open`, and looks for the event behind the answer while whoever answers still runs.
fn finds_the_event<'a>(
    system: &System,
    fixture: &Fixture,
    ask: impl Future<Output = Result<u32, AskError>> + 'a,
    open: impl FnOnce(),
) {
    let mut events = system.events::<Opened>().subscribe();
    let mut ask = pin!(ask);
    assert!(poll_once(ask.as_mut()).is_none());
    open();
    let mut answer = None;
    until("the answer", || {
        answer = poll_once(ask.as_mut());
        answer.is_some()
    });
    let found = events.try_next();
    fixture.seen.store(true, Ordering::SeqCst);
    let number = answer.unwrap().unwrap();
    assert!(
        matches!(&found, Some(Delivery::Event { event, .. }) if *event == Opened(number)),
        "{found:?}"
    );
}

#[test]
fn who_has_an_answer_of_a_token_finds_the_events_before_it() {
    let (system, gate, fixture) = start();
    finds_the_event(&system, &fixture, gate.enter().into_future(), || gate.open(7).now().unwrap());
    stop(&system);
}

#[test]
fn who_has_an_answer_of_a_batch_finds_the_events_before_it() {
    let (system, gate, fixture) = start();
    finds_the_event(&system, &fixture, gate.knock(5).into_future(), || {});
    stop(&system);
}

#[test]
fn those_who_are_answered_together_are_woken_when_the_handler_has_returned() {
    let (system, gate, fixture) = start();
    let waker = Waker::from(Arc::new(Counts(Arc::clone(&fixture))));
    let mut asks: Vec<_> = (0..3).map(|_| Box::pin(gate.enter().into_future())).collect();
    for ask in &mut asks {
        fall_asleep(ask.as_mut(), &waker);
    }
    until("all of them", || gate.waiting().wait().unwrap() == 3);
    fixture.woken.store(0, Ordering::SeqCst);
    assert_eq!(gate.open_quietly().wait().unwrap(), 0);
    until("three wakes", || fixture.woken.load(Ordering::SeqCst) == 3);
    for mut ask in asks {
        assert_eq!(poll_once(ask.as_mut()).unwrap().unwrap(), 1);
    }
    stop(&system);
}

/// A token for whom somebody else's code answers.
type Held = Arc<Mutex<Option<Reply<u32>>>>;

fn answer(held: &Held, number: u32) {
    if let Some(reply) = held.lock().unwrap().take() {
        reply.send(number);
    }
}

/// Gives tokens away.
#[core_actor(event = Opened)]
struct Giver {
    to: Held,
}

#[core_actor]
impl Giver {
    #[init]
    fn new(to: Held) -> Self {
        Self { to }
    }

    #[handler]
    fn ask(&mut self, reply: Reply<u32>) {
        *self.to.lock().unwrap() = Some(reply);
    }

    #[handler]
    fn publish(&mut self, cx: &mut Ctx<Self>, number: u32) {
        cx.publish(Opened(number));
    }

    /// By an ask on the spot.
    #[handler(tell)]
    fn publish_from_a_task(&mut self, cx: &mut Ctx<Self>, number: u32) {
        let me = cx.pinned();
        cx.spawn(async move { me.publish(number).await.unwrap() });
    }
}

fn start_giver() -> (System, GiverClient, Held) {
    let system = System::builder().cores(1).park_backstop(None).start().unwrap();
    let held = Held::default();
    let giver = system.spawn::<Giver>(Arc::clone(&held)).wait().unwrap();
    (system, giver, held)
}

/// A thread that waits for the answer to an ask whose token is away by now.
fn waits_for(giver: &GiverClient, held: &Held) -> thread::JoinHandle<u32> {
    let giver = giver.ordered();
    let asker = thread::spawn(move || giver.ask().wait().unwrap());
    until("a token", || held.lock().unwrap().is_some());
    asker
}

#[test]
fn a_filter_may_answer() {
    by_a_filter(|giver| giver.publish(4).wait().unwrap());
    by_a_filter(|giver| giver.publish_from_a_task(4).wait().unwrap());
}

fn by_a_filter(publish: impl FnOnce(&GiverClient)) {
    let (system, giver, held) = start_giver();
    let token = Arc::clone(&held);
    let filter = move |event: &Opened| {
        answer(&token, 10 * event.0);
        true
    };
    let mut events = system.events::<Opened>().filter(filter).subscribe();
    let asker = waits_for(&giver, &held);
    publish(&giver);
    assert_eq!(asker.join().unwrap(), 40);
    assert!(matches!(events.next_wait(), Some(Delivery::Event { event: Opened(4), .. })));
    stop(&system);
}

/// Answers when it is woken.
struct Answers(Held);

impl Wake for Answers {
    fn wake(self: Arc<Self>) {
        answer(&self.0, 8);
    }
}

/// It is woken at the end of a turn, after which the core goes to sleep.
#[test]
fn a_waker_may_answer() {
    let (system, gate, fixture) = start();
    let held = Held::default();
    let giver = system.spawn::<Giver>(Arc::clone(&held)).wait().unwrap();
    let waker = Waker::from(Arc::new(Answers(Arc::clone(&held))));
    let mut entering = Box::pin(gate.enter().into_future());
    fall_asleep(entering.as_mut(), &waker);
    let asker = waits_for(&giver, &held);
    fixture.seen.store(true, Ordering::SeqCst);
    gate.open(2).now().unwrap();
    assert_eq!(asker.join().unwrap(), 8);
    assert_eq!(poll_once(entering.as_mut()).unwrap().unwrap(), 2);
    stop(&system);
}
