//! Sleeping cores wake for every message, and sleep when there is nothing to do.
//!
//! Systems here have no backstop (debug builds) or must not have needed it, so a lost wake shows as a
//! hang or as a count.

mod random;
mod until;

use std::thread;
use std::time::Duration;

use random::Random;
use tpc_actors::prelude::*;
use until::until;

#[core_actor(capacity = 1024)]
struct Echo;

#[core_actor]
impl Echo {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn echo(&self, n: u64) -> u64 {
        n
    }
}

fn start(spin: Duration) -> (System, EchoClient) {
    let system = System::builder().cores(1).spin(spin).park_backstop(None).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    (system, echo)
}

/// Sleeps of the long test below; `just wake-cycles` asks for more.
fn cycles() -> u64 {
    let cycles = std::env::var("TPC_WAKE_CYCLES").map(|cycles| cycles.parse().unwrap());
    cycles.unwrap_or(10_000)
}

#[test]
fn no_wake_is_lost_over_many_sleeps() {
    let (system, echo) = start(Duration::ZERO);
    let cycles = cycles();
    let ask = |asker: u64| {
        if asker == 0 {
            tpc_actors::register_thread();
        }
        let pause = Random::beside(asker);
        for n in 0.. {
            assert_eq!(echo.echo(n).wait().unwrap(), n);
            // Arrives at a different moment of the core's way to sleep each time.
            for _ in 0..pause.below(2_048) {
                std::hint::spin_loop();
            }
            if n % 16 == 0 && system.cores()[0].parks() >= cycles {
                break;
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| ask(0));
        scope.spawn(|| ask(1));
    });
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// One wake, more requests than one turn may serve: none of them waits for another wake.
#[test]
fn a_budget_that_runs_out_does_not_put_the_core_to_sleep() {
    let (system, echo) = start(Duration::ZERO);
    for _ in 0..50 {
        let asks: Vec<_> = (0..1000).map(|n| echo.echo(n).now().unwrap()).collect();
        for (n, ask) in (0..).zip(asks) {
            assert_eq!(ask.wait().unwrap(), n);
        }
    }
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn an_idle_system_does_nothing() {
    let (system, echo) = start(Duration::from_micros(50));
    assert_eq!(echo.echo(1).wait().unwrap(), 1);
    thread::sleep(Duration::from_millis(50));
    let before = system.cores()[0].turns();
    thread::sleep(Duration::from_millis(500));
    let turns = system.cores()[0].turns() - before;
    assert_eq!(turns, 0, "nobody asked for these turns");
    assert_eq!(echo.echo(2).wait().unwrap(), 2);
    assert_eq!(system.cores()[0].backstop_rescues(), 0);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn an_unneeded_backstop_finds_nothing() {
    let system =
        System::builder().cores(1).park_backstop(Some(Duration::from_millis(1))).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    for n in 0..300 {
        assert_eq!(echo.echo(n).wait().unwrap(), n);
        thread::sleep(Duration::from_micros(n * 10));
    }
    // Also when the sender is held up between its publish and its ring.
    assert_eq!(system.cores()[0].backstop_rescues(), 0);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// Nobody else would wake the core: it looks at its lanes for nothing else.
#[test]
fn a_core_that_sleeps_hears_of_a_client_that_goes() {
    let system = System::builder().cores(1).park_backstop(None).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    let own = echo.ordered();
    assert_eq!(own.echo(1).wait().unwrap(), 1);
    let parks = || system.cores()[0].parks();
    // Asleep for good: it has parked, and nothing has woken it for a while.
    let mut seen = 0;
    until("the core's sleep", || {
        let before = std::mem::replace(&mut seen, parks());
        before == seen && seen > 0
    });
    drop(own);
    until("a look at the lane that has closed", || parks() > seen);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// A kernel that does not fence for all threads, or does so no more after a while: both sides fence for themselves.
#[cfg(target_os = "linux")]
#[test]
fn no_wake_is_lost_where_the_kernel_refuses_to_fence() {
    for from in [1, 30] {
        let said = std::env::temp_dir().join(format!("tpc-fences-{}-{from}", std::process::id()));
        let refuse = format!("inject=membarrier:error=EPERM:when={from}+");
        let mut run = std::process::Command::new("strace");
        run.args(["-f", "-qq", "--seccomp-bpf", "-e", "trace=membarrier", "-e", &refuse, "-o"]);
        run.arg(&said).arg(std::env::current_exe().unwrap());
        run.args(["no_wake_is_lost_over_many_sleeps", "--exact"]);
        let ended = run.env("TPC_WAKE_CYCLES", "1000").output().expect("`strace` around this test");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
        let asked = std::fs::read_to_string(&said).unwrap().contains("(INJECTED)");
        assert_eq!(asked, !cfg!(feature = "symmetric-fences"), "whether the kernel is asked");
        std::fs::remove_file(said).unwrap();
    }
}
