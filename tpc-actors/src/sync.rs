//! Atomics, cells and locks: std's in a build, loom's in a model.
//!
//! Nothing else in the modelled modules names an atomic, so a model runs the very code that ships.
//! Models are enabled by `--cfg tpc_loom`; the plain `loom` cfg would rewire Tokio as well.
//!
//! [`weaken!`], [`intact!`], [`whole!`] and [`in_order!`] mark the orderings, the fences and rechecks, the
//! read-modify-writes and the sequences that a protocol depends on. A build sees the plain value. A model may switch one
//! of them off by name, and must then fail: a model that cannot fail proves nothing.

#[cfg(tpc_loom)]
pub(crate) mod torn;

#[cfg(not(tpc_loom))]
pub(crate) use self::real::*;
#[cfg(not(tpc_loom))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, fence};
    pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::yield_now;

    #[cfg(target_os = "linux")]
    pub(crate) use crate::bridge::doorbell::membarrier::{
        heavy as heavy_fence, light as light_fence,
    };

    /// Without a fence that works for all threads, both sides fence for themselves.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn light_fence() {
        std::sync::atomic::fence(super::Ordering::SeqCst);
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn heavy_fence() {
        std::sync::atomic::fence(super::Ordering::SeqCst);
    }

    /// A place from which two threads take a box and put it back, each in one exchange.
    pub(crate) type Exchange<T> = crossbeam_utils::atomic::AtomicCell<Option<Box<T>>>;

    /// std's cell behind loom's closure interface.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(tpc_loom)]
pub(crate) use self::model::*;
#[cfg(tpc_loom)]
mod model {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::fence;
    pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use loom::thread::yield_now;

    pub(crate) use super::torn::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};

    /// An exchange acquires and releases, as a lock does.
    pub(crate) struct Exchange<T>(Mutex<Option<Box<T>>>);

    impl<T> Exchange<T> {
        pub(crate) fn new(value: Option<Box<T>>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn swap(&self, value: Option<Box<T>>) -> Option<Box<T>> {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }

        pub(crate) fn take(&self) -> Option<Box<T>> {
            self.swap(None)
        }
    }

    /// A model checks the symmetric form, in which both sides fence for themselves.
    pub(crate) fn light_fence() {
        fence(super::Ordering::SeqCst);
    }

    pub(crate) fn heavy_fence() {
        fence(super::Ordering::SeqCst);
    }
}

pub(crate) use std::sync::atomic::Ordering;

/// An ordering that a model can weaken to `Relaxed` by name.
#[cfg(not(any(tpc_loom, tpc_planted)))]
macro_rules! weaken {
    ($name:literal, $ordering:expr) => {
        $ordering
    };
}

/// True in every build; a model can make it false by name.
#[cfg(not(any(tpc_loom, tpc_planted)))]
macro_rules! intact {
    ($name:literal) => {
        true
    };
}

/// A read-modify-write that a model can tear by name into a read and a write; or, by the name with `/relaxed` behind
/// it, leave whole and unordered.
#[cfg(not(any(tpc_loom, tpc_planted)))]
macro_rules! whole {
    ($name:literal, $operation:expr) => {
        $operation
    };
}

/// Two steps of which the other threads must see the first one first; a model can have them change places by name. Gives
/// what the first one gives.
#[cfg(not(any(tpc_loom, tpc_planted)))]
macro_rules! in_order {
    ($name:literal, $first:expr, $second:expr) => {{
        let first = $first;
        $second;
        first
    }};
}

/// Every such place is one where threads meet, so the build with planted defects can hold them up there.
#[cfg(all(tpc_planted, not(tpc_loom)))]
macro_rules! weaken {
    ($name:literal, $ordering:expr) => {{
        crate::sync::defects::delay();
        $ordering
    }};
}

#[cfg(all(tpc_planted, not(tpc_loom)))]
macro_rules! intact {
    ($name:literal) => {{
        crate::sync::defects::delay();
        true
    }};
}

#[cfg(all(tpc_planted, not(tpc_loom)))]
macro_rules! whole {
    ($name:literal, $operation:expr) => {{
        crate::sync::defects::delay();
        $operation
    }};
}

#[cfg(all(tpc_planted, not(tpc_loom)))]
macro_rules! in_order {
    ($name:literal, $first:expr, $second:expr) => {{
        let first = $first;
        crate::sync::defects::delay();
        $second;
        first
    }};
}

#[cfg(tpc_loom)]
macro_rules! in_order {
    ($name:literal, $first:expr, $second:expr) => {
        if crate::sync::mutants::is_on($name) {
            $second;
            $first
        } else {
            let first = $first;
            $second;
            first
        }
    };
}

