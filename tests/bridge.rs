//! The raw bridge: batches, descriptors in two reactors, and the end of either end on every path.

#![cfg(target_os = "linux")]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tpc_actors::bridge::{
    BridgeConfig, Closed, ControlHandle, DataHandle, PinnedDataHandle, Pressure, ReadyFd,
    TryRecvError, TrySendError, channel,
};
use tpc_actors::prelude::*;

fn bridge(places: usize) -> (ControlHandle<u64, u64>, DataHandle<u64, u64>) {
    channel(BridgeConfig::new(places, places)).unwrap()
}

fn in_tokio(fd: ReadyFd) -> AsyncFd<ReadyFd> {
    // SAFETY: a `ReadyFd` owns its descriptor, and neither replaces nor closes it.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE).unwrap() }
}

/// Whether the descriptor is readable now.
fn readable(fd: &ReadyFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default())).unwrap() == 1
}

/// How often the descriptor was written to since it was armed.
fn writes(fd: &ReadyFd) -> u64 {
    let mut count = [0; 8];
    match rustix::io::read(fd, &mut count) {
        Ok(_) => u64::from_ne_bytes(count),
        Err(_) => 0,
    }
}

/// A level-triggered `epoll` over some descriptors.
struct Epoll(std::os::fd::OwnedFd);

impl Epoll {
    fn of(fds: &[&ReadyFd]) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        for (n, fd) in (0..).zip(fds) {
            epoll::add(&epoll, fd, epoll::EventData::new_u64(n), epoll::EventFlags::IN).unwrap();
        }
        Self(epoll)
    }

    /// Without a limit: a lost wake hangs.
    fn wait(&self) {
        let mut events = Vec::with_capacity(4);
        while matches!(
            epoll::wait(&self.0, rustix::buffer::spare_capacity(&mut events), None),
            Err(rustix::io::Errno::INTR)
        ) {}
    }
}

/// Answers every request with the number after it, from a plain `epoll` loop.
fn serve_with_epoll(data: DataHandle<u64, u64>) -> u64 {
    let mut data = data.pin();
    let (requests, room) = (data.request_fd().unwrap(), data.response_space_fd().unwrap());
    let (for_requests, for_room) = (Epoll::of(&[&requests]), Epoll::of(&[&room]));
    let mut served = 0;
    loop {
        let request = match data.try_recv() {
            Ok(request) => request,
            Err(TryRecvError::Closed) => return served,
            Err(TryRecvError::Empty) => {
                if data.arm_request_fd() {
                    for_requests.wait();
                }
                continue;
            }
        };
        let mut answer = request + 1;
        while let Err(refused) = data.try_send(answer) {
            let TrySendError::Full(back) = refused else { return served };
            answer = back;
            if data.arm_response_space_fd() {
                for_room.wait();
            }
        }
        served += 1;
    }
}

/// One end in Tokio's reactor and the other in an `epoll` of its own, over rings that are full and empty
/// all the time.
#[test]
fn two_reactors_lose_no_wake() {
    const TOTAL: u64 = 100_000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for places in [1, 4, 64] {
        let (mut control, data) = bridge(places);
        let core = thread::spawn(|| serve_with_epoll(data));
        runtime.block_on(async {
            let responses = in_tokio(control.response_fd().unwrap());
            let room = in_tokio(control.request_space_fd().unwrap());
            let (mut sent, mut received) = (0, 0);
            while received < TOTAL {
                while sent < TOTAL && control.try_send(sent).is_ok() {
                    sent += 1;
                }
                while let Ok(response) = control.try_recv() {
                    assert_eq!(response, received + 1);
                    received += 1;
                }
                // Either may be what comes next, so both must be armed before the sleep.
                if received < TOTAL
                    && control.arm_response_fd()
                    && (sent == TOTAL || control.arm_request_space_fd())
                {
                    tokio::select! {
                        ready = responses.readable() => ready.unwrap().clear_ready(),
                        ready = room.readable() => ready.unwrap().clear_ready(),
                    }
                }
            }
        });
        drop(control);
        assert_eq!(core.join().unwrap(), TOTAL);
    }
}

#[test]
fn a_descriptor_is_written_to_once_for_each_arming_and_never_without() {
    let (mut control, data) = bridge(16);
    let mut data = data.pin();
    let fd = data.request_fd().unwrap();
    control.try_send(1).unwrap();
    assert!(!readable(&fd), "nobody has armed it");
    assert!(!data.arm_request_fd(), "there is something already");
    control.try_send(2).unwrap();
    assert!(!readable(&fd), "who found something does not sleep");
    assert_eq!((data.try_recv(), data.try_recv()), (Ok(1), Ok(2)));

    assert!(data.arm_request_fd());
    for n in 3..9 {
        control.try_send(n).unwrap();
    }
    assert!(readable(&fd));
    assert_eq!(writes(&fd), 1);
    assert_eq!(data.drain(&mut Vec::new(), 16), 6);
    assert!(data.arm_request_fd());
    assert!(!readable(&fd), "arming makes it unreadable");
    drop(control);
    assert!(readable(&fd), "the end of the other end");
    assert_eq!(data.try_recv(), Err(TryRecvError::Closed));
    assert!(!data.arm_request_fd(), "nothing to wait for any more");
}

