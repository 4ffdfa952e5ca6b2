//! Requests and responses that leave the machine, and a number that tells whether both sides mean
//! the same by them.

#![allow(clippy::unwrap_used, reason = "a failed `unwrap` is what a test wants")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tpc_actors::prelude::*;

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Row {
    pub cells: Vec<u8>,
}

/// A table.
#[core_actor(serde, capacity = 64)]
pub struct Table<K> {
    rows: BTreeMap<K, Row>,
}

#[core_actor]
impl<K: Ord + Send> Table<K> {
    #[init]
    fn new() -> Self {
        Self { rows: BTreeMap::new() }
    }

    /// Writes a row.
    #[handler]
    fn put(&mut self, key: K, #[boxed] row: Row) -> Result<Option<Row>, String> {
        Ok(self.rows.insert(key, row))
    }

    #[handler(boxed)]
    fn copy(&mut self, from: K, to: K) -> bool {
        let row = self.rows.get(&from).cloned();
        row.is_some_and(|row| self.rows.insert(to, row).is_none())
    }

    #[handler(tell)]
    fn clear(&mut self) {
        self.rows.clear();
    }
}

mod same {
    use super::Row;
    use tpc_actors::prelude::*;

    #[core_actor(serde)]
    pub(super) struct Other<K>(Option<K>);

    #[core_actor]
    impl<K: Send> Other<K> {
        #[init]
        fn new() -> Self {
            Self(None)
        }

        #[handler]
        fn put(&mut self, key: K, row: Row) -> Result<Option<Row>, String> {
            self.0 = Some(key);
            Ok(Some(row))
        }

        #[handler(boxed)]
        fn copy(&mut self, _from: K, _to: K) -> bool {
            false
        }

        #[handler(tell)]
        fn clear(&mut self) {}
    }
}

mod different {
    use tpc_actors::prelude::*;

    #[core_actor(serde)]
    pub(super) struct One;

    #[core_actor]
    impl One {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn get(&self, at: u8, #[cfg(not(test))] _more: u8) -> u8 {
            at
        }

        #[cfg(not(test))]
        #[handler]
        fn gone(&self) {}
    }

    #[core_actor(serde)]
    pub(super) struct Two;

    #[core_actor]
    impl Two {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn get(&self, at: u8, #[cfg(test)] more: u8) -> u8 {
            at + more
        }
    }
}

#[test]
fn messages_survive_a_journey() {
    let system = System::builder().cores(1).start().unwrap();
    let table = system.spawn::<Table<u32>>(()).wait().unwrap();
    let row = Row { cells: vec![1] };
    assert_eq!(table.put(1, row.clone()).wait().unwrap(), None);
    assert!(table.copy(1, 2).wait().unwrap());

    let put = TableRequest::Put { key: 1_u32, row: Box::new(row.clone()) };
    let text = serde_json::to_string(&put).unwrap();
    assert_eq!(text, r#"{"Put":{"key":1,"row":{"cells":[1]}}}"#);
    let back: TableRequest<u32> = serde_json::from_str(&text).unwrap();
    assert!(matches!(back, TableRequest::Put { key: 1, row: found } if *found == row));

    let answer = TableResponse::<u32>::Put(Ok(Some(row)));
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(text, r#"{"Put":{"Ok":{"cells":[1]}}}"#);
    assert!(serde_json::from_str::<TableResponse<u32>>(&text).is_ok());
    assert!(serde_json::from_str::<TableRequest<u32>>(r#"{"__Parameters":[0,0]}"#).is_err());
}

#[test]
fn fingerprints_follow_the_protocol() {
    // Fixed for good: programs of different versions compare it.
    assert_eq!(TableRequest::<u32>::FINGERPRINT, 5_499_255_491_428_942_962);
    assert_eq!(TableRequest::<u32>::FINGERPRINT, same::OtherRequest::<u8>::FINGERPRINT);
    assert_ne!(different::OneRequest::FINGERPRINT, different::TwoRequest::FINGERPRINT);
}
