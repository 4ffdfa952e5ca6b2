//! Intervals and pauses: what they are counted from, and what goes on after a panic.

mod until;

use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(20);
const MS: Duration = Duration::from_millis(1);

/// Each of its methods that come by themselves panics once, and the actor goes on.
#[core_actor(supervise(on_panic = resume))]
struct Resumes {
    ticks: u32,
    tidied: u32,
}

#[core_actor]
impl Resumes {
    #[init]
    fn new() -> Self {
        Self { ticks: 0, tidied: 0 }
    }

    #[every("2ms")]
    fn tick(&mut self) {
        self.ticks += 1;
        assert_ne!(self.ticks, 3);
    }

    #[maintenance(every = "2ms", budget = "1ms")]
    fn tidy(&mut self) -> Work {
        self.tidied += 1;
        assert_ne!(self.tidied, 3);
        Work::Done
    }

    #[handler]
    fn counts(&self) -> [u32; 2] {
        [self.ticks, self.tidied]
    }
}

#[test]
fn who_goes_on_after_a_panic_goes_on_in_its_intervals() {
    let system = System::builder().cores(1).start().unwrap();
    let resumes = system.spawn::<Resumes>(()).wait().unwrap();
    until("the next ones", || resumes.counts().wait().unwrap().iter().all(|count| *count > 5));
    assert_eq!(system.shutdown_wait(LONG).panics(), 2);
}

/// Takes its time for its start, and for each of its ticks.
#[core_actor]
struct Slow {
    tick_takes: Duration,
    ticks: u32,
}

#[core_actor]
impl Slow {
    #[init]
    fn new(start_takes: Duration, tick_takes: Duration) -> Self {
        std::thread::sleep(start_takes);
        Self { tick_takes, ticks: 0 }
    }

    #[every("100ms")]
    fn tick(&mut self) {
        self.ticks += 1;
        std::thread::sleep(self.tick_takes);
    }

    #[handler]
    fn ticks(&self) -> u32 {
        self.ticks
    }

    /// How long a pause takes that comes after work in the same turn.
    #[handler]
    fn pause(&self, cx: &mut Ctx<Self>, pause: Duration, reply: Reply<Duration>) {
        let clock = cx.clock();
        cx.spawn(async move {
            std::thread::sleep(2 * pause);
            let began = Instant::now();
            clock.sleep(pause).await;
            reply.send(began.elapsed());
        });
    }

    /// From here on a task pauses for no time at all, again and again.
    #[handler(tell)]
    fn pause_for_nothing(&self, cx: &mut Ctx<Self>) {
        let clock = cx.clock();
        cx.spawn(async move {
            loop {
                clock.sleep(Duration::ZERO).await;
            }
        });
    }
}

fn slow(start_takes: Duration, tick_takes: Duration) -> (System, SlowClient) {
    let system = System::builder().cores(1).stall_after(None).start().unwrap();
    let slow = system.spawn::<Slow>((start_takes, tick_takes)).wait().unwrap();
    (system, slow)
}

#[test]
fn a_pause_begins_when_it_is_asked_for() {
    let (system, slow) = slow(Duration::ZERO, Duration::ZERO);
    let pause = 20 * MS;
    let took = slow.pause(pause).wait().unwrap();
    assert!(took >= pause, "{took:?}");
    system.shutdown_wait(LONG);
}

#[test]
fn the_first_interval_begins_after_the_start() {
    let began = Instant::now();
    let (system, slow) = slow(150 * MS, Duration::ZERO);
    until("the first tick", || slow.ticks().wait().unwrap() > 0);
    assert!(began.elapsed() >= 250 * MS, "{:?}", began.elapsed());
    system.shutdown_wait(LONG);
}

#[test]
fn ticks_that_are_missed_are_left_out() {
    let (system, slow) = slow(Duration::ZERO, 150 * MS);
    let began = Instant::now();
    until("some ticks", || slow.ticks().wait().unwrap() == 5);
    // Every other one, so the fifth one begins 800 ms after the first; one after the other, they take 600.
    assert!(began.elapsed() >= 850 * MS, "{:?}", began.elapsed());
    system.shutdown_wait(LONG);
}

#[test]
fn who_pauses_for_no_time_lets_others_run() {
    let (system, slow) = slow(Duration::ZERO, Duration::ZERO);
    slow.pause_for_nothing().wait().unwrap();
    assert!(slow.ticks().deadline(LONG).wait().is_ok());
    assert!(system.shutdown_wait(LONG).is_clean());
}
