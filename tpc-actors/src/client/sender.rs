//! The client of a request.

use super::Client;
use crate::actor::Actor;

/// The client of a request: borrowed, or its own copy when the request must outlive the caller.
pub(crate) enum Sender<'a, A: Actor> {
    Borrowed(&'a Client<A>),
    Owned(Client<A>),
}

impl<A: Actor> Sender<'_, A> {
    pub(super) fn get(&self) -> &Client<A> {
        match self {
            Self::Borrowed(client) => client,
            Self::Owned(client) => client,
        }
    }
}

impl<A: Actor> Clone for Sender<'_, A> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(client) => Self::Borrowed(client),
            Self::Owned(client) => Self::Owned(Client::clone(client)),
        }
    }
}
