//! In the steady state, asks and tells allocate nothing, on either side.
//!
//! A process of its own with one test, because the allocator that counts is everybody's.

use std::alloc::{GlobalAlloc, Layout, System as Malloc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tpc_actors::client::AskBatch;
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

/// Most of whose senders wait for room.
#[core_actor(capacity = 4)]
struct Crowded(u64);

#[core_actor]
impl Crowded {
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
}

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

    /// Answers later, as far as anybody can tell.
    #[handler]
    fn get_later(&mut self, reply: Reply<u64>) {
        reply.send(self.0);
    }

    #[handler(batch = 32)]
    fn exchange(&mut self, asks: Batch<u64, Reply<u64>>) {
        for (n, reply) in asks {
            reply.send(std::mem::replace(&mut self.0, n));
        }
    }

    #[handler(tell, batch = 32)]
    fn set(&mut self, numbers: Batch<u64>) {
        self.0 = numbers.into_iter().next_back().unwrap_or(self.0);
    }

    /// Has a task of this core ask the actor of another one; answers when it has done so often.
    #[handler]
    fn ask_elsewhere(
        &mut self,
        cx: &mut Ctx<Self>,
        other: CounterClient,
        times: u64,
        reply: Reply<u64>,
    ) {
        cx.spawn(async move {
            // The first ones open the lane.
            for n in 0..64 {
                other.get_slowly(n).await.unwrap();
            }
            let before = ALLOCATIONS.load(Ordering::SeqCst);
            for n in 0..times {
                other.get_slowly(n).await.unwrap();
            }
            reply.send(ALLOCATIONS.load(Ordering::SeqCst) - before);
        });
    }

    /// Takes long enough for another core to go on with something else.
    #[handler]
    fn get_slowly(&mut self, n: u64) -> u64 {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(5) {}
        n
    }

    /// Asks and tells itself over the pinned handle, which must not allocate either.
    #[handler(tell)]
    fn talk_to_yourself(&mut self, cx: &mut Ctx<Self>, times: u64) {
        if times > 0 {
            let me = cx.pinned();
            let _ = me.add(1).now();
            let _ = me.set(1).now();
            let _ = me.talk_to_yourself(times - 1).now();
        }
    }
}

/// Asks and tells in all ways but one by one in a batch: over the thread's lane and one of its own, with a deadline that
/// is far away and without, and those that find no room.
async fn in_all_ways(counter: &CounterClient, ordered: &CounterClient, n: u64) {
    counter.add(n).await.unwrap();
    counter.get().await.unwrap();
    ordered.add(n).await.unwrap();
    ordered.get().await.unwrap();
    counter.get().deadline(Duration::from_secs(100)).await.unwrap();
    counter.add(n).deadline(Duration::from_secs(100)).await.unwrap();
    let _ = counter.add(n).now();
    let _ = ordered.get().now().map(drop);
    let _ = counter.get().now().map(drop);
    counter.get_later().await.unwrap();
    counter.exchange(n).await.unwrap();
    counter.set(n).await.unwrap();
}

async fn ask_and_tell(counter: &CounterClient, ordered: &CounterClient, times: u64) {
    let mut batch = counter.batch();
    for n in 0..times {
        in_all_ways(counter, ordered, n).await;
        batch.push(counter.add(n));
        if n % 32 == 31 {
            batch.send().await.unwrap();
        }
    }
    batch.send().await.unwrap();
}

/// What is allocated between the second and the third meeting of so many tasks.
async fn allocations_of<F>(callers: usize, task: impl Fn(Arc<Barrier>) -> F) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let meet = Arc::new(Barrier::new(callers + 1));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        tasks.spawn(task(Arc::clone(&meet)));
    }
    meet.wait().await;
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    meet.wait().await;
    meet.wait().await;
    let after = ALLOCATIONS.load(Ordering::SeqCst);
    while tasks.join_next().await.is_some() {}
    after - before
}

/// Warms up, meets the others, and goes on.
async fn roomy(counter: CounterClient, times: u64, meet: Arc<Barrier>) {
    let ordered = counter.ordered();
    ask_and_tell(&counter, &ordered, 500).await;
    for _ in 0..2 {
        meet.wait().await;
    }
    let mut batch = counter.batch();
    batch.push(counter.add(1));
    batch.send().await.unwrap();
    let mut asks = AskBatch::default();
    for n in 0..times {
        in_all_ways(&counter, &ordered, n).await;
        batch.push(counter.add(n));
        batch.send().await.unwrap();
        asks.extend((0..4).map(|n| counter.exchange(n)));
        asks.send().await.for_each(|answer| _ = answer.unwrap());
    }
    counter.talk_to_yourself(100).await.unwrap();
    meet.wait().await;
}

/// The same where nearly everybody waits for room.
async fn crowded(crowded: CrowdedClient, times: u64, meet: Arc<Barrier>) {
    for round in 0..2 {
        for n in 0..times {
            crowded.add(n).await.unwrap();
            crowded.get().await.unwrap();
        }
        for _ in 0..2 - round {
            meet.wait().await;
        }
    }
}

/// Between two cores.
fn between_cores() -> u64 {
    let system = System::builder().cores(2).start().unwrap();
    let [one, two] =
        [0, 1].map(|core| system.spawner().core(core).spawn::<Counter>(()).wait().unwrap());
    let allocations = one.ask_elsewhere(two, 5_000).wait().unwrap();
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    allocations
}

/// From a plain thread, whose messages come after those of a worker.
fn beside_a_worker(runtime: &Runtime) -> u64 {
    let system = System::builder().cores(1).start().unwrap();
    let counter = system.spawn::<Counter>(()).wait().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let (teller, told) = (counter.clone(), Arc::clone(&over));
    let teller = runtime.spawn(async move {
        while !told.load(Ordering::Relaxed) {
            teller.add(1).await.unwrap();
        }
    });
    let ask = |times| (0..times).for_each(|_| _ = counter.get().wait().unwrap());
    ask(1_000);
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    ask(5_000);
    let allocations = ALLOCATIONS.load(Ordering::SeqCst) - before;
    over.store(true, Ordering::Relaxed);
    runtime.block_on(teller).unwrap();
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    allocations
}

#[test]
fn asks_and_tells_allocate_nothing_in_the_steady_state() {
    let system = System::builder().cores(1).start().unwrap();
    let counter = system.spawn::<Counter>(()).wait().unwrap();
    counter.talk_to_yourself(1_000).wait().unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let little = system.spawn::<Crowded>(()).wait().unwrap();
    for callers in [1, 64] {
        let times = 20_000 / callers as u64;
        let (client, little) = (counter.clone(), little.clone());
        let measured = runtime.spawn(async move {
            let roomy = allocations_of(callers, |meet| roomy(client.clone(), times, meet)).await;
            let crowded =
                allocations_of(callers, |meet| crowded(little.clone(), times, meet)).await;
            (roomy, crowded)
        });
        let (roomy, crowded) = runtime.block_on(measured).unwrap();
        // A few for each caller's batch and barrier; one per round and caller would be 20,000.
        let allowed = 8 * callers as u64 + 16;
        assert!(roomy <= allowed, "{callers} callers: {roomy} allocations");
        assert!(crowded <= allowed, "{callers} callers without room: {crowded} allocations");
    }
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    let (cores, beside) = (between_cores(), beside_a_worker(&runtime));
    assert!(cores <= 16, "between cores: {cores} allocations");
    assert!(beside <= 16, "beside a worker: {beside} allocations");
}
