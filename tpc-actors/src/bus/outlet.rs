//! One subscriber, as a source sees it.

use std::sync::Arc;

use super::channel::{Channel, Filter};
use super::lane::{BATCH_MAX, LaneWriter, Losses, lane};
use super::stats::SourceStats;
use crate::bridge::CapacityError;
use crate::isolate::catch;

pub(super) struct Outlet<E> {
    pub(super) channel: Arc<Channel<E>>,
    pub(super) source: usize,
    /// The channel's, at hand.
    filter: Option<Filter<E>>,
    lane: LaneWriter<E>,
    /// The event is being copied; tells a copy that panicked from a filter that did.
    copying: bool,
    /// What the statistics have of this lane.
    counted: (u64, Losses),
}

impl<E: Clone> Outlet<E> {
    /// Opens the lane; the first event that it may carry has the number `first`.
    pub(super) fn attach(
        channel: Arc<Channel<E>>,
        source: usize,
        first: u64,
    ) -> Result<Self, CapacityError> {
        let (writer, reader) = lane(channel.capacity, &channel.policy, first)?;
        let counted = (0, Losses::default());
        channel.attach(source, reader);
        let filter = channel.filter.clone();
        let (lane, copying) = (writer, false);
        Ok(Self { channel, source, filter, lane, copying, counted })
    }

    /// Offers up to 64 events; what their copies throw costs the subscriber the event, and what its filter throws is
    /// returned and ends it.
    pub(super) fn offer_all(&mut self, from: u64, events: &[E]) -> Result<(), String> {
        // A filter that panics is asked again, one by one, so that it gets what came before that.
        let selected = catch(|| self.select(events));
        let mut left = selected.as_ref().copied().unwrap_or(u64::MAX);
        if events.len() < 64 {
            left &= (1 << events.len()) - 1;
        }
        // One catch for all events; the one that panics is skipped, and the others go on.
        while let Err(message) = catch(|| {
            if selected.is_ok() {
                return self.pass_all(from, events, &mut left);
            }
            while left != 0 {
                let at = left.trailing_zeros();
                self.offer(from + u64::from(at), &events[at as usize]);
                left &= left - 1;
            }
        }) {
            if !self.caught(from + u64::from(left.trailing_zeros())) {
                return Err(message);
            }
            left &= left - 1;
        }
        Ok(())
    }

    /// Passes the event on if the filter wants it. Filter and copy are foreign code; the caller catches
    /// what they throw and then calls [`Self::caught`].
    #[inline]
    pub(super) fn offer(&mut self, seq: u64, event: &E) {
        if let Some(filter) = &self.filter
            && !filter.wants(event)
        {
            return;
        }
        self.pass(seq, event);
    }

    /// Counts the event as missing if the filter wants it. Foreign code, as in [`Self::offer`].
    pub(super) fn withhold(&mut self, seq: u64, event: &E) {
        if self.channel.wants(event) {
            self.lane.lose_unlogged(1, seq + 1);
        }
    }

    /// Which of these events the filter wants, a bit for each. Foreign code, as in [`Self::offer`].
    fn select(&self, events: &[E]) -> u64 {
        self.filter.as_ref().map_or(u64::MAX, |filter| filter.select(events))
    }

    /// Passes on an event that the filter wants.
    #[inline]
    fn pass(&mut self, seq: u64, event: &E) {
        if self.lane.has_room() {
            self.copying = true;
            let event = event.clone();
            self.copying = false;
            self.lane.offer(seq, event);
        } else {
            self.lane.refuse(1, seq);
        }
    }

