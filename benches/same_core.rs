//! Actors that talk on one core, against stakker.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench same_core
//! ```

use std::time::{Duration, Instant};

use stakker::{CX, Ret, Stakker, actor, call, ret, ret_nop, ret_some_to};
use tpc_actors::prelude::*;
use tpc_actors_benches::stage::Stage;
use tpc_actors_benches::{Contender, Unit, compare, each};

/// Messages on their way at a time.
const ROUND: u64 = 1024;

#[core_actor(capacity = 2048)]
struct Counter {
    sum: u64,
    left: u64,
    over: Option<Reply<u64>>,
}

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self { sum: 0, left: 0, over: None }
    }

    #[handler(tell)]
    fn add(&mut self, n: u64) {
        self.sum = self.sum.wrapping_add(n);
    }

    #[handler]
    fn get(&mut self, n: u64) -> u64 {
        self.sum = self.sum.wrapping_add(n);
        self.sum
    }

    /// Tells itself so often; answers with the total.
    #[handler]
    fn tells(&mut self, cx: &mut Ctx<Self>, count: u64, reply: Reply<u64>) {
        (self.left, self.over) = (count, Some(reply));
        self.round(cx);
    }

    #[handler(tell)]
    fn round(&mut self, cx: &mut Ctx<Self>) {
        let me: CounterPinned = cx.pinned();
        let now = self.left.min(ROUND);
        self.left -= now;
        for n in 0..now {
            me.add(n).now().expect("room");
        }
        if now > 0 {
            me.round().now().expect("room");
        } else if let Some(over) = self.over.take() {
            over.send(self.sum);
        }
    }

    /// Asks itself so often, one after the other, from a task of the core.
    #[handler]
    fn asks(&mut self, cx: &mut Ctx<Self>, count: u64, reply: Reply<u64>) {
        let me: CounterPinned = cx.pinned();
        cx.spawn(async move {
            let mut sum = 0;
            for _ in 0..count {
                sum = me.get(1).await.expect("alive");
            }
            reply.send(sum);
        });
    }
}

struct Theirs {
    sum: u64,
}

impl Theirs {
    #[expect(clippy::unnecessary_wraps, reason = "stakker's form")]
    fn init(_: CX![]) -> Option<Self> {
        Some(Self { sum: 0 })
    }

    fn add(&mut self, _: CX![], n: u64) {
        self.sum = self.sum.wrapping_add(n);
    }

    fn get(&mut self, _: CX![], n: u64, answer: Ret<u64>) {
        self.sum = self.sum.wrapping_add(n);
        ret!([answer], self.sum);
    }
}

/// Asks another actor, one question after the other.
struct Asker {
    of: stakker::Actor<Theirs>,
    left: u64,
}

impl Asker {
    #[expect(clippy::unnecessary_wraps, reason = "stakker's form")]
    fn init(_: CX![], of: stakker::Actor<Theirs>) -> Option<Self> {
        Some(Self { of, left: 0 })
    }

    fn begin(&mut self, cx: CX![], count: u64) {
        self.left = count;
        self.ask(cx);
    }

    fn ask(&mut self, cx: CX![]) {
        let answer = ret_some_to!([cx], answered() as (u64));
        call!([self.of], get(1, answer));
    }

    fn answered(&mut self, cx: CX![], sum: u64) {
        std::hint::black_box(sum);
        self.left -= 1;
        if self.left > 0 {
            self.ask(cx);
        }
    }
}

fn stakker_tells(stakker: &mut Stakker, count: u64) -> f64 {
    let counter = actor!(stakker, Theirs::init(), ret_nop!());
    stakker.run(Instant::now(), false);
    let start = Instant::now();
    for _ in 0..count / ROUND {
        for n in 0..ROUND {
            call!([counter], add(n));
        }
        stakker.run(Instant::now(), false);
    }
    each(start.elapsed(), count / ROUND * ROUND)
}

fn stakker_asks(stakker: &mut Stakker, count: u64) -> f64 {
    let counter = actor!(stakker, Theirs::init(), ret_nop!());
    let asker = actor!(stakker, Asker::init(counter.clone()), ret_nop!());
    let start = Instant::now();
    call!([asker], begin(count));
    stakker.run(Instant::now(), false);
    each(start.elapsed(), count)
}

fn main() {
    let stage = Stage::new();
    let system = stage.system(Duration::from_micros(50));
    let counter = system.spawn::<Counter>(()).wait().expect("an actor");
    let mut stakker = Stakker::new(Instant::now());
    let stakker = std::cell::RefCell::new(&mut stakker);
    let count = 1_000_000;
    let timed = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        each(start.elapsed(), count)
    };
    compare(
        "same core, tell",
        Unit::Rate,
        9,
        vec![
            Contender::new("tpc-actors, pinned", || {
                timed(&|| _ = counter.tells(count).wait().expect("alive"))
            }),
            Contender::new("stakker", || stakker_tells(&mut stakker.borrow_mut(), count)),
        ],
    );
    compare(
        "same core, ask",
        Unit::Time,
        9,
        vec![
            Contender::new("tpc-actors, pinned", || {
                timed(&|| _ = counter.asks(count).wait().expect("alive"))
            }),
            Contender::new("stakker", || stakker_asks(&mut stakker.borrow_mut(), count)),
        ],
    );
    system.shutdown_wait(Duration::from_secs(5));
}
