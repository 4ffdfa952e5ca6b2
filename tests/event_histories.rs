//! Random histories of events in a simulated system: whoever comes and goes, and whatever fails, each subscription is
//! given or told of every event that its filter wants, in order.

mod random;
#[path = "histories/seeds.rs"]
mod seeds;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tpc_actors::bus::{Cursor, Overflow, ReplayError, Start};
use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::Supervise;
use tpc_actors::{Position, Subscription};

use seeds::Random;

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

/// Cores of each system.
const CORES: usize = 2;

/// What was published, by source and number.
type Published = Arc<Mutex<BTreeMap<(usize, u64), u64>>>;

fn note(published: &Published, position: Position, event: u64) {
    let before = published.lock().unwrap().insert((position.core, position.seq), event);
    assert_eq!(before, None, "{position} is given twice");
}

#[core_actor(event = u64, supervise(max = 100_000, within = "1s", backoff = "1ms..2ms"))]
pub struct Source(Published);

#[core_actor]
impl Source {
    #[init]
    fn new(published: Published) -> Self {
        Self(published)
    }

    #[handler(tell)]
    fn burst(&mut self, cx: &mut Ctx<Self>, first: u64, count: u64) {
        for event in first..first + count {
            let position = cx.publish(event);
            note(&self.0, position, event);
        }
    }
}

/// A subscription, and what it has been given and told of.
struct Reader {
    events: Subscription<u64>,
    /// It wants the multiples of this.
    of: u64,
    /// It began with what is over, of which a gap counts all, because its filter could not be asked.
    late: bool,
    /// The next number of each source; unknown before anything came from it.
    next: BTreeMap<usize, u64>,
}

impl Reader {
    fn wanted(&self, published: &Published, source: usize, from: u64, to: u64) -> u64 {
        let published = published.lock().unwrap();
        let range = published.range((source, from)..(source, to));
        range.filter(|(_, event)| event.is_multiple_of(self.of)).count() as u64
    }

    /// Nothing that is wanted lies between what came last and `position`.
    fn comes_to(&mut self, published: &Published, position: Position) {
        if let Some(&next) = self.next.get(&position.core) {
            assert!(next <= position.seq, "{position} comes after {next}");
            let between = self.wanted(published, position.core, next, position.seq);
            assert_eq!(between, 0, "lost in silence between {next} and {position}");
        }
    }

    fn take(&mut self, sim: &mut Sim, published: &Published, delivery: &Delivery<u64>) {
        match *delivery {
            Delivery::Event { position, event } => {
                self.comes_to(published, position);
                let known = published.lock().unwrap().get(&(position.core, position.seq)).copied();
                assert_eq!(known, Some(event), "{position}");
                assert!(event.is_multiple_of(self.of));
                self.next.insert(position.core, position.seq + 1);
            }
            Delivery::Gap(gap) => {
                let (from, to) = (gap.from(), gap.to());
                self.comes_to(published, from);
                let wanted = self.wanted(published, gap.core(), from.seq, to.seq);
                let all = self.late && gap.len() == to.seq - from.seq;
                assert!(gap.len() == wanted || all, "{gap:?} has {wanted} wanted ones");
                self.next.insert(gap.core(), to.seq);
                let replay = self.events.replay(&gap);
                self.check_replay(published, gap, sim.run(replay), wanted);
            }
        }
    }

    /// What a gap is filled with, or why not, is what is missing.
    fn check_replay(
        &self,
        published: &Published,
        gap: Gap,
        replay: Result<Vec<(Position, u64)>, ReplayError<u64>>,
        wanted: u64,
    ) {
        let (found, gone) = match replay {
            Ok(found) => (found, 0),
            Err(ReplayError::Gone { gone, found }) => (found, gone),
            Err(other) => panic!("{other:?}"),
        };
        assert!(found.is_sorted_by_key(|(position, _)| *position));
        let published = published.lock().unwrap();
        for (position, event) in &found {
            assert!((gap.from()..gap.to()).contains(position) && event.is_multiple_of(self.of));
            assert_eq!(published.get(&(position.core, position.seq)), Some(event));
        }
        // How many of those that are gone were wanted, nobody can say of old ones.
        let told = found.len() as u64 + gone;
        assert!(told == wanted || gone > 0 && told > wanted, "{gap:?}: {told} of {wanted}");
    }
}

