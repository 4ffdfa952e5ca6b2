//! What goes to several shards, or goes together: each part has its own fate, and none is in another's way.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::timeout;
use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(30);

#[core_actor(capacity = 4)]
struct Shard {
    notes: Vec<u64>,
}

#[core_actor]
impl Shard {
    #[init]
    fn new() -> Self {
        Self { notes: Vec::new() }
    }

    #[handler(tell)]
    fn note(&mut self, #[key] key: u64) {
        self.notes.push(key);
    }

    #[handler(tell, all)]
    fn note_all(&mut self, n: u64) {
        self.notes.push(n);
    }

    #[handler]
    fn notes(&self, #[key] _key: u64) -> Vec<u64> {
        self.notes.clone()
    }

    #[handler(all)]
    fn count(&self) -> usize {
        self.notes.len()
    }

    #[handler]
    fn stop(&mut self, cx: &mut Ctx<Self>, #[key] _key: u64) {
        cx.stop();
    }

    /// Keeps the core busy until the sender is gone.
    #[handler(tell)]
    fn hold(&mut self, #[key] _key: u64, begun: Sender<()>, until: Receiver<()>) {
        begun.send(()).unwrap();
        let _ = until.recv_timeout(LONG);
    }
}

/// Two shards, of which the first one has stopped; a key of it, and one of the other.
async fn start() -> (System, ShardClient, u64, u64) {
    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawn_sharded::<Shard>(2, |_| ()).await.unwrap();
    let key_of = |shard| (0..100).find(|key| shards.shard_of(key) == shard).unwrap();
    let (dead, alive) = (key_of(0), key_of(1));
    shards.stop(dead).await.unwrap();
    while shards.notes(dead).await.is_ok() {}
    (system, shards, dead, alive)
}

#[tokio::test]
async fn a_batch_reaches_the_shards_that_take_their_part() {
    let (system, shards, dead, alive) = start().await;
    let mut batch = shards.batch();
    batch.push(shards.note(dead));
    (0..10).for_each(|_| batch.push(shards.note(alive)));
    let refused = timeout(LONG, batch.send()).await.unwrap().unwrap_err();
    assert!(matches!(refused, TellError::Stopped(())), "{refused:?}");
    assert_eq!(batch.len(), 1, "what was refused stays");
    assert_eq!(shards.notes(alive).await.unwrap(), vec![alive; 10]);
    drop(batch);
    system.shutdown(LONG).await;
}

#[tokio::test]
async fn a_tell_to_all_reaches_those_that_take_it() {
    let (system, shards, _, alive) = start().await;
    let refused = timeout(LONG, shards.note_all(1)).await.unwrap().unwrap_err();
    assert!(matches!(refused, TellError::Stopped(_)), "{refused:?}");
    assert!(matches!(shards.note_all(2).now(), Err(TellError::Stopped(_))));
    let in_time = shards.note_all(3).deadline(LONG).await;
    assert!(matches!(in_time, Err(TellError::Stopped(_))));
    assert_eq!(shards.notes(alive).await.unwrap(), [1, 2, 3]);
    system.shutdown(LONG).await;
}

/// One after the other they would take a hundred times as long.
#[tokio::test]
async fn the_time_of_all_asks_of_a_batch_begins_together() {
    let (system, shards, _, alive) = start().await;
    let (begins, begun) = channel();
    let (let_go, until) = channel();
    shards.hold(alive, begins, until).await.unwrap();
    begun.recv().unwrap();
    let limit = Duration::from_secs(1);
    let each = shards.ask_batch((0..100).map(|_| shards.notes(alive).deadline(limit)));
    let all = shards.ask_batch((0..100).map(|_| shards.notes(alive))).deadline(limit);
    for batch in [each, all] {
        let outcomes = timeout(LONG, batch).await.expect("they wait for each other");
        assert_eq!(outcomes.len(), 100);
        for outcome in outcomes {
            assert!(matches!(outcome, Err(AskError::Deadline { started: false })), "{outcome:?}");
        }
    }
    drop(let_go);
    system.shutdown(LONG).await;
}

#[tokio::test]
async fn requests_may_outlive_the_client_that_made_them() {
    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawn_sharded::<Shard>(2, |_| ()).await.unwrap();
    let (tell, ask) = {
        let client = shards.clone();
        (client.note(7).into_owned(), client.count().into_owned())
    };
    tokio::spawn(tell).await.unwrap().unwrap();
    assert_eq!(shards.notes(7).await.unwrap(), [7]);
    let counts = tokio::spawn(ask).await.unwrap().unwrap();
    assert_eq!(counts.into_iter().sum::<usize>(), 1);
    system.shutdown(LONG).await;
}

