//! Every place where foreign code runs, with every kind of panic: the core lives, whoever waits is answered,
//! and the next ask works.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(20);

/// A payload that panics when it is dropped, and whose own payload does so as well.
struct Nasty(u32);

impl Drop for Nasty {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Nasty(self.0 - 1));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    Text,
    Made,
    Other,
    Nasty,
}

const PAYLOADS: [Payload; 4] = [Payload::Text, Payload::Made, Payload::Other, Payload::Nasty];

fn throw(payload: Payload) -> ! {
    match payload {
        Payload::Text => panic!("a text"),
        Payload::Made => panic!("made of {}", 2),
        Payload::Other => std::panic::panic_any(7u32),
        Payload::Nasty => std::panic::panic_any(Nasty(2)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Handler,
    Init,
    InitErrorShown,
    Every,
    Maintenance,
    Checkpoint,
    OnStop,
    Continuation,
    Task,
    Filter,
    MessageDropped,
    ReplyDropped,
    StateDropped,
    EventDropped,
}

const SOURCES: [Source; 14] = [
    Source::Handler,
    Source::Init,
    Source::InitErrorShown,
    Source::Every,
    Source::Maintenance,
    Source::Checkpoint,
    Source::OnStop,
    Source::Continuation,
    Source::Task,
    Source::Filter,
    Source::MessageDropped,
    Source::ReplyDropped,
    Source::StateDropped,
    Source::EventDropped,
];

/// What is to panic, once it is armed; each arming is for one panic.
#[derive(Debug)]
struct Plan {
    source: Source,
    payload: Payload,
    armed: AtomicBool,
}

impl Plan {
    fn reach(&self, source: Source) {
        if self.source == source && self.armed.swap(false, Ordering::SeqCst) {
            throw(self.payload);
        }
    }
}

/// A value of the plan's actor.
#[derive(Clone, Debug)]
struct Value {
    plan: Arc<Plan>,
    source: Source,
}

impl Drop for Value {
    fn drop(&mut self) {
        // Only where it counts: the asker's own drop of an answer is its own affair.
        if thread::current().name().is_some_and(|name| name.starts_with("tpc-core"))
            && !thread::panicking()
        {
            self.plan.reach(self.source);
        }
    }
}

#[derive(Debug)]
struct Refusal(Arc<Plan>);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.reach(Source::InitErrorShown);
        f.write_str("not now")
    }
}

impl std::error::Error for Refusal {}

#[core_actor(event = Value, supervise(max = 1000, within = "60s", backoff = "1ms..1ms"))]
struct Subject {
    plan: Arc<Plan>,
    _state: Value,
}

#[core_actor]
impl Subject {
    #[init]
    fn new(cx: &mut Ctx<Self>, plan: Arc<Plan>) -> Result<Self, Refusal> {
        plan.reach(Source::Init);
        let refuses = plan.source == Source::InitErrorShown && plan.armed.load(Ordering::SeqCst);
        if refuses && cx.incarnation() > 0 {
            return Err(Refusal(plan));
        }
        Ok(Self { _state: Value { plan: Arc::clone(&plan), source: Source::StateDropped }, plan })
    }

    #[handler]
    fn alive(&self) -> bool {
        true
    }

    #[handler]
    fn run(&mut self) -> bool {
        self.plan.reach(Source::Handler);
        true
    }

    #[handler]
    fn restart(&mut self) -> bool {
        panic!("so that the state is built anew")
    }

    #[handler]
    fn take(&mut self, value: Value) -> bool {
        drop(value);
        true
    }

    #[handler]
    fn give(&mut self, time: Duration) -> Value {
        thread::sleep(time);
        Value { plan: Arc::clone(&self.plan), source: Source::ReplyDropped }
    }

    #[handler]
    fn resume(&mut self, cx: &mut Ctx<Self>, reply: Reply<bool>) {
        let plan = Arc::clone(&self.plan);
        cx.offload(async {}, move |_, _, ()| {
            plan.reach(Source::Continuation);
            reply.send(true);
        });
    }

    #[handler]
    fn task(&mut self, cx: &mut Ctx<Self>, reply: Reply<bool>) {
        let plan = Arc::clone(&self.plan);
        cx.spawn(async move {
            plan.reach(Source::Task);
            reply.send(true);
        });
    }

