//! A fence that one thread executes for all threads of the process: Linux's `membarrier`.

#![allow(unsafe_code, reason = "a system call without pointers")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};
use std::time::Duration;

/// Whether light fences leave the work to heavy ones. Set once, by [`REGISTERED`]; a thread that does not
/// see it yet fences for itself, which is right with every heavy fence.
static LIGHT: AtomicBool = AtomicBool::new(false);

/// Whether this process may use `membarrier`. Heavy fences look here and not at [`LIGHT`], so that none is
/// decided before the registration and used after it.
static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    const QUERY: i32 = 0;
    // Two system calls in the order in which the kernel wants them.
    let wanted = libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    let registered = !cfg!(feature = "symmetric-fences")
        && membarrier(QUERY).is_some_and(|supported| supported & i64::from(wanted) != 0)
        && membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED).is_some();
    LIGHT.store(registered, Ordering::SeqCst);
    registered
});

/// The kernel did it once and refuses now, and every thread knows that by [`LIGHT`]: both sides fence for themselves.
static REFUSED: AtomicBool = AtomicBool::new(false);

fn membarrier(command: i32) -> Option<i64> {
    // SAFETY: `membarrier` takes two numbers and a CPU that these commands ignore, and no pointers.
    let answer = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    (answer >= 0).then_some(answer)
}

/// Decides, before the first light fence, whether this process can do with light ones.
pub(crate) fn prepare() {
    LazyLock::force(&REGISTERED);
}

/// The side of a store-load pair that is passed often: keeps the compiler from reordering, and leaves the
/// processor to [`heavy`].
#[inline]
pub(crate) fn light() {
    if LIGHT.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The side that is passed rarely: when it returns, every thread of the process has passed a full fence.
#[cold]
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if *REGISTERED
        && !REFUSED.load(Ordering::Acquire)
        && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED).is_none()
    {
        // As a filter of system calls that was installed later may have it. No store stays in a processor's buffer for a
        // millisecond: neither those of threads that did not fence, nor this one.
        LIGHT.store(false, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        REFUSED.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Dekker's mutual exclusion needs exactly what the pair promises.
    #[test]
    fn of_two_threads_that_store_and_look_at_least_one_sees_the_other() {
        prepare();
        for _ in 0..20_000 {
            let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let start = Arc::new(AtomicUsize::new(0));
            let other = (Arc::clone(&flags), Arc::clone(&start));
            let meet = |start: &AtomicUsize| {
                start.fetch_add(1, Ordering::SeqCst);
                // With patience only for so long: the other one may need this very CPU to get here.
                for look in 0.. {
                    if start.load(Ordering::Relaxed) == 2 {
                        break;
                    }
                    if look < 1000 {
                        std::hint::spin_loop();
                    } else {
                        std::thread::yield_now();
                    }
                }
            };
            std::thread::scope(|scope| {
                let often = scope.spawn(move || {
                    let (flags, start) = other;
                    meet(&start);
                    flags[0].store(true, Ordering::Relaxed);
                    light();
                    flags[1].load(Ordering::Relaxed)
                });
                meet(&start);
                flags[1].store(true, Ordering::Relaxed);
                heavy();
                let seen = flags[0].load(Ordering::Relaxed);
                assert!(seen || often.join().unwrap(), "both looked too early");
            });
        }
    }
}
