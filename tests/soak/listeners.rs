//! Those who listen to what the workers begin, and what each of them must have got in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tpc_actors::bus::log::{DecodeError, LogEvent, LogOptions, MemoryLog};
use tpc_actors::bus::{Events, SourceStatus, Start, Subscription};
use tpc_actors::{Delivery, Overflow, System};

use super::books::{Totals, violation};
use super::chaos::{Random, hang};

/// A handler has begun with this request.
#[derive(Clone, Debug)]
pub struct Begun(pub u64);

impl LogEvent for Begun {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        u64::decode(bytes).map(Self)
    }
}

/// The cores of an episode, and the publishers outside of them.
pub const SOURCES: usize = 3;

/// What a listener to all events has followed: the number that comes next, by source.
type Followed = [u64; SOURCES];

pub struct Listeners {
    /// They hear everything, and so must have followed all of it.
    whole: Vec<JoinHandle<Followed>>,
    others: Vec<JoinHandle<()>>,
    /// What a publisher outside of the cores got accepted.
    outside: JoinHandle<u64>,
    heard: Arc<AtomicU64>,
}

impl Listeners {
    /// Listens until the system has ended.
    pub fn start(system: &Arc<System>, random: &Random) -> Self {
        // The log has less room than comes at times.
        let options = LogOptions::new().keep_events(20_000).feed_capacity(8192);
        system.log_events::<Begun>(MemoryLog::new(), options).expect("a log that is new");
        let heard = Arc::<AtomicU64>::default();
        let listener = |events: Events<Begun>| Listener {
            events: events.retain(512).subscribe(),
            random: random.fork(),
            heard: Arc::clone(&heard),
        };
        let whole = |events| {
            let listener = listener(events);
            thread::spawn(move || {
                let mut next = Followed::default();
                listener.listen(|delivery| follow(&mut next, delivery));
                next
            })
        };
        let other = |events| {
            let listener = listener(events);
            thread::spawn(move || listener.listen(|_| {}))
        };
        let events = || system.events::<Begun>();
        let even = events().filter(|Begun(number)| number % 2 == 0).capacity(32);
        let third = events().filter(|Begun(number)| number % 3 == 0).capacity(64);
        let merged = Overflow::conflate(|Begun(number): &Begun| number % 16);
        let elsewhere = || (Arc::clone(system), random.fork());
        let (visited, visits) = elsewhere();
        let (fed, feeds) = elsewhere();
        Self {
            whole: vec![whole(events().capacity(256)), whole(events().capacity(1024).durable())],
            others: vec![
                other(even.overflow(Overflow::DropOldest)),
                other(third.overflow(merged)),
                thread::spawn(move || comes_and_goes(&visited, &visits)),
            ],
            outside: thread::spawn(move || publishes(&fed, &feeds)),
            heard,
        }
    }

    /// After the end of the system: everything was delivered, or reported as missing.
    pub fn balance(self, system: &System, started: u64, totals: &mut Totals) {
        let accepted = joined(self.outside);
        let whole: Vec<_> = self.whole.into_iter().map(joined).collect();
        self.others.into_iter().for_each(joined);
        let sources = system.event_sources::<Begun>();
        let published: Vec<_> = sources.iter().map(|source| source.published).collect();
        for followed in whole {
            if followed[..] != published[..] {
                violation(&format!("{published:?} events were published, {followed:?} followed"));
            }
        }
        if published[..2].iter().sum::<u64>() != started || published[2] != accepted {
            violation(&format!("{published:?} events of {started} requests and {accepted}"));
        }
        sources.iter().for_each(adds_up);
        totals.heard += self.heard.load(Ordering::Relaxed);
    }
}

struct Listener {
    events: Subscription<Begun>,
    random: Random,
    heard: Arc<AtomicU64>,
}

impl Listener {
    /// Hears everything until the end, with pauses.
    fn listen(mut self, mut each: impl FnMut(&Delivery<Begun>)) {
        while let Some(delivery) = self.events.next_wait() {
            each(&delivery);
            self.heard.fetch_add(1, Ordering::Relaxed);
            if self.random.one_in(5_000) {
                thread::sleep(Duration::from_millis(self.random.below(20)));
            }
        }
        ends_well(&self.events);
    }
}

/// The result of a thread that ends because its system has.
fn joined<T>(thread: JoinHandle<T>) -> T {
    let start = Instant::now();
    while !thread.is_finished() {
        if start.elapsed() > hang() {
            violation("a hang: the system has ended, and a subscription has not");
        }
        thread::sleep(Duration::from_millis(1));
    }
    thread.join().unwrap_or_else(|_| violation("a listener panicked"))
}

/// Nothing is missing between two deliveries.
fn follow(next: &mut Followed, delivery: &Delivery<Begun>) {
    let (core, from, to, len) = match delivery {
        Delivery::Event { position, .. } => (position.core, position.seq, position.seq + 1, 1),
        Delivery::Gap(gap) => (gap.core(), gap.from().seq, gap.to().seq, gap.len()),
    };
    if from != next[core] || to != from + len {
        violation(&format!("core {core}, {} comes next: {delivery:?}", next[core]));
    }
    next[core] = to;
}

fn ends_well(events: &Subscription<Begun>) {
    if let Some(reason) = events.end_reason() {
        violation(&format!("a subscription has ended: {reason}"));
    }
    for lane in events.lanes() {
        let dropped = lane.dropped_newest + lane.dropped_oldest + lane.conflated;
        let lost = dropped + lane.uncopied + lane.unlogged + lane.gone;
        if lane.wanted != lane.delivered + lost || lane.reported_missing != lost {
            violation(&format!("a subscription has ended, and does not add up: {lane:?}"));
        }
    }
}

fn adds_up(source: &SourceStatus) {
    let dropped = source.dropped_newest + source.dropped_oldest + source.conflated;
    let lost = dropped + source.uncopied + source.unlogged + source.gone + source.untaken;
    if source.wanted != source.delivered + lost {
        violation(&format!("it does not add up: {source:?}"));
    }
}

/// Hears a while, leaves, and goes on where it was, with the events that were kept meanwhile or the gap that is left.
fn comes_and_goes(system: &System, random: &Random) {
    let mut next = Followed::default();
    let mut begin = Start::Oldest;
    loop {
        let mut events = system.events::<Begun>().capacity(128).from(begin).subscribe();
        for _ in 0..random.below(2_000) {
            let Some(delivery) = events.next_wait() else { return };
            follow(&mut next, &delivery);
        }
        begin = events.position().into();
        drop(events);
        thread::sleep(Duration::from_micros(random.below(3_000)));
    }
}

/// Publishes from outside until it is refused; says how many it got accepted.
fn publishes(system: &System, random: &Random) -> u64 {
    let publisher = system.publisher::<Begun>();
    for accepted in 0.. {
        if publisher.publish(Begun(random.below(1_000))).is_err() {
            return accepted;
        }
        if random.one_in(50) {
            thread::sleep(Duration::from_micros(random.below(5_000)));
        }
    }
    unreachable!("nobody counts so far")
}
