//! An actor over two types, with bounds where it needs them.
#![deny(warnings)]

use std::collections::HashMap;
use std::hash::Hash;

use tpc_actors::prelude::*;

/// Remembers values.
#[core_actor(capacity = 64)]
pub struct Cache<K, V> {
    values: HashMap<K, V>,
    limit: usize,
}

#[core_actor]
impl<K: Hash + Eq + Send, V: Clone + Send> Cache<K, V> {
    #[init]
    fn new(limit: usize) -> Self {
        Self { values: HashMap::new(), limit }
    }

    /// Reads a value.
    #[handler]
    fn get(&self, key: K) -> Option<V> {
        self.values.get(&key).cloned()
    }

    /// Writes a value, if there is room.
    #[handler]
    fn put(&mut self, key: K, value: V) -> Result<Option<V>, (K, V)> {
        if self.values.len() == self.limit && !self.values.contains_key(&key) {
            return Err((key, value));
        }
        Ok(self.values.insert(key, value))
    }

    #[handler(tell)]
    fn forget(&mut self, key: K) {
        self.values.remove(&key);
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let cache: CacheClient<String, u64> = system.spawn::<Cache<String, u64>>(1).wait().unwrap();
    assert_eq!(cache.put("a".to_owned(), 1).wait().unwrap(), None);
    assert_eq!(cache.put("a".to_owned(), 2).wait().unwrap(), Some(1));
    let refused = cache.put("b".to_owned(), 3).wait();
    assert!(matches!(refused, Err(AskError::Handler((key, 3))) if key == "b"));
    cache.forget("a".to_owned()).wait().unwrap();
    assert_eq!(cache.get("a".to_owned()).wait().unwrap(), None);
    let other = system.spawn::<Cache<u8, &'static str>>(1).wait().unwrap();
    assert_eq!(other.put(1, "x").wait().unwrap(), None);
    assert_eq!(format!("{:?}", CacheRequest::<u8, u8>::Get { key: 1 }), "Get");
}
