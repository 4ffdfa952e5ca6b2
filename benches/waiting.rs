//! Lone asks: of a core that is awake, of one that sleeps, and after silence; and what an idle core uses.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench waiting
//! ```
//!
//! As in `messages`: one task of one Tokio worker asks, and the actor is on the other CPU. A round is the median of
//! its asks. The first row after ours is what no ask can be faster than, measured without any of us: a task that
//! yields until a spinning thread has answered, and two threads that wake each other through descriptors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::time::{ClockId, clock_gettime};
use tpc_actors_benches::peers::{Counter, CounterClient, Peer, Peers};
use tpc_actors_benches::stage::Stage;
use tpc_actors_benches::{Contender, Unit, compare, median, pin, wanted};

/// Nanoseconds since `start`.
fn nanos(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9
}

/// The median of `count` asks of one task, each after a pause.
fn asks(stage: &Stage, peer: &impl Peer, count: usize, pause: Duration) -> f64 {
    let peer = peer.clone();
    stage.in_task(async move {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let start = Instant::now();
            peer.ask(1).await;
            times.push(nanos(start));
        }
        median(times)
    })
}

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// A task that yields until a spinning thread has answered: what a task's question to another CPU takes.
fn task_and_spinning_thread(stage: &Stage, count: u64) -> f64 {
    let lines = Arc::new([Line::default(), Line::default()]);
    let theirs = Arc::clone(&lines);
    let cpu = stage.cpu;
    let answers = thread::spawn(move || {
        pin(cpu);
        for n in 1..=count {
            while theirs[0].0.load(Ordering::Acquire) != n {
                std::hint::spin_loop();
            }
            theirs[1].0.store(n, Ordering::Release);
        }
    });
    let median = stage.in_task(async move {
        let mut times = Vec::new();
        for n in 1..=count {
            let start = Instant::now();
            lines[0].0.store(n, Ordering::Release);
            while lines[1].0.load(Ordering::Acquire) != n {
                tokio::task::yield_now().await;
            }
            times.push(nanos(start));
        }
        median(times)
    });
    answers.join().expect("no panic");
    median
}

/// Two threads that sleep until the other one writes to their descriptor.
fn two_sleeping_threads(stage: &Stage, count: usize) -> f64 {
    let event =
        || Arc::new(EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC).expect("a descriptor"));
    let (question, answer) = (event(), event());
    let (asked, answers) = (Arc::clone(&question), Arc::clone(&answer));
    let cpu = stage.cpu;
    let answering = thread::spawn(move || {
        pin(cpu);
        for _ in 0..count {
            asked.read().expect("a question");
            answers.write(1).expect("an answer");
        }
    });
    let median = stage.in_task(async move {
        let mut times = Vec::new();
        for _ in 0..count {
            let start = Instant::now();
            question.write(1).expect("a question");
            answer.read().expect("an answer");
            times.push(nanos(start));
        }
        median(times)
    });
    answering.join().expect("no panic");
    median
}

/// What the process uses of a CPU while nobody asks for anything, in percent.
fn idle_percent() -> f64 {
    let used =
        || Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock"));
    let (start, before) = (Instant::now(), used());
    thread::sleep(Duration::from_secs(3));
    100.0 * used().saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64()
}

fn main() {
    let stage = Stage::new();
    if wanted("idle") {
        let builder = stage.builder(Duration::ZERO).park_backstop(None);
        let system = builder.start().expect("a system");
        let counter: CounterClient = system.spawn::<Counter>(()).wait().expect("an actor");
        asks(&stage, &counter, 10, Duration::ZERO);
        println!("idle, one core without a backstop: {:.3} % of a CPU", idle_percent());
        system.shutdown_wait(Duration::from_secs(5));
    }
    let awake = stage.system(Duration::from_micros(50));
    let asleep = stage.system(Duration::ZERO);
    let at_once: CounterClient = asleep.spawn::<Counter>(()).wait().expect("an actor");
    let counter: CounterClient = awake.spawn::<Counter>(()).wait().expect("an actor");
    if wanted("idle") {
        asks(&stage, &counter, 10, Duration::ZERO);
        asks(&stage, &at_once, 10, Duration::ZERO);
        println!(
            "idle, two cores that spin for 50 us and for nothing: {:.3} % of a CPU",
            idle_percent()
        );
    }
    let peers = Peers::start(stage.cpu);
    let none = Duration::ZERO;
    compare(
        "a lone ask, core awake",
        Unit::Time,
        9,
        vec![
            Contender::new("tpc-actors", || asks(&stage, &counter, 10_000, none)),
            Contender::new("a yielding task and a spinning thread", || {
                task_and_spinning_thread(&stage, 10_000)
            }),
            Contender::new("kanal", || asks(&stage, &peers.kanal, 1_000, none)),
            Contender::new("kameo", || asks(&stage, &peers.kameo, 1_000, none)),
        ],
    );
    compare(
        "a lone ask, core asleep",
        Unit::Time,
        9,
        vec![
            Contender::new("tpc-actors", || asks(&stage, &at_once, 1_000, none)),
            Contender::new("two threads and two descriptors", || {
                two_sleeping_threads(&stage, 1_000)
            }),
            Contender::new("tokio mpsc", || asks(&stage, &peers.tokio, 1_000, none)),
            Contender::new("crossfire", || asks(&stage, &peers.crossfire, 1_000, none)),
            Contender::new("kameo", || asks(&stage, &peers.kameo, 1_000, none)),
            Contender::new("actix", || asks(&stage, &peers.actix, 1_000, none)),
        ],
    );
    let silence = Duration::from_millis(10);
    compare(
        "an ask after 10 ms of silence",
        Unit::Time,
        9,
        vec![
            Contender::new("tpc-actors", || asks(&stage, &counter, 20, silence)),
            Contender::new("tokio mpsc", || asks(&stage, &peers.tokio, 20, silence)),
            Contender::new("crossfire", || asks(&stage, &peers.crossfire, 20, silence)),
            Contender::new("kameo", || asks(&stage, &peers.kameo, 20, silence)),
            Contender::new("actix", || asks(&stage, &peers.actix, 20, silence)),
        ],
    );
    for system in [awake, asleep] {
        system.shutdown_wait(Duration::from_secs(5));
    }
}
