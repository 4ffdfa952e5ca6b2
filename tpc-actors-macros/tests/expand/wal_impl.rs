impl Wal {
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
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    /// Makes a record durable.
    fn append(
        &mut self,
        cx: &mut Ctx<Self>,
        records: Batch<Vec<u8>, Reply<Result<u64, Full>>>,
    ) {}
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn note(&mut self, notes: Batch<Note>) {}
}
#[init(__of_core_actor)]
const _: () = ();
#[handler(__of_core_actor)]
const _: () = ();
/// Requests that [`Wal`] understands; one variant per handler.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub enum WalRequest {
    /// A call of `append`.
    Append {
        /// The argument `records`.
        records: Vec<u8>,
    },
    /// A call of `note`.
    Note {
        /// The argument `notes`.
        notes: ::tpc_actors::private::Box<Note>,
    },
}
/// Answers of [`Wal`]; one variant per handler that answers.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub enum WalResponse {
    /// What `append` answered.
    Append(Result<u64, Full>),
}
/// Client of [`Wal`]: `Send`, cheap to clone, works from Tokio and from plain threads.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct WalClient {
    inner: ::tpc_actors::client::Client<Wal>,
}
/// Handle to a [`Wal`] on its own core: not `Send`, no atomics on the way.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct WalPinned {
    inner: ::tpc_actors::pinned::Pinned<Wal>,
}
#[automatically_derived]
impl ::core::fmt::Debug for WalRequest {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Append { .. } => ::core::fmt::Formatter::write_str(f, "Append"),
            Self::Note { .. } => ::core::fmt::Formatter::write_str(f, "Note"),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for WalResponse {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Append(..) => ::core::fmt::Formatter::write_str(f, "Append"),
        }
    }
}
#[automatically_derived]
impl ::tpc_actors::Actor for Wal {
    #[cfg(doc)]
    type Request = WalRequest;
    #[cfg(not(doc))]
    type Request = WalRequest
    where
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            Vec<u8>,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            Note,
        >: ::tpc_actors::private::Travels;
    #[cfg(doc)]
    type Response = WalResponse;
    #[cfg(not(doc))]
    type Response = WalResponse
    where
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            Result<u64, Full>,
        >: ::tpc_actors::private::Travels;
    type Client = WalClient;
    type Pinned = WalPinned;
    const LANES: ::tpc_actors::private::LanesKey<Self> = ::tpc_actors::private::thread_lanes!(
        Wal
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
        match request {
            WalRequest::Append { records } => {
                let batch = reply
                    .batch::<
                        _,
                        _,
                        64usize,
                    >(
                        records,
                        |request| match request {
                            WalRequest::Append { records } => {
                                ::core::option::Option::Some(records)
                            }
                            _ => ::core::option::Option::None,
                        },
                        WalResponse::Append,
                    );
                Self::append(self, cx, batch);
            }
            WalRequest::Note { notes } => {
                let batch = reply
                    .batch_of_tells::<
                        _,
                        8usize,
                    >(
                        *notes,
                        |request| match request {
                            WalRequest::Note { notes } => {
                                ::core::option::Option::Some(*notes)
                            }
                            _ => ::core::option::Option::None,
                        },
                    );
                Self::note(self, batch);
            }
        }
    }
    #[inline]
    fn handler_number(request: &Self::Request) -> ::core::primitive::u32 {
        match *request {
            WalRequest::Append { .. } => 0u32,
            WalRequest::Note { .. } => 1u32,
        }
    }
    #[inline]
    fn handler_name(number: ::core::primitive::u32) -> &'static ::core::primitive::str {
        match number {
            0u32 => "append",
            1u32 => "note",
            _ => "?",
        }
    }
    #[inline]
    fn is_batched(request: &Self::Request) -> ::core::primitive::bool {
        match *request {
            WalRequest::Append { .. } => true,
            WalRequest::Note { .. } => true,
            _ => false,
        }
    }
    const VARIANTS: &'static [::tpc_actors::actor::Variant] = &[
        ::tpc_actors::actor::Variant::new(
            "Append",
            &[::core::mem::size_of::<Vec<u8>>()],
        ),
        ::tpc_actors::actor::Variant::new(
            "Note",
            &[::core::mem::size_of::<::tpc_actors::private::Box<Note>>()],
        ),
    ];
}
const _: () = ::tpc_actors::private::batch_fits::<Wal>(64usize);
const _: () = ::tpc_actors::private::batch_fits::<Wal>(8usize);
#[automatically_derived]
impl ::core::clone::Clone for WalClient {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for WalClient {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::client::Client<Wal>> for WalClient {
    #[inline]
    fn from(inner: ::tpc_actors::client::Client<Wal>) -> Self {
        Self { inner }
    }
}
#[automatically_derived]
impl ::tpc_actors::client::ActorClient for WalClient {
    type Actor = Wal;
    #[inline]
    fn untyped(&self) -> &::tpc_actors::client::Client<Wal> {
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
impl WalClient {
    /// Makes a record durable.
    #[inline]
    pub fn append(
        &self,
        records: Vec<u8>,
    ) -> ::tpc_actors::client::Ask<
        '_,
        Wal,
        <Result<u64, Full> as ::tpc_actors::private::Fallible>::Value,
        <Result<u64, Full> as ::tpc_actors::private::Fallible>::Error,
    > {
        self.inner
            .ask(
                0usize,
                WalRequest::Append { records },
                |response| match response {
                    WalResponse::Append(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells the actor to run `note`.
    #[inline]
    pub fn note(&self, notes: Note) -> ::tpc_actors::client::Tell<'_, Wal> {
        self.inner
            .tell(
                0usize,
                WalRequest::Note {
                    notes: ::tpc_actors::private::Box::new(notes),
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
impl ::core::clone::Clone for WalPinned {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for WalPinned {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::pinned::Pinned<Wal>> for WalPinned {
    #[inline]
    fn from(inner: ::tpc_actors::pinned::Pinned<Wal>) -> Self {
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
impl WalPinned {
    /// Makes a record durable.
    #[inline]
    pub fn append(
        &self,
        records: Vec<u8>,
    ) -> ::tpc_actors::pinned::PinnedAsk<
        '_,
        Wal,
        <Result<u64, Full> as ::tpc_actors::private::Fallible>::Value,
        <Result<u64, Full> as ::tpc_actors::private::Fallible>::Error,
    > {
        self.inner
            .ask(
                WalRequest::Append { records },
                |response| match response {
                    WalResponse::Append(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells the actor to run `note`.
    #[inline]
    pub fn note(&self, notes: Note) -> ::tpc_actors::pinned::PinnedTell<'_, Wal> {
        self.inner
            .tell(WalRequest::Note {
                notes: ::tpc_actors::private::Box::new(notes),
            })
    }
}
