/// One shard of the store.
pub struct KvShard {
    map: HashMap<String, Vec<u8>>,
}
#[doc(hidden)]
#[allow(unused_macros)]
macro_rules! __core_actor_KvShard_here {
    (
        runtime_here[$([$($on_enum:tt)*] { $($enum:tt)* })*] [$([$($on_handle:tt)*] {
        $($handle:tt)* })*] { $($fingerprint:tt)* } $($others:tt)*
    ) => {
        $($($on_enum)* pub $($enum)*)* $($($on_handle)* pub $($handle)*)* $($others)*
    };
    ($($others:tt)*) => {
        ::core::compile_error! {
        "TPC040: `crate = ..` stands on the `impl` block of `KvShard` but not on its struct; write the same on both"
        }
    };
}
#[doc(hidden)]
#[allow(unused_imports)]
pub(crate) use __core_actor_KvShard_here as __needs_core_actor_on_struct_KvShard;
#[automatically_derived]
impl ::tpc_actors::actor::Settings for KvShard {
    type Event = KvEvent;
    const NAME: &'static ::core::primitive::str = "KvShard";
    const POLICY: ::tpc_actors::actor::Policy = ::tpc_actors::actor::Policy::new()
        .capacity(1024usize)
        .supervise(
            ::tpc_actors::supervision::Supervise::new()
                .max(5u32)
                .within(::core::time::Duration::from_nanos(10_000_000_000u64))
                .backoff(
                    ::core::time::Duration::from_nanos(1_000_000u64),
                    ::core::time::Duration::from_nanos(1_000_000_000u64),
                )
                .then(::tpc_actors::supervision::Then::Stop),
        );
    const ROUTING: ::core::option::Option<::tpc_actors::bus::Routing<Self::Event>> = {
        #[allow(unused_imports)]
        use ::tpc_actors::private::NotEnriched as _;
        <::tpc_actors::private::EventProbe<KvEvent>>::ROUTING
    };
}
const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(
    "TPC_ACTORS_DUMP"
);