    /// Passes on those of `events` whose bits are in `left`, and takes these out. Copies are foreign code, as in
    /// [`Self::offer`]; the bit of one that panics is the first that is left.
    #[inline]
    fn pass_all(&mut self, from: u64, events: &[E], left: &mut u64) {
        let at = |left: u64| left.trailing_zeros() as usize;
        if !self.lane.drops_newest() {
            // Each makes room for itself, by a key perhaps that is foreign code as well.
            while let Some(event) = events.get(at(*left)) {
                self.pass(from + at(*left) as u64, event);
                *left &= *left - 1;
            }
            return;
        }
        // In parts, so that the subscriber gets some while others are copied, and frees places for them.
        while *left != 0 {
            let before = *left;
            self.copying = true;
            let most = BATCH_MAX.min(left.count_ones() as usize);
            self.lane.offer_run(
                most,
                &mut std::iter::from_fn(|| {
                    let at = at(*left);
                    let event = events.get(at)?.clone();
                    *left &= *left - 1;
                    Some((from + at as u64, event))
                }),
            );
            self.copying = false;
            if *left == before {
                // No room for any, and without a copy no time in which there would be some.
                let last = u64::BITS - 1 - left.leading_zeros();
                self.lane.refuse(left.count_ones().into(), from + u64::from(last));
                *left = 0;
            }
        }
    }

    /// After a panic in [`Self::offer`]; false when the subscription ends with it.
    pub(super) fn caught(&mut self, seq: u64) -> bool {
        // An event that cannot be copied is missing for this subscriber like one that found no room.
        let copying = std::mem::take(&mut self.copying);
        if copying {
            self.lane.miss(seq);
        }
        copying
    }

    /// Counts as missing `count` events before `end` that the log never got.
    #[cold]
    pub(super) fn miss_unlogged(&mut self, count: u64, end: u64) {
        self.lane.lose_unlogged(count, end);
    }

    /// Shows what is new to the subscriber.
    pub(super) fn show(&mut self, stats: &SourceStats) {
        self.lane.publish();
        let (wanted, losses) = self.lane.counts();
        if wanted != self.counted.0 {
            stats.add(wanted - self.counted.0, losses, self.counted.1);
            self.counted = (wanted, losses);
            self.channel.stats(self.source).set_source(wanted, losses);
        }
    }

