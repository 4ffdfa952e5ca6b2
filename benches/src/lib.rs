//! Rounds that take turns, and tables of medians.
//!
//! Machines are shared and noisy, so every table compares within one run: each round runs every contender
//! once, and a contender is judged by the median of its rounds.

use std::time::{Duration, Instant};

pub mod peers;
pub mod stage;

pub use std::hint::black_box;

/// One row of a table: a name, and a round that returns the nanoseconds that an operation took.
pub struct Contender<'a> {
    name: &'a str,
    round: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'a str, round: impl FnMut() -> f64 + 'a) -> Self {
        Self { name, round: Box::new(round) }
    }
}

/// What a table shows.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// Millions of operations in a second.
    Rate,
    /// Nanoseconds for an operation.
    Time,
}

/// Runs `rounds` rounds of each contender in turns and prints a table; the first one is ours.
///
/// Only tables whose title contains the first argument of the process are run; `--alone` runs ours only,
/// for profiles.
pub fn compare(title: &str, unit: Unit, rounds: usize, mut contenders: Vec<Contender<'_>>) {
    if !wanted(title) {
        return;
    }
    if std::env::args().any(|arg| arg == "--alone") {
        contenders.truncate(1);
    }
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let time = (contender.round)();
            // The first round warms up.
            if round > 0 {
                times.push(time);
            }
        }
    }
    let times: Vec<Summary> = times.into_iter().map(Summary::of).collect();
    println!("\n{title}\n");
    println!("| | {} | min..max | ours is |", unit.heading());
    println!("|---|---:|---:|---:|");
    let ours = times[0].median;
    for (contender, time) in contenders.iter().zip(&times) {
        println!(
            "| {} | {} | {}..{} | {:.2}x |",
            contender.name,
            unit.show(time.median),
            unit.show(time.least),
            unit.show(time.most),
            time.median / ours
        );
    }
}

/// Whether the first argument of the process asks for this table.
pub fn wanted(title: &str) -> bool {
    std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with("--"))
        .is_none_or(|part| title.contains(&part))
}

#[derive(Debug)]
struct Summary {
    median: f64,
    least: f64,
    most: f64,
}

impl Summary {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self { median: times[times.len() / 2], least: times[0], most: times[times.len() - 1] }
    }
}

impl Unit {
    fn heading(self) -> &'static str {
        match self {
            Self::Rate => "M/s",
            Self::Time => "ns",
        }
    }

    fn show(self, nanos: f64) -> String {
        match self {
            Self::Rate if nanos < 20.0 => format!("{:.0}", 1e3 / nanos),
            Self::Rate => format!("{:.2}", 1e3 / nanos),
            Self::Time => format!("{nanos:.0}"),
        }
    }
}

/// A number of operations, to be divided by.
///
/// # Panics
///
/// With four billion or more.
pub fn counted(operations: u64) -> f64 {
    u32::try_from(operations).expect("fewer than four billion").into()
}

/// The nanoseconds of one of `operations` that took `elapsed` together.
pub fn each(elapsed: Duration, operations: u64) -> f64 {
    elapsed.as_secs_f64() * 1e9 / counted(operations)
}

/// Runs `work` and returns the nanoseconds of one of its `operations`.
pub fn timed(operations: u64, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    each(start.elapsed(), operations)
}

/// The one in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) {
    let set: tpc_actors::placement::CpuSet = [cpu].into_iter().collect();
    set.bind_current_thread();
}
