//! In the steady state, asks and tells allocate nothing, on either side.
//!
//! A process of its own with one test, because the allocator that counts is everybody's.

use std::alloc::{GlobalAlloc, Layout, System as Malloc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tpc_actors::prelude::*;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is passed on to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that are wanted here.
        unsafe { Malloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { Malloc.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[core_actor(capacity = 256)]
struct Counter(u64);

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self(0)
    }

    #[handler(tell)]
    fn add(&mut self, n: u64) {
        self.0 += n;
    }

    #[handler]
    fn get(&mut self) -> u64 {
        self.0
    }

    /// Asks and tells itself over the pinned handle, which must not allocate either.
    #[handler(tell)]
    fn talk_to_yourself(&mut self, cx: &mut Ctx<Self>, times: u64) {
        if times > 0 {
            let me = cx.pinned();
            let _ = me.add(1).now();
            let _ = me.talk_to_yourself(times - 1).now();
        }
    }
}

async fn ask_and_tell(counter: &CounterClient, times: u64) {
    let mut batch = counter.batch();
    for n in 0..times {
        counter.add(n).await.unwrap();
        counter.get().await.unwrap();
        let _ = counter.add(n).now();
        let _ = counter.get().now().map(drop);
        batch.push(counter.add(n));
        if n % 32 == 31 {
            batch.send().await.unwrap();
        }
    }
    batch.send().await.unwrap();
}

/// `callers` tasks that warm up, meet, and go on; what was allocated after the meeting.
async fn allocations_of(counter: &CounterClient, callers: usize, times: u64) -> u64 {
    let meet = std::sync::Arc::new(tokio::sync::Barrier::new(callers + 1));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (counter, meet) = (counter.clone(), std::sync::Arc::clone(&meet));
        tasks.spawn(async move {
            ask_and_tell(&counter, 2_000).await;
            for _ in 0..2 {
                meet.wait().await;
            }
            let mut batch = counter.batch();
            batch.push(counter.add(1));
            batch.send().await.unwrap();
            for n in 0..times {
                counter.add(n).await.unwrap();
                counter.get().await.unwrap();
                let _ = counter.add(n).now();
                let _ = counter.get().now().map(drop);
                batch.push(counter.add(n));
                batch.send().await.unwrap();
            }
            counter.talk_to_yourself(100).await.unwrap();
            meet.wait().await;
        });
    }
    meet.wait().await;
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    meet.wait().await;
    meet.wait().await;
    let after = ALLOCATIONS.load(Ordering::SeqCst);
    while tasks.join_next().await.is_some() {}
    after - before
}

#[test]
fn asks_and_tells_allocate_nothing_in_the_steady_state() {
    let system = System::builder().cores(1).start().unwrap();
    let counter = system.spawn::<Counter>(()).wait().unwrap();
    counter.talk_to_yourself(1_000).wait().unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for callers in [1, 64] {
        let times = 20_000 / callers as u64;
        let client = counter.clone();
        let allocated = runtime.block_on(async move {
            tokio::spawn(async move { allocations_of(&client, callers, times).await })
                .await
                .unwrap()
        });
        // A few for each caller's batch and barrier; 5 per round and caller would be 100,000.
        let allowed = 8 * callers as u64 + 16;
        assert!(allocated <= allowed, "{callers} callers: {allocated} allocations");
    }
    drop(runtime);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}
