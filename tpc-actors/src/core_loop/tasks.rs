//! Tasks of one core: futures that may hold `!Send` values, with wakers that any thread may wake.
//!
//! A wake puts the task's id into the core's inbox, once until the task is polled again, so the list of
//! wakes is no longer than the list of tasks. Wakers are `Send + Sync`, because users hand them to Tokio
//! and to other threads; a wake from the core's own turn takes a shorter way.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::called::Called;
use super::in_turn;
use super::queued::Queued;
use super::shared::CoreShared;
use crate::error::Fate;
use crate::isolate::{catch, drop_quietly};
use crate::reply::{fate_of_ending, while_ending};

/// Names a task; the generation tells it from others that had the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskId {
    index: u32,
    generation: u32,
}

/// The actor that a task belongs to; it ends with that incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) cell: u32,
    pub(crate) incarnation: u64,
}

pub(crate) type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    /// What is polled, and with what; `None` meanwhile.
    polled: Option<(LocalFuture, Waker)>,
    signal: Arc<Signal>,
    owner: Owner,
    /// Whether a drain waits for it.
    drained: bool,
}

#[derive(Default)]
struct Place {
    generation: u32,
    task: Option<Task>,
}

/// The waker of one task.
struct Signal {
    id: TaskId,
    queued: Queued,
    core: Arc<CoreShared>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.wake() && !wake_here(&self.core, self.id) {
            self.core.wake_task(self.id);
        }
    }
}

/// Queues a task, if it is the turn of its own core that wakes it.
fn wake_here(core: &Arc<CoreShared>, task: TaskId) -> bool {
    let ours = in_turn::core().filter(|local| Arc::ptr_eq(&local.shared, core));
    if let Some(local) = &ours {
        local.tasks.woken(std::iter::once(task));
    }
    ours.is_some()
}

/// What polling one task came to.
pub(crate) enum Polled {
    Alive,
    Ended,
    Panicked { owner: Owner, message: String },
}

/// The tasks of one core.
pub(crate) struct Tasks {
    core: Arc<CoreShared>,
    places: RefCell<Vec<Place>>,
    free: RefCell<Vec<u32>>,
    ready: RefCell<VecDeque<TaskId>>,
    max: usize,
    /// Tasks that a drain waits for.
    drained: Cell<usize>,
    /// What tokens answer of a task that has ended while it is polled.
    ended_with: Cell<Option<Fate>>,
}

impl Tasks {
    pub(crate) fn new(core: Arc<CoreShared>, max: usize) -> Self {
        Self {
            core,
            places: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            max,
            drained: Cell::new(0),
            ended_with: Cell::default(),
        }
    }

    /// How many tasks the core may hold.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn is_full(&self) -> bool {
        self.free.borrow().is_empty() && self.places.borrow().len() >= self.max
    }

    /// Tasks that a drain waits for.
    pub(crate) fn awaited(&self) -> usize {
        self.drained.get()
    }

    /// Adds a task that is polled in this turn. The caller has made sure that there is room.
    pub(crate) fn spawn(&self, owner: Owner, drained: bool, future: LocalFuture) -> TaskId {
        let mut places = self.places.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            places.push(Place::default());
            u32::try_from(places.len() - 1).expect("the maximum fits in 32 bits")
        });
        let place = &mut places[index as usize];
        let id = TaskId { index, generation: place.generation };
        let signal = Arc::new(Signal { id, queued: Queued::new(), core: Arc::clone(&self.core) });
        let waker = Waker::from(Arc::clone(&signal));
        place.task = Some(Task { polled: Some((future, waker)), signal, owner, drained });
        self.drained.set(self.drained.get() + usize::from(drained));
        self.ready.borrow_mut().push_back(id);
        id
    }

    /// Queues tasks that were woken.
    pub(crate) fn woken(&self, wakes: impl Iterator<Item = TaskId>) {
        self.ready.borrow_mut().extend(wakes);
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.ready() > 0
    }

    /// How many tasks wait to be polled.
    pub(crate) fn ready(&self) -> usize {
        self.ready.borrow().len()
    }

    /// Polls the task that has been ready for longest; `None` when none is.
    pub(crate) fn run_one(&self) -> Option<Polled> {
        let id = self.ready.borrow_mut().pop_front()?;
        Some(self.poll(id))
    }

    /// Polls one task.
    pub(crate) fn poll(&self, id: TaskId) -> Polled {
        // Nothing stays borrowed over the poll: it may spawn and end other tasks.
        let (mut future, waker, owner) = {
            let mut places = self.places.borrow_mut();
            let Some(task) = Self::find(&mut places, id) else { return Polled::Ended };
            let Some((future, waker)) = task.polled.take() else { return Polled::Alive };
            task.signal.queued.begin_poll();
            (future, waker, task.owner)
        };
        self.core.stats.calling.set(Called::Task.word(owner.cell));
        self.core.note(|| format!("a task of actor {}", owner.cell));
        let polled = catch(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
        let mut places = self.places.borrow_mut();
        let owner = match Self::find(&mut places, id) {
            Some(task) if matches!(polled, Ok(Poll::Pending)) => {
                task.polled = Some((future, waker));
                return Polled::Alive;
            }
            Some(task) => task.owner,
            // Its actor has ended during the poll, and would have taken it along.
            None => {
                drop(places);
                match self.ended_with.take() {
                    Some(fate) => while_ending(&fate, || drop_quietly(future)),
                    None => drop_quietly(future),
                }
                return match polled {
                    Err(message) => Polled::Panicked { owner, message },
                    Ok(_) => Polled::Ended,
                };
            }
        };
        drop(places);
        self.end(id);
        drop_quietly(future);
        match polled {
            Err(message) => Polled::Panicked { owner, message },
            Ok(_) => Polled::Ended,
        }
    }

    fn find(places: &mut [Place], id: TaskId) -> Option<&mut Task> {
        let place = places.get_mut(id.index as usize)?;
        (place.generation == id.generation).then_some(place.task.as_mut()).flatten()
    }

    fn end(&self, id: TaskId) {
        let ended = {
            let mut places = self.places.borrow_mut();
            let Some(place) = places.get_mut(id.index as usize) else { return };
            if place.generation != id.generation {
                return;
            }
            place.generation = place.generation.wrapping_add(1);
            place.task.take()
        };
        let Some(task) = ended else { return };
        if task.polled.is_none() {
            self.ended_with.replace(fate_of_ending());
        }
        self.free.borrow_mut().push(id.index);
        self.drained.set(self.drained.get() - usize::from(task.drained));
        drop_quietly(task);
    }

    /// Ends the tasks of an incarnation that is over.
    pub(crate) fn end_owned(&self, owner: Owner) {
        let ending: Vec<TaskId> = (self.places.borrow().iter().zip(0u32..))
            .filter(|(place, _)| place.task.as_ref().is_some_and(|task| task.owner == owner))
            .map(|(place, index)| TaskId { index, generation: place.generation })
            .collect();
        for id in ending {
            self.end(id);
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("max", &self.max).finish_non_exhaustive()
    }
}