#[cfg(tpc_loom)]
macro_rules! whole {
    ($name:literal, $operation:expr) => {{
        crate::sync::torn::next($name, concat!($name, "/relaxed"));
        $operation
    }};
}

#[cfg(tpc_loom)]
macro_rules! weaken {
    ($name:literal, $ordering:expr) => {
        if crate::sync::mutants::is_on($name) { crate::sync::Ordering::Relaxed } else { $ordering }
    };
}

#[cfg(tpc_loom)]
macro_rules! intact {
    ($name:literal) => {
        !crate::sync::mutants::is_on($name)
    };
}

/// False in every build but that of the soak under `--cfg tpc_planted`, which switches a defect on by name
/// and has it happen every so often: a soak that notices none of them proves nothing.
#[cfg(not(tpc_planted))]
macro_rules! planted {
    ($name:literal, 1 in $often:literal) => {
        false
    };
}

#[cfg(tpc_planted)]
macro_rules! planted {
    ($name:literal, 1 in $often:literal) => {
        crate::sync::defects::is_on($name, $often)
    };
}

pub(crate) use {in_order, intact, planted, weaken, whole};

/// Which defect this process carries, and whether its threads are held up where they meet.
#[cfg(tpc_planted)]
pub(crate) mod defects {
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    thread_local!(static RANDOM: Cell<u64> = const { Cell::new(0) });

    /// Under `TPC_DELAYS`, takes anything from no time to that of a sleep and a wake.
    pub(crate) fn delay() {
        static DELAYS: OnceLock<bool> = OnceLock::new();
        static SEEDS: AtomicU64 = AtomicU64::new(1);
        if !*DELAYS.get_or_init(|| std::env::var_os("TPC_DELAYS").is_some()) {
            return;
        }
        // A thread that ends has no numbers any more, and goes on at once.
        let _ = RANDOM.try_with(|random| {
            let mut word = random.get();
            if word == 0 {
                word = SEEDS.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed) | 1;
            }
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            random.set(word);
            match word & 0xFF {
                0 => std::thread::sleep(Duration::from_micros(20)),
                1..=15 => std::thread::yield_now(),
                16..=63 => (0..(word >> 8) & 0x3FF).for_each(|_| std::hint::spin_loop()),
                _ => {}
            }
        });
    }

    pub(crate) fn is_on(name: &str, often: u64) -> bool {
        static NAME: OnceLock<Option<String>> = OnceLock::new();
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let planted = NAME.get_or_init(|| std::env::var("TPC_PLANTED").ok());
        let ours = planted.as_deref() == Some(name);
        ours && CALLS.fetch_add(1, Ordering::Relaxed) % often == often - 1
    }
}

/// Which mutation the running model carries.
#[cfg(tpc_loom)]
pub(crate) mod mutants {
    use std::cell::Cell;

    // loom runs all threads of a model on one OS thread, so a thread-local reaches every one.
    thread_local!(static CURRENT: Cell<Option<&'static str>> = const { Cell::new(None) });

    pub(crate) fn is_on(name: &str) -> bool {
        CURRENT.get() == Some(name)
    }

    /// Runs a model with one mutation in a process of its own, which must end badly.
    ///
    /// In a process of its own because a lost wake is a deadlock to loom, and unwinding out of a
    /// deadlocked model aborts.
    #[cfg(test)]
    pub(crate) fn must_fail(test: &str, name: &'static str, model: impl FnOnce()) {
        const MUTANT: &str = "TPC_MUTANT";
        if std::env::var_os(MUTANT).is_some() {
            CURRENT.set(Some(name));
            model();
            return;
        }
        let test = test.split_once("::").map_or(test, |(_crate, path)| path);
        let this = std::env::current_exe().expect("the test's own path");
        let run = std::process::Command::new(this)
            .args([test, "--exact", "--test-threads=1"])
            .env(MUTANT, name)
            .output()
            .expect("the test runs again");
        let said = [run.stdout, run.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("running 1 test"), "`{test}` is not the test's name: {said}");
        assert!(!run.status.success(), "the model does not notice the mutant `{name}`");
        // loom's own limits say nothing about the mutant.
        assert!(!said.contains("exceeded maximum"), "the model of `{name}` has no end: {said}");
    }

    /// Explores with a bound on preemptions, which keeps the larger models finite in practice.
    #[cfg(test)]
    pub(crate) fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.check(model);
    }

    /// A test that runs a model with the named weakness and wants it to fail.
    #[cfg(test)]
    macro_rules! mutant {
        ($test:ident: $name:literal breaks $model:ident) => {
            #[test]
            fn $test() {
                let path = concat!(module_path!(), "::", stringify!($test));
                crate::sync::mutants::must_fail(path, $name, $model);
            }
        };
    }
    #[cfg(test)]
    pub(crate) use mutant;
}
