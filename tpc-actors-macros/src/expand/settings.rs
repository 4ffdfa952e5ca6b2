//! The struct half: the policy, and the macro that hands the struct's visibility to the impl half.

use proc_macro2::{Literal, TokenStream};
use syn::ext::IdentExt as _;

use super::{duration, emit, grouped, krate};
use crate::model::{SettingsModel, SuperviseModel, Then};

/// Everything that follows the user's struct.
pub(crate) fn expand(model: &SettingsModel) -> TokenStream {
    let visibility = visibility(model);
    let settings = settings(model);
    emit!(#visibility #settings)
}

/// An `impl` block cannot see how visible its struct is, but it can call a macro that knows.
///
/// The macro takes types in brackets and braces, and after an arrow whatever needs no visibility.
/// The import makes an item of it, so that the halves may come in any order.
fn visibility(model: &SettingsModel) -> TokenStream {
    let (name, vis) = (&model.names.visibility, &model.vis);
    emit! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #name {
            ($([$($attributes:tt)*] { $($item:tt)* })* => $($others:tt)*) => {
                $($($attributes)* #vis $($item)*)*
                $($others)*
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #name;
    }
}

fn settings(model: &SettingsModel) -> TokenStream {
    let krate = krate();
    let actor = &model.actor;
    let name = Literal::string(&actor.unraw().to_string());
    let event = model
        .event
        .as_ref()
        .map_or_else(|| emit!(::core::convert::Infallible), |event| emit!(#event));
    let capacity = model.capacity.map(|capacity| {
        let capacity = grouped(capacity, "usize");
        emit!(.capacity(#capacity))
    });
    let supervise = model.supervise.as_ref().map(|options| {
        let policy = supervise(options);
        emit!(.supervise(#policy))
    });
    emit! {
        #[automatically_derived]
        impl #krate::actor::Settings for #actor {
            type Event = #event;
            const NAME: &'static ::core::primitive::str = #name;
            const POLICY: #krate::actor::Policy =
                #krate::actor::Policy::new() #capacity #supervise;
        }
    }
}

fn supervise(options: &SuperviseModel) -> TokenStream {
    let krate = krate();
    let max = options.max.map(|max| {
        let max = grouped(max.into(), "u32");
        emit!(.max(#max))
    });
    let within = options.within.map(|within| {
        let within = duration(within);
        emit!(.within(#within))
    });
    let backoff = options.backoff.map(|(from, to)| {
        let (from, to) = (duration(from), duration(to));
        emit!(.backoff(#from, #to))
    });
    let then = options.then.map(|then| match then {
        Then::Stop => emit!(.then(#krate::supervision::Then::Stop)),
        Then::AbortSystem => emit!(.then(#krate::supervision::Then::AbortSystem)),
    });
    emit!(#krate::supervision::Supervise::new() #max #within #backoff #then)
}
