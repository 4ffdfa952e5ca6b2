//! Waiting events of which the oldest, or those that newer ones replace, make room.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use super::lane::{Item, Losses};
use crate::isolate::{catch, drop_quietly};

/// Where the latest event of each key waits.
pub(super) trait KeyIndex<E>: Send {
    /// Notes the event with the number `wanted` as the latest of its key; says which one was it before.
    fn replace(&mut self, event: &E, wanted: u64) -> Option<u64>;
    /// An event does not wait any more.
    fn forget(&mut self, event: &E, wanted: u64);
    fn clear(&mut self);
}

/// Makes an index for each stage.
pub(super) type MakeIndex<E> = Arc<dyn Fn() -> Box<dyn KeyIndex<E>> + Send + Sync>;

struct ByKey<K, F> {
    key: Arc<F>,
    latest: HashMap<K, u64>,
}

impl<E, K: Hash + Eq + Send, F: Fn(&E) -> K + Send + Sync> KeyIndex<E> for ByKey<K, F> {
    fn replace(&mut self, event: &E, wanted: u64) -> Option<u64> {
        self.latest.insert((self.key)(event), wanted)
    }

    fn forget(&mut self, event: &E, wanted: u64) {
        let key = (self.key)(event);
        if self.latest.get(&key) == Some(&wanted) {
            self.latest.remove(&key);
        }
    }

    fn clear(&mut self) {
        self.latest.clear();
    }
}

/// Makes indices by what `key` says.
pub(super) fn index_by<E, K>(key: impl Fn(&E) -> K + Send + Sync + 'static) -> MakeIndex<E>
where
    E: 'static,
    K: Hash + Eq + Send + 'static,
{
    let key = Arc::new(key);
    Arc::new(move || Box::new(ByKey { key: Arc::clone(&key), latest: HashMap::new() }))
}

/// At most `capacity` events, in order.
pub(super) struct Stage<E> {
    /// By number; `None` stands for an event that a newer one has replaced.
    items: VecDeque<(u64, Option<Item<E>>)>,
    live: usize,
    capacity: usize,
    index: Option<Box<dyn KeyIndex<E>>>,
}

impl<E> Stage<E> {
    pub(super) fn new(capacity: usize, index: Option<&MakeIndex<E>>) -> Self {
        Self { items: VecDeque::new(), live: 0, capacity, index: index.map(|make| make()) }
    }

    /// Adds the newest event; what had to go for it is counted in `losses`. Its key is foreign code, and is asked first.
    pub(super) fn push(&mut self, item: Item<E>, losses: &mut Losses) {
        let before = self.note(&item);
        self.put(item, before, losses);
    }

    /// The same for an event that has come this far with a key: one whose key panics now waits like one of its own.
    pub(super) fn push_again(&mut self, item: Item<E>, losses: &mut Losses) {
        let before = catch(|| self.note(&item)).unwrap_or_else(|message| {
            tracing::error!(message, "the key of an event panicked; the event is not conflated");
            None
        });
        self.put(item, before, losses);
    }

    /// Notes the event as the latest of its key; says which one was it before.
    fn note(&mut self, item: &Item<E>) -> Option<u64> {
        self.index.as_mut()?.replace(&item.event, item.wanted)
    }

    fn put(&mut self, item: Item<E>, before: Option<u64>, losses: &mut Losses) {
        if let Some(before) = before
            && let Ok(at) = self.items.binary_search_by_key(&before, |(wanted, _)| *wanted)
            && let Some(replaced) = self.items[at].1.take()
        {
            drop_quietly(replaced);
            self.live -= 1;
            losses.conflated += 1;
        }
        self.items.push_back((item.wanted, Some(item)));
        self.live += 1;
        while self.live > self.capacity {
            drop_quietly(self.pop());
            losses.oldest += 1;
        }
        // Replaced events leave holes; as many as there may be events cost nothing when shared out.
        if self.items.len() > 2 * self.capacity {
            self.items.retain(|(_, item)| item.is_some());
        }
    }

    /// Takes the oldest event.
    pub(super) fn pop(&mut self) -> Option<Item<E>> {
        loop {
            let (wanted, item) = self.items.pop_front()?;
            let Some(item) = item else { continue };
            self.live -= 1;
            if let Some(index) = &mut self.index {
                // A key that cannot be told any more stays until the next clearing.
                drop(catch(|| index.forget(&item.event, wanted)));
            }
            return Some(item);
        }
    }

    /// Takes everything, in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Item<E>> {
        self.live = 0;
        if let Some(index) = &mut self.index {
            // Keys are foreign, and so are their drops.
            drop(catch(|| index.clear()));
        }
        self.items.drain(..).filter_map(|(_, item)| item)
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }
}

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use super::*;

    fn item(wanted: u64, event: (u32, u32)) -> Item<(u32, u32)> {
        Item { seq: wanted, wanted, event }
    }

    fn rest(stage: &mut Stage<(u32, u32)>) -> Vec<(u32, u32)> {
        std::iter::from_fn(|| stage.pop()).map(|item| item.event).collect()
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut stage, mut losses) = (Stage::new(2, None), Losses::default());
        for n in 0..5 {
            stage.push(item(u64::from(n), (n, 0)), &mut losses);
        }
        assert_eq!((losses.oldest, losses.conflated), (3, 0));
        assert_eq!(rest(&mut stage), [(3, 0), (4, 0)]);
    }

    #[test]
    fn a_newer_event_replaces_the_one_with_its_key() {
        let by_key = index_by(|event: &(u32, u32)| event.0);
        let (mut stage, mut losses) = (Stage::new(2, Some(&by_key)), Losses::default());
        for n in 0..100 {
            stage.push(item(n, (u32::try_from(n).unwrap() % 2, 7)), &mut losses);
        }
        assert_eq!((losses.oldest, losses.conflated, stage.len()), (0, 98, 2));
        assert!(stage.items.len() <= 4, "holes are filled up");
        stage.push(item(100, (5, 8)), &mut losses);
        assert_eq!(losses.oldest, 1, "a third key takes the place of the oldest");
        assert_eq!(rest(&mut stage), [(1, 7), (5, 8)]);
        // What was delivered is not replaced any more.
        stage.push(item(101, (5, 9)), &mut losses);
        assert_eq!((losses.conflated, rest(&mut stage)), (98, vec![(5, 9)]));
    }

    #[test]
    fn keys_that_wait_no_more_are_forgotten() {
        struct Counting(HashMap<u64, u64>, Arc<std::sync::atomic::AtomicUsize>);
        impl KeyIndex<u64> for Counting {
            fn replace(&mut self, event: &u64, wanted: u64) -> Option<u64> {
                let before = self.0.insert(*event, wanted);
                self.1.store(self.0.len(), std::sync::atomic::Ordering::Relaxed);
                before
            }
            fn forget(&mut self, event: &u64, _wanted: u64) {
                self.0.remove(event);
            }
            fn clear(&mut self) {
                self.0.clear();
            }
        }
        let size = Arc::<std::sync::atomic::AtomicUsize>::default();
        let theirs = Arc::clone(&size);
        let make: MakeIndex<u64> =
            Arc::new(move || Box::new(Counting(HashMap::new(), Arc::clone(&theirs))));
        let (mut stage, mut losses) = (Stage::new(3, Some(&make)), Losses::default());
        for n in 0..1000 {
            stage.push(Item { seq: n, wanted: n, event: n }, &mut losses);
            assert!(size.load(std::sync::atomic::Ordering::Relaxed) <= 4);
        }
    }
}
