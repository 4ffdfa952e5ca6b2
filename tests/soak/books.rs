//! The ledger: what became of each request, and what must hold in the end.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use tpc_actors::{AskError, ShutdownReport};

/// Requests of one episode; more end it.
const MOST: usize = 1 << 21;

/// What became of a request, as its sender saw it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    Replied = 1,
    Panicked = 2,
    /// Certainly not run.
    Rejected = 3,
    TimedOut = 4,
    Cancelled = 5,
    /// Begun, and lost with its core, its actor's state or the system.
    Lost = 6,
    /// A tell that was accepted: run at most once.
    Told = 7,
}

pub struct Ledger {
    next: AtomicUsize,
    starts: Vec<AtomicU8>,
    outcomes: Vec<AtomicU8>,
    /// Handlers that were run.
    pub started: AtomicU64,
    /// Handlers that were run to panic.
    pub failed: AtomicU64,
}

impl Ledger {
    pub fn new() -> Self {
        let zeros = || (0..MOST).map(|_| AtomicU8::new(0)).collect();
        Self {
            next: AtomicUsize::new(0),
            starts: zeros(),
            outcomes: zeros(),
            started: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// The number of the next request, if there is one.
    pub fn number(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < MOST).then_some(number as u64)
    }

    /// A handler begins with a request.
    pub fn start(&self, number: u64) {
        self.started.fetch_add(1, Ordering::Relaxed);
        let before = self.starts[place(number)].fetch_add(1, Ordering::Relaxed);
        if before != 0 {
            violation(&format!("request {number} was run {} times", before + 1));
        }
    }

    pub fn close(&self, number: u64, outcome: Outcome) {
        let before = self.outcomes[place(number)].swap(outcome as u8, Ordering::Relaxed);
        if before != 0 {
            violation(&format!(
                "request {number} has two outcomes: {before} and {}",
                outcome as u8
            ));
        }
    }

    /// What an ask came to; false when its actor takes no more.
    pub fn answer(&self, number: u64, answer: &Result<u64, AskError>) -> bool {
        let outcome = match answer {
            Ok(echo) if *echo == number => Outcome::Replied,
            Ok(echo) => violation(&format!("request {number} got the answer of {echo}")),
            Err(AskError::Panicked(_)) => Outcome::Panicked,
            Err(AskError::Cancelled { started: true }) => Outcome::Cancelled,
            Err(AskError::Deadline { started: true }) => Outcome::TimedOut,
            Err(error) if error.never_ran() => Outcome::Rejected,
            Err(_) => Outcome::Lost,
        };
        self.close(number, outcome);
        !matches!(answer, Err(AskError::Stopping { .. } | AskError::Stopped))
    }

    /// The end of an episode: everything has an outcome, and the outcomes fit what was run.
    pub fn balance(&self, report: &ShutdownReport, totals: &mut Totals) {
        let count = self.next.swap(0, Ordering::Relaxed).min(MOST);
        let mut ran = 0;
        for number in 0..count {
            let starts = self.starts[number].swap(0, Ordering::Relaxed);
            let outcome = self.outcomes[number].swap(0, Ordering::Relaxed);
            ran += u64::from(starts);
            let fits = match outcome {
                1 | 2 | 6 => starts == 1,
                3 => starts == 0,
                // Who leaves while the core looks at the deadline cannot tell whether it will run.
                4 | 5 | 7 => starts <= 1,
                _ => violation(&format!("request {number} has no outcome, and {starts} starts")),
            };
            if !fits {
                violation(&format!(
                    "request {number} with outcome {outcome} was run {starts} times"
                ));
            }
            totals.outcomes[usize::from(outcome)] += 1;
        }
        let (started, failed) =
            (self.started.swap(0, Ordering::Relaxed), self.failed.swap(0, Ordering::Relaxed));
        if started != ran || report.finished() != started {
            violation(&format!("{started} started, {ran} in the ledger: {report}"));
        }
        if report.panics() != failed {
            violation(&format!("{failed} panics were thrown: {report}"));
        }
        totals.panics += report.panics();
        totals.restarts += report.restarts();
        totals.lost_cores += report.lost_threads().len() as u64;
        totals.shutdowns += 1;
        if !report.stuck_threads().is_empty() {
            violation(&format!("a core is stuck: {report}"));
        }
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("numbers are few")
}

#[derive(Default)]
pub struct Totals {
    /// By [`Outcome`].
    outcomes: [u64; 8],
    panics: u64,
    restarts: u64,
    lost_cores: u64,
    shutdowns: u64,
    pub cancels: u64,
    /// Events and gaps of subscriptions that last.
    pub heard: u64,
}

impl Totals {
    fn asks(&self) -> u64 {
        self.outcomes[1..7].iter().sum()
    }

    /// What a minute must come to.
    pub fn check_volume(&self) {
        assert!(self.asks() >= 5_000_000, "{self}");
        assert!(self.panics >= 5_000 && self.restarts >= 1_000, "{self}");
        assert!(self.cancels >= 500_000 && self.shutdowns >= 20, "{self}");
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, replied, panicked, rejected, timed_out, cancelled, lost, told] = self.outcomes;
        write!(
            f,
            "{} asks: {replied} replied, {panicked} panicked, {rejected} rejected, {timed_out} timed out, \
             {cancelled} cancelled after their start, {lost} lost; {} cancels, {told} tells, {} panics, \
             {} restarts, {} lost cores, {} shutdowns, {} events heard",
            self.asks(),
            self.cancels,
            self.panics,
            self.restarts,
            self.lost_cores,
            self.shutdowns,
            self.heard
        )
    }
}

/// Ends the process, from whichever thread: a panic on a core would be caught.
pub fn violation(what: &str) -> ! {
    eprintln!("violation: {what}");
    std::process::exit(101)
}