    /// Shows what is new to the subscriber, and tells whether it is to be woken.
    pub(super) fn flush(&mut self, stats: &SourceStats) -> bool {
        self.show(stats);
        self.lane.take_untold()
    }
}

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;
    use crate::bus::channel::{Begin, end};
    use crate::bus::lane::{LaneReader, Policy, Taken};
    use crate::bus::stage::index_by;

    /// Copies of odd multiples of seven panic.
    #[derive(Debug, PartialEq)]
    struct Brittle(u64);

    impl Brittle {
        fn is_whole(&self) -> bool {
            self.0 % 14 != 7
        }
    }

    impl Clone for Brittle {
        fn clone(&self) -> Self {
            assert!(self.is_whole(), "it broke");
            Self(self.0)
        }
    }

    fn is_wanted(event: &Brittle) -> bool {
        event.0 % 5 < 3
    }

    fn attach(
        filter: Option<Filter<Brittle>>,
        capacity: usize,
        policy: Policy<Brittle>,
    ) -> Outlet<Brittle> {
        let begin = Begin { state: end::OPEN, from: 0 };
        let channel = Channel::new(filter, (capacity, false), policy, [begin].into_iter());
        Outlet::attach(channel, 0, 0).expect("a sound capacity")
    }

    thread_local! {
        static READER: RefCell<Option<LaneReader<Read>>> = const { RefCell::new(None) };
    }

    /// A subscriber reads whatever there is while one of these is copied.
    struct Read;

    impl Clone for Read {
        fn clone(&self) -> Self {
            READER.with_borrow_mut(
                |reader| while reader.as_mut().is_some_and(|it| it.take().is_some()) {},
            );
            Self
        }
    }

    #[test]
    fn places_that_come_free_while_events_are_copied_are_used() {
        let begin = Begin { state: end::OPEN, from: 0 };
        let channel = Channel::new(None, (40, false), Policy::DropNewest, [begin].into_iter());
        let mut outlet = Outlet::attach(channel, 0, 0).expect("a sound capacity");
        READER.set(outlet.channel.take_reader(0));
        let events: Vec<_> = (0..64).map(|_| Read).collect();
        assert_eq!(outlet.offer_all(0, &events), Ok(()));
        assert_eq!(outlet.lane.counts(), (64, Losses::default()));
    }

    proptest! {
        /// Whatever comes together, and however much of it is read in between.
        #[test]
        fn every_wanted_event_is_delivered_or_missing(
            policy in 0..3,
            capacity in 1_usize..100,
            steps in proptest::collection::vec((0_u64..=64, 0_usize..80), 1..40),
        ) {
            let policy = match policy {
                0 => Policy::DropNewest,
                1 => Policy::DropOldest,
                _ => Policy::Conflate(index_by(|event: &Brittle| event.0 % 4)),
            };
            let drops_newest = matches!(policy, Policy::DropNewest);
            let mut outlet = attach(Some(Arc::new(is_wanted)), capacity, policy);
            let mut reader = outlet.channel.take_reader(0).unwrap();
            let (mut published, mut next, mut delivered, mut missing) = (0, 0, 0, 0);
            let mut take = |most: usize| {
                for taken in std::iter::from_fn(|| reader.take()).take(most) {
                    match taken {
                        Taken::Event { seq, event } => {
                            assert_eq!(event, Brittle(seq));
                            assert!(seq >= next && is_wanted(&event));
                            delivered += 1;
                            next = seq + 1;
                        }
                        Taken::Missing { from, to, count } => {
                            assert_eq!(from, next);
                            assert!(count <= (from..to).filter(|seq| is_wanted(&Brittle(*seq))).count() as u64);
                            missing += count;
                            next = to;
                        }
                    }
                }
                (delivered, missing)
            };
            for (count, reads) in steps {
                let events: Vec<_> = (published..published + count).map(Brittle).collect();
                prop_assert!(outlet.offer_all(published, &events).is_ok());
                published += count;
                outlet.lane.publish();
                take(reads);
            }
            let (delivered, missing) = take(usize::MAX);
            let wanted = (0..published).map(Brittle).filter(is_wanted);
            let broken = wanted.clone().filter(|event| !event.is_whole()).count() as u64;
            prop_assert_eq!(delivered + missing, wanted.count() as u64);
            let (_, losses) = outlet.lane.counts();
            if drops_newest {
                prop_assert_eq!(losses.newest + losses.uncopied, missing);
                prop_assert!(losses.uncopied <= broken);
                prop_assert!(losses.newest > 0 || losses.uncopied == broken);
            } else {
                prop_assert_eq!((losses.newest, losses.uncopied), (0, broken));
            }
        }
    }

    /// It ends the subscription, which gets what came before it.
    #[test]
    fn a_key_that_panics_is_no_copy_that_panics() {
        let key = |event: &Brittle| {
            assert!(event.0 != 3, "no key");
            event.0
        };
        let mut outlet = attach(None, 64, Policy::Conflate(index_by(key)));
        let mut reader = outlet.channel.take_reader(0).unwrap();
        let events: Vec<_> = (0..6).map(Brittle).collect();
        assert_eq!(outlet.offer_all(0, &events), Err("no key".to_owned()));
        outlet.lane.publish();
        let delivered: Vec<_> = std::iter::from_fn(|| reader.take()).collect();
        let event = |seq| Taken::Event { seq, event: Brittle(seq) };
        assert_eq!(delivered, [event(0), event(1), event(2)]);
    }

    /// A bit for each event, whatever their number.
    #[test]
    fn a_filter_selects_by_place() {
        let filter: Filter<Brittle> = Arc::new(is_wanted);
        for count in 0..=64 {
            let events: Vec<_> = (0..count).map(Brittle).collect();
            let bit = |event: &Brittle| u64::from(is_wanted(event)) << event.0;
            assert_eq!(filter.select(&events), events.iter().map(bit).sum());
        }
    }
}
