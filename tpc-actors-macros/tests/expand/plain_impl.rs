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
    fn new() -> Self {
        Self
    }
}
#[init(__of_core_actor)]
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
pub enum PlainRequest {}
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
pub enum PlainResponse {}
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
        match *self {}
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for PlainResponse {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {}
    }
}
#[automatically_derived]
impl ::tpc_actors::Actor for Plain {
    type Request = PlainRequest;
    type Response = PlainResponse;
    type Client = PlainClient;
    type Pinned = PlainPinned;
    const LANES: ::tpc_actors::private::LanesKey<Self> = ::tpc_actors::private::thread_lanes!(
        Plain
    );
    const TIMERS: &'static [::tpc_actors::actor::Timer<Self>] = &[];
    type Args = ();
    #[inline]
    fn init(
        _cx: &mut ::tpc_actors::Ctx<Self>,
        (): Self::Args,
    ) -> ::core::result::Result<Self, ::tpc_actors::InitError> {
        let returned = Self::new();
        ::tpc_actors::private::into_init::<Self, _>(returned)
    }
    #[inline(always)]
    fn handle(
        &mut self,
        cx: &mut ::tpc_actors::Ctx<Self>,
        request: Self::Request,
        reply: ::tpc_actors::private::ReplySlot<'_, Self>,
    ) {
        match request {}
    }
    #[inline]
    fn handler_number(request: &Self::Request) -> ::core::primitive::u32 {
        match *request {}
    }
    #[inline]
    fn handler_name(number: ::core::primitive::u32) -> &'static ::core::primitive::str {
        match number {
            _ => "?",
        }
    }
    const VARIANTS: &'static [::tpc_actors::actor::Variant] = &[];
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
impl PlainPinned {}
