//! Waiting until nothing that was accepted is unfinished.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Inner;
use crate::core_loop::{Core, Probe};

/// Rounds without any work done in which tasks that nobody waits for may still have something to do.
const ROUNDS_FOR_TASKS: u32 = 20;
/// Between two questions whether a busy core has finished.
const PROBE_PAUSE: Duration = Duration::from_micros(500);

impl Inner {
    /// Waits until no core has anything left. One quiet round is not enough: a message may have been on
    /// its way from a core asked late to one asked early. So two rounds must find the same amount of
    /// work done (Mattern, "Algorithms for distributed termination detection", 1987).
    pub(super) fn drain(&self, deadline: Instant) {
        let mut before = None;
        let mut patience = ROUNDS_FOR_TASKS;
        loop {
            let round = self.probe(deadline).unwrap_or_default();
            let busy = round.is_empty() || round.iter().any(|probe| probe.busy);
            let has_ready = round.iter().any(|probe| probe.has_ready);
            let work_done: Vec<_> = round.iter().map(|probe| probe.work_done).collect();
            if !busy && before.as_ref() == Some(&work_done) {
                // A task that was just woken may answer somebody; one that is always ready is not waited for.
                if !has_ready || patience == 0 {
                    return;
                }
                patience -= 1;
            }
            if Instant::now() >= deadline {
                return;
            }
            if busy || has_ready {
                std::thread::sleep(PROBE_PAUSE);
            }
            before = Some(work_done);
        }
    }

    /// Asks every core; `None` when one does not answer before the deadline.
    fn probe(&self, deadline: Instant) -> Option<Vec<Probe>> {
        let (answer, answers) = mpsc::channel();
        let mut asked = 0;
        for core in &self.cores {
            let (answer, index) = (answer.clone(), core.index);
            let command = Box::new(move |core: &mut Core| {
                let _ = answer.send((index, core.probe()));
            });
            asked += usize::from(core.command(command).is_ok());
        }
        drop(answer);
        let mut round = Vec::with_capacity(asked);
        for _ in 0..asked {
            let left = deadline.saturating_duration_since(Instant::now());
            round.push(answers.recv_timeout(left).ok()?);
        }
        round.sort_unstable_by_key(|(index, _)| *index);
        Some(round.into_iter().map(|(_, probe)| probe).collect())
    }
}
