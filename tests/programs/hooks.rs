//! Timers and the end.
#![deny(warnings)]

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tpc_actors::prelude::*;

#[core_actor(event = u32)]
pub struct Clock {
    ticks: u32,
    told: Sender<&'static str>,
}

#[core_actor]
impl Clock {
    #[init]
    fn new(told: Sender<&'static str>) -> Self {
        Self { ticks: 0, told }
    }

    #[every("1ms")]
    fn tick(&mut self, cx: &mut Ctx<Self>) {
        self.ticks += 1;
        cx.publish(self.ticks);
    }

    #[every("2ms")]
    fn tock(&mut self) {
        self.told.send("tock").unwrap();
    }

    #[on_stop]
    fn stopping(&mut self, cx: &mut Ctx<Self>) {
        assert_eq!(cx.incarnation(), 0);
        self.told.send("the end").unwrap();
    }
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let (told, heard) = channel();
    let _clock = system.spawn::<Clock>(told).wait().unwrap();
    assert_eq!(heard.recv().unwrap(), "tock");
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
    assert_eq!(heard.iter().last(), Some("the end"));
}
