//! Which CPUs the cores get, and which are left to Tokio.
//!
//! The CPUs that may be used are those of the process' main thread, never `0..n`: a container or
//! `taskset` may allow any subset. Data cores take the highest-numbered CPUs, one per physical core
//! first, and leave the lowest to the control plane and to interrupts. What was achieved is reported and
//! never assumed.

use std::collections::BTreeSet;
use std::path::Path;

#[cfg(feature = "jemalloc")]
pub(crate) mod arena;
mod cpus;
mod home;

pub use cpus::CpuSet;
pub(crate) use home::Home;

/// Whether cores are bound to CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pin {
    /// Bind when there is a CPU for each core and no fractional CPU quota; otherwise leave it.
    #[default]
    Auto,
    /// Bind, or fail to start.
    Require,
    /// Never bind.
    Off,
}

/// Why cores were not placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// `Pin::Require` and more cores than CPUs.
    #[error(
        "{cores} cores cannot be pinned to {allowed} allowed CPUs ({cpus}); ask for fewer cores or use `Pin::Auto`"
    )]
    TooFewCpus {
        /// Cores asked for.
        cores: usize,
        /// CPUs that the process may use.
        allowed: usize,
        /// Those CPUs.
        cpus: CpuSet,
    },
    /// `Pin::Require` and the operating system refused.
    #[error("core {core} could not be bound to CPU {cpu}")]
    Refused {
        /// The core.
        core: usize,
        /// The CPU.
        cpu: usize,
    },
}

/// A plan: one CPU per core, and the rest for the control plane.
///
/// ```
/// use tpc_actors::placement::Placement;
///
/// let placement = Placement::plan(1);
/// let control_plane = placement.control_plane();
/// let tokio = tokio::runtime::Builder::new_multi_thread()
///     .on_thread_start(move || _ = control_plane.bind_current_thread())
///     .build()?;
/// # drop(tokio);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    allowed: CpuSet,
    data: Vec<usize>,
    cores: usize,
    fractional_quota: bool,
}

impl Placement {
    /// Plans for `cores` data cores on the CPUs that the process may use.
    pub fn plan(cores: usize) -> Self {
        let allowed = CpuSet::allowed();
        let siblings = |cpu: usize| read_siblings(Path::new("/sys/devices/system/cpu"), cpu);
        let order = order(&allowed, siblings);
        let data = if cores <= order.len() { order[..cores].to_vec() } else { Vec::new() };
        Self { allowed, data, cores, fractional_quota: quota_is_fractional() }
    }

    /// How many cores a system gets that does not say: all allowed CPUs but one, and at least one.
    pub fn default_cores() -> usize {
        CpuSet::allowed().len().saturating_sub(1).max(1)
    }

    /// The CPU of each core, in the order of the cores; empty when there are more cores than CPUs.
    pub fn data_plane(&self) -> &[usize] {
        &self.data
    }

    /// The CPUs that no core has; all allowed ones when the cores leave none.
    pub fn control_plane(&self) -> CpuSet {
        let rest: CpuSet = self.allowed.iter().filter(|cpu| !self.data.contains(cpu)).collect();
        if rest.is_empty() { self.allowed.clone() } else { rest }
    }

    /// The CPUs that the process may use.
    pub fn allowed(&self) -> &CpuSet {
        &self.allowed
    }

    /// The number of cores that this is a plan for.
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// The CPU for each core under `pin`, or `None` for cores that are not bound.
    pub(crate) fn bindings(&self, pin: Pin) -> Result<Vec<Option<usize>>, PlacementError> {
        let unbound = vec![None; self.cores];
        let bound = || self.data.iter().copied().map(Some).collect();
        match pin {
            Pin::Off => Ok(unbound),
            Pin::Auto if self.data.is_empty() || self.fractional_quota => Ok(unbound),
            Pin::Require if self.data.is_empty() => Err(PlacementError::TooFewCpus {
                cores: self.cores,
                allowed: self.allowed.len(),
                cpus: self.allowed.clone(),
            }),
            Pin::Auto | Pin::Require => Ok(bound()),
        }
    }

    /// Whether `others` busy threads besides the cores still leave each a CPU of its own.
    pub(crate) fn is_dedicated(&self, others: usize) -> bool {
        !self.data.is_empty()
            && !self.fractional_quota
            && self.cores.saturating_add(others) <= self.allowed.len()
    }
}

/// Binds the calling thread to one CPU and looks whether it worked.
pub(crate) fn pin_current_thread(cpu: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
        && core_affinity::get_core_ids()
            .is_some_and(|ids| ids.len() == 1 && ids.iter().all(|id| id.id == cpu))
}

