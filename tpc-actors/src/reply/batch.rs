//! Messages of one kind that arrive together.

mod room;

use std::collections::VecDeque;
use std::fmt;

use super::Reply;

/// Messages of one handler that were waiting one behind the other, and are handed to it together.
///
/// A handler with the option `batch` takes one: `#[handler(batch = 64)] fn append(&mut self, records:
/// Batch<Record, Reply<u64>>)` is asked with `client.append(record)`, a record at a time, and runs once for
/// up to 64 of them. Each member has its own [`Reply`]. With `#[handler(tell, batch = 64)]` it is a
/// `Batch<Record>`, and nobody waits for an answer. This is how a log commits a group of records with one
/// `fsync`, and how an index takes many insertions in one go.
///
/// # What is promised
///
/// * A batch has at least one member and at most as many as the option says. It never waits for more: a
///   message that comes alone is a batch of one.
/// * The members come from one sender's lane, or from the actor's own core, in the order in which they were
///   sent. A message of another kind among them ends the batch, so the order between kinds is kept as well.
/// * Whose asker has left, or whose deadline has passed, is not among them. Once it is, its handler has
///   begun: an asker that leaves then only does not see the answer.
/// * Every member is answered: by [`Reply::send`], with [`Dropped`](crate::AskError::Dropped) when its token
///   is dropped, and with [`Panicked`](crate::AskError::Panicked) when the handler panics before that. Tokens
///   may be kept and answered later.
/// * Members count as messages, in statistics and in the share of a lane. A batch that has begun is filled
///   up even if the share is used up by it, so that one turn may serve one batch more than its budget.
///
/// Askers that are answered while the handler runs are woken together, as by [`Reply::send`]. A batch that is dropped on its core
/// leaves its memory to the next one, so in the steady state batches allocate nothing.
///
/// ```
/// use tpc_actors::prelude::*;
///
/// /// A log that makes many records durable at once.
/// #[core_actor]
/// struct Log {
///     records: Vec<String>,
///     commits: usize,
/// }
///
/// #[core_actor]
/// impl Log {
///     #[init]
///     fn new() -> Self {
///         Self { records: Vec::new(), commits: 0 }
///     }
///
///     /// Answers with the record's position, once it is durable.
///     #[handler(batch = 64)]
///     fn append(&mut self, records: Batch<String, Reply<usize>>) {
///         let first = self.records.len();
///         self.records.extend(records.iter().cloned());
///         self.commits += 1; // the one `fsync` would be here
///         for (position, (_record, reply)) in (first..).zip(records) {
///             reply.send(position);
///         }
///     }
///
///     #[handler]
///     fn commits(&self) -> usize {
///         self.commits
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().cores(1).start()?;
/// let log = system.spawn::<Log>(()).wait()?;
/// let asks: Vec<_> = (0..20).map(|n| log.append(format!("record {n}")).now()).collect::<Result<_, _>>()?;
/// for (position, ask) in asks.into_iter().enumerate() {
///     assert_eq!(ask.wait()?, position);
/// }
/// assert!(log.commits().wait()? <= 20);
/// # system.shutdown_wait(std::time::Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
pub struct Batch<T: 'static, R: 'static = ()> {
    members: VecDeque<(T, R)>,
}

impl<T, R> Batch<T, R> {
    /// An empty one with room for `expected` members, in the memory of one that is over if there is one.
    pub(crate) fn with_room(expected: usize) -> Self {
        let mut members = room::take();
        members.reserve(expected);
        Self { members }
    }

    /// Adds a member.
    pub(crate) fn push(&mut self, message: T, reply: R) {
        self.members.push_back((message, reply));
    }

    /// Members that are left; at least one when the handler is called.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether all members have been taken out.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The messages, in the order in which they were sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        self.members.iter().map(|(message, _)| message)
    }

    /// The messages, to be changed in place.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut T> + DoubleEndedIterator {
        self.members.iter_mut().map(|(message, _)| message)
    }
}

impl<T> Batch<T> {
    /// Takes the messages out, in the order in which they were sent; what is not looked at is dropped.
    pub fn drain(&mut self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator {
        self.members.drain(..).map(|(message, ())| message)
    }
}

impl<T, R: 'static> Batch<T, Reply<R>> {
    /// Takes messages and tokens out, in the order in which they were sent; what is not looked at is
    /// dropped, and its asker told so.
    pub fn drain(&mut self) -> impl ExactSizeIterator<Item = (T, Reply<R>)> + DoubleEndedIterator {
        self.members.drain(..)
    }
}

impl<T, R> Drop for Batch<T, R> {
    fn drop(&mut self) {
        room::keep(std::mem::take(&mut self.members));
    }
}

impl<T> IntoIterator for Batch<T> {
    type Item = T;
    type IntoIter = BatchMembers<T>;

    fn into_iter(self) -> Self::IntoIter {
        BatchMembers(self)
    }
}

impl<T, R: 'static> IntoIterator for Batch<T, Reply<R>> {
    type Item = (T, Reply<R>);
    type IntoIter = BatchMembers<T, Reply<R>>;

    fn into_iter(self) -> Self::IntoIter {
        BatchMembers(self)
    }
}

impl<T, R> fmt::Debug for Batch<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The members of a [`Batch`], in the order in which they were sent: its messages, and with those that are asks their
/// tokens. What is not taken out is dropped with it, and its asker told so.
pub struct BatchMembers<T: 'static, R: 'static = ()>(Batch<T, R>);

impl<T> Iterator for BatchMembers<T> {
    type Item = T;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.members.pop_front().map(|(message, ())| message)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T, R> Iterator for BatchMembers<T, Reply<R>> {
    type Item = (T, Reply<R>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.members.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T> DoubleEndedIterator for BatchMembers<T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.members.pop_back().map(|(message, ())| message)
    }
}

impl<T, R> DoubleEndedIterator for BatchMembers<T, Reply<R>> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.members.pop_back()
    }
}

impl<T> ExactSizeIterator for BatchMembers<T> {}

impl<T, R> ExactSizeIterator for BatchMembers<T, Reply<R>> {}

impl<T, R> fmt::Debug for BatchMembers<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchMembers").field("len", &self.0.len()).finish_non_exhaustive()
    }
}
