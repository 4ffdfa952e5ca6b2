//! The end of a simulated system.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::seat::Seat;
use super::{Step, World};
use crate::ShutdownReport;
use crate::clock::{Clock, FOREVER};
use crate::core_loop::Core;

impl World {
    /// Ends the system, unless that has been done.
    pub(in crate::sim) fn end(&mut self, drain_time: Duration) -> ShutdownReport {
        if let Some(report) = &self.report {
            return report.clone();
        }
        if std::mem::replace(&mut self.ending, true) {
            // From within the drain, which has the report later.
            self.cut_short = true;
            return ShutdownReport::default();
        }
        self.seats.iter_mut().for_each(Seat::stays_away);
        self.system.begin_end();
        self.drain(self.elapsed() + drain_time.min(FOREVER));
        let abandoned = Arc::<AtomicU64>::default();
        for seat in &mut self.seats {
            let abandoned = Arc::clone(&abandoned);
            let finish = move |core: &mut Core| {
                abandoned.fetch_add(core.finish() as u64, Ordering::Relaxed);
            };
            seat.shared().finish(Box::new(finish));
            seat.turn(self.clock.now());
            seat.leave();
        }
        let report = self.system.finish_end(abandoned.load(Ordering::Relaxed), self.lost.clone());
        self.report.insert(report).clone()
    }

    /// Goes on until nothing that was accepted is unfinished; see the drain of a system with threads.
    fn drain(&mut self, deadline: Duration) {
        let mut before = None;
        for _ in 0..self.limits.steps_max {
            let round: Vec<_> =
                self.seats.iter_mut().filter_map(|seat| seat.with(Core::probe)).collect();
            let busy = round.iter().any(|probe| probe.busy || probe.has_ready);
            if !busy && before.as_ref() == Some(&round) {
                return;
            }
            before = Some(round);
            if self.elapsed() >= deadline || self.cut_short {
                return;
            }
            // Every core has a turn: for its news, and what it has left.
            for core in 0..self.seats.len() {
                if self.seats[core].is_ready(self.clock.now()) {
                    self.take(Step::Core(core));
                }
            }
            if let Some(step) = self.choose(false) {
                self.take(step);
            } else if busy {
                let Some(due) = self.next_due() else { return };
                self.clock.advance_to(due.min(deadline));
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Hooks do not run then: they find what a test has left in the middle.
            self.system.begin_end();
        } else {
            self.end(Duration::ZERO);
        }
    }
}
