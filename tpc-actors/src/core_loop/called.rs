//! What a core is calling, as one word that the stall detector can read.

use crate::actor::Actor;

/// A call into an actor's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    Handler(u32),
    Timer(usize),
    Maintenance(usize),
    Init,
    Continuation,
    Task,
    Checkpoint,
    OnStop,
}

/// Codes from here on are no handlers.
const OTHERS: u32 = 0xF000_0000;
const TIMERS: u32 = 0xF100_0000;
const MAINTENANCE: u32 = 0xF200_0000;

impl Called {
    fn code(self) -> u32 {
        let number = |index: usize| u32::try_from(index).unwrap_or(0) & 0xFF_FFFF;
        match self {
            Self::Handler(index) => index,
            Self::Init => OTHERS,
            Self::Continuation => OTHERS + 1,
            Self::Task => OTHERS + 2,
            Self::Checkpoint => OTHERS + 3,
            Self::OnStop => OTHERS + 4,
            Self::Timer(index) => TIMERS + number(index),
            Self::Maintenance(index) => MAINTENANCE + number(index),
        }
    }

    /// The word for a call into the actor at this index of its core; never 0, which stands for none.
    #[inline]
    pub(crate) fn word(self, cell: u32) -> u64 {
        (u64::from(cell) + 1) << 32 | u64::from(self.code())
    }

    pub(crate) fn name<A: Actor>(self) -> &'static str {
        name::<A>(self.code())
    }
}

/// The word of a core that is awake and calls nobody.
pub(crate) const AWAKE: u64 = 1;

/// Whether a word tells of a call.
pub(crate) fn is_call(word: u64) -> bool {
    word > u64::from(u32::MAX)
}

/// The code that a word tells of; that of a handler is its number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the code is the lower half")]
pub(crate) fn code_of(word: u64) -> u32 {
    word as u32
}

/// The actor's index that a word tells of.
pub(crate) fn cell_of(word: u64) -> u32 {
    u32::try_from((word >> 32).saturating_sub(1)).unwrap_or(u32::MAX)
}

/// What is called, by the code of a word.
pub(crate) fn name<A: Actor>(code: u32) -> &'static str {
    let index = (code & 0xFF_FFFF) as usize;
    match code {
        OTHERS => "init",
        code if code < OTHERS => A::handler_name(code),
        code if code == OTHERS + 1 => "continuation",
        code if code == OTHERS + 2 => "task",
        code if code == OTHERS + 3 => "checkpoint",
        code if code == OTHERS + 4 => "on_stop",
        code if code < MAINTENANCE => A::TIMERS.get(index).map_or("?", |timer| timer.name),
        _ => A::MAINTENANCE.get(index).map_or("?", |maintenance| maintenance.name),
    }
}