#[test]
fn a_waker_and_a_descriptor_may_wait_for_the_same() {
    let (mut control, data) = bridge(16);
    let mut data = data.pin();
    let fd = data.request_fd().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(std::pin::pin!(data.recv()).poll(&mut context).is_pending());
    assert!(data.arm_request_fd());
    control.try_send(1).unwrap();
    assert_eq!(writes(&fd), 1);
    assert_eq!(data.try_recv(), Ok(1));
}

/// Runs `wait` on a thread that says when it is prepared, and has time to fall asleep before `end` is dropped.
fn ends_while<T, R: Send + 'static>(
    end: T,
    wait: impl FnOnce(&dyn Fn()) -> R + Send + 'static,
) -> R {
    let (prepared, told) = mpsc::channel();
    let waiting = thread::spawn(move || wait(&|| prepared.send(()).unwrap()));
    told.recv().unwrap();
    thread::sleep(Duration::from_millis(20));
    drop(end);
    waiting.join().unwrap()
}

#[test]
fn the_end_of_the_control_end_wakes_the_data_end() {
    let full = || {
        let (control, data) = bridge(1);
        let mut data = data.pin();
        data.try_send(7).unwrap();
        (control, data)
    };
    // The pinned handle is not `Send`, so the waiting thread makes it.
    let (control, data) = bridge(1);
    assert_eq!(
        ends_while(control, move |prepared| {
            prepared();
            data.pin().recv_blocking()
        }),
        Err(Closed)
    );
    let (control, data) = bridge(1);
    let refused = ends_while(control, move |prepared| {
        let mut data = data.pin();
        data.try_send(7).unwrap();
        prepared();
        let refused = data.send_blocking(8).unwrap_err().into_inner();
        (refused, data.reclaim(), data.reclaim())
    });
    assert_eq!(refused, (8, Some(7), None), "nothing that was accepted is lost silently");
    let (control, data) = bridge(1);
    let told = ends_while(control, move |prepared| {
        let mut data = data.pin();
        let fd = data.request_fd().unwrap();
        assert!(data.arm_request_fd());
        prepared();
        Epoll::of(&[&fd]).wait();
        data.try_recv()
    });
    assert_eq!(told, Err(TryRecvError::Closed));
    let (control, mut data) = full();
    let fd = data.response_space_fd().unwrap();
    assert!(data.arm_response_space_fd());
    drop(control);
    assert!(readable(&fd));
    assert_eq!(data.try_send(8), Err(TrySendError::Closed(8)));
}

#[test]
fn the_end_of_the_data_end_wakes_the_control_end() {
    let (mut control, data) = bridge(1);
    assert_eq!(
        ends_while(data, move |prepared| {
            prepared();
            control.recv_blocking()
        }),
        Err(Closed)
    );
    let (mut control, data) = bridge(1);
    control.try_send(7).unwrap();
    let refused = ends_while(data, move |prepared| {
        prepared();
        let refused = control.send_blocking(8).unwrap_err().into_inner();
        (refused, control.reclaim())
    });
    assert_eq!(refused, (8, Some(7)));
    let (mut control, data) = bridge(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = ends_while(data, move |prepared| {
        runtime.block_on(async {
            let fd = in_tokio(control.response_fd().unwrap());
            assert!(control.arm_response_fd());
            prepared();
            fd.readable().await.unwrap().clear_ready();
            (control.try_recv(), control.recv().await)
        })
    });
    assert_eq!(told, (Err(TryRecvError::Closed), Err(Closed)));
}

/// Traffic does not hide that there is none.
#[test]
fn a_descriptor_that_nobody_asked_for_is_never_armed() {
    let (mut control, data) = bridge(1);
    let mut data = data.pin();
    control.try_send(1).unwrap();
    data.try_send(2).unwrap();
    let arms = [
        catch_unwind(AssertUnwindSafe(|| control.arm_response_fd())),
        catch_unwind(AssertUnwindSafe(|| control.arm_request_space_fd())),
        catch_unwind(AssertUnwindSafe(|| data.arm_request_fd())),
        catch_unwind(AssertUnwindSafe(|| data.arm_response_space_fd())),
    ];
    assert!(arms.iter().all(Result::is_err));
}

/// Who waits for room, with a descriptor or in a task, is told as well.
#[test]
fn the_end_of_the_data_end_wakes_who_waits_for_room() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut control, data) = bridge(1);
    control.try_send(7).unwrap();
    let told = ends_while(data, move |prepared| {
        runtime().block_on(async {
            let fd = in_tokio(control.request_space_fd().unwrap());
            assert!(control.arm_request_space_fd());
            prepared();
            fd.readable().await.unwrap().clear_ready();
            (control.try_send(8), control.reclaim())
        })
    });
    assert_eq!(told, (Err(TrySendError::Closed(8)), Some(7)));
    let (mut control, data) = bridge(1);
    control.try_send(7).unwrap();
    let refused = ends_while(data, move |prepared| {
        runtime().block_on(async {
            prepared();
            (control.send(8).await.unwrap_err().into_inner(), control.reclaim())
        })
    });
    assert_eq!(refused, (8, Some(7)));
}

