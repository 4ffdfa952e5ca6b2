//! What is told about a caught panic.

use std::fmt;
use std::sync::Arc;

/// What is known about a panic that was caught on a core.
#[derive(Clone, PartialEq, Eq)]
pub struct PanicReport(Arc<PanicDetails>);

#[derive(PartialEq, Eq)]
struct PanicDetails {
    actor: &'static str,
    handler: &'static str,
    core: usize,
    message: String,
}

impl PanicReport {
    pub(crate) fn new(
        actor: &'static str,
        handler: &'static str,
        core: usize,
        message: String,
    ) -> Self {
        Self(Arc::new(PanicDetails { actor, handler, core, message }))
    }

    /// The actor's type name.
    pub fn actor(&self) -> &str {
        self.0.actor
    }

    /// The method that panicked.
    pub fn handler(&self) -> &str {
        self.0.handler
    }

    /// The core that caught it, counted from 0.
    pub fn core(&self) -> usize {
        self.0.core
    }

    /// The panic's message; a placeholder when its payload was not a string.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Debug for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicReport")
            .field("actor", &self.actor())
            .field("handler", &self.handler())
            .field("core", &self.core())
            .field("message", &self.message())
            .finish()
    }
}

impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(details) = self;
        let PanicDetails { actor, handler, core, message } = &**details;
        write!(f, "`{actor}::{handler}` panicked on core {core}: {message}")
    }
}
