//! Where a core runs, for whoever waits for it to wake.

use super::{Placement, cpus};

/// What a thread that looks for a sleeping core's answer would take away from that core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// Its one CPU, if the thread is there.
    Cpu(usize),
    /// Nothing: there are others.
    Anywhere,
    /// Time that is needed elsewhere, wherever the thread is.
    Scarce,
}

impl Home {
    /// Whether the core can run while the calling thread does.
    pub(crate) fn has_room_beside_caller(self) -> bool {
        match self {
            Self::Cpu(cpu) => cpus::current() != Some(cpu),
            Self::Anywhere => true,
            Self::Scarce => false,
        }
    }
}

impl Placement {
    /// Where a core lives that is bound to this CPU, or to none.
    pub(crate) fn home(&self, bound: Option<usize>) -> Home {
        if self.fractional_quota || self.data.is_empty() || self.allowed.len() == 1 {
            return Home::Scarce;
        }
        bound.map_or(Home::Anywhere, Home::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::super::CpuSet;
    use super::*;

    fn placement(allowed: std::ops::Range<usize>, data: &[usize], quota: bool) -> Placement {
        let allowed = allowed.collect();
        Placement { allowed, data: data.to_vec(), cores: 2, fractional_quota: quota }
    }

    #[test]
    fn nobody_looks_where_time_is_scarce() {
        assert_eq!(placement(0..4, &[3, 2], false).home(Some(3)), Home::Cpu(3));
        assert_eq!(placement(0..4, &[3, 2], false).home(None), Home::Anywhere);
        assert_eq!(placement(0..4, &[3, 2], true).home(None), Home::Scarce);
        assert_eq!(placement(0..1, &[0], false).home(Some(0)), Home::Scarce);
        assert_eq!(placement(0..1, &[], false).home(None), Home::Scarce);
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "other systems do not say")]
    fn a_thread_on_the_core_s_cpu_is_in_its_way() {
        let allowed = CpuSet::allowed();
        let (first, last) = (allowed.iter().next().unwrap(), allowed.iter().next_back().unwrap());
        std::thread::spawn(move || {
            assert!(CpuSet::from_iter([first]).bind_current_thread());
            assert!(!Home::Cpu(first).has_room_beside_caller());
            assert_eq!(Home::Cpu(last).has_room_beside_caller(), first != last);
        })
        .join()
        .unwrap();
    }
}
