//! The counter behind nodedb-bridge, which is a bridge and no actor: many tasks share its one control handle.
//!
//! Asks have a place in a table each; a task on the asking side waits for responses and hands them out. The data side is
//! a thread that drains requests and sleeps on the bridge's eventfd when there are none.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, Once, PoisonError};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nodedb_bridge::async_bridge::{BridgeChannel, ControlHandle};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use super::Peer;
use crate::stage::on_cpu;

const REQUESTS: usize = super::CAPACITY;
/// As many as asks are under way at a time, and then some: the data side never waits for room.
const RESPONSES: usize = 4 * REQUESTS;

/// What is added, and the asker's place in the table; none for a tell.
type Request = (u64, Option<usize>);
type Response = (usize, u64);

struct Control {
    handle: ControlHandle<Request, Response>,
    askers: Vec<Option<oneshot::Sender<u64>>>,
    free: Vec<usize>,
}

struct Shared {
    control: Mutex<Control>,
    responses: RawFd,
    pump: Once,
}

#[derive(Clone)]
pub struct Nodedb(Arc<Shared>);

impl Nodedb {
    /// Starts the data side on that CPU.
    pub(super) fn start(cpu: usize) -> Self {
        let channel =
            BridgeChannel::<Request, Response>::new(REQUESTS, RESPONSES).expect("a bridge");
        let data = channel.data;
        on_cpu(cpu, move || {
            let mut data = data.pin();
            let (mut sum, mut requests) = (0_u64, Vec::with_capacity(REQUESTS));
            loop {
                if data.drain_requests(&mut requests, REQUESTS) == 0 {
                    wait_for(data.request_wake_fd());
                    continue;
                }
                for (n, asker) in requests.drain(..) {
                    sum = sum.wrapping_add(n);
                    if let Some(asker) = asker {
                        data.try_send_response((asker, sum)).expect("room for every response");
                    }
                }
            }
        });
        let responses = channel.control.response_wake_fd();
        let control = Control { handle: channel.control, askers: Vec::new(), free: Vec::new() };
        Self(Arc::new(Shared { control: Mutex::new(control), responses, pump: Once::new() }))
    }

    fn with_control<R>(&self, work: impl FnOnce(&mut Control) -> R) -> R {
        work(&mut self.0.control.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends as soon as there is room, for which the task looks again after a turn of the others.
    async fn send(&self, request: Request) {
        while self.with_control(|control| control.handle.try_send_request(request)).is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Hands responses out for as long as the runtime lives.
    async fn pump(self) {
        // SAFETY: the descriptor is the control handle's, which `self` keeps for longer than this lives.
        let ready = unsafe { AsyncFd::register(self.0.responses) }.expect("a descriptor");
        let mut responses = Vec::with_capacity(RESPONSES);
        loop {
            let mut guard = ready.readable().await.expect("a reactor");
            clear(self.0.responses);
            guard.clear_ready();
            self.with_control(|control| {
                control.handle.drain_responses(&mut responses, RESPONSES);
                for (place, sum) in responses.drain(..) {
                    let asker = control.askers[place].take().expect("an asker");
                    control.free.push(place);
                    let _ = asker.send(sum);
                }
            });
        }
    }
}

impl Peer for Nodedb {
    async fn tell(&self, n: u64) {
        self.send((n, None)).await;
    }

    async fn ask(&self, n: u64) -> u64 {
        self.0.pump.call_once(|| drop(tokio::spawn(self.clone().pump())));
        let (reply, answer) = oneshot::channel();
        let place = self.with_control(|control| {
            let place = control.free.pop().unwrap_or(control.askers.len());
            if place == control.askers.len() {
                control.askers.push(None);
            }
            control.askers[place] = Some(reply);
            place
        });
        self.send((n, Some(place))).await;
        answer.await.expect("an answer")
    }
}

fn borrow(descriptor: &RawFd) -> BorrowedFd<'_> {
    // SAFETY: it belongs to the bridge, and whoever calls this has one of the bridge's handles.
    unsafe { BorrowedFd::borrow_raw(*descriptor) }
}

/// Takes what an eventfd has counted.
fn clear(descriptor: RawFd) {
    let read = nix::unistd::read(borrow(&descriptor), &mut [0; 8]);
    assert!(matches!(read, Ok(8) | Err(Errno::EAGAIN)), "{read:?}");
}

/// Sleeps until an eventfd has counted something.
fn wait_for(descriptor: RawFd) {
    let _ = poll(&mut [PollFd::new(borrow(&descriptor), PollFlags::POLLIN)], PollTimeout::NONE);
    clear(descriptor);
}