#[test]
fn what_was_sent_before_the_end_is_received_first() {
    let (mut control, data) = bridge(8);
    let mut data = data.pin();
    assert_eq!(control.try_send_batch(&mut (0..5)), Ok(5));
    drop(control);
    assert!(data.is_closed());
    assert!(!data.arm_after_asking());
    assert_eq!(data.recv_blocking(), Ok(0));
    assert_eq!(data.try_recv(), Ok(1));
    let mut rest = Vec::new();
    assert_eq!(data.drain(&mut rest, 2), 2);
    assert_eq!(data.drain(&mut rest, 9), 1);
    assert_eq!(rest, [2, 3, 4]);
    assert_eq!(data.try_recv(), Err(TryRecvError::Closed), "and not empty");
}

/// Asks for the descriptor and arms it.
trait ArmAfterAsking {
    fn arm_after_asking(&mut self) -> bool;
}

impl ArmAfterAsking for PinnedDataHandle<u64, u64> {
    fn arm_after_asking(&mut self) -> bool {
        self.request_fd().unwrap();
        self.arm_request_fd()
    }
}

#[tokio::test]
async fn batches_take_what_fits_and_leave_the_rest() {
    let (mut control, data) = bridge(8);
    let mut source = 0..20;
    assert_eq!(control.try_send_batch(&mut source), Ok(8));
    assert_eq!(control.try_send_batch(&mut source), Ok(0), "full is not closed");
    assert_eq!(source.next(), Some(8), "nothing was taken that was not sent");
    let core = thread::spawn(|| {
        let mut data = data.pin();
        let mut requests = Vec::new();
        let received = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(data.recv_many(&mut requests, 100));
        assert_eq!(received, Ok(8));
        assert_eq!(data.try_send_batch(&mut requests.drain(..)), Ok(8));
    });
    let mut responses = Vec::new();
    assert_eq!(control.recv_many(&mut responses, 0).await, Ok(0), "nothing is wanted");
    while control.recv_many(&mut responses, 3).await.is_ok() {}
    assert_eq!(responses, (0..8).collect::<Vec<_>>());
    core.join().unwrap();
    assert_eq!(control.try_send_batch(&mut source), Err(Closed));
    assert_eq!(source.next(), Some(9));
}

/// Descriptors of this process.
fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn descriptors_are_made_for_those_who_ask_and_closed_with_the_bridge() {
    // Other tests of this file open and close theirs meanwhile; a leak of two each would show all the same.
    let before = open_descriptors();
    for n in 0..500 {
        let (mut control, data) = bridge(1);
        if n % 2 == 0 {
            let (first, again) = (control.response_fd().unwrap(), control.response_fd().unwrap());
            assert_eq!(
                std::os::fd::AsRawFd::as_raw_fd(&first),
                std::os::fd::AsRawFd::as_raw_fd(&again)
            );
            data.pin().request_fd().unwrap();
        }
    }
    assert!(open_descriptors() < before + 100);
}

/// Receives where it must not wait.
#[core_actor]
struct Receives(PinnedDataHandle<u64, u64>);

#[core_actor]
impl Receives {
    #[init]
    fn new(data: DataHandle<u64, u64>) -> Self {
        Self(data.pin())
    }

    #[handler]
    fn receive(&mut self) -> u64 {
        self.0.recv_blocking().unwrap()
    }
}

#[test]
fn nothing_blocks_a_core() {
    let system = System::builder().cores(1).start().unwrap();
    let (_control, data) = bridge(4);
    let mut data = Some(data);
    let receives = system.spawn_with::<Receives>(move || data.take().unwrap()).wait().unwrap();
    let Err(AskError::Panicked(report)) = receives.receive().wait() else { panic!("it waited") };
    assert!(report.to_string().contains("must not block"), "{report}");
    system.shutdown_wait(Duration::from_secs(10));
}

