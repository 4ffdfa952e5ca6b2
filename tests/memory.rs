//! What short-lived threads, clients and actors leave behind: nothing.
//!
//! A process of its own, because the allocator that counts is everybody's.

use std::alloc::{GlobalAlloc, Layout, System as Malloc};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::Ended;
use tpc_actors::prelude::*;
use tpc_actors::supervision::Group;

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

/// Tests take turns, for the same reason.
static TURN: Mutex<()> = Mutex::new(());

// SAFETY: everything is passed on to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those that are wanted here.
        unsafe { Malloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { Malloc.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[core_actor(capacity = 32)]
struct Sum(u64);

#[core_actor]
impl Sum {
    #[init]
    fn new() -> Self {
        Self(0)
    }

    #[handler(tell)]
    fn add(&mut self, n: u64) {
        self.0 += n;
    }

    #[handler]
    fn get(&self) -> u64 {
        self.0
    }
}

/// Clients with lanes of their own that come and go, each after an ask and a tell.
fn clients(sum: &SumClient, count: u64) {
    for _ in 0..count {
        let ordered = sum.ordered();
        ordered.add(1).wait().unwrap();
        ordered.get().wait().unwrap();
    }
}

/// Threads with lanes of their own that come and go.
fn threads(sum: &SumClient, count: u64) {
    for _ in 0..count {
        let sum = sum.clone();
        let send = move || {
            tpc_actors::register_thread();
            sum.add(1).wait().unwrap();
            sum.get().wait().unwrap();
        };
        thread::Builder::new().stack_size(64 * 1024).spawn(send).unwrap().join().unwrap();
    }
}

/// The bytes in use once the core has let go of everything, or those that stay.
fn settled(sum: &SumClient, goal: usize) -> usize {
    for _ in 0..200 {
        sum.get().wait().unwrap();
        if BYTES.load(Ordering::Relaxed) <= goal {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    BYTES.load(Ordering::Relaxed)
}

#[test]
fn ten_thousand_short_lived_clients_and_threads_leave_no_memory() {
    let _turn = TURN.lock();
    let system = System::builder().cores(1).start().unwrap();
    let sum = system.spawn::<Sum>(()).wait().unwrap();
    // Tables grow to what the most lanes at a time need, and stay.
    clients(&sum, 500);
    threads(&sum, 500);
    let before = settled(&sum, 0);
    clients(&sum, 10_000);
    threads(&sum, 10_000);
    // A lane of this actor takes more than a kilobyte, and 20,000 of them would be noticed.
    let goal = before + 16 * 1024;
    let after = settled(&sum, goal);
    assert!(after <= goal, "{before} bytes before, {after} after");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[core_actor(capacity = 16_384)]
struct Wide;

#[core_actor]
impl Wide {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn ping(&self) {}
}

#[core_actor(capacity = 16_384)]
struct WideOf<T: 'static>(std::marker::PhantomData<T>);

#[core_actor]
impl<T: 'static> WideOf<T> {
    #[init]
    fn new() -> Self {
        Self(std::marker::PhantomData)
    }

    #[handler]
    fn ping(&self) {}
}

/// At least what a lane of these takes.
const LANE_BYTES: usize = 16_384 * 8;

/// The bytes in use with one actor that this thread has just asked.
fn with_one_actor(ask: impl FnOnce(&System)) -> usize {
    let system = System::builder().cores(1).start().unwrap();
    ask(&system);
    let bytes = BYTES.load(Ordering::Relaxed);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    bytes
}

fn with_wide() -> usize {
    with_one_actor(|system| system.spawn::<Wide>(()).wait().unwrap().ping().wait().unwrap())
}

fn with_wide_of<T: 'static>() -> usize {
    with_one_actor(|system| system.spawn::<WideOf<T>>(()).wait().unwrap().ping().wait().unwrap())
}

/// Whatever the types are of the actors that have ended and of the one that comes.
#[test]
fn lanes_to_ended_actors_leave_a_thread_with_the_next_one() {
    let _turn = TURN.lock();
    thread::spawn(|| {
        tpc_actors::register_thread();
        let first = with_wide_of::<u8>();
        // Each of these would find the memory of the one before if that did not go.
        for (bytes, before) in [
            (with_wide(), "a generic one"),
            (with_wide_of::<u16>(), "one that is not generic"),
            (with_wide_of::<u32>(), "another generic one"),
        ] {
            assert!(bytes < first + LANE_BYTES / 2, "after {before}: {first} bytes, then {bytes}");
        }
    })
    .join()
    .unwrap();
}

/// Clients that are there at the same time leave their places in a table, and not their rings.
#[test]
fn clients_that_were_there_together_leave_no_rings() {
    let _turn = TURN.lock();
    let system = System::builder().cores(1).start().unwrap();
    let wide = system.spawn::<Wide>(()).wait().unwrap();
    let sum = system.spawn::<Sum>(()).wait().unwrap();
    let before = settled(&sum, 0);
    let together: Vec<_> = (0..8).map(|_| wide.ordered()).collect();
    for client in &together {
        client.ping().wait().unwrap();
    }
    assert!(BYTES.load(Ordering::Relaxed) > before + 8 * LANE_BYTES);
    drop(together);
    let goal = before + LANE_BYTES;
    let after = settled(&sum, goal);
    assert!(after <= goal, "{before} bytes before, {after} after");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// Lives for one message, if it starts at all.
#[core_actor(capacity = 32)]
struct Room(u64);

#[core_actor]
impl Room {
    #[init]
    fn new(number: u64) -> Result<Self, String> {
        if number % 4 == 3 { Err("closed today".to_owned()) } else { Ok(Self(number)) }
    }

    #[every("1h")]
    fn lights_out(&mut self) {}

    #[handler]
    fn number(&self) -> u64 {
        self.0
    }
}

fn rooms(system: &System, count: u64) {
    for number in 0..count {
        let group = system.group(Group::new());
        let spawn = if number % 2 == 0 {
            system.spawn::<Room>(number).wait()
        } else {
            group.spawn::<Room>(number).wait()
        };
        assert_eq!(spawn.is_err(), number % 4 == 3);
        if let Ok(room) = spawn {
            // Which is long after the room has closed.
            let late = Duration::from_hours(1);
            assert_eq!(room.number().deadline(late).wait().unwrap(), number);
            assert!(matches!(system.stop(&room).wait(), Ended::Stopped));
        }
    }
}

#[test]
fn actors_that_come_and_go_leave_no_memory() {
    let _turn = TURN.lock();
    let system = System::builder().cores(1).start().unwrap();
    let sum = system.spawn::<Sum>(()).wait().unwrap();
    rooms(&system, 500);
    let before = settled(&sum, 0);
    rooms(&system, 4_000);
    // Ten bytes for each of them would be noticed.
    let goal = before + 40 * 1024;
    let after = settled(&sum, goal);
    assert!(after <= goal, "{before} bytes before, {after} after");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// Threads of this process that keep deadlines.
fn keepers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
    tasks.filter_map(|task| name(task).ok()).filter(|name| name.trim() == "tpc-deadlines").count()
}

#[test]
fn no_thread_stays_for_deadlines_of_asks_that_were_answered() {
    let _turn = TURN.lock();
    let mut clients = Vec::new();
    for _ in 0..10 {
        let system = System::builder().cores(1).start().unwrap();
        let sum = system.spawn::<Sum>(()).wait().unwrap();
        assert_eq!(sum.get().deadline(Duration::from_hours(1)).wait().unwrap(), 0);
        clients.push(sum);
        assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    }
    // Who joins a thread is let go before the kernel has taken it off its list.
    let gone = (0..1_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        keepers() == 0
    });
    assert!(gone, "{} left", keepers());
}
