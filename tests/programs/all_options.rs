//! Every option at once, in any order, with trailing commas.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor(
    watchdog(failures = 3, within = "60s", cool_down = "30s..10m", probes = 1,),
    crate = ::tpc_actors,
    supervise(then = stop, backoff = "1ms..1s", within = "10s", max = 5,),
    max_request_bytes = 32usize,
    pressure(suspend_leave_percent = 70u8, throttle_enter_percent = 60, throttle_leave_percent = 50,),
    deadline = "1h",
    event = Vec<(u8, String)>,
    capacity = 1_024,
)]
struct Every {
    sum: u64,
}

#[core_actor(crate = ::tpc_actors,)]
impl Every {
    #[init]
    fn new() -> Self {
        Self { sum: 0 }
    }

    #[handler(boxed, all, tell)]
    fn add(&mut self, by: u64, more: [u64; 4]) {
        self.sum += by + more.iter().sum::<u64>();
    }

    #[handler(deadline = "30s")]
    fn sum(&self, #[key] _key: u8) -> u64 {
        self.sum
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let every = system.spawn_sharded::<Every>(1, |_| ()).wait().unwrap();
    every.add(1, [1; 4]).wait().unwrap();
    assert_eq!(every.sum(0).wait().unwrap(), 5);
}
