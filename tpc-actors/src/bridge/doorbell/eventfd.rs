//! The Linux doorbell: an eventfd, waited for with `epoll`.
//!
//! `epoll_wait` and not `poll`: any reactor can host the same descriptor, and checkers that run real
//! system calls follow it. The counter is drained with one read after a wake, never in a loop.

#![allow(unsafe_code, reason = "system calls on descriptors that this type owns")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Doorbell;

/// An eventfd that nobody waits for here: a reactor of somebody else does.
///
/// It closes with the value; whoever may still raise it holds it in an `Arc`, so a write never reaches a
/// descriptor number that meanwhile belongs to somebody else.
#[derive(Debug)]
pub(crate) struct Event(OwnedFd);

impl Event {
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: `eventfd` takes no pointers; the result is checked before use.
        owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }).map(Self)
    }

    /// Makes the descriptor readable: one write.
    pub(crate) fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        // `EAGAIN` (the counter is full) means that the descriptor is readable already.
        loop {
            // SAFETY: the descriptor is ours and `one` has the 8 bytes that an eventfd write reads.
            let written =
                unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
            if written >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
    }

    /// Makes the descriptor unreadable; whether it was readable. Never sleeps.
    pub(crate) fn lower(&self) -> bool {
        let mut count = [0u8; 8];
        // SAFETY: the descriptor is ours and `count` has the 8 bytes that an eventfd read writes.
        let read = unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), 8) };
        // `EAGAIN` means that nobody wrote; a descriptor of ours gives no other error.
        read == 8
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An eventfd together with the epoll instance that waits for it.
#[derive(Debug)]
pub(crate) struct EventFd {
    event: Event,
    epoll: OwnedFd,
    /// Set once the kernel has said that it does not know `epoll_pwait2`.
    whole_milliseconds: AtomicBool,
}

impl EventFd {
    /// Creates a silent doorbell.
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    pub(crate) fn new() -> io::Result<Self> {
        let event = Event::new()?;
        // SAFETY: `epoll_create1` takes no pointers; the result is checked before use.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let mut interest = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: 0 };
        // SAFETY: both descriptors are open and owned here; the kernel copies `interest`.
        let added = unsafe {
            libc::epoll_ctl(
                epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                event.0.as_raw_fd(),
                &raw mut interest,
            )
        };
        if added < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { event, epoll, whole_milliseconds: AtomicBool::new(false) })
    }

    /// Sleeps in the kernel; the number of ready descriptors, or the error.
    fn sleep(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let mut ready = libc::epoll_event { events: 0, u64: 0 };
        if !self.whole_milliseconds.load(Ordering::Relaxed) {
            let spec = timeout.map(|timeout| libc::timespec {
                tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                tv_nsec: timeout.subsec_nanos().into(),
            });
            let spec = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            // SAFETY: the epoll descriptor is ours, there is room for the one event asked for, and
            // `spec` is null or points to a value that outlives the call; no signal mask is given.
            let found = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    self.epoll.as_raw_fd(),
                    &raw mut ready,
                    1,
                    spec,
                    std::ptr::null::<libc::sigset_t>(),
                    0usize,
                )
            };
            match usize::try_from(found) {
                Ok(found) => return Ok(found),
                Err(_) => match io::Error::last_os_error() {
                    // Kernels before 5.11, and sandboxes, do not have the call.
                    error if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                        self.whole_milliseconds.store(true, Ordering::Relaxed);
                    }
                    error => return Err(error),
                },
            }
        }
        // Rounded up: waking before the deadline would make the caller spin through the rest.
        let milliseconds = timeout.map_or(-1, |timeout| {
            i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        });
        // SAFETY: the epoll descriptor is ours and there is room for the one event asked for.
        let found =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), &raw mut ready, 1, milliseconds) };
        usize::try_from(found).map_err(|_| io::Error::last_os_error())
    }
}

impl Doorbell for EventFd {
    fn ring(&self) {
        self.event.raise();
    }

    fn wait(&self, timeout: Option<Duration>) -> bool {
        match self.sleep(timeout) {
            Ok(0) => false,
            // An interrupted wait counts as an early return: the caller looks again and comes back.
            Ok(_) | Err(_) => self.event.lower(),
        }
    }
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given this descriptor to us and to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
