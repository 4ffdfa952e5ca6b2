::core::compile_error! {
    "TPC002: `late` is an `async fn`, but a core never waits inside of a method; make it a plain `fn` and leave the waiting to `cx.offload(..)` or `cx.spawn(..)`"
}
impl Plain {
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn new(start: u8) -> Self {
        Self
    }
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    async fn late(&self, by: u8) -> u8 {
        by
    }
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn fine(&self) {}
}
#[init(__of_core_actor)]
const _: () = ();
#[handler(__of_core_actor)]
const _: () = ();
/// Requests that [`Plain`] understands; one variant per handler.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub enum PlainRequest {
    /// A call of `late`.
    Late {
        /// The argument `by`.
        by: u8,
    },
    /// A call of `fine`.
    Fine,
}
/// Answers of [`Plain`]; one variant per handler that answers.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub enum PlainResponse {
    /// What `late` answered.
    Late(u8),
    /// What `fine` answered.
    Fine(()),
}
/// Client of [`Plain`]: `Send`, cheap to clone, works from Tokio and from plain threads.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct PlainClient {
    inner: ::tpc_actors::client::Client<Plain>,
}
/// Handle to a [`Plain`] on its own core: not `Send`, no atomics on the way.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct PlainPinned {
    inner: ::tpc_actors::pinned::Pinned<Plain>,
}
#[automatically_derived]
impl ::core::fmt::Debug for PlainRequest {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Late { .. } => ::core::fmt::Formatter::write_str(f, "Late"),
            Self::Fine => ::core::fmt::Formatter::write_str(f, "Fine"),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for PlainResponse {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Late(..) => ::core::fmt::Formatter::write_str(f, "Late"),
            Self::Fine(..) => ::core::fmt::Formatter::write_str(f, "Fine"),
        }
    }
}
#[automatically_derived]
impl ::tpc_actors::Actor for Plain {
    #[cfg(doc)]
    type Request = PlainRequest;
    #[cfg(not(doc))]
    type Request = PlainRequest
    where
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            u8,
        >: ::tpc_actors::private::Travels;
    #[cfg(doc)]
    type Response = PlainResponse;
    #[cfg(not(doc))]
    type Response = PlainResponse
    where
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            u8,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            (),
        >: ::tpc_actors::private::Travels;
    type Client = PlainClient;
    type Pinned = PlainPinned;
    const LANES: ::tpc_actors::private::LanesKey<Self> = ::tpc_actors::private::thread_lanes!(
        Plain
    );
    const TIMERS: &'static [::tpc_actors::actor::Timer<Self>] = &[];
    #[cfg(doc)]
    type Args = u8;
    #[cfg(not(doc))]
    type Args = u8
    where
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            u8,
        >: ::tpc_actors::private::Travels;
    #[inline]
    fn init(
        _cx: &mut ::tpc_actors::Ctx<Self>,
        _args: Self::Args,
    ) -> ::core::result::Result<Self, ::tpc_actors::InitError> {
        ::core::unreachable!()
    }
    #[inline(always)]
    fn handle(
        &mut self,
        cx: &mut ::tpc_actors::Ctx<Self>,
        request: Self::Request,
        reply: ::tpc_actors::private::ReplySlot<'_, Self>,
    ) {
        ::core::unreachable!()
    }
    #[inline]
    fn handler_number(request: &Self::Request) -> ::core::primitive::u32 {
        match *request {
            PlainRequest::Late { .. } => 0u32,
            PlainRequest::Fine => 1u32,
        }
    }
    #[inline]
    fn handler_name(number: ::core::primitive::u32) -> &'static ::core::primitive::str {
        match number {
            0u32 => "late",
            1u32 => "fine",
            _ => "?",
        }
    }
    const VARIANTS: &'static [::tpc_actors::actor::Variant] = &[
        ::tpc_actors::actor::Variant::new("Late", &[::core::mem::size_of::<u8>()]),
        ::tpc_actors::actor::Variant::new("Fine", &[]),
    ];
}
#[automatically_derived]
impl ::core::clone::Clone for PlainClient {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for PlainClient {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::client::Client<Plain>> for PlainClient {
    #[inline]
    fn from(inner: ::tpc_actors::client::Client<Plain>) -> Self {
        Self { inner }
    }
}
#[automatically_derived]
impl ::tpc_actors::client::ActorClient for PlainClient {
    type Actor = Plain;
    #[inline]
    fn untyped(&self) -> &::tpc_actors::client::Client<Plain> {
        &self.inner
    }
}
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
impl PlainClient {
    /// Asks the actor to run `late`.
    #[inline]
    pub fn late(&self, by: u8) -> ::tpc_actors::client::Ask<'_, Plain, u8> {
        self.inner
            .ask(
                0usize,
                PlainRequest::Late { by },
                |response| match response {
                    PlainResponse::Late(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Asks the actor to run `fine`.
    #[inline]
    pub fn fine(&self) -> ::tpc_actors::client::Ask<'_, Plain, ()> {
        self.inner
            .ask(
                0usize,
                PlainRequest::Fine,
                |response| match response {
                    PlainResponse::Fine(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// A client with its own lane: strictly first in, first out over all of its clones.
    #[must_use]
    #[inline]
    pub fn ordered(&self) -> Self {
        Self {
            inner: self.inner.ordered(),
        }
    }
    /// Number of shards; 1 for an actor that was spawned alone.
    #[must_use]
    #[inline]
    pub fn shards(&self) -> ::core::primitive::usize {
        self.inner.shards()
    }
}
#[automatically_derived]
impl ::core::clone::Clone for PlainPinned {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for PlainPinned {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::pinned::Pinned<Plain>> for PlainPinned {
    #[inline]
    fn from(inner: ::tpc_actors::pinned::Pinned<Plain>) -> Self {
        Self { inner }
    }
}
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
impl PlainPinned {
    /// Asks the actor to run `late`.
    #[inline]
    pub fn late(&self, by: u8) -> ::tpc_actors::pinned::PinnedAsk<'_, Plain, u8> {
        self.inner
            .ask(
                PlainRequest::Late { by },
                |response| match response {
                    PlainResponse::Late(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Asks the actor to run `fine`.
    #[inline]
    pub fn fine(&self) -> ::tpc_actors::pinned::PinnedAsk<'_, Plain, ()> {
        self.inner
            .ask(
                PlainRequest::Fine,
                |response| match response {
                    PlainResponse::Fine(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
}
