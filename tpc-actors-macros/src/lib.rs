//! The attribute macros of `tpc-actors`; use them through that crate.
//!
//! In reading order: `parse` knows the grammar, `validate` has the opinions, `model` is what is
//! left when they agree, and `expand` writes it down. `core_actor` connects them. Each diagnostic
//! has a stable code, listed in `codes`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod core_actor;

mod parse;

mod model;
mod validate;

mod expand;

mod codes;
mod diag;
mod dump;
mod duration;
mod generics;
mod krate;
mod names;

#[cfg(test)]
mod tests;

/// Makes an actor of a struct and of one inherent `impl` block of it.
///
/// On the struct it takes the policy: `event = Type`, `capacity = 1024`, `max_request_bytes = 64`,
/// `deadline = "50ms"`, `pressure(throttle_enter_percent = 85, throttle_leave_percent = 75,
/// suspend_enter_percent = 95, suspend_leave_percent = 85)`, `serde`,
/// `supervise(max = 5, within = "10s", backoff = "1ms..1s", then = stop, on_panic = restart, queue = keep)`
/// and `watchdog(failures = 3, within = "60s", cool_down = "30s..10m", probes = 1)`, each of them optional.
/// `then` may also be `escalate` or `abort_system`, `on_panic` `resume` or `stop`, and `queue` `reject`;
/// `watchdog` alone has these defaults, and without it there is no watchdog. `pressure` has the defaults shown
/// for what it does not say.
///
/// `deadline` is how long an ask may take when neither its handler nor its caller says so; without it there is no
/// limit. Tells have none, and neither have asks through the pinned handle. `serde` derives `Serialize` and
/// `Deserialize` for requests and responses, and needs the feature of that name.
///
/// On the `impl` block the methods carry `#[init]`, `#[handler]`, `#[every]`,
/// `#[maintenance]`, `#[checkpoint]` and `#[on_stop]`. Both
/// halves belong into one module. Where the runtime is not `::tpc_actors`, both halves say so:
/// `crate = facade::tpc_actors`.
///
/// ```text
/// #[core_actor(capacity = 1024)]
/// pub struct Counter {
///     value: i64,
/// }
///
/// #[core_actor]
/// impl Counter {
///     #[init]
///     fn new(start: i64) -> Self {
///         Self { value: start }
///     }
///
///     #[handler(tell)]
///     fn add(&mut self, by: i64) {
///         self.value += by;
///     }
///
///     #[handler]
///     fn get(&self) -> i64 {
///         self.value
///     }
/// }
/// ```
///
/// This generates `CounterRequest`, `CounterResponse`, `CounterClient` and `CounterPinned`, as
/// visible as the struct and documented from the handlers' own comments.
///
/// An actor may have parameters. `impl<K: Hash + Eq + Send, const N: usize> Cache<K, N>` gives
/// `CacheClient<K, N>` and so on; what travels must be `Send`, and `'static` goes without saying.
#[proc_macro_attribute]
pub fn core_actor(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::core_actor(args.into(), &item.into()).into()
}

/// Marks a method of a `#[core_actor]` impl as a message.
///
/// The return type is the answer, and a `Result` is a fallible answer: a type of that name, as in `io::Result<T>`. One
/// by another name, an alias `StoreResult<T>` for instance, is an answer like any other. With a `reply: Reply<T>`
/// parameter the answer comes later. `#[handler(tell)]` has no answer, `#[handler(all)]` runs on
/// every shard, and `#[key]` on an argument makes it choose the shard; `#[key(id: u64)]` has its field `id` choose, which
/// is of that type, and in a batch that of each member. `#[boxed]` on a large argument,
/// or `#[handler(boxed)]` for all of them together, keeps requests small at the price of an allocation. Every reply slot
/// of the actor has room for its largest answer, and answers pass over stacks a few times: write `Box<[u8]>` or the like
/// for one of more than some kilobytes.
///
/// With `#[handler(batch = 64)]` messages that wait one behind the other arrive together: the method takes
/// one `records: Batch<T, Reply<R>>`, and clients send a `T` and get an `R`. `#[handler(tell, batch = 64)]`
/// takes a `Batch<T>`. A batch has at most as many members as are waiting; `tpc_actors::Batch` says what
/// else is promised.
///
/// `#[handler(deadline = "5ms")]` is how long an ask may take, in the place of the actor's `deadline`; a caller's
/// `.deadline(..)` goes before both. It is for asks of clients: asks through the pinned handle have no deadline,
/// because their asker lives on the core that would be late, and a `tell` with one is refused.
#[proc_macro_attribute]
pub fn handler(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("handler", &args.into(), &item.into()).into()
}

/// Marks the function of a `#[core_actor]` impl that builds the state, at start and after a
/// restart.
#[proc_macro_attribute]
pub fn init(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("init", &args.into(), &item.into()).into()
}

/// Marks a method of a `#[core_actor]` impl that runs on a timer, as in `#[every("250ms")]`.
#[proc_macro_attribute]
pub fn every(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("every", &args.into(), &item.into()).into()
}

/// Marks a method of a `#[core_actor]` impl that does housekeeping in slices.
///
/// `#[maintenance(every = "10s", budget = "1ms")] fn compact(&mut self, cx: &mut Ctx<Self>) -> Work`:
/// each interval it is called again and again until it answers `Work::Done`, a budget at a time, between
/// the turns that serve messages. While there are some, it has at most a fifth of the core. The budget is
/// 1 ms unless said otherwise, and one that is longer than the interval is refused; a call should take a
/// fraction of it.
#[proc_macro_attribute]
pub fn maintenance(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("maintenance", &args.into(), &item.into()).into()
}

/// Marks the method of a `#[core_actor]` impl that writes the state down while nothing runs on any core;
/// see `System::checkpoint`. It returns nothing or a `Result<(), E>`.
#[proc_macro_attribute]
pub fn checkpoint(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("checkpoint", &args.into(), &item.into()).into()
}

/// Marks the method of a `#[core_actor]` impl that runs when the actor stops in good order.
#[proc_macro_attribute]
pub fn on_stop(args: TokenStream, item: TokenStream) -> TokenStream {
    core_actor::stray_role("on_stop", &args.into(), &item.into()).into()
}
