//! Sets of CPUs, binding a thread to one, and where a thread is.

#![allow(unsafe_code, reason = "the system calls that read and set a thread's CPUs")]

use std::collections::BTreeSet;
use std::fmt;

/// A set of CPUs by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuSet(BTreeSet<usize>);

impl CpuSet {
    /// The CPUs that the process may use: those of its main thread.
    ///
    /// Not those of the caller, because a core or a bound worker may ask.
    pub fn allowed() -> Self {
        let cpus = main_thread_cpus();
        if !cpus.is_empty() {
            return Self(cpus);
        }
        // Not Linux, or a sandbox: the library knows the caller's CPUs, and at worst there is one.
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        let cpus: BTreeSet<usize> = ids.into_iter().map(|id| id.id).collect();
        if cpus.is_empty() { Self(BTreeSet::from([0])) } else { Self(cpus) }
    }

    /// How many CPUs are in the set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no CPU is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The CPUs' numbers in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// Lets the calling thread run on these CPUs only; true when the operating system agreed.
    ///
    /// For `on_thread_start` of a Tokio runtime, and for threads that are started from a core: they
    /// would inherit its one CPU.
    pub fn bind_current_thread(&self) -> bool {
        bind(self)
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cpu) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{cpu}")?;
        }
        Ok(())
    }
}

impl FromIterator<usize> for CpuSet {
    fn from_iter<I: IntoIterator<Item = usize>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

#[cfg(target_os = "linux")]
fn main_thread_cpus() -> BTreeSet<usize> {
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most the given size into `set`. The main thread's id is the process id.
    let done =
        unsafe { libc::sched_getaffinity(libc::getpid(), size_of_val(&set), &raw mut set) } == 0;
    if !done {
        return BTreeSet::new();
    }
    let cpus = 0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // SAFETY: `cpu` is below `CPU_SETSIZE`, the number of bits in `set`.
    cpus.filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect()
}

#[cfg(not(target_os = "linux"))]
fn main_thread_cpus() -> BTreeSet<usize> {
    BTreeSet::new()
}

/// The CPU that the calling thread is on at this moment, if the system says so.
#[cfg(target_os = "linux")]
pub(super) fn current() -> Option<usize> {
    // SAFETY: no arguments, no memory; -1 is an error.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> Option<usize> {
    None
}

#[cfg(target_os = "linux")]
fn bind(cpus: &CpuSet) -> bool {
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let bits = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    for cpu in cpus.iter().filter(|&cpu| cpu < bits) {
        // SAFETY: `cpu` is below `CPU_SETSIZE`, the number of bits in `set`.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: the kernel reads `set`; 0 is the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn bind(_cpus: &CpuSet) -> bool {
    false
}
