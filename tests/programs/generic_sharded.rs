//! A generic key, events of a generic type, and answers from all shards.
#![deny(warnings)]

use std::collections::BTreeMap;
use std::hash::Hash;

use tpc_actors::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct Changed<K>(pub K);

#[core_actor(event = Changed<K>)]
pub struct Table<K: Clone + Send, V = u8> {
    rows: BTreeMap<K, V>,
}

#[core_actor]
impl<V, K> Table<K, V>
where
    K: Hash + Ord + Clone + Send,
    V: Clone + Send,
{
    #[init]
    fn new() -> Self {
        Self { rows: BTreeMap::new() }
    }

    #[handler]
    fn put(&mut self, cx: &mut Ctx<Self>, #[key] key: K, value: V) -> Option<V> {
        cx.publish(Changed(key.clone()));
        self.rows.insert(key, value)
    }

    #[handler(all)]
    fn above(&self, key: K) -> Vec<K> {
        self.rows.range(key..).map(|(key, _)| key.clone()).collect()
    }

    #[handler(all, tell)]
    fn fill(&mut self, value: V) {
        self.rows.values_mut().for_each(|row| *row = value.clone());
    }
}

pub fn main() {
    let system = System::builder().cores(2).start().unwrap();
    let mut changes = system.events::<Changed<u32>>().subscribe();
    let table: TableClient<u32, String> =
        system.spawn_sharded::<Table<u32, String>>(2, |_| ()).wait().unwrap();
    for key in 0..10 {
        assert_eq!(table.put(key, "a".to_owned()).wait().unwrap(), None);
    }
    table.fill("b".to_owned()).wait().unwrap();
    assert_eq!(table.put(3, "c".to_owned()).wait().unwrap().as_deref(), Some("b"));
    assert_eq!(table.above(4).wait().unwrap().concat().len(), 6);
    assert!(table.shard_of(&3) < table.shards());
    assert!(matches!(changes.next_wait(), Some(Delivery::Event { .. })));
}