    #[handler]
    fn publish(&mut self, cx: &mut Ctx<Self>) -> bool {
        cx.publish(Value { plan: Arc::clone(&self.plan), source: Source::EventDropped });
        true
    }

    #[every("2ms")]
    fn tick(&mut self) {
        self.plan.reach(Source::Every);
    }

    #[maintenance(every = "2ms")]
    fn tidy(&mut self) -> Work {
        self.plan.reach(Source::Maintenance);
        Work::Done
    }

    #[checkpoint]
    fn write_down(&mut self) {
        self.plan.reach(Source::Checkpoint);
    }

    #[on_stop]
    fn stop(&mut self) {
        self.plan.reach(Source::OnStop);
    }
}

/// Has the source panic; the ask that this is about, if there is one.
fn provoke(system: &System, subject: &SubjectClient, plan: &Arc<Plan>) -> Option<bool> {
    let panicked =
        |outcome: Result<bool, AskError>| Some(matches!(outcome, Err(AskError::Panicked(_))));
    match plan.source {
        Source::Handler => panicked(subject.run().wait()),
        Source::MessageDropped => {
            let value = Value { plan: Arc::clone(plan), source: Source::MessageDropped };
            panicked(subject.take(value).wait())
        }
        Source::Continuation => panicked(subject.resume().wait()),
        Source::Task => panicked(subject.task().wait()),
        Source::Init | Source::InitErrorShown | Source::StateDropped => {
            panicked(subject.restart().wait())
        }
        Source::Filter | Source::EventDropped => {
            drop(subject.publish().wait());
            None
        }
        Source::ReplyDropped => {
            // Left by its asker after the handler had begun: the core drops the answer.
            let ask = subject.give(Duration::from_millis(20)).now().unwrap();
            thread::sleep(Duration::from_millis(5));
            drop(ask);
            None
        }
        Source::Checkpoint => {
            let report = system.checkpoint(LONG).wait().unwrap();
            Some(report.failures().len() == 1)
        }
        Source::Every | Source::Maintenance => None,
        Source::OnStop => {
            system.stop(subject).wait();
            None
        }
    }
}

fn cell(source: Source, payload: Payload) {
    let what = format!("{source:?} with {payload:?}");
    let system = System::builder().cores(1).start().unwrap();
    let plan = Arc::new(Plan { source, payload, armed: AtomicBool::new(false) });
    let subject = system.spawn::<Subject>(Arc::clone(&plan)).wait().unwrap();
    let calm = Arc::new(Plan { source, payload, armed: AtomicBool::new(false) });
    let neighbour = system.spawn::<Subject>(calm).wait().unwrap();
    let filtered = (source == Source::Filter).then(|| {
        let plan = Arc::clone(&plan);
        system
            .events::<Value>()
            .filter(move |_| {
                plan.reach(Source::Filter);
                true
            })
            .subscribe()
    });
    assert!(subject.alive().wait().unwrap(), "{what}");
    for _ in 0..2 {
        plan.armed.store(true, Ordering::SeqCst);
        if let Some(told) = provoke(&system, &subject, &plan) {
            assert!(told, "{what}: whoever waited was not told");
        }
        let start = Instant::now();
        while plan.armed.load(Ordering::SeqCst) {
            assert!(start.elapsed() < LONG, "{what}: it did not panic");
            thread::sleep(Duration::from_millis(1));
        }
        if source == Source::OnStop {
            assert!(matches!(subject.alive().wait(), Err(AskError::Stopped)), "{what}");
            break;
        }
        assert!(subject.alive().wait().unwrap(), "{what}");
        if source == Source::Filter {
            // The subscription is over, and so is its filter.
            break;
        }
    }
    assert!(neighbour.alive().wait().unwrap(), "{what}");
    drop(filtered);
    let report = system.shutdown_wait(LONG);
    assert!(
        report.lost_threads().is_empty() && report.stuck_threads().is_empty(),
        "{what}: {report}"
    );
}

#[test]
fn every_source_survives_every_payload() {
    std::panic::set_hook(Box::new(|_| {}));
    for source in SOURCES {
        for payload in PAYLOADS {
            cell(source, payload);
        }
    }
}
