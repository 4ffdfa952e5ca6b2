impl KvShard {
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn new(_cx: &mut Ctx<Self>, budget: usize) -> Self {
        todo()
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
    /// Reads a value.
    fn get(&self, key: String) -> Option<Vec<u8>> {
        self.map.get(&key).cloned()
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
    fn put(
        &mut self,
        cx: &mut Ctx<Self>,
        key: String,
        value: Vec<u8>,
    ) -> Result<usize, KvError> {
        todo()
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
    fn touch(&mut self, _key: String) {}
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    #[cfg(feature = "origin")]
    fn load(
        &mut self,
        cx: &mut Ctx<Self>,
        key: String,
        reply: Reply<Result<usize, KvError>>,
    ) {
        todo()
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
    /// Bytes in use.
    #[deprecated]
    fn used_bytes(&self) -> usize {
        todo()
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
    fn flush(&mut self, at: Instant) {}
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn sweep(&mut self, cx: &mut Ctx<Self>) {}
    #[allow(
        clippy::large_types_passed_by_value,
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn stopping(&mut self) {}
    fn helper(&self) {}
}
#[init(__of_core_actor)]
const _: () = ();
#[handler(__of_core_actor)]
const _: () = ();
#[cfg(feature = "origin")]
#[handler(__of_core_actor)]
const _: () = ();
#[every(__of_core_actor)]
const _: () = ();
#[on_stop(__of_core_actor)]
const _: () = ();
/// Requests that [`KvShard`] understands; one variant per handler.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[allow(deprecated)]
pub enum KvShardRequest {
    /// A call of `get`.
    Get {
        /// The argument `key`.
        key: String,
    },
    /// A call of `put`.
    Put {
        /// The argument `key`.
        key: String,
        /// The argument `value`.
        value: Vec<u8>,
    },
    /// A call of `touch`.
    Touch {
        /// The argument `key`.
        key: String,
    },
    #[cfg(feature = "origin")]
    /// A call of `load`.
    Load {
        /// The argument `key`.
        key: String,
    },
    /// A call of `used_bytes`.
    #[deprecated]
    UsedBytes,
    /// A call of `flush`.
    Flush {
        /// The argument `at`.
        at: Instant,
    },
}
/// Answers of [`KvShard`]; one variant per handler that answers.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[allow(deprecated)]
pub enum KvShardResponse {
    /// What `get` answered.
    Get(Option<Vec<u8>>),
    /// What `put` answered.
    Put(Result<usize, KvError>),
    #[cfg(feature = "origin")]
    /// What `load` answered.
    Load(Result<usize, KvError>),
    /// What `used_bytes` answered.
    #[deprecated]
    UsedBytes(usize),
}
/// Client of [`KvShard`]: `Send`, cheap to clone, works from Tokio and from plain threads.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[allow(deprecated)]
pub struct KvShardClient {
    inner: ::tpc_actors::client::Client<KvShard>,
}
/// Handle to a [`KvShard`] on its own core: not `Send`, no atomics on the way.
#[allow(
    dead_code,
    missing_copy_implementations,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[allow(deprecated)]
pub struct KvShardPinned {
    inner: ::tpc_actors::pinned::Pinned<KvShard>,
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::fmt::Debug for KvShardRequest {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Get { .. } => ::core::fmt::Formatter::write_str(f, "Get"),
            Self::Put { .. } => ::core::fmt::Formatter::write_str(f, "Put"),
            Self::Touch { .. } => ::core::fmt::Formatter::write_str(f, "Touch"),
            #[cfg(feature = "origin")]
            Self::Load { .. } => ::core::fmt::Formatter::write_str(f, "Load"),
            Self::UsedBytes => ::core::fmt::Formatter::write_str(f, "UsedBytes"),
            Self::Flush { .. } => ::core::fmt::Formatter::write_str(f, "Flush"),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::fmt::Debug for KvShardResponse {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::Get(..) => ::core::fmt::Formatter::write_str(f, "Get"),
            Self::Put(..) => ::core::fmt::Formatter::write_str(f, "Put"),
            #[cfg(feature = "origin")]
            Self::Load(..) => ::core::fmt::Formatter::write_str(f, "Load"),
            Self::UsedBytes(..) => ::core::fmt::Formatter::write_str(f, "UsedBytes"),
        }
    }
}
const _: () = {
    #[cfg(feature = "origin")]
    let _ = ::tpc_actors::private::request_argument::<String>;
    #[cfg(feature = "origin")]
    let _ = ::tpc_actors::private::reply_value::<Result<usize, KvError>>;
};
#[automatically_derived]
#[allow(deprecated)]
impl ::tpc_actors::Actor for KvShard {
    #[cfg(doc)]
    type Request = KvShardRequest;
    #[cfg(not(doc))]
    type Request = KvShardRequest
    where
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            String,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            String,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            Vec<u8>,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            String,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            Instant,
        >: ::tpc_actors::private::Travels;
    #[cfg(doc)]
    type Response = KvShardResponse;
    #[cfg(not(doc))]
    type Response = KvShardResponse
    where
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            Option<Vec<u8>>,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            Result<usize, KvError>,
        >: ::tpc_actors::private::Travels,
        for<'__message> ::tpc_actors::private::Answer<
            '__message,
            usize,
        >: ::tpc_actors::private::Travels;
    type Client = KvShardClient;
    type Pinned = KvShardPinned;
    const LANES: ::tpc_actors::private::LanesKey<Self> = ::tpc_actors::private::thread_lanes!(
        KvShard
    );
    const TIMERS: &'static [::tpc_actors::actor::Timer<Self>] = &[
        ::tpc_actors::actor::Timer::new(
            "sweep",
            ::core::time::Duration::from_nanos(20_000_000u64),
            |this, cx| {
                Self::sweep(this, cx);
            },
        ),
    ];
    #[cfg(doc)]
    type Args = usize;
    #[cfg(not(doc))]
    type Args = usize
    where
        for<'__message> ::tpc_actors::private::Argument<
            '__message,
            usize,
        >: ::tpc_actors::private::Travels;
    #[inline]
    fn init(
        cx: &mut ::tpc_actors::Ctx<Self>,
        budget: Self::Args,
    ) -> ::core::result::Result<Self, ::tpc_actors::InitError> {
        let returned = Self::new(cx, budget);
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
            KvShardRequest::Get { key } => {
                reply.complete(KvShardResponse::Get(Self::get(self, key)))
            }
            KvShardRequest::Put { key, value } => {
                reply.complete(KvShardResponse::Put(Self::put(self, cx, key, value)))
            }
            #[cfg(feature = "origin")]
            KvShardRequest::Load { key } => {
                let reply = reply.defer(KvShardResponse::Load);
                Self::load(self, cx, key, reply);
            }
            KvShardRequest::UsedBytes => {
                reply.complete(KvShardResponse::UsedBytes(Self::used_bytes(self)))
            }
            __other => _ = ::tpc_actors::Actor::handle_tell(self, cx, __other),
        }
    }
    #[inline]
    fn handle_tell(
        &mut self,
        cx: &mut ::tpc_actors::Ctx<Self>,
        request: Self::Request,
    ) -> ::core::option::Option<Self::Request> {
        match request {
            KvShardRequest::Touch { key } => {
                Self::touch(self, key);
                ::core::option::Option::None
            }
            KvShardRequest::Flush { at } => {
                Self::flush(self, at);
                ::core::option::Option::None
            }
            __other => ::core::option::Option::Some(__other),
        }
    }
    #[inline]
    fn handler_number(request: &Self::Request) -> ::core::primitive::u32 {
        match *request {
            KvShardRequest::Get { .. } => 0u32,
            KvShardRequest::Put { .. } => 1u32,
            KvShardRequest::Touch { .. } => 2u32,
            #[cfg(feature = "origin")]
            KvShardRequest::Load { .. } => 3u32,
            KvShardRequest::UsedBytes => 4u32,
            KvShardRequest::Flush { .. } => 5u32,
        }
    }
    #[inline]
    fn handler_name(number: ::core::primitive::u32) -> &'static ::core::primitive::str {
        match number {
            0u32 => "get",
            1u32 => "put",
            2u32 => "touch",
            #[cfg(feature = "origin")]
            3u32 => "load",
            4u32 => "used_bytes",
            5u32 => "flush",
            _ => "?",
        }
    }
    const VARIANTS: &'static [::tpc_actors::actor::Variant] = &[
        ::tpc_actors::actor::Variant::new("Get", &[::core::mem::size_of::<String>()]),
        ::tpc_actors::actor::Variant::new(
            "Put",
            &[::core::mem::size_of::<String>(), ::core::mem::size_of::<Vec<u8>>()],
        ),
        ::tpc_actors::actor::Variant::new("Touch", &[::core::mem::size_of::<String>()]),
        #[cfg(feature = "origin")]
        ::tpc_actors::actor::Variant::new("Load", &[::core::mem::size_of::<String>()]),
        ::tpc_actors::actor::Variant::new("UsedBytes", &[]),
        ::tpc_actors::actor::Variant::new("Flush", &[::core::mem::size_of::<Instant>()]),
    ];
    #[inline]
    fn on_stop(&mut self, _cx: &mut ::tpc_actors::Ctx<Self>) {
        Self::stopping(self);
    }
}
#[automatically_derived]
impl ::tpc_actors::actor::Sharded for KvShard {
    type Key = String;
}
#[automatically_derived]
impl ::core::clone::Clone for KvShardClient {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for KvShardClient {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::client::Client<KvShard>> for KvShardClient {
    #[inline]
    fn from(inner: ::tpc_actors::client::Client<KvShard>) -> Self {
        Self { inner }
    }
}
#[automatically_derived]
impl ::tpc_actors::client::ActorClient for KvShardClient {
    type Actor = KvShard;
    #[inline]
    fn untyped(&self) -> &::tpc_actors::client::Client<KvShard> {
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
#[allow(deprecated)]
impl KvShardClient {
    /// Reads a value.
    #[inline]
    pub fn get(
        &self,
        key: String,
    ) -> ::tpc_actors::client::Ask<'_, KvShard, Option<Vec<u8>>> {
        let shard = self.inner.shard_of(&key);
        self.inner
            .ask(
                shard,
                KvShardRequest::Get { key },
                |response| match response {
                    KvShardResponse::Get(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Asks the actor to run `put`.
    #[inline]
    pub fn put(
        &self,
        key: String,
        value: Vec<u8>,
    ) -> ::tpc_actors::client::Ask<
        '_,
        KvShard,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Value,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Error,
    > {
        let shard = self.inner.shard_of(&key);
        self.inner
            .ask(
                shard,
                KvShardRequest::Put { key, value },
                |response| match response {
                    KvShardResponse::Put(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells the actor to run `touch`.
    #[inline]
    pub fn touch(&self, key: String) -> ::tpc_actors::client::Tell<'_, KvShard> {
        let shard = self.inner.shard_of(&key);
        self.inner.tell(shard, KvShardRequest::Touch { key })
    }
    #[cfg(feature = "origin")]
    /// Asks the actor to run `load`.
    #[inline]
    pub fn load(
        &self,
        key: String,
    ) -> ::tpc_actors::client::Ask<
        '_,
        KvShard,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Value,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Error,
    > {
        let shard = self.inner.shard_of(&key);
        self.inner
            .ask(
                shard,
                KvShardRequest::Load { key },
                |response| match response {
                    KvShardResponse::Load(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Bytes in use.
    #[deprecated]
    #[inline]
    pub fn used_bytes(&self) -> ::tpc_actors::client::AskAll<'_, KvShard, usize> {
        self.inner
            .ask_all(
                || KvShardRequest::UsedBytes,
                |response| match response {
                    KvShardResponse::UsedBytes(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells every shard to run `flush`.
    #[inline]
    pub fn flush(&self, at: Instant) -> ::tpc_actors::client::TellAll<'_, KvShard> {
        self.inner
            .tell_all(|| KvShardRequest::Flush {
                at: ::core::clone::Clone::clone(&at),
            })
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
    /// The shard that owns `key`.
    #[must_use]
    #[inline]
    pub fn shard_of(&self, key: &String) -> ::core::primitive::usize {
        self.inner.shard_of(key)
    }
}
#[automatically_derived]
impl ::core::clone::Clone for KvShardPinned {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: ::core::clone::Clone::clone(&self.inner),
        }
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for KvShardPinned {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.inner, f)
    }
}
#[automatically_derived]
impl ::core::convert::From<::tpc_actors::pinned::Pinned<KvShard>> for KvShardPinned {
    #[inline]
    fn from(inner: ::tpc_actors::pinned::Pinned<KvShard>) -> Self {
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
#[allow(deprecated)]
impl KvShardPinned {
    /// Reads a value.
    #[inline]
    pub fn get(
        &self,
        key: String,
    ) -> ::tpc_actors::pinned::PinnedAsk<'_, KvShard, Option<Vec<u8>>> {
        self.inner
            .ask(
                KvShardRequest::Get { key },
                |response| match response {
                    KvShardResponse::Get(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Asks the actor to run `put`.
    #[inline]
    pub fn put(
        &self,
        key: String,
        value: Vec<u8>,
    ) -> ::tpc_actors::pinned::PinnedAsk<
        '_,
        KvShard,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Value,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Error,
    > {
        self.inner
            .ask(
                KvShardRequest::Put { key, value },
                |response| match response {
                    KvShardResponse::Put(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells the actor to run `touch`.
    #[inline]
    pub fn touch(&self, key: String) -> ::tpc_actors::pinned::PinnedTell<'_, KvShard> {
        self.inner.tell(KvShardRequest::Touch { key })
    }
    #[cfg(feature = "origin")]
    /// Asks the actor to run `load`.
    #[inline]
    pub fn load(
        &self,
        key: String,
    ) -> ::tpc_actors::pinned::PinnedAsk<
        '_,
        KvShard,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Value,
        <Result<usize, KvError> as ::tpc_actors::private::Fallible>::Error,
    > {
        self.inner
            .ask(
                KvShardRequest::Load { key },
                |response| match response {
                    KvShardResponse::Load(answer) => {
                        ::core::option::Option::Some(
                            ::tpc_actors::private::into_result(answer),
                        )
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Bytes in use.
    #[deprecated]
    #[inline]
    pub fn used_bytes(&self) -> ::tpc_actors::pinned::PinnedAsk<'_, KvShard, usize> {
        self.inner
            .ask(
                KvShardRequest::UsedBytes,
                |response| match response {
                    KvShardResponse::UsedBytes(answer) => {
                        ::core::option::Option::Some(::core::result::Result::Ok(answer))
                    }
                    _ => ::core::option::Option::None,
                },
            )
    }
    /// Tells the actor to run `flush`.
    #[inline]
    pub fn flush(&self, at: Instant) -> ::tpc_actors::pinned::PinnedTell<'_, KvShard> {
        self.inner.tell(KvShardRequest::Flush { at })
    }
}
