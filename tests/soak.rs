//! A fault soak with a ledger: every ask has a number and is an event when it begins, and at every quiesce the books
//! must balance.
//!
//! `just soak SECONDS` runs it for longer, `TPC_SOAK_SEED` repeats its choices (not the schedule). Under
//! `--cfg tpc_planted` the library carries defects that can be switched on by name; each must be caught.

#[path = "soak/books.rs"]
mod books;
#[path = "soak/chaos.rs"]
mod chaos;
#[path = "soak/listeners.rs"]
mod listeners;
#[path = "soak/worker.rs"]
mod worker;

use std::alloc::{GlobalAlloc, Layout, System as Heap};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use books::Totals;
use chaos::{Random, episode};

/// Counts blocks that are alive.
struct Counting;

static BLOCKS: AtomicI64 = AtomicI64::new(0);

#[allow(unsafe_code, reason = "an allocator that counts")]
// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { Heap.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BLOCKS.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { Heap.dealloc(block, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What a system must not leave behind.
#[derive(Debug, Clone, Copy)]
struct Remains {
    descriptors: usize,
    threads: usize,
    blocks: i64,
}

impl Remains {
    fn now() -> Self {
        let count =
            |what| std::fs::read_dir(format!("/proc/self/{what}")).map_or(0, Iterator::count);
        Self {
            descriptors: count("fd"),
            threads: count("task"),
            blocks: BLOCKS.load(Ordering::Relaxed),
        }
    }

    /// Threads that have been joined may take a moment to leave the list.
    fn check(baseline: Self) {
        let start = Instant::now();
        loop {
            let now = Self::now();
            let fine = now.descriptors <= baseline.descriptors
                && now.threads <= baseline.threads
                && now.blocks <= baseline.blocks + SLACK;
            if fine {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "left behind: {now:?}, before: {baseline:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Blocks that lazy initialisation, the test harness and the output may add.
const SLACK: i64 = 64;

fn seconds(otherwise: u64) -> u64 {
    env::var("TPC_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn the_books_balance_whatever_happens() {
    // Panics are what this is about; printing them is not.
    std::panic::set_hook(Box::new(|info| {
        let core = std::thread::current().name().is_some_and(|name| name.starts_with("tpc-core"));
        if !core {
            eprintln!("{info}");
        }
    }));
    let seed = env::var("TPC_SOAK_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let random = Random::new(seed);
    let time = Duration::from_secs(seconds(3));
    println!("seed {seed}, {time:?}");
    let ledger = Arc::new(books::Ledger::new());
    let mut totals = Totals::default();
    // The first ones warm up what is made once in a process.
    for _ in 0..2 {
        episode(&ledger, &random, Duration::from_millis(200), &mut totals);
    }
    let baseline = Remains::now();
    let start = Instant::now();
    while start.elapsed() < time {
        let length = Duration::from_millis(200 + random.below(1500));
        episode(&ledger, &random, length, &mut totals);
        Remains::check(baseline);
    }
    println!("{totals}");
    if time >= Duration::from_mins(1) {
        totals.check_volume();
    }
}

/// The defects that the library carries under `--cfg tpc_planted`, and that this must notice.
#[cfg(tpc_planted)]
const PLANTED: [&str; 15] = [
    "skip-reply",
    "wrong-fate",
    "lost-wake",
    "lost-request",
    "lost-ring",
    "leak-slot",
    "reuse-generation",
    "run-cancelled",
    "keep-broken-state",
    "uncounted-panic",
    "leak-descriptor",
    "lose-event",
    "short-gap",
    "quiet-tail",
    "uncounted-drop",
];

#[cfg(tpc_planted)]
#[test]
fn every_planted_defect_is_caught() {
    for name in PLANTED {
        let output = std::process::Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_books_balance_whatever_happens", "--nocapture"])
            .env("TPC_PLANTED", name)
            // Most are noticed at once. A leak needs an episode that lasts and does not end by a shutdown, which
            // answers those who wait.
            .env("TPC_SOAK_SECONDS", "30")
            .output()
            .unwrap();
        let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
        assert!(!output.status.success(), "`{name}` went unnoticed: {said}");
        let noticed = said.lines().find(|line| {
            ["violation", "hang", "left behind"].iter().any(|word| line.contains(word))
        });
        println!("{name}: {}", noticed.unwrap_or("ended badly"));
    }
}