/// Another answer would be a lie.
#[tokio::test]
async fn what_is_over_has_no_second_outcome() {
    let (system, shards, dead, alive) = start().await;
    let poll = |future: &mut (dyn Future<Output = ()> + Unpin)| {
        let mut context = Context::from_waker(Waker::noop());
        catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(&mut context).is_ready()))
    };
    let mut ask = shards.notes(alive);
    let mut all = shards.count();
    let mut tells = shards.note_all(1);
    let mut batch = shards.ask_batch([shards.notes(alive)]);
    let (mut cancellable, canceller) = shards.notes(dead).cancellable();
    (&mut ask).await.unwrap();
    (&mut all).await.unwrap_err();
    (&mut tells).await.unwrap_err();
    assert_eq!((&mut batch).await.len(), 1);
    (&mut cancellable).await.unwrap_err();
    canceller.cancel();
    assert!(poll(&mut Box::pin(async { drop(ask.await) })).is_err());
    assert!(poll(&mut Box::pin(async { drop(all.await) })).is_err());
    assert!(poll(&mut Box::pin(async { drop(tells.await) })).is_err());
    assert!(poll(&mut Box::pin(async { drop(batch.await) })).is_err());
    assert!(poll(&mut Box::pin(async { drop(cancellable.await) })).is_err());
    system.shutdown(LONG).await;
}

/// A shard without room is not in the way of the others.
#[tokio::test]
async fn an_ask_of_a_batch_waits_for_its_own_shard_only() {
    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawn_sharded::<Shard>(2, |_| ()).await.unwrap();
    let key_of = |shard| (0..100).find(|key| shards.shard_of(key) == shard).unwrap();
    let (stuck, free) = (key_of(0), key_of(1));
    let (begins, begun) = channel();
    let (let_go, until) = channel();
    shards.hold(stuck, begins, until).await.unwrap();
    begun.recv().unwrap();
    shards.note(free).await.unwrap();
    // More than there is room for, and around the others.
    let keys = [free].into_iter().chain([stuck; 20]).chain([free, free]);
    let batch = shards.ask_batch(keys.map(|key| shards.notes(key)));
    let outcomes = batch.deadline(Duration::from_millis(300)).await;
    assert_eq!(outcomes.len(), 23);
    for (at, outcome) in outcomes.into_iter().enumerate() {
        if [0, 21, 22].contains(&at) {
            assert_eq!(outcome.unwrap(), [free]);
        } else {
            assert!(matches!(outcome, Err(AskError::Deadline { started: false })), "{outcome:?}");
        }
    }
    drop(let_go);
    system.shutdown(LONG).await;
}

/// The first shard has stopped, and the second one has no room: a tell to both is polled, and told to the one alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_has_refused_a_tell_to_all_is_not_forgotten() {
    let (system, shards, _, alive) = start().await;
    let (begun, has_begun) = channel();
    let (go, until) = channel();
    shards.hold(alive, begun, until).await.unwrap();
    has_begun.recv().unwrap();
    while shards.note(alive).now().is_ok() {}
    let polled = || {
        let mut all = shards.note_all(7);
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut all).poll(&mut context).is_pending());
        all
    };
    let all = [polled(), polled()];
    drop(go);
    while shards.note(alive).now().is_err() {}
    let [now, wait] = all;
    let refused = now.now();
    assert!(matches!(refused, Err(TellError::Stopped(_))), "{refused:?}");
    let refused = tokio::task::block_in_place(|| wait.wait());
    assert!(matches!(refused, Err(TellError::Stopped(_))), "{refused:?}");
    system.shutdown(LONG).await;
}

/// Tells all shards, of which one has no room, and then waits: on a core, where nobody may.
#[core_actor]
struct Teller;

#[core_actor]
impl Teller {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn tell_all(&mut self, shards: ShardClient, full: u64) -> bool {
        while shards.note(full).now().is_ok() {}
        let mut all = shards.note_all(7);
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut all).poll(&mut context).is_pending());
        matches!(all.wait(), Err(TellError::WouldBlockCore(_)))
    }
}

#[tokio::test]
async fn a_core_does_not_wait_for_the_rest_of_a_tell_to_all() {
    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawner().core(0).spawn_sharded::<Shard>(2, |_| ()).await.unwrap();
    let teller = system.spawner().core(0).spawn::<Teller>(()).await.unwrap();
    let full = (0..100).find(|key| shards.shard_of(key) == 1).unwrap();
    let (begun, has_begun) = channel();
    let (go, until) = channel();
    shards.hold(full, begun, until).await.unwrap();
    has_begun.recv().unwrap();
    assert!(teller.tell_all(shards, full).await.unwrap(), "told all, it says");
    drop(go);
    system.shutdown(LONG).await;
}

#[tokio::test]
async fn more_shards_than_there_can_be_are_refused() {
    let system = System::builder().cores(1).start().unwrap();
    for shards in [100_000, usize::MAX] {
        let refused = system.spawn_sharded::<Shard>(shards, |_| ()).await.map(drop);
        assert!(matches!(refused, Err(SpawnError::TooManyLanes)), "{refused:?}");
    }
    assert!(system.shutdown(LONG).await.is_clean());
}
