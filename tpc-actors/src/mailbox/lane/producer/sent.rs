//! What a sender gets to know of a request that its lane has taken.

use std::num::NonZeroU64;

use crate::reply::slot::Ticket;

/// A request that is on its way now.
///
/// Of two words, also as an option, so that it is returned in registers: what is stored field by field and then copied
/// as a whole has to wait until it has left the store buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    ticket: Option<Ticket>,
    /// The lane's index in the mailbox's table, whether the core was rung for, and a bit that makes it no zero.
    over: NonZeroU64,
}

impl Sent {
    #[inline]
    pub(super) fn new(lane: u32, ticket: Option<Ticket>, rang: bool) -> Self {
        Self { ticket, over: NonZeroU64::MIN | u64::from(lane) << 2 | u64::from(rang) << 1 }
    }

    /// Where the answer will come.
    ///
    /// # Panics
    ///
    /// It was a tell.
    #[inline]
    pub(crate) fn ticket(self) -> Ticket {
        self.ticket.expect("an ask is sent with a ticket")
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it was one of 32 bits")]
    pub(crate) fn lane(self) -> u32 {
        (self.over.get() >> 2) as u32
    }

    /// The core did not look, and was rung for.
    #[inline]
    pub(crate) fn rang(self) -> bool {
        self.over.get() & 2 != 0
    }
}
