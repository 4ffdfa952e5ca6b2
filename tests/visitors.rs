//! What a plain thread sends comes after whatever its actor had accepted before, whatever fails meanwhile.

mod random;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::Actor;
use tpc_actors::prelude::*;

use random::Random;

const LONG: Duration = Duration::from_secs(20);
const RUN: Duration = Duration::from_millis(1500);

/// The accepted messages, in an order in which their senders may have known of each other: which are over.
type Accepted = Arc<Mutex<Vec<Arc<AtomicBool>>>>;

pub struct Message {
    over: Arc<AtomicBool>,
    /// How many had been accepted when it was sent by a plain thread.
    after: usize,
    panics: bool,
    accepted: Accepted,
}

impl Message {
    /// How many come too late.
    fn come(&self, checked: &mut usize) -> u64 {
        let accepted = self.accepted.lock().unwrap();
        let is_over = |at: &usize| accepted[*at].load(Ordering::SeqCst);
        // Those before have been looked at already.
        let late = (*checked..self.after).filter(|at| !is_over(at)).count();
        if late == 0 {
            *checked = self.after.max(*checked);
        }
        late as u64
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

macro_rules! receiver {
    ($name:ident, $client:ident, $($options:tt)*) => {
        #[core_actor(capacity = 16, $($options)*)]
        pub struct $name {
            late: Arc<Mutex<u64>>,
            checked: usize,
        }

        #[core_actor]
        impl $name {
            #[init]
            fn new(late: Arc<Mutex<u64>>) -> Self {
                Self { late, checked: 0 }
            }

            #[handler(tell)]
            fn put(&mut self, message: Message) {
                *self.late.lock().unwrap() += message.come(&mut self.checked);
                assert!(!message.panics, "as it was told to");
            }

            #[handler(tell, batch = 4)]
            fn put_together(&mut self, messages: Batch<Message>) {
                messages.into_iter().for_each(|message| self.put(message));
            }

            #[handler(tell)]
            fn rest(&mut self, micros: u64) {
                thread::sleep(Duration::from_micros(micros));
            }
        }

        impl Receiver for $client {
            fn send(&self, accepted: &Accepted, dice: &Random, plain: bool) {
                let after = if plain { accepted.lock().unwrap().len() } else { 0 };
                let over = Arc::new(AtomicBool::new(false));
                let message = Message {
                    over: Arc::clone(&over),
                    after,
                    panics: dice.below(200) == 0,
                    accepted: Arc::clone(accepted),
                };
                let sent = if dice.below(2) == 0 {
                    self.put(message).now()
                } else {
                    self.put_together(message).now()
                };
                if sent.is_ok() {
                    accepted.lock().unwrap().push(over);
                }
                if dice.below(40) == 0 {
                    drop(self.rest(dice.below(300)).now());
                }
                if dice.below(30) == 0 {
                    thread::sleep(Duration::from_micros(dice.below(400)));
                }
            }
        }
    };
}

trait Receiver: Clone + Send {
    /// Sends something at random, and remembers whether it was accepted.
    fn send(&self, accepted: &Accepted, dice: &Random, plain: bool);
}

receiver!(Keeping, KeepingClient, supervise(max = 1_000_000, within = "1s", backoff = "1us..50us"));
receiver!(
    Rejecting,
    RejectingClient,
    supervise(max = 1_000_000, within = "1s", backoff = "1us..50us", queue = reject)
);

/// Two plain threads and three with lanes of their own, one of which comes and goes.
fn all_send(client: &impl Receiver) {
    let accepted = Accepted::default();
    let over = Instant::now() + RUN;
    thread::scope(|scope| {
        for seed in 0..5 {
            let (client, accepted) = (client.clone(), &accepted);
            scope.spawn(move || {
                let dice = Random::beside(seed);
                if seed > 2 {
                    tpc_actors::register_thread();
                }
                while Instant::now() < over {
                    let many = dice.below(40);
                    if seed == 2 {
                        let (client, seed) = (client.clone(), dice.below(1_000));
                        let short_lived = move || {
                            tpc_actors::register_thread();
                            let dice = Random::beside(seed);
                            (0..many).for_each(|_| client.send(accepted, &dice, false));
                        };
                        scope.spawn(short_lived).join().unwrap();
                    } else {
                        (0..many).for_each(|_| client.send(accepted, &dice, seed < 2));
                    }
                    if seed > 2 {
                        thread::sleep(Duration::from_micros(dice.below(3_000)));
                    }
                }
            });
        }
    });
}

fn nothing_comes_late<A: Actor<Args = Arc<Mutex<u64>>>>()
where
    A::Client: Receiver,
{
    let system = System::builder().cores(1).start().unwrap();
    let late = Arc::default();
    all_send(&system.spawn::<A>(Arc::clone(&late)).wait().unwrap());
    system.shutdown_wait(LONG);
    assert_eq!(*late.lock().unwrap(), 0);
}

#[test]
fn with_restarts_that_keep_the_queue() {
    nothing_comes_late::<Keeping>();
}

#[test]
fn with_restarts_that_refuse_the_queue() {
    nothing_comes_late::<Rejecting>();
}
