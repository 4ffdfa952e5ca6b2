//! How far a bus has come, for who wants to give it a log.

use super::log::LogError;

/// Whether there is still time for a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    None,
    /// Somebody publishes or subscribes.
    Begun,
    /// The system has ended.
    Over,
}

impl Usage {
    pub(super) fn may_have_log(self) -> Result<(), LogError> {
        match self {
            Self::None => Ok(()),
            Self::Begun => Err(LogError::TooLate),
            Self::Over => Err(LogError::Closed),
        }
    }
}
