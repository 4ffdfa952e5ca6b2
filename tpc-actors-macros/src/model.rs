//! What remains of an actor once it is known to make sense: small, owned, nothing left to
//! interpret.

use proc_macro2::Span;
use syn::{Attribute, Ident, Member, Path, ReturnType, Type};

use crate::duration::Nanos;
use crate::generics::Generics;
use crate::krate::Krate;
use crate::names::Names;

/// The struct half: the policy.
pub(crate) struct SettingsModel {
    pub(crate) ident: Ident,
    /// The actor with its own parameters as arguments.
    pub(crate) actor: Path,
    pub(crate) generics: Generics,
    pub(crate) krate: Krate,
    pub(crate) names: Names,
    pub(crate) vis: syn::Visibility,
    pub(crate) event: Option<Type>,
    pub(crate) capacity: Option<u64>,
    /// Whether requests and responses can leave the machine.
    pub(crate) serde: bool,
    /// The limit, and the place where it is given.
    pub(crate) max_request_bytes: Option<(u64, Span)>,
    /// How long its asks wait for an answer.
    pub(crate) deadline: Option<Nanos>,
    pub(crate) pressure: Option<PressureModel>,
    pub(crate) supervise: Option<SuperviseModel>,
    pub(crate) watchdog: Option<WatchdogModel>,
}

/// The fills, in percent, at which the pressure in a lane changes.
#[derive(Clone, Copy)]
pub(crate) struct PressureModel {
    pub(crate) throttle_enter: u8,
    pub(crate) throttle_leave: u8,
    pub(crate) suspend_enter: u8,
    pub(crate) suspend_leave: u8,
}

/// The options of `supervise(..)` that were given.
#[derive(Default)]
pub(crate) struct SuperviseModel {
    pub(crate) max: Option<u32>,
    pub(crate) within: Option<Nanos>,
    pub(crate) backoff: Option<(Nanos, Nanos)>,
    /// Variants of the enums that these options stand for.
    pub(crate) then: Option<&'static str>,
    pub(crate) on_panic: Option<&'static str>,
    pub(crate) queue: Option<&'static str>,
}

/// The options of `watchdog(..)` that were given.
#[derive(Default)]
pub(crate) struct WatchdogModel {
    pub(crate) failures: Option<u32>,
    pub(crate) within: Option<Nanos>,
    pub(crate) cool_down: Option<(Nanos, Nanos)>,
    pub(crate) probes: Option<u32>,
}

/// The impl half: the protocol.
pub(crate) struct ActorModel {
    /// The actor as the `impl` block names it.
    pub(crate) actor: Path,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) krate: Krate,
    pub(crate) names: Names,
    /// The ways to build the state: one, or several under conditions that exclude each other.
    pub(crate) inits: Vec<Init>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) maintenance: Vec<Maintenance>,
    /// One, or several that exclude each other by `#[cfg]`; as are those that follow.
    pub(crate) checkpoints: Vec<Hook>,
    pub(crate) on_stops: Vec<Hook>,
    /// The type of the routing key, if any handler has one.
    pub(crate) key: Option<Type>,
    /// Whether generated code calls anything deprecated.
    pub(crate) deprecated: bool,
    /// False if there were errors: then types and signatures are emitted, but no calls.
    pub(crate) complete: bool,
}

/// The function that builds the state.
#[derive(Clone)]
pub(crate) struct Init {
    pub(crate) method: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    /// The context's conditions, if it takes the context.
    pub(crate) cx: Option<Vec<Attribute>>,
    pub(crate) args: Vec<Arg>,
    /// The return type, which messages point at.
    pub(crate) returns: ReturnType,
}

/// A method that is a message.
pub(crate) struct Handler {
    pub(crate) method: Ident,
    pub(crate) variant: Ident,
    /// `#[cfg]`s, which decide about everything generated for this handler.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
    /// The parameters after `self`, in order.
    pub(crate) params: Vec<Param>,
    pub(crate) answer: Answer,
    /// Whether it runs on every shard.
    pub(crate) all: bool,
    /// Whether its arguments travel in one allocation.
    pub(crate) boxed: bool,
    /// Up to how many messages it takes together, and the place where that is said.
    pub(crate) batch: Option<(u64, Span)>,
    /// How long its callers wait for an answer.
    pub(crate) deadline: Option<Nanos>,
}

/// A parameter of a handler.
pub(crate) enum Param {
    /// The context, with the conditions under which it is there.
    Ctx(Vec<Attribute>),
    Reply,
    Value(Box<Arg>),
}

/// A parameter that travels in the request.
#[derive(Clone)]
pub(crate) struct Arg {
    /// The conditions under which it is there.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) field: Ident,
    pub(crate) ty: Type,
    /// What of it chooses the shard, if it does.
    pub(crate) key: Option<Key>,
    /// Whether it travels in an allocation of its own.
    pub(crate) boxed: bool,
}

/// What of an argument chooses the shard.
#[derive(Clone)]
pub(crate) enum Key {
    Whole,
    Field(Member),
}

/// How a handler answers.
pub(crate) enum Answer {
    /// Not at all: `tell`.
    Never,
    /// By returning.
    Now(Reply),
    /// Through its `Reply<T>` parameter.
    Later(Reply),
}

/// The type of an answer.
pub(crate) struct Reply {
    pub(crate) ty: Type,
    /// Whether it is a `Result`, whose error the caller sees as an error.
    pub(crate) fallible: bool,
}

/// A method that runs at intervals.
pub(crate) struct Timer {
    pub(crate) hook: Hook,
    pub(crate) interval: Nanos,
}

/// A method that runs in slices.
pub(crate) struct Maintenance {
    pub(crate) hook: Hook,
    pub(crate) interval: Nanos,
    pub(crate) budget: Option<Nanos>,
}

/// A method without arguments that the runtime calls.
pub(crate) struct Hook {
    pub(crate) method: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    /// The context's conditions, if it takes the context.
    pub(crate) cx: Option<Vec<Attribute>>,
}

impl Param {
    /// What travels, if it does.
    pub(crate) fn value(&self) -> Option<&Arg> {
        match self {
            Self::Value(arg) => Some(arg),
            Self::Ctx(_) | Self::Reply => None,
        }
    }
}

impl Handler {
    /// The arguments that travel, without `cx` and `reply`.
    pub(crate) fn args(&self) -> impl Iterator<Item = &Arg> {
        self.params.iter().filter_map(Param::value)
    }

    /// The argument that chooses the shard, and what of it does.
    pub(crate) fn key(&self) -> Option<(&Arg, &Key)> {
        self.args().find_map(|arg| Some((arg, arg.key.as_ref()?)))
    }

    /// The answer's type, if there is an answer.
    pub(crate) fn reply(&self) -> Option<&Reply> {
        match &self.answer {
            Answer::Never => None,
            Answer::Now(reply) | Answer::Later(reply) => Some(reply),
        }
    }
}
