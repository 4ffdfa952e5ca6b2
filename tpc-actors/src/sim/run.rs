//! Running a future to its end, with everything that this takes.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::woken::Woken;
use super::world::World;

/// How much one run may take, so that a wait for what never comes ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) time_max: Duration,
    pub(super) steps_max: u64,
}

/// Runs `future` to its end.
#[track_caller]
pub(super) fn run<F: Future>(world: &RefCell<World>, future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Woken::now();
    let waker = woken.waker();
    assert!(
        world.try_borrow().is_ok(),
        "offloaded work cannot wait for its own simulation; it can await"
    );
    let Limits { time_max, steps_max } = world.borrow().limits();
    let until = world.borrow().elapsed().saturating_add(time_max);
    let step = || {
        let mut world = world.borrow_mut();
        let step = world.step(woken.is_woken());
        (step, world.elapsed())
    };
    for _ in 0..steps_max {
        match step() {
            (_, now) if now > until => panic!("{} after {time_max:?}", still_waits(world)),
            (Some(true), _) => {
                woken.take();
                let polled =
                    unconstrained(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
                if let Poll::Ready(output) = polled {
                    return output;
                }
            }
            (Some(false), _) => {}
            (None, _) => {
                panic!("{}, and nothing is left that could wake it", still_waits(world))
            }
        }
    }
    panic!("{} after {steps_max} steps", still_waits(world))
}

fn still_waits(world: &RefCell<World>) -> String {
    let mut world = world.borrow_mut();
    format!("the future still waits (seed {}, {})", world.seed(), world.ledger())
}

/// Does some work outside of what a Tokio task may do within one poll: a simulation within a task is all in one.
pub(super) fn unconstrained<R>(work: impl FnOnce() -> R) -> R {
    let mut work = Some(work);
    let once = poll_fn(|_| match work.take() {
        Some(work) => Poll::Ready(work()),
        None => Poll::Pending,
    });
    let done = pin!(tokio::task::unconstrained(once)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(done) = done else { unreachable!("it is ready at once") };
    done
}