/// The allowed CPUs from the highest down: first one of each physical core, then their siblings.
fn order(allowed: &CpuSet, siblings: impl Fn(usize) -> BTreeSet<usize>) -> Vec<usize> {
    let mut first = Vec::new();
    let mut second = Vec::new();
    let mut used = BTreeSet::new();
    for cpu in allowed.iter().rev() {
        if used.contains(&cpu) {
            second.push(cpu);
        } else {
            first.push(cpu);
        }
        used.extend(siblings(cpu));
    }
    first.extend(second);
    first
}

/// The hardware threads of the physical core that `cpu` belongs to, as far as the system says.
fn read_siblings(root: &Path, cpu: usize) -> BTreeSet<usize> {
    let path = root.join(format!("cpu{cpu}/topology/thread_siblings_list"));
    let list = std::fs::read_to_string(path).unwrap_or_default();
    parse_list(list.trim())
}

/// Parses the kernel's list format, such as `0-2,8`.
fn parse_list(list: &str) -> BTreeSet<usize> {
    let mut cpus = BTreeSet::new();
    for part in list.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(low), Ok(high)) = (low.trim().parse::<usize>(), high.trim().parse::<usize>()) {
            cpus.extend(low..=high);
        }
    }
    cpus
}

/// Whether a cgroup grants a part of a CPU, so that a bound thread could wait behind others' bound ones.
fn quota_is_fractional() -> bool {
    std::fs::read_to_string("/sys/fs/cgroup/cpu.max").is_ok_and(|max| is_fractional(&max))
}

fn is_fractional(max: &str) -> bool {
    let mut words = max.split_whitespace().map(str::parse::<u64>);
    match (words.next(), words.next()) {
        (Some(Ok(quota)), Some(Ok(period))) if period > 0 => !quota.is_multiple_of(period),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_kernel_are_read() {
        assert_eq!(parse_list("0-2,8"), BTreeSet::from([0, 1, 2, 8]));
        assert_eq!(parse_list("5"), BTreeSet::from([5]));
        assert_eq!(parse_list(""), BTreeSet::new());
        assert_eq!(parse_list("x,1-y,3"), BTreeSet::from([3]));
    }

    #[test]
    fn physical_cores_come_first_and_the_lowest_cpus_last() {
        let allowed: CpuSet = (0..8).collect();
        // CPU n and n + 4 are one physical core.
        let pairs = |cpu: usize| BTreeSet::from([cpu % 4, cpu % 4 + 4]);
        assert_eq!(order(&allowed, pairs), [7, 6, 5, 4, 3, 2, 1, 0]);
        // CPU 2n and 2n + 1 are one physical core.
        let neighbours = |cpu: usize| BTreeSet::from([cpu & !1, cpu | 1]);
        assert_eq!(order(&allowed, neighbours), [7, 5, 3, 1, 6, 4, 2, 0]);
        let odd: CpuSet = [2, 5].into_iter().collect();
        assert_eq!(order(&odd, |_| BTreeSet::new()), [5, 2]);
    }

    #[test]
    fn quotas_of_whole_cpus_are_not_fractional() {
        assert!(!is_fractional("max 100000\n"));
        assert!(!is_fractional("200000 100000\n"));
        assert!(is_fractional("150000 100000\n"));
        assert!(is_fractional("50000 100000\n"));
        assert!(!is_fractional(""));
    }

    #[test]
    fn more_cores_than_cpus_are_unbound_or_refused() {
        let allowed: CpuSet = [3].into_iter().collect();
        let plan = Placement { allowed, data: Vec::new(), cores: 2, fractional_quota: false };
        assert_eq!(plan.bindings(Pin::Auto), Ok(vec![None, None]));
        assert_eq!(plan.bindings(Pin::Off), Ok(vec![None, None]));
        let refused = plan.bindings(Pin::Require).unwrap_err().to_string();
        assert!(refused.contains("2 cores") && refused.contains("(3)"), "{refused}");
        assert_eq!(plan.control_plane().to_string(), "3");
    }

    #[test]
    fn a_plan_leaves_the_rest_to_the_control_plane() {
        let plan = Placement {
            allowed: (0..4).collect(),
            data: vec![3, 2],
            cores: 2,
            fractional_quota: false,
        };
        assert_eq!(plan.control_plane().to_string(), "0,1");
        assert!(plan.is_dedicated(2));
        assert!(!plan.is_dedicated(3));
        assert_eq!(plan.bindings(Pin::Require), Ok(vec![Some(3), Some(2)]));
    }

    #[test]
    fn a_bound_thread_is_bound_and_can_be_let_go() {
        let allowed = CpuSet::allowed();
        let cpu = allowed.iter().last().unwrap();
        let other = allowed.clone();
        std::thread::spawn(move || {
            assert!(pin_current_thread(cpu));
            assert_eq!(CpuSet::allowed(), other, "the process is asked, not the bound thread");
            assert!(other.bind_current_thread());
            let ids = core_affinity::get_core_ids().unwrap();
            assert_eq!(ids.len(), other.len());
        })
        .join()
        .unwrap();
    }
}
