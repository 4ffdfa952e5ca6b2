//! Asking for a cache line before it is needed.
//!
//! What two CPUs write in turns costs each of them a transfer, and a store that waits for one holds up all
//! stores and locked instructions behind it. Asked for early, several transfers are under way at once.

#![allow(unsafe_code, reason = "an instruction that changes nothing but the cache")]

/// The address of something that is written soon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line(usize);

impl Line {
    #[inline]
    pub(crate) fn of<T>(value: &T) -> Self {
        Self(std::ptr::from_ref(value).addr())
    }

    /// The line so many bytes further on.
    #[inline]
    pub(crate) fn plus(self, bytes: usize) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// The lines that `items` lie in, without the last one if they do not fill it: what comes behind them may be at
    /// work on the other CPU.
    #[inline]
    pub(super) fn each_of<T>(items: &[T]) -> impl Iterator<Item = Self> {
        let items = items.as_ptr_range();
        (items.start.addr() & !63..items.end.addr() & !63).step_by(64).map(Self)
    }

    /// Fetches the line to be written by this CPU; a hint that any processor may ignore.
    #[inline]
    pub(crate) fn fetch(self) {
        #[cfg(all(target_arch = "x86_64", not(miri), not(tpc_loom)))]
        // SAFETY: a prefetch reads and writes nothing, and never faults, whatever the address is.
        unsafe {
            std::arch::asm!(
                "prefetchw [{line}]",
                line = in(reg) self.0,
                options(nostack, preserves_flags, readonly)
            );
        }
    }

    /// The same for a line that is only read.
    #[inline]
    pub(crate) fn fetch_to_read(self) {
        #[cfg(all(target_arch = "x86_64", not(miri), not(tpc_loom)))]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!(
                "prefetcht0 [{line}]",
                line = in(reg) self.0,
                options(nostack, preserves_flags, readonly)
            );
        }
    }
}