struct History {
    random: Random,
    sim: Sim,
    published: Published,
    sources: Vec<SourceClient>,
    readers: Vec<Reader>,
    /// Where those that have gone had come to, and what they wanted.
    left: Vec<(Cursor, u64)>,
    event: u64,
}

impl History {
    fn new(seed: u64) -> Self {
        let restarts = Supervise::new().max(100_000).backoff(MS, MS);
        let mut sim = Sim::seeded(seed).cores(CORES).core_restarts(restarts).start();
        let published = Published::default();
        let source = |_| sim.spawn::<Source>(Arc::clone(&published));
        let sources = (0..CORES).map(source).collect();
        let random = Random::beside(seed);
        Self { random, sim, published, sources, readers: Vec::new(), left: Vec::new(), event: 0 }
    }

    fn publish(&mut self) {
        let count = self.random.below(12) + 1;
        let first = self.event;
        self.event += count;
        match self.random.index(CORES + 1) {
            CORES => {
                let publisher = self.sim.publisher::<u64>();
                for event in first..first + count {
                    note(&self.published, publisher.publish(event).unwrap(), event);
                }
            }
            core => drop(self.sources[core].burst(first, count).now()),
        }
    }

    fn subscribe(&mut self) {
        let (mut of, mut next) = (self.random.below(3) + 1, BTreeMap::new());
        let start = match self.random.below(4) {
            0 => Start::Oldest,
            1 if !self.left.is_empty() => {
                let (cursor, wanted) = self.left.swap_remove(0);
                of = wanted;
                next = cursor.positions().iter().map(|at| (at.core, at.seq)).collect();
                cursor.into()
            }
            _ => Start::Latest,
        };
        let late = !matches!(start, Start::Latest);
        let events = self.sim.events::<u64>().capacity(4).from(start);
        let events = events.filter(move |event| event.is_multiple_of(of));
        let oldest = self.random.below(2) == 0;
        let events = if oldest { events.overflow(Overflow::DropOldest) } else { events };
        let retain = 8 * self.random.index(3);
        let events = if retain > 0 { events.retain(retain) } else { events };
        self.readers.push(Reader { events: events.subscribe(), of, late, next });
    }

    fn read(&mut self, most: u64) {
        if self.readers.is_empty() {
            return;
        }
        let at = self.random.index(self.readers.len());
        let reader = &mut self.readers[at];
        for _ in 0..most {
            let Some(delivery) = reader.events.try_next() else { return };
            reader.take(&mut self.sim, &self.published, &delivery);
        }
    }

    fn leave(&mut self) {
        let Some(mut reader) = self.readers.pop() else { return };
        let cursor = reader.events.position();
        for source in reader.next.clone().into_keys() {
            let position = cursor.of(source).expect("it has begun with that source");
            reader.comes_to(&self.published, position);
        }
        self.left.push((cursor, reader.of));
    }

    fn faults(&mut self) {
        let chance = |percent| self.random.chance(percent);
        let faults = Faults::none().handler_panics(chance(10)).stalls(chance(5), MS);
        self.sim.faults(faults.core_losses(chance(3) / 20.0));
    }

    fn run(mut self) {
        for _ in 0..150 {
            match self.random.below(12) {
                0..4 => self.publish(),
                4 if self.readers.len() < 6 => self.subscribe(),
                5 => self.leave(),
                6 => self.read(100),
                7 | 8 => self.read(self.random.below(5)),
                9 => self.faults(),
                _ => {
                    let time = US * self.random.small(300);
                    self.sim.advance(time);
                }
            }
        }
        self.sim.faults(Faults::none());
        self.sim.advance(MS * 20);
        self.sim.shutdown(MS);
        for mut reader in std::mem::take(&mut self.readers) {
            while let Some(delivery) = self.sim.run(reader.events.next()) {
                reader.take(&mut self.sim, &self.published, &delivery);
            }
            assert_eq!(reader.events.end_reason(), None);
            for (source, next) in reader.next.clone() {
                let left = reader.wanted(&self.published, source, next, u64::MAX);
                assert_eq!(left, 0, "lost in silence behind {next} of {source}");
            }
        }
    }
}

#[test]
fn every_event_that_is_wanted_is_given_or_told_of() {
    (0..150).for_each(|seed| History::new(seed).run());
}

#[test]
#[ignore = "takes as long as one wants"]
fn many_histories() {
    seeds::wanted().for_each(|seed| History::new(seed).run());
}
