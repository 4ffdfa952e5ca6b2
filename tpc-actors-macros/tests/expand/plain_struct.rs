struct Plain;
#[doc(hidden)]
#[allow(unused_macros)]
macro_rules! __core_actor_Plain_here {
    (
        runtime_here[$([$($on_enum:tt)*] { $($enum:tt)* })*] [$([$($on_handle:tt)*] {
        $($handle:tt)* })*] { $($fingerprint:tt)* } $($others:tt)*
    ) => {
        $($($on_enum)* $($enum)*)* $($($on_handle)* $($handle)*)* $($others)*
    };
    ($($others:tt)*) => {
        ::core::compile_error! {
        "TPC040: `crate = ..` stands on the `impl` block of `Plain` but not on its struct; write the same on both"
        }
    };
}
#[doc(hidden)]
#[allow(unused_imports)]
pub(crate) use __core_actor_Plain_here as __needs_core_actor_on_struct_Plain;
#[automatically_derived]
impl ::tpc_actors::actor::Settings for Plain {
    type Event = ::tpc_actors::actor::NoEvent;
    const NAME: &'static ::core::primitive::str = "Plain";
    const POLICY: ::tpc_actors::actor::Policy = ::tpc_actors::actor::Policy::new();
}
const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(
    "TPC_ACTORS_DUMP"
);
