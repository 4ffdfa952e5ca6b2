struct Plain;
#[doc(hidden)]
#[allow(unused_macros)]
macro_rules! __needs_core_actor_on_struct_Plain {
    ($([$($attributes:tt)*] { $($item:tt)* })* => $($others:tt)*) => {
        $($($attributes)* $($item)*)* $($others)*
    };
}
#[doc(hidden)]
#[allow(unused_imports)]
pub(crate) use __needs_core_actor_on_struct_Plain;
#[automatically_derived]
impl ::tpc_actors::actor::Settings for Plain {
    type Event = ::core::convert::Infallible;
    const NAME: &'static ::core::primitive::str = "Plain";
    const POLICY: ::tpc_actors::actor::Policy = ::tpc_actors::actor::Policy::new();
}