/// Whoever is asked to send something and panics has sent what came before, and it is heard of.
#[test]
fn a_batch_whose_iterator_panics_has_sent_the_rest() {
    // Not `Debug`: a socket, or the sender of an answer.
    struct Opaque(u32);
    let (mut control, data) = channel::<Opaque, ()>(BridgeConfig::new(8, 1)).unwrap();
    let (tells, seen) = mpsc::channel();
    thread::spawn(move || {
        let mut data = data.pin();
        while let Ok(Opaque(n)) = data.recv_blocking() {
            tells.send(n).unwrap();
        }
    });
    let mut source = (0..8).map(|n| if n == 4 { panic!("on demand") } else { Opaque(n) });
    let sent = catch_unwind(AssertUnwindSafe(|| control.try_send_batch(&mut source)));
    assert!(sent.is_err());
    for n in 0..4 {
        assert_eq!(seen.recv_timeout(Duration::from_secs(20)), Ok(n));
    }
    control.try_send(Opaque(9)).unwrap();
    drop(control);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [9]);
}

/// A waker whose `wake` says that it was called, and returns when it may.
struct Held {
    woken: Barrier,
    released: Barrier,
}

impl Wake for Held {
    fn wake(self: Arc<Self>) {
        self.woken.wait();
        self.released.wait();
    }
}

#[test]
fn who_finds_the_end_takes_back_what_was_not_received() {
    let (control, data) = bridge(4);
    let mut data = data.pin();
    data.try_send(7).unwrap();
    let held = Arc::new(Held { woken: Barrier::new(2), released: Barrier::new(2) });
    let waker = Waker::from(Arc::clone(&held));
    let first_poll = pin!(data.recv()).poll(&mut Context::from_waker(&waker));
    assert!(first_poll.is_pending());
    let ending = thread::spawn(move || drop(control));
    // It is gone as far as that: its drop is in the waker.
    held.woken.wait();
    assert_eq!(data.try_recv(), Err(TryRecvError::Closed));
    assert_eq!((data.reclaim(), data.reclaim()), (Some(7), None));
    held.released.wait();
    ending.join().unwrap();
}

/// Whatever says first that the other end is gone, it is.
#[test]
fn who_cannot_send_any_more_finds_the_other_end_gone() {
    let (mut control, data) = bridge(1);
    control.try_send(7).unwrap();
    let held = Arc::new(Held { woken: Barrier::new(2), released: Barrier::new(2) });
    let waker = Waker::from(Arc::clone(&held));
    let first_poll = pin!(control.send(8)).poll(&mut Context::from_waker(&waker));
    assert!(first_poll.is_pending());
    let ending = thread::spawn(move || drop(data));
    held.woken.wait();
    assert_eq!(control.try_send(8), Err(TrySendError::Closed(8)));
    assert!(control.is_closed());
    assert_eq!((control.reclaim(), control.reclaim()), (Some(7), None));
    held.released.wait();
    ending.join().unwrap();
}

/// An end that is gone waits for nothing: its task is not kept, and its descriptor, which somebody else may still have,
/// stays as it is.
#[test]
fn an_end_that_waited_leaves_nothing_behind() {
    struct Kept;
    impl Wake for Kept {
        fn wake(self: Arc<Self>) {}
    }
    for control_first in [true, false] {
        let (mut control, data) = bridge(1);
        let mut data = data.pin();
        control.try_send(1).unwrap();
        data.try_send(2).unwrap();
        assert_eq!((control.try_recv(), data.try_recv()), (Ok(2), Ok(1)));
        let kept = Arc::new(Kept);
        let waker = Waker::from(Arc::clone(&kept));
        let mut context = Context::from_waker(&waker);
        let fd = if control_first {
            let fd = control.response_fd().unwrap();
            assert!(control.arm_response_fd());
            assert!(pin!(control.recv()).poll(&mut context).is_pending());
            drop(control);
            assert_eq!((Arc::strong_count(&kept), data.is_closed()), (2, true));
            drop(data);
            fd
        } else {
            let fd = data.request_fd().unwrap();
            assert!(data.arm_request_fd());
            assert!(pin!(data.recv()).poll(&mut context).is_pending());
            drop(data);
            assert_eq!((Arc::strong_count(&kept), control.is_closed()), (2, true));
            drop(control);
            fd
        };
        assert!(!readable(&fd), "nobody is there to be told");
    }
}

/// Looking at an end does not change what it says next.
#[test]
fn printing_an_end_is_no_look_at_its_fill() {
    let (mut control, data) = bridge(100);
    let mut data = data.pin();
    (0..100).for_each(|n| control.try_send(n).unwrap());
    drop((format!("{control:?}"), format!("{data:?}")));
    data.drain(&mut Vec::new(), 20);
    assert_eq!(control.pressure(), Pressure::Normal);
}
